"""Keep one whylogs profile for each stretch of traffic of each version.

Predictions are buffered per model, version and rotation period, and profiled when the period
is over: tracking whole columns is a thousand times cheaper than tracking rows. What was
shipped is in the store, so a profile that a crash cost is made again from there: at start the
rows of each recent period are compared with the rows that its profile saw.

Beside each profile stands its summary: the same rows counted on the bins of the version's
reference, so that web workers can show and compare it without whylogs.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path

import numpy as np

from unrot.core.errors import NotFound, StoreAway
from unrot.core.ports import Profiler, Store
from unrot.core.records import ModelKey, Outputs, Prediction, Profile, Schema, Stretch, Summary
from unrot.core.table import Table
from unrot.core.time import DAY, utc
from unrot.serve.rows import Rows
from unrot.watch.profiles.baseline import Reference
from unrot.watch.profiles.columns import columns_of
from unrot.watch.profiles.distributions import summary_of, total, with_sketches

BUFFERED_ROWS, MENDED_AT_ONCE = 20_000, 5_000
"""Rows that wait, and rows that are read again at once. To write a profile takes fifty milliseconds
however few rows it is of, so at most every so many."""

GRACE_SECONDS = 2.0
MEND_SECONDS = DAY

NamedReference = tuple[str, Reference]
"""A reference with its digest."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Counted:
    """Some rows as a profile, and counted on the bins of a reference where there is one."""

    rows: int
    data: bytes
    summary: Summary = field(default_factory=dict)
    reference: str = ""
    passed_over: int = 0


class ProfileKeeper:
    """Buffers rows and writes profiles; used by one thread only."""

    def __init__(
        self,
        *,
        store: Store,
        profiler: Profiler,
        schema_of: Callable[[ModelKey], Schema],
        writer: str,
        seconds: int,
        folder: Path | None,
        reference_of: Callable[[ModelKey, str], NamedReference | None] = lambda _model, _version: (
            None
        ),
    ) -> None:
        self._store = store
        self._profiler = profiler
        self._schema_of = schema_of
        self._writer = writer
        self._seconds = seconds
        self._folder = folder
        self._reference_of = reference_of
        self._waiting: dict[Stretch, list[Rows]] = defaultdict(list)
        self._passed_over: Counter[Stretch] = Counter()

    def add(self, predictions: Sequence[Prediction], *, every: int = 1) -> None:
        """Take predictions that the store has just taken, or every so many-th of each stretch."""
        rows = Rows.of(predictions)
        starts = (rows.moments // self._seconds).astype(np.int64).tolist()
        for key, part in rows.parted(rows.models, rows.versions, starts):
            model, version, start = key
            begins, ends = start * self._seconds, (start + 1) * self._seconds
            stretch, some = Stretch(model, version, begins, ends), part[::every]
            self._waiting[stretch].append(some)
            self._passed_over[stretch] += len(part) - len(some)
        for stretch, parts in list(self._waiting.items()):
            if sum(map(len, parts)) >= BUFFERED_ROWS:
                self._try_to_write(stretch)

    @property
    def waiting(self) -> int:
        """How many profiles are still to be written."""
        return len(self._waiting)

    def write_ended(self, now: float) -> None:
        """Write the profiles of the periods that are over."""
        for stretch in list(self._waiting):
            if now >= stretch.ends_at + GRACE_SECONDS:
                self._try_to_write(stretch)

    def write_all(self) -> None:
        """Write everything, the running period too: it is merged with what follows."""
        for stretch in list(self._waiting):
            self._try_to_write(stretch)

    def mend(self, now: float) -> None:
        """Profile again what an earlier caretaker shipped and could not profile."""
        for stretch in self.incomplete(self._start_of(now - MEND_SECONDS)):
            self.profile_again(stretch)

    def incomplete(self, since: float) -> list[Stretch]:
        """List the stretches whose rows are in the store and not all in their profile."""
        kept = self._store.profiles.written_by(self._writer, since - MEND_SECONDS)
        rows_of = {profile.id: profile.rows + profile.passed_over for profile in kept}
        return [
            stretch
            for stretch, rows in self._store.traffic.shipped(self._writer, since, self._seconds)
            if rows_of.get(self._id(stretch), 0) < rows
            and not self._is_of_another_length(stretch, kept)
        ]

    def _is_of_another_length(self, stretch: Stretch, kept: Sequence[Profile]) -> bool:
        """Tell whether the stretch was profiled when the rotation period was another one."""
        return any(
            (profile.model, profile.version) == (stretch.model, stretch.version)
            and profile.starts_at < stretch.ends_at
            and profile.ends_at > stretch.starts_at
            and profile.id != self._id(stretch)
            for profile in kept
        )

    def profile_again(self, stretch: Stretch) -> None:
        """Make the profile of a stretch from the rows in the store, whatever it was before."""
        if not self._is_served(stretch.model):
            return
        counted, after = None, None
        while predictions := self._store.traffic.of_stretch(
            stretch, self._writer, after=after, limit=MENDED_AT_ONCE
        ):
            more = self._counted(stretch, predictions)
            counted = more if counted is None else self._together(counted, more)
            after = (predictions[-1].predicted_at, predictions[-1].id or "")
        counted = _Counted(0, b"") if counted is None else counted
        self._put(stretch, counted)
        self._write_file(stretch, counted.data)

    def _try_to_write(self, stretch: Stretch) -> None:
        """Write one profile; one that cannot be made is given up, so that the others are."""
        try:
            self._write(stretch)
        except (StoreAway, OSError):
            raise
        except Exception:
            _log.exception("The profile of %s could not be made: given up.", stretch)
            self._forget(stretch)

    def _write(self, stretch: Stretch) -> None:
        predictions = Rows.together(self._waiting[stretch])
        if not self._is_served(stretch.model):
            self._forget(stretch)
            return
        counted = self._counted(stretch, predictions)
        counted = replace(counted, passed_over=self._passed_over[stretch])
        before = self._store.profiles.get(self._id(stretch))
        if before is not None:
            earlier = _Counted(
                before.rows, before.data, before.summary, before.reference, before.passed_over
            )
            counted = self._together(earlier, counted)
        self._put(stretch, counted)
        self._forget(stretch)
        self._write_file(stretch, counted.data)

    def _forget(self, stretch: Stretch) -> None:
        self._waiting.pop(stretch, None)
        self._passed_over.pop(stretch, None)

    def _put(self, stretch: Stretch, counted: _Counted) -> None:
        facts = self._profiler.read(counted.data) if counted.summary else {}
        profile = Profile(
            id=self._id(stretch),
            model=stretch.model,
            version=stretch.version,
            writer=self._writer,
            starts_at=stretch.starts_at,
            ends_at=stretch.ends_at,
            rows=counted.rows,
            data=counted.data,
            summary=with_sketches(counted.summary, facts),
            reference=counted.reference,
            passed_over=counted.passed_over,
        )
        self._store.profiles.put(profile)

    def _is_served(self, model: ModelKey) -> bool:
        try:
            self._schema_of(model)
        except NotFound:
            return False
        return True

    def _counted(self, stretch: Stretch, predictions: Sequence[Prediction]) -> _Counted:
        schema = self._schema_of(stretch.model)
        rows = Rows.of(predictions).inputs
        outputs = outputs_of(schema, predictions)
        data = self._profiler.profile(schema, rows, outputs)
        named = self._reference_of(stretch.model, stretch.version)
        if named is None:
            return _Counted(len(rows), data)
        digest, reference = named
        columns = columns_of(schema, rows, outputs)
        summary = summary_of(reference.summary, schema, columns)
        return _Counted(len(rows), data, summary, digest)

    def _together(self, first: _Counted, second: _Counted) -> _Counted:
        """Add rows up; what was not counted on the same bins has no summary."""
        rows, data = first.rows + second.rows, self._profiler.merge(first.data, second.data)
        whole = _Counted(rows, data, passed_over=first.passed_over + second.passed_over)
        if first.reference != second.reference:
            return whole
        summary = total([first.summary, second.summary])
        return replace(whole, summary=summary, reference=first.reference)

    def _write_file(self, stretch: Stretch, data: bytes) -> None:
        if self._folder is None:
            return
        path = self._folder / stretch.model / f"{self._id(stretch)}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}")
        draft.write_bytes(data)
        draft.replace(path)

    def _start_of(self, at: float) -> int:
        return int(at) // self._seconds * self._seconds

    def _id(self, stretch: Stretch) -> str:
        return _id_of(stretch, self._seconds, self._writer)


