"""Whether the columns of a period have moved away from what they are compared with.

A column has moved when three things hold:

    far         its Hellinger distance on the bins of the reference, less what chance alone makes of
                so many rows and bins, √(H² − E H²), is 0.15 or what the rules say
    unlikely    by chance: below 0.001, all columns taken together
    surprising  it is not usual at this time, and cannot be a part of training (see `departures`)

With a hundred rows two samples of the same flowers often lie 0.14 apart; with a million the
smallest change is no chance; and a night is unlike training every night. The chance is the least
one of three tests of numbers (KS, chi-square on the bins, values outside the range), times three,
corrected by Holm over the columns. Rows count for what they are worth (see `worth`): in all tests
n is n / τ or n / m, whichever is less.

It is calm again when it is well below: two thirds of the distance, or a chance or a surprise above
0.05.

    >>> bins = Distribution("number", 100, edges=(0.0, 1.0, 2.0), counts=(0, 50, 50, 0))
    >>> far = replace(bins, counts=(0, 40, 40, 20), unseen=20)
    >>> [found] = compare({"x": far}, {"x": bins}, Rules())
    >>> found.has_moved, round(found.distance, 3)
    (True, 0.325)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from unrot.core.records import Check, Distribution, Drift, Summary, Unmoved
from unrot.core.rules import FeatureRule, Rules
from unrot.watch.profiles.baseline import Reference
from unrot.watch.profiles.columns import Numbers
from unrot.watch.profiles.distributions import has_same_bins, outside
from unrot.watch.statistics import distances

TESTS_OF_NUMBERS = 3
CALM_SHARE = 2 / 3
CALM_CHANCE = 0.05


@dataclass(frozen=True, slots=True)
class Before:
    """What a period is compared with: its counts, and what is known of the values themselves."""

    summary: Summary
    values: Mapping[str, Numbers] = field(repr=False, default_factory=dict)
    """All values of columns of numbers, or evenly spaced quantiles of them."""
    is_training: bool = False
    """Its values are quantiles then, and what it never saw is nothing of its own."""
    unfair: Sequence[str] = ()
    worth: Mapping[str, float] = field(repr=False, default_factory=dict)
    """As what part of an independent row one of its rows counts, by column; 1 where unsaid."""


def against_training(reference: Reference) -> Before:
    """Return a reference as what a period is compared with."""
    return Before(reference.summary, reference.points, is_training=True, unfair=reference.unfair)


def compare(
    now: Summary,
    before: Summary | Before,
    rules: Rules,
    values: Mapping[str, Numbers] | None = None,
    worth: Mapping[str, float] | None = None,
) -> list[Drift]:
    """Return how far each watched column moved; `values` are those of now, for an exact KS.

    `worth` is as what part of an independent row one counts, by column. Columns that one side
    lacks, or has on other bins, are left out. Nothing is known here of what is usual.
    """
    base = before if isinstance(before, Before) else Before(before)
    found = {
        name: _moved(name, one, base, (values or {}).get(name), (worth or {}).get(name, 1.0))
        for name, one in now.items()
        if name in base.summary
        and name not in base.unfair
        and rules.features.get(name, FeatureRule()).is_watched
        and has_same_bins(one, base.summary[name])
    }
    corrected = distances.holm({name: one.chance for name, one in found.items()})
    return [judge_drift(replace(one, chance=corrected[name]), rules) for name, one in found.items()]


def judge_drift(drift: Drift, rules: Rules) -> Drift:
    """Say by the rules whether a column has moved, or is calm, and if neither why."""
    least = _least(drift, rules)
    beyond = math.sqrt(max(0.0, drift.distance**2 - drift.expected**2))
    has_moved = is_unlike(drift, rules) and drift.surprise < drift.level
    is_near = beyond < CALM_SHARE * least
    return replace(
        drift,
        has_moved=has_moved,
        is_calm=is_near or max(drift.chance, drift.surprise) > CALM_CHANCE,
        why="" if has_moved or drift.distance < least else _why(drift, rules),
    )


def is_unlike(drift: Drift, rules: Rules) -> bool:
    """Tell whether a column is unlike what it is compared with, be that usual or not."""
    beyond = drift.distance**2 - drift.expected**2
    return beyond >= _least(drift, rules) ** 2 and drift.chance < rules.chance


def weigh_drifts(
    drifts: Sequence[Drift],
    surprises: Mapping[str, float],
    rules: Rules,
    *,
    level: float,
    known: bool = False,
) -> list[Drift]:
    """Judge drifts by how surprising they are too: corrected over the columns, at one look."""
    corrected = distances.holm({one.column: surprises.get(one.column, 1.0) for one in drifts})
    return [
        judge_drift(
            replace(one, surprise=corrected[one.column], level=level, is_known=known),
            rules,
        )
        for one in drifts
    ]


def judge_again(check: Check, rules: Rules) -> Check:
    """Return a check as the rules of today see it, without the columns that nobody watches now."""
    drifts = [
        judge_drift(one, rules)
        for one in check.drifts
        if rules.features.get(one.column, FeatureRule()).is_watched
    ]
    return replace(check, drifts=tuple(drifts))


def unseen_by_chance(training: Distribution) -> float:
    """Return the share of new rows that training never saw, where nothing moved.

    Of numbers the next one is as likely as each of n others to be the least or the largest:
    2 / (n + 1). Of choices it is the share of those that came once (Good, Biometrika 40 (1953)
    237-264), and of those too rare to be listed.

    >>> unseen_by_chance(Distribution("choice", 100, choices=("a", "b"), counts=(99, 1, 0)))
    0.01
    """
    held = sum(training.counts)
    if not held:
        return 0.0
    if training.kind == "number":
        return max(2 / (held + 1), outside(training.counts) / held)
    return (training.counts.count(1) + training.counts[-1] * (training.counts[-1] > 1)) / held


def _least(drift: Drift, rules: Rules) -> float:
    own = rules.features.get(drift.column, FeatureRule()).distance
    return rules.distance if own is None else own


def _why(drift: Drift, rules: Rules) -> Unmoved:
    if not is_unlike(drift, rules):
        return "chance"
    return "usual" if drift.is_known else "unknown"


def _moved(
    name: str, now: Distribution, before: Before, values: Numbers | None, worth: float
) -> Drift:
    then = before.summary[name]
    is_number = now.kind == "number"
    sides = _Sides.of(now, then, worth, before.worth.get(name, 1.0))
    test = _numbers(name, sides, before, values) if is_number else _choices(sides)
    unseen_before = _share(then.unseen, then.rows - then.missing)
    return Drift(
        column=name,
        distance=distances.hellinger(now.counts, then.counts),
        test="ks" if is_number else "chi-square",
        statistic=test.statistic,
        chance=test.chance,
        has_moved=False,
        is_calm=True,
        missing=_share(now.missing, now.rows),
        missing_before=_share(then.missing, then.rows),
        unseen=_share(now.unseen, now.rows - now.missing),
        unseen_before=unseen_before,
        is_exact=test.is_exact,
        expected=distances.hellinger_by_chance(
            now.counts, then.counts, sum(sides.now), sum(sides.then)
        ),
        worth=sum(sides.now),
        unseen_expected=unseen_by_chance(then) if before.is_training else unseen_before,
    )


@dataclass(frozen=True, slots=True)
class _Sides:
    """The counts of both sides, each row as what it is worth."""

    now: Sequence[float]
    then: Sequence[float]

    @classmethod
    def of(cls, now: Distribution, then: Distribution, worth: float, worth_then: float) -> _Sides:
        return cls(weigh(now.counts, worth), weigh(then.counts, worth_then))


def weigh(counts: Sequence[float], worth: float) -> Sequence[float]:
    """Return counts of rows that are worth a part of a row each."""
    return counts if worth == 1.0 else [one * worth for one in counts]


@dataclass(frozen=True, slots=True)
class _Test:
    statistic: float
    chance: float
    is_exact: bool = True


def _numbers(name: str, sides: _Sides, before: Before, values: Numbers | None) -> _Test:
    now, then = sides.now, sides.then
    others = before.values.get(name)
    is_exact = values is not None and others is not None
    if values is None or others is None:
        statistic = distances.ks_from_bins(now, then)
    elif before.is_training and len(others) < sum(then):
        statistic = distances.ks_from_points(values, others)
    else:
        statistic = distances.ks(values, others)
    _, by_bins = distances.chi_square(now, then, is_ordered=True)
    by_range = distances.outside_chance(
        int(_ends(now)), round(sum(now)), int(_ends(then)), round(sum(then))
    )
    least = min(distances.ks_chance(statistic, sum(now), sum(then)), by_bins, by_range)
    return _Test(statistic, min(1.0, TESTS_OF_NUMBERS * least), is_exact)


def _ends(counts: Sequence[float]) -> float:
    return counts[0] + counts[-1] if len(counts) > 1 else sum(counts)


def _choices(sides: _Sides) -> _Test:
    return _Test(*distances.chi_square(sides.now, sides.then, is_ordered=False))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
