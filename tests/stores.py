"""The stores that whole-app stories and kills are told on, unchanged.

A test that asks for `store_url` is told on SQLite, whose address is "". One that is marked
`on_every_store` is told on a real Postgres and on Google's Firestore emulator as well; with
UNROT_TEST_STORES=all each of them is (`make bench-stores`).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from tests.conftest import free_port
from tests.store.emulators import shared_emulator
from tests.store.postgres_server import PostgresServer, shared_server
from unrot.store.datastore import parse_url
from unrot.store.kinds import KINDS

STORES = ("sqlite", "postgres", "datastore")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "on_every_store: tell it on every database, in each run")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "store_url" in metafunc.fixturenames:
        metafunc.parametrize("store_url", STORES, indirect=True, scope="module")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is told on a remote store by its own command alone."""
    if os.environ.get("UNROT_TEST_STORES") != "all":
        left_out = [one for one in items if not _is_for_each_run(one)]
        items[:] = [one for one in items if _is_for_each_run(one)]
        config.hook.pytest_deselected(items=left_out)


def _is_for_each_run(item: pytest.Item) -> bool:
    known = getattr(item, "callspec", None)
    store = known.params.get("store_url", STORES[0]) if known else STORES[0]
    return store == STORES[0] or item.get_closest_marker("on_every_store") is not None


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One Postgres for all test processes."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    with shared_server(shared, free_port()) as server:
        yield server


@pytest.fixture(scope="session")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Return the address of one of Google's emulators, one of each for all test processes."""
    folder = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        folder = folder.parent
    with ExitStack() as used:
        yield cache(lambda name: used.enter_context(shared_emulator(name, folder)))


@pytest.fixture(scope="module")
def store_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a fresh store, for the stories of one module."""
    with ExitStack() as lent:
        yield fresh_store(request.param, request, lent)


@pytest.fixture
def new_store(store_url: str, request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Lend further fresh stores of the same kind."""
    with ExitStack() as lent:
        yield lambda: fresh_store(kind_of(store_url), request, lent)


@pytest.fixture
def copy_store(
    store_url: str, new_store: Callable[[], str], request: pytest.FixtureRequest
) -> Iterator[Callable[[], str]]:
    """Copy the store, while nobody has it open, into a fresh one; SQLite goes with its home."""

    def copy() -> str:
        if kind_of(store_url) == "postgres":
            server: PostgresServer = request.getfixturevalue("postgres")
            return lent.enter_context(server.fresh_database(store_url.rpartition("/")[2]))
        if store_url:
            copy_entities(store_url, url := new_store())
            return url
        return ""

    with ExitStack() as lent:
        yield copy


def copy_entities(source: str, target: str) -> None:
    """Copy all that the namespace of one address has into that of another."""
    from google.cloud import datastore  # not at the top: it takes long

    (project, old), (_, new) = parse_url(source), parse_url(target)
    client = datastore.Client(project, namespace=old)
    for kind in KINDS:
        for entity in client.query(kind=kind.name).fetch():
            key = client.key(kind.name, entity.key.name, namespace=new)
            copied = datastore.Entity(key, tuple(entity.exclude_from_indexes))
            copied.update(entity)
            client.put(copied)


def kind_of(url: str) -> str:
    """Return which of the stores an address is of."""
    return {"": "sqlite", "postgresql": "postgres"}.get(url.partition(":")[0], "datastore")


def fresh_store(kind: str, request: pytest.FixtureRequest, lent: ExitStack) -> str:
    """Return the address of a store that nobody else uses; SQLite lies in each home folder."""
    if kind == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        return lent.enter_context(server.fresh_database())
    if kind == "datastore":
        patch = lent.enter_context(pytest.MonkeyPatch.context())
        place = request.getfixturevalue("emulators")("datastore")
        patch.setenv("DATASTORE_EMULATOR_HOST", place)
        return f"datastore://a-project/{secrets.token_hex(8)}"
    return ""
