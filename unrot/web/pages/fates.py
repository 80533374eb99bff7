"""What became of all verdicts as a bar of parts that add up."""

from __future__ import annotations

from dataclasses import dataclass

from unrot.core.records import Fates


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the bar: from where to where it goes, in hundredths of the whole."""

    kind: str
    said: str
    count: int
    start: float
    width: float
    details: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Bar:
    """All verdicts of a model as one line of versions sees them."""

    verdicts: int
    parts: tuple[Part, ...]

    @property
    def sum(self) -> str:
        """Say the sum as people write it: `12 + 5 + 9 = 26`."""
        return " + ".join(f"{part.count:,}" for part in self.parts) + f" = {self.verdicts:,}"


def added_up(fates: Fates) -> Bar:
    """Make a bar of fates.

    >>> bar = added_up(Fates(20, 4, {"v2": 12}, 3, {"outside the training range": 1}))
    >>> [(part.said, part.start, part.width) for part in bar.parts][:2]
    [('learnt by v2', 0.0, 60.0), ('held out to judge', 60.0, 15.0)]
    >>> bar.sum
    '12 + 3 + 1 + 4 = 20'
    """
    aside = tuple(sorted(fates.set_aside.items(), key=lambda one: (-one[1], one[0])))
    counted = [
        *(("learnt", f"learnt by {name}", count, ()) for name, count in fates.learnt.items()),
        ("held", "held out to judge", fates.held_out, ()),
        ("aside", "set aside", sum(fates.set_aside.values()), aside),
        ("waiting", "waiting", fates.waiting, ()),
    ]
    parts: list[Part] = []
    start = 0.0
    for kind, said, count, details in counted:
        if count:
            width = 100 * count / fates.verdicts
            parts.append(Part(kind, said, count, start, width, details))
            start += width
    return Bar(fates.verdicts, tuple(parts))
