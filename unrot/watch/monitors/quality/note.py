"""How far the look for broken data has gone through time, and what it knows there.

>>> stream = Stream(since=0.0)
>>> stream.gather(Piece(0.0, 60.0, 20.0, {}), least=30) is None
True
>>> stream.gather(Piece(60.0, 120.0, 20.0, {}), least=30).rows
40.0
"""

from __future__ import annotations

from dataclasses import dataclass, field

from unrot.core.time import WEEK
from unrot.watch.monitors.quality.rule import Course, Piece


@dataclass(slots=True)
class Stream:
    """Rows on their way through time: those on the bins of one reference, or those refused."""

    since: float
    waiting: Piece | None = None
    """What was gathered and has not enough rows yet."""
    course: Course = field(default_factory=Course)

    def gather(self, piece: Piece, least: int) -> Piece | None:
        """Take more rows; return all that was gathered once it is enough."""
        whole = piece if self.waiting is None else self.waiting.with_(piece)
        self.waiting = None if whole.rows >= least else whole
        return whole if self.waiting is None else None

    def known(self, at: float) -> float:
        """Return which part of a week was seen by a moment."""
        return min(1.0, max(0.0, at - self.since) / WEEK)


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
