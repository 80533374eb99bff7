"""The store as the product sees it: drawers, each in the room of its noun, over one database."""

from __future__ import annotations

from contextlib import AbstractContextManager

from unrot.core.records import Holdings, ModelKey, RemovedModel
from unrot.core.signatures import Signatures
from unrot.hear.key_store import KeyStore
from unrot.hear.verdict_store import VerdictStore
from unrot.learn.job_store import JobStore
from unrot.learn.lesson_store import LessonStore
from unrot.learn.trial_store import TrialStore
from unrot.run.audit_log import AuditLog, Recorded
from unrot.run.erasing_store import ErasingStore
from unrot.run.log_memory import LogMemory
from unrot.run.tidying_store import TidyingStore
from unrot.serve.batch_reader import BatchReader
from unrot.serve.registry_store import RegistryStore
from unrot.serve.token_store import TokenStore
from unrot.serve.traffic_store import TrafficStore
from unrot.store import names
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
from unrot.store.leases import Fenced, give_back_lease, take_lease
from unrot.store.names import Models, is_removed, move_generation
from unrot.store.operations import Delete, Document, Operations, Put, scan_all, until_kept
from unrot.watch.check_store import CheckStore
from unrot.watch.finding_store import DeliveryStore, FindingStore
from unrot.watch.outlier_store import OutlierStore, outlier_puts
from unrot.watch.profile_store import ProfileStore

AT_ONCE = 300


class Cabinet:
    """All that is kept, drawer by drawer; versions, tokens and what was done are signed.

    The `memory` is of the end of the audit log.
    """

    def __init__(
        self,
        database: Operations,
        signatures: Signatures | None = None,
        memory: LogMemory | None = None,
    ) -> None:
        signatures = signatures or Signatures()
        recorded = Recorded(database, signatures.seal("audit log"), memory)
        self.database = database = Fenced(recorded)
        self.audit_log = AuditLog(recorded)
        self.tokens = TokenStore(database, signatures.seal("tokens"))
        models = Models(database)
        batches = BatchReader(database)
        self.registry = RegistryStore(database, signatures)
        self.profiles = ProfileStore(database, models)
        self.verdicts = VerdictStore(database, models, batches.look_up)
        self.keys = KeyStore(database)
        self.traffic = TrafficStore(database, models, batches, self.verdicts, outlier_puts)
        self.oddities = OutlierStore(database, self.traffic.look_up)
        self.checks = CheckStore(database, models)
        self.findings = FindingStore(database, models)
        self.deliveries = DeliveryStore(database, models, self.findings)
        self.jobs = JobStore(database, models)
        self.lessons = LessonStore(database, self.jobs, self.traffic.look_up, signatures)
        self.trials = TrialStore(database, models, self.traffic.newest, self.traffic.look_up)
        self.tidying = TidyingStore(database, batches, self.profiles, self.deliveries.old)
        self.erasing = ErasingStore(database, batches, self.tidying.erased)

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

    def news(self) -> str:
        """Return a word that changes when there is something that caretakers are to look at."""
        return names.news(self.database)

    def tell_news(self) -> None:
        """Change that word, but not the generation of the registry."""
        names.tell_news(self.database)

    def wait_for_change(self, seconds: float) -> bool:
        """Wait; return True when the store tells that it has changed."""
        return self.database.wait_for_change(seconds)

    def check(self, *, writing: bool = False) -> None:
        """Return when the store answers, and takes writes if asked; else raise StoreAway."""
        self.database.check(writing=writing)

    def close(self) -> None:
        """Let go of connections."""
        self.database.close()

    def lease(self, name: str, holder: str, now: float, seconds: float) -> int | None:
        """Hold, or go on holding, the right to one kind of work; return its fencing number."""
        return take_lease(self.database, name, holder, now, seconds)

    def give_back_lease(self, name: str, holder: str) -> None:
        """Hold it no longer, so that another need not wait for its end."""
        give_back_lease(self.database, name, holder)

    def demanding(self, name: str, number: int) -> AbstractContextManager[None]:
        """Let all that this thread writes demand that a lease still has a number, else Conflict."""
        return self.database.demanding(name, number)

    # ── models that were removed ─────────────────────────────────────────────────────────────

    def holdings(self, model: ModelKey) -> Holdings:
        """Count what is kept of a model, or still kept of a removed one."""
        return Holdings(
            versions=self.database.count(VERSION, "of model", (model,)),
            predictions=self._sum(BATCH, model, "rows"),
            verdicts=sum(
                self.database.count(kind, "of model", (model,))
                for kind in (FEEDBACK, OVERRULED, UNVERIFIED)
            ),
            profiles=self.database.count(PROFILE, "of model", (model,)),
            windows=self._sum(WINDOWS, model, "count"),
        )

    def clear(self, removed: RemovedModel, most: int) -> int:
        """Delete at most so many rows of a removed model in one commit; 0 when none is left.

        Whoever deletes closes the way back first; 0 as well where the model was brought back.
        """
        if not until_kept(lambda: self._close_way_back(removed.key)):
            return 0
        for kind in OF_MODELS:
            if rows := self._clear_some(kind, removed.key, most):
                return rows
        until_kept(lambda: self._note_cleared(removed.key))
        return 0

    def _close_way_back(self, key: ModelKey) -> bool:
        """Let nobody bring a model back any more; tell whether it is still removed."""
        model = self.database.get(MODEL, key)
        if model is not None and model["body"].get("undo_until") is not None:
            body = {**model["body"], "undo_until": None}
            self.database.commit([Put(MODEL, key, {**model.fields, "body": body}, model.revision)])
        return model is None or is_removed(model)

    def _clear_some(self, kind: Kind, model: ModelKey, most: int) -> int:
        counted = "rows" if kind is BATCH else None
        found = self.database.scan(
            kind, "of model", (model,), limit=min(most, AT_ONCE), only=[counted] if counted else []
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

    def _note_cleared(self, key: ModelKey) -> None:
        model = self.database.get(MODEL, key)
        if model is not None and not model["body"]["is_cleared"]:
            body = {**model["body"], "is_cleared": True}
            noted = Put(MODEL, model.key, {**model.fields, "body": body}, model.revision)
            self.database.commit([noted, move_generation()])

    def _sum(self, kind: Kind, model: ModelKey, name: str) -> int:
        found = scan_all(self.database, kind, "of model", (model,), only=[name])
        return sum(document[name] for document in found)
