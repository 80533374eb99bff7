"""Everything that can go wrong and that somebody can do something about.

    UnrotError
    ├── BadRequest            the request cannot be read
    ├── WrongType             the request is not of a type that is taken
    ├── Invalid               well-formed but wrong; `details` name row, field, value, expected
    ├── NotFound              no such model, version, alias or verdict
    ├── Conflict              cannot be done now
    │   └── AlreadyRunning    another caretaker looks after the home folder
    ├── TooLarge              more than is taken at once
    ├── NotSigned             an id that this app did not give out
    ├── Expired               a verdict on a prediction that is too old
    ├── NotAllowed            the caller may not
    │   └── NotKnown          the caller must say who it is first
    ├── TooMany               more than one visitor may ask for in this time
    ├── Unavailable           not now; try again
    │   ├── StoreAway         the store does not answer
    │   ├── JournalFull       the journal cannot take a line
    │   └── Undelivered       a webhook or mail server did not take a message
    ├── BadArtefact           a stored file is not what its digest or its types promise
    └── BadSetting            a setting that does not parse

Each has a sentence for people (its message) and a word for programs (`reason`). None knows
HTTP: `unrot/web/errors.py` alone gives them status codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Detail:
    """One wrong field of a request."""

    field: str
    value: Any
    expected: str
    row: int | None = None
    is_missing: bool = False
    """True when nothing was sent for it, which is not the same as null."""

    @property
    def sentence(self) -> str:
        """Say it to a person."""
        where = f"Row {self.row}: " if self.row is not None else ""
        found = "is missing" if self.is_missing else shown(self.value)
        return f"{where}{shown(self.field)[1:-1]} {found}: expected {self.expected}."


class UnrotError(Exception):
    """The root of the tree."""

    reason = "error"

    def __init__(self, message: str, *, reason: str = "", details: Sequence[Detail] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or type(self).reason
        self.details = tuple(details)


class BadRequest(UnrotError):
    """The request cannot be read."""

    reason = "not_json"


class WrongType(UnrotError):
    """The request is not of a type that is taken."""

    reason = "not_json"


class Invalid(UnrotError):
    """The request can be read and is wrong."""

    reason = "invalid"


def wrong_field(
    field: str, value: Any, expected: str, *, row: int | None = None, is_missing: bool = False
) -> Invalid:
    """Return the error of a request in which one field is wrong."""
    detail = Detail(field, value, expected, row, is_missing)
    return Invalid(detail.sentence, details=[detail])


class NotFound(UnrotError):
    """There is no such thing."""

    reason = "not_found"


class Conflict(UnrotError):
    """It cannot be done as things stand."""

    reason = "conflict"


class AlreadyRunning(Conflict):
    """Another caretaker looks after the home folder."""

    reason = "already_running"


class TooLarge(UnrotError):
    """More than is taken at once."""

    reason = "too_large"


class NotSigned(UnrotError):
    """The prediction id was not given out by this app."""

    reason = "unknown_id"


class Expired(UnrotError):
    """The prediction is too old to be judged."""

    reason = "expired"


class NotAllowed(UnrotError):
    """The caller is known and may not."""

    reason = "forbidden"


class NotKnown(NotAllowed):
    """The caller brought no token, or a wrong one."""

    reason = "unauthorized"


class TooMany(UnrotError):
    """One visitor asks for more than is given in this time."""

    reason = "too_many"

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class Unavailable(UnrotError):
    """It cannot be done now, and may be later."""

    reason = "unavailable"


class StoreAway(Unavailable):
    """The store does not answer; why, with hosts and paths, is for operators and the log alone."""

    reason = "store_away"

    def __init__(self, message: str, cause: str = "") -> None:
        super().__init__(message)
        self.cause = cause

    def __str__(self) -> str:
        return f"{self.message} {self.cause}".rstrip()


class JournalFull(Unavailable):
    """The journal cannot take another line."""

    reason = "journal_full"


class Undelivered(Unavailable):
    """A webhook, or a mail server, did not take a message."""

    reason = "undelivered"


class BadArtefact(UnrotError):
    """A stored file is not what was written."""

    reason = "bad_artefact"


class BadSetting(UnrotError):
    """A setting that does not parse."""

    reason = "bad_setting"


def shown(value: Any, most: int = 80) -> str:
    """Write a client's value so that it can be printed anywhere: short, one line, valid UTF-8."""
    text = value if isinstance(value, str) else _plain(value)
    text = text.encode("utf-8", "replace").decode("utf-8")
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    text = text if len(text) <= most else text[: most - 1] + "…"
    return f'"{text}"' if isinstance(value, str) else text


def _plain(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"an object of {len(value)}"
    return repr(value)


def error_summary(error: Exception) -> str:
    """Say what somebody else's code raised, in one line."""
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {shown(said, 200)[1:-1].rstrip('.')}"
