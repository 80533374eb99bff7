"""Which verdicts are learnt, what becomes of the rest, and that nothing gets lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np
import pytest

from tests.hear.verdicts import NUMBERS, TWO, example, verdict
from unrot.core.policy import Policy
from unrot.core.records import JudgedPrediction, Schema
from unrot.hear.cleaning import (
    Cleaned,
    Range,
    cap_subjects,
    clean,
    part_verdicts,
    ranges_of,
    robust_range,
    union,
)

OPEN = Policy(held_out=0.0, cap=0.0, clip=1.2)
RANGES = ((0.0, 100.0), None)


def clean_all(
    judged: Sequence[JudgedPrediction],
    schema: Schema,
    policy: Policy,
    *,
    ranges: Sequence[Range],
    target: Range = None,
    audited: Collection[str] = (),
) -> Cleaned:
    """Part verdicts in both steps."""
    parted = part_verdicts(judged, schema, policy, audited=audited)
    return clean(parted, schema, policy, ranges=ranges, target=target)


def reasons(judged: list[JudgedPrediction], policy: Policy = OPEN) -> dict[str, str]:
    cleaned = clean_all(judged, TWO, policy, ranges=RANGES)
    return {fate.prediction: fate.reason for fate in cleaned.fates}


def test_row_may_lie_outside_the_range_by_a_fifth_of_its_half_width() -> None:
    judged = [verdict(f"{age}", label="no", inputs=(age, "Rome")) for age in (-9.9, 109.9, 110.1)]

    assert reasons(judged) == {"110.1": "outside the training range: age 110.1"}


def test_row_of_a_judge_is_clipped_as_well() -> None:
    judged = [verdict("a", label="no", inputs=(1e6, "Rome"), judge="Ann")]

    assert reasons(judged) == {"a": "outside the training range: age 1e+06"}


def test_clip_of_zero_takes_every_row() -> None:
    judged = [verdict("a", label="no", inputs=(1e6, "Rome"))]

    assert reasons(judged, Policy(held_out=0.0, cap=0.0, clip=0.0)) == {}


def test_gap_and_feature_without_a_range_are_not_clipped() -> None:
    judged = [verdict("a", 1.0, label=9.0, inputs=(1e6,))]

    assert clean_all(judged, NUMBERS, OPEN, ranges=[None]).fates == []


def test_number_far_from_all_others_is_not_learnt() -> None:
    judged = [
        verdict("a", 1.0, label=9e5, inputs=(5.0,)),
        verdict("b", 1.0, label=9, inputs=(5.0,)),
    ]

    cleaned = clean_all(judged, NUMBERS, OPEN, ranges=[(0.0, 10.0)], target=(0.0, 10.0))

    assert [one.prediction for one in cleaned.examples] == ["b"]
    assert [fate.reason for fate in cleaned.fates] == ["outside the training range: price 900000"]


def test_audited_row_only_judges_whoever_spoke_of_it() -> None:
    judged = [
        verdict("a", label="no"),
        verdict("b", label="no", judge="Ann"),
        verdict("c", label="no"),
    ]

    cleaned = clean_all(judged, TWO, OPEN, ranges=RANGES, audited={"a", "b"})

    assert [one.prediction for one in cleaned.examples] == ["c"]
    assert [(fate.prediction, fate.kind) for fate in cleaned.fates] == [
        ("a", "held out"),
        ("b", "held out"),
    ]


def test_only_verdicts_of_judges_are_held_out() -> None:
    judged = [verdict("a", label="no", judge="Ann"), verdict("b", label="no")]

    cleaned = clean_all(judged, TWO, Policy(held_out=1.0, cap=0.0), ranges=RANGES)

    assert [one.prediction for one in cleaned.examples] == ["b"]
    assert [fate.kind for fate in cleaned.fates] == ["held out"]


def test_verdict_that_was_asked_for_teaches_unless_an_audit_holds_its_row() -> None:
    judged = [verdict(id, label="no", judge="Ann", asked=True) for id in "ab"]

    cleaned = clean_all(judged, TWO, Policy(held_out=1.0), audited={"b"}, ranges=RANGES)

    assert [one.prediction for one in cleaned.examples] == ["a"]
    assert [(fate.prediction, fate.kind) for fate in cleaned.fates] == [("b", "held out")]


# ── the cap ──────────────────────────────────────────────────────────────────────────────────


def test_oldest_verdicts_of_a_subject_stay() -> None:
    examples = [example(f"{number}", subject="s", given_at=9 - number) for number in range(4)]
    trusted = [example(f"t{number}", is_trusted=True, subject="s") for number in range(8)]

    kept, over = cap_subjects([*examples, *trusted], 0.2)

    assert [one.prediction for one in kept if not one.is_trusted] == ["3", "2"]
    assert [(fate.prediction, fate.reason) for fate in over] == [
        ("1", "its sender's share was used up"),
        ("0", "its sender's share was used up"),
    ]


def test_senders_without_an_address_are_one_subject() -> None:
    examples = [example(f"{number}") for number in range(60)]
    trusted = [example(f"t{number}", is_trusted=True) for number in range(40)]

    kept, _ = cap_subjects([*examples, *trusted], 0.2)

    assert Counter(one.is_trusted for one in kept) == {True: 40, False: 20}


def test_crowd_behind_one_address_still_teaches_something() -> None:
    kept, over = cap_subjects([example(f"{number}", subject="s") for number in range(50)], 0.2)

    assert (len(kept), len(over)) == (10, 40)


@pytest.mark.parametrize("seed", range(10))
def test_fates_and_examples_are_all_verdicts(seed: int) -> None:
    chance = np.random.default_rng(seed)
    judged = [
        verdict(
            f"{number}",
            str(chance.choice(["no", "yes"])),
            inputs=(float(chance.normal(50, 60)), "Rome"),
            was_correct=bool(chance.integers(2)),
            judge="Ann" if chance.random() < 0.5 else None,
            subject=str(chance.integers(3)),
            withdrawn=bool(chance.random() < 0.1),
            given_at=float(chance.integers(10)),
        )
        for number in range(200)
    ]

    cleaned = clean_all(judged, TWO, Policy(), ranges=RANGES, audited={"1", "2", "3"})

    everyone = [one.prediction for one in (*cleaned.examples, *cleaned.fates)]
    assert sorted(everyone) == sorted(one.prediction.id or "" for one in judged)
    untrusted = Counter(one.subject for one in cleaned.examples if not one.is_trusted)
    over = sum(fate.reason == "its sender's share was used up" for fate in cleaned.fates)
    assert max(untrusted.values()) <= 0.2 * (len(cleaned.examples) + over)
    assert clean_all(judged[::-1], TWO, Policy(), ranges=RANGES, audited={"1"}).examples == (
        clean_all(judged, TWO, Policy(), ranges=RANGES, audited={"1"}).examples
    )


# ── ranges ───────────────────────────────────────────────────────────────────────────────────


def test_robust_range_is_that_of_the_percentiles_widened_by_half() -> None:
    values = np.random.default_rng(0).normal(size=500).tolist()
    low, high = np.percentile(values, [1, 99])

    found = robust_range(values)

    width = high - low
    assert found == pytest.approx((low - width / 4, high + width / 4))


def test_absurd_row_moves_the_range_little() -> None:
    rows = [(float(number), "Rome") for number in range(200)]

    (range_of_age, range_of_town) = ranges_of([*rows, (1e9, "Rome")], TWO)

    assert range_of_age == pytest.approx((2 - 196 / 4, 198 + 196 / 4))
    assert range_of_town is None


def test_range_of_gaps_is_not_known() -> None:
    assert robust_range([None, float("nan"), True]) is None


def test_union_holds_both_and_what_only_one_knows() -> None:
    first = [(0.0, 1.0), None, (2.0, 3.0), None]
    second = [(0.5, 9.0), (1.0, 2.0), None, None]

    assert union(first, second) == [(0.0, 9.0), (1.0, 2.0), (2.0, 3.0), None]