def merged(profiler: Profiler, profiles: Sequence[Profile], seconds: int) -> Profile:
    """Return the profile of some seconds that stands for shorter ones on the same bins."""
    first = profiles[0]
    starts_at = int(first.starts_at) // seconds * seconds
    whole = Stretch(first.model, first.version, starts_at, starts_at + seconds)
    held = [one.data for one in profiles if one.data]
    data = reduce(profiler.merge, held) if held else b""
    summary = total(one.summary for one in profiles)
    facts = profiler.read(data) if data and summary else {}
    return replace(
        first,
        id=_id_of(whole, seconds, first.writer),
        starts_at=float(whole.starts_at),
        ends_at=float(whole.ends_at),
        rows=sum(one.rows for one in profiles),
        passed_over=sum(one.passed_over for one in profiles),
        data=data,
        summary=with_sketches(summary, facts),
    )


def _id_of(stretch: Stretch, seconds: int, writer: str) -> str:
    began = utc(stretch.starts_at).strftime("%Y%m%dT%H%M%SZ")
    return ".".join((stretch.model, stretch.version, began, f"{seconds}s", writer))


def outputs_of(schema: Schema, predictions: Sequence[Prediction]) -> Outputs:
    """Return what was answered, column by column."""
    rows = Rows.of(predictions)
    if not schema.is_classifier:
        return Outputs(values=[value or 0.0 for value in rows.values])
    index = {label: number for number, label in enumerate(schema.classes)}
    likely = rows.probabilities
    is_known = isinstance(likely, Table) or all(each is not None for each in likely)
    return Outputs(
        classes=[index[label or ""] for label in rows.labels],
        probabilities=likely if is_known else None,  # type: ignore[arg-type]
    )
