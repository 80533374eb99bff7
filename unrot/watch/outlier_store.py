"""Predictions that look like nothing that training saw, as documents; shipments bring them in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from unrot.core.records import JudgedPrediction, ModelKey, Oddity, Reason
from unrot.store.kinds import OUTLIER
from unrot.store.operations import Document, Operations, Put

LookUp = Callable[[Sequence[str]], Mapping[str, JudgedPrediction]]


def outlier_puts(oddities: Iterable[Oddity]) -> list[Put]:
    """Return the changes that keep outliers."""
    return [
        Put(
            OUTLIER,
            oddity.prediction,
            {
                "model": oddity.model,
                "predicted at": oddity.predicted_at,
                "body": {
                    "version": oddity.version,
                    "score": oddity.score,
                    "reasons": list(oddity.reasons),
                },
            },
        )
        for oddity in oddities
    ]


class OutlierStore:
    """The outliers."""

    def __init__(self, database: Operations, look_up: LookUp) -> None:
        self._database = database
        self._look_up = look_up

    def of(self, prediction: str) -> Oddity | None:
        """Return what is odd about a prediction."""
        found = self._database.get(OUTLIER, prediction)
        return None if found is None else _oddity(found)

    def recent(
        self, model: ModelKey, *, limit: int, before: tuple[float, str] | None = None
    ) -> list[tuple[Oddity, JudgedPrediction | None]]:
        """List outliers newest first, with the predictions that are still kept."""
        found = self._database.scan(
            OUTLIER, "of model", (model,), after=before, newest_first=True, limit=limit
        )
        kept = self._look_up([one.key for one in found])
        return [(_oddity(one), kept.get(one.key)) for one in found]


def _oddity(document: Document) -> Oddity:
    body = document["body"]
    return Oddity(
        document.key,
        document["model"],
        body["version"],
        document["predicted at"],
        body["score"],
        tuple(Reason(**one) for one in body["reasons"]),
    )
