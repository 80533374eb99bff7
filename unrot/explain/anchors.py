"""The rule that holds an answer: a few conditions on its row, under which it stays what it is.

Such a rule is an anchor (Ribeiro, Singh, Guestrin: Anchors: High-Precision Model-Agnostic
Explanations, AAAI 2018). With f the model, x the row and A the conditions, all true of x,

    precision(A) = share of the z in D(A) with f(z) = f(x)        at least 95 %
    coverage(A)  = share of the rows of the training that A is true of, as large as can be

D(A) are mixed rows: a row of the training, in which each feature of A, where its own value does
not do, has that of another row of which it is true.

Rules grow by one condition a round (a beam search). Which of a round are the best is found with as
few questions to the model as can be, by KL-LUCB (Kaufmann, Kalyanakrishnan: Information complexity
in bandit subset selection, COLT 2013): of the best B the one that may be worst, and of all others
the one that may be best, are drawn again until these bounds are less than ε apart. At step t of K
rules the bounds are those of `bounds.py` at the level

    β(t) = log(k K t^α / δ) + log log(k K t^α / δ)      with α = 1.1, k = 405.5

What seems to hold is then tried with fresh rows, which the search has not seen, the widest first;
it holds where the lower bound of its precision is 95 %. The first that does is made wider (this is
ours): its conditions are loosened or left out, always the one that costs least, as long as the
answer seems to stay; and the widest of these that holds in fresh rows is the rule. The bound is for
all tries together: the rule that is told is wrong in at most 5 % of all cases, however many were
tried.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import orjson
from numpy.typing import NDArray

from unrot.core.ports import Predictor
from unrot.core.records import Row, Schema
from unrot.explain.bounds import highest, interval, lowest
from unrot.explain.conditions import Condition, conditions_of
from unrot.explain.examples import Cells

PRECISION = 0.95
DOUBT = 0.05
MOST_CONDITIONS = 12
BEAM, APART = 8, 0.1
ALPHA, FACTOR = 1.1, 405.5
MOST_STEPS, STEP_ROWS = 20, 100
FIRST_ROWS, FEWEST_FIRST, MOST_FIRST = 8_000, 10, 60
CLOSE = (0, 2, 6)
"""A rule grows by bounds so many quantiles away from the row's own value."""
MOST_ARMS = 48
"""Conditions that rules go on to grow by: those that alone hold the answer best."""
LOOKS = (150, 500, 1_500, 4_000)
"""After so many fresh rows it is asked whether a rule holds."""
TRIES = 5
"""In each round, and when a rule is made wider."""
WIDER_ROWS, WIDER_BY = 250, 2
"""Rows that each wider rule is drawn with, and the quantiles that one bound is moved by."""
SEEMS = 0.965
"""Below this share a wider rule is not gone on with: it would hardly be found to hold."""
SECONDS_AT_ONCE, FEWEST_AT_ONCE, MOST_AT_ONCE = 0.05, 20, 1_000
TRIED_LEVEL = math.log((2 + MOST_CONDITIONS) * TRIES * len(LOOKS) / DOUBT)
SHOWN_LEVEL = math.log(2 / DOUBT)

Places = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """Conditions, how often the answer stays under them, and how many rows they are true of."""

    label: str
    """The class that is answered."""
    conditions: Sequence[Condition]
    holds: bool
    """Whether the answer stays in 95 % of rows, surely; else it is the nearest that was found."""
    precision: float
    precision_from: float
    precision_to: float
    coverage: float
    coverage_from: float
    coverage_to: float
    samples: int
    """The fresh rows that the precision is counted in."""
    is_cut: bool
    """The time was over before all was tried."""
    most_conditions: int = MOST_CONDITIONS
    """No rule of more was looked for."""


@dataclass(slots=True)
class _Tried:
    """One rule of the search, and what was drawn of it."""

    places: Places
    coverage: float
    hits: int = 0
    count: int = 0

    @property
    def mean(self) -> float:
        return self.hits / max(self.count, 1)


def find_rule(
    predictor: Predictor,
    schema: Schema,
    table: Cells,
    row: Row,
    *,
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
) -> Rule:
    """Find the rule that holds the class that is answered to a row."""
    [place] = predictor.predict([row]).classes or (-1,)
    asked = _Asked(predictor, place, clock, clock() + seconds)
    return _Search(_World(schema, table, row), asked, seed_of(row)).rule()


def seed_of(row: Row) -> int:
    """Return where chance begins for a row: each time there."""
    return int.from_bytes(hashlib.sha256(orjson.dumps(list(row))).digest()[:8], "little")


