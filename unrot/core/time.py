"""Moments as they are written and read, and the hours of the day and kinds of days they are of.

All is UTC. What is usual on a Sunday night is not what is at noon: a cycle is known once it was
gone through, and until then a moment is held only against moments of its own kind, or against
those close by.

    >>> hour_of(1_767_312_000.0), is_weekend(1_767_312_000.0)   # Friday, 2 January 2026, 00:00
    (0, False)
    >>> stratum(1_767_312_000.0 + 86_400 + 3_600)
    25
    >>> iso_time(1_767_312_000.5), short_time(1_767_312_000.5)
    ('2026-01-02T00:00:00.500+00:00', '2026-01-02 00:00 UTC')
    >>> read_time("2026-01-02"), read_time("2026-01-02T01:00:00+01:00")
    (1767312000.0, 1767312000.0)
    >>> read_moment("2026-01-02 00:00"), read_moment("1767312000")
    (1767312000.0, 1767312000.0)
"""

from __future__ import annotations

from datetime import UTC, datetime

from unrot.core.plurals import counted

MINUTE, HOUR, DAY, WEEK = 60, 3_600, 86_400, 604_800
"""Seconds."""
MINUTES_AN_HOUR, MINUTES_A_DAY = 60, 1_440
UNDO_SECONDS = 10 * MINUTE
"""So long a page offers to take back what can be taken back."""
LATEST = 4_102_444_800.0
"""The year 2100: what is larger is not meant as seconds."""
MOMENT_EXPECTED = "a time such as 2026-01-02, 2026-01-02T09:00:00Z or 1767312000"
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


def utc(at: float) -> datetime:
    """Return a moment as a date and a time."""
    return datetime.fromtimestamp(at, UTC)


def iso_time(at: float) -> str:
    """Write a moment for machines, to the millisecond."""
    return utc(at).isoformat(timespec="milliseconds")


def bare_time(at: float) -> str:
    """Write a moment to the minute, where the zone is said beside it."""
    return utc(at).strftime("%Y-%m-%d %H:%M")


def short_time(at: float) -> str:
    """Write a moment for people."""
    return f"{bare_time(at)} UTC"


def spoken_age(seconds: float) -> str:
    """Say how long something is ago, in its largest unit.

    >>> [spoken_age(seconds) for seconds in (59.0, 3_599.0, 7_200.0, 90_000.0)]
    ['less than a minute', '59 minutes', '2 hours', '1 day']
    """
    for unit, length in (("day", DAY), ("hour", HOUR), ("minute", MINUTE)):
        if seconds >= length:
            return counted(seconds // length, unit)
    return "less than a minute"


def read_time(text: str) -> float:
    """Read ISO 8601; without a zone it is UTC. Raise ValueError for what is no time."""
    read = datetime.fromisoformat(text)
    try:
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except OverflowError as error:
        raise ValueError("beyond the years that there are") from error


def read_moment(text: str) -> float:
    """Read a moment that people name: ISO 8601, or seconds since 1970; ValueError for others."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = read_time(text.strip())
    if not 0 <= seconds <= LATEST:
        raise ValueError("not within the years 1970 to 2100")
    return seconds
