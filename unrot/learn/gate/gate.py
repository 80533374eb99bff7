"""Whether a candidate may become champion: passed, refused or undecided, and why.

On the ground (`ground.py`), with the difference and its one-sided bound (`paired_test.py`), which
on a fixed anchor holds for its rows and elsewhere at any time; all candidates of these rows share
one doubt of 5 % (`spending.py`):

    refused     answers that are no numbers; ONNX further than 1e-4 from scikit-learn
    undecided   fewer than 30 rows
    refused     worse by more than the tolerance, and surely worse, however few recent trusted rows
                there are: until they say that the world has moved, the anchor stands
    refused     below the best score that the anchor has seen by more than the tolerance (at least
                one row): many small steps down are the way of a slow poison
    refused     a class is found less often by more than the tolerance, and surely
    undecided   the bound does not exclude a loss beyond the tolerance, beside the champion, or
                beside the first or the best champion of these rows
    passed      else

Beside the first and the best a bound is needed as much as beside the champion. By its score alone a
line could lose all of the tolerance on the anchor in small steps, and since each step was chosen on
those very rows, more than that on others. The first champion was not chosen on them at all.

What is undecided never promotes itself; a person may promote it, or give it more rows.

    >>> from unrot.core.records import Answered

    >>> from unrot.core.policy import Policy
    >>> from unrot.core.records import Outputs
    >>> from unrot.core.records import Schema
    >>> schema = Schema((), "temper", ("hostile", "friendly"))
    >>> def side(right):
    ...     outputs = Outputs(classes=[0] * right + [1] * (400 - right))
    ...     return Answered([[]] * 400, ["hostile"] * 400, outputs)
    >>> evidence = Evidence(schema, "v1", "v2", anchor=Sides(side(360), side(380)))
    >>> judge(evidence, Policy(), now=0.0).verdict.decision
    'passed'
"""

from __future__ import annotations

from dataclasses import dataclass

from unrot.core.numbers import rough
from unrot.core.percent import percent, points
from unrot.core.plurals import counted
from unrot.core.policy import Policy
from unrot.core.records import Decision, GateVerdict, Recall, Schema
from unrot.learn.gate.ground import Evidence, Footing, Sides, find_ground
from unrot.learn.gate.paired_test import Pair, compare_errors, recalls
from unrot.learn.gate.world_shift import FEWEST

__all__ = ["Evidence", "Judgement", "Sides", "judge"]

MOST_DIFFERENCE = 1e-4
"""How far ONNX may be from scikit-learn."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the gate said, and the recent rows that a promotion freezes as the new anchor."""

    verdict: GateVerdict
    new_anchor: tuple[int, ...] = ()
    """Places among the recent rows; empty when the champion's anchor stays."""


@dataclass(frozen=True, slots=True)
class _Ruling:
    decision: Decision
    reason: str
    wants_audit: bool = False


def judge(evidence: Evidence, policy: Policy, now: float) -> Judgement:
    """Compare a candidate with the champion and decide."""
    if not evidence.answers_numbers:
        return Judgement(_unanswered(evidence, policy, now))
    ground = find_ground(evidence)
    pair = compare_errors(evidence.schema, ground.champion, ground.candidate, ground.doubt)
    lost = _recalls(evidence, ground, policy)
    ruling = _rule(evidence, policy, ground, pair, lost)
    verdict = GateVerdict(
        decision=ruling.decision if policy.gate else "off",
        sentence=_sentence(evidence, ground, pair, ruling, policy),
        champion=evidence.champion,
        decided_at=now,
        ground=ground.name,
        why=ground.why,
        rows=pair.rows,
        champion_score=ground.champion_score,
        candidate_score=ground.candidate_score,
        best_score=evidence.best_score if ground.name == "anchor" else None,
        difference=pair.difference,
        bound=pair.bound,
        holds=ground.doubt.holds,
        doubt=ground.doubt.of_bound,
        weighed=evidence.weighed + 1,
        tolerance=policy.tolerance,
        recalls=tuple(lost),
        recent_rows=ground.recent_rows,
        recent_score=ground.recent_score,
        anchor_score=ground.anchor_score,
        chance=ground.move.chance,
        moved_at=ground.moved_at,
        largest_difference=evidence.largest_difference,
        judged=evidence.judged,
        predicted=evidence.predicted,
        voters=_voters(evidence, ground),
        wants_audit=ruling.wants_audit and evidence.can_be_audited,
    )
    return Judgement(verdict, tuple(ground.places))


