"""The words and the port of retention: what is let go, what is added up, what stays.

limits    until when rows of a model are let go
bite      what one small step did, and where the next one begins
tidied    what was let go of a model so far, by kind, and since when all of it is kept
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from unrot.core.records import Profile

Tidiable = Literal[
    "predictions",
    "judged predictions",
    "verdicts without a prediction",
    "verdicts kept apart",
    "unverified verdicts",
    "profiles",
    "checks",
    "deliveries",
    "minute totals",
    "hour totals",
    "short profiles",
    "hour profiles",
]
"""What is let go; totals and short profiles are added up to longer ones, so nothing is lost."""

Old = Literal[
    "verdicts without a prediction",
    "verdicts kept apart",
    "unverified verdicts",
    "profiles",
    "checks",
    "deliveries",
]

IMPORTING = "import-"
"""How writers are called that bring logs in; what they brought stays until it is removed."""

HOUR, DAY = 60, 1440
"""How many minutes buckets stand for."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Which predictions are let go."""

    unjudged_before: float
    judged_before: float
    protected: Collection[str] = field(default=frozenset())
    """Predictions that somebody still goes through."""


@dataclass(frozen=True, slots=True)
class Bite:
    """What one small step did."""

    done: int
    """Rows that went."""
    next: tuple[float, str] | None
    """Where the next step begins; None when the round is over."""


@dataclass(frozen=True, slots=True)
class Tidied:
    """What was let go of a model so far."""

    model: str
    what: Tidiable
    at: float
    dropped: int
    kept_since: float


@dataclass(frozen=True, slots=True)
class Level:
    """Totals or profiles of one length."""

    seconds: int
    rows: int
    """How many of them there are."""
    predictions: int
    """What they stand for."""
    since: float


@dataclass(frozen=True, slots=True)
class Stock:
    """What is kept of a model; it is read from totals and costs the same however much there is."""

    answered: int
    """Predictions that were ever counted."""
    kept: int
    kept_since: float | None
    windows: Sequence[Level]
    profiles: Sequence[Level]
    versions: int
    pruned: int
    """Versions whose files were let go; their records stay."""


class Tidying(Protocol):
    """Lets go of rows in small bites; each is one transaction."""

    def newest(self, model: str, rows: int) -> float:
        """Return from when on the newest predictions are so many; 0 when there are no more."""
        ...

    def drop_predictions(
        self, model: str, limits: Limits, *, after: tuple[float, str], most: int, now: float
    ) -> Bite:
        """Look at so many predictions from a key (time, id) on, and let go of those past limits."""
        ...

    def drop_old(self, model: str, what: Old, *, before: float, most: int, now: float) -> int:
        """Let go of at most so many rows that are older; return how many."""
        ...

    def roll_windows(
        self, model: str, *, after: int, before: float, minutes: int, now: float
    ) -> int | None:
        """Add the first hour or day of finer totals from a minute on up to one; None if there is
        none, else the minute from which to go on."""
        ...

    def short_profiles(
        self, model: str, *, after: float, before: float, seconds: int, most: int
    ) -> list[Profile]:
        """List profiles that can become one of so many seconds, the first such group, no data."""
        ...

    def put_together(self, gone: Sequence[Profile], whole: Profile, *, now: float) -> bool:
        """Put one profile in the place of several; False when one of them has changed."""
        ...

    def tidied(self, model: str) -> list[Tidied]:
        """Say what was let go of a model."""
        ...

    def stock(self, model: str) -> Stock:
        """Say what is kept of a model."""
        ...
