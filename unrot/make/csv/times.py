"""When a row was logged, in the spellings that logs have.

ISO 8601 with or without a zone, and the time since 1970 in seconds, milliseconds, microseconds or
nanoseconds, told apart by their size. What could mean two days, such as 3/4/2026, is not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

EXPECTED = "2026-01-31T12:00:00Z or so, or the seconds or milliseconds since 1970"
UNITS = ((1e8, 1e11, 1.0), (1e11, 1e14, 1e3), (1e14, 1e17, 1e6), (1e17, 1e20, 1e9))
"""From, below, and how many of them are a second; a smaller number is a day or an id, no time."""

_NUMBER = re.compile(r"[0-9]{9,20}(\.[0-9]*)?")
_SLASHED = re.compile(r"([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})(?![0-9/])")
_WORD_FOR_UTC = re.compile(r" ?(Z|UTC|GMT)$", re.IGNORECASE)
_SPACED_ZONE = re.compile(r" (?=[+-][0-9]{2}:?[0-9]{2}$)")


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in seconds since 1970, and whether its text said where on earth."""

    at: float
    has_zone: bool


def moment(text: str) -> Moment | None:
    """Read a time; one without a zone is read as UTC. None when it is not one."""
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return _since_1970(float(text))
    text = _SLASHED.sub(_dashed, text)
    text = _SPACED_ZONE.sub("", _WORD_FOR_UTC.sub("+00:00", text))
    try:
        read = datetime.fromisoformat(text)
        if read.tzinfo is not None:
            return Moment(read.timestamp(), has_zone=True)
        return Moment(read.replace(tzinfo=UTC).timestamp(), has_zone=False)
    except (ValueError, OverflowError):
        return None


def _since_1970(number: float) -> Moment | None:
    for low, high, a_second in UNITS:
        if low <= number < high:
            return Moment(number / a_second, has_zone=True)
    return None


def _dashed(found: re.Match[str]) -> str:
    year, month, day = found.groups()
    return f"{year}-{month:0>2}-{day:0>2}"
