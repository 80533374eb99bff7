"""Audits and shadows as documents: rows on which versions are tried while nobody is served."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice, takewhile

from unrot.core.records import Audit, JudgedPrediction, Prediction, Shadow
from unrot.store.kinds import AUDIT, SHADOWS
from unrot.store.names import Names
from unrot.store.operations import ABSENT, Changed, Document, Operations, Put, scan_all

AT_ONCE = 500
"""Shadows of one document."""

LookUp = Callable[[Sequence[str]], Mapping[str, JudgedPrediction]]
Newest = Callable[[str], Iterator[JudgedPrediction]]


class TrialStore:
    """Audits and shadows."""

    def __init__(self, database: Operations, names: Names, newest: Newest, look_up: LookUp) -> None:
        self._database = database
        self._names = names
        self._newest = newest
        self._look_up = look_up

    # ── audits ───────────────────────────────────────────────────────────────────────────────

    def add_audit(self, audit: Audit) -> None:
        """Keep the sample of an audit."""
        fields = {
            "model": self._names.key_of(audit.model),
            "created at": audit.created_at,
            "predictions": list(audit.predictions),
        }
        self._database.commit([Put(AUDIT, audit.id, fields)])

    def audit(self, id: str) -> Audit | None:
        """Return an audit."""
        found = self._database.get(AUDIT, id)
        return None if found is None else self._audit(found)

    def audits(self, model: str) -> list[Audit]:
        """List the audits of a model, newest first."""
        equal = (self._names.key_of(model),)
        found = scan_all(self._database, AUDIT, "of model", equal, newest_first=True)
        return sorted(map(self._audit, found), key=lambda one: (-one.created_at, one.id))

    def audited(self, model: str) -> set[str]:
        """Return the predictions that were ever part of an audit."""
        return {id for audit in self.audits(model) for id in audit.predictions}

    def to_sample(self, model: str, *, since: float, limit: int) -> list[JudgedPrediction]:
        """List the newest predictions that no judge has judged and no audit holds."""
        audited = self.audited(model)
        recent = takewhile(lambda one: one.prediction.predicted_at >= since, self._newest(model))
        unjudged = (one for one in recent if one.feedback is None or one.feedback.judge is None)
        return [one for one in islice(unjudged, limit) if one.prediction.id not in audited]

    def _audit(self, document: Document) -> Audit:
        return Audit(
            document.key,
            self._names.name_of(document["model"]),
            document["created at"],
            tuple(document["predictions"]),
        )

    # ── shadows ──────────────────────────────────────────────────────────────────────────────

    def to_shadow(self, model: str, version: str, *, since: float, limit: int) -> list[Prediction]:
        """List predictions that a challenger has not been scored on yet, oldest first."""
        scored = {one.prediction for one in self._scored(model, version, since=since)}
        recent = takewhile(lambda one: one.prediction.predicted_at >= since, self._newest(model))
        left = [one.prediction for one in recent if one.prediction.id not in scored]
        return sorted(left, key=lambda one: (one.predicted_at, one.id))[:limit]

    def add_shadows(self, shadows: Sequence[Shadow]) -> None:
        """Keep what a challenger would have answered; the same again changes nothing."""
        models = self._names.now()
        parts: dict[tuple[str, str], list[Shadow]] = {}
        for one in shadows:
            key = models.key_for(one.model, one.prediction)
            if key is not None:
                parts.setdefault((key, one.version), []).append(one)
        for (key, version), some in parts.items():
            for start in range(0, len(some), AT_ONCE):
                self._keep(_put(key, version, some[start : start + AT_ONCE]))

    def _keep(self, put: Put) -> None:
        try:
            self._database.commit([put])
        except Changed:
            return  # it is there already, and is not answered anew

    def shadows(
        self, model: str, version: str, limit: int
    ) -> list[tuple[Shadow, JudgedPrediction]]:
        """List the newest of them beside what was answered."""
        newest = list(islice(self._scored(model, version), limit))
        newest.sort(key=lambda one: (-one.predicted_at, one.prediction))
        kept = self._look_up([one.prediction for one in newest])
        return [(one, kept[one.prediction]) for one in newest if one.prediction in kept]

    def _scored(self, model: str, version: str, since: float | None = None) -> Iterator[Shadow]:
        """Return what was scored, the newest documents first, each answer once."""
        equal = (self._names.key_of(model), version)
        seen: set[str] = set()
        for document in scan_all(
            self._database, SHADOWS, "of version", equal, since=since, newest_first=True, page=20
        ):
            for prediction, at, label, value in reversed(document["body"]):
                if prediction not in seen:
                    seen.add(prediction)
                    yield Shadow(prediction, model, version, at, label, value)


def _put(key: str, version: str, some: Sequence[Shadow]) -> Put:
    fields = {
        "model": key,
        "version": version,
        "ends at": max(one.predicted_at for one in some),
        "body": [[one.prediction, one.predicted_at, one.label, one.value] for one in some],
    }
    return Put(SHADOWS, f"{key}/{version}/{some[0].prediction}", fields, ABSENT)
