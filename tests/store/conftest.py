"""The stores that keep the contract; each backend is one more parameter of the fixtures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from unrot.core.ports import Store
from unrot.store import engine
from unrot.store.memory import MemoryStore
from unrot.store.operations import Operations
from unrot.store.sql import SqlStore
from unrot.store.sqlite import SqliteDatabase


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


# ── databases by their operations ────────────────────────────────────────────────────────────

STEPS = {"memory": 400, "sqlite": 1_000}
"""How many operations by chance each is tried with."""


@pytest.fixture(params=list(STEPS))
def open_database(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[], Operations]]:
    """Open the same database once more, as another process would."""
    memory = MemoryStore()
    opened: list[Operations] = []

    def again() -> Operations:
        made: Operations = memory
        if request.param == "sqlite":
            made = engine.SqlStore(SqliteDatabase(tmp_path / "documents.db"))
        made.prepare()
        opened.append(made)
        return made

    yield again
    for database in opened:
        database.close()


@pytest.fixture
def database(open_database: Callable[[], Operations]) -> Operations:
    return open_database()


@pytest.fixture
def steps(request: pytest.FixtureRequest) -> int:
    return STEPS[request.node.callspec.params["open_database"]]
