"""One line of the journal: a prediction, a verdict, refused rows as JSON, in the product's words.

Predictions that one request asked for are told together, up to 250 on a line: what is alike in
them once, the rest by columns, tables of numbers to the bit.

A line is written before the answer is sent and read by the caretaker, perhaps after a crash
and by a newer release: fields may be added, none may change its meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import chain, repeat
from operator import itemgetter
from typing import Any

import orjson

from unrot.core.records import ClientKey, Feedback, Prediction, Rejection, UnverifiedFeedback
from unrot.core.table import Table, as_table
from unrot.core.windows import grouped
from unrot.serve.rows import NAMES, Rows

Event = Prediction | Feedback | UnverifiedFeedback | Rejection | ClientKey
_KINDS: dict[str, type[Event]] = {
    "prediction": Prediction,
    "feedback": Feedback,
    "unverified": UnverifiedFeedback,
    "rejected": Rejection,
    "key": ClientKey,
}
PREDICTION, PREDICTIONS = "prediction", "predictions"
ROWS_OF_A_LINE, CELLS_OF_A_LINE = 250, 10_000
"""So few that a commit of any store takes all that comes of a line, long texts among it."""

AT_ONCE = 100_000
"""Bytes: the objects of more take memory that has to be asked for each time, which takes longer
than to read them."""

_SELDOM = (
    *(("reward", None), ("signal", ""), ("reasons", ()), ("by_judge", False)),
    *(("asked", False), ("unasked_too", False)),
)
"""Left out of a verdict's line."""

_FIELDS = {kind: {entry.name for entry in fields(kind)} for kind in _KINDS.values()}
_NAMES = {event_type: kind for kind, event_type in _KINDS.items()}
_NO_EVENT = (ValueError, KeyError, TypeError, AttributeError)
_columns_of = itemgetter(*NAMES)
_kind_of = itemgetter("kind")
_version_of = itemgetter("model", "version")
_told_of = itemgetter("inputs", "labels", "probabilities", "values")
_ROWS = (PREDICTION, PREDICTIONS)

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
    keys: list[ClientKey] = field(default_factory=list)


def to_lines(events: Iterable[Event]) -> bytes:
    """Write events as journal lines."""
    return b"".join(
        orjson.dumps(
            {"kind": _NAMES[type(event)], "event": _told(event)}, option=orjson.OPT_APPEND_NEWLINE
        )
        for event in events
    )


def _told(event: Event) -> Any:
    """Return what is written of an event: of a verdict nothing of what few verdicts have."""
    if not isinstance(event, Feedback | UnverifiedFeedback):
        return event
    plain = asdict(event)
    return {name: value for name, value in plain.items() if (name, value) not in _SELDOM}


