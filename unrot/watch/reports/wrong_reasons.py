"""Which reasons go wrong: what the wrong answers lean on, of those whose reasons a judge had seen.

A verdict that somebody gives after an explanation keeps its three strongest reasons, and windows
count right and wrong by each. A reason stands out where wrong answers name it more often than right
ones do, by Fisher's exact test, Holm's for all that are looked at.

    >>> counted = {"": {"right": 60, "wrong": 40}, "thal": {"right": 12, "wrong": 31},
    ...            "age": {"right": 40, "wrong": 25}}
    >>> found = count_reasons(counted)
    >>> [(one.feature, one.right, one.wrong, one.stands_out) for one in found.reasons]
    [('thal', 12, 31, True), ('age', 40, 25, False)]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unrot.core.time import DAY
from unrot.core.windows import total
from unrot.serve.service import Service
from unrot.watch.statistics.accuracy import Share, share
from unrot.watch.statistics.chances import chance_of_more
from unrot.watch.statistics.distances import holm

DAYS = 30
SURE = 0.05
FEWEST = 10
"""Wrong answers whose reasons were seen: of fewer nothing is said."""

Counted = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Reason:
    """A feature among the three strongest reasons of some answers that were judged."""

    feature: str
    right: int
    wrong: int
    chance: float
    """Of being named so much more often by wrong answers, were it alike; after Holm."""
    stands_out: bool

    @property
    def wrong_share(self) -> Share:
        """How often the answers that lean on it are wrong."""
        return share(self.wrong, self.right + self.wrong)


@dataclass(frozen=True, slots=True)
class WrongReasons:
    """What right and wrong answers lean on."""

    right: int
    wrong: int
    reasons: Sequence[Reason]
    """Those that stand out first, then by how many wrong answers name them."""

    @property
    def judged(self) -> int:
        """The answers that were judged by who had seen their reasons."""
        return self.right + self.wrong

    @property
    def can_tell(self) -> bool:
        """Whether there are enough to say which stand out."""
        return self.wrong >= FEWEST

    @property
    def outstanding(self) -> Sequence[Reason]:
        """Those that wrong answers lean on more than right ones do."""
        return [one for one in self.reasons if one.stands_out]


def wrong_reasons_of(
    service: Service, model: str, since: float | None, until: float
) -> WrongReasons:
    """Return what answers lean on that were asked for in a stretch of time: else the last month.

    A stretch without an end goes up to now.
    """
    until = min(until, service.clock())
    begin = until - DAYS * DAY if since is None else since
    key = service.catalogue().model(model).model.key
    return count_reasons(
        total(service.store.traffic.windows(key, since=begin, until=until)).reasons
    )


def count_reasons(counted: Counted) -> WrongReasons:
    """Say of what windows have counted which reasons stand out."""
    whole = counted.get("", {})
    right, wrong = whole.get("right", 0), whole.get("wrong", 0)
    named = {
        name: (row.get("right", 0), row.get("wrong", 0)) for name, row in counted.items() if name
    }
    chances = holm(
        {
            name: chance_of_more(with_wrong, wrong, with_right, right)
            for name, (with_right, with_wrong) in named.items()
        }
        if wrong >= FEWEST
        else {}
    )
    found = [
        Reason(name, *row, chance := chances.get(name, 1.0), chance <= SURE)
        for name, row in named.items()
        if sum(row)
    ]
    found.sort(key=lambda one: (not one.stands_out, -one.wrong, one.feature))
    return WrongReasons(right, wrong, found)
