"""From settings to a service: the only file that names concrete classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from unrot.core.errors import BadSetting, Conflict, NotFound, StoreAway
from unrot.core.ids import Ids
from unrot.core.ports import Copies, Counts, NoCounts, Profiler
from unrot.core.settings import Settings, kept_secret, prepare_home
from unrot.core.signatures import Signatures
from unrot.make import predictors
from unrot.make.trainer import EstimatorTrainer
from unrot.run.cabinet import Cabinet
from unrot.run.copying import check_whole
from unrot.run.log_memory import memory_of
from unrot.serve import predictor
from unrot.serve.journal import Drops, Journal
from unrot.serve.limits import Limits, limits_of
from unrot.serve.rejected import Refusals
from unrot.serve.service import Service
from unrot.serve.shelf import Shelf
from unrot.serve.tokens import KnownTokens
from unrot.store.copies import SqliteCopies
from unrot.store.engine import SqlStore
from unrot.store.guard import Guarded
from unrot.store.operations import Operations
from unrot.store.sqlite import SqliteDatabase
from unrot.watch.messengers import messengers_of
from unrot.watch.monitors.outliers import neighbours
from unrot.watch.profiles.by_whylogs import LibraryProfiler
from unrot.watch.profiles.sketches import WhylogsProfiler

SQLITE = "sqlite:///"
COPYING_SECONDS = 60.0
"""How long one answer may take while all of a store is copied: nobody else waits for it."""


def open_service(
    settings: Settings, counts: Counts | None = None, *, patience: float | None = None
) -> Service:
    """Make the service; a store that is away does not stop it, and is tried again when asked.

    Whoever serves people has little `patience` with a store that is slow.
    """
    prepare_home(settings)
    counts = counts or NoCounts()
    folder = settings.home / "journal"
    secret = secret_key(settings)
    with _writing(settings.home):
        Drops(folder).prepare()
    signatures = Signatures(secret)
    load = partial(predictors.load, trusted=settings.trusted_types)
    journal = Journal(folder, limit=settings.journal_max)
    store = _open_store(settings, signatures, counts, patience)
    return Service(
        settings=settings,
        store=store,
        shelf=Shelf(
            settings.home / "shelf",
            load=load,
            signatures=signatures,
            check=predictor.check_golden,
            load_detector=neighbours.load,
        ),
        journal=journal,
        refusals=Refusals(journal),
        ids=Ids(secret),
        signatures=signatures,
        profiler=_profiler(settings.profiler),
        trainer=EstimatorTrainer(settings.trusted_types),
        messenger=messengers_of(settings),
        counts=counts,
        limits=Limits(settings.home / "limits", limits_of(settings)),
        tokens=KnownTokens(store.tokens),
    )


def _profiler(name: str) -> Profiler:
    return LibraryProfiler() if name == "whylogs" else WhylogsProfiler()


def open_copies(settings: Settings) -> Copies:
    """Return what copies the store and puts copies in its place."""
    if not settings.store_url.startswith(SQLITE):
        scheme = settings.store_url.partition(":")[0]
        page = "datastore" if scheme == "datastore" else "postgres"
        raise Conflict(
            f"The store is {scheme}, which is copied with its own tools and not with these; see "
            f"docs/{page}.md."
        )
    return SqliteCopies(_sqlite(settings.store_url))


def secret_key(settings: Settings) -> bytes:
    """Return the key of ids, versions and sessions: the operator's, else the home folder's own."""
    with _writing(settings.home):
        return (settings.secret_key or kept_secret(settings.home, "secret-key")).encode()


@contextmanager
def _writing(home: Path) -> Iterator[None]:
    """Say in a sentence that a home folder takes nothing: its disk is full, say."""
    try:
        yield
    except OSError as error:
        raise BadSetting(
            f"The home folder {home} cannot be written ({error.strerror}): make room, or name "
            "another one in UNROT_HOME."
        ) from error


def writer_name(settings: Settings) -> str:
    """Return the name under which this home folder ships: random, made once."""
    with _writing(settings.home):
        return kept_secret(settings.home, "writer-name")[:16]


def open_source(url: str) -> Operations:
    """Open the database that is copied from; a file that is not there is not made for that."""
    if url.startswith(SQLITE) and not (path := Path(url.removeprefix(SQLITE))).exists():
        raise NotFound(f"There is no database at {path}: nothing to copy.")
    return open_database(url, patience=COPYING_SECONDS)


def open_target(url: str) -> Operations:
    """Open the database that is copied to."""
    return open_database(url, patience=COPYING_SECONDS)


def open_database(
    url: str, *, patience: float | None = None, failed: Callable[[], None] = lambda: None
) -> Operations:
    """Open the database of an address; it is made and asked later."""
    if url.startswith(SQLITE):
        return SqlStore(_sqlite(url, failed))
    if url.startswith("datastore:"):
        # grpc is loaded only where it is used.
        from unrot.store.datastore import COMMIT_SECONDS, READ_SECONDS, DatastoreStore, parse_url

        return DatastoreStore(
            *parse_url(url),
            read_seconds=patience or READ_SECONDS,
            commit_seconds=patience or COMMIT_SECONDS,
            failed=failed,
        )
    # psycopg is loaded only where it is used.
    from unrot.store.postgres import PostgresDatabase

    return SqlStore(PostgresDatabase(url, patience=patience, failed=failed))


def _open_store(
    settings: Settings, signatures: Signatures, counts: Counts, patience: float | None
) -> Cabinet:
    """Open the store; one on another machine behind a guard, and none that is half a copy."""
    url = settings.store_url
    database = open_database(url, patience=patience, failed=counts.store_failed)
    guarded = database if url.startswith(SQLITE) else Guarded(database)
    store = Cabinet(guarded, signatures, memory_of(settings.home, url))
    try:
        store.prepare()
        check_whole(store.database)
    except StoreAway:
        return store
    except BadSetting:
        store.close()
        raise
    return store


def _sqlite(url: str, failed: Callable[[], None] = lambda: None) -> SqliteDatabase:
    return SqliteDatabase(Path(url.removeprefix(SQLITE)), failed=failed)
