"""The most typical row that really was: what stands in a form before anybody typed.

The middles of all columns, each by itself, may make a row that cannot be: a passenger saved by
boat 15 and found as body 169. So the example is one row of the data, gaps and all; of the rows that
were held out, which the model has not seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unrot.core.encoding import UNSEEN, Encoder
from unrot.core.records import Feature, Schema, Value

MOST_ROWS = 5_000
DIGITS = 6
"""Of a number in the example."""

MOSTLY = 0.5
"""A column with more gaps than this is mostly missing."""
LINED = ("number", "integer")


def with_examples(features: Sequence[Feature], *tables: NDArray[np.float64]) -> tuple[Feature, ...]:
    """Give each feature as its example what the most typical row holds.

    It is a row of the first table that has one which can be sent. Its gaps are where most rows
    have theirs, so that what is mostly missing stays empty, and it is the nearest of these to the
    middle of every column. Where no row can be sent, the middles stand where no gap is allowed.
    """
    must = np.array([not feature.nullable for feature in features])
    samples = [_with_gaps(features, _sample(table)) for table in tables]
    whole = [sample[~np.isnan(sample[:, must]).any(axis=1)] for sample in samples]
    sample = next((one for one in whole if len(one)), samples[-1])
    gaps = np.isnan(sample)
    strange = (gaps != (gaps.mean(axis=0) > MOSTLY)).sum(axis=1)
    sample = sample[strange == strange.min()]
    middles = np.array([_middle(feature, tables[-1][:, n]) for n, feature in enumerate(features)])
    typical = sample[_distances(features, sample, middles).argmin()]
    filled = np.where(np.isnan(typical) & must, middles, typical)
    [example] = Encoder(Schema(tuple(features), "")).decode(filled[None])
    return tuple(
        replace(feature, example=_plain(feature, value))
        for feature, value in zip(features, example, strict=True)
    )


def _sample(table: NDArray[np.float64]) -> NDArray[np.float64]:
    return table[:: max(1, -(-len(table) // MOST_ROWS))]


def _with_gaps(features: Sequence[Feature], sample: NDArray[np.float64]) -> NDArray[np.float64]:
    unseen = np.array([feature.kind == "category" for feature in features]) & (sample == UNSEEN)
    return np.where(unseen, np.nan, sample)


def _middle(feature: Feature, column: NDArray[np.float64]) -> float:
    """Return the median, or the commonest value; a column that holds nothing has no middle."""
    known = column[~np.isnan(column) & ((feature.kind != "category") | (column != UNSEEN))]
    seen = known[:MOST_ROWS]
    if not len(seen):
        return float("nan")
    if feature.kind in LINED:
        return float(np.sort(seen)[len(seen) // 2])
    values, counts = np.unique(seen, return_counts=True)
    return float(values[counts.argmax()])


def _distances(
    features: Sequence[Feature], sample: NDArray[np.float64], middles: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sum over the columns: numbers by how far in widths of the range, words by same or not."""
    distances = np.zeros(len(sample))
    for number, feature in enumerate(features):
        column = sample[:, number]
        if feature.kind in LINED:
            width = ((feature.high or 0.0) - (feature.low or 0.0)) or 1.0
            distances += np.nan_to_num(np.abs(column - middles[number]) / width)
        else:
            distances += column != middles[number]
    return distances


def _plain(feature: Feature, value: Value) -> Value:
    """Write a number with no more digits than pages show: it is to be read and changed.

    >>> _plain(Feature("score", "number"), -0.014793303357294003)
    -0.0147933
    """
    if not isinstance(value, float):
        return value
    if feature.kind == "integer":
        return int(value)
    if feature.choices or not value:
        return value
    return round(value, max(0, DIGITS - 1 - math.floor(math.log10(abs(value)))))
