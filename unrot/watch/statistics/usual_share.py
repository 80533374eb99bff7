"""Whether something is more often so than usual: a share of rows, against what is known of it.

What is usual is known from training (x₀ of n₀ rows) and from the stream's own past (X of N rows,
in pieces). As one more event than was seen may well have been there,

    p ~ Beta(a, b)        a = x₀ + 1 + X/φ        b = n₀ - x₀ + (N - X)/φ
    P(x or more of n)   = the upper tail of the beta-binomial of n, a and b

With nothing seen in training that is the chance that the x largest of n + n₀ exchangeable rows are
all among the n. φ is how much more the past varied from piece to piece than chance lets it,

    φ = Σ (xᵢ - nᵢ p)² / nᵢ  /  ((k - 1) p (1 - p)),        at least 1

so that a share with a daily cycle, which swings, is given room to swing. Rows that are not
independent count as fewer: n and x are divided by what they are not worth. Where events come in
runs, c of them where c₀ = x (n - x + 1) / n are expected, they are taken for a Markov chain, whose
mean varies 2 c₀/c - 1 times as much as that of independent rows. Where the world itself is slow,
training and the past have shown as much less of it: x₀, n₀, X and N are divided as well.

Looks have no end, so the error that is allowed is spent over them (see `many_looks`).

    >>> round(tail(3, 100, 1, 900), 6), tail(0, 100, 1, 900)    # (100/1000 · 99/999 · 98/998)
    (0.000973, 1.0)
    >>> not_worth(500, 20, runs=1) > 10, not_worth(500, 20, runs=19), not_worth(500, 500, runs=1)
    (True, 1.0, 1.0)

Skellam, J. R. Stat. Soc. B 10 (1948) 257-261; McCullagh and Nelder, Generalized Linear Models
(1989) §4.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, lgamma

import numpy as np

from unrot.watch.statistics.chances import log_choose, sum_of_steps

ENOUGH_PIECES = 2
"""With fewer pieces nothing is known of how the past varies."""


@dataclass(frozen=True, slots=True)
class Past:
    """How often something was so in the pieces of a stream that are over."""

    pieces: int = 0
    rows: float = 0.0
    count: float = 0.0
    squares: float = 0.0
    """The sum of xᵢ² / nᵢ."""

    def after(self, count: float, rows: float) -> Past:
        """Return the past with one piece more."""
        if rows <= 0:
            return self
        return Past(
            self.pieces + 1,
            self.rows + rows,
            self.count + count,
            self.squares + count * count / rows,
        )

    @property
    def spread(self) -> float:
        """Return φ."""
        share = self.count / self.rows if self.rows else 0.0
        if self.pieces < ENOUGH_PIECES or not 0 < share < 1:
            return 1.0
        varied = self.squares - self.count * share
        return max(1.0, varied / ((self.pieces - 1) * share * (1 - share)))


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual: a and b, and what a person is told of it."""

    a: float
    b: float
    share: float
    spread: float = 1.0
    least: float = 1.0
    """What of a would be there had training shown none."""

    def with_past(self, past: Past, slowness: float = 1.0) -> Usual:
        """Return what is usual by both; so many rows of either are worth one."""
        spread = max(past.spread, slowness)
        known = self.a + self.b + past.rows
        share = (self.share * (self.a + self.b) + past.count) / known if known else self.share
        a = self.least + (self.a - self.least) / slowness
        b = max(self.b / slowness, min(self.b, 1.0))
        count, rest = past.count / spread, (past.rows - past.count) / spread
        return Usual(a + count, b + rest, share, spread, self.least)

    def chance(self, count: float, rows: float, worth: float = 1.0) -> float:
        """Return how likely so many or more are; `worth` rows say as much as one."""
        weight = max(1.0, worth, self.spread)
        return tail(count / weight, rows / weight, self.a, self.b)


def tail(count: float, rows: float, a: float, b: float) -> float:
    """Return the upper tail of the beta-binomial; of parts of rows, whole ones count."""
    least, whole = int(count + 1e-9), max(ceil(rows - 1e-9), int(count + 1e-9))
    if least <= 0:
        return 1.0
    places = np.arange(least, whole, dtype=np.float64)
    steps = np.log((whole - places) / (places + 1) * (places + a) / (whole - places - 1 + b))
    return sum_of_steps(_log_chance(least, whole, a, b), steps)


def _log_chance(count: int, rows: int, a: float, b: float) -> float:
    return log_choose(rows, count) + _log_beta(count + a, rows - count + b) - _log_beta(a, b)


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def not_worth(rows: float, count: float, runs: float) -> float:
    """Return how many times as much the count varies as that of independent rows would.

    One run more than was seen is allowed for, as few runs may be few by chance.
    """
    if count <= 1 or rows <= 0:
        return 1.0
    expected = count * (rows - count + 1) / rows
    return max(1.0, 2 * expected / (runs + 1) - 1)
