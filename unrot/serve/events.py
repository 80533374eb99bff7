"""One line of the journal: a prediction, a verdict, refused rows as JSON, in the product's words.

A line is written before the answer is sent and read by the caretaker, perhaps after a crash
and by a newer release: fields may be added, none may change its meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from operator import itemgetter
from typing import Any

import orjson

from unrot.core.records import Feedback, Prediction, Rejection, UnverifiedFeedback
from unrot.core.table import Table
from unrot.serve.rows import NAMES, Rows

Event = Prediction | Feedback | UnverifiedFeedback | Rejection
_KINDS: dict[str, type[Event]] = {
    "prediction": Prediction,
    "feedback": Feedback,
    "unverified": UnverifiedFeedback,
    "rejected": Rejection,
}
PREDICTION = "prediction"
AT_ONCE = 100_000
"""Bytes: the objects of more take memory that has to be asked for each time, which takes longer
than to read them."""

_FIELDS = {kind: {entry.name for entry in fields(kind)} for kind in _KINDS.values()}
_NAMES = {event_type: kind for kind, event_type in _KINDS.items()}
_NO_EVENT = (orjson.JSONDecodeError, KeyError, TypeError, AttributeError)
_columns_of = itemgetter(*NAMES)

_TEXT: frozenset[type] = frozenset([str])
_NUMBER: frozenset[type] = frozenset([float, int])
_LIST: frozenset[type] = frozenset([list])
_NOTHING: frozenset[type] = frozenset([type(None)])
_TYPES = (
    _TEXT | _NOTHING,
    _TEXT,
    _TEXT,
    _NUMBER,
    _LIST,
    _TEXT | _NOTHING,
    _LIST | _NOTHING,
    _NUMBER | _NOTHING,
    _NUMBER,
)
"""What the columns of predictions hold, in their order."""


@dataclass(frozen=True, slots=True)
class Events:
    """The events of a stretch of journal, by kind, and the lines that could not be read."""

    predictions: Rows = field(default_factory=Rows)
    feedback: list[Feedback] = field(default_factory=list)
    unverified: list[UnverifiedFeedback] = field(default_factory=list)
    unreadable: list[bytes] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)


def to_lines(events: Iterable[Event]) -> bytes:
    """Write events as journal lines."""
    return b"".join(
        orjson.dumps(
            {"kind": _NAMES[type(event)], "event": event}, option=orjson.OPT_APPEND_NEWLINE
        )
        for event in events
    )


def from_lines(lines: bytes) -> Events:
    """Read journal lines; a line that is not an event is returned as it is.

    Many are read at once, and one by one only where some are not what they should be.
    """
    parts = [_read_at_once(part) or _read_one_by_one(part) for part in _parts_of(lines)]
    return Events(
        Rows.together([part.predictions for part in parts]) if parts else Rows(),
        [one for part in parts for one in part.feedback],
        [one for part in parts for one in part.unverified],
        [one for part in parts for one in part.unreadable],
        [one for part in parts for one in part.rejections],
    )


def _parts_of(lines: bytes) -> Iterator[bytes]:
    """Part lines into stretches that are read at once, in memory that the one before has left."""
    start = 0
    while start < len(lines):
        end = lines.find(b"\n", start + AT_ONCE) + 1 or len(lines)
        yield lines[start:end]
        start = end


def _read_at_once(lines: bytes) -> Events | None:
    """Read lines as one list; None where one of them is not an event."""
    lines = lines.removesuffix(b"\n")
    try:
        read = orjson.loads(b"[" + lines.replace(b"\n", b",") + b"]")
        if len(read) != (lines.count(b"\n") + 1 if lines else 0):
            return None
        made = [one["event"] for one in read if one["kind"] == PREDICTION]
        rows = Rows.read(map(_columns_of, made))
        others = [_event_of(one) for one in read if one["kind"] != PREDICTION]
    except _NO_EVENT:
        return None
    return _sorted(rows, others) if _is_sound(rows) else None


def _read_one_by_one(lines: bytes) -> Events:
    predictions: list[Prediction] = []
    others: list[Event] = []
    unreadable: list[bytes] = []
    for line in lines.splitlines():
        event = _from_line(line)
        if isinstance(event, Prediction):
            predictions.append(event)
        elif event is not None:
            others.append(event)
        else:
            unreadable.append(line)
    return _sorted(Rows.of(predictions), others, unreadable)


def _sorted(rows: Rows, others: Sequence[Event], unreadable: Sequence[bytes] = ()) -> Events:
    return Events(
        rows,
        [one for one in others if isinstance(one, Feedback)],
        [one for one in others if isinstance(one, UnverifiedFeedback)],
        list(unreadable),
        [one for one in others if isinstance(one, Rejection)],
    )


def _from_line(line: bytes) -> Event | None:
    try:
        event = _event_of(orjson.loads(line))
    except _NO_EVENT:
        return None
    return event if not isinstance(event, Prediction) or _is_sound(Rows.of([event])) else None


def _event_of(data: Any) -> Event:
    kind = _KINDS[data["kind"]]
    return kind(**{name: value for name, value in data["event"].items() if name in _FIELDS[kind]})


def _is_sound(rows: Rows) -> bool:
    """Tell whether every column holds what it should: one wrong value would stop all behind it."""
    return all(
        isinstance(column, Table) or set(map(type, column)) <= allowed
        for column, allowed in zip(rows.columns, _TYPES, strict=True)
    )
