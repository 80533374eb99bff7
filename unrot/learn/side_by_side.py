"""Two versions side by side on the same rows with their truth.

Where they differ, one of them may be right alone: b and c such rows. If both were equally good the
b of b + c rows would be those of a coin, which is McNemar's exact test (Psychometrika 12 (1947)
153-157). For numbers it is the one that comes closer: the sign test. That is good for rows that
stay the same; where they grow and one looks again, the chance is 1 over what betting on either of
the two would have made (`betting.py`): between equals so lopsided a count ever comes up at most so
often.

    >>> from unrot.core.records import Outputs

    >>> from unrot.core.records import Schema
    >>> schema = Schema((), "temper", ("hostile", "friendly"))
    >>> truth = ["hostile"] * 6 + ["friendly"] * 4
    >>> first = Answered([[]] * 10, truth, Outputs(classes=[0] * 10))
    >>> second = Answered([[]] * 10, truth, Outputs(classes=[0] * 6 + [1] * 4))
    >>> both = compare(schema, first, second)
    >>> both.agreement, both.first_score, both.second_only_right, both.chance
    (0.6, 0.6, 4, 0.125)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unrot.core.records import Answered, Holds, Schema
from unrot.hear.scores import answers_of, row_errors, score
from unrot.learn.gate.betting import log_wealth
from unrot.learn.gate.exact_tests import mcnemar
from unrot.learn.gate.paired_test import discordant


@dataclass(frozen=True, slots=True)
class ClassRecall:
    """How much of one class each finds, and how many rows are of it."""

    label: str
    rows: int
    first: float
    second: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions side by side; scores are accuracies, or mean absolute errors."""

    rows: int
    agreement: float | None
    """The share of rows to which both answer the same."""
    apart: float | None
    """How far their numbers are from each other on average; None for classes."""
    first_score: float | None
    second_score: float | None
    first_only_right: int
    """Rows on which only the first is right; of numbers, on which it comes closer."""
    second_only_right: int
    chance: float
    """How likely so lopsided a count is between equals: on these rows, or ever as they grow."""
    first_confusion: Sequence[Sequence[int]]
    """Rows by true class (down) and answered class (across), in the order of the schema."""
    second_confusion: Sequence[Sequence[int]]
    recalls: Sequence[ClassRecall]
    places: Sequence[int]
    """The rows on which they differ; of numbers the widest first."""


def compare(
    schema: Schema, first: Answered, second: Answered, holds: Holds = "fixed rows"
) -> Comparison:
    """Compare what two versions answer to the same rows."""
    one, two = answers_of(schema, first.outputs), answers_of(schema, second.outputs)
    errors = row_errors(schema, first), row_errors(schema, second)
    second_only, first_only = discordant(*errors)
    places = _places(schema, one, two)
    rows = len(one)
    return Comparison(
        rows=rows,
        agreement=1 - len(places) / rows if rows else None,
        apart=None if schema.is_classifier or not rows else _apart(one, two),
        first_score=score(schema, errors[0]),
        second_score=score(schema, errors[1]),
        first_only_right=first_only,
        second_only_right=second_only,
        chance=_chance(first_only, second_only, holds),
        first_confusion=confusion(schema, first),
        second_confusion=confusion(schema, second),
        recalls=_recalls(schema, confusion(schema, first), confusion(schema, second)),
        places=tuple(places),
    )


def _chance(first_only: int, second_only: int, holds: Holds) -> float:
    if holds == "fixed rows":
        return mcnemar(first_only, second_only)
    rows = first_only + second_only
    made = (
        log_wealth(won, lost, rows, 0.0)
        for won, lost in ((first_only, second_only), (second_only, first_only))
    )
    return float(min(1.0, 2 / sum(np.exp(np.minimum(one, 500.0)) for one in made)))


def confusion(schema: Schema, answered: Answered) -> tuple[tuple[int, ...], ...]:
    """Count rows by true and by answered class; empty for numbers."""
    places = {label: place for place, label in enumerate(schema.classes)}
    counts = np.zeros((len(places), len(places)), dtype=int)
    if schema.is_classifier:
        for truth, answer in zip(answered.truth, answers_of(schema, answered.outputs), strict=True):
            counts[places[str(truth)], places[str(answer)]] += 1
    return tuple(tuple(row) for row in counts.tolist())


def _recalls(
    schema: Schema, first: Sequence[Sequence[int]], second: Sequence[Sequence[int]]
) -> tuple[ClassRecall, ...]:
    return tuple(
        ClassRecall(
            label,
            sum(first[place]),
            first[place][place] / sum(first[place]),
            second[place][place] / sum(first[place]),
        )
        for place, label in enumerate(schema.classes)
        if sum(first[place])
    )


def _places(schema: Schema, one: list[str | float], two: list[str | float]) -> list[int]:
    pairs = list(zip(one, two, strict=True))
    places = [place for place, (first, second) in enumerate(pairs) if first != second]
    if schema.is_classifier:
        return places
    return sorted(places, key=lambda place: -abs(float(one[place]) - float(two[place])))


def _apart(one: list[str | float], two: list[str | float]) -> float:
    return float(np.mean(np.abs(np.array(one, dtype=float) - np.array(two, dtype=float))))
