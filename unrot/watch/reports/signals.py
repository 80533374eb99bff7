"""Signals as people look at them: how many of each, and what the model's rules say they mean.

They stand apart: most come from one side only (there is a basket abandoned, and none kept), so that
beside verdicts they would pull accuracy down on the day they are first sent. A prediction with a
verdict is counted under its signals, but what it means is for the verdict to say.

    >>> seen = signals_in({"abandoned": {"alone": 40, "beside": 2}}, {"abandoned": "wrong"})
    >>> seen[0].words, said_by(seen).value
    ('40 counted as wrong, 2 with a verdict, which wins', 0.0)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unrot.core.signals import MEANINGS, Meaning
from unrot.watch.statistics.accuracy import Share, share


@dataclass(frozen=True, slots=True)
class SignalCount:
    """How many predictions have one signal."""

    name: str
    meaning: Meaning
    alone: int
    """Those that nobody judged: what the rule says counts for them."""
    beside: int
    """Those with a verdict, which wins."""

    @property
    def count(self) -> int:
        """All of them."""
        return self.alone + self.beside

    @property
    def words(self) -> str:
        """Say what they count as."""
        if self.meaning == "counted":
            return MEANINGS["counted"]
        beside = f", {self.beside:,} with a verdict, which wins" if self.beside else ""
        return f"{self.alone:,} {MEANINGS[self.meaning]}{beside}"


def signals_in(
    counted: Mapping[str, Mapping[str, int]], meanings: Mapping[str, Meaning]
) -> list[SignalCount]:
    """Return what windows have counted, the most frequent first."""
    found = [
        SignalCount(name, meanings.get(name, "counted"), row.get("alone", 0), row.get("beside", 0))
        for name, row in counted.items()
    ]
    return sorted((one for one in found if one.count), key=lambda one: (-one.count, one.name))


def said_by(seen: Sequence[SignalCount]) -> Share:
    """Return how often signals say right, of those that say right or wrong."""
    right = sum(one.alone for one in seen if one.meaning == "right")
    wrong = sum(one.alone for one in seen if one.meaning == "wrong")
    return share(right, right + wrong)


def by_meaning(seen: Sequence[SignalCount]) -> dict[Meaning, int]:
    """Count signals by what they count as; of those beside a verdict none says anything."""
    counts: dict[Meaning, int] = {"right": 0, "wrong": 0, "counted": 0}
    for one in seen:
        counts[one.meaning] += one.count if one.meaning == "counted" else one.alone
    return counts
