"""From settings to a service: the only file that names concrete classes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from unrot.core.errors import Conflict, StoreAway
from unrot.core.ids import Ids
from unrot.core.ports import Copies, Counts, NoCounts
from unrot.core.settings import Settings, kept_secret, prepare_home
from unrot.make import predictors
from unrot.make.workshop import EstimatorWorkshop
from unrot.run.cabinet import Cabinet
from unrot.serve import predictor
from unrot.serve.journal import Drops, Journal
from unrot.serve.limits import Limits, limits_of
from unrot.serve.rejected import Refusals
from unrot.serve.service import Service
from unrot.serve.shelf import Shelf
from unrot.store.copies import SqliteCopies
from unrot.store.engine import SqlStore
from unrot.store.guard import Guarded
from unrot.store.operations import Operations
from unrot.store.sqlite import SqliteDatabase
from unrot.watch.monitors.outliers import neighbours
from unrot.watch.profiles.sketches import WhylogsProfiler
from unrot.watch.webhook_client import HttpCourier

SQLITE = "sqlite:///"


def open_service(
    settings: Settings, counts: Counts | None = None, *, patience: float | None = None
) -> Service:
    """Make the service; a store that is away does not stop it, and is tried again when asked.

    Whoever serves people has little `patience` with a store that is slow.
    """
    prepare_home(settings)
    counts = counts or NoCounts()
    folder = settings.home / "journal"
    load = partial(predictors.load, trusted=settings.trusted_types)
    Drops(folder).prepare()
    journal = Journal(folder, limit=settings.journal_max)
    return Service(
        settings=settings,
        store=_open_store(settings, counts, patience),
        shelf=Shelf(
            settings.home / "shelf",
            load=load,
            check=predictor.check_golden,
            load_detector=neighbours.load,
        ),
        journal=journal,
        refusals=Refusals(journal),
        ids=Ids(secret_key(settings)),
        profiler=WhylogsProfiler(),
        workshop=EstimatorWorkshop(settings.trusted_types),
        courier=HttpCourier(allow_private=settings.webhook_private),
        counts=counts,
        limits=Limits(settings.home / "limits", limits_of(settings)),
    )


def open_copies(settings: Settings) -> Copies:
    """Return what copies the store and puts copies in its place."""
    if not settings.store_url.startswith(SQLITE):
        scheme = settings.store_url.partition(":")[0]
        raise Conflict(
            f"The store is {scheme}, which is copied with its own tools and not with these; see "
            "docs/postgres.md and docs/datastore.md."
        )
    return SqliteCopies(_sqlite(settings, NoCounts()))


def secret_key(settings: Settings) -> bytes:
    """Return the key that signs ids and sessions: the operator's, else the home folder's own."""
    return (settings.secret_key or kept_secret(settings.home, "secret-key")).encode()


def writer_name(settings: Settings) -> str:
    """Return the name under which this home folder ships: random, made once."""
    return kept_secret(settings.home, "writer-name")[:16]


def _open_store(settings: Settings, counts: Counts, patience: float | None) -> Cabinet:
    store = Cabinet(_database(settings, counts, patience))
    try:
        store.prepare()
    except StoreAway:
        return store
    return store


def _database(settings: Settings, counts: Counts, patience: float | None) -> Operations:
    """Open the database that the settings name; one on another machine behind a guard."""
    url = settings.store_url
    if url.startswith(SQLITE):
        return SqlStore(_sqlite(settings, counts))
    if url.startswith("datastore:"):
        # grpc is loaded only where it is used.
        from unrot.store.datastore import COMMIT_SECONDS, READ_SECONDS, DatastoreStore, parse_url

        return Guarded(
            DatastoreStore(
                *parse_url(url),
                read_seconds=patience or READ_SECONDS,
                commit_seconds=patience or COMMIT_SECONDS,
                failed=counts.store_failed,
            )
        )
    # psycopg is loaded only where it is used.
    from unrot.store.postgres import PostgresDatabase

    database = PostgresDatabase(url, patience=patience, failed=counts.store_failed)
    return Guarded(SqlStore(database))


def _sqlite(settings: Settings, counts: Counts) -> SqliteDatabase:
    path = Path(settings.store_url.removeprefix(SQLITE))
    return SqliteDatabase(path, failed=counts.store_failed)
