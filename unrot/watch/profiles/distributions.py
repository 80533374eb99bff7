"""How the values of columns lie, counted on bins that are given: counts on equal bins add up.

Workers, machines, versions with the same reference, hours of a day: the distribution of all is
the sum of theirs, bin by bin, so that a page of a year costs no more than one of a day.

    >>> bins = Distribution("number", edges=(0.0, 1.0, 2.0), counts=(0, 0, 0, 0))
    >>> from unrot.watch.profiles.columns import Column
    >>> one = counted(bins, Column(3, numbers=np.array([0.5, 1.0, 9.0])), set())
    >>> one.counts, one.unseen
    ((0, 1, 1, 1), 1)
    >>> added(one, one).counts
    (0, 2, 2, 2)

Sums of profiles lose their exact quantiles. What can still be said of them is read off the line
through the bins: within a bin the values are taken to lie evenly; the open bins end at the least
and the largest value.

    >>> of = Distribution("number", 4, edges=(0.0, 10.0), counts=(0, 4, 0), low=0.0, high=8.0)
    >>> quantiles_from_bins(of)["0.5"]
    4.0
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from unrot.core.records import Distribution, Schema, Sketch, Summary
from unrot.watch.profiles.columns import Column, Columns, Numbers, known_choices, runs

FAR = 3.0
"""So many times the width of the range of training lies what is far outside of it."""
QUANTILES = ("0.05", "0.25", "0.5", "0.75", "0.95")


def summary_of(bins: Summary, schema: Schema, columns: Columns) -> Summary:
    """Count the values of columns on the bins of a reference; a column without bins is left out."""
    return {
        name: counted(bins[name], column, known_choices(schema, name))
        for name, column in columns.items()
        if name in bins
    }


def counted(bins: Distribution, column: Column, known: Collection[str]) -> Distribution:
    """Count the values of one column on given bins."""
    if bins.kind == "choice" or column.numbers is None:
        return _chosen(bins, column, known)
    edges, numbers = np.array(bins.edges), column.numbers
    places = np.searchsorted(edges, numbers, side="right")
    counts = np.bincount(places, minlength=len(edges) + 1).tolist()
    is_outside, is_far = (places == 0) | (places == len(edges)), _far(bins.edges, numbers)
    return Distribution(
        "number",
        rows=column.rows,
        missing=column.missing,
        unseen=outside(counts),
        far=int(is_far.sum()),
        missing_runs=column.missing_runs,
        unseen_runs=runs(is_outside) if len(edges) else 0,
        far_runs=runs(is_far),
        edges=bins.edges,
        counts=tuple(counts),
        low=float(numbers.min()) if len(numbers) else None,
        high=float(numbers.max()) if len(numbers) else None,
        mean=float(numbers.mean()) if len(numbers) else None,
    )


def outside(counts: Sequence[int]) -> int:
    """Return how many numbers lie in the two open bins: outside the range of the reference."""
    return int(counts[0] + counts[-1]) if len(counts) > 1 else int(sum(counts))


def _far(edges: Sequence[float], numbers: Numbers) -> NDArray[np.bool_]:
    """Tell which numbers lie far outside; where training saw one value only, none does."""
    low, high = (edges[0], edges[-1]) if edges else (0.0, 0.0)
    if high <= np.nextafter(low, np.inf):
        return np.zeros(len(numbers), dtype=bool)
    reach = FAR * (high / 2 - low / 2) * 2
    return (numbers < low - reach) | (numbers > high + reach)


def _chosen(bins: Distribution, column: Column, known: Collection[str]) -> Distribution:
    found = Counter(column.texts)
    counts = [found.get(choice, 0) for choice in bins.choices]
    seen = {*known, *bins.choices, *bins.rare}
    unseen = np.array([one not in seen for one in column.texts], dtype=bool)
    return Distribution(
        "choice",
        rows=column.rows,
        missing=column.missing,
        unseen=int(unseen.sum()),
        missing_runs=column.missing_runs,
        unseen_runs=runs(unseen),
        choices=bins.choices,
        counts=(*counts, len(column.texts) - sum(counts)),
    )


def total(summaries: Iterable[Summary]) -> Summary:
    """Add summaries up; they must be on the same bins. A column is that of all who have it."""
    sums: dict[str, Distribution] = {}
    for summary in summaries:
        for name, one in summary.items():
            sums[name] = added(sums[name], one) if name in sums else one
    return sums


def added(first: Distribution, second: Distribution) -> Distribution:
    """Add two distributions on the same bins; quantiles do not add up and are left out."""
    if not has_same_bins(first, second):
        raise ValueError("distributions on other bins do not add up")
    return replace(
        first,
        rows=first.rows + second.rows,
        missing=first.missing + second.missing,
        unseen=first.unseen + second.unseen,
        far=first.far + second.far,
        missing_runs=first.missing_runs + second.missing_runs,
        unseen_runs=first.unseen_runs + second.unseen_runs,
        far_runs=first.far_runs + second.far_runs,
        counts=tuple(a + b for a, b in zip(first.counts, second.counts, strict=True)),
        low=min((x for x in (first.low, second.low) if x is not None), default=None),
        high=max((x for x in (first.high, second.high) if x is not None), default=None),
        mean=_mean(first, second),
        quantiles={},
        types=dict(Counter(first.types) + Counter(second.types)),
    )


def has_same_bins(first: Distribution, second: Distribution) -> bool:
    """Tell whether two distributions are on the same bins."""
    return (first.kind, first.edges, first.choices) == (second.kind, second.edges, second.choices)


def _mean(first: Distribution, second: Distribution) -> float | None:
    held = [(one.mean, one.rows - one.missing) for one in (first, second) if one.mean is not None]
    values = sum(count for _, count in held)
    return sum(mean * count for mean, count in held) / values if values else None


def with_sketches(summary: Summary, sketches: Mapping[str, Sketch]) -> Summary:
    """Add what only the sketches of a profile tell: quantiles and inferred types."""
    return {
        name: replace(one, quantiles=sketches[name].quantiles, types=sketches[name].types)
        if name in sketches
        else one
        for name, one in summary.items()
    }


def quantiles_of(distribution: Distribution) -> tuple[dict[str, float], bool]:
    """Return quantiles, and whether they are exact."""
    if distribution.quantiles:
        return dict(distribution.quantiles), True
    return quantiles_from_bins(distribution), False


def quantiles_from_bins(distribution: Distribution) -> dict[str, float]:
    """Return quantiles as the bins have them; none where there are no numbers."""
    low, high, count = distribution.low, distribution.high, sum(distribution.counts)
    if distribution.kind != "number" or low is None or high is None or not count:
        return {}
    ends = np.clip([low, *distribution.edges, high], low, high)
    below = np.array([0, *accumulate(distribution.counts)]) / count
    return {share: float(np.interp(float(share), below, ends)) for share in QUANTILES}
