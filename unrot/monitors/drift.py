"""Whether the columns of a period have moved away from what they are compared with.

A column has moved when it lies far enough (Hellinger distance on the bins of the reference, 0.15
unless the rules say otherwise) and that is too unlikely by chance (0.001). Neither does alone:
with a hundred rows two samples of the same flowers often lie 0.14 apart, and with a million rows
the smallest change is no chance. The chance is the least one of three tests of numbers (KS,
chi-square on the bins, values outside the range), times three, corrected by Holm over the columns.

It is calm again when it is well below: two thirds of the distance, or a chance above 0.05.

    >>> bins = Distribution("number", 100, edges=(0.0, 1.0, 2.0), counts=(0, 50, 50, 0))
    >>> far = replace(bins, counts=(0, 40, 40, 20), unseen=20)
    >>> [found] = compare({"x": far}, {"x": bins}, Rules())
    >>> found.has_moved, round(found.distance, 3)
    (True, 0.325)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from unrot.monitors import distances
from unrot.monitors.columns import OUTPUTS, Numbers
from unrot.monitors.distributions import has_same_bins, outside
from unrot.monitors.reference import Reference
from unrot.symptoms import Check, Distribution, Drift, FeatureRule, Rules, Summary

TESTS_OF_NUMBERS = 3
CALM_SHARE = 2 / 3
CALM_CHANCE = 0.05


@dataclass(frozen=True, slots=True)
class Before:
    """What a period is compared with: its counts, and what is known of the values themselves."""

    summary: Summary
    values: Mapping[str, Numbers] = field(repr=False, default_factory=dict)
    """All values of columns of numbers, or evenly spaced quantiles of them."""
    are_points: bool = False
    unfair: Sequence[str] = ()


def against_training(reference: Reference) -> Before:
    """Return a reference as what a period is compared with."""
    return Before(reference.summary, reference.points, are_points=True, unfair=reference.unfair)


def compare(
    now: Summary,
    before: Summary | Before,
    rules: Rules,
    values: Mapping[str, Numbers] | None = None,
) -> list[Drift]:
    """Return how far each watched column moved; `values` are those of now, for an exact KS.

    Columns that one side lacks, or has on other bins, are left out.
    """
    base = before if isinstance(before, Before) else Before(before)
    found = {
        name: _moved(name, one, base, (values or {}).get(name))
        for name, one in now.items()
        if name in base.summary
        and name not in base.unfair
        and rules.features.get(name, FeatureRule()).is_watched
        and has_same_bins(one, base.summary[name])
    }
    corrected = distances.holm({name: one.chance for name, one in found.items()})
    return [judged(replace(one, chance=corrected[name]), rules) for name, one in found.items()]


def judged(drift: Drift, rules: Rules) -> Drift:
    """Say by the rules whether a column has moved, or is calm."""
    own = rules.features.get(drift.column, FeatureRule()).distance
    least = rules.distance if own is None else own
    is_unlikely = drift.chance < rules.chance
    return replace(
        drift,
        has_moved=drift.distance >= least and is_unlikely,
        is_calm=drift.distance < CALM_SHARE * least or drift.chance > CALM_CHANCE,
    )


def judged_again(check: Check, rules: Rules) -> Check:
    """Return a check as the rules of today see it, without the columns that nobody watches now."""
    drifts = [
        judged(one, rules)
        for one in check.drifts
        if rules.features.get(one.column, FeatureRule()).is_watched
    ]
    return replace(check, drifts=tuple(drifts))


def features_moved(checks: Sequence[Check], since: float, until: float) -> list[str] | None:
    """Name the inputs that moved in a stretch of time; None when no check is of that time.

    By this data drift (the inputs moved) is told apart from concept drift (the inputs stayed the
    same, and verdicts fall).
    """
    of_time = [
        one for one in checks if one.drifts and one.starts_at < until and one.ends_at > since
    ]
    if not of_time:
        return None
    moved = (drift.column for check in of_time for drift in check.moved)
    return [name for name in dict.fromkeys(moved) if name not in OUTPUTS]


def _moved(name: str, now: Distribution, before: Before, values: Numbers | None) -> Drift:
    then = before.summary[name]
    is_number = now.kind == "number"
    test = _numbers(name, now, before, values) if is_number else _choices(now, then)
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
        unseen_before=_share(then.unseen, then.rows - then.missing),
        is_exact=test.is_exact,
    )


@dataclass(frozen=True, slots=True)
class _Test:
    statistic: float
    chance: float
    is_exact: bool = True


def _numbers(name: str, now: Distribution, before: Before, values: Numbers | None) -> _Test:
    then = before.summary[name]
    rows, rows_before = sum(now.counts), sum(then.counts)
    others = before.values.get(name)
    is_exact = values is not None and others is not None
    if values is None or others is None:
        statistic = distances.ks_from_bins(now.counts, then.counts)
    elif before.are_points and len(others) < rows_before:
        statistic = distances.ks_from_points(values, others)
    else:
        statistic = distances.ks(values, others)
    _, by_bins = distances.chi_square(now.counts, then.counts, is_ordered=True)
    by_range = distances.outside_chance(
        outside(now.counts), rows, outside(then.counts), rows_before
    )
    least = min(distances.ks_chance(statistic, rows, rows_before), by_bins, by_range)
    return _Test(statistic, min(1.0, TESTS_OF_NUMBERS * least), is_exact)


def _choices(now: Distribution, then: Distribution) -> _Test:
    return _Test(*distances.chi_square(now.counts, then.counts, is_ordered=False))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
