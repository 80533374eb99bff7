"""One prediction and its verdict out of all that is kept, as documents.

That it was forgotten is noted first, under its id, and the note stays: so whatever ends the work,
the next run ends it, and a line that is still in a journal somewhere is erased when it arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from unrot.core.records import Forgotten, ModelKey
from unrot.serve.batch_reader import BatchReader
from unrot.serve.batches import pack, unpack
from unrot.store.kinds import (
    AUDIT,
    BATCH,
    CLIENT_KEY,
    FEEDBACK,
    FORGOTTEN,
    MODEL,
    OUTLIER,
    OVERRULED,
    SHADOWS,
    UNSURE,
    UNVERIFIED,
    Kind,
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
ARRIVED = ("prediction", "unverified verdict")
"""What there is of one that need not arrive any more: a verdict may come before its prediction."""

AT_ONCE = 300

Note = Callable[[ModelKey, int, float], list[Put]]
"""The change that counts predictions that were let go."""


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
                self._database.commit([*puts, touched])

        until_kept(work)

    def waiting(self, most: int, after: Forgotten | None = None) -> list[Forgotten]:
        """List those that may still arrive somewhere, the first noted first."""
        place = None if after is None else (after.noted_at, after.id)
        found = self._database.scan(FORGOTTEN, "waits", (True,), after=place, limit=most)
        return [Forgotten(one.key, one["model"], one["at"], bool(one["found"])) for one in found]

    def newest_at(self) -> float:
        """Return when the newest of these was noted; 0 where there is none."""
        found = self._database.scan(FORGOTTEN, "waits", (True,), newest_first=True, limit=1)
        return float(found[0]["at"]) if found else 0.0

    def end(self, forgotten: Forgotten) -> None:
        """Note that one cannot arrive any more."""
        fields = {"model": forgotten.model, "at": forgotten.noted_at, "found": forgotten.was_found}
        self._database.commit([Put(FORGOTTEN, forgotten.id, fields)])

    def erase(self, id: str, model: ModelKey, now: float) -> list[str]:
        """Erase what is kept of a prediction in one commit; return the names of what there was."""

        def work() -> list[str]:
            found = {name: some for name, some in self._found(id, model) if some}
            if found:
                counted = int("prediction" in found or "verdict" in found)
                changes = [change for some in found.values() for change in some]
                if not found.keys().isdisjoint(ARRIVED):
                    changes += self._note_found(id)
                self._database.commit([*changes, *self._note(model, counted, now)])
            return list(found)

        return until_kept(work)

    def _note_found(self, id: str) -> list[Change]:
        """Return the change that notes that it has arrived."""
        noted = self._database.get(FORGOTTEN, id)
        if noted is None:
            return []
        return [Put(FORGOTTEN, id, {**noted.fields, "found": True}, noted.revision)]

    def _found(self, id: str, model: ModelKey) -> Iterator[tuple[str, list[Change]]]:
        """Return what there is of it, each with the changes that erase it."""
        yield "prediction", self._in_batch(id)
        for kind, name in NAMES:
            yield name, self._under(kind, id)
        yield "client's key", self._keys(id)
        yield "place in an audit", self._in_audits(id, model)
        yield "answer of a challenger", self._in_shadows(id, model)

    def _in_batch(self, id: str) -> list[Change]:
        header = self._batches.holding(id)
        whole = None if header is None else self._database.get(BATCH, header.key)
        if whole is None:
            return []
        rows = unpack(whole["columns"], whole["model"], whole["version"])
        stay = [one for one in rows if one.id != id]
        if len(stay) == len(rows):
            raise Changed
        if not stay:
            return [Delete(BATCH, whole.key, whole.revision), Delete(UNSURE, whole.key)]
        fields = {**whole.fields, "rows": len(stay), "columns": pack(stay)}
        return [Put(BATCH, whole.key, fields, whole.revision)]

    def _under(self, kind: Kind, id: str) -> list[Change]:
        found = self._database.get(kind, id)
        return [] if found is None else [Delete(kind, id, found.revision)]

    def _keys(self, id: str) -> list[Change]:
        found = scan_all(self._database, CLIENT_KEY, "of prediction", (id,), only=[])
        return [Delete(CLIENT_KEY, one.key, one.revision) for one in found]

    def _in_audits(self, id: str, model: ModelKey) -> list[Change]:
        changes: list[Change] = []
        for one in scan_all(self._database, AUDIT, "of model", (model,)):
            if id in one["predictions"]:
                left = [other for other in one["predictions"] if other != id]
                changes.append(
                    Put(AUDIT, one.key, {**one.fields, "predictions": left}, one.revision)
                )
        return changes

    def _in_shadows(self, id: str, model: ModelKey) -> list[Change]:
        changes: list[Change] = []
        for one in scan_all(self._database, SHADOWS, "of model", (model,), page=20):
            left = [row for row in one["body"] if row[0] != id]
            if len(left) < len(one["body"]):
                changes.append(Put(SHADOWS, one.key, {**one.fields, "body": left}, one.revision))
        return changes
