"""The stores that keep the contract; each backend is one more parameter of the fixtures."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.memory_store import MemoryStore
from tests.store.emulators import EMULATORS, open_emulated
from tests.store.postgres_server import PostgresServer
from unrot.core.ports import Store
from unrot.run.cabinet import Cabinet
from unrot.store.engine import SqlStore
from unrot.store.operations import Operations
from unrot.store.postgres import PostgresDatabase
from unrot.store.sqlite import SqliteDatabase

# ── databases by their operations ────────────────────────────────────────────────────────────

STEPS = {
    "memory": 400,
    "sqlite": 1_000,
    "postgres": 700,
    "datastore": 150,
    "datastore emulator": 150,
}
"""How many operations by chance each is tried with."""


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The address of a fresh database, with the tables in it."""
    with postgres.fresh_database() as url:
        yield url


@pytest.fixture
def empty_url(postgres: PostgresServer) -> Iterator[str]:
    """The address of a database whose tables are empty."""
    with postgres.empty_database() as url:
        yield url


def open_postgres(url: str) -> Operations:
    return SqlStore(PostgresDatabase(url))


NEAR = ("memory", "sqlite")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try operations on every database, and what the product makes of them on two.

    Marked `every_store` are tests that ask each method of each drawer at least once, and those of
    several processes at once: what could come out otherwise on another database.
    """
    if "open_database" not in metafunc.fixturenames:
        return
    is_rule = "open_store" in metafunc.fixturenames
    everywhere = metafunc.definition.get_closest_marker("every_store") or not is_rule
    metafunc.parametrize("open_database", list(STEPS) if everywhere else NEAR, indirect=True)


@pytest.fixture
def open_database(
    request: pytest.FixtureRequest, tmp_path: Path, emulators: Callable[[str], str]
) -> Iterator[Callable[[], Operations]]:
    """Open the same database once more, as another process would."""
    memory = MemoryStore()
    namespace = secrets.token_hex(8)
    address = emulators(request.param) if request.param in EMULATORS else ""
    opened: list[Operations] = []

    def again() -> Operations:
        made: Operations = memory
        if request.param == "sqlite":
            made = SqlStore(SqliteDatabase(tmp_path / "documents.db"))
        if request.param == "postgres":
            made = open_postgres(request.getfixturevalue("empty_url"))
        if request.param in EMULATORS:
            made = open_emulated(request.param, address, namespace)
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


# ── the product's store over each of them ────────────────────────────────────────────────────


@pytest.fixture
def open_store(open_database: Callable[[], Operations]) -> Callable[[], Store]:
    """Open the same store once more, as another process would."""
    return lambda: Cabinet(open_database())


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    return open_store()
