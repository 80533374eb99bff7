"""From settings to a service: the only file that names concrete classes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from unrot.core.errors import StoreAway
from unrot.core.ids import Ids
from unrot.core.ports import Copies, Counts, NoCounts
from unrot.core.settings import Settings, kept_secret, prepare_home
from unrot.make import predictors
from unrot.make.workshop import EstimatorWorkshop
from unrot.serve import predictor
from unrot.serve.journal import Drops, Journal
from unrot.serve.rejected import Refusals
from unrot.serve.service import Service
from unrot.serve.shelf import Shelf
from unrot.store.sql import SqlStore
from unrot.store.sql.copies import SqliteCopies
from unrot.store.sqlite import SqliteDatabase
from unrot.watch.monitors.outliers import neighbours
from unrot.watch.profiles.sketches import WhylogsProfiler
from unrot.watch.webhook_client import HttpCourier


def open_service(settings: Settings, counts: Counts | None = None) -> Service:
    """Make the service; a store that is away does not stop it, and is tried again when asked."""
    prepare_home(settings)
    counts = counts or NoCounts()
    folder = settings.home / "journal"
    load = partial(predictors.load, trusted=settings.trusted_types)
    Drops(folder).prepare()
    journal = Journal(folder, limit=settings.journal_max)
    return Service(
        settings=settings,
        store=_open_store(settings, counts),
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
    )


def open_copies(settings: Settings) -> Copies:
    """Return what copies the store and puts copies in its place."""
    return SqliteCopies(_database(settings, NoCounts()))


def secret_key(settings: Settings) -> bytes:
    """Return the key that signs ids and sessions: the operator's, else the home folder's own."""
    return (settings.secret_key or kept_secret(settings.home, "secret-key")).encode()


def writer_name(settings: Settings) -> str:
    """Return the name under which this home folder ships: random, made once."""
    return kept_secret(settings.home, "writer-name")[:16]


def _open_store(settings: Settings, counts: Counts) -> SqlStore:
    store = SqlStore(_database(settings, counts))
    try:
        store.prepare()
    except StoreAway:
        return store
    return store


def _database(settings: Settings, counts: Counts) -> SqliteDatabase:
    path = Path(settings.store_url.removeprefix("sqlite:///"))
    return SqliteDatabase(path, failed=counts.store_failed)
