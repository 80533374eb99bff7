"""A confusion matrix: what was answered beside what was true, a table that is shaded.

Beside it stands how good the answers are on each class, as `monitors.accuracy` has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unrot.core.plurals import counted
from unrot.watch.monitors import accuracy
from unrot.web.charts.scales import share

SHADES = 5
MOST_CLASSES = 12
OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Cell:
    """How often a class was answered where another, or the same, was true."""

    count: int
    shade: int
    """0 to 5: the share of those of which this class was true."""
    is_right: bool
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One true class."""

    name: str
    cells: tuple[Cell, ...]
    total: int


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How good the answers are on one class; None where nothing tells."""

    name: str
    count: int
    precision: float | None
    recall: float | None
    f1: float | None
    specificity: float | None


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows of what was true, columns of what was answered; see templates/charts/_matrix.html."""

    name: str
    title: str
    sentence: str
    classes: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    scores: tuple[ClassScore, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True when there is nothing to draw."""
        return not self.rows


def matrix(
    name: str,
    title: str,
    answered: Mapping[str, Mapping[str, int]],
    *,
    classes: Sequence[str],
    called: Mapping[str, str] | None = None,
    nothing: str = "No verdict of this time says what was true.",
) -> Matrix:
    """Shade how often each class was answered (outer) and true (inner); rare ones share a row."""
    names = called or {}
    counts = {
        (said, true): count
        for said, row in answered.items()
        for true, count in row.items()
        if count
    }
    if not counts:
        return Matrix(name, title, nothing)
    every = list(dict.fromkeys([*classes, *(one for pair in counts for one in pair)]))
    scores = [
        ClassScore(
            names.get(one.label, one.label),
            one.support,
            one.precision,
            one.recall,
            one.f1,
            one.specificity,
        )
        for one in accuracy.classes(answered, classes)
    ]
    kept, counts = _folded(every, counts)
    labels = {one: names.get(one, one) for one in kept}
    rows = tuple(_row(true, kept, labels, counts) for true in kept)
    return Matrix(
        name,
        title,
        _sentence(counts, labels),
        tuple(labels[one] for one in kept),
        rows,
        tuple(one for one in scores if one.count or one.precision is not None),
    )


def _folded(
    every: Sequence[str], counts: Mapping[tuple[str, str], int]
) -> tuple[list[str], dict[tuple[str, str], int]]:
    """Let the rarest classes share one row where there are too many."""
    if len(every) <= MOST_CLASSES:
        return list(every), dict(counts)
    weight = {one: sum(count for pair, count in counts.items() if one in pair) for one in every}
    kept = set(sorted(every, key=lambda one: -weight[one])[: MOST_CLASSES - 1])
    folded: dict[tuple[str, str], int] = {}
    for (said, true), count in counts.items():
        pair = (said if said in kept else OTHERS, true if true in kept else OTHERS)
        folded[pair] = folded.get(pair, 0) + count
    return [*(one for one in every if one in kept), OTHERS], folded


def _row(
    true: str,
    kept: Sequence[str],
    labels: Mapping[str, str],
    counts: Mapping[tuple[str, str], int],
) -> Row:
    total = sum(counts.get((said, true), 0) for said in kept)
    cells = []
    for said in kept:
        count = counts.get((said, true), 0)
        part = count / total if total else 0.0
        shade = min(SHADES, int(part * SHADES) + 1) if count else 0
        of_all = f"{count:,} of {total:,} ({share(round(part, 3))})"
        text = f"{labels[true]} answered as {labels[said]}: {of_all}"
        cells.append(Cell(count, shade, said == true, text))
    return Row(labels[true], tuple(cells), total)


def _sentence(counts: Mapping[tuple[str, str], int], labels: Mapping[str, str]) -> str:
    total = sum(counts.values())
    right = sum(count for (said, true), count in counts.items() if said == true)
    begun = f"{right:,} of {total:,} answers were right ({share(round(right / total, 3))})."
    wrong = {pair: count for pair, count in counts.items() if pair[0] != pair[1]}
    if not wrong:
        return begun
    said, true = max(wrong, key=lambda pair: wrong[pair])
    most = f"{labels[true]} answered as {labels[said]}"
    return f"{begun} The commonest mistake: {most}, {counted(wrong[said, true], 'time')}."
