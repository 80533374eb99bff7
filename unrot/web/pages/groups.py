"""A long form in parts that a person can find their way in.

Fields stand under the groups that the model's description gives them. Where it gives none, those
whose names begin alike stand together (`temp_1`, `temp_2`, …), and what is left over comes last.
A part that is still long is cut into runs, headed by the first and the last of their fields.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from unrot.core.records import Feature, Schema
from unrot.web.forms import Field
from unrot.web.wording import spoken

MOST_UNGROUPED = 15
"""As many fields as one form shows at once."""

FEWEST_ALIKE = 3
LONGEST_GROUP = 24
RUN = 20
REST = "More fields"

_BEGINNING = re.compile(r"([^\W\d_]+)(?=[\W\d_])")
_SAYS_NOTHING = {"is", "has", "the", "a", "an", "of"}


@dataclass(frozen=True, slots=True)
class Group:
    """Some fields under one heading."""

    id: str
    heading: str
    fields: Sequence[Field]
    is_open: bool

    @property
    def wrong(self) -> int:
        """How many of its fields need another look."""
        return sum(bool(field.error) for field in self.fields)


def is_long(schema: Schema) -> bool:
    """Tell a form that needs parts, or whose owner wants them."""
    return len(schema.features) > MOST_UNGROUPED or any(one.group for one in schema.features)


def grouped(fields: Sequence[Field]) -> list[Group]:
    """Part the fields of a long form; the first part is open, and each in which one is wrong."""
    headings = _headings([field.feature for field in fields])
    parts: dict[str, list[Field]] = {heading: [] for heading in headings}
    for heading, field in zip(headings, fields, strict=True):
        parts[heading].append(field)
    if REST in parts:
        parts[REST] = parts.pop(REST)
    runs = [run for heading, part in parts.items() for run in _runs(heading, part)]
    are_few = len(fields) <= MOST_UNGROUPED
    return [
        Group(
            f"group-{number}",
            heading,
            part,
            is_open=are_few or number == 0 or any(field.error for field in part),
        )
        for number, (heading, part) in enumerate(runs)
    ]


def _headings(features: Sequence[Feature]) -> list[str]:
    if any(feature.group for feature in features):
        return [feature.group or REST for feature in features]
    beginnings = [_beginning(feature.name) for feature in features]
    counts = Counter(beginnings)
    return [
        beginning if beginning and counts[beginning] >= FEWEST_ALIKE else REST
        for beginning in beginnings
    ]


def _beginning(name: str) -> str:
    """Return the first word of a name of several, as a heading.

    >>> [_beginning(name) for name in ("temp_in", "tempOut", "x12", "is_new", "rooms")]
    ['Temp', '', 'X', '', '']
    """
    found = _BEGINNING.match(name)
    word = found[1] if found else ""
    return "" if word.casefold() in _SAYS_NOTHING else word[:1].upper() + word[1:]


def _runs(heading: str, fields: Sequence[Field]) -> list[tuple[str, Sequence[Field]]]:
    if len(fields) <= LONGEST_GROUP:
        return [(heading, fields)]
    starts = range(0, len(fields), RUN)
    return [(_span(fields[start : start + RUN]), fields[start : start + RUN]) for start in starts]


def _span(fields: Sequence[Field]) -> str:
    first, last = spoken(fields[0].feature), spoken(fields[-1].feature)
    return f"{first} … {last}" if len(fields) > 1 else first
