"""Profiles of traffic as documents; what whylogs wrote of each is a blob beside.

How many there are is asked every few seconds, and they change every few minutes: they are counted
anew when one was written since, which one small document tells, or when there are fewer.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from unrot.core.records import IMPORTING, CountedStretch, ModelKey, Profile, read_summary
from unrot.store.blobs import get_blob, put_blob
from unrot.store.kinds import PROFILE, PROFILED
from unrot.store.names import Models
from unrot.store.operations import ABSENT, Change, Delete, Document, Operations, Put, scan_all

_STRETCH = ("starts at", "ends at", "version", "reference")
_PLAIN = ("model", *_STRETCH, "writer", "rows", "passed over")


@dataclass(frozen=True, slots=True)
class _Counted:
    """The profiles of a model as they were counted."""

    stamp: tuple[int, int]
    profiles: int
    stretches: Sequence[CountedStretch]


class ProfileStore:
    """The profiles."""

    def __init__(self, database: Operations, models: Models) -> None:
        self._database = database
        self._models = models
        self._known: dict[str, _Counted] = {}

    def put(self, profile: Profile) -> None:
        """Keep a profile; one with the same id is replaced."""
        if not self._models.is_removed(profile.model):
            self._database.commit([self._put(profile), _noted(profile.model)])

    def get(self, id: str) -> Profile | None:
        """Return a profile with its data."""
        found = self._database.get(PROFILE, id)
        if found is None:
            return None
        data = get_blob(self._database, found["data"])
        return replace(_profile(found), data=data)

    def of_model(
        self, model: ModelKey, *, since: float = 0.0, until: float | None = None
    ) -> list[Profile]:
        """List a model's profiles that start in a stretch of time, without their data."""
        return [_profile(one) for one in self._of(model, since, until)]

    def stretches(self, model: ModelKey) -> list[CountedStretch]:
        """Count the rows of a model's profiles by stretch and reference, oldest first."""
        return list(self._counted(model).stretches)

    def total(self, model: ModelKey) -> tuple[int, int]:
        """Count a model's profiles and their rows: neither stays when something is new."""
        counted = self._counted(model)
        return counted.profiles, sum(stretch.rows for stretch in counted.stretches)

    def written_by(self, writer: str, since: float) -> list[Profile]:
        """List one writer's profiles of all models, oldest first; no data and no summaries."""
        found = scan_all(
            self._database,
            PROFILE,
            "of writer",
            (writer,),
            since=since,
            only=_PLAIN,
        )
        return [_profile(one) for one in found]

    # ── for retention ────────────────────────────────────────────────────────────────────────

    def old(self, model: ModelKey, before: float, most: int) -> list[Document]:
        """Return profiles that began before a time, oldest first, without those of imports."""
        found = self._of(model, until=before, only=_PLAIN)
        return list(islice((one for one in found if not _is_imported(one)), most))

    def short(
        self, model: ModelKey, *, after: float, before: float, seconds: int, most: int
    ) -> list[Profile]:
        """Return the first group of profiles that can become one of so many seconds."""
        found = self._of(model, after, before, only=_PLAIN)
        first = next((one for one in found if _is_short(one, before, seconds)), None)
        if first is None:
            return []
        start = first["starts at"] // seconds * seconds
        alike = [
            one
            for one in self._of(model, start, start + seconds)
            if one["ends at"] <= start + seconds
            if all(one[name] == first[name] for name in ("version", "writer", "reference"))
        ]
        alike.sort(key=lambda one: (one["starts at"] - one["ends at"], one["starts at"], one.key))
        return [_profile(one) for one in alike[:most]]

    def replaced(self, gone: Sequence[Profile], whole: Profile) -> list[Change] | None:
        """Return the changes that put one in the place of several; None where one has changed."""
        ids = {one.id for one in gone}
        known = self._database.get_many(PROFILE, sorted({*ids, whole.id}))
        has_changed = any(one.id not in known or known[one.id]["rows"] != one.rows for one in gone)
        if has_changed or (whole.id in known and whole.id not in ids):
            return None
        expect = known[whole.id].revision if whole.id in known else ABSENT
        deletes = [Delete(PROFILE, id, known[id].revision) for id in sorted(ids - {whole.id})]
        return [*deletes, replace(self._put(whole), expect=expect), _noted(whole.model)]

    def _counted(self, model: ModelKey) -> _Counted:
        """Count profiles, unless they are as they were."""
        noted = self._database.get(PROFILED, model)
        number = self._database.count(PROFILE, "of model", (model,))
        stamp = (noted.revision if noted else 0, number)
        known = self._known.get(model)
        if known is None or known.stamp != stamp:
            found = list(self._of(model, only=(*_STRETCH, "rows", "passed over")))
            known = self._known[model] = _Counted(stamp, len(found), _stretches(found))
        return known

    def _of(
        self,
        model: ModelKey,
        since: float | None = None,
        until: float | None = None,
        *,
        only: Sequence[str] | None = None,
    ) -> Iterator[Document]:
        return scan_all(
            self._database, PROFILE, "of model", (model,), since=since, until=until, only=only
        )

    def _put(self, profile: Profile) -> Put:
        fields = {
            "model": profile.model,
            "version": profile.version,
            "writer": profile.writer,
            "starts at": profile.starts_at,
            "ends at": profile.ends_at,
            "rows": profile.rows,
            "passed over": profile.passed_over,
            "reference": profile.reference,
            "data": put_blob(self._database, profile.data, time.time()),
            "summary": profile.summary,
        }
        return Put(PROFILE, profile.id, fields)


def _noted(model: ModelKey) -> Put:
    return Put(PROFILED, model, {"model": model})


def _stretches(found: Sequence[Document]) -> list[CountedStretch]:
    rows: Counter[tuple[Any, ...]] = Counter()
    passed_over: Counter[tuple[Any, ...]] = Counter()
    for one in found:
        stretch = tuple(one[name] for name in _STRETCH)
        rows[stretch] += one["rows"]
        passed_over[stretch] += one["passed over"] or 0
    return [
        CountedStretch(version, starts_at, ends_at, reference, count, passed_over[stretch])
        for stretch, count in sorted(rows.items())
        for starts_at, ends_at, version, reference in [stretch]
    ]


def _is_imported(one: Document) -> bool:
    return bool(one["writer"].startswith(IMPORTING))


def _is_short(one: Document, before: float, seconds: int) -> bool:
    """Tell whether a profile lies in one closed stretch of so many seconds and is shorter."""
    starts_at, ends_at = one["starts at"], one["ends at"]
    return (
        ends_at <= before // seconds * seconds
        and ends_at - starts_at < seconds
        and int(starts_at) // seconds == int(ends_at - 1) // seconds
        and not _is_imported(one)
    )


def _profile(document: Document) -> Profile:
    return Profile(
        document.key,
        document["model"],
        document["version"],
        document["writer"],
        document["starts at"],
        document["ends at"],
        document["rows"],
        summary=read_summary(document["summary"] or {}),
        reference=document["reference"],
        passed_over=document["passed over"] or 0,
    )
