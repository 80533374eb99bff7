"""A row that could well be: what stands in the fields of a form before anybody typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unrot.encoding import Encoder
from unrot.records import Feature, Schema, Value

MOST_ROWS = 5_000
LINED = ("number", "integer")


def with_examples(features: Sequence[Feature], rows: NDArray[np.float64]) -> tuple[Feature, ...]:
    """Give each feature as its example what the most typical row holds.

    That is the row nearest to the middle of every column, among those with the fewest gaps; a
    gap that it has all the same is filled with the middle.
    """
    sample = rows[:: max(1, -(-len(rows) // MOST_ROWS))]
    gaps = np.isnan(sample).sum(axis=1)
    sample = sample[gaps == gaps.min()]
    middles = np.array([_middle(feature, rows[:, n]) for n, feature in enumerate(features)])
    typical = sample[_distances(features, sample, middles).argmin()]
    filled = np.where(np.isnan(typical), middles, typical)
    [example] = Encoder(Schema(tuple(features), "")).decode(filled[None])
    return tuple(
        replace(feature, example=_plain(feature, value))
        for feature, value in zip(features, example, strict=True)
    )


def _middle(feature: Feature, column: NDArray[np.float64]) -> float:
    seen = column[:MOST_ROWS][~np.isnan(column[:MOST_ROWS])]
    if not len(seen):
        seen = column[~np.isnan(column)]
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
    return int(value) if feature.kind == "integer" and isinstance(value, float) else value
