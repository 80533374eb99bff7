"""What explains verdicts at hours that were not seen before: harder hours, or a fall?

A small fall at such hours (all of the first day, the first weekend) may be a part of the week that
is harder. Two things tell them apart before the week is over.

**It is no turn of the week.** On a first Saturday the hours of the day are known from working days
(`usual_hours.py`). What is left is that weekends as such are harder, and that begins with the
weekend. So it is a fall where verdicts, less what was usual at their hours, are worse than before
on this very weekend, or were so already on the Friday:

    now - before > 3.09 · √(v φ (1/n + 1/m))

**It is no wave of a day.** On a first day a step is held against the best wave of 24 hours that
swings by no more than a cycle does (25 points): what the step explains of the squares must be more
by 2.58² · v φ. Only verdicts that come fast (256 within three quarters of an hour) can tell that.

Both are asked only where the verdicts are a fall by the bound of `rule.py`, and so spend nothing of
it; they are what is left of the chance that a harder part of the week is taken for one. Their
errors are those of one question; they are asked again at each place that is such a fall.

    >>> at = np.arange(6_000) * 4.32                            # 20,000 a day
    >>> wave = np.sin(at / DAY * 2 * np.pi) / 10
    >>> step = np.where(np.arange(6_000) < 4_500, 0.0, 0.07)
    >>> for one in (wave, step):
    ...     print(round(float(explained_by_wave(at, one - one.mean()) / one.var()) / len(at), 2))
    1.0
    0.79
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
"""So many verdicts within so long after a place can tell a step from a wave."""
PHASES = np.arange(96) / 96 * 2 * np.pi
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


def is_no_wave(tape: Tape, places: Numbers, end: int, *, worth: float) -> Numbers:
    """Tell where a step explains the last day surely better than any wave of a day does."""
    first = int(np.searchsorted(tape.at, tape.at[end - 1] - DAY))
    told = tape.wrong[first:end] - tape.wrong[first:end].mean()
    before, after = np.maximum(places - first, 0), end - places
    apart = (tape.total[end] - tape.total[places]) / after
    apart -= (tape.total[places] - tape.total[first]) / np.maximum(before, 1)
    step = before * after / (before + after) * apart**2
    spread = variance(tape.wrong[first:end].mean(keepdims=True), ranks=tape.ranks)[0] * worth
    soon = np.searchsorted(tape.at, tape.at[places] + SOON, side="right")
    is_fast = (np.minimum(soon, end) - places >= FAST) & (before >= after)
    lead = step - explained_by_wave(tape.at[first:end], told)
    found: Numbers = is_fast & (lead >= CLEARLY**2 * spread)
    return found


def explained_by_wave(at: Numbers, told: Numbers) -> float:
    """Return how much of the squares the best wave of a day explains."""
    turn = (at / DAY)[:, None] * 2 * np.pi
    waves = np.concatenate([np.cos(turn), np.sin(turn)], axis=1)
    waves -= waves.mean(axis=0)
    ways = np.stack([np.cos(PHASES), np.sin(PHASES)])
    along, squares = (told @ waves) @ ways, (ways * (waves.T @ waves @ ways)).sum(axis=0)
    depth = np.clip(along / np.maximum(squares, _LEAST), 0, DEEP / 2)
    return float((2 * depth * along - depth**2 * squares).max())
