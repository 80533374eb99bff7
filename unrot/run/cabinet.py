"""The store as the product sees it: drawers, each in the room of its noun, over one database."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from unrot.core.errors import NotFound
from unrot.core.records import Holdings, RemovedModel
from unrot.hear.verdict_store import VerdictStore
from unrot.learn.job_store import JobStore
from unrot.learn.lesson_store import LessonStore
from unrot.learn.trial_store import TrialStore
from unrot.run.tidying_store import TidyingStore
from unrot.serve.batch_reader import BatchReader
from unrot.serve.registry_store import RegistryStore
from unrot.serve.traffic_store import TrafficStore
from unrot.store.kinds import (
    BATCH,
    FEEDBACK,
    MODEL,
    OF_MODELS,
    OVERRULED,
    PROFILE,
    UNVERIFIED,
    VERSION,
    WINDOWS,
    Kind,
)
from unrot.store.leases import Fenced, take_lease
from unrot.store.names import Names, move_generation
from unrot.store.operations import Delete, Document, Operations, Put, scan_all, until_kept
from unrot.watch.check_store import CheckStore
from unrot.watch.finding_store import DeliveryStore, FindingStore
from unrot.watch.outlier_store import OutlierStore, outlier_puts
from unrot.watch.profile_store import ProfileStore

AT_ONCE = 300


class Cabinet:
    """All that is kept, drawer by drawer."""

    def __init__(self, database: Operations) -> None:
        self.database = database = Fenced(database)
        names = Names(database)
        batches = BatchReader(database)
        self.registry = RegistryStore(database, names)
        self.profiles = ProfileStore(database, names)
        self.verdicts = VerdictStore(database, names, batches.look_up)
        self.traffic = TrafficStore(database, names, batches, self.verdicts, outlier_puts)
        self.oddities = OutlierStore(database, names, self.traffic.look_up)
        self.checks = CheckStore(database, names)
        self.findings = FindingStore(database, names)
        self.deliveries = DeliveryStore(database, names, self.findings)
        self.jobs = JobStore(database, names)
        self.lessons = LessonStore(database, names, self.jobs, self.traffic.look_up)
        self.trials = TrialStore(database, names, self.traffic.newest, self.traffic.look_up)
        self.tidying = TidyingStore(database, names, batches, self.profiles, self.deliveries.old)

    @property
    def kind(self) -> str:
        """The database that it is kept in, as people call it."""
        return self.database.name

    def prepare(self) -> None:
        """Make what is missing of the database."""
        self.database.prepare()

    def size(self) -> int | None:
        """Return how many bytes it takes; None where nobody can tell."""
        return self.database.size()

    def check(self, *, writing: bool = False) -> None:
        """Return when the store answers, and takes writes if asked; else raise StoreAway."""
        self.database.check(writing=writing)

    def wait_for_change(self, seconds: float) -> bool:
        """Wait; return True as soon as the registry has moved, where the database tells."""
        return self.database.wait_for_change(seconds)

    def close(self) -> None:
        """Let go of connections."""
        self.database.close()

    def lease(self, name: str, holder: str, now: float, seconds: float) -> int | None:
        """Hold, or go on holding, the right to one kind of work; return its fencing number."""
        return take_lease(self.database, name, holder, now, seconds)

    def demanding(self, name: str, number: int) -> AbstractContextManager[None]:
        """Let all that this thread writes demand that a lease still has a number, else Conflict."""
        return self.database.demanding(name, number)

    # ── models that were removed ─────────────────────────────────────────────────────────────

    def holdings(self, number: int) -> Holdings:
        """Count what is kept of a model, or still kept of a removed one."""
        key = self._model(number).key
        return Holdings(
            versions=self.database.count(VERSION, "of model", (key,)),
            predictions=self._sum(BATCH, key, "rows"),
            verdicts=sum(
                self.database.count(kind, "of model", (key,))
                for kind in (FEEDBACK, OVERRULED, UNVERIFIED)
            ),
            profiles=self.database.count(PROFILE, "of model", (key,)),
            windows=self._sum(WINDOWS, key, "count"),
        )

    def clear(self, removed: RemovedModel, most: int) -> int:
        """Delete at most so many rows of a removed model in one commit; 0 when none is left."""
        key = self._model(removed.number).key
        for kind in OF_MODELS:
            if rows := self._clear_some(kind, key, most):
                return rows
        until_kept(lambda: self._note_cleared(removed.number))
        return 0

    def _clear_some(self, kind: Kind, key: str, most: int) -> int:
        counted = "rows" if kind is BATCH else None
        found = self.database.scan(
            kind, "of model", (key,), limit=min(most, AT_ONCE), only=[counted] if counted else []
        )
        gone: list[Document] = []
        rows = 0
        for document in found:
            if rows >= most:
                break
            gone.append(document)
            rows += document[counted] if counted else 1
        self.database.commit([Delete(kind, document.key) for document in gone])
        return rows

    def _note_cleared(self, number: int) -> None:
        model = self._model(number)
        if not model["body"]["is_cleared"]:
            body = {**model["body"], "is_cleared": True}
            noted = Put(MODEL, model.key, {**model.fields, "body": body}, model.revision)
            self.database.commit([noted, move_generation()])

    def _model(self, number: int) -> Document:
        models: Sequence[Document] = self._names().models()
        for model in models:
            if model["number"] == number:
                return model
        raise NotFound(f"There is no model with the number {number}.")

    def _names(self) -> Names:
        return Names(self.database)

    def _sum(self, kind: Kind, key: str, name: str) -> int:
        found = scan_all(self.database, kind, "of model", (key,), only=[name])
        return sum(document[name] for document in found)
