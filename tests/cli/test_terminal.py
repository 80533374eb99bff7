"""What the command line shows, with a terminal and without."""

from __future__ import annotations

import io
from contextlib import redirect_stderr

import pytest

from unrot.cli import terminal
from unrot.cli.terminal import Progress, table


class Terminal(io.StringIO):
    """Something to write to that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    return Terminal()


def test_table_aligns_columns_and_leaves_no_trailing_space() -> None:
    rows = [("version", "alias"), ("v1", "champion"), ("v2", "")]

    assert table(rows) == "version  alias\nv1       champion\nv2"


def test_table_of_a_heading_alone_is_one_line() -> None:
    assert table([("version", "alias")]) == "version  alias"


def test_table_holds_nothing_that_a_terminal_would_obey() -> None:
    assert table([("who", "what"), ("\x1b[31meve\n", "\x9b2J")]) == (
        "who        what\n\ufffd[31meve\ufffd  \ufffd2J"
    )


STEPS = [(0.0, "reading"), (0.1, "fitting"), (0.5, "fitting"), (1.0, "done")]


def test_progress_without_a_terminal_is_quiet_between_its_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "QUIET_SECONDS", 3_600.0)
    progress = Progress("Training iris")

    for done, step in STEPS:
        progress(done, step)
    progress.close()

    assert capsys.readouterr() == ("", "Training iris: reading\n")


def test_progress_without_a_terminal_goes_on_once_it_was_quiet_long_enough(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "QUIET_SECONDS", 0.0)
    progress = Progress("Training iris")

    for done, step in STEPS:
        progress(done, step)
    progress.close()

    said = "".join(f"Training iris: {step}\n" for _, step in STEPS)
    assert capsys.readouterr() == ("", said)


@pytest.mark.parametrize(
    ("done", "bar"),
    [
        (0.0, "░" * 24 + "   0 %"),
        (0.5, "█" * 12 + "░" * 12 + "  50 %"),
        (1.0, "█" * 24 + " 100 %"),
    ],
)
def test_progress_on_a_terminal_draws_a_bar(screen: Terminal, done: float, bar: str) -> None:
    with redirect_stderr(screen):
        Progress("Fit")(done, "fitting")

    assert screen.getvalue() == f"\rFit {bar} fitting".ljust(80)


@pytest.mark.parametrize(("done", "bar"), [(-0.5, "░" * 24), (1.5, "█" * 24)])
def test_bar_keeps_its_width_when_told_nonsense(screen: Terminal, done: float, bar: str) -> None:
    with redirect_stderr(screen):
        Progress("Fit")(done, "fitting")

    assert screen.getvalue()[5:29] == bar


def test_progress_on_a_terminal_overwrites_the_longer_line_before(screen: Terminal) -> None:
    with redirect_stderr(screen):
        progress = Progress("Fit")
        progress(0.0, "a step with many words")
        progress(1.0, "done")
        progress.close()

    before, after = screen.getvalue().split("\r")[1:]
    assert before == f"Fit {'░' * 24}   0 % a step with many words".ljust(79)
    assert after == f"Fit {'█' * 24} 100 % done".ljust(79) + "\n"


def test_progress_on_a_narrow_terminal_stays_on_one_line(
    screen: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "10")

    with redirect_stderr(screen):
        Progress("Training iris")(0.5, "fitting")

    assert screen.getvalue() == "\rTraining "
