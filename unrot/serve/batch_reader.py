"""Predictions out of their batches: by id, newest first, and those that one writer brought.

Batches of several writers lie over each other in time. They are read by when they end, newest
first, and a row is handed out once no batch that is still unread can hold a newer one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from unrot.core.records import IMPORTING, Prediction
from unrot.hear.verdict_store import Arrived
from unrot.serve.batches import SPANS, place_of, unpack, unpack_one
from unrot.store.kinds import BATCH
from unrot.store.operations import Document, Operations, scan_all

MOST_KEPT = 10_000
"""Rows that stay unpacked in memory: pages and lookups come back to the newest ones."""

FEW = 2
"""So few ids are looked up without unpacking all that lies beside them."""

BACK = 32
"""How many batches before its own a lookup goes back to: rows of one moment may change places."""

PAGE = 50
HEADER = ("model", "version", "writer", "starts at", "ends at", "rows", "first row", "last row")
"""All of a batch but its rows."""

Cursor = tuple[float, str]
"""The time and the id of a prediction."""


class BatchReader:
    """Reads predictions; their models are keys."""

    def __init__(self, database: Operations) -> None:
        self._database = database
        self._unpacked: OrderedDict[tuple[str, int], Mapping[str, Prediction]] = OrderedDict()

    def look_up(self, ids: Sequence[str]) -> dict[str, Arrived]:
        """Return those of some predictions that are there."""
        is_one = len(ids) <= FEW
        found = ((id, self._find(id, is_one=is_one)) for id in dict.fromkeys(ids))
        return {id: arrived for id, arrived in found if arrived is not None}

    def headers(self, key: str) -> Iterator[Document]:
        """Return a model's batches without their rows, by when they end, the newest first."""
        streams = [_Stream(self._headers(key, span, None)) for span in SPANS]
        while any(stream.head for stream in streams):
            yield max(streams, key=lambda one: one.ends_at).take()

    def newest(self, key: str, before: Cursor | None = None) -> Iterator[Prediction]:
        """Return a model's predictions, newest first, those older than a cursor."""
        pending: list[tuple[float, str, Prediction]] = []
        streams = [_Stream(self._headers(key, span, before)) for span in SPANS]
        while any(stream.head for stream in streams) or pending:
            stream = max(streams, key=lambda one: one.ends_at)
            while pending and pending[-1][0] > stream.ends_at:
                yield pending.pop()[2]
            if stream.head is not None:
                rows = self.rows_of(stream.take()).values()
                keyed = ((one.predicted_at, one.id or "", one) for one in rows)
                pending += [one for one in keyed if before is None or one[:2] < before]
                pending.sort(key=lambda one: one[:2])

    def written(self, writer: str, since: float, until: float | None = None) -> Iterator[Document]:
        """Return the batches that a writer brought and that end in a stretch of time, no rows."""
        yield from scan_all(
            self._database, BATCH, "of writer", (writer,), since=since, until=until, only=HEADER
        )

    def rows_of(self, header: Document) -> Mapping[str, Prediction]:
        """Return the predictions of a batch by their ids; none where it has gone meanwhile."""
        known = header.key, header.revision
        if known not in self._unpacked:
            whole = self._database.get(BATCH, header.key)
            rows = [] if whole is None else _rows(whole)
            self._unpacked[known] = {one.id or "": one for one in rows}
            while sum(map(len, self._unpacked.values())) > MOST_KEPT and len(self._unpacked) > 1:
                self._unpacked.popitem(last=False)
        return self._unpacked[known]

    def _find(self, id: str, *, is_one: bool) -> Arrived | None:
        place = place_of(id)
        headers = scan_all(
            self._database,
            BATCH,
            "of segment",
            (place.segment, place.model_number),
            until=place.row + 1,
            newest_first=True,
            only=HEADER,
            page=2,
        )
        for header in islice(headers, BACK):
            if header["last row"] >= place.row:
                made = self._one_of(header, id) if is_one else self.rows_of(header).get(id)
                if made is not None:
                    return arrived(made, header["writer"])
        return None

    def _one_of(self, header: Document, id: str) -> Prediction | None:
        """Return one row of a batch; the others are not unpacked for it."""
        known = self._unpacked.get((header.key, header.revision))
        if known is not None:
            return known.get(id)
        whole = self._database.get(BATCH, header.key)
        if whole is None:
            return None
        return unpack_one(whole["columns"], whole["model"], whole["version"], id)

    def _headers(self, key: str, span: int, before: Cursor | None) -> Iterator[Document]:
        """Return the batches of one length that may hold what is older than a cursor."""
        until = None if before is None else before[0] + span + 1.0
        found = scan_all(
            self._database,
            BATCH,
            "recent",
            (key, span),
            until=until,
            newest_first=True,
            only=HEADER,
            page=PAGE,
        )
        yield from (one for one in found if before is None or one["starts at"] <= before[0])


class _Stream:
    """Batches, of which the next one can be looked at."""

    def __init__(self, batches: Iterator[Document]) -> None:
        self._batches = batches
        self.head = next(batches, None)

    @property
    def ends_at(self) -> float:
        """When the next one ends; before all time where there is none."""
        return -1e18 if self.head is None else float(self.head["ends at"])

    def take(self) -> Document:
        """Return the next one and go on."""
        assert self.head is not None
        taken, self.head = self.head, next(self._batches, None)
        return taken


def arrived(made: Prediction, writer: str) -> Arrived:
    """Return a prediction with who brought it."""
    return Arrived(made, writer, writer.startswith(IMPORTING))


def _rows(batch: Document) -> list[Prediction]:
    return unpack(batch["columns"], batch["model"], batch["version"])
