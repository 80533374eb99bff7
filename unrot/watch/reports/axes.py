"""A column as the axis of a chart that is shared by several: what fits on it, and what is chosen.

Numbers lie where they are; a few that lie far outside all others stand at the edge, since one
outlier would press everything else into a line. Choices lie in the order of the schema, what
training never saw and the rarest together at the end.

    >>> from unrot.core.records import Feature
    >>> axis = choices("colour", ["red", "blue", "mauve"], known=("red", "green", "blue"))
    >>> axis.choices, axis.place("blue"), axis.place("mauve")
    (('red', 'green', 'blue', 'other'), 2.0, 3.0)
    >>> numbers("size", [*map(float, range(101)), None, 9e9]).high
    110.0
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import Literal

import numpy as np

from unrot.core.errors import wrong_field
from unrot.core.records import Value
from unrot.watch.profiles.columns import text

MOST_CHOICES = 20
OTHER, UNKNOWN = "other", "unknown"
"""What is called none of the listed choices, and a gap."""
NEARLY_ALL = (0.02, 0.98)
FAR = 3.0
"""What lies so many times the width of nearly all values beyond them is far out."""
ASIDE = 0.1
"""So much of the width of the others lies between them and the edge at which the far ones stand."""

Limits = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Axis:
    """One column and the places of its values: numbers as they are, choices in their order."""

    column: str
    kind: Literal["number", "choice"]
    low: float = 0.0
    high: float = 1.0
    choices: tuple[str, ...] = ()
    has_gaps: bool = False
    far_out: int = 0
    """So many values lie beyond its ends."""
    limits: Limits = (None, None)
    """The part that is looked at closely, both ends included."""

    @property
    def is_limited(self) -> bool:
        """True when only a part of it is looked at closely."""
        return self.limits != (None, None)

    def place(self, value: Value) -> float:
        """Return where a value lies; a gap lies below all numbers, and is the last choice."""
        if self.kind == "number":
            return -inf if value is None else float(value)
        choice = UNKNOWN if value is None else text(value)
        return float(self.choices.index(choice if choice in self.choices else OTHER))

    def holds(self, value: Value) -> bool:
        """Tell whether a value lies within the limits."""
        low, high = self.limits
        place = self.place(value)
        return (low is None or place >= low) and (high is None or place <= high)

    def limited(self, low: str, high: str) -> Axis:
        """Look at a part closely, given as typed: numbers, or choices; empty is open."""
        ends = (self._end(low), self._end(high))
        if None not in ends and ends[0] > ends[1]:  # type: ignore[operator]
            ends = (ends[1], ends[0])
        return replace(self, limits=ends)

    def _end(self, typed: str) -> float | None:
        typed = typed.strip()
        if not typed:
            return None
        if self.kind == "choice":
            if typed in self.choices:
                return float(self.choices.index(typed))
            expected = f"one of {', '.join(self.choices)}"
        else:
            try:
                number = float(typed)
            except ValueError:
                number = float("nan")
            if isfinite(number):
                return number
            expected = "a number, such as 1.5"
        raise wrong_field(self.column, typed, expected)


def numbers(column: str, values: Sequence[Value]) -> Axis:
    """Make an axis of numbers, without the few that lie far outside."""
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    has_gaps = len(known) < len(values)
    if not len(known):
        return Axis(column, "number", has_gaps=has_gaps)
    start, end = np.quantile(known, NEARLY_ALL).tolist()
    reach = FAR * (end - start) or inf
    near = known[(known >= start - reach) & (known <= end + reach)]
    low, high = float(near.min()), float(near.max())
    aside = ASIDE * (high - low)
    low -= aside if known.min() < low else 0.0
    high += aside if known.max() > high else 0.0
    far_out = len(known) - len(near)
    return Axis(column, "number", low, high, has_gaps=has_gaps, far_out=far_out)


def choices(column: str, values: Sequence[Value], known: Sequence[Value]) -> Axis:
    """Make an axis of choices: the known ones in their order, all others at the end."""
    found = Counter(text(value) for value in values if value is not None)
    named = [text(value) for value in known]
    if len(named) > MOST_CHOICES:
        common = sorted(named, key=lambda one: -found[one])[:MOST_CHOICES]
        named = [one for one in named if one in common]
    others = [OTHER] if any(one not in named for one in found) else []
    gaps = [UNKNOWN] if None in values else []
    listed = (*named, *others, *gaps)
    return Axis(column, "choice", 0.0, float(len(listed) - 1), listed, has_gaps=bool(gaps))