def _rule(
    evidence: Evidence, policy: Policy, ground: Footing, pair: Pair, lost: list[Recall]
) -> _Ruling:
    return (
        _of_parity(evidence)
        or _of_rows(evidence, pair)
        or _of_loss(evidence, policy, ground, pair)
        or _of_ratchet(evidence, policy, ground, pair)
        or _of_recalls(evidence, lost)
        or _of_bound(evidence.schema, policy, ground, pair)
        or _of_rivals(evidence, policy, ground)
        or _Ruling("passed", _ruled_out(evidence, policy, ground))
    )


def _of_parity(evidence: Evidence) -> _Ruling | None:
    difference = evidence.largest_difference
    if evidence.served_by != "onnx" or difference is None or difference <= MOST_DIFFERENCE:
        return None
    return _Ruling(
        "refused",
        f"In ONNX it differs from scikit-learn by {difference:.2g}; at most "
        f"{MOST_DIFFERENCE:g} is let pass.",
    )


def _of_rows(evidence: Evidence, pair: Pair) -> _Ruling | None:
    if pair.rows >= FEWEST:
        return None
    advice = "audit some" if evidence.can_be_audited else "let it answer more, then audit some"
    if evidence.heard is not None and evidence.one_sided is not None:
        advice = f"{evidence.one_sided.remedy}, or {advice}"
    rows = f"Only {counted(pair.rows, 'row')}" if pair.rows else "No row"
    reason = f"{rows} can be trusted, and {FEWEST} are needed: {advice}."
    return _Ruling("undecided", reason, wants_audit=True)


def _of_loss(evidence: Evidence, policy: Policy, ground: Footing, pair: Pair) -> _Ruling | None:
    if not _is_loss(policy, pair):
        return None
    if pair.is_surely_worse:
        is_untold = not ground.move.can_tell or _is_untested_since(evidence)
        wants_audit = ground.name == "anchor" and is_untold
        more = _audited(evidence) if wants_audit else ""
        return _Ruling("refused", f"It is surely worse.{more}", wants_audit)
    reason = f"It looks worse, and {pair.rows:,} rows are too few to be sure."
    wants_audit = ground.name != "anchor" or not ground.move.can_tell
    return _Ruling("undecided", reason, wants_audit)


def _audited(evidence: Evidence) -> str:
    """Say what would show whether the world has moved: an audit, where rows are left for one."""
    if evidence.can_be_audited:
        return " If the world has moved since, an audit would show it."
    return " No prediction is left to audit: more of them would show if the world has moved since."


def _of_ratchet(evidence: Evidence, policy: Policy, ground: Footing, pair: Pair) -> _Ruling | None:
    best, reached = evidence.best_score, ground.candidate_score
    if ground.name != "anchor" or best is None or reached is None:
        return None
    if evidence.schema.is_classifier:
        fallen = best - reached > max(policy.tolerance, 1 / pair.rows) + 1e-12
        said = percent(best)
    else:
        fallen = reached > best * (1 + policy.tolerance)
        said = f"an error of {rough(best)}"
    if not fallen:
        return None
    loss = _loss(evidence.schema, policy.tolerance)
    return _Ruling(
        "refused",
        f"A champion before it reached {said} on this test set, and it falls more than {loss} "
        "behind that: small steps down add up.",
    )


def _of_recalls(evidence: Evidence, found: list[Recall]) -> _Ruling | None:
    lost = [recall for recall in found if recall.is_lost]
    if not lost:
        return None
    parts = [
        f"{100 * recall.candidate:.0f} % of the {recall.rows:,} rows that are {recall.label} "
        f"({evidence.champion}: {100 * recall.champion:.0f} %)"
        for recall in lost
    ]
    return _Ruling("refused", f"It finds only {' and '.join(parts)}.")


def _of_bound(schema: Schema, policy: Policy, ground: Footing, pair: Pair) -> _Ruling | None:
    if pair.bound is not None and pair.bound >= -policy.tolerance:
        return None
    least = f" by up to {_loss(schema, -pair.bound)}" if pair.bound is not None else ""
    return _Ruling(
        "undecided",
        f"It may be worse{least}, and a loss of {_loss(schema, policy.tolerance)} is let pass: "
        f"{pair.rows:,} rows cannot tell.",
        wants_audit=ground.name != "anchor" or not ground.move.can_tell,
    )


