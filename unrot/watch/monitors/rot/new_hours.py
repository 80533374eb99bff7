"""What explains verdicts at hours that were not seen before: harder hours, or a fall?

A small fall at such hours (all of the first day, the first weekend) may be a part of the week that
is harder. Two things tell them apart before the week is over.

**It is no turn of the week.** On a first Saturday the hours of the day are known from working days
(`usual_hours.py`). What is left is that weekends as such are harder, and that begins with the
weekend. So it is a fall where verdicts, less what was usual at their hours, are worse than before
on this very weekend, or were so already on the Friday:

    now - before > 3.09 · √(v φ (1/n + 1/m))

**It is no wave of a day.** On a first day the best step is held against the best wave of 24 hours
that swings by no more than a cycle does (25 points): what the step explains of the squares must be
more by 2.58² · v φ. Only verdicts that come fast (256 within three quarters of an hour) tell it.
Where the verdicts before the step are as right as the test set promised (2.58 standard errors),
step and wave have to explain the promise as well: the step by what was before it, the wave by its
mean over what comes by, which may itself be a wave of the day. Six flat hours at the promised level
leave little room for a wave that begins to fall in the seventh; of the squares of a step of 7
points it leaves 37 instead of 21 of a hundred.

Both are asked only where the verdicts are a fall by the bound of `rule.py`, and so spend nothing of
it; they are what is left of the chance that a harder part of the week is taken for one. Their
errors are those of one question; they are asked again at each look at such a fall.

    >>> at = np.arange(6_000) * 4.32                            # 20,000 a day
    >>> wave = np.sin(at / DAY * 2 * np.pi) / 10
    >>> step = np.where(np.arange(6_000) < 4_500, 0.0, 0.07)
    >>> for one in (wave, step):
    ...     squares = float(one.var()) * len(at)
    ...     left = left_by_wave(at, one), left_by_wave(at, one, 1_000, one[:4_500].mean())
    ...     print([round(some / squares, 2) for some in left])
    [0.0, 0.01]
    [0.21, 0.37]
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrot.core.time import DAY, HOUR
from unrot.watch.monitors.rot.sums import Tape
from unrot.watch.monitors.rot.usual_hours import GROUPS, PROMISE, variance

Numbers = NDArray[Any]

DEEP = 0.25
"""So much more is wrong than a cycle explains."""
CLEARLY, SURER = 2.58, 3.09
"""Standard errors that chance alone reaches five times, and once, in a thousand."""
SOON, FAST = 0.75 * HOUR, 256
"""So many verdicts within so long after a step can tell it from a wave."""
EVERY = 32
"""A step is looked for at one of so many verdicts."""
PHASES = np.arange(96) / 96 * 2 * np.pi
DEPTHS = np.linspace(0, DEEP / 2, 51)[:, None]
"""How far a wave of a day may go up and down."""
TIDE = 0.5
"""What comes by may be a wave of the day itself, from twice as much as on average to nothing."""
_LEAST = 1e-9


def is_no_turn(
    before: tuple[Numbers, Numbers],
    after: tuple[Numbers, Numbers],
    seen: Numbers,
    each: Numbers,
    spread: Numbers,
) -> Numbers:
    """Tell at which hours not seen before it is no harder kind of day that has begun.

    Rows and wrongs by kind of hour lie before and after each place, each in a line. The hours are
    those that are known from the other kind of day.
    """
    told = seen.copy()
    told[:, :PROMISE] |= np.roll(seen[:, :PROMISE], 24, axis=1)
    rows, off = before[0] @ GROUPS, (before[1] - before[0] * each) @ GROUPS
    is_new = after[0] * (told & ~seen)
    begun = is_new @ GROUPS @ GROUPS.T > 0
    new, known = _off(*after, told & ~seen, each), _off(*after, seen & ~begun, each)
    weights = is_new @ GROUPS / new[0][:, None]
    usual = (weights * off / np.maximum(rows, _LEAST)).sum(axis=1)
    doubt = (weights**2 / np.maximum(rows, _LEAST)).sum(axis=1) + 1 / new[0]
    is_sure = new[1] - usual > SURER * np.sqrt(spread * doubt)
    held = np.maximum((before[0] * (seen & ~begun)).sum(axis=1), _LEAST)
    is_sure |= known[1] > SURER * np.sqrt(spread * (1 / known[0] + 1 / held))
    found: Numbers = told & is_sure[:, None]
    return found


def _off(rows: Numbers, wrong: Numbers, asked: Numbers, each: Numbers) -> tuple[Numbers, Numbers]:
    """Return how many verdicts there are at some hours, and how far they lie from what is usual."""
    count = np.maximum((rows * asked).sum(axis=1), 1)
    return count, ((wrong - rows * each) * asked).sum(axis=1) / count


def is_no_wave(tape: Tape, end: int, *, worth: float) -> bool:
    """Tell whether the best step down explains the last day surely better than any wave does."""
    first = int(np.searchsorted(tape.at, tape.at[end - 1] - DAY))
    at, told = tape.at[first:end], tape.wrong[first:end]
    steps = np.arange(first + EVERY, end, EVERY)
    before, after = steps - first, end - steps
    was = (tape.total[steps] - tape.total[first]) / before
    apart = (tape.total[end] - tape.total[steps]) / after - was
    spread = variance(told.mean(keepdims=True), ranks=tape.ranks)[0] * worth
    lead = left_by_wave(at, told) - _squares(told) + before * after / (before + after) * apart**2
    held, wrong = float(tape.behind.rows[PROMISE]), float(tape.behind.wrong[PROMISE])
    if held:
        level = wrong / held
        off = before * held / (before + held) * (was - level) ** 2
        kept = lead + left_by_wave(at, told, held, level) - left_by_wave(at, told) - off
        lead = np.where(off <= CLEARLY**2 * spread, kept, lead)
    soon = np.searchsorted(tape.at, tape.at[steps] + SOON, side="right")
    is_fast = (np.minimum(soon, end) - steps >= FAST) & (before >= after)
    return bool((is_fast & (apart > 0) & (lead >= CLEARLY**2 * spread)).any())


def left_by_wave(at: Numbers, told: Numbers, held: float = 0.0, level: float = 0.0) -> float:
    """Return the squares that the best wave of a day leaves of values and of a promised level.

    The promise rests on so many rows that were `held` out. It is the mean of what comes by, and so
    of the wave; where more comes at its top than at its bottom, it lies by `TIDE` waves higher.
    """
    turn = (at / DAY)[:, None] * 2 * np.pi
    waves = np.concatenate([np.cos(turn), np.sin(turn)], axis=1)
    ways, count = np.stack([np.cos(PHASES), np.sin(PHASES)]), len(told)
    middle = waves.mean(axis=0)
    waves -= middle
    along, squares = (told - told.mean()) @ waves @ ways, (ways * (waves.T @ waves @ ways)).sum(0)
    left = _squares(told) - 2 * DEPTHS * along + DEPTHS**2 * squares
    off = np.abs(told.mean() - DEPTHS * (middle @ ways) - level) - TIDE * DEPTHS
    left += count * held / (count + held) * np.maximum(off, 0.0) ** 2
    return float(left.min())


def _squares(told: Numbers) -> float:
    return float(told.var()) * len(told)
