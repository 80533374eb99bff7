"""The use cases, in the words of the product.

    catalogue   what is served, from the shelf
    predict     rows are scored; each prediction gets an id and a line in the journal
    judge       verdicts are kept, or queued in the journal while the store is away
    withdraw    a verdict is taken back
    look        versions, recent predictions, tallies: what the store knows
    ready       how each component is

Views, caretaker and command line call these and add nothing of their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unrot.core import schema
from unrot.core.acting import act_of, acting
from unrot.core.errors import (
    Expired,
    Invalid,
    JournalFull,
    NotAllowed,
    NotFound,
    StoreAway,
    wrong_field,
)
from unrot.core.ids import Ids
from unrot.core.ports import Clock, Counts, Messenger, NoCounts, Profiler, Store, Trainer
from unrot.core.quick_rows import QuickRows, Read
from unrot.core.records import (
    CHAMPION,
    THIS_MACHINE,
    Caller,
    Component,
    Feedback,
    FeedbackStatus,
    Model,
    ModelKey,
    Row,
    Schema,
    Tally,
    UnverifiedFeedback,
    Version,
)
from unrot.core.settings import Settings
from unrot.core.signatures import Signatures
from unrot.core.time import utc
from unrot.hear import verdicts
from unrot.hear.key_store import check_keys
from unrot.serve import events, readiness
from unrot.serve.answer import Answer
from unrot.serve.journal import Journal
from unrot.serve.key_finder import KeyFinder
from unrot.serve.limits import Limits
from unrot.serve.one_row import OneRow
from unrot.serve.rejected import Refusals, rejection_of
from unrot.serve.shelf import Contents, Shelf, ShelvedModel
from unrot.serve.tokens import KnownTokens

Keys = Sequence[str | None]
"""What a client calls each of its rows; empty where it has no names of its own."""

LAST_VERDICTS = 50
VERDICT_BYTES = 500


class Form(NamedTuple):
    """A way to write rows in JSON: who explains what is wrong with it, who reads it quickly."""

    parse: Callable[[Schema, Any], list[Row]]
    read: Callable[[QuickRows, Any], Read | None]


OBJECTS = Form(schema.parse_rows, QuickRows.read)
LISTS = Form(schema.parse_instances, QuickRows.read_lists)


@dataclass(frozen=True, kw_only=True)
class Service:
    """The product. `bootstrap.py` makes one; every door holds it."""

    settings: Settings
    store: Store
    shelf: Shelf
    journal: Journal
    ids: Ids
    signatures: Signatures
    profiler: Profiler
    trainer: Trainer
    messenger: Messenger
    refusals: Refusals
    limits: Limits
    tokens: KnownTokens
    clock: Clock = time.time
    counts: Counts = NoCounts()

    # ── catalogue ────────────────────────────────────────────────────────────────────────────

    def catalogue(self) -> Contents:
        """Return what is served at this moment."""
        return self.shelf.contents()

    def check_known(self, contents: Contents) -> None:
        """Raise StoreAway where nothing came from the store yet though it may have something."""
        if contents.generation or contents.models:
            return
        try:
            has_models = bool(self.store.registry.models())
        except StoreAway as error:
            message = f"{error.message} This machine has had no model from it yet."
            raise StoreAway(message, error.cause) from error
        if has_models:
            raise StoreAway("This machine is fetching its models from the store: ask again soon.")

    def default_model(self, contents: Contents | None = None) -> ShelvedModel:
        """Return the model that answers when none is named: the chosen, else the first trained."""
        contents = contents or self.catalogue()
        self.check_known(contents)
        if self.settings.default_model:
            return contents.model(self.settings.default_model)
        if not contents.models:
            raise NotFound("There is no model yet: train one with python -m unrot train iris")
        return min(contents.models.values(), key=lambda shelved: shelved.model.number)

    # ── predict ──────────────────────────────────────────────────────────────────────────────

    def predict(
        self,
        name: str,
        inputs: Any,
        *,
        version: str | None = None,
        contents: Contents | None = None,
        caller: Caller = THIS_MACHINE,
        keys: Keys = (),
    ) -> Answer:
        """Score one object of features or a list of them, with what was served a moment ago.

        `keys` are what the client calls the rows, if it gives them names of its own.
        """
        contents = contents or self.catalogue()
        self.check_known(contents)
        shelved = contents.model(name)
        return self._predict(contents, shelved, version, OBJECTS, inputs, caller, keys)

    def one_row(self, name: str, version: str | None, contents: Contents) -> OneRow:
        """Return what answers single rows of a version."""
        held: OneRow | None = contents.one_row.get((name, version))
        if held is None:
            self.check_known(contents)
            shelved = contents.model(name)
            wanted = shelved.version(version)
            held = OneRow(
                *(shelved, wanted, self.shelf.predictor(contents, wanted)),
                ids=self.ids,
                journal=self.journal,
                counts=self.counts,
                limits=self.limits,
            )
            contents.one_row[name, version] = held
        return held

    def predict_instances(
        self,
        reference: Any,
        instances: Any,
        *,
        contents: Contents | None = None,
        caller: Caller = THIS_MACHINE,
        keys: Keys = (),
    ) -> Answer:
        """Score the older form for `zombies` or `zombies/versions/v2`."""
        contents = contents or self.catalogue()
        self.check_known(contents)
        name, version = _parted(reference)
        shelved = contents.model(name) if name else self.default_model(contents)
        return self._predict(contents, shelved, version, LISTS, instances, caller, keys)

    def _predict(
        self,
        contents: Contents,
        shelved: ShelvedModel,
        named: str | None,
        form: Form,
        given: Any,
        caller: Caller,
        keys: Keys,
    ) -> Answer:
        try:
            rows, table = self._rows(contents, shelved, named, form, given)
            check_keys(keys, len(rows))
            version = shelved.version(named)
            answer, is_kept = self._scored(contents, shelved, version, rows, table, caller, keys)
        except Invalid as error:
            self._count_refused(shelved, named, error, given)
            raise
        return answer if is_kept else replace(answer, ids=[None] * len(answer.ids))

    def _rows(
        self,
        contents: Contents,
        shelved: ShelvedModel,
        named: str | None,
        form: Form,
        given: Any,
    ) -> tuple[Sequence[Row], NDArray[np.float64] | None]:
        """Read rows as the version's own reader does; what that does not take is explained."""
        version = shelved.versions.get(named or shelved.aliases.get(CHAMPION, ""))
        if version is not None:
            reader = getattr(self.shelf.predictor(contents, version), "rows", None)
            read = form.read(reader, given) if reader is not None else None
            if read is not None:
                return read
        return form.parse(shelved.model.schema, given), None

    def _count_refused(
        self, shelved: ShelvedModel, version: str | None, error: Invalid, rows: Any
    ) -> None:
        named = version or shelved.aliases.get(CHAMPION, "")
        if named in shelved.versions:
            sent = len(rows) if isinstance(rows, list) else 1
            self.refusals.add(
                [rejection_of(shelved.model, named, error.details, self.clock(), sent=sent)]
            )

    def score(
        self,
        name: str,
        rows: Sequence[Row],
        *,
        version: str | None = None,
        caller: Caller = THIS_MACHINE,
        keys: Keys = (),
    ) -> Answer:
        """Score rows that the schema has checked; JournalFull when they cannot be kept as well."""
        contents = self.catalogue()
        shelved = contents.model(name)
        wanted = shelved.version(version)
        answer, is_kept = self._scored(contents, shelved, wanted, rows, None, caller, keys)
        if not is_kept:
            raise JournalFull(
                "The journal cannot be written, so the predictions would have no ids: make room on "
                "the disk of the home folder, then begin again."
            )
        return answer

    def _scored(
        self,
        contents: Contents,
        shelved: ShelvedModel,
        version: Version,
        rows: Sequence[Row],
        table: NDArray[np.float64] | None,
        caller: Caller,
        keys: Keys = (),
    ) -> tuple[Answer, bool]:
        """Score rows, give them ids and journal them; tell whether the journal took them.

        TooMany when their caller has no room for them: nothing is answered that is not kept.
        """
        predictor: Any = self.shelf.predictor(contents, version)
        started = time.perf_counter()
        outputs = predictor.score(table) if table is not None else None
        if outputs is None:  # It was not read as a table, or there is something to say of it.
            outputs = predictor.predict(rows)
        seconds = (time.perf_counter() - started) / len(rows)
        now, place = self.clock(), self.journal.reserve(len(rows))
        ids = self.ids.make_many(
            len(rows),
            at=now,
            segment=place.segment,
            row=place.row,
            model_number=shelved.model.number,
            classes=outputs.classes,
        )
        answer = Answer(shelved, version, now, seconds, rows, outputs, ids)
        lines = answer.lines() + (answer.key_lines(keys) if keys else b"")
        self.limits.admit(caller, len(lines))
        self.counts.predicted(shelved.model.name, version.name, len(rows))
        return answer, self.journal.append(lines, count=len(rows))

    # ── judge ────────────────────────────────────────────────────────────────────────────────

    def judge(self, given: Any, caller: Caller) -> tuple[Feedback, FeedbackStatus]:
        """Keep one verdict."""
        self.limits.admit_verdicts(caller, 1, _size(given))
        verdict = self._reader([given]).read(given, caller=caller, now=self.clock())
        with acting(act_of(caller, "judge")):
            status = self._keep([verdict])[0]
        if status == "missing":
            raise NotFound(verdicts.NO_LONGER_SERVED)
        if status == "forgotten":
            raise Expired(verdicts.NO_LONGER_KEPT)
        return verdict, status

    def judge_many(self, given: list[Any], caller: Caller) -> list[tuple[Any, str]]:
        """Keep all valid verdicts of a list; answer each with its status or the error's reason."""
        verdicts.check_count(len(given))
        self.limits.admit_verdicts(caller, len(given), sum(map(_size, given)))
        reader, now = self._reader(given), self.clock()
        read = [reader.read_or_error(one, caller=caller, now=now) for one in given]
        with acting(act_of(caller, "judge")):
            kept = iter(self._keep([one for one in read if isinstance(one, Feedback)]))
        statuses = [
            _said_of(next(kept)) if isinstance(one, Feedback) else one.reason for one in read
        ]
        ids = [
            one.prediction if isinstance(one, Feedback) else verdicts.id_of(sent)
            for one, sent in zip(read, given, strict=True)
        ]
        return list(zip(ids, statuses, strict=True))

    def judge_unverified(
        self, given: Mapping[str, Any], caller: Caller
    ) -> tuple[UnverifiedFeedback, FeedbackStatus]:
        """Keep a verdict in the older form: shown and counted apart, it teaches nothing."""
        self.limits.admit_verdicts(caller, 1, _size(given))
        contents = self.catalogue()
        verdict = verdicts.read_unverified(
            given, known=lambda name: contents.model(name).model, caller=caller, now=self.clock()
        )
        status: FeedbackStatus = "created"
        try:
            with acting(act_of(caller, "judge")):
                self.store.verdicts.put_unverified([verdict])
        except StoreAway:
            self._queue([verdict])
            status = "queued"
        self.counts.judged(contents.name_of(verdict.model), "unverified")
        return verdict, status

    def withdraw(self, id: str, caller: Caller) -> FeedbackStatus:
        """Take a verdict back."""
        self.limits.admit_verdicts(caller, 1, VERDICT_BYTES)
        verdict = self._reader().withdrawal(id, caller=caller, now=self.clock())
        with acting(act_of(caller, "take back")):
            status = self._keep([verdict])[0]
        if status == "forgotten":
            raise Expired(verdicts.NO_LONGER_KEPT)
        if status in ("missing", "duplicate"):
            raise NotFound("There is no verdict on this prediction to take back.")
        if status == "overruled":
            raise NotAllowed("A judge has judged this prediction: only a judge can take it back.")
        return status

    def _keep(self, given: Sequence[Feedback]) -> Sequence[FeedbackStatus]:
        statuses = self._kept_or_queued(given)
        contents = self.catalogue()
        for verdict, status in zip(given, statuses, strict=True):
            counted_as = "signal" if verdict.is_implicit else status
            self.counts.judged(contents.name_of(verdict.model), counted_as)
        return statuses

    def _kept_or_queued(self, given: Sequence[Feedback]) -> Sequence[FeedbackStatus]:
        try:
            statuses = self.store.verdicts.put(given) if given else []
            self.journal.ring()
            return statuses
        except StoreAway:
            self._queue(given)
            return ["queued"] * len(given)

    def _queue(self, given: Sequence[Feedback | UnverifiedFeedback]) -> None:
        if not self.journal.append(events.to_lines(given), count=0, durable=True):
            raise JournalFull(
                "The verdict could not be kept: the store is away and the journal cannot be "
                "written. Nothing was taken; try again in a moment."
            )

    def _reader(self, given: Sequence[Any] = ()) -> verdicts.VerdictReader:
        contents = self.catalogue()

        def model_of(number: int) -> Model | None:
            shelved = contents.by_number(number)
            return shelved.model if shelved else None

        days = self.settings.feedback_days
        named = self._named(contents, given)
        return verdicts.VerdictReader(self.ids, days, model_of, self._label_of, named)

    def _named(self, contents: Contents, given: Sequence[Any]) -> dict[tuple[str | None, str], str]:
        """Return the ids of the predictions that some verdicts name by their clients' keys."""
        found: dict[tuple[str | None, str], str] = {}
        for name, keys in verdicts.keys_of(given).items():
            shelved = self.default_model(contents) if name is None else contents.model(name)
            ids = KeyFinder(self.store, self.journal).find(shelved.model.key, keys)
            found |= {(name, key): id for key, id in ids.items()}
        return found

    def _label_of(self, id: str) -> str | None:
        try:
            judged = self.store.traffic.prediction(id)
        except StoreAway:
            return None
        return judged.prediction.label if judged else None

    # ── look ─────────────────────────────────────────────────────────────────────────────────

    def versions(self, model: ModelKey) -> list[Version]:
        """List the versions of a model, oldest first."""
        return self.store.registry.versions(model)

    def version(self, name: str, version: str) -> Version:
        """Return one version of a model."""
        model = self.catalogue().model(name).model
        for made in self.versions(model.key):
            if made.name == version:
                return made
        raise NotFound(f'{model.name} has no version "{version[:80]}".')

    def aliases(self, model: ModelKey) -> dict[str, str]:
        """Return the aliases of a model as they now stand."""
        return self.store.registry.aliases(model)

    def today(self, name: str) -> Tally:
        """Return a model's predictions and judged ones of today (UTC), and how its champion does.

        The last verdicts are those on the champion's own answers, whenever it gave them.
        """
        now = utc(self.clock())
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
        shelved = self.catalogue().model(name)
        champion = shelved.aliases.get(CHAMPION, "")
        return self.store.traffic.tally(
            shelved.model.key, since=midnight, last=LAST_VERDICTS, version=champion
        )

    # ── ready ────────────────────────────────────────────────────────────────────────────────

    def ready(self) -> dict[str, Component]:
        """Say how each component is."""
        contents, default = self.shelf.contents(), self.settings.default_model
        store = readiness.store(self.store, has_models=bool(contents.models))
        is_away = store.state != "ok"
        found = {
            "store": store,
            "journal": readiness.journal(self.journal.folder, self.settings.journal_max),
            "caretaker": readiness.caretaker(self.settings.home / "caretaker.json"),
            "shelf": readiness.shelf(contents, default, is_store_away=is_away),
        }
        if is_away and found["journal"].is_stuck:
            found["journal"] = replace(found["journal"], state="down")
        return found


def _parted(reference: Any) -> tuple[str | None, str | None]:
    """Read `zombies` or `zombies/versions/v2`."""
    if reference is None:
        return None, None
    parts = reference.split("/") if isinstance(reference, str) else []
    if len(parts) == 1 and parts[0]:
        return parts[0], None
    if len(parts) == 3 and parts[0] and parts[1] == "versions" and parts[2]:
        return parts[0], parts[2]
    raise wrong_field("model", reference, "a model such as zombies, or zombies/versions/v2")


def _size(verdict: Any) -> int:
    """Return about how many bytes a verdict takes in the store: itself, and what goes with it."""
    said = verdict.values() if isinstance(verdict, Mapping) else ()
    return VERDICT_BYTES + sum(len(str(value)) for value in said)


def _said_of(status: FeedbackStatus) -> str:
    return {"missing": NotFound.reason, "forgotten": Expired.reason}.get(status, status)