def _of_rivals(evidence: Evidence, policy: Policy, ground: Footing) -> _Ruling | None:
    for name, errors in ground.rivals.items():
        bound = compare_errors(evidence.schema, errors, ground.candidate, ground.doubt).bound
        if bound is not None and bound >= -policy.tolerance:
            continue
        least = f" by up to {_loss(evidence.schema, -bound)}" if bound is not None else ""
        where = "on this test set" if ground.name == "anchor" else "of this world"
        return _Ruling(
            "undecided",
            f"It may be worse than the {name} champion {where}{least}, and a loss of "
            f"{_loss(evidence.schema, policy.tolerance)} is let pass: small steps down add up.",
        )
    return None


def _ruled_out(evidence: Evidence, policy: Policy, ground: Footing) -> str:
    """Say what is ruled out, and for how long that holds."""
    loss = _loss(evidence.schema, policy.tolerance)
    if ground.doubt.holds == "fixed rows":
        return f"A loss of more than {loss} is ruled out on these rows, which stay the same."
    return f"A loss of more than {loss} is ruled out, however often it is weighed again."


def _is_loss(policy: Policy, pair: Pair) -> bool:
    return pair.difference is not None and pair.difference < -policy.tolerance - 1e-12


def _is_untested_since(evidence: Evidence) -> bool:
    """Tell whether too few trusted rows are as new as what the candidate learnt."""
    since = evidence.taught_from
    if since is None:
        return False
    return sum(at >= since for at in evidence.recent_at) < FEWEST


def _recalls(evidence: Evidence, ground: Footing, policy: Policy) -> list[Recall]:
    if not evidence.schema.is_classifier:
        return []
    sides = ground.champion, ground.candidate
    return recalls(evidence.schema, ground.truth, *sides, policy.tolerance, ground.doubt)


def _unanswered(evidence: Evidence, policy: Policy, now: float) -> GateVerdict:
    reason = f"{evidence.candidate} answers some rows with something that is not a number."
    return GateVerdict(
        decision="refused" if policy.gate else "off",
        sentence=reason if policy.gate else f"The gate is off. {reason}",
        champion=evidence.champion,
        decided_at=now,
        tolerance=policy.tolerance,
        largest_difference=evidence.largest_difference,
        judged=evidence.judged,
        predicted=evidence.predicted,
    )


def _sentence(
    evidence: Evidence, ground: Footing, pair: Pair, ruling: _Ruling, policy: Policy
) -> str:
    parts = [_numbers(evidence, ground, pair), ruling.reason]
    if ground.move.has_moved or ground.move.over:
        parts.insert(1, ground.why)
    if not policy.gate:
        parts.insert(0, f"The gate is off; it would have said {ruling.decision}.")
    return " ".join(part for part in parts if part)


def _numbers(evidence: Evidence, ground: Footing, pair: Pair) -> str:
    if not pair.rows:
        return ""
    where = (
        "rows of the test set"
        if ground.name == "anchor"
        else "recent rows that judges went through"
    )
    champion, candidate, rows = evidence.champion, evidence.candidate, f"{pair.rows:,} {where}"
    if evidence.schema.is_classifier:
        return (
            f"{candidate} is right on {pair.candidate_right:,} of {rows}; "
            f"{champion} on {pair.champion_right:,}."
        )
    return (
        f"{candidate} is off by {rough(ground.candidate_score or 0.0)} on average over {rows}; "
        f"{champion} by {rough(ground.champion_score or 0.0)}."
    )


def _loss(schema: Schema, share: float) -> str:
    return points(share) if schema.is_classifier else f"{percent(share)} of the error"


def _voters(evidence: Evidence, ground: Footing) -> str:
    """Say a word when those who judged chose themselves what to judge."""
    if evidence.one_sided is not None:
        said = evidence.one_sided.sentence
        return f"{said} Such verdicts weigh no candidate; those of audits do."
    is_most = 2 * evidence.judged > evidence.predicted
    if not ground.recent_rows or ground.is_sampled or is_most:
        return ""
    return (
        f"Whoever judged chose what to judge: {evidence.judged:,} of "
        f"{counted(evidence.predicted, 'prediction')}, none of them drawn by chance."
    )
