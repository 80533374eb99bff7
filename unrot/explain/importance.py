"""What a version leans on: how far each feature moves its answers, whichever way, in the mean.

Of each of some rows the parts are taken that its explanation is made of, without their signs. So a
feature that raises half of the answers and lowers the others counts as much as it moves them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unrot.core.ports import Predictor
from unrot.core.records import Row, Schema
from unrot.core.threads import on_one_thread
from unrot.explain.explaining import parts_of
from unrot.explain.kept import Kept, Sums

ROWS = 40
"""So many rows tell it: of more the mean hardly moves."""
FEWEST, SECONDS = 10, 0.5
"""Of the largest forests fewer: a version is not to wait long for this."""
MOST_BESIDE = 40
"""Rows of the training that a sampled one is held against."""

Amounts = NDArray[np.float64]
"""How far each feature moves each answer: a row for each, a column each."""


def amounts_by_sums(sums: Sums, rows: Sequence[Row]) -> Amounts:
    """Return them of scores that add up, of the answered class each; no model is asked."""
    with np.errstate(all="ignore"):
        found = [np.abs(_of_answered(sums, sums.contributions(row))) for row in rows]
    return np.array(found).reshape(len(rows), -1)


def amounts_by_sampling(
    predictor: Predictor, kept: Kept, schema: Schema, rows: Sequence[Row]
) -> Amounts:
    """Return them as far as a few samples tell; the model is asked."""
    few = Kept(spread(kept.rows, MOST_BESIDE))
    with on_one_thread(), np.errstate(all="ignore"):
        found = [
            np.abs(parts_of(predictor, few, schema, answer, row, seconds=0.0).amounts)
            for row, answer in ((row, predictor.predict([row])) for row in rows)
        ]
    return np.array(found).reshape(len(rows), -1)


def leans_on(predictor: Predictor, kept: Kept, schema: Schema) -> dict[str, float]:
    """Return which share of all that moves the answers is of each feature; the largest first."""
    sums, many = kept.sums, ROWS
    if sums is not None:
        many = max(FEWEST, sums.rows_within(SECONDS, ROWS))
    rows = spread(kept.rows, many)
    if not rows:
        return {}
    found = (
        amounts_by_sums(sums, rows) if sums else amounts_by_sampling(predictor, kept, schema, rows)
    )
    shares = shares_of(found)
    if not shares.any():
        return {}
    places = np.argsort(-shares, kind="stable").tolist()
    return {schema.names[place]: float(shares[place]) for place in places}


def shares_of(amounts: Amounts) -> Amounts:
    """Return which share of all that moves the answers is of each feature; none where none does."""
    means: Amounts = amounts.mean(axis=0)
    whole = float(means.sum())
    shares: Amounts = means / (whole if 0 < whole < np.inf else np.inf)
    return shares


def spread(rows: Sequence[Row], most: int) -> list[Row]:
    """Return some of many rows, evenly."""
    places = np.unique(np.linspace(0, len(rows) - 1, most).round().astype(int)) if rows else ()
    return [list(rows[place]) for place in places]


def _of_answered(sums: Sums, contributions: Amounts) -> Amounts:
    one_score = len(contributions) == 1
    found: Amounts = contributions[0 if one_score else int(sums.answered(contributions).argmax())]
    return found