class _World:
    """The rows of the training, the conditions, and which rows each is true of."""

    def __init__(self, schema: Schema, table: Cells, row: Row) -> None:
        self.schema, self.table, self.row = schema, table, row
        self.conditions = conditions_of(schema, table, row)
        self._fits = [one.fits(table[:, one.feature]) for one in self.conditions]
        sides = groupby(range(len(self.conditions)), key=self._side)
        self._lines = [list(line) for _, line in sides]
        self._line_of = {at: line for line in self._lines for at in line}
        """All bounds on one side of one feature, the closest first."""

    def tried(self, places: Places) -> _Tried:
        """Return a rule of which nothing was drawn yet."""
        return _Tried(places, float(self._fitting(places).mean()))

    def rows(self, places: Places, count: int, rng: np.random.Generator) -> Cells:
        """Draw rows of the training, with other rows' values where their own do not do."""
        drawn = rng.integers(0, len(self.table), count)
        made = self.table[drawn]
        for feature, some in groupby(places, key=lambda at: self.conditions[at].feature):
            fits = self._fitting(tuple(some))
            fitting, wrong = np.flatnonzero(fits), np.flatnonzero(~fits[drawn])
            if len(fitting):
                made[wrong, feature] = self.table[rng.choice(fitting, len(wrong)), feature]
            else:
                made[wrong, feature] = self.row[feature]
        return made

    def close(self) -> list[int]:
        """Return the conditions that rules grow by."""
        return [line[step] for line in self._lines for step in CLOSE if step < len(line)]

    def with_one_more(self, places: Places, more: int) -> Places | None:
        """Add a condition; a closer bound takes the place of a wider one, and not the reverse."""
        line = self._line_of[more]
        old = [at for at in places if at in line]
        if old and line.index(old[0]) <= line.index(more):
            return None
        return tuple(sorted({*places, more}.difference(old)))

    def wider(self, places: Places) -> Iterator[Places]:
        """Leave each condition out, or move its bound away."""
        for at in places:
            rest, line = [one for one in places if one != at], self._line_of[at]
            yield tuple(rest)
            if line.index(at) + WIDER_BY < len(line):
                yield tuple(sorted([*rest, line[line.index(at) + WIDER_BY]]))

    def _side(self, at: int) -> tuple[int, str]:
        return self.conditions[at].feature, self.conditions[at].side

    def _fitting(self, places: Places) -> NDArray[np.bool_]:
        if not places:
            return np.ones(len(self.table), dtype=bool)
        found: NDArray[np.bool_] = np.logical_and.reduce([self._fits[at] for at in places])
        return found


@dataclass(slots=True)
class _Asked:
    """The model, asked a piece at a time until the time is over."""

    predictor: Predictor
    place: int
    clock: Callable[[], float]
    until: float
    at_once: int = FEWEST_AT_ONCE

    @property
    def is_over(self) -> bool:
        return self.clock() >= self.until

    def hits(self, rows: Cells) -> NDArray[np.bool_]:
        """Tell of each row whether it is answered as the one row is; of the first ones in time."""
        found: list[int] = []
        while len(found) < len(rows) and not (found and self.is_over):
            begun, some = self.clock(), rows[len(found) : len(found) + self.at_once]
            found += self.predictor.predict(some.tolist()).classes or ()
            each = max(self.clock() - begun, 1e-9) / len(some)
            # A slow model is asked little at once, so that its time can end.
            room = int(min(SECONDS_AT_ONCE / each, 4 * self.at_once))
            self.at_once = min(max(room, FEWEST_AT_ONCE), MOST_AT_ONCE)
        return np.array([place == self.place for place in found], dtype=bool)


