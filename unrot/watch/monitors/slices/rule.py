"""Parts of the traffic that fall while the rest does not: is a model wrong in one region only?

Verdicts are taken in stretches of fifty. Of each part (`parts.py`) the rights and wrongs of its
own verdicts are kept in blocks of ten or more, the newest sixteen apart. When a block is full, the
newest 2, 3, 4, 6, 8, 11 or 16 are held against all before by the likelihood ratio of two coins

    n · kl(before, both) + m · kl(after, both)        n, m: what the verdicts are worth

and a part has fallen where that is above ln(K · l · (l + 1) / δ) at its l-th look, of K parts. By
chance it exceeds x about once in e^x times (twice the ratio is χ² with one degree of freedom, and
that of seven moments together stays below e^-x from x = 5 on); the looks share δ as
1 / (l (l + 1)), which adds up to 1, and the parts share it evenly (Bonferroni). So the chance that
anything is ever said of a stream in which nothing falls is about δ = 1 % at most, whatever K and
however long.

**The rest as a control.** A part is expected to reach what it did before, less what the rest fell
in the same stretches: a hard night, a burst of errors or the rot of the whole model is no matter of
a part. And more than half of its fall must be its own.

**Worth.** n verdicts count as n / φ, and beside a rest of m as n m / (n + m). φ is the largest of 1
and of three figures: how often new rows come again (`worth/repeats.py`); how much more unevenly the
rows of a feature's parts come than independent ones would, var / (n p (1 - p)) in stretches of 50
and 400, for what comes together hangs together; and how much more the blocks of this part vary than
coins do (Pearson's χ² over its degrees of freedom), that of all parts standing in for what is not
known of one.

**Deep enough.** A fall must surely (95 %) be deeper than 25 points: the turn of a day that was
never seen before could explain less. Where it has lasted for a day, 10 points are enough.

Where a part has fewer than two hundred verdicts of before, the test set stands in for the others.

McCullagh, Nelder, Generalized Linear Models (1989) §4.5, for φ; Siegmund, Sequential Analysis
(1985), for likelihood ratios that are looked at again and again.

    >>> import numpy as np
    >>> from unrot.watch.monitors.slices.counts import new_book
    >>> draw = np.random.default_rng(1)
    >>> north = draw.random(4_000) < 0.1
    >>> chance = np.where(north & (np.arange(4_000) >= 3_000), 0.4, 0.9)
    >>> rights, book = (draw.random(4_000) < chance).astype(float), new_book((2,))
    >>> told = list(go_on(book, north[:, None].astype(int), rights, np.arange(4_000), range(4_000)))
    >>> [(turn.end, int(north[3_000:turn.end].sum()), sorted(turn.fallen)) for turn in told]
    [(3300, 27, [1])]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np

from unrot.core.time import DAY
from unrot.watch.monitors.slices.counts import (
    BEGUN,
    BLOCKS,
    COUNT,
    FOLDED,
    REST,
    RIGHT,
    SQUARES,
    WEIGHT,
    Book,
    Fallen,
    Numbers,
    count_stretches,
    squares_of,
)

STRETCH = 50
COARSE = 8
"""Stretches that are looked at together for how unevenly rows come."""
LEAST = 10
"""Verdicts of a block."""
LATEST = np.array([2, 3, 4, 6, 8, 11, 16])
DOUBT = 0.01
"""δ: how likely anything is ever said of a stream where nothing falls."""
FEWEST_STRETCHES = 8
"""Before that nobody knows what rows are worth."""
FEWEST_BEFORE = 10
LENT = 200
"""So many verdicts the test set stands in for, where a part has fewer of its own."""
DEEP, DEEP_FOR_A_DAY = 0.25, 0.10
SURE = 1.35
"""The likelihood ratio of a one-sided 95 % bound: half of 1.645²."""
OWN = 0.5
"""So much of its fall at least is its own and not that of the rest."""
WORTH_OF_OWN, WORTH_OF_EVENNESS = 20.0, 30.0
"""Blocks that what is not known of a part's own φ, and of that of all, counts for."""
BACK, FEWEST_BACK, SURELY_BACK = 0.25, 30, log(20)
"""A part is back when no more than a quarter of its fall is left in thirty verdicts or more."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What is known after some verdicts, where a part has fallen or is back."""

    end: int
    """So many verdicts were gone through."""
    fallen: dict[int, Fallen]


