"""Predictions out of their batches: by id, newest first, and those that one writer brought.

Batches of several writers lie over each other in time. They are read by when they end, newest
first, and a row is handed out once no batch that is still unread can hold a newer one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

from unrot.core.newest import Newest
from unrot.core.records import IMPORTING, Prediction
from unrot.hear.verdict_store import Arrived
from unrot.serve.batches import SPANS, Batch
from unrot.serve.rows import Rows, places_of
from unrot.store.kinds import BATCH, UNSURE
from unrot.store.operations import Document, Operations, scan_all

MOST_BYTES = 8_000_000
"""Of batches that stay in memory, since pages and lookups come back to the newest ones."""

FEW = 2
"""So few ids are looked up without unpacking all that lies beside them."""

BACK = 32
"""How many batches before its own a lookup goes back to: rows of one moment may change places."""

PAGE = 50
HEADER = ("model", "version", "writer", "starts at", "ends at", "rows", "first row", "last row")
"""All of a batch but its rows."""

_by_time = itemgetter(0, 1)

Cursor = tuple[float, str]
"""The time and the id of a prediction."""


class Opened:
    """A batch in memory: packed, or all of its rows once these were asked for.

    Packed, a row of hundreds of columns takes far more than its values.
    """

    def __init__(self, batch: Document) -> None:
        self._held: Batch | Rows = Batch(batch["columns"])
        self._names = batch["model"], batch["version"]
        self.size = self._held.size
        """About how many bytes of memory it takes."""

    @property
    def rows(self) -> Rows:
        """All of it."""
        held = self._held
        if isinstance(held, Rows):
            return held
        rows = held.rows(*self._names)
        self._held, self.size = rows, held.size_of_rows
        return rows

    @cached_property
    def ordered(self) -> list[tuple[float, str, Rows, int]]:
        """The place of each row behind its time and its id, the oldest first."""
        rows = self.rows
        found = [
            (time, id or "", rows, at)
            for at, (time, id) in enumerate(zip(rows.times, rows.ids, strict=True))
        ]
        return sorted(found, key=_by_time)

    def find(self, id: str, *, is_one: bool) -> Prediction | None:
        """Return one row."""
        if is_one and isinstance(self._held, Batch):
            return self._held.find(id, *self._names)
        at = self._places.get(id)
        return None if at is None else self.rows[at]

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {id or "": at for at, id in enumerate(self.rows.ids)}


class BatchReader:
    """Reads predictions; their models are keys."""

    def __init__(self, database: Operations) -> None:
        self._database = database
        self._opened: Newest[tuple[str, int], Opened] = Newest(MOST_BYTES, lambda one: one.size)

    def look_up(self, ids: Sequence[str]) -> dict[str, Arrived]:
        """Return those of some predictions that are there."""
        wanted = list(dict.fromkeys(ids))
        seen: dict[tuple[str, int], list[Document]] = {}
        found = {id: self._find(id, seen, is_one=len(wanted) <= FEW) for id in wanted}
        return {id: held.arrived for id, held in found.items() if held is not None}

    def holding(self, ids: Sequence[str]) -> dict[str, list[str]]:
        """Return the keys of the batches that hold some predictions, each with those."""
        seen: dict[tuple[str, int], list[Document]] = {}
        holding: dict[str, list[str]] = {}
        for id in ids:
            if (held := self._find(id, seen, is_one=len(ids) == 1)) is not None:
                holding.setdefault(held.batch, []).append(id)
        return holding

    def headers(self, key: str) -> Iterator[Document]:
        """Return a model's batches without their rows, by when they end, the newest first."""
        streams = [_Stream(self._headers(key, span, None)) for span in SPANS]
        while any(stream.head for stream in streams):
            yield max(streams, key=lambda one: one.ends_at).take()

    def newest(self, key: str, before: Cursor | None = None) -> Iterator[Prediction]:
        """Return a model's predictions, newest first, those older than a cursor."""
        pending: list[tuple[float, str, Rows, int]] = []
        streams = [_Stream(self._headers(key, span, before)) for span in SPANS]
        while any(stream.head for stream in streams) or pending:
            stream = max(streams, key=lambda one: one.ends_at)
            while pending and pending[-1][0] > stream.ends_at:
                _, _, rows, at = pending.pop()
                yield rows[at]
            if stream.head is not None and (opened := self._open(stream.take())) is not None:
                ordered = opened.ordered
                end = None if before is None else bisect_left(ordered, before, key=_by_time)
                is_first = not pending
                pending += ordered[:end]
                if not is_first:
                    pending.sort(key=_by_time)

    def unsure(self, key: str, before: Cursor) -> Iterator[Prediction]:
        """Return those that were answered with "not sure" and are older than a cursor."""
        pending: list[tuple[float, str, Rows, int]] = []
        found = scan_all(
            self._database,
            UNSURE,
            "of model",
            (key,),
            until=before[0] + SPANS[-1] + 1.0,
            newest_first=True,
            page=PAGE,
        )
        for told in found:
            while pending and pending[-1][0] > told["ends at"]:
                _, _, rows, at = pending.pop()
                yield rows[at]
            if told["starts at"] <= before[0]:
                pending = sorted([*pending, *self._told(told, before)], key=_by_time)
        yield from (rows[at] for _, _, rows, at in reversed(pending))

    def _told(self, told: Document, before: Cursor) -> list[tuple[float, str, Rows, int]]:
        """Return the rows of a batch that a document tells of, as far as they are there."""
        header, stood = self._database.get(BATCH, told.key), set(told["rows"])
        if header is None or (opened := self._open(header)) is None:
            return []
        numbers = places_of(opened.rows.ids).rows
        return [one for one in opened.ordered if one[:2] < before and numbers[one[3]] in stood]

    def written(self, writer: str, since: float, until: float | None = None) -> Iterator[Document]:
        """Return the batches that a writer brought and that end in a stretch of time, no rows."""
        yield from scan_all(
            self._database, BATCH, "of writer", (writer,), since=since, until=until, only=HEADER
        )

    def rows_of(self, header: Document) -> Rows:
        """Return the predictions of a batch; none where it has gone meanwhile."""
        opened = self._open(header)
        return Rows() if opened is None else opened.rows

    def _open(self, header: Document) -> Opened | None:
        """Return a batch; None where it has gone meanwhile."""
        known = header.key, header.revision
        if (opened := self._opened.get(known)) is not None:
            return opened
        whole = self._database.get(BATCH, header.key)
        if whole is None:
            return None
        return self._opened.keep((header.key, whole.revision), Opened(whole))

    def _find(
        self, id: str, seen: dict[tuple[str, int], list[Document]], *, is_one: bool
    ) -> _Held | None:
        """Look in batches that were found for others before, then in those that may have it."""
        places = places_of([id])
        stood = places.segments[0], places.model_numbers[0]
        row = places.rows[0]
        known = seen.setdefault(stood, [])
        for header in known:
            is_of = header["first row"] <= row <= header["last row"]
            if is_of and (found := self._found(header, id, is_one=is_one)) is not None:
                return found
        headers = scan_all(
            self._database,
            BATCH,
            "of segment",
            stood,
            until=row + 1,
            newest_first=True,
            only=HEADER,
            page=2,
        )
        for header in islice(headers, BACK):
            may_be = header["last row"] >= row
            if may_be and (found := self._found(header, id, is_one=is_one)) is not None:
                known.append(header)
                return found
        return None

    def _found(self, header: Document, id: str, *, is_one: bool) -> _Held | None:
        opened = self._open(header)
        made = None if opened is None else opened.find(id, is_one=is_one)
        return None if made is None else _Held(header.key, arrived(made, header["writer"]))

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


class _Held(NamedTuple):
    """A prediction that was found, and the key of the batch that holds it."""

    batch: str
    arrived: Arrived


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
