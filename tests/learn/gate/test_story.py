"""The zombies mutate, in the words of learning alone: verdicts, cleaning, a refit, the gate."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from tests.lessons import judging_rows
from unrot.core.policy import Policy
from unrot.core.records import Answered, Example, Feedback, JudgedPrediction, Outputs, Prediction
from unrot.hear.cleaning import clean, part_verdicts, ranges_of, union
from unrot.learn.gate.gate import Evidence, Judgement, Sides, judge
from unrot.make.demos.zombies import CLASSES, Population, load, population

SCHEMA = load().schema
OLD, MUTANTS = population(), population(mutated=True)
CHAMPION = DecisionTreeClassifier(max_depth=6, random_state=0).fit(OLD.rows, OLD.labels)


def verdicts(
    drawn: Population, start: int, count: int, judge: str | None
) -> list[JudgedPrediction]:
    """Predictions of the champion, each with a thumb that tells the truth."""
    rows = drawn.traffic_rows[start : start + count]
    said = CHAMPION.predict(rows)
    return [
        JudgedPrediction(
            Prediction(f"{start + n:05}", "zombies", "v1", at, row, str(label), None, None),
            Feedback(
                f"{start + n:05}",
                "zombies",
                at,
                at,
                bool(label == truth),
                None,
                "",
                judge,
                f"subject {n % 20}",
            ),
        )
        for n, (row, label, truth) in enumerate(
            zip(rows.tolist(), said, drawn.traffic_labels[start : start + count], strict=True)
        )
        for at in [float(start + n)]
    ]


def answered(tree: DecisionTreeClassifier, rows: list[list[float]], truth: list[str]) -> Answered:
    said = tree.predict(np.array(rows)) if rows else []
    return Answered(rows, truth, Outputs(classes=[CLASSES.index(label) for label in said]))


def learnt(judged: list[JudgedPrediction], policy: Policy) -> DecisionTreeClassifier:
    """What a refit on the verdicts alone gives."""
    recent = ranges_of([one.prediction.inputs for one in judged], SCHEMA)
    cleaned = clean(
        part_verdicts(judged, SCHEMA, policy),
        SCHEMA,
        policy,
        ranges=union(ranges_of(OLD.rows.tolist(), SCHEMA), recent),
    )
    assert len(cleaned.examples) + len(cleaned.fates) == len(judged)
    return DecisionTreeClassifier(max_depth=6, random_state=0).fit(
        np.array([one.row for one in cleaned.examples]),
        [one.label for one in cleaned.examples],
        sample_weight=[one.weight for one in cleaned.examples],
    )


def gate(
    candidate: DecisionTreeClassifier,
    recent: list[Example],
    *,
    champion: DecisionTreeClassifier = CHAMPION,
    anchor: tuple[list[list[float]], list[str]] | None = None,
) -> Judgement:
    anchor = anchor or (OLD.holdout_rows.tolist(), OLD.holdout_labels.tolist())
    rows = [list(one.row) for one in recent], [str(one.label) for one in recent]
    sides = [
        Sides(answered(champion, *those), answered(candidate, *those)) for those in (anchor, rows)
    ]
    times = [one.predicted_at for one in recent]
    evidence = Evidence(SCHEMA, "v1", "v2", sides[0], sides[1], times)
    return judge(evidence, Policy(), now=0.0)


def test_judges_cure_the_model_and_poison_is_refused_afterwards() -> None:
    judged = verdicts(MUTANTS, 0, 500, "Ann")
    recent = judging_rows(judged, SCHEMA, Policy().held_out)

    candidate = learnt(judged, Policy())
    judgement = gate(candidate, recent)

    verdict = judgement.verdict
    assert (verdict.decision, verdict.ground) == ("passed", "recent verdicts")
    assert CHAMPION.score(MUTANTS.holdout_rows, MUTANTS.holdout_labels) <= 0.65
    assert candidate.score(MUTANTS.holdout_rows, MUTANTS.holdout_labels) >= 0.9

    frozen = [recent[place] for place in judgement.new_anchor]
    anchor = [list(one.row) for one in frozen], [str(one.label) for one in frozen]
    back = gate(CHAMPION, frozen, champion=candidate, anchor=anchor)
    assert (back.verdict.decision, back.verdict.ground) == ("refused", "anchor")


def test_crowd_alone_cures_nothing_until_sixty_rows_are_audited() -> None:
    candidate = learnt(verdicts(MUTANTS, 0, 500, None), Policy())
    assert candidate.score(MUTANTS.holdout_rows, MUTANTS.holdout_labels) >= 0.85

    before = gate(candidate, []).verdict
    audit = verdicts(MUTANTS, 500, 60, "Ann")
    audited = {one.prediction.id or "" for one in audit}
    after = gate(candidate, judging_rows(audit, SCHEMA, 0.3, audited=audited)).verdict

    assert (before.decision, before.wants_audit) == ("refused", True)
    assert (after.decision, after.ground) == ("passed", "recent verdicts")


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_poison_of_the_crowd_is_refused_while_judges_show_that_the_world_stands(
    share: float,
) -> None:
    trusted = verdicts(OLD, 0, 150, "Ann")
    poison = verdicts(MUTANTS, 150, 500, None)

    recent = judging_rows(trusted, SCHEMA, share)
    verdict = gate(learnt([*trusted, *poison], Policy()), recent).verdict

    assert len(recent) >= 30
    assert (verdict.decision, verdict.ground) == ("refused", "anchor")
