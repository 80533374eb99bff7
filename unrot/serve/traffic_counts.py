"""What a shipment brings, as one window for each minute of each version."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from unrot.core import confidence, latency
from unrot.core.records import ModelKey, Oddity, Rejection, Window
from unrot.core.windows import refused
from unrot.serve.rows import Rows

Key = tuple[ModelKey, int, str]
"""Model, minute, version."""


class TrafficCounts:
    """The counts of one shipment."""

    def __init__(self, writer: str) -> None:
        self._writer = writer
        self._predictions: dict[Key, int] = defaultdict(int)
        self._looked_at: dict[Key, int] = defaultdict(int)
        self._outliers: dict[Key, int] = defaultdict(int)
        self._asked_sure: dict[Key, int] = defaultdict(int)
        self._unsure: dict[Key, int] = defaultdict(int)
        self._latency: dict[Key, list[int]] = defaultdict(lambda: [0] * latency.BINS)
        self._confidence: dict[Key, list[int]] = defaultdict(lambda: [0] * confidence.BINS)
        self._rejected: dict[Key, list[Rejection]] = defaultdict(list)

    def see(self, rows: Rows, looked_at: Collection[str]) -> None:
        """Count predictions; those that came from elsewhere took no time that is known."""
        minutes = (rows.moments // 60).astype(np.int64).tolist()
        for key, part in rows.parted(rows.models, minutes, rows.versions):
            self._predictions[key] += len(part)
            self._looked_at[key] += sum(id in looked_at for id in part.ids) if looked_at else 0
            took = np.array(part.seconds, dtype=np.float64)
            self._add(self._latency, key, latency.places(took[took > 0]))
            sure = part.most_likely
            self._add(self._confidence, key, confidence.places(sure[~np.isnan(sure)]))

    def _add(self, bins: dict[Key, list[int]], key: Key, places: NDArray[np.intp]) -> None:
        if len(places):
            counts = np.bincount(places, minlength=len(bins[key])).tolist()
            bins[key] = [had + more for had, more in zip(bins[key], counts, strict=True)]

    def see_sureness(self, rows: Rows, asked: Collection[str], unsure: Collection[str]) -> None:
        """Count predictions where "not sure" could be the answer, and where it was."""
        if not asked:
            return
        times = zip(rows.ids, rows.models, rows.versions, rows.times, strict=True)
        for id, model, version, at in times:
            self._asked_sure[_key(model, version, at)] += id in asked
            self._unsure[_key(model, version, at)] += id in unsure

    def see_oddity(self, oddity: Oddity) -> None:
        """Count an outlier."""
        self._outliers[_key(oddity.model, oddity.version, oddity.predicted_at)] += 1

    def see_rejection(self, rejection: Rejection) -> None:
        """Count rows that were refused at the door."""
        self._rejected[_key(rejection.model, rejection.version, rejection.at)].append(rejection)

    def windows(self) -> list[Window]:
        """Return the windows to add."""
        keys = {**self._predictions, **self._outliers, **self._rejected}
        return [
            refused(
                Window(
                    minute,
                    model,
                    version,
                    self._writer,
                    predictions=self._predictions.get(key, 0),
                    outliers=self._outliers.get(key, 0),
                    looked_at=self._looked_at.get(key, 0),
                    asked_sure=self._asked_sure.get(key, 0),
                    unsure=self._unsure.get(key, 0),
                    latency=self._latency.get(key, ()),
                    confidence=self._confidence.get(key, ()),
                ),
                self._rejected.get(key, ()),
            )
            for key in keys
            for model, minute, version in [key]
        ]


def _key(model: ModelKey, version: str, at: float) -> Key:
    return model, int(at) // 60, version
