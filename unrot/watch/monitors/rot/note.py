"""What the course of a model's rot has to remember between two looks, and how it is written down.

All verdicts of a stream have been gone through once, in their order. The newest are read again at
each look; of those behind them their counts by kind of hour are enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from unrot.watch.eras import Key
from unrot.watch.monitors.rot.sums import Behind
from unrot.watch.notes import read_note, write_note

EDITION = 2
"""The form of the note; one of another form is begun anew."""

FIRST: Key = (0.0, 0.0, "")


@dataclass(frozen=True, slots=True)
class Fallen:
    """A fall that is not over: since when, and what was and is reached."""

    since: float
    """When the first prediction after it was made."""
    key: Key
    """The first verdict after it."""
    champion: str
    """The version that it befell."""
    before: float
    """Accuracy, or mean absolute error."""
    before_verdicts: int
    after: float
    """What was reached when it was found."""
    is_from_start: bool
    statistic: float
    threshold: float
    usual: float
    """Before, as shares of wrong verdicts or mean ranks."""
    wrong: float
    worth: float = 1.0
    """So many verdicts are worth one independent one."""
    is_of_answers: bool = False
    """True where the test set promised it of the answers that were judged, not of all."""

    @property
    def right_before(self) -> float:
        """How often it was right, or was to be expected to be at these hours, if that is less.

        Of three verdicts all may be right by chance, and no version is ever as right as that.
        """
        return min(self.before, 1 - self.usual)


@dataclass(frozen=True, slots=True)
class StreamState:
    """How far a stream was gone through, and how it stands there."""

    line: tuple[str, ...] = ()
    """The versions whose verdicts it is made of."""
    read_from: Key = FIRST
    """Verdicts up to this one are behind."""
    seen: Key = FIRST
    """The newest verdict that was looked at."""
    looked: int = 0
    """So many there were then, those behind too. One that comes late is one more, though it stands
    before the newest."""
    begins_at: float = 0.0
    count: int = 0
    """Verdicts that are behind, those of falls that are over too."""
    behind: Behind = field(default_factory=Behind.nothing)
    """Those of them that tell what is usual."""
    fallen: Fallen | None = None
    fell: Behind = field(default_factory=Behind.nothing)
    """Those behind that came after the fall."""
    other: Fallen | None = None
    """A fall of a version that answers no more."""
    worth: float = 1.0
    """Verdicts behind worth an independent one, on average of what was put there."""
    patience: int = 0
    """Up to so many verdicts it does not look again at what was not believed."""
    sample: tuple[float, ...] = ()
    """Of numbers the first absolute errors, in order: the scale of ranks."""
    edges: tuple[float, ...] = ()
    """What parts the first answers into fifths, where they are numbers."""
    answers: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Of the verdicts that tell what is usual and are behind, by what was answered: how many there
    are, and how many of them are wrong, or the sum of their ranks."""


def to_note(standing: StreamState) -> dict[str, Any]:
    """Write where it stands as JSON has it.

    >>> from_note(to_note(StreamState(("v1",), count=3))).line
    ('v1',)
    """
    return {"edition": EDITION, **write_note(standing)}


def from_note(note: Any) -> StreamState:
    """Read what `to_note` wrote; nothing is where it begins."""
    if not note or note.get("edition") != EDITION:
        return StreamState()
    return read_note(StreamState, note)
