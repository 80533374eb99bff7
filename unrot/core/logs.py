"""What is written to the log: lines for people at a terminal, or a JSON object a line.

Nothing of a prediction is in it, at any level: what somebody sent, what was answered, comments.
Those get into logs by way of errors, whose words quote the value that they are about. So of an
error only its kind and where it was raised are written, and its words only where they are ours and
of no client's value.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO, cast

import orjson

from unrot.core import errors, request_ids
from unrot.core.errors import UnrotError

QUOTING = (errors.BadRequest, errors.WrongType, errors.Invalid)
"""Our errors that quote what somebody sent."""
_QUERY = re.compile(r"\?\S+")
_log = logging.getLogger(__name__)


def describe_error(error: BaseException) -> str:
    """Say what an error is without what it quotes.

    >>> describe_error(ValueError("could not convert 'Ada'"))
    'ValueError'
    >>> describe_error(errors.StoreAway("The store does not answer."))
    'The store does not answer.'
    """
    if isinstance(error, UnrotError) and not isinstance(error, QUOTING):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"
    return type(error).__name__


class Line(logging.Formatter):
    """Writes a record as a line for people, with the traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record; what other handlers have made of its error is not looked at."""
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%d %H:%M:%S +0000")
        said = f"[{at}] [{record.process}] [{record.levelname}] {message_of(record)}"
        if id := _id_of_request():
            said += f" [request {id}]"
        error = error_of(record)
        return said if error is None else "\n".join([said, *_traceback(error)])


class JsonLine(logging.Formatter):
    """Writes a record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        told: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message_of(record),
            "process": record.process,
        }
        if id := _id_of_request():
            told["request_id"] = id
        error = error_of(record)
        if error is not None:
            told["error"] = describe_error(error)
            told["traceback"] = list(_traceback(error))
        return orjson.dumps(told, default=str).decode()


def message_of(record: logging.LogRecord) -> str:
    """Return what a record says, with each error in it by its kind, on one line.

    What a terminal would obey, such as a colour in an address, is left out.
    """
    args: Any = record.args
    if isinstance(args, tuple):
        args = tuple(_plain(one) for one in args)
    said = str(record.msg if not isinstance(record.msg, BaseException) else _plain(record.msg))
    with suppress(TypeError, ValueError, KeyError):
        said = said % args if args else said
    if record.name.startswith("gunicorn"):
        said = _QUERY.sub("?…", said)
    said = " ".join(said.encode("utf-8", "replace").decode().splitlines())
    return "".join(one if one.isprintable() else " " for one in said)


def error_of(record: logging.LogRecord) -> BaseException | None:
    """Return the error that a record was logged with."""
    return record.exc_info[1] if record.exc_info else None


def _plain(value: Any) -> Any:
    return describe_error(value) if isinstance(value, BaseException) else value


def _id_of_request() -> str:
    found = request_ids.current()
    return "" if found is None else found.tell()


def _traceback(error: BaseException) -> Iterator[str]:
    """Return the lines of a traceback, after those of the errors before it, without their words."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _traceback(before)
        yield "Then:"
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"  {frame.filename}:{frame.lineno} in {frame.name}"
    yield describe_error(error)


# ── where it goes ────────────────────────────────────────────────────────────────────────────


class StandardError(logging.StreamHandler[TextIO]):
    """Writes to what is the standard error at that moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        """The standard error."""
        return sys.stderr

    @stream.setter
    def stream(self, _value: TextIO) -> None:
        """Stay with it."""


def formatter_of(form: str) -> logging.Formatter:
    """Return how lines are written: `json` only where nobody reads them at a terminal."""
    return JsonLine() if form == "json" and not sys.stderr.isatty() else Line()


def set_up(form: str) -> None:
    """Write all that is logged in this process and its forks, unless others have seen to that."""
    root, handler = logging.getLogger(), StandardError()
    handler.setFormatter(formatter_of(form))
    if all(isinstance(one, StandardError) for one in root.handlers):
        root.handlers = [handler]


def log_the_uncaught() -> None:
    """Let what Python itself would print be logged: warnings, and errors that nobody caught."""
    warnings.showwarning = cast(Any, _log_warning)
    threading.excepthook = _log_from_thread
    if not sys.stderr.isatty():
        sys.excepthook = _log_uncaught


def _log_warning(
    _message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    _file: TextIO | None = None,
    _line: str | None = None,
) -> None:
    """Say that somebody's code warns, and not of what: it may quote a value."""
    _log.warning("%s in %s:%d", category.__name__, filename, lineno)


def _log_from_thread(given: threading.ExceptHookArgs) -> None:
    if given.exc_value is not None and not isinstance(given.exc_value, SystemExit):
        name = given.thread.name if given.thread is not None else "?"
        _log.error("The thread %s ended by an error.", name, exc_info=given.exc_value)


def _log_uncaught(
    kind: type[BaseException], error: BaseException, _trace: TracebackType | None
) -> None:
    if isinstance(error, KeyboardInterrupt):
        return
    _log.critical("The process ended by an error: %s.", kind.__name__, exc_info=error)
