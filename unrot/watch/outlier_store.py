"""Predictions that look like nothing that training saw, as documents; shipments bring them in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from unrot.core.records import JudgedPrediction, Oddity, Reason
from unrot.store.kinds import OUTLIER
from unrot.store.names import Names
from unrot.store.operations import Document, Operations, Put

LookUp = Callable[[Sequence[str]], Mapping[str, JudgedPrediction]]


def outlier_puts(oddities: Iterable[tuple[str, Oddity]]) -> list[Put]:
    """Return the changes that keep outliers, each with the key of its model."""
    return [
        Put(
            OUTLIER,
            oddity.prediction,
            {
                "model": key,
                "predicted at": oddity.predicted_at,
                "body": {
                    "version": oddity.version,
                    "score": oddity.score,
                    "reasons": list(oddity.reasons),
                },
            },
        )
        for key, oddity in oddities
    ]


class OutlierStore:
    """The outliers."""

    def __init__(self, database: Operations, names: Names, look_up: LookUp) -> None:
        self._database = database
        self._names = names
        self._look_up = look_up

    def of(self, prediction: str) -> Oddity | None:
        """Return what is odd about a prediction."""
        found = self._database.get(OUTLIER, prediction)
        return None if found is None else _oddity(found, self._names.name_of(found["model"]))

    def recent(
        self, model: str, *, limit: int, before: tuple[float, str] | None = None
    ) -> list[tuple[Oddity, JudgedPrediction | None]]:
        """List outliers newest first, with the predictions that are still kept."""
        models = self._names.now()
        equal = (key := models.key_of(model),)
        found = self._database.scan(
            OUTLIER, "of model", equal, after=before, newest_first=True, limit=limit
        )
        kept = self._look_up([one.key for one in found])
        return [(_oddity(one, models.name_of(key)), kept.get(one.key)) for one in found]


def _oddity(document: Document, model: str) -> Oddity:
    body = document["body"]
    return Oddity(
        document.key,
        model,
        body["version"],
        document["predicted at"],
        body["score"],
        tuple(Reason(**one) for one in body["reasons"]),
    )
