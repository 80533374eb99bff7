"""Real files, written as people's programs write them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unrot.make.csv import LoadedTable, TableOptions, load

Write = Callable[[str | bytes], Path]
Load = Callable[..., LoadedTable]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file called table.csv."""

    def write(content: str | bytes) -> Path:
        path = tmp_path / "table.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def load_text(write: Write) -> Load:
    """Load a table of the given content; its target is y unless said otherwise."""

    def load_text(content: str | bytes, **options: Any) -> LoadedTable:
        given = {"target": "y", "name": "model", **options}
        return load(TableOptions(csv=write(content), **given))

    return load_text


def lines(header: str, row: Callable[[int], str], count: int = 40) -> str:
    """Return a table of `count` rows, each made from its number."""
    return "\n".join([header, *map(row, range(count))]) + "\n"
