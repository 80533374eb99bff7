"""The stores that keep the contract; each backend is one more parameter of the fixtures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from unrot.core.ports import Store
from unrot.store.sql import SqlStore
from unrot.store.sql.sqlite import SqliteDatabase


def open_sqlite(folder: Path) -> Store:
    store = SqlStore(SqliteDatabase(folder / "unrot.db"))
    store.prepare()
    return store


BACKENDS: dict[str, Callable[[Path], Store]] = {"sqlite": open_sqlite}


@pytest.fixture(params=list(BACKENDS))
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Open the same store once more, as another process would."""
    opened: list[Store] = []

    def again() -> Store:
        opened.append(BACKENDS[request.param](tmp_path))
        return opened[-1]

    yield again
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    return open_store()
