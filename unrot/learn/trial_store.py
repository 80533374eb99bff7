"""Audits and shadows as documents: rows on which versions are tried while nobody is served."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice, takewhile

from unrot.core.records import Audit, JudgedPrediction, ModelKey, Prediction, Shadow
from unrot.core.windows import grouped
from unrot.hear.truth import is_judged
from unrot.store.kinds import AUDIT, SHADOWS
from unrot.store.names import Models
from unrot.store.operations import ABSENT, Changed, Document, Operations, Put, scan_all

AT_ONCE = 500
"""Shadows of one document."""

NEWEST = 5_000
"""So many predictions are looked at: where all are judged there is nothing to find before."""

LookUp = Callable[[Sequence[str]], Mapping[str, JudgedPrediction]]
Newest = Callable[[ModelKey], Iterator[JudgedPrediction]]


class TrialStore:
    """Audits and shadows."""

    def __init__(
        self, database: Operations, models: Models, newest: Newest, look_up: LookUp
    ) -> None:
        self._database = database
        self._models = models
        self._newest = newest
        self._look_up = look_up

    # ── audits ───────────────────────────────────────────────────────────────────────────────

    def add_audit(self, audit: Audit) -> None:
        """Keep the sample of an audit."""
        fields = {
            "model": audit.model,
            "created at": audit.created_at,
            "predictions": list(audit.predictions),
        }
        self._database.commit([Put(AUDIT, audit.id, fields)])

    def audit(self, id: str) -> Audit | None:
        """Return an audit."""
        found = self._database.get(AUDIT, id)
        return None if found is None else _audit(found)

    def audits(self, model: ModelKey) -> list[Audit]:
        """List the audits of a model, newest first."""
        found = scan_all(self._database, AUDIT, "of model", (model,), newest_first=True)
        return sorted(map(_audit, found), key=lambda one: (-one.created_at, one.id))

    def audited(self, model: ModelKey) -> set[str]:
        """Return the predictions that were ever part of an audit."""
        return {id for audit in self.audits(model) for id in audit.predictions}

    def to_sample(self, model: ModelKey, *, since: float, limit: int) -> list[JudgedPrediction]:
        """List those of the newest predictions that no judge has judged and no audit holds.

        What a judge was asked for is among them: else the hardest would be missing from audits.
        """
        audited = self.audited(model)
        newest = islice(self._newest(model), NEWEST)
        recent = takewhile(lambda one: one.prediction.predicted_at >= since, newest)
        unjudged = (one for one in recent if not is_judged(one.feedback))
        return [one for one in islice(unjudged, limit) if one.prediction.id not in audited]

    # ── shadows ──────────────────────────────────────────────────────────────────────────────

    def to_shadow(
        self, model: ModelKey, version: str, *, since: float, limit: int
    ) -> list[Prediction]:
        """List predictions that a challenger has not been scored on yet, oldest first."""
        scored = {one.prediction for one in self._scored(model, version, since=since)}
        recent = takewhile(lambda one: one.prediction.predicted_at >= since, self._newest(model))
        left = [one.prediction for one in recent if one.prediction.id not in scored]
        return sorted(left, key=lambda one: (one.predicted_at, one.id))[:limit]

    def add_shadows(self, shadows: Sequence[Shadow]) -> None:
        """Keep what a challenger would have answered; the same again changes nothing."""
        removed = self._models.removed(one.model for one in shadows)
        kept = (one for one in shadows if one.model not in removed)
        for some in grouped(kept, lambda one: (one.model, one.version)).values():
            for start in range(0, len(some), AT_ONCE):
                self._keep(_put(some[start : start + AT_ONCE]))

    def _keep(self, put: Put) -> None:
        try:
            self._database.commit([put])
        except Changed:
            return  # it is there already, and is not answered anew

    def shadows(
        self, model: ModelKey, version: str, limit: int
    ) -> list[tuple[Shadow, JudgedPrediction]]:
        """List the newest of them beside what was answered."""
        newest = list(islice(self._scored(model, version), limit))
        newest.sort(key=lambda one: (-one.predicted_at, one.prediction))
        kept = self._look_up([one.prediction for one in newest])
        return [(one, kept[one.prediction]) for one in newest if one.prediction in kept]

    def _scored(
        self, model: ModelKey, version: str, since: float | None = None
    ) -> Iterator[Shadow]:
        """Return what was scored, the newest documents first, each answer once."""
        seen: set[str] = set()
        for document in scan_all(
            self._database,
            SHADOWS,
            "of version",
            (model, version),
            since=since,
            newest_first=True,
            page=20,
        ):
            for prediction, at, label, value in reversed(document["body"]):
                if prediction not in seen:
                    seen.add(prediction)
                    yield Shadow(prediction, model, version, at, label, value)


def _audit(document: Document) -> Audit:
    predictions = tuple(document["predictions"])
    return Audit(document.key, document["model"], document["created at"], predictions)


def _put(some: Sequence[Shadow]) -> Put:
    """Return the change that keeps shadows of one version."""
    fields = {
        "model": some[0].model,
        "version": some[0].version,
        "ends at": max(one.predicted_at for one in some),
        "body": [[one.prediction, one.predicted_at, one.label, one.value] for one in some],
    }
    return Put(SHADOWS, f"{some[0].model}/{some[0].version}/{some[0].prediction}", fields, ABSENT)
