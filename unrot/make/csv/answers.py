"""Rows of a log answered by the champion: all at once, and one that it cannot score by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unrot.core.errors import Invalid
from unrot.core.records import Model, Outputs, Row
from unrot.serve.service import Service


@dataclass(frozen=True, slots=True)
class Answered:
    """What the champion answers to one row, or why it cannot."""

    answer: str | float | None = None
    probabilities: Sequence[float] | None = None
    problem: str = ""


class Champion:
    """The champion of a model, as it is now."""

    def __init__(self, service: Service, model: Model) -> None:
        contents = service.catalogue()
        version = contents.model(model.name).version()
        self.version = version.name
        self._classes = model.schema.classes
        self._predictor = service.shelf.predictor(contents, version)

    def answers(self, rows: Sequence[Row]) -> list[Answered]:
        """Answer rows that the schema has checked."""
        if not rows:
            return []
        try:
            outputs = self._predictor.predict(rows)
        except Invalid as error:
            if len(rows) == 1:
                return [Answered(problem=error.message)]
            half = len(rows) // 2
            return self.answers(rows[:half]) + self.answers(rows[half:])
        return [self._answered(outputs, place) for place in range(len(rows))]

    def _answered(self, outputs: Outputs, place: int) -> Answered:
        if outputs.classes is None:
            return Answered((outputs.values or ())[place])
        scores = outputs.probabilities
        answer = self._classes[outputs.classes[place]]
        return Answered(answer, None if scores is None else scores[place])
