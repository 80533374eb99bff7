"""One line of the journal: a prediction, a verdict, refused rows as JSON, in the product's words.

A line is written before the answer is sent and read by the caretaker, perhaps after a crash
and by a newer release: fields may be added, none may change its meaning.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields

import orjson

from unrot.core.records import Feedback, Prediction, Rejection, UnverifiedFeedback

Event = Prediction | Feedback | UnverifiedFeedback | Rejection
_KINDS: dict[str, type[Event]] = {
    "prediction": Prediction,
    "feedback": Feedback,
    "unverified": UnverifiedFeedback,
    "rejected": Rejection,
}
_FIELDS = {kind: {entry.name for entry in fields(kind)} for kind in _KINDS.values()}
_NAMES = {event_type: kind for kind, event_type in _KINDS.items()}


@dataclass(frozen=True, slots=True)
class Events:
    """The events of a stretch of journal, by kind, and the lines that could not be read."""

    predictions: list[Prediction] = field(default_factory=list)
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
    """Read journal lines; a line that is not an event is returned as it is."""
    predictions: list[Prediction] = []
    feedback: list[Feedback] = []
    unverified: list[UnverifiedFeedback] = []
    unreadable: list[bytes] = []
    rejections: list[Rejection] = []
    for line in lines.splitlines():
        event = _from_line(line)
        if isinstance(event, Prediction):
            predictions.append(event)
        elif isinstance(event, Feedback):
            feedback.append(event)
        elif isinstance(event, UnverifiedFeedback):
            unverified.append(event)
        elif isinstance(event, Rejection):
            rejections.append(event)
        else:
            unreadable.append(line)
    return Events(predictions, feedback, unverified, unreadable, rejections)


def _from_line(line: bytes) -> Event | None:
    try:
        data = orjson.loads(line)
        kind = _KINDS[data["kind"]]
        known = {name: value for name, value in data["event"].items() if name in _FIELDS[kind]}
        return kind(**known)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None
