"""How wrong each answer is, so that classes and numbers are compared in the same way.

The error of a row is 0 or 1 for a class and |answer − truth| for a number. A score is what people
read: the accuracy, 1 − mean error; or the mean absolute error itself, of which less is better.

    >>> from unrot.core.records import Answered
    >>> from unrot.core.records import Outputs
    >>> from unrot.core.records import Schema
    >>> schema = Schema((), "temper", ("hostile", "friendly"))
    >>> answered = Answered([[], []], ["hostile", "friendly"], Outputs(classes=[0, 0]))
    >>> row_errors(schema, answered).tolist(), score(schema, row_errors(schema, answered))
    ([0.0, 1.0], 0.5)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unrot.core.records import Answered, Outputs, Schema

Errors = NDArray[np.float64]


def row_errors(schema: Schema, answered: Answered) -> Errors:
    """Return the error of each row."""
    answers = answers_of(schema, answered.outputs)
    if schema.is_classifier:
        pairs = zip(answers, answered.truth, strict=True)
        return np.array([answer != truth for answer, truth in pairs], dtype=np.float64)
    numbers = np.array(answers, dtype=np.float64)
    return np.abs(numbers - np.array(answered.truth, dtype=np.float64))


def answers_of(schema: Schema, outputs: Outputs) -> list[str | float]:
    """Return what was answered: classes as the schema spells them, or numbers."""
    if schema.is_classifier:
        return [
            schema.classes[place] for place in (() if outputs.classes is None else outputs.classes)
        ]
    return [float(value) for value in (() if outputs.values is None else outputs.values)]


def score(schema: Schema, errors: Errors) -> float | None:
    """Return the accuracy or the mean absolute error; None of no rows."""
    if not len(errors):
        return None
    return float(np.mean(errors == 0)) if schema.is_classifier else float(np.mean(errors))


def is_finite(outputs: Outputs) -> bool:
    """Tell whether everything that was answered is a number."""
    parts: list[Sequence[float] | Sequence[Sequence[float]]] = [
        part for part in (outputs.values, outputs.probabilities) if part is not None
    ]
    return all(bool(np.all(np.isfinite(np.array(part, dtype=np.float64)))) for part in parts)
