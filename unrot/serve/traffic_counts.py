"""What a shipment brings, as one window for each minute of each version."""

from __future__ import annotations

from collections import defaultdict

from unrot.core import confidence, latency
from unrot.core.records import ModelKey, Oddity, Prediction, Rejection, Window
from unrot.core.windows import refused

Key = tuple[ModelKey, int, str]
"""Model, minute, version."""


class TrafficCounts:
    """The counts of one shipment."""

    def __init__(self, writer: str) -> None:
        self._writer = writer
        self._predictions: dict[Key, int] = defaultdict(int)
        self._looked_at: dict[Key, int] = defaultdict(int)
        self._outliers: dict[Key, int] = defaultdict(int)
        self._latency: dict[Key, list[int]] = defaultdict(lambda: [0] * latency.BINS)
        self._confidence: dict[Key, list[int]] = defaultdict(lambda: [0] * confidence.BINS)
        self._rejected: dict[Key, list[Rejection]] = defaultdict(list)

    def see(self, prediction: Prediction, *, was_looked_at: bool) -> None:
        """Count a prediction; one that came from elsewhere took no time that is known."""
        key = _key(prediction.model, prediction.version, prediction.predicted_at)
        self._predictions[key] += 1
        if prediction.seconds > 0:
            self._latency[key][latency.place(prediction.seconds)] += 1
        if prediction.probabilities:
            self._confidence[key][confidence.place(max(prediction.probabilities))] += 1
        if was_looked_at:
            self._looked_at[key] += 1

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
