"""Which verdicts are of one stream: those on what the champion, and the steps to it, have answered.

A version is told by its own predictions, whenever it served: after a rollback the verdicts of its
first time are its own again, and those of the version that it came back from are not. A version
that was fitted afresh begins a stream; small steps of learning go on with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from unrot.core import lineage
from unrot.core.records import CHAMPION, IMPORTED, AliasMove, Outcome, Version
from unrot.hear.late import READ_AGAIN_SECONDS
from unrot.watch.visit import Visit

Key = tuple[float, float, str]
"""Where a verdict stands in the order of verdicts."""


def key_of(outcome: Outcome) -> Key:
    """Return where a verdict stands in the order of verdicts."""
    return outcome.given_at, outcome.predicted_at, outcome.prediction


def mark_of(newest: Outcome, visit: Visit) -> list[Any]:
    """Return what is another when a verdict came, also one of shortly before the newest.

    Those of one second come in any order, from several workers or in two transactions.
    """
    since, until = newest.given_at - READ_AGAIN_SECONDS, newest.given_at + 1
    return [*key_of(newest), visit.store.traffic.count_given(visit.key, since, until)]


def key_from(read: Sequence[Any]) -> Key:
    """Read what JSON has made of a key."""
    return float(read[0]), float(read[1]), str(read[2])


@dataclass(frozen=True, slots=True)
class Era:
    """A champion and what it was learnt from, as far as the version that was fitted afresh."""

    line: tuple[str, ...]
    """The oldest first, the champion last."""
    reigns: tuple[tuple[float, float], ...] = ((0.0, float("inf")),)
    """From when to when one of them was champion."""

    @property
    def champion(self) -> str:
        """The version that answers."""
        return self.line[-1]

    @property
    def since(self) -> float:
        """The second in which its line became champion, the last time; 0 where no other was before.

        A prediction knows the second that it was made in, not more.
        """
        return float(int(self.reigns[-1][0]))

    def holds(self, outcome: Outcome) -> bool:
        """Tell whether a judged prediction is of this era."""
        if outcome.version == IMPORTED:
            return any(begins <= outcome.predicted_at < ends for begins, ends in self.reigns)
        return outcome.version in self.line


def era_of_champion(visit: Visit) -> Era:
    """Return the era of the version that answers now."""
    moves = visit.store.registry.moves(visit.key)
    return era_of(visit.service.versions(visit.key), moves, visit.champion)


def era_of(versions: Sequence[Version], moves: Sequence[AliasMove], champion: str) -> Era:
    """Return the era of a champion."""
    line = tuple(reversed(lineage.learning_line(versions, champion)))
    was = [one for one in moves if one.alias == CHAMPION and one.moved_to is not None]
    starts = [0.0, *(one.moved_at for one in was[1:])]
    ends = [*starts[1:], float("inf")]
    reigns: list[tuple[float, float]] = []
    for move, start, end in zip(was, starts, ends, strict=False):
        if move.moved_to in line:
            is_going_on = bool(reigns) and reigns[-1][1] == start
            reigns.append((reigns.pop()[0] if is_going_on else start, end))
    return Era(line, tuple(reigns) or ((0.0, float("inf")),))
