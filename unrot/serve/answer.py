"""What was predicted for the rows of one request, column by column.

Most requests are answered and journalled from the columns; a `Prediction` for each row is made
only for who asks for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from unrot.core.records import ClientKey, Outputs, Prediction, Row, Version
from unrot.serve import events
from unrot.serve.shelf import ShelvedModel


@dataclass(frozen=True)
class Answer:
    """Predictions and who made them."""

    shelved: ShelvedModel
    version: Version
    predicted_at: float
    seconds: float
    """Of each row."""
    rows: Sequence[Row]
    outputs: Outputs
    ids: Sequence[str | None]

    @cached_property
    def labels(self) -> Sequence[str | None]:
        """The predicted class of each row; None from a regression."""
        if self.outputs.classes is None:
            return [None] * len(self.rows)
        classes = self.shelved.model.schema.classes
        return [classes[index] for index in self.outputs.classes]

    @property
    def probabilities(self) -> Sequence[Sequence[float] | None]:
        """Those of each row; None where the estimator has none."""
        return self.outputs.probabilities or [None] * len(self.rows)

    @property
    def values(self) -> Sequence[float | None]:
        """The value of each row; None from a classifier."""
        return [None] * len(self.rows) if self.outputs.values is None else self.outputs.values

    @cached_property
    def predictions(self) -> list[Prediction]:
        """A record for each row."""
        model, version = self.shelved.model.key, self.version.name
        columns = zip(
            *(self.ids, self.rows, self.labels, self.probabilities, self.values), strict=True
        )
        return [
            Prediction(
                *(id, model, version, self.predicted_at, row, label, probabilities, value),
                seconds=self.seconds,
            )
            for id, row, label, probabilities, value in columns
        ]

    def key_lines(self, keys: Sequence[str | None]) -> bytes:
        """Write for the journal what the client calls the rows."""
        model = self.shelved.model.key
        return events.to_lines(
            ClientKey(model, key, id or "", self.predicted_at)
            for key, id in zip(keys, self.ids, strict=True)
            if key is not None
        )

    def lines(self) -> bytes:
        """Write it for the journal."""
        alike = {
            "model": self.shelved.model.key,
            "version": self.version.name,
            "predicted_at": self.predicted_at,
            "seconds": self.seconds,
        }
        columns = {
            "ids": self.ids,
            "inputs": self.rows,
            "labels": None if self.outputs.classes is None else self.labels,
            "probabilities": self.outputs.probabilities,
            "values": self.outputs.values,
        }
        return events.to_lines_of_rows(alike, columns)