def go_on(
    book: Book, places: Numbers, rights: Numbers, times: Numbers, rows: Sequence[int]
) -> Iterator[Turn]:
    """Take the next verdicts, in whole stretches; say whenever a part has fallen or is back.

    `places` are those of `Parts.places`, `times` when verdicts were given, `rows` a number for
    each row that equal ones share. What is left over of a stretch comes again.
    """
    whole = len(rights) // STRETCH
    shape = (whole, STRETCH, places.shape[1])
    stretches = count_stretches(
        places[: whole * STRETCH].reshape(shape),
        np.asarray(rights)[: whole * STRETCH].reshape(whole, STRETCH),
        book.size,
    )
    for number in range(whole):
        start, end = number * STRETCH, (number + 1) * STRETCH
        book.repeats.add(rows[start:end])
        book.multiplicity = book.repeats.multiplicity()
        before = set(book.fallen)
        one = [column[number] for column in stretches]
        _take(book, one, float(times[start]), float(times[end - 1]))
        if set(book.fallen) != before:
            yield Turn(end, dict(book.fallen))


def _take(book: Book, counted: Sequence[Numbers], begun: float, now: float) -> None:
    counts = counted[COUNT]
    _spread(book, counts)
    opened = book.cells[:, BLOCKS]
    opened[(opened[:, COUNT] == 0) & (counts > 0), BEGUN] = begun
    for column, of in enumerate(counted):
        opened[:, column] += of
    full = np.flatnonzero(opened[:, COUNT] >= LEAST)
    if not len(full):
        return
    _close(book, full)
    if book.stretches >= FEWEST_STRETCHES:
        _end_falls(book, full)
        if len(low := full[_may_have_fallen(book, full)]):
            _find_falls(book, low, now)


def _spread(book: Book, counts: Numbers) -> None:
    """Note how evenly rows come; from time to time, what all of it makes verdicts worth."""
    book.stretches += 1
    book.spread += np.stack([counts, counts * counts], axis=1)
    book.coarse[:, 2] += counts
    if book.stretches % COARSE == 0:
        wide = book.coarse[:, 2]
        book.coarse[:, :2] += np.stack([wide, wide * wide], axis=1)
        book.coarse[:, 2] = 0
        book.dispersion = _dispersion(book)


def _close(book: Book, full: Numbers) -> None:
    """Close blocks; the oldest ones join the past, but not those of a fall."""
    cells, is_fallen = book.cells[full], np.array([one in book.fallen for one in full.tolist()])
    oldest = cells[:, 0]
    leaves = (oldest[:, COUNT] > 0) & ~is_fallen
    more = np.column_stack([oldest[:, :BEGUN], squares_of(oldest), np.ones(len(full))])
    book.past[full[leaves]] += more[leaves]
    for place, part in zip(np.flatnonzero(is_fallen), full[is_fallen].tolist(), strict=True):
        book.fallen[part] = _longer(book.fallen[part], cells[place, BLOCKS])
    book.cells[full] = np.concatenate([cells[:, 1:], np.zeros((len(full), 1, 5))], axis=1)
    book.looks[full] += 1


def _longer(fallen: Fallen, cell: Numbers) -> Fallen:
    count = fallen.count + int(cell[COUNT])
    rest = (fallen.rest * fallen.count + float(cell[REST])) / count
    return replace(fallen, count=count, right=fallen.right + int(cell[RIGHT]), rest=rest)


# ── what verdicts are worth ──────────────────────────────────────────────────────────────────


