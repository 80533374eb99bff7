"""The gate: what passes, what is refused, what cannot be told; in numbers and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.learn.gate.answers import NUMBERS, TWO, answered, drawn, hits, off_by
from unrot.core.policy import Policy
from unrot.core.records import GateVerdict, Outputs
from unrot.learn.gate import betting
from unrot.learn.gate.exact_tests import chance_of_loss, lowest_gain
from unrot.learn.gate.gate import Evidence, Judgement, Sides, judge

MAY = 1_778_594_580.0
"""12 May 2026, 14:03 UTC."""


def sides(
    champion: Sequence[bool], candidate: Sequence[bool], truth: Sequence[str] | None = None
) -> Sides:
    return Sides(answered(champion, truth), answered(candidate, truth))


def evidence(anchor: Sides | None, recent: Sides | None = None, **more: Any) -> Evidence:
    rows = len(recent.champion.rows) if recent else 0
    times = tuple(MAY + place for place in range(rows))
    return replace(Evidence(TWO, "v2", "v3", anchor, recent, times), **more)


def judged(found: Evidence, **policy: Any) -> GateVerdict:
    return judge(found, Policy(**policy), now=5.0).verdict


HOLDOUT = sides(hits(3720, 4000), hits(3720, 4000))
WORSE = sides(hits(3720, 4000), hits(1800, 4000))
STANDS = sides(drawn(1, 0.93, 60), drawn(1, 0.93, 60))
MUTANTS = sides(drawn(2, 0.34, 60), drawn(3, 0.94, 60))


# ── on the anchor ────────────────────────────────────────────────────────────────────────────


def test_better_candidate_passes_with_its_numbers() -> None:
    found = evidence(sides(hits(360, 400), hits(380, 400)), best_score=0.9, judged=7, predicted=9)

    assert judge(found, Policy(), now=5.0) == Judgement(
        GateVerdict(
            decision="passed",
            sentence="v3 is right on 380 of 400 rows of the test set; v2 on 360. A loss of more "
            "than 2 points is ruled out, however often it is weighed again.",
            champion="v2",
            decided_at=5.0,
            ground="anchor",
            why="The test set is what there is: 0 recent rows that judges went through cannot tell "
            "whether the world has moved; 30 could.",
            rows=400,
            champion_score=0.9,
            candidate_score=0.95,
            best_score=0.9,
            difference=0.05,
            bound=betting.lowest_gain(won=20, lost=0, rows=400, doubt=0.045),
            holds="any time",
            doubt=0.045,
            weighed=1,
            tolerance=0.02,
            recalls=judged(found).recalls,
            anchor_score=0.9,
            judged=7,
            predicted=9,
        )
    )
    (recall,) = judged(found).recalls
    assert (recall.label, recall.rows, recall.is_lost) == ("no", 400, False)
    assert (recall.champion, recall.candidate) == pytest.approx((0.9, 0.95))


def test_equal_candidate_passes_on_many_rows() -> None:
    growing, fixed = judged(evidence(HOLDOUT)), judged(evidence(HOLDOUT, is_fixed=True))

    for verdict in (growing, fixed):
        assert (verdict.decision, verdict.difference) == ("passed", 0.0)
    assert growing.bound is not None and -0.0015 < growing.bound < -0.001
    assert fixed.bound is not None and -0.001 < fixed.bound < 0
    assert (growing.holds, fixed.holds) == ("any time", "fixed rows")
    assert fixed.sentence.endswith("is ruled out on these rows, which stay the same.")


def test_candidate_that_is_worse_is_refused_while_the_anchor_stands() -> None:
    verdict = judged(evidence(WORSE, STANDS))

    assert (verdict.decision, verdict.ground, verdict.wants_audit) == ("refused", "anchor", False)
    assert verdict.sentence == (
        "v3 is right on 1,800 of 4,000 rows of the test set; v2 on 3,720. It is surely worse."
    )
    assert verdict.why.startswith("The test set still holds: v2 was right on 93 % (3,720 of 4,000)")


def test_refused_candidate_that_learnt_of_newer_rows_is_offered_an_audit_too() -> None:
    verdict = judged(evidence(WORSE, STANDS, taught_from=MAY + 40))

    assert (verdict.decision, verdict.wants_audit) == ("refused", True)
    assert verdict.sentence.endswith("If the world has moved since, an audit would show it.")


@pytest.mark.parametrize("recent_rows", [0, 29])
def test_candidate_that_is_surely_worse_is_refused_however_few_recent_rows_there_are(
    recent_rows: int,
) -> None:
    recent = sides(hits(0, recent_rows), hits(recent_rows, recent_rows))

    verdict = judged(evidence(WORSE, recent, best_score=0.93))

    assert (verdict.decision, verdict.ground, verdict.wants_audit) == ("refused", "anchor", True)
    assert verdict.sentence.endswith(
        "It is surely worse. If the world has moved since, an audit would show it."
    )


@pytest.mark.parametrize(("recent", "wants_audit"), [(None, True), (STANDS, False)])
def test_loss_that_is_not_sure_wants_an_audit_where_nothing_tells_of_the_world(
    recent: Sides | None, wants_audit: bool
) -> None:
    verdict = judged(evidence(sides(hits(36, 40), hits(34, 40)), recent))

    assert (verdict.decision, verdict.wants_audit) == ("undecided", wants_audit)


def test_few_rows_decide_nothing() -> None:
    verdict = judged(evidence(sides(hits(10, 29), hits(29, 29))))

    assert (verdict.decision, verdict.wants_audit) == ("undecided", True)
    assert verdict.sentence.endswith("Only 29 rows can be trusted, and 30 are needed: audit some.")


def test_no_rows_at_all_decide_nothing() -> None:
    verdict = judged(evidence(None))

    assert (verdict.decision, verdict.wants_audit, verdict.rows) == ("undecided", True, 0)
    assert (verdict.difference, verdict.bound, verdict.champion_score) == (None, None, None)


def test_small_anchor_cannot_rule_out_a_small_loss() -> None:
    verdict = judged(evidence(sides(hits(90, 100), hits(90, 100)), STANDS))

    assert (verdict.decision, verdict.wants_audit) == ("undecided", False)
    assert verdict.sentence.endswith(
        "It may be worse by up to 4.8 points, and a loss of 2 points is let pass: 100 rows cannot "
        "tell."
    )


def test_loss_that_few_rows_show_is_not_sure() -> None:
    anchor = sides(hits(36, 40), hits(34, 40))

    verdict = judged(evidence(anchor, STANDS))

    assert (verdict.decision, verdict.difference) == ("undecided", -0.05)
    assert verdict.sentence.endswith("It looks worse, and 40 rows are too few to be sure.")


def test_small_steps_down_from_the_best_score_are_refused() -> None:
    step = sides(hits(3700, 4000), hits(3660, 4000))  # 1 point: within the tolerance

    allowed = judged(evidence(step, STANDS, best_score=0.93))
    refused = judged(evidence(step, STANDS, best_score=0.936))

    assert (allowed.decision, refused.decision) == ("passed", "refused")
    assert refused.sentence.endswith(
        "A champion before it reached 93.6 % on this test set, and it falls more than 2 points "
        "behind that: small steps down add up."
    )


def test_line_of_small_steps_ends_at_the_tolerance() -> None:
    """Each step loses half a point; without the best score there would be no end."""
    best, right = 0.93, 3720
    for _ in range(20):
        step = sides(hits(right, 4000), hits(right - 20, 4000))
        verdict = judged(evidence(step, best_score=best))
        if verdict.decision != "passed":
            break
        right -= 20

    assert (verdict.decision, right) == ("refused", 3640)  # .91 is .93 less the tolerance


def test_loss_beside_the_best_champion_has_to_be_ruled_out_as_well() -> None:
    """Two steps of 1 %: each is surely less than 2 %, both together are not."""
    best, champion, candidate = hits(3720, 4000), hits(3680, 4000), hits(3644, 4000)
    bound = lowest_gain(won=0, lost=76, rows=4000, doubt=0.045)

    step = evidence(sides(champion, candidate), best_score=0.93, is_fixed=True)
    alone, beside = judged(step), judged(replace(step, best=answered(best)))

    assert alone.decision == "passed"
    assert bound < -0.02 and beside.decision == "undecided"
    assert beside.sentence == (
        "v3 is right on 3,644 of 4,000 rows of the test set; v2 on 3,680. It may be worse than the "
        f"best champion on this test set by up to {100 * -bound:.1f} points, and a loss of "
        "2 points is let pass: small steps down add up."
    )


def test_best_champion_counts_on_its_own_anchor_only() -> None:
    best = answered(hits(4000, 4000))

    verdict = judged(evidence(HOLDOUT, MUTANTS, best_score=1.0, best=best))

    assert (verdict.decision, verdict.ground) == ("passed", "recent verdicts")


def test_class_that_is_lost_is_refused_although_the_whole_gains() -> None:
    truth = ["no"] * 900 + ["yes"] * 100
    champion = [*hits(700, 900), *hits(90, 100)]
    candidate = [*hits(900, 900), *hits(70, 100)]

    verdict = judged(evidence(sides(champion, candidate, truth), STANDS))

    assert [recall.is_lost for recall in verdict.recalls] == [False, True]
    assert verdict.decision == "refused"
    assert verdict.sentence.endswith("It finds only 70 % of the 100 rows that are yes (v2: 90 %).")


def test_class_of_few_rows_is_not_surely_lost() -> None:
    truth = ["no"] * 990 + ["yes"] * 4
    champion = [*hits(900, 990), *hits(4, 4)]
    candidate = [*hits(990, 990), *hits(0, 4)]

    verdict = judged(evidence(sides(champion, candidate, truth), STANDS))

    assert (verdict.decision, verdict.recalls[1].is_lost) == ("passed", False)


# ── another world ────────────────────────────────────────────────────────────────────────────


def test_cure_passes_once_judges_show_that_the_world_has_moved() -> None:
    recent = sides(
        [*drawn(1, 0.93, 60), *drawn(2, 0.34, 60)],
        [*drawn(4, 0.4, 60), *drawn(3, 0.94, 60)],
    )
    found = evidence(WORSE, recent, best_score=0.93)

    judgement = judge(found, Policy(), now=5.0)

    verdict = judgement.verdict
    assert (verdict.decision, verdict.ground) == ("passed", "recent verdicts")
    assert verdict.rows == len(judgement.new_anchor) == verdict.recent_rows
    assert judgement.new_anchor == tuple(range(120 - verdict.rows, 120))
    assert 57 <= verdict.rows <= 65
    assert verdict.moved_at == MAY + 120 - verdict.rows
    assert verdict.best_score is None
    assert verdict.anchor_score == 0.93
    assert verdict.recent_score == verdict.champion_score
    assert "The world has moved since 2026-05-12 14:04 UTC: v2 was right on 93 %" in (
        verdict.sentence
    )


def test_sixty_audited_rows_let_the_cure_pass() -> None:
    before = judged(evidence(WORSE))
    after = judged(evidence(WORSE, MUTANTS, audited=(True,) * 60, judged=560, predicted=900))

    assert (before.decision, before.wants_audit) == ("refused", True)
    assert (after.decision, after.ground, after.voters) == ("passed", "recent verdicts", "")


def test_voters_who_chose_themselves_are_named() -> None:
    verdict = judged(evidence(WORSE, MUTANTS, judged=500, predicted=9000))

    assert verdict.voters == (
        "Whoever judged chose what to judge: 500 of 9,000 predictions, none of them drawn by "
        "chance."
    )


def test_poison_is_refused_against_the_new_anchor() -> None:
    """The rows that were frozen are among the recent ones, so the anchor is known to stand."""
    frozen = sides(drawn(3, 0.94, 150), drawn(5, 0.4, 150))

    verdict = judged(evidence(frozen, frozen, best_score=0.94))

    assert (verdict.decision, verdict.ground) == ("refused", "anchor")


def test_poison_does_not_pass_in_another_world_either() -> None:
    verdict = judged(evidence(WORSE, sides(drawn(2, 0.34, 150), drawn(3, 0.1, 150))))

    assert (verdict.decision, verdict.ground) == ("refused", "recent verdicts")


def test_without_an_anchor_recent_rows_are_the_ground() -> None:
    judgement = judge(evidence(None, MUTANTS), Policy(), now=5.0)

    assert (judgement.verdict.decision, judgement.verdict.ground) == ("passed", "recent verdicts")
    assert judgement.new_anchor == tuple(range(60))
    assert judgement.verdict.moved_at is None


def test_anchor_of_a_few_rows_gives_way_to_more_recent_ones() -> None:
    verdict = judged(evidence(sides(hits(9, 10), hits(9, 10)), MUTANTS))

    assert (verdict.ground, verdict.rows) == ("recent verdicts", 60)


def test_anchor_of_recent_rows_grows_once_they_have_doubled() -> None:
    frozen = sides(hits(30, 40), hits(31, 40))
    more = sides(drawn(7, 0.75, 80), drawn(8, 0.95, 80))

    judgement = judge(evidence(frozen, more, can_grow=True), Policy(), now=5.0)

    verdict = judgement.verdict
    assert (verdict.decision, verdict.ground, verdict.rows) == ("passed", "recent verdicts", 80)
    assert (judgement.new_anchor, verdict.moved_at) == (tuple(range(80)), None)
    assert verdict.why == (
        "The test set of 40 rows has been outgrown: judges went through 80 of its world by now."
    )


@pytest.mark.parametrize(("rows", "can_grow"), [(79, True), (80, False)])
def test_anchor_stays_before_it_has_doubled_and_where_it_is_of_the_training(
    rows: int, can_grow: bool
) -> None:
    frozen = sides(hits(30, 40), hits(31, 40))
    more = sides(drawn(7, 0.75, rows), drawn(8, 0.95, rows))

    judgement = judge(evidence(frozen, more, can_grow=can_grow), Policy(), now=5.0)

    assert (judgement.verdict.ground, judgement.new_anchor) == ("anchor", ())


# ── numbers ──────────────────────────────────────────────────────────────────────────────────


def regression(champion: Sequence[float], candidate: Sequence[float], **more: Any) -> Evidence:
    pair = Sides(off_by(champion), off_by(candidate))
    return replace(Evidence(NUMBERS, "v2", "v3", anchor=pair), **more)


def test_regression_is_compared_by_its_errors() -> None:
    champion = np.tile([1.0, 2.0, 3.0], 40)

    better, worse = (
        judged(regression(champion, champion * 0.9)),
        judged(
            regression(champion, champion * 1.1, recent=Sides(off_by(champion), off_by(champion)))
        ),
    )

    assert (better.decision, worse.decision) == ("passed", "refused")
    assert (better.champion_score, better.candidate_score) == pytest.approx((2.0, 1.8))
    assert better.difference == pytest.approx(0.1)
    assert better.bound is not None and 0.08 < better.bound < 0.09
    assert better.sentence.startswith(
        "v3 is off by 1.8 on average over 120 rows of the test set; v2 by 2."
    )
    assert better.recalls == ()


def test_regression_behind_the_best_score_is_refused() -> None:
    champion = np.tile([1.0, 2.0, 3.0], 40)

    verdict = judged(regression(champion, champion, best_score=1.9))

    assert verdict.decision == "refused"
    assert "reached an error of 1.9 on this test set" in verdict.sentence


def test_regression_without_any_error_is_equal_to_itself() -> None:
    verdict = judged(regression([0.0] * 50, [0.0] * 50))

    assert (verdict.decision, verdict.difference, verdict.bound) == ("passed", 0.0, 0.0)


# ── other grounds for refusal, and none ──────────────────────────────────────────────────────


def test_answer_that_is_no_number_is_refused() -> None:
    verdict = judged(regression([1.0] * 50, [float("nan")] * 50))

    assert verdict.decision == "refused"
    assert verdict.sentence == "v3 answers some rows with something that is not a number."


def test_probability_that_is_no_number_is_refused() -> None:
    broken = replace(
        HOLDOUT.candidate,
        outputs=Outputs(
            classes=HOLDOUT.candidate.outputs.classes, probabilities=[[float("nan"), 1.0]] * 4000
        ),
    )

    assert judged(evidence(Sides(HOLDOUT.champion, broken))).decision == "refused"
    assert judged(evidence(HOLDOUT, is_finite=False)).decision == "refused"


@pytest.mark.parametrize(
    ("served_by", "difference", "decision"),
    [("onnx", 2e-4, "refused"), ("onnx", 1e-4, "passed"), ("scikit-learn", 2e-4, "passed")],
)
def test_onnx_far_from_scikit_learn_is_refused(
    served_by: str, difference: float, decision: str
) -> None:
    verdict = judged(evidence(HOLDOUT, served_by=served_by, largest_difference=difference))

    assert (verdict.decision, verdict.largest_difference) == (decision, difference)


def test_gate_that_is_off_still_tells_the_numbers() -> None:
    verdict = judged(evidence(WORSE, STANDS), gate=False)

    assert (verdict.decision, verdict.difference) == ("off", -0.48)
    assert verdict.sentence.startswith(
        "The gate is off; it would have said refused. v3 is right on 1,800 of 4,000"
    )


# ── how often it errs ────────────────────────────────────────────────────────────────────────


def share_that_passes(rows: int, lost: float, won: float, looks: int) -> float:
    """Draw samples of a candidate that loses and wins such shares; return how many pass."""
    counts = np.random.default_rng(0).multinomial(rows, [won, lost, 1 - won - lost], looks)
    kinds, repeats = np.unique(counts[:, :2], axis=0, return_counts=True)
    passes = [
        chance_of_loss(int(kind[0]), int(kind[1]), rows, 0.02) <= 0.05
        if (kind[0] - kind[1]) / rows >= -0.02
        else False
        for kind in kinds
    ]
    return float(np.sum(repeats[passes]) / looks)


@pytest.mark.parametrize(
    ("rows", "lost", "won"), [(150, 0.021, 0.0), (400, 0.03, 0.009), (2000, 0.05, 0.029)]
)
def test_candidate_that_is_worse_by_more_than_the_tolerance_seldom_passes(
    rows: int, lost: float, won: float
) -> None:
    looks = 200 if rows == 2000 else 2000

    share = share_that_passes(rows, lost, won, looks)

    assert share <= 0.05 + 2 * (0.05 * 0.95 / looks) ** 0.5  # two standard deviations


@pytest.mark.parametrize(
    ("rows", "discordant", "least", "most"),
    [(100, 0.0, 0.0, 0.0), (400, 0.02, 0.75, 0.85), (400, 0.05, 0.4, 0.6), (2000, 0.05, 0.98, 1.0)],
)
def test_equal_candidate_passes_as_soon_as_there_are_rows_to_tell(
    rows: int, discordant: float, least: float, most: float
) -> None:
    share = share_that_passes(rows, discordant / 2, discordant / 2, 200 if rows == 2000 else 2000)

    assert least <= share <= most


def test_passing_is_what_the_bound_says() -> None:
    for won, lost in [(0, 0), (3, 3), (3, 4), (10, 12), (30, 30)]:
        bound = lowest_gain(won=won, lost=lost, rows=400)

        assert (chance_of_loss(won, lost, 400, 0.02) <= 0.05) == (bound >= -0.02)


def test_audit_is_advised_only_while_predictions_are_left_for_it() -> None:
    few = sides(hits(20, 25), hits(19, 25))

    some = judged(evidence(few))
    none = judged(evidence(few, can_be_audited=False))

    assert (some.wants_audit, none.wants_audit) == (True, False)
    assert "Only 25 rows can be trusted, and 30 are needed: audit some." in some.sentence
    assert "30 are needed: let it answer more, then audit some." in none.sentence


def test_world_that_moved_and_came_back_is_judged_on_the_test_set() -> None:
    was, gone, now = drawn(1, 0.93, 100), drawn(2, 0.34, 200), drawn(3, 0.93, 150)
    recent = [*was, *gone, *now]
    cured = [*was, *drawn(4, 0.94, 200), *drawn(5, 0.5, 150)]

    verdict = judged(evidence(HOLDOUT, sides(recent, cured)))

    assert (verdict.ground, verdict.moved_at) == ("anchor", None)
    assert verdict.recent_rows == pytest.approx(150, abs=5)
    assert verdict.recent_score == pytest.approx(0.93, abs=0.05)
    assert verdict.why.startswith(
        "The world moved at 2026-05-12 14:04 UTC and was back at 2026-05-12 14:08 UTC. The test "
        "set still holds: v2 was right on 93 % (3,720 of 4,000) on its test set and right on "
    )
    assert verdict.why in verdict.sentence
