"""What is usual at a time: how far a column lay from training at that hour of earlier days.

A weekend is unlike training every week, and a night every day. Once k earlier days of a kind are
known (the same hour, working days or weekends), the distance of now is held against theirs, with
their own spread s, which holds whatever makes days differ and not only the chance of rows:

    t = (d − mean) / (s · √(1 + 1/k))        Student's t with k − 1 degrees of freedom

One day counts once, however many rows or periods it had. Of three days little can be said, of ten
a lot; that is what the degrees of freedom do.

Student, Biometrika 6 (1908) 1-25; Whitmore, The American Statistician 40 (1986) 141-143.

    >>> days = [0.31, 0.33, 0.30, 0.32, 0.31, 0.33, 0.32, 0.31]
    >>> round(farther_chance(0.33, days), 2), farther_chance(0.6, days) < 1e-6
    (0.13, True)
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev

from unrot.core.time import DAY, HOUR, WEEK, is_weekend

KNOWN = 3
"""So many earlier days of a kind make it known."""
LOOK_BACK = 28
"""So many earlier days, or weeks where periods are that long, are looked at."""
FARTHER = 0.05
"""So unlikely must a day be by Student's t to be held to what days of its kind are."""
LEAST_SPREAD = 0.01
"""Of distances; that of a few days may be less by chance."""

Span = tuple[float, float]


def like_spans(ends_at: float, seconds: float) -> list[Span]:
    """Return when the like periods of earlier days ended: after the first, up to the second.

    Like is the same hour of the day (or the day, or the week), of the same kind of day.

    >>> friday = 1_767_312_000.0 + DAY
    >>> [(end - friday) / DAY for _, end in like_spans(friday, DAY)][:6]
    [-1.0, -2.0, -3.0, -4.0, -7.0, -8.0]
    """
    begins = ends_at - seconds
    step = DAY if seconds <= DAY else max(WEEK, seconds)
    is_short = seconds < HOUR
    hour = begins // HOUR * HOUR
    after, until = (hour, hour + HOUR) if is_short else (ends_at - 1.0, ends_at)
    backs = [number * step for number in range(1, LOOK_BACK + 1)]
    return [
        (after - back, until - back)
        for back in backs
        if step > DAY or is_weekend(begins - back) == is_weekend(begins)
    ]


def farther_chance(distance: float, earlier: Sequence[float]) -> float:
    """Return how likely a distance so large is on one more day like earlier ones."""
    if len(earlier) < 2:
        return 1.0
    from scipy.special import stdtr

    spread = max(stdev(earlier), LEAST_SPREAD) * (1 + 1 / len(earlier)) ** 0.5
    return float(stdtr(len(earlier) - 1, (fmean(earlier) - distance) / spread))
