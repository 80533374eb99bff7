"""Whose word it is: judges, many visitors, or one who has judged most of it alone.

>>> one = Outcome("p", "v1", 0.0, 0.0, was_correct=False, subject="a")
>>> whose([one, one]).words, whose([one, one]).is_one_voice
('by one visitor', True)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unrot.core.plurals import counted
from unrot.core.records import Outcome


@dataclass(frozen=True, slots=True)
class Whose:
    """Who gave some verdicts."""

    verdicts: int
    trusted: int
    """Of them by judges."""
    subjects: int
    """How many others gave the rest."""
    largest: int
    """How many are of the one of these who gave most."""

    @property
    def is_one_voice(self) -> bool:
        """True where no judge confirms, and one subject holds most of the verdicts."""
        return not self.trusted and 2 * self.largest > self.verdicts

    @property
    def voice(self) -> str:
        """Name the one who holds most of them."""
        return "one visitor" if self.subjects == 1 else "mostly one visitor"

    @property
    def is_of_judges(self) -> bool:
        """True where judges gave at least half of them."""
        return 2 * self.trusted >= self.verdicts

    @property
    def words(self) -> str:
        """Say who gave them."""
        visitors = "one visitor" if self.subjects == 1 else counted(self.subjects, "visitor")
        if not self.trusted:
            return f"by {visitors}"
        if self.trusted == self.verdicts:
            return "by judges"
        rest = self.verdicts - self.trusted
        return f"{self.trusted:,} by judges, {rest:,} by {visitors}"

    def said_of(self, verdicts: str) -> str:
        """Say whose these are: `9 verdicts by judges`; `9 verdicts, 5 by judges, 4 by …`."""
        is_mixed = 0 < self.trusted < self.verdicts
        return f"{verdicts}{',' if is_mixed else ''} {self.words}"


def whose(outcomes: Sequence[Outcome]) -> Whose:
    """Return who gave the verdicts; those of whom nothing is known count as one."""
    others = Counter(one.subject for one in outcomes if not one.is_trusted)
    given = sum(others.values())
    return Whose(len(outcomes), len(outcomes) - given, len(others), max(others.values(), default=0))


def told_by(evidence: Mapping[str, Any]) -> Whose | None:
    """Read whose verdicts a finding rests on, where it tells."""
    told = evidence.get("whose")
    if not isinstance(told, Mapping):
        return None
    names = ("verdicts", "trusted", "subjects", "largest")
    return Whose(*(int(told.get(name, 0)) for name in names))
