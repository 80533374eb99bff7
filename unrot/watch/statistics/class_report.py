"""What a version is worth on rows whose truth is known: per class, in the mean, and by rank.

A report names of each class how many of the answers were right (precision), how many of its rows
were found (recall), the harmonic mean of the two (F1), and how many of the other rows were left
alone (specificity). Where nothing was answered or nothing is there, a figure is 0, as in
scikit-learn's `classification_report`.

The area under the ROC curve (AUC) is the chance that a row of the class gets a higher probability
than a row of another class, ties counting half: the rank formula of Hanley and McNeil (Radiology
143 (1982) 29-36). With more than two classes each stands against all others, and the mean of them
is given; with two it is that of the second class.

    >>> report = of_classes(["no", "yes"], [0, 0, 1, 1], [0, 1, 1, 1])
    >>> [(line.label, line.support, line.recall) for line in report.lines], report.accuracy
    ([('no', 2, 0.5), ('yes', 2, 1.0)], 0.75)
    >>> area([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrot.watch.statistics import accuracy

Chances = NDArray[Any]
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Line:
    """One class of a report, or the mean of all; None where there is nothing to take a share of."""

    label: str
    precision: float | None
    recall: float | None
    f1: float | None
    specificity: float | None
    support: int
    area: float | None = None
    """Under the ROC curve of this class against all others."""


@dataclass(frozen=True, slots=True)
class ClassReport:
    """A classifier on rows whose truth is known."""

    lines: Sequence[Line]
    macro: Line
    weighted: Line
    accuracy: float
    constant_guess: float
    """What the commonest class of these very rows, always answered, would reach."""
    confusion: Sequence[Sequence[int]]
    """Rows by true class (down) and answered class (across), in the order of the schema."""
    area: float | None
    """Under the ROC curve: of the second of two classes, else the mean of all classes."""


@dataclass(frozen=True, slots=True)
class NumberReport:
    """A regression on rows whose truth is known."""

    mae: float
    rmse: float
    r2: float | None
    constant_guess_mae: float
    """What the median of these very rows, always answered, would reach."""
    residuals: Sequence[tuple[float, float]]
    """Answer minus truth at some quantiles."""


def of_classes(
    classes: Sequence[str],
    truth: Sequence[int],
    answers: Sequence[int],
    probabilities: Sequence[Sequence[float]] | None = None,
) -> ClassReport:
    """Report on answered classes; all are places in the order of the schema."""
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, (np.array(truth, dtype=int), np.array(answers, dtype=int)), 1)
    confusion = {
        label: dict(zip(classes, counts[:, place].tolist(), strict=True))
        for place, label in enumerate(classes)
    }
    areas = _areas(len(classes), truth, probabilities)
    lines = [
        Line(one.label, one.precision, one.recall, one.f1, one.specificity, one.support, its_area)
        for one, its_area in zip(accuracy.classes(confusion, classes), areas, strict=True)
        if one.support or one.predicted
    ]
    return ClassReport(
        lines=lines,
        macro=_mean("mean of the classes", lines, [1.0] * len(lines)),
        weighted=_mean("weighted by rows", lines, [line.support for line in lines]),
        accuracy=float(np.trace(counts) / counts.sum()),
        constant_guess=accuracy.constant(confusion).value or 0.0,
        confusion=counts.tolist(),
        area=areas[1] if len(classes) == 2 else _mean_of(areas),
    )


def of_numbers(truth: Sequence[float], answers: Sequence[float]) -> NumberReport:
    """Report on answered numbers."""
    true, residuals = np.array(truth, float), np.array(answers, float) - np.array(truth, float)
    squared, variance = float(np.mean(residuals**2)), float(np.var(true))
    return NumberReport(
        mae=float(np.mean(np.abs(residuals))),
        rmse=float(np.sqrt(squared)),
        r2=1.0 - squared / variance if variance > 0 else None,
        constant_guess_mae=float(np.mean(np.abs(true - np.median(true)))),
        residuals=list(zip(QUANTILES, np.quantile(residuals, QUANTILES).tolist(), strict=True)),
    )


def area(is_of_class: Sequence[Any] | Chances, scores: Sequence[float] | Chances) -> float | None:
    """Return the area under the ROC curve by ranks; None where there is only one kind of row."""
    member = np.array(is_of_class, dtype=bool)
    inside = int(member.sum())
    outside = len(member) - inside
    if not inside or not outside:
        return None
    _, places, counts = np.unique(np.array(scores), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    above = float(ranks[member].sum()) - inside * (inside + 1) / 2
    return above / (inside * outside)


def _areas(
    classes: int, truth: Sequence[int], probabilities: Sequence[Sequence[float]] | None
) -> list[float | None]:
    if probabilities is None:
        return [None] * classes
    true, chances = np.array(truth), np.array(probabilities)
    return [area(true == place, chances[:, place]) for place in range(classes)]


def _mean(label: str, lines: Sequence[Line], weights: Sequence[float]) -> Line:
    def mean(figures: Sequence[float | None]) -> float:
        return float(np.average([figure or 0.0 for figure in figures], weights=weights))

    return Line(
        label=label,
        precision=mean([line.precision for line in lines]),
        recall=mean([line.recall for line in lines]),
        f1=mean([line.f1 for line in lines]),
        specificity=mean([line.specificity for line in lines]),
        support=sum(line.support for line in lines),
        area=_mean_of([line.area for line in lines]),
    )


def _mean_of(areas: Sequence[float | None]) -> float | None:
    known = [one for one in areas if one is not None]
    return sum(known) / len(known) if known else None
