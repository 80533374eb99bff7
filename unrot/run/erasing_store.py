"""Predictions and their verdicts out of all that is kept, as documents.

That it was forgotten is noted first, under its id, and the note stays: so whatever ends the work,
the next run ends it, and a line that is still in a journal somewhere is erased when it arrives.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from unrot.core.records import Forgotten, ModelKey
from unrot.serve.batch_reader import BatchReader
from unrot.serve.batches import pack, unpack
from unrot.store.kinds import (
    AUDIT,
    BATCH,
    CLIENT_KEY,
    FACT,
    FEEDBACK,
    FORGOTTEN,
    MODEL,
    OUTLIER,
    OVERRULED,
    SHADOWS,
    UNSURE,
    UNVERIFIED,
)
from unrot.store.operations import (
    Change,
    Changed,
    Delete,
    Operations,
    Put,
    scan_all,
    until_kept,
)

NAMES = (
    (FEEDBACK, "verdict"),
    (OVERRULED, "overruled verdict"),
    (OUTLIER, "mark as an outlier"),
    (UNVERIFIED, "unverified verdict"),
)
"""What is kept under the very id."""
ARRIVED = {"prediction", "unverified verdict"}
"""What there is of one that need not arrive any more: a verdict may come before its prediction."""

AT_ONCE, TOGETHER = 300, 40
"""How many are noted in a commit, and erased in one, each of which may be in several places."""

Note = Callable[[ModelKey, int, float], list[Put]]
"""The change that counts predictions that were let go."""
NEWS = "forgotten"
"""The fact that holds that word: no clock is asked, since those of machines differ."""
_Found = tuple[str, Sequence[str], Sequence[Change]]
"""The name of what there is, of which predictions, and what erases it."""


class ErasingStore:
    """Erases."""

    def __init__(self, database: Operations, batches: BatchReader, note: Note) -> None:
        self._database = database
        self._batches = batches
        self._note = note

    def note(self, models: Mapping[str, ModelKey], now: float) -> None:
        """Note ids as forgotten, each of its model; those that are noted already stay."""
        for model in dict.fromkeys(models.values()):
            ids = [id for id, of in models.items() if of == model]
            for start in range(0, len(ids), AT_ONCE):
                self._note_some(ids[start : start + AT_ONCE], model, now)

    def _note_some(self, ids: Sequence[str], model: ModelKey, now: float) -> None:
        fields = {"model": model, "at": now, "waits": True, "found": False}

        def work() -> None:
            document = self._database.get(MODEL, model)
            there = self._database.get_many(FORGOTTEN, ids)
            puts = [Put(FORGOTTEN, id, fields) for id in ids if id not in there]
            if puts and document is not None:
                # So that a version that is kept at this moment is kept before, or looks again.
                touched = Put(MODEL, model, document.fields, document.revision)
                told = Put(FACT, NEWS, {"value": secrets.token_hex(8)})
                self._database.commit([*puts, touched, told])

        until_kept(work)

    def waiting(self, most: int, after: Forgotten | None = None) -> list[Forgotten]:
        """List those that may still arrive somewhere, the first noted first."""
        place = None if after is None else (after.noted_at, after.id)
        found = self._database.scan(FORGOTTEN, "waits", (True,), after=place, limit=most)
        return [Forgotten(one.key, one["model"], one["at"], bool(one["found"])) for one in found]

    def news(self) -> str:
        """Return a word that changes when something is noted; empty before the first."""
        found = self._database.get(FACT, NEWS)
        return "" if found is None else str(found["value"])

    def end(self, forgotten: Forgotten) -> None:
        """Note that one cannot arrive any more."""
        fields = {"model": forgotten.model, "at": forgotten.noted_at, "found": forgotten.was_found}
        self._database.commit([Put(FORGOTTEN, forgotten.id, fields)])

    def erase(self, ids: Sequence[str], model: ModelKey, now: float) -> dict[str, list[str]]:
        """Erase what is kept of predictions; return of each the names of what there was.

        Those of a batch go together, each with all that is kept of it.
        """
        held = self._batches.holding(ids)
        in_batches = {id for some in held.values() for id in some}
        erased: dict[str, list[str]] = {}
        for some in (*held.values(), [id for id in ids if id not in in_batches]):
            for start in range(0, len(some), TOGETHER):
                part = some[start : start + TOGETHER]
                erased |= until_kept(partial(self._erase_some, part, model, now))
        return erased

    def _erase_some(self, ids: Sequence[str], model: ModelKey, now: float) -> dict[str, list[str]]:
        erased: dict[str, list[str]] = {id: [] for id in ids}
        changes: list[Change] = []
        for name, of, change in self._found(ids, model):
            changes += change
            for id in of:
                erased[id] = list(dict.fromkeys([*erased[id], name]))
        if changes:
            counted = sum("prediction" in names or "verdict" in names for names in erased.values())
            arrived = [id for id, names in erased.items() if not ARRIVED.isdisjoint(names)]
            note = [*self._note_found(arrived), *self._note(model, counted, now)]
            self._database.commit([*changes, *note])
        return erased

    def _note_found(self, ids: Sequence[str]) -> list[Change]:
        """Return the changes that note that these have arrived."""
        noted = self._database.get_many(FORGOTTEN, ids).values()
        return [
            Put(FORGOTTEN, one.key, {**one.fields, "found": True}, one.revision) for one in noted
        ]

    def _found(self, ids: Sequence[str], model: ModelKey) -> Iterator[_Found]:
        """Return what there is of them, each with the changes that erase it."""
        for batch, some in self._batches.holding(ids).items():
            yield "prediction", some, self._out_of_batch(batch, some)
        for kind, name in NAMES:
            for id, one in self._database.get_many(kind, ids).items():
                yield name, [id], [Delete(kind, id, one.revision)]
        for id in ids:
            for one in scan_all(self._database, CLIENT_KEY, "of prediction", (id,), only=[]):
                yield "client's key", [id], [Delete(CLIENT_KEY, one.key, one.revision)]
        for one in scan_all(self._database, AUDIT, "of model", (model,)):
            if some := [id for id in ids if id in one["predictions"]]:
                left = [id for id in one["predictions"] if id not in some]
                fields = {**one.fields, "predictions": left}
                yield "place in an audit", some, [Put(AUDIT, one.key, fields, one.revision)]
        for one in scan_all(self._database, SHADOWS, "of model", (model,), page=20):
            answered = {row[0] for row in one["body"]}
            if some := [id for id in ids if id in answered]:
                fields = {**one.fields, "body": [row for row in one["body"] if row[0] not in some]}
                yield "answer of a challenger", some, [Put(SHADOWS, one.key, fields, one.revision)]

    def _out_of_batch(self, key: str, ids: Sequence[str]) -> list[Change]:
        whole = self._database.get(BATCH, key)
        if whole is None:
            raise Changed
        rows = unpack(whole["columns"], whole["model"], whole["version"])
        gone = {*ids}
        stay = [one for one in rows if one.id not in gone]
        if not gone.issubset(one.id for one in rows):
            raise Changed
        if not stay:
            return [Delete(BATCH, key, whole.revision), Delete(UNSURE, key)]
        fields = {**whole.fields, "rows": len(stay), "columns": pack(stay)}
        return [Put(BATCH, key, fields, whole.revision)]
