"""Find the rows at which a model's answer jumps, to the last bit, without knowing the model.

A tree behind a scaler changes its mind between two neighbouring floats. Where a graph rounds
otherwise than scikit-learn, it does so on the wrong side, and no sample of rows would ever show
it. Here two rows that differ in one number are brought together by bisection, always into the
half with the larger jump, until they are neighbours; if the answer still jumps between them,
they are rows to compare at.

    f(x) = x > 1/3, between 0 and 1  →  0.3333333333333333 and 0.33333333333333337
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from unrot.core.records import Row, Value

Floats = NDArray[np.float64]
Score = Callable[[list[Row]], Floats]

PROBES = 64
COARSE_STEPS = 26
FINE_STEPS = 64
SMALLEST_JUMP = 1e-6
"""Smaller ones than the tolerance of a comparison are none; a slope is none either."""


def jump_rows(score: Score, rows: Sequence[Row], places: Sequence[int], seed: int = 0) -> list[Row]:
    """Return rows on both sides of jumps along the numbers at `places`, and their neighbours."""
    probes = _Probes(score, rows, places, np.random.default_rng(seed))
    for _ in range(COARSE_STEPS):
        probes.halve(_middle_by_value)
    probes.keep_jumping()
    for _ in range(FINE_STEPS):
        if not len(probes) or probes.are_neighbours():
            break
        probes.halve(middle_by_bits)
    probes.keep_jumping()
    return probes.found()


class _Probes:
    """Pairs of rows that differ in one number, each with the answers at both ends."""

    def __init__(
        self,
        score: Score,
        rows: Sequence[Row],
        places: Sequence[int],
        chance: np.random.Generator,
    ) -> None:
        self._score = score
        pairs = list(_pairs(rows, places, chance))
        self._rows: list[Row] = [row for row, _, _ in pairs]
        self._places = [place for _, place, _ in pairs]
        self._lows: Floats = np.array([float(row[place] or 0.0) for row, place, _ in pairs])
        self._highs: Floats = np.array([high for _, _, high in pairs], dtype=np.float64)
        self._at_lows, self._at_highs = self._ask(self._lows), self._ask(self._highs)

    def __len__(self) -> int:
        return len(self._rows)

    def halve(self, middle: Callable[[Floats, Floats], Floats]) -> None:
        if not len(self):
            return
        middles = middle(self._lows, self._highs)
        answers = self._ask(middles)
        goes_low = _jumps(self._at_lows, answers) >= _jumps(answers, self._at_highs)
        self._highs = np.where(goes_low, middles, self._highs)
        self._lows = np.where(goes_low, self._lows, middles)
        self._at_highs = np.where(goes_low[:, None], answers, self._at_highs)
        self._at_lows = np.where(goes_low[:, None], self._at_lows, answers)

    def keep_jumping(self) -> None:
        if not len(self):
            return
        kept = np.flatnonzero(_jumps(self._at_lows, self._at_highs) > SMALLEST_JUMP)
        self._rows = [self._rows[number] for number in kept]
        self._places = [self._places[number] for number in kept]
        self._lows, self._highs = self._lows[kept], self._highs[kept]
        self._at_lows, self._at_highs = self._at_lows[kept], self._at_highs[kept]

    def are_neighbours(self) -> bool:
        return bool(np.all(_bits(self._highs) <= _bits(self._lows) + 1))

    def found(self) -> list[Row]:
        made: list[Row] = []
        for row, place, low, high in zip(
            self._rows, self._places, self._lows.tolist(), self._highs.tolist(), strict=True
        ):
            made += [changed(row, place, value) for value in beside(low, high)]
        return made

    def _ask(self, values: Floats) -> Floats:
        if not len(self):
            return np.zeros((0, 1))
        asked = [
            changed(row, place, value)
            for row, place, value in zip(self._rows, self._places, values.tolist(), strict=True)
        ]
        return self._score(asked)


def _pairs(
    rows: Sequence[Row], places: Sequence[int], chance: np.random.Generator
) -> list[tuple[Row, int, float]]:
    """Choose rows, a number of each, and another value of that number that lies above it."""
    made: list[tuple[Row, int, float]] = []
    order = chance.permutation(places).tolist() if len(places) else []
    for probe in range(PROBES if order else 0):
        place = order[probe % len(order)]
        held = [row for row in rows if row[place] is not None]
        if len(held) < 2:
            continue
        one, other = (held[number] for number in chance.choice(len(held), 2, replace=False))
        low, high = sorted((float(one[place] or 0.0), float(other[place] or 0.0)))
        if low < high:
            made.append((changed(one, place, low), place, high))
    return made


def changed(row: Row, place: int, value: Value) -> Row:
    """Return a copy of a row with another value at one place."""
    copied = list(row)
    copied[place] = value
    return copied


def _jumps(before: Floats, after: Floats) -> Floats:
    """Measure jumps in units of the answer where that is beyond 1."""
    scale = np.maximum(np.maximum(np.abs(before), np.abs(after)), 1.0)
    differences: Floats = np.nan_to_num(np.abs(after - before) / scale, nan=0.0)
    return np.asarray(differences.max(axis=1), dtype=np.float64)


def _middle_by_value(lows: Floats, highs: Floats) -> Floats:
    return np.asarray(lows + (highs - lows) / 2.0)


def middle_by_bits(lows: Floats, highs: Floats) -> Floats:
    """Halve the count of floats between two: that ends, however near to zero they are."""
    low, high = _bits(lows), _bits(highs)
    return _floats((low >> 1) + (high >> 1) + (low & high & 1))


def _bits(values: Floats) -> NDArray[np.int64]:
    """Number the floats in their order."""
    raw = np.ascontiguousarray(values + 0.0).view(np.int64)
    return np.where(raw < 0, np.int64(-(2**63)) - raw, raw)


def _floats(bits: NDArray[np.int64]) -> Floats:
    raw = np.where(bits < 0, np.int64(-(2**63)) - bits, bits)
    return np.ascontiguousarray(raw).view(np.float64)


def beside(low: float, high: float) -> list[float]:
    """List two neighbouring floats, their neighbours, and the same in single precision."""
    narrow = np.float32(low)
    return [
        low,
        high,
        float(np.nextafter(low, -np.inf)),
        float(np.nextafter(high, np.inf)),
        float(narrow),
        float(np.nextafter(narrow, np.float32(-np.inf))),
        float(np.nextafter(narrow, np.float32(np.inf))),
    ]
