"""What versions answer, for the tests of the gate: hits and misses, or errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unrot.core.records import Answered, Outputs, Schema

TWO = Schema((), "ill", ("no", "yes"))
NUMBERS = Schema((), "price")


def hits(right: int, rows: int) -> list[bool]:
    """The first `right` of some rows are right."""
    return [place < right for place in range(rows)]


def answered(right: Sequence[bool], truth: Sequence[str] | None = None) -> Answered:
    """Answers of a version to rows of two classes (all of the first, unless told)."""
    labels = list(truth or ["no"] * len(right))
    places = [TWO.classes.index(label) for label in labels]
    classes = [place if good else 1 - place for place, good in zip(places, right, strict=True)]
    return Answered([[]] * len(labels), labels, Outputs(classes=classes))


def off_by(errors: Sequence[float]) -> Answered:
    """Answers of a regression that are off by so much."""
    values = [10.0 + error for error in errors]
    return Answered([[]] * len(values), [10.0] * len(values), Outputs(values=values))


def drawn(seed: int, rate: float, rows: int) -> list[bool]:
    return (np.random.default_rng(seed).random(rows) < rate).tolist()
