"""What the command line shows and asks: a progress bar, tables, a question before data go."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence

from unrot.core.errors import Invalid

WIDTH = 24
QUIET_SECONDS = 2.0


class Progress:
    """A bar with a step in words; without a terminal, a line every few seconds."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._said_at = -QUIET_SECONDS
        self._is_live = sys.stderr.isatty()

    def __call__(self, done: float, step: str) -> None:
        """Show how far it is, 0 to 1."""
        if self._is_live:
            filled = round(min(max(done, 0.0), 1.0) * WIDTH)
            bar = "█" * filled + "░" * (WIDTH - filled)
            room = shutil.get_terminal_size().columns - 1
            line = f"{self._title} {bar} {100 * done:3.0f} % {step}"[:room]
            print(f"\r{line:<{room}}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - self._said_at >= QUIET_SECONDS:
            self._said_at = time.monotonic()
            print(f"{self._title}: {step}", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take the bar away, so that something is said in its place."""
        if self._is_live:
            room = shutil.get_terminal_size().columns - 1
            print(f"\r{'':<{room}}\r", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """End the line."""
        if self._is_live:
            print(file=sys.stderr)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Lay out rows under the first one, columns aligned; nothing that a terminal would obey."""
    rows = [[plain(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def plain(text: str) -> str:
    """Return a text as it can be printed anywhere, whoever wrote it."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)


def is_agreed(question: str, word: str, *, yes: bool = False) -> bool:
    """Ask for a word to be typed; without a terminal only `yes`, said beforehand, agrees."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise Invalid(f"{question} There is no terminal to ask at: add --yes to agree.")
    print(question)
    try:
        has_agreed = input(f"Type {word} to agree: ").strip() == word
    except EOFError:
        has_agreed = False
    if not has_agreed:
        print("Nothing was changed.")
    return has_agreed
