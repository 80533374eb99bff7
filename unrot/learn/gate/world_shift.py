"""Whether the world is still the one of the anchor, and if not, since when.

The champion's errors on recent trusted rows, in the order in which they were predicted, are held
against its errors on the anchor. Among all points that leave at least 30 rows behind them, the one
is taken at which the recent rows look worst (for classes the largest binomial likelihood ratio,
for numbers the largest rank sum); then these rows are tested against the anchor, one-sided:
Fisher's exact test for classes, Mann and Whitney's for numbers.

It is looked at again with every verdict, and at all points each time, so the doubt of 1 % is shared
among all of that. With n recent rows, of which the world may have moved at m places, a chance p
counts as

    chance = min(1, p · m · n·(n + 1) / 30)          moved when chance ≤ 0.01

Since Σ 30 / (n·(n + 1)) over n ≥ 30 is 1, a world that stands still is ever taken for moved, over
all looks together, with a chance of at most 1 in 100 (Bonferroni's inequality; simulated it is 1 in
1,000), while a fall from .93 to .34 has a chance of 1e-16 after 30 rows. Rows are taken to be
independent.

A world may move and come back: a client that sent nonsense for two days, a strike. So where it has
moved, the point is looked for from which on the rows are better than those between, and tested in
the same way, with its own 1 %. What came before that point is over, and the rows since then are
held against the anchor again: they tell whether the world is that of the anchor, or a third one.

Page, Biometrika 42 (1955) 523-527; Fisher, Statistical Methods for Research Workers, §21.02;
Mann and Whitney, Annals of Mathematical Statistics 18 (1947) 50-60.

    >>> right, wrong = [0.0], [1.0]
    >>> find_move(93 * right + 7 * wrong, 40 * right + 40 * wrong, is_classifier=True).place
    40
    >>> find_move(93 * right + 7 * wrong, 40 * wrong + 40 * right, is_classifier=True).over
    ((0, 40),)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unrot.hear.scores import Errors
from unrot.watch.statistics.chances import chance_of_more

FEWEST = 30
"""Rows below which nothing is decided."""

LEVEL = 0.01
"""The chance, over all looks, that a world that stands still counts as moved."""


@dataclass(frozen=True, slots=True)
class Move:
    """What recent rows say of the world: nothing (too few), that it stands, or when it moved."""

    can_tell: bool
    has_moved: bool = False
    place: int = 0
    """The first row of the present world, as far as another one is known to come before it."""
    places: int = 1
    """At how many it might have moved."""
    chance: float | None = None
    """How likely such rows are in the world of the anchor, whenever one looks."""
    over: tuple[tuple[int, int], ...] = ()
    """From which row on, and before which one, it was another world that is over."""


def find_move(
    anchor: Errors | Sequence[float],
    recent: Errors | Sequence[float],
    *,
    is_classifier: bool,
    at: Sequence[float] = (),
) -> Move:
    """Hold the champion's recent errors, oldest first, against those on its anchor.

    `at` is when each recent row was predicted: rows of one moment are of one world, so that the
    world never moves between them.
    """
    before, after = np.asarray(anchor, dtype=np.float64), np.asarray(recent, dtype=np.float64)
    if len(after) < FEWEST or not len(before):
        return Move(can_tell=False)
    told: Sequence[float] = at if len(at) == len(after) else range(len(after))
    moments = np.asarray(told, dtype=np.float64)
    over: list[tuple[int, int]] = []
    while True:
        begins = over[-1][1] if over else 0
        found = _find_worse(before, after, moments, begins, is_classifier)
        back = _find_better(after, moments, found.place, is_classifier) if found.has_moved else None
        if back is None:
            return replace(found, over=tuple(over))
        over.append((found.place, back))


def _find_worse(
    before: Errors, after: Errors, moments: Errors, begins: int, is_classifier: bool
) -> Move:
    """Hold the rows from one on against the anchor."""
    worst = _worst_of_classes if is_classifier else _worst_of_numbers
    can_begin = _can_begin(moments[begins:])
    place = begins + worst(before, after[begins:], can_begin)
    places = int(np.sum(can_begin))
    chance = _of_all_looks(_chance(before, after[place:], is_classifier), places, len(after))
    has_moved = chance <= LEVEL
    return Move(True, has_moved, place if has_moved else begins, places, chance)


def _find_better(after: Errors, moments: Errors, begins: int, is_classifier: bool) -> int | None:
    """Return from where on rows are surely better than those between; None where they are not."""
    rows, can_begin = after[begins:], _can_begin(moments[begins:])
    counts = np.arange(FEWEST, len(rows) + 1)
    ranks = _ranks(rows, rows)
    lead = counts * np.mean(ranks) - np.cumsum(ranks[::-1])[FEWEST - 1 :]
    spread = np.sqrt(counts * np.maximum(len(rows) - counts, 1))
    can_end = can_begin & (counts <= len(rows) - FEWEST)
    if not can_end.any():
        return None
    newest = int(counts[int(np.argmax(np.where(can_end, lead / spread, -np.inf)))])
    chance = _chance(rows[-newest:], rows[:-newest], is_classifier)
    is_sure = _of_all_looks(chance, int(np.sum(can_end)), len(after)) <= LEVEL
    return begins + len(rows) - newest if is_sure else None


def _of_all_looks(chance: float, places: int, rows: int) -> float:
    """Return a chance at one place and one look as that at all places and all looks."""
    return min(1.0, chance * places * rows * (rows + 1) / FEWEST)


def _can_begin(moments: Errors) -> NDArray[np.bool_]:
    """Tell, for so many last rows as are counted from 30 on, whether a world can begin there."""
    begins = np.ones(len(moments), dtype=bool)
    begins[1:] = np.diff(moments) != 0
    return begins[::-1][FEWEST - 1 :]


def _worst_of_classes(anchor: Errors, recent: Errors, can_begin: NDArray[np.bool_]) -> int:
    """Return the place from which on the likelihood ratio of a higher error rate is largest."""
    usual = (np.sum(anchor) + 0.5) / (len(anchor) + 1)
    counts = np.arange(1, len(recent) + 1)[FEWEST - 1 :]
    rates = np.cumsum(recent[::-1])[FEWEST - 1 :] / counts
    wrong = rates * np.log(np.maximum(rates, 1e-12) / usual)
    right = (1 - rates) * np.log(np.maximum(1 - rates, 1e-12) / (1 - usual))
    ratios = np.where(rates > usual, counts * (wrong + right), 0.0)
    return len(recent) - int(counts[int(np.argmax(np.where(can_begin, ratios, -np.inf)))])


def _worst_of_numbers(anchor: Errors, recent: Errors, can_begin: NDArray[np.bool_]) -> int:
    """Return the place from which on the errors rank highest among those of the anchor."""
    places = _ranks(recent, anchor) - len(anchor) / 2
    counts = np.arange(1, len(recent) + 1)[FEWEST - 1 :]
    sums = np.cumsum(places[::-1])[FEWEST - 1 :]
    scores = sums / np.sqrt(counts * (counts + len(anchor) + 1))
    return len(recent) - int(counts[int(np.argmax(np.where(can_begin, scores, -np.inf)))])


def _ranks(errors: Errors, among: Errors) -> Errors:
    """Return how many of some errors each is larger than; half of those that equal it count."""
    ordered = np.sort(among)
    below = np.searchsorted(ordered, errors, side="left")
    return (below + np.searchsorted(ordered, errors, side="right")) / 2


def _chance(anchor: Errors, recent: Errors, is_classifier: bool) -> float:
    if is_classifier:
        hits, anchor_hits = int(np.sum(recent == 0)), int(np.sum(anchor == 0))
        return chance_of_more(anchor_hits, len(anchor), hits, len(recent))
    if np.ptp(np.concatenate([anchor, recent])) == 0:
        return 1.0
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(recent, anchor, alternative="greater", method="asymptotic").pvalue)
