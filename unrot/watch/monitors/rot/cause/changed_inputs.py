"""Do rows lie and hang together as they did? Three tests of what each cannot see alone.

Two columns that are swapped, or one that comes with a wrong sign, may leave every column as it was
and still be other rows. So what came since is held against what came before by

    each column    Kolmogorov-Smirnov of numbers, chi-square of choices, and of the value (or gap)
                   whose share rose most Fisher's exact test: a column that is stuck
    each pair      Spearman's rank correlation, of choices that of each choice's yes or no:
                   z = (artanh r' − artanh r) / √(v (1/n + 1/n')), Bonferroni over the pairs
    all at once    of the 5 nearest rows of each row, how many are of its own side

with v the variance that the products themselves show, at least 1. The count of neighbours is
judged by its exact mean and variance where the sides are dealt out at random. Under calm all three
together say "changed" in at most `LEVEL` of the looks. Columns that lie differently are named and
left out of the other two tests, so that these say what else has changed.

Rows are thinned first to what they are worth: of rows that come again (more often than rows of the
one side come on the other) one is kept, and of rows that resemble those just before them each τ-th.

Spearman, American Journal of Psychology 15 (1904) 72-101; Steiger, Psychological Bulletin 87 (1980)
245-251; Schilling, JASA 81 (1986) 799-806; Henze, Annals of Statistics 16 (1988) 772-783.

    >>> chance = np.random.default_rng(0)
    >>> first = chance.normal(size=600)
    >>> rows = np.column_stack([first, first + chance.normal(size=600), chance.normal(size=600)])
    >>> before, after = rows[:400], rows[400:]
    >>> compare(before, after, [True] * 3).has_changed
    False
    >>> [pair.columns for pair in compare(before, after * [-1, 1, 1], [True] * 3).pairs]
    [(0, 1)]
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from unrot.watch.statistics.chances import chance_of_more
from unrot.watch.statistics.distances import chi_square, ks, ks_chance
from unrot.watch.worth.measures import autocorrelation_time, multiplicity

Table = NDArray[np.float64]
"""Rows as `encoding` writes them: choices are places, a gap is NaN."""

LEVEL = 0.005
"""So rarely are rows of one kind called changed: two fifths by columns, by pairs, a fifth by
neighbours."""

FEW_VALUES = 20
"""A column with no more values is compared value by value."""
LEAST_SHARE = 0.05
"""Choices that are rarer hang together with nothing that could be told."""
MOST_CHOICES = 8
FEWEST_PAIRED = 20
NEIGHBOURS, MOST_NEAR = 5, 500
FARTHEST = 4.0
"""Standard deviations; beyond them a value is only far."""
REPEATED, SURE = 0.5, 0.01
MOST_TIMED = 60
"""Of so many columns it is asked how like rows are to those just before them."""


@dataclass(frozen=True, slots=True)
class Risen:
    """The value of a column whose share rose most, and from what to what; NaN is a gap."""

    column: int
    value: float
    share: float
    before: float


@dataclass(frozen=True, slots=True)
class Pair:
    """Two columns that hang together differently: their rank correlation before and now."""

    columns: tuple[int, int]
    before: float
    now: float


@dataclass(frozen=True, slots=True)
class Change:
    """What is different."""

    moved: tuple[int, ...] = ()
    """Columns that lie differently, the surest first."""
    risen: tuple[Risen, ...] = ()
    """Of those, where one value came much more often."""
    pairs: tuple[Pair, ...] = ()
    """The surest first."""
    is_mixed_otherwise: bool = False
    """True when neighbours say so."""

    @property
    def has_changed(self) -> bool:
        """True when anything is different."""
        return bool(self.moved or self.pairs or self.is_mixed_otherwise)

    @property
    def columns(self) -> tuple[int, ...]:
        """Return the columns that moved, and the fewest that explain all pairs."""
        named = list(self.moved)
        left = [pair.columns for pair in self.pairs]
        while left:
            commonest = Counter(one for pair in left for one in pair).most_common(1)[0][0]
            named.append(commonest)
            left = [pair for pair in left if commonest not in pair]
        return tuple(named)

    def touches(self, columns: Sequence[int]) -> bool:
        """Tell whether any of some columns changed, or something that has no name."""
        named = {*self.moved, *(one for pair in self.pairs for one in pair.columns)}
        return bool(named & set(columns)) or (self.is_mixed_otherwise and not named)


def compare(before: Table, after: Table, is_number: Sequence[bool]) -> Change:
    """Say what is different of rows that are worth what they count."""
    moved = _moved_columns(before, after, is_number)
    left = [at for at in range(before.shape[1]) if at not in moved]
    before, after = before[:, left], after[:, left]
    kinds = [is_number[at] for at in left]
    pairs = _moved_pairs(bonds(before, kinds), bonds(after, kinds))
    return Change(
        tuple(sorted(moved, key=lambda at: moved[at][0])),
        tuple(risen for _, risen in moved.values() if risen is not None),
        tuple(Pair((left[a], left[b]), was, now) for (a, b), was, now in pairs),
        _is_mixed_otherwise(before, after, kinds),
    )


def worth_keeping(table: Table, beside: Table) -> NDArray[np.intp]:
    """Return the places of as many rows, in their order, as they are worth independent ones."""
    kept = np.arange(len(table))
    if len(table) < 2:
        return kept
    # What is the same in all rows does not tell them apart, and stuck columns do not repeat rows.
    telling = [not _is_constant(column) for column in table.T]
    keys, others = _keys(table[:, telling]), Counter(_keys(beside[:, telling]))
    by_chance = sum(others[key] for key in keys) / max(len(beside), 1) / len(keys)
    again = multiplicity(keys) - 1
    if again > REPEATED + (1 + REPEATED) * by_chance * (len(keys) - 1):
        kept = np.sort(np.unique(np.array(keys, dtype=object), return_index=True)[1])
    timed = np.unique(np.linspace(0, table.shape[1] - 1, MOST_TIMED).astype(int))
    lag = max(autocorrelation_time(_ranks(table[kept, at])) for at in timed)
    by_accident = 1 + 2 * beyond(SURE, len(timed)) * math.sqrt(2 / len(kept))
    return kept[:: int(lag) if lag > by_accident else 1]


def _is_constant(column: Table) -> bool:
    return bool((column == column[0]).all() or np.isnan(column).all())


def _keys(table: Table) -> list[bytes]:
    return [row.tobytes() for row in np.ascontiguousarray(table)]


# ── each column ──────────────────────────────────────────────────────────────────────────────


def _moved_columns(
    before: Table, after: Table, is_number: Sequence[bool]
) -> dict[int, tuple[float, Risen | None]]:
    """Return the columns that lie differently, how likely that is, and what rose."""
    least = 0.4 * LEVEL / max(before.shape[1], 1)
    found: dict[int, tuple[float, Risen | None]] = {}
    for at in range(before.shape[1]):
        risen, chance = rise(at, before[:, at], after[:, at])
        lies = _chance(before[:, at], after[:, at], is_number=is_number[at])
        if 2 * min(chance, lies) < least:
            found[at] = (min(chance, lies), risen if 2 * chance < least else None)
    return found


def rise(at: int, before: Table, after: Table) -> tuple[Risen, float]:
    """Return the value of a column whose share rose most, and how likely so much is."""
    values, counts = np.unique(after, return_counts=True, equal_nan=True)
    held, held_counts = np.unique(before, return_counts=True, equal_nan=True)
    places = np.minimum(np.searchsorted(held, values), len(held) - 1)
    is_held = (held[places] == values) | (np.isnan(held[places]) & np.isnan(values))
    were = np.where(is_held, held_counts[places], 0)
    gains = counts / len(after) - were / len(before)
    top = int(np.argmax(gains))
    chance = chance_of_more(int(counts[top]), len(after), int(were[top]), len(before))
    # Of values that came once only no one could be the one that rose.
    looked_at = max(1, int((counts > 1).sum()))
    risen = Risen(at, float(values[top]), counts[top] / len(after), were[top] / len(before))
    return risen, min(1.0, looked_at * chance)


def _chance(before: Table, after: Table, *, is_number: bool) -> float:
    was, now = before[~np.isnan(before)], after[~np.isnan(after)]
    if not len(was) or not len(now):
        return 1.0
    values = np.unique(np.concatenate([was, now]))
    if is_number and len(values) > FEW_VALUES:
        return ks_chance(ks(was, now), len(was), len(now))
    cells = [[int(one) for one in (side[:, None] == values).sum(axis=0)] for side in (was, now)]
    return chi_square([*cells[0], 0], [*cells[1], 0], is_ordered=False)[1]


# ── each pair ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Bonds:
    """How the columns of some rows hang together."""

    rows: int
    columns: list[int]
    """Whose each of the ranked columns is: that of a number, or of one of its choices."""
    choices: list[float]
    """Which choice it is; NaN for a number."""
    correlations: Table
    variances: Table
    """Of artanh of the correlations, times the rows."""


def bonds(table: Table, is_number: Sequence[bool]) -> Bonds:
    """Rank each column and correlate all of them."""
    columns: list[int] = []
    choices: list[float] = []
    ranked: list[Table] = []
    for at in range(table.shape[1]):
        for choice, told in _score_column(table[:, at], is_number=is_number[at]):
            columns.append(at)
            choices.append(choice)
            ranked.append(told)
    scores = np.column_stack(ranked) if ranked else np.empty((len(table), 0))
    return Bonds(len(table), columns, choices, *_correlated(scores))


def _score_column(column: Table, *, is_number: bool) -> list[tuple[float, Table]]:
    """Return what of a column is correlated: ranks, or a yes and no for each choice."""
    if is_number:
        ranks = _ranks(column)
        return [(math.nan, ranks)] if ranks.any() else []
    values, counts = np.unique(column[~np.isnan(column)], return_counts=True)
    usual = np.abs(counts / len(column) - 0.5) <= 0.5 - LEAST_SHARE
    common = values[usual][np.argsort(-counts[usual], kind="stable")][:MOST_CHOICES]
    if len(values) <= 2:
        common = common[:1] if len(common) < 2 else np.array([common.max()])
    return [(float(one), _standard((column == one).astype(float))) for one in common]


def _ranks(column: Table) -> Table:
    """Return middle ranks, a gap in the middle, as numbers of mean 0 and spread 1."""
    known = ~np.isnan(column)
    _, place, counts = np.unique(column[known], return_inverse=True, return_counts=True)
    ranks = np.zeros(len(column))
    middle = np.cumsum(counts) - (counts - 1) / 2
    ranks[known] = middle[place] - (known.sum() + 1) / 2
    return _standard(ranks)


def _standard(told: Table) -> Table:
    spread = float(told.std())
    centred: Table = (told - told.mean()) / spread if spread > 0 else np.zeros(len(told))
    return centred


def _correlated(scores: Table) -> tuple[Table, Table]:
    rows = max(len(scores), 1)
    r = np.clip(scores.T @ scores / rows, -0.999, 0.999)
    squares = scores**2
    both, third = squares.T @ squares / rows, (scores**3).T @ scores / rows
    fourth = (squares**2).mean(axis=0) if len(scores) else np.empty(0)
    ends = fourth[:, None] + fourth[None, :] + 2 * both
    spread = both - r * (third + third.T) + r**2 / 4 * ends
    return r, np.maximum(spread / (1 - r**2) ** 2, 1.0)


def _moved_pairs(before: Bonds, after: Bonds) -> list[tuple[tuple[int, int], float, float]]:
    """Return the pairs of columns that hang together differently, the surest first."""
    before, after = in_common(before, after)
    owners = np.array(before.columns)
    is_pair = owners[:, None] < owners[None, :]
    z = strain(before, after, np.arange(len(owners)), before.correlations)
    z = np.where(is_pair, np.abs(z), 0.0)
    far = np.argwhere(z > beyond(0.4 * LEVEL, int(is_pair.sum()))).tolist()
    found: dict[tuple[int, int], tuple[float, float]] = {}
    for a, b in sorted(far, key=lambda at: -z[at[0], at[1]]):
        held = float(before.correlations[a, b]), float(after.correlations[a, b])
        found.setdefault((before.columns[a], before.columns[b]), held)
    return [(pair, *held) for pair, held in found.items()]


def in_common(before: Bonds, after: Bonds) -> tuple[Bonds, Bonds]:
    """Keep the ranked columns that both have, in the same order."""
    names = [[*zip(one.columns, map(str, one.choices), strict=True)] for one in (before, after)]
    common = [name for name in names[0] if name in names[1]]
    kept = [[of.index(name) for name in common] for of in names]
    return _kept(before, kept[0]), _kept(after, kept[1])


def _kept(told: Bonds, places: list[int]) -> Bonds:
    square = np.ix_(places, places)
    return Bonds(
        told.rows,
        [told.columns[at] for at in places],
        [told.choices[at] for at in places],
        told.correlations[square],
        told.variances[square],
    )


def strain(before: Bonds, after: Bonds, places: NDArray[np.intp], expected: Table) -> Table:
    """Return how many standard errors some columns hang together from what is expected of them."""
    rows, others = before.rows, after.rows
    if min(rows, others) < FEWEST_PAIRED:
        return np.zeros_like(expected)
    pooled = (rows * before.variances + others * after.variances)[places] / (rows + others)
    error = np.sqrt(pooled * (1 / (rows - 3) + 1 / (others - 3)))
    z: Table = (np.arctanh(after.correlations[places]) - np.arctanh(expected)) / error
    return z


def beyond(level: float, looked_at: int) -> float:
    """Return how many standard errors are too many where so many are looked at together."""
    return NormalDist().inv_cdf(1 - level / (2 * max(looked_at, 1)))


# ── all at once ──────────────────────────────────────────────────────────────────────────────


def _is_mixed_otherwise(before: Table, after: Table, is_number: Sequence[bool]) -> bool:
    if not any(is_number) or min(len(before), len(after)) < 2 * NEIGHBOURS:
        return False
    return own_neighbours(before, after, is_number) > beyond(0.4 * LEVEL, 1)


def own_neighbours(before: Table, after: Table, is_number: Sequence[bool]) -> float:
    """Return by how many standard errors rows have too many neighbours of their own side."""
    rows = min(len(before), len(after), MOST_NEAR)
    sides = [side[np.linspace(0, len(side) - 1, rows).astype(int)] for side in (before, after)]
    # Of rows that are as near as each other the first are taken: in no order of the sides.
    order = np.random.default_rng(0).permutation(2 * rows)
    placed = _placed(np.concatenate(sides), is_number)[order]
    squares = np.einsum("ij,ij->i", placed, placed)
    apart = squares[:, None] + squares[None, :] - 2 * (placed @ placed.T)
    np.fill_diagonal(apart, np.inf)
    near = np.argpartition(apart, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS]
    links = np.zeros((2 * rows, 2 * rows))
    np.put_along_axis(links, near, 1.0, axis=1)
    links = links + links.T
    side = np.repeat([1.0, -1.0], rows)[order]
    return _surplus(links, float(side @ links @ side) / 2)


def _surplus(links: Table, agreement: float) -> float:
    """Standardise Σ w s s' over all links by its mean and variance over random equal sides."""
    count = len(links)
    every = float(links.sum()) / 2
    alone = float(np.square(links).sum()) / 2
    sharing = float(np.square(links.sum(axis=1)).sum()) - 2 * alone
    rest = every**2 - alone - sharing
    mean = -every / (count - 1)
    variance = alone - sharing / (count - 1) + 3 * rest / ((count - 1) * (count - 3)) - mean**2
    return (agreement - mean) / math.sqrt(variance) if variance > 0 else 0.0


def _placed(table: Table, is_number: Sequence[bool]) -> NDArray[np.float32]:
    """Return rows where they are near to each other: numbers by their spread, choices by kind."""
    parts: list[Table] = []
    for at, is_one in enumerate(is_number):
        column = table[:, at]
        if is_one and not np.isnan(column).all():
            low, middle, high = np.nanquantile(column, [0.1587, 0.5, 0.8413])
            scale = (high - low) / 2 or float(np.nanstd(column)) or 1.0
            parts.append(np.clip(np.nan_to_num((column - middle) / scale), -FARTHEST, FARTHEST))
        elif not is_one:
            parts += [told / 2 for _, told in _score_column(column, is_number=False)]
    return np.column_stack(parts).astype(np.float32)