def _unevenness(book: Book) -> Numbers:
    """Return how much more unevenly the rows of a feature come than independent ones would.

    It is lowered by two standard errors: what chance explains costs nothing.
    """
    found = np.ones(book.size)
    sizes = np.bincount(book.groups)
    for sums, times, length in (
        (book.spread, book.stretches, STRETCH),
        (book.coarse, book.stretches // COARSE, STRETCH * COARSE),
    ):
        if times < 4:
            continue
        mean = sums[:, 0] / times
        varied = (sums[:, 1] - times * mean**2) / (times - 1)
        expected = mean * (1 - mean / length)
        of_feature = np.bincount(book.groups, varied) / np.maximum(
            np.bincount(book.groups, expected), 1e-9
        )
        freedom = np.maximum(1, (sizes - 1) * (times - 1))
        by_chance = 1 + 2 * np.sqrt(2 / freedom)
        of_all = varied.sum() / max(expected.sum(), 1e-9) / by_chance.min()
        found = np.maximum(found, np.maximum((of_feature / by_chance)[book.groups], of_all))
    return found


def _dispersion(book: Book) -> tuple[float, float]:
    """Return Pearson's χ² of the older blocks of all parts, and its degrees of freedom.

    Each feature parts the same verdicts: together they count as one.
    """
    chi, freedom = _pearson(book.past, book.cells[:, : BLOCKS // 2])
    chi[list(book.fallen)] = freedom[list(book.fallen)]
    features = int(book.groups[-1]) + 1
    return float(chi.sum()) / features, float(freedom.sum()) / features


def _pearson(past: Numbers, cells: Numbers) -> tuple[Numbers, Numbers]:
    """Return, part by part, by how much blocks vary around their mean, and how many are free."""
    sums = past[..., :BEGUN] + cells[..., :BEGUN].sum(axis=-2)
    squares = past[..., SQUARES] + squares_of(cells).sum(axis=-1)
    blocks = past[..., FOLDED] + (cells[..., COUNT] > 0).sum(axis=-1)
    return _chi(sums, squares), np.maximum(0, blocks - 1)


def _chi(sums: Numbers, squares: Numbers) -> Numbers:
    apart = sums[..., RIGHT] - sums[..., REST]
    share = np.clip(sums[..., RIGHT] / np.maximum(sums[..., COUNT], 1), 0.05, 0.95)
    around = squares - apart**2 / np.maximum(sums[..., WEIGHT], 1e-9)
    found: Numbers = np.maximum(0, around) / (share * (1 - share))
    return found


# ── fallen, and back ─────────────────────────────────────────────────────────────────────────


def kl(first: Numbers, second: Numbers) -> Numbers:
    """Return the divergence of two coins.

    >>> round(float(kl(np.array(0.4), np.array(0.9))), 2)
    0.75
    """
    p, q = np.clip(first, 1e-9, 1 - 1e-9), np.clip(second, 1e-9, 1 - 1e-9)
    found: Numbers = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
    return found


@dataclass(frozen=True, slots=True)
class _Sides:
    """Some parts, before and after each moment at which they may have fallen."""

    before: Numbers
    after: Numbers
    worth: Numbers
    """φ."""
    lent: Numbers
    """What of `before` the test set stands in for."""

    @property
    def expected(self) -> Numbers:
        """What a part would reach if it fell no more than the rest."""
        rest_fell = np.maximum(0, _share(self.before, REST) - _share(self.after, REST))
        found: Numbers = np.clip(_share(self.before, RIGHT) - rest_fell, 0, 1)
        return found


def _share(sums: Numbers, column: int) -> Numbers:
    found: Numbers = sums[..., column] / np.maximum(sums[..., COUNT], 1e-9)
    return found


def _weighed(sums: Numbers, worth: Numbers) -> Numbers:
    """Return what verdicts are worth beside the rest: no more than the rest has itself."""
    found: Numbers = sums[..., COUNT] ** 2 / np.maximum(sums[..., WEIGHT], 1e-9) / worth
    return found


def _sides(book: Book, full: Numbers) -> _Sides:
    cells, past = book.cells[full, :BLOCKS], book.past[full]
    newest_first = cells[:, ::-1]
    after = np.cumsum(newest_first[..., :BEGUN], axis=1)[:, LATEST - 1]
    own = past[:, None, :BEGUN] + cells[..., :BEGUN].sum(axis=1)[:, None] - after
    late_squares = np.cumsum(squares_of(newest_first), axis=1)
    squares = past[:, None, SQUARES] + late_squares[:, -1:] - late_squares[:, LATEST - 1]
    late_blocks = np.cumsum(newest_first[..., COUNT] > 0, axis=1)
    blocks = past[:, None, FOLDED] + late_blocks[:, -1:] - late_blocks[:, LATEST - 1]
    chi, freedom = _chi(own, squares), np.maximum(0, blocks - 1)
    worth = _worth(book, full, chi, freedom)
    promised = book.promised[full][:, None]
    lent = np.minimum(promised[..., COUNT], np.maximum(0, LENT - own[..., COUNT]))
    borrowed = promised / np.maximum(promised[..., :1], 1) * lent[..., None]
    return _Sides(own[..., :BEGUN] + borrowed, after, worth, borrowed)


def _worth(book: Book, full: Numbers, chi: Numbers, freedom: Numbers) -> Numbers:
    """Return φ of some parts."""
    uneven = _unevenness(book)[full][:, None]
    all_chi, all_freedom = book.dispersion
    usual = (all_chi + WORTH_OF_EVENNESS * uneven) / (all_freedom + WORTH_OF_EVENNESS)
    own = (chi + WORTH_OF_OWN * usual) / (freedom + WORTH_OF_OWN)
    found: Numbers = np.maximum(np.maximum(own, uneven), max(1.0, book.multiplicity))
    return found


def _may_have_fallen(book: Book, full: Numbers) -> Numbers:
    """Pick the parts to look at: no other one can meet what `_find_falls` asks for.

    What was before is a mixture of the past, the older blocks and the test set; the newest two
    blocks must each be nearer to after, which is ten points lower at least.
    """
    cells = book.cells[full, :BLOCKS, : RIGHT + 1]
    older = _share(np.cumsum(cells, axis=1), RIGHT).max(axis=1)
    best = np.maximum(older, _share(book.past[full], RIGHT))
    best = np.maximum(best, _share(book.promised[full], RIGHT))
    limit = best - DEEP_FOR_A_DAY / 2
    found: Numbers = np.all(_share(cells[:, -2:], RIGHT) < limit[:, None], axis=1)
    return found


def _find_falls(book: Book, full: Numbers, now: float) -> None:
    sides, cells = _sides(book, full), book.cells[full, :BLOCKS]
    expected, reached = sides.expected, _share(sides.after, RIGHT)
    before, after = _weighed(sides.before, sides.worth), _weighed(sides.after, sides.worth)
    both = (before * expected + after * reached) / np.maximum(before + after, 1e-9)
    ratio = before * kl(expected, both) + after * kl(reached, both)
    looks = book.looks[full][:, None]
    first = cells[:, BLOCKS - LATEST]
    deep = np.where(now - first[..., BEGUN] < DAY, DEEP, DEEP_FOR_A_DAY)
    limit = np.clip(expected - deep, 0, 1)
    has_fallen = (
        (first[..., COUNT] > 0)
        & (sides.before[..., COUNT] >= FEWEST_BEFORE)
        & (ratio >= np.log(book.size * looks * (looks + 1) / DOUBT))
        & (reached < limit)
        & (after * kl(reached, limit) >= SURE)
        & (expected - reached >= OWN * (_share(sides.before, RIGHT) - reached))
        & _is_bad_still(cells, (expected + reached) / 2)
    )
    for place in np.flatnonzero(has_fallen.any(axis=1)).tolist():
        part = int(full[place])
        if part not in book.fallen:
            likeliest = int(np.argmax(np.where(has_fallen[place], ratio[place], 0.0)))
            book.fallen[part] = _fallen(sides, place, likeliest, float(ratio[place, likeliest]),
                                        float(first[place, likeliest, BEGUN]))  # fmt: skip


def _is_bad_still(cells: Numbers, middle: Numbers) -> Numbers:
    """Tell whether each of the newest two blocks is nearer to after than to before."""
    newest = cells[:, -2:]
    found: Numbers = np.all(_share(newest, RIGHT)[:, None] < middle[..., None], axis=-1)
    return found


def _fallen(sides: _Sides, place: int, likeliest: int, ratio: float, since: float) -> Fallen:
    """Say what was before by the part's own verdicts, or by the test set where these are fewer."""
    lent, after = sides.lent[place, likeliest], sides.after[place, likeliest]
    own = sides.before[place, likeliest] - lent
    is_promised = bool(lent[COUNT] > own[COUNT])
    told = lent if is_promised else own
    return Fallen(
        since=since,
        before=float(told[RIGHT] / told[COUNT]),
        before_count=round(float(told[COUNT])),
        before_rest=float(told[REST] / told[COUNT]),
        is_promised=is_promised,
        then=float(after[RIGHT] / after[COUNT]),
        count=int(after[COUNT]),
        right=int(after[RIGHT]),
        rest=float(after[REST] / after[COUNT]),
        ratio=ratio,
    )


def _end_falls(book: Book, full: Numbers) -> None:
    """End the falls of parts that are surely back; what was bad is not kept as their past."""
    for part in set(book.fallen) & set(full.tolist()):
        fallen, cells = book.fallen[part], book.cells[part, :BLOCKS]
        for latest in LATEST.tolist():
            first = cells[BLOCKS - latest]
            if not first[COUNT] or first[BEGUN] < fallen.since:
                break
            newest = cells[BLOCKS - latest :, :BEGUN].sum(axis=0)
            if _is_back(newest, fallen, book.multiplicity):
                del book.fallen[part]
                cells[: BLOCKS - latest] = 0
                break


def _is_back(newest: Numbers, fallen: Fallen, worth: float) -> bool:
    count = float(newest[COUNT])
    if count < FEWEST_BACK:
        return False
    reached, rest = float(newest[RIGHT]) / count, float(newest[REST]) / count
    expected = fallen.before - max(0.0, fallen.before_rest - rest)
    is_near = reached >= expected - BACK * (fallen.before - fallen.then)
    sure = count / worth * float(kl(np.array(reached), np.array(fallen.then)))
    return is_near and reached > fallen.then and sure >= SURELY_BACK
