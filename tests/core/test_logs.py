"""What is logged: whole lines for people or programs, and never what an error quotes."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterator

import orjson
import pytest

from unrot.core import logs
from unrot.core.errors import Invalid, StoreAway, wrong_field
from unrot.core.logs import JsonLine, Line
from unrot.core.request_ids import RequestId, in_request

SECRET = "Ada Lovelace, 36"
FORMS = (Line(), JsonLine())


def record(message: str, *args: object, error: BaseException | None = None) -> logging.LogRecord:
    told = None if error is None else (type(error), error, error.__traceback__)
    return logging.LogRecord("unrot.serve", logging.ERROR, "f.py", 3, message, args, told)


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    try:
        raise error from cause
    except Exception as caught:
        return caught


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "error",
    [
        ValueError(f"could not convert string to float: '{SECRET}'"),
        KeyError(SECRET),
        Invalid(f"name {SECRET}: expected a number."),
        wrong_field("comment", SECRET, "a text"),
        FileNotFoundError(2, "No such file", SECRET),
        ExceptionGroup(SECRET, [ValueError(SECRET)]),
    ],
)
def test_no_error_is_quoted(form: logging.Formatter, error: Exception) -> None:
    error.add_note(SECRET)
    chained = raised(RuntimeError(SECRET), raised(error))
    given = record("It failed: %s", error, error=chained)
    given.exc_text = SECRET  # as another handler would have left it

    said = form.format(given)

    assert SECRET not in said
    assert type(error).__name__ in said
    assert "RuntimeError" in said
    assert "test_logs.py" in said and "in raised" in said


def test_our_own_sentences_are_said() -> None:
    error = StoreAway("The database does not answer.", "It is busy.")

    said = Line().format(record("It waits: %s", error))

    assert said.endswith("[ERROR] It waits: The database does not answer. It is busy.")


def test_json_is_one_object_a_line_with_the_id_of_the_request() -> None:
    with in_request(RequestId("ours-1")):
        said = JsonLine().format(
            record("Two\nlines of %s", "a\u2028b\x85c", error=raised(KeyError()))
        )

    assert len(said.splitlines()) == 1
    told = orjson.loads(said)
    assert told["message"] == "Two lines of a b c"
    assert (told["level"], told["logger"], told["request_id"]) == ("error", "unrot.serve", "ours-1")
    assert told["error"] == "KeyError"
    assert told["traceback"][-1] == "KeyError"


def test_without_a_request_there_is_no_id() -> None:
    assert "request_id" not in orjson.loads(JsonLine().format(record("No.")))
    assert "[request" not in Line().format(record("No."))


def test_queries_of_addresses_are_left_out_of_gunicorns_lines() -> None:
    given = record("Error handling request %s", "/models/iris?name=Ada&age=36")
    given.name = "gunicorn.error"

    assert Line().format(given).endswith("Error handling request /models/iris?…")


def test_nothing_is_written_that_a_terminal_obeys() -> None:
    given = record('"GET /%s HTTP/1.1" 404', "\x1b[31mFORGED\x9b0m\u202e\rüöä")

    assert Line().format(given).endswith('"GET / [31mFORGED 0m  üöä HTTP/1.1" 404')


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a/b", "ä", "a\n"])
def test_id_that_is_not_sane_is_not_taken(given: str) -> None:
    id = RequestId(given)

    assert id.known is None
    assert len(id.tell()) == 16
    assert id.tell() == id.known


@pytest.fixture
def written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], str]]:
    """What a process writes that is set up as ours are."""
    root, hooks = logging.getLogger(), (threading.excepthook, sys.excepthook, warnings.showwarning)
    monkeypatch.setattr(root, "handlers", [])
    logs.set_up("text")
    logs.set_up("json")
    logs.log_the_uncaught()
    yield lambda: capsys.readouterr().err
    threading.excepthook, sys.excepthook, warnings.showwarning = hooks


def test_what_python_would_print_itself_is_logged_without_its_words(
    written: Callable[[], str],
) -> None:
    def fail() -> None:
        raise ValueError(SECRET)

    thread = threading.Thread(target=fail, name="a thread")
    thread.start()
    thread.join()
    sys.excepthook(ValueError, raised(ValueError(SECRET)), None)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = logs._log_warning  # type: ignore[assignment]
        warnings.warn(f"unknown category {SECRET}", UserWarning, stacklevel=1)
    logging.getLogger("unrot").warning("once")

    said = written()
    lines = [orjson.loads(line) for line in said.splitlines()]

    assert SECRET not in said
    assert [line["message"].partition(" in /")[0] for line in lines] == [
        "The thread a thread ended by an error.",
        "The process ended by an error: ValueError.",
        "UserWarning",
        "once",
    ]


def test_at_a_terminal_lines_are_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    assert isinstance(logs.formatter_of("json"), Line)
