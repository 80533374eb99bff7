"""How far the look for broken data has gone through time, and what it knows there.

>>> [newest] = Note().walks  # It begins with one stretch, which goes on with time.
>>> newest.to, newest.until, newest.streams
(None, None, {})
"""

from __future__ import annotations

from dataclasses import dataclass, field

from unrot.watch.statistics.risen_share import Stream


@dataclass(slots=True)
class Walk:
    """How far a stretch of time was gone through."""

    to: float | None = None
    """By profiles; None where nothing was yet."""
    counted_to: float | None = None
    """By minutes."""
    until: float | None = None
    """Where it ends; the newest goes on with time."""
    streams: dict[str, Stream] = field(default_factory=dict)
    """By the reference on whose bins rows are counted; refused rows under the empty name."""


@dataclass(slots=True)
class Note:
    """Where this monitor stands."""

    looks: dict[str, int] = field(default_factory=dict)
    run: int = 0
    """The last import that was taken note of."""
    walks: list[Walk] = field(default_factory=lambda: [Walk()])
    """Stretches to go through again, and at last what comes."""
    total: tuple[int, ...] = ()
    next_at: float = 0.0
