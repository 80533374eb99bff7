"""A confusion matrix: what was answered beside what was true, a table that is shaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from unrot.core.plurals import counted, plural
from unrot.core.records import Schema
from unrot.watch.statistics import accuracy
from unrot.watch.worth.leaning import Leaning
from unrot.web.charts.chart import Table
from unrot.web.charts.grid import Cell, Grid, Row
from unrot.web.wording import called, number, percent

SHADES = 5
MOST_CLASSES = 12
OTHERS = "others"
SCORES = "How good it is on each answer"
SCORED = {
    "Answer": "",
    "Verdicts": "",
    "Precision": "Of the answers that named it, how many were right",
    "Recall": "Of those that it was true of, how many were found",
    "F1": "2 · precision · recall / (precision + recall)",
    "Specificity": "Of all others, how many were not called so",
}
"""The columns of the scores, and what they are."""

Counts = Mapping[tuple[str, str], int]
"""How often something was answered where something, it or another, was true."""


def build_confusion(
    name: str,
    title: str,
    answered: accuracy.Confusion,
    schema: Schema,
    *,
    has_scores: bool = True,
    untold: int = 0,
    leaning: Leaning | None = None,
    nothing: str = "No verdict on a prediction of this time says what was true.",
) -> Grid:
    """Shade how often each class was answered (outer) and true (inner); rare ones share a row.

    So many more answers are wrong, `untold`, of which nobody said what was right. Verdicts that
    lean on some answers tell how right these are, and not how many of a class are found.
    """
    counts: Counts = {
        (said, true): count
        for said, row in answered.items()
        for true, count in row.items()
        if count
    }
    if not counts:
        return Grid(name, title, nothing)
    classes, counts = _folded(schema.classes, counts)
    names = {one: called(one, schema) for one in classes}
    return Grid(
        name,
        title,
        " ".join([_sentence(counts, names, untold), *([leaning.sentence] if leaning else [])]),
        tuple(_row(true, names, counts) for true in classes),
        heads=tuple(names.values()),
        table=_scores(answered, schema, untold) if has_scores and not leaning else Table(),
    )


def _folded(classes: Sequence[str], counts: Counts) -> tuple[list[str], Counts]:
    """Let the rarest classes share one row where there are too many."""
    every = list(dict.fromkeys([*classes, *(one for pair in counts for one in pair)]))
    if len(every) <= MOST_CLASSES:
        return every, counts
    weight = {one: sum(count for pair, count in counts.items() if one in pair) for one in every}
    kept = set(sorted(every, key=lambda one: -weight[one])[: MOST_CLASSES - 1])
    folded: Counter[tuple[str, str]] = Counter()
    for (said, true), count in counts.items():
        folded[said if said in kept else OTHERS, true if true in kept else OTHERS] += count
    return [*(one for one in every if one in kept), OTHERS], folded


def _row(true: str, names: Mapping[str, str], counts: Counts) -> Row:
    total = sum(counts.get((said, true), 0) for said in names)
    cells = [_cell(said, true, counts.get((said, true), 0), total, names) for said in names]
    return Row(names[true], tuple(cells), number(total))


def _cell(said: str, true: str, count: int, total: int, names: Mapping[str, str]) -> Cell:
    part, is_right = count / total if total else 0.0, said == true
    shade = min(SHADES, int(part * SHADES) + 1) if count else 0
    return Cell(
        f"{names[true]} answered as {names[said]}: {count:,} of {total:,} ({percent(part)})",
        f"{'right' if is_right else 'wrong'} shade-{shade}",
        number(count) if count else "·",
        "right" if count and is_right else "",
    )


def _sentence(counts: Counts, names: Mapping[str, str], untold: int) -> str:
    total = sum(counts.values()) + untold
    right = sum(count for (said, true), count in counts.items() if said == true)
    begun = f"{right:,} of {total:,} answers were right ({percent(right / total)})."
    if untold:
        are = plural(untold, "is", "are")
        begun += f" {untold:,} of the wrong ones {are} not shown: nobody said what was right."
    wrong = {pair: count for pair, count in counts.items() if pair[0] != pair[1]}
    if not wrong:
        return begun
    said, true = max(wrong, key=lambda pair: wrong[pair])
    most = f"{names[true]} answered as {names[said]}"
    is_alone = list(wrong.values()).count(wrong[said, true]) == 1
    mistake = "The commonest mistake" if is_alone else "A common mistake"
    return f"{begun} {mistake}: {most}, {counted(wrong[said, true], 'time')}."


def _scores(answered: accuracy.Confusion, schema: Schema, untold: int) -> Table:
    rows = [
        (called(one.label, schema), number(one.support), *map(_share, _shares_of(one)))
        for one in accuracy.classes(answered, schema.classes)
        if one.support or one.precision is not None
    ]
    without = f", without the {untold:,} of which nobody said what was right" if untold else ""
    return Table(tuple(SCORED), tuple(rows), caption=SCORES + without, abouts=SCORED)


def _shares_of(one: accuracy.ClassScore) -> tuple[float | None, ...]:
    return one.precision, one.recall, one.f1, one.specificity


def _share(value: float | None) -> str:
    return "–" if value is None else percent(value)
