"""A change detector on the stream of verdicts: is a model right less often than it was?

Each verdict is a number x between 0 and 1: right (0) or wrong (1); of numbers the rank of the error
among the first ones of its stream. For a place s where something may have changed, the verdicts
after it are held against what is usual at their hours (`usual_hours.py`), by the likelihood of two
coins, kl being their divergence:

    R(s) = (n · kl(before, all) + m · kl(after, all)) / φ      ranks: 6 · i · (after - before)²

n verdicts of before, m after, i = n m / (n + m) / φ what they say together, and φ how many rows one
independent one is worth (`worth/verdicts.py`). For one s, i runs like a clock and the difference
like a Brownian motion in it. So a bet on a fall, of a depth that is drawn from half a normal curve,
wins nothing on average where there is none, at whatever moment one stops:

    M(s) ≥ (2 eˣ - 1) / √(1 + i/ρ)        x = R(s) / (1 + ρ/i)
    P(Σ α(s) M(s) ≥ 1 at any time) ≤ Σ α(s) = δ

because a sum of such bets is one (Ville). So what places beside each other say is added up, none
is asked to prove the fall alone, and nothing is spent on rises.

Every 4th place is looked at up to 256 verdicts on, every 32nd up to 2,048 and every 256th as long
as can be read; the α of all places of a level add up to its δ, half of it on the first 8,192
verdicts, a quarter on the next 16,384, and so on. With δ = 0.5, 1 and 2 % and 1 % for what the
test set promised, a steady stream is taken for a fall with a chance of 4.5 % at most, whatever its
length. The normal approximation is in the mixture alone; bench/rot.py measures what is left.

Until a week was seen, half of the α of a place is spent on all verdicts after it, a quarter on
those at hours that were seen, a quarter on those just after it.

What comes at an hour that was never seen may be a part of the week that is harder. There only
counts what is no turn of the week and no wave of a day (`new_hours.py`), what is abrupt, ten
minutes against the half hour before, or what is surely (97.5 %) deeper than a cycle: more than 25
points, or errors 1.75 times as large. And one burst of errors is no fall: the newest third of the
verdicts has to be bad too, and where three quarters of them or one solid run are wrong it takes 55.

Robbins, Annals of Mathematical Statistics 41 (1970) 1397-1409; Howard, Ramdas, McAuliffe, Sekhon,
Annals of Statistics 49 (2021) 1055-1080, for half a normal curve; Shin, Ramdas, Rinaldo, New
England Journal of Statistics in Data Science 2 (2024) 229-260, for sums of bets; Maillard,
Proceedings of Machine Learning Research 98 (2019) 610-632, for the ranks.

    >>> steady = Tape.of([0.0] * 9 + [1.0], times=30)
    >>> find_fall(steady, 300) is None
    True
    >>> fallen = Tape.of([*steady.wrong, *[0.0, 0.0, 1.0, 1.0, 1.0] * 8])
    >>> fall = find_fall(fallen, 340)
    >>> fall.place, round(fall.statistic, 1), round(fall.threshold, 1)
    (299, 11.2, 3.4)

A thousand paths without a fall, each looked at two thousand times; one in twenty may err:

    >>> told = np.arange(1.0, 2_001.0)
    >>> paths = np.random.default_rng(1).normal(size=(1_000, 2_000)).cumsum(axis=1)
    >>> ratios = np.maximum(paths, 0) ** 2 / 2 / told
    >>> float((ratios >= boundary(told, log(20), 50.0)).any(axis=1).mean())
    0.042
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrot.core.time import DAY, HOUR
from unrot.watch.monitors.rot.new_hours import DEEP, is_no_turn, is_no_wave
from unrot.watch.monitors.rot.sums import SEEN, Behind, Tape
from unrot.watch.monitors.rot.sums import known as known_at
from unrot.watch.monitors.rot.usual_hours import KINDS, PROMISE, RANKS, Usual, usual, variance

Numbers = NDArray[Any]

EPOCH = 8_192
"""Half of the δ of a level is spent on the places of the first so many verdicts."""
REACH = 64
"""A level looks so many of its steps back."""
FEWEST_AFTER = 5
"""Verdicts after a change below which it is not believed, whatever the ratio."""
NEARLY_ALL = 0.75
"""Where so many are wrong at once, it may be one burst of errors."""
SOLID, BESIDE = 55, 15
"""Unless 15 verdicts beside the longest run of wrongs are bad as well, it takes 55 in all."""
NEAR = HOUR / 2, HOUR / 6
"""So near before and after a place no hour of the day explains a difference."""
LONG = 10.0
"""So many times the usual wait is a pause."""
SURELY = 1.96
"""Standard errors that chance alone exceeds in 2.5 %."""
STILL = 6.0
"""A stretch that is e⁶ times likelier as bad as after a fall is still of it."""
FAR = 1.75
"""So many times larger are errors than a cycle explains."""
FEW_UNSEEN, MOSTLY = 0.05, 0.5
"""Shares of verdicts at hours that are not known."""


@dataclass(frozen=True, slots=True)
class Level:
    """Which places are looked at, and what chance of being wrong is spent on them."""

    step: int
    every: int
    """It looks once in so many verdicts."""
    delta: float
    rho: float


LEVELS = (Level(4, 4, 0.005, 5.0), Level(32, 16, 0.01, 50.0), Level(256, 64, 0.02, 100.0))
NEEDED = log(1 / sum(level.delta for level in LEVELS))
"""ln 1/δ: what the evidence of all places together has to reach."""
LITTLE = log(REACH)
"""A bet that has won less than a 64th of what is needed is left out."""


@dataclass(frozen=True, slots=True)
class Bet:
    """A place at which a fall is bet on, and what the bet has won, as a logarithm."""

    won: float
    place: int
    step: int
    before: float
    each: Numbers = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Fall:
    """Where a stream of verdicts fell, and how surely."""

    place: int
    """The first verdict after the change."""
    statistic: float
    threshold: float
    each: Numbers = field(repr=False, compare=False)
    """What was usual at each kind of hour before."""
    worth: float = 1.0
    is_from_start: bool = False
    """True where it is the test set that verdicts are held against."""


def find_fall(tape: Tape, end: int, *, worth: float = 1.0) -> Fall | None:
    """Look at the verdicts up to a place for the moment from which on fewer are right."""
    bets = [bet for level in LEVELS for bet in _bets(tape, end, level, worth)]
    if _won_by(bets) < 0:
        return None
    lasting = [bet for bet in bets if _lasts(tape, bet.place, end, bet.before)]
    if (won := _won_by(lasting)) < 0:
        return None
    best = max(lasting, key=lambda bet: bet.won)
    place = _refined(tape, best.place, end, best.step, best.each)
    if not _lasts(tape, place, end, float(best.each[tape.kinds[place:end]].mean())):
        return None
    return Fall(place, won + NEEDED, NEEDED, best.each, worth)


def _won_by(bets: Sequence[Bet]) -> float:
    return float(np.logaddexp.reduce([bet.won for bet in bets])) if bets else -inf


def _bets(tape: Tape, end: int, level: Level, worth: float) -> list[Bet]:
    """Return the bets of a level that have won enough to matter."""
    places = _not_calm(tape, _places(level, tape, end), end, level)
    if not len(places):
        return []
    won, known = _held_against(tape, places, end, level, worth)
    return [
        Bet(float(won[at]), int(places[at]), level.step, float(known.share[at]), known.each[at])
        for at in np.flatnonzero(won >= -LITTLE).tolist()
    ]


def _places(level: Level, tape: Tape, end: int) -> Numbers:
    last = tape.offset + end
    if last % level.every:
        return np.zeros(0, dtype=np.intp)
    first = max(tape.offset, last - REACH * level.step, 1)
    fewest = max(FEWEST_AFTER, level.step)
    places = np.arange(-(-first // level.step) * level.step, last - fewest + 1, level.step)
    return (places - tape.offset).astype(np.intp)


def _not_calm(tape: Tape, places: Numbers, end: int, level: Level) -> Numbers:
    """Leave out places whose bet cannot matter: its ratio is at most m · kl(after, least)."""
    if not len(places) or tape.strange[end] > tape.strange[places[0]]:
        return places
    count = end - places
    after = (tape.total[end] - tape.total[places]) / count
    if tape.ranks:
        most = 6 * count * (after - tape.least) ** 2
    else:
        most = count * divergence(after, tape.least)
    least = float(cost_of(level, tape.offset + places[:1])[0]) - LITTLE - log(2)
    found: Numbers = places[(after > tape.least) & (most >= least)]
    return found


def _held_against(
    tape: Tape, places: Numbers, end: int, level: Level, worth: float
) -> tuple[Numbers, Usual]:
    """Return what the bet on each place has won, and what was usual before it."""
    rows, wrong = tape.behind.rows + tape.rows[places], tape.behind.wrong + tape.wrongs[places]
    now, bad = tape.rows[end] - tape.rows[places], tape.wrongs[end] - tape.wrongs[places]
    moments = tape.at[np.minimum(places, len(tape.at) - 1)]
    seen = known_at(tape.at, moments, tape.behind.rows, tape.rows, tape.begins_at)
    cost = cost_of(level, tape.offset + places)
    cost += np.where(seen[:, :PROMISE].all(axis=1), 0.0, log(2))
    known = usual(rows, wrong, now, ranks=tape.ranks, worth=worth)
    count = now.sum(axis=1)
    share = bad.sum(axis=1) / count
    won = _won(tape, known.share, known.rows, share, count, cost, level, worth)
    if seen.any():
        spread = variance(share, ranks=tape.ranks) * worth
        seen |= is_no_turn((rows, wrong), (now, bad), seen, known.each, spread)
    there = (now * seen).sum(axis=1)
    unseen = 1 - there / count
    if (unseen <= 0).all():
        return won, known
    is_told = (unseen <= FEW_UNSEEN) | _is_deep(tape, places, end, known.share, share, count, worth)
    asked = ~is_told & (won >= -LITTLE)
    if asked.any() and is_no_wave(tape, end, worth=worth):
        is_told |= asked
    won = np.where(is_told, won, -inf)
    cost = cost + log(2)
    won = np.logaddexp(won, _near(tape, places, end, unseen >= MOSTLY, cost, level, worth))
    if there.any():
        only = usual(rows, wrong, now * seen, ranks=tape.ranks, worth=worth)
        share = (bad * seen).sum(axis=1) / np.maximum(there, 1)
        more = _won(tape, only.share, only.rows, share, there, cost, level, worth)
        won = np.logaddexp(won, more)
    return won, known


def cost_of(level: Level, places: Numbers) -> Numbers:
    """Return ln 1/α of each place of the stream."""
    epoch = np.floor(np.log2(places / EPOCH + 1))
    found: Numbers = log(2 * EPOCH / level.step / level.delta) + 2 * log(2) * epoch
    return found


def _won(
    tape: Tape,
    before: Numbers,
    rows: Numbers,
    after: Numbers,
    count: Numbers,
    cost: Numbers,
    level: Level,
    worth: float,
) -> Numbers:
    """Return ln α · M of verdicts before and after: what the bet on a fall has won."""
    told = np.maximum(rows * count / np.maximum(rows + count, 1e-9) / worth, 1e-9)
    if tape.ranks:
        ratios = 6 * told * (after - before) ** 2
    else:
        whole = (before * rows + after * count) / np.maximum(rows + count, 1e-9)
        ratios = (rows * divergence(before, whole) + count * divergence(after, whole)) / worth
    power = np.maximum(ratios, 0.0) / (1 + level.rho / told)
    won = power + np.log(2 - np.exp(-power)) - np.log1p(told / level.rho) / 2 - cost
    return np.where(after > before, won, -inf)


def boundary(told: Numbers, cost: Numbers | float, rho: float) -> Numbers:
    """Return what a ratio has to reach at any time; `told` independent rows say what it says."""
    least = np.logaddexp(0.0, cost + np.log1p(told / rho) / 2) - log(2)
    found: Numbers = (1 + rho / told) * least
    return found


def _near(
    tape: Tape,
    places: Numbers,
    end: int,
    is_asked: Numbers,
    cost: Numbers,
    level: Level,
    worth: float,
) -> Numbers:
    """Hold the verdicts just after a place against those just before it."""
    total = tape.total
    moments = tape.at[np.minimum(places, len(tape.at) - 1)]
    first = np.searchsorted(tape.at, moments - NEAR[0])
    last = np.minimum(np.searchsorted(tape.at, moments + NEAR[1], side="right"), end)
    before, after = np.maximum(places - first, 0), last - places
    is_asked = is_asked & (before >= SEEN) & (after >= max(level.step, FEWEST_AFTER))
    shares = (
        (total[places] - total[first]) / np.maximum(before, 1),
        (total[last] - total[places]) / np.maximum(after, 1),
    )
    won = _won(tape, shares[0], before * 1.0, shares[1], after * 1.0, cost, level, worth)
    return np.where(is_asked, won, -inf)


def _is_deep(
    tape: Tape,
    places: Numbers,
    end: int,
    before: Numbers,
    after: Numbers,
    count: Numbers,
    worth: float,
) -> Numbers:
    """Tell where the verdicts after a place are surely worse than any hour of the day explains."""
    if not tape.ranks:
        return surely_deeper(before, after, count, worth)
    behind, far = tape.errors[places], tape.errors[end] - tape.errors[places]
    rows = np.maximum(tape.behind.count + places, 1)
    was = (tape.behind.absolute + behind[:, 0]) / rows
    is_now, squared = far[:, 0] / count, far[:, 1] / count
    spread = np.sqrt(np.maximum(squared - is_now**2, 0.0) * worth / count)
    is_far: Numbers = is_now - SURELY * spread > FAR * was
    return is_far


def surely_deeper(before: Numbers, after: Numbers, count: Numbers, worth: float) -> Numbers:
    """Tell where so much more is wrong that no hour of the day explains it."""
    reach = SURELY * np.sqrt(variance(after, ranks=False) * worth / count)
    found: Numbers = after - reach > before + DEEP
    return found


def _lasts(tape: Tape, place: int, end: int, before: float) -> bool:
    """Tell whether the newest verdicts are bad as well, and it is more than one burst."""
    told = tape.wrong[place:end]
    bad = (before + told.mean()) / 2
    if told[-max(len(told) // 3, FEWEST_AFTER) :].mean() < bad:
        return False
    if len(told) >= SOLID:
        return True
    beside = _beside_longest_run(told)
    return told.mean() < NEARLY_ALL and (len(beside) >= BESIDE and float(beside.mean()) >= bad)


def _beside_longest_run(told: Numbers) -> Numbers:
    """Return the verdicts that are not of the longest run of wrong ones, single rights included."""
    is_right = told <= 0.5
    is_right[1:-1] &= is_right[:-2] | is_right[2:]
    ends = np.flatnonzero(np.concatenate([[True], is_right, [True]]))
    at = int(np.argmax(np.diff(ends)))
    return np.delete(told, np.arange(ends[at], ends[at + 1] - 1))


def _refined(tape: Tape, place: int, end: int, step: int, each: Numbers) -> int:
    """Return the likeliest place of a change (Page 1954), from a little before one on.

    A world changes in time and not in verdicts: a pause, as of a night, may hold the change.
    """
    first, last = max(place - step, 0), end - FEWEST_AFTER
    told, before = tape.wrong[first:end], each[tape.kinds[first:end]]
    pauses = _pauses(tape.at[first:end])[: last - first + 1]
    for _ in range(3):  # The nearer the place, the clearer how bad it is after it.
        gains = _gains(told, before, float(told[place - first :].mean()), ranks=tape.ranks)
        place = first + int(np.argmax(np.cumsum(gains[::-1])[::-1][: last - first + 1] + pauses))
    return place


def _pauses(moments: Numbers) -> Numbers:
    """Return how much likelier a change is before each moment, where no verdict came for long."""
    waited = np.diff(moments, prepend=moments[:1])
    found: Numbers = np.log(np.maximum(waited / (LONG * max(float(np.median(waited)), 1.0)), 1.0))
    return found


def _gains(told: Numbers, before: Numbers | float, after: float, *, ranks: bool) -> Numbers:
    """Return how much more likely each verdict is after a fall than before it, as logarithms."""
    if ranks:
        found: Numbers = (after - before) * (told - (after + before) / 2) / RANKS
        return found
    before, after = np.clip(before, 1e-3, 1 - 1e-3), float(np.clip(after, 1e-3, 1 - 1e-3))
    likelier: Numbers = told * np.log(after / before)
    likelier += (1 - told) * np.log((1 - after) / (1 - before))
    return likelier


def find_rise(tape: Tape, end: int, usual: float, wrong: float) -> int:
    """Return the place from which on verdicts are as before a fall, and no stretch as after it."""
    gains = _gains(tape.wrong[:end], usual, wrong, ranks=tape.ranks)
    place = int(np.argmin(np.cumsum(gains[::-1])[::-1]))
    while True:
        sums = np.concatenate([[0.0], np.cumsum(gains[place:])])
        rises = sums - np.minimum.accumulate(sums)
        if rises.max() < STILL:
            return place
        place += int(np.argmax(rises))


def is_risen(tape: Tape, place: int, end: int, *, fell: Behind, since: float, worth: float) -> bool:
    """Tell whether verdicts from a place on are surely better than those after the fall.

    They are so at the hours at which it was bad (a good day ends no bad nights), or they have
    been for a whole day, or for ten times as long as a short fall took.
    """
    rows, wrong = fell.rows + tape.rows[place], fell.wrong + tape.wrongs[place]
    rows[PROMISE] = wrong[PROMISE] = 0.0
    now, bad = tape.rows[end] - tape.rows[place], tape.wrongs[end] - tape.wrongs[place]
    lasted = tape.at[end - 1] - tape.at[place]
    is_long = lasted >= min(10 * (tape.at[place] - since), DAY)
    asked = np.ones(KINDS) if is_long else (rows >= SEEN) * 1.0
    count = float((now * asked).sum())
    if not count:
        return False
    was = usual(rows[None], wrong[None], (now * asked)[None], ranks=tape.ranks, worth=worth)
    share = np.array([float((bad * asked).sum()) / count])
    level = Level(1, 1, 1.0, 10.0)
    counts = np.array([count])
    won = _won(tape, 1 - was.share, was.rows, 1 - share, counts, CURED, level, worth)
    return bool(won[0] >= 0)


CURED = np.array([log(1 / 0.01)])
"""ln 1/α of a recovery that is none, for one place at any time."""


def divergence(shares: Numbers, whole: Numbers | float) -> Numbers:
    """Return the divergence of coins from one coin; 0 · ln 0 is 0."""
    tiny = 1e-12
    whole = np.clip(whole, tiny, 1 - tiny)
    shares = np.clip(shares, tiny, 1 - tiny)
    found: Numbers = shares * np.log(shares / whole) + (1 - shares) * np.log(
        (1 - shares) / (1 - whole)
    )
    return found
