"""The hour of the day and the kind of day: what is usual on a Sunday night is not what is at noon.

Hours and days are those of UTC. A cycle is known once it was gone through; until then a moment is
held only against moments of its own kind, or against those close by.

    >>> hour_of(1_767_312_000.0), is_weekend(1_767_312_000.0)   # Friday, 2 January 2026, 00:00
    (0, False)
    >>> stratum(1_767_312_000.0 + 86_400 + 3_600)
    25
"""

from __future__ import annotations

MINUTE, HOUR, DAY, WEEK = 60, 3_600, 86_400, 604_800
"""Seconds."""
MINUTES_AN_HOUR, MINUTES_A_DAY = 60, 1_440
STRATA = 48
"""Hours of working days, then those of weekends."""


def hour_of(at: float) -> int:
    """Return the hour of the day."""
    return int(at % DAY // HOUR)


def is_weekend(at: float) -> bool:
    """Tell whether a moment is on a Saturday or Sunday; 1970 began on a Thursday."""
    return int(at // DAY) % 7 in (2, 3)


def stratum(at: float) -> int:
    """Return the place of a moment among the hours of working days and of weekends."""
    return hour_of(at) + 24 * is_weekend(at)
