"""A clock that goes when it is told to."""

from __future__ import annotations

from dataclasses import dataclass

NOON = 1_700_049_600.0


@dataclass
class Clock:
    """A clock that goes when it is told to."""

    now: float = NOON

    def __call__(self) -> float:
        return self.now