@dataclass
class _Search:
    """One search, round by round."""

    world: _World
    asked: _Asked
    seed: int
    best: Rule | None = None
    nearest: Rule | None = None
    rng: np.random.Generator = field(init=False)
    fresh: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng([self.seed, 0])
        self.fresh = np.random.default_rng([self.seed, 1])

    def rule(self) -> Rule:
        """Return the widest rule that holds, or the nearest to it."""
        empty = self.world.tried(())
        beam, arms = [empty], self.world.close()
        is_found = self._try(empty)
        for length in range(MOST_CONDITIONS):
            tried = self._grown(beam, arms)
            if is_found or not tried or self.asked.is_over:
                break
            self._weigh(tried)
            beam = sorted(tried, key=_rank)
            if not length:
                arms = [one.places[0] for one in beam[:MOST_ARMS]]
            found = self._widest(beam)
            if found is not None:
                self._widen(found)
                break
            del beam[BEAM:]
        told = self.best or self.nearest
        assert told is not None  # The rule without conditions was tried.
        return told

    def _grown(self, beam: Sequence[_Tried], arms: Sequence[int]) -> list[_Tried]:
        """Add each condition to each rule."""
        grown = (self.world.with_one_more(one.places, arm) for one in beam for arm in arms)
        return [self.world.tried(places) for places in dict.fromkeys(filter(None, grown))]

    def _widen(self, tried: _Tried) -> None:
        """Make a rule that holds wider, step by step; the widest that holds then is the best."""
        way = [tried]
        while not self.asked.is_over:
            some = [self.world.tried(places) for places in self.world.wider(way[-1].places)]
            some = [one for one in some if one.coverage > way[-1].coverage]
            if some:
                self._draw([(one, WIDER_ROWS) for one in some])
            some = [one for one in some if one.mean >= SEEMS]
            if not some:
                break
            way.append(min(some, key=_rank))
        steps = len(way) - 1
        for part in range(TRIES):
            at = steps - steps * part // TRIES
            if not at or self._try(way[at]):
                return

    # which are the best

    def _weigh(self, tried: Sequence[_Tried]) -> None:
        """Draw of all a little, and then of those that are hard to tell apart (KL-LUCB)."""
        each = min(max(FIRST_ROWS // len(tried), FEWEST_FIRST), MOST_FIRST)
        self._draw([(one, each) for one in tried])
        for step in range(1, MOST_STEPS + 1):
            if len(tried) <= BEAM or self.asked.is_over:
                return
            pair = _hardest(tried, step)
            if pair is None:
                return
            self._draw([(one, STEP_ROWS) for one in pair])

    def _draw(self, wanted: Sequence[tuple[_Tried, int]]) -> None:
        rows = [self.world.rows(one.places, count, self.rng) for one, count in wanted]
        hits, at = self.asked.hits(np.concatenate(rows)), 0
        for one, count in wanted:
            some = hits[at : at + count]
            one.hits, one.count = one.hits + int(some.sum()), one.count + len(some)
            at += count

    # what holds

    def _widest(self, ranked: Sequence[_Tried]) -> _Tried | None:
        """Try what may hold with fresh rows, the widest first; return the first that holds."""
        likely = [one for one in ranked if one.count and one.mean >= PRECISION]
        likely.sort(key=lambda one: (-one.coverage, *_rank(one)))
        return next(filter(self._try, likely[:TRIES] or ranked[:1]), None)

    def _try(self, tried: _Tried) -> bool:
        """Tell whether a rule holds in fresh rows; then it is the best, being wider than others."""
        hits = count = 0
        low, high = 0.0, 1.0
        for look in LOOKS:
            some = self.asked.hits(self.world.rows(tried.places, look - count, self.fresh))
            hits, count = hits + int(some.sum()), count + len(some)
            low, high = interval(hits, count, TRIED_LEVEL)
            if low >= PRECISION or hits / count < PRECISION or count < look:
                break
        rule = self._as_rule(tried, hits, count, low, high)
        if rule.holds:
            self.best = rule
        elif self.nearest is None or rule.precision_from > self.nearest.precision_from:
            self.nearest = rule
        return rule.holds

    def _as_rule(self, tried: _Tried, hits: int, count: int, low: float, high: float) -> Rule:
        size = len(self.world.table)
        covered = interval(round(tried.coverage * size), size, SHOWN_LEVEL)
        return Rule(
            self.world.schema.classes[self.asked.place],
            [self.world.conditions[at] for at in tried.places],
            low >= PRECISION,
            hits / count,
            low,
            high,
            tried.coverage,
            *covered,
            samples=count,
            is_cut=self.asked.is_over,
        )


def _rank(tried: _Tried) -> tuple[float, float, Places]:
    """Put the most precise first, of those as precise the widest."""
    return -tried.mean, -tried.coverage, tried.places


def _hardest(tried: Sequence[_Tried], step: int) -> tuple[_Tried, _Tried] | None:
    """Return which of the best may be worst, and which other may be best; None once it is plain."""
    ranked = sorted(tried, key=_rank)
    shares, counts = np.array([one.mean for one in ranked]), np.array([one.count for one in ranked])
    level = _level(len(tried), step)
    low = lowest(shares[:BEAM], counts[:BEAM], level)
    high = highest(shares[BEAM:], counts[BEAM:], level)
    worst, other = int(low.argmin()), int(high.argmax())
    if high[other] - low[worst] < APART:
        return None
    return ranked[worst], ranked[BEAM + other]


def _level(rules: int, step: int) -> float:
    told = math.log(FACTOR * rules * step**ALPHA / DOUBT)
    return told + math.log(told)