def to_lines_of_rows(
    alike: Mapping[str, Any], columns: Mapping[str, Sequence[Any] | None]
) -> bytes:
    """Write predictions of one request; a column that is None is None in each of them."""
    ids, inputs = columns["ids"] or (), columns["inputs"] or ()
    room = min(ROWS_OF_A_LINE, CELLS_OF_A_LINE // max(1, len(inputs[0]))) or 1
    return b"".join(
        orjson.dumps(
            {
                "kind": PREDICTIONS,
                "event": {
                    **alike,
                    **{
                        name: _as_json(column and column[start : start + room])
                        for name, column in columns.items()
                    },
                },
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )
        for start in range(0, len(ids), room)
    )


def _as_json(column: Sequence[Any] | None) -> Any:
    return column.to_json() if isinstance(column, Table) else column


def from_lines(lines: bytes) -> Events:
    """Read journal lines; a line that is not an event is returned as it is.

    Many are read at once, and one by one only where some are not what they should be.
    """
    parts = [_read_at_once(part) or _read_one_by_one(part) for part in _parts_of(lines)]
    return Events(
        Rows.together([part.predictions for part in parts]),
        [one for part in parts for one in part.feedback],
        [one for part in parts for one in part.unverified],
        [one for part in parts for one in part.unreadable],
        [one for part in parts for one in part.rejections],
        [one for part in parts for one in part.keys],
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
        kinds = grouped(read, _kind_of)
        rows = [_rows_of(kind, alike) for kind, alike in kinds.items() if kind in _ROWS]
        others = [_event_of(one) for one in read if one["kind"] not in _ROWS]
    except _NO_EVENT:
        return None
    return _sorted(rows, others) if all(map(_is_sound, rows)) else None


def _read_one_by_one(lines: bytes) -> Events:
    rows: list[Rows] = []
    others: list[Event] = []
    unreadable: list[bytes] = []
    for line in lines.splitlines():
        event = _from_line(line)
        if isinstance(event, Rows):
            rows.append(event)
        elif event is not None:
            others.append(event)
        else:
            unreadable.append(line)
    return _sorted(rows, others, unreadable)


def _sorted(
    rows: Sequence[Rows], others: Sequence[Event], unreadable: Sequence[bytes] = ()
) -> Events:
    return Events(
        Rows.together(rows),
        [one for one in others if isinstance(one, Feedback)],
        [one for one in others if isinstance(one, UnverifiedFeedback)],
        list(unreadable),
        [one for one in others if isinstance(one, Rejection)],
        [one for one in others if isinstance(one, ClientKey)],
    )


def _from_line(line: bytes) -> Event | Rows | None:
    try:
        read = orjson.loads(line)
        if read["kind"] not in _ROWS:
            return _event_of(read)
        rows = _rows_of(read["kind"], [read])
    except _NO_EVENT:
        return None
    return rows if _is_sound(rows) else None


def _rows_of(kind: str, read: Iterable[Any]) -> Rows:
    events = [one["event"] for one in read]
    if kind == PREDICTION:
        return Rows.read(map(_columns_of, events))
    return Rows.together(list(map(_rows_of_lines, grouped(events, _version_of).values())))


def _rows_of_lines(lines: Sequence[Any]) -> Rows:
    """Read what `to_lines_of_rows` wrote of the rows of some requests to one version."""
    ids = [line["ids"] for line in lines]
    counts = list(map(len, ids))
    rows, first = sum(counts), lines[0]
    inputs, labels, shares, values = zip(*map(_told_of, lines), strict=True)
    return Rows(
        list(chain.from_iterable(ids)),
        models=[first["model"]] * rows,
        versions=[first["version"]] * rows,
        times=_repeated([line["predicted_at"] for line in lines], counts),
        inputs=_column_of(inputs, counts),
        labels=_column_of(labels, counts),
        probabilities=_column_of(shares, counts),
        values=_column_of(values, counts),
        seconds=_repeated([line["seconds"] for line in lines], counts),
    )


def _repeated(values: Sequence[Any], counts: Sequence[int]) -> list[Any]:
    return list(chain.from_iterable(map(repeat, values, counts)))


def _column_of(told: Sequence[Any], counts: Sequence[int]) -> Sequence[Any]:
    """Join what lines tell of a column, each by a table, by a list, or by nothing."""
    kinds = set(map(type, told))
    if kinds == {dict}:
        return Table.from_json(told, counts)
    if kinds == {type(None)}:
        return [None] * sum(counts)
    if kinds != {list}:
        told = [_list_of(*each) for each in zip(told, counts, strict=True)]
    if list(map(len, told)) != counts:
        raise ValueError("A column of another length.")
    return as_table(list(chain.from_iterable(told)))


def _list_of(told: Any, count: int) -> Sequence[Any]:
    if told is None:
        return [None] * count
    return Table.from_json([told], [count]) if isinstance(told, dict) else told


def _event_of(data: Any) -> Event:
    kind = _KINDS[data["kind"]]
    return kind(**{name: value for name, value in data["event"].items() if name in _FIELDS[kind]})


def _is_sound(rows: Rows) -> bool:
    """Tell whether every column holds what it should: one wrong value would stop all behind it."""
    return all(
        isinstance(column, Table) or set(map(type, column)) <= allowed
        for column, allowed in zip(rows.columns, _TYPES, strict=True)
    )
