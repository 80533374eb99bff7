"""The decimal mark of each column of a file, and what to say where its numbers do not tell.

1,5 and 1,234,567 tell. 3,504 alone may be 3504 or 3.504. Then the whole column is asked: whole
numbers that stand beside it lie near the one reading or the other. Else the other columns of the
file tell, else only the delimiter: then it is said what was taken, and how to take the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from statistics import median

from unrot.core.errors import Invalid, shown
from unrot.core.records import Feature
from unrot.make.csv.cells import Mark, either, number, weigh_marks

OTHER: dict[Mark, Mark] = {".": ",", ",": "."}
CALLED = {".": "a point", ",": "a comma"}
FEWEST_BESIDE = 5
"""So many whole numbers say near which reading a column lies."""


@dataclass(frozen=True, slots=True)
class Unsure:
    """A column that does not tell itself what its mark is."""

    cell: str
    """One of its numbers that may be either."""
    mark: Mark
    """What was taken for the decimal mark."""
    why: str

    def note(self, column: str) -> str:
        """Say what was taken, why, and how to have it the other way."""
        fraction, thousands = either(self.cell) or (0.0, 0.0)
        is_fraction = self.mark in self.cell
        taken, other = (fraction, thousands) if is_fraction else (thousands, fraction)
        return (
            f"{column}: {self.cell} may mean {thousands:.0f} or {fraction:g}. It was read as "
            f"{_spelt(taken)}, because {self.why}. If it means {_spelt(other)}, say "
            f'--decimal "{OTHER[self.mark]}".'
        )


def find_marks(
    cells: Mapping[str, Sequence[str]], delimiter: str
) -> tuple[dict[str, Mark], dict[str, Unsure]]:
    """Return the decimal mark of each column, and the columns that did not tell it."""
    weights = {name: weigh_marks(column) for name, column in cells.items()}
    total: Counter[Mark] = Counter()
    for weight in weights.values():
        total.update(weight)
    of_file = _decided(total)
    usual = of_file or _guessed(total, delimiter)
    marks: dict[str, Mark] = {}
    unsure: dict[str, Unsure] = {}
    for name, column in cells.items():
        own = _decided(weights[name]) or _nearer(column)
        marks[name] = own or usual
        cell = None if own else next((one for one in column if either(one) is not None), None)
        if cell is not None and _is_worth_saying(cell, of_file, delimiter):
            unsure[name] = Unsure(cell.strip(), usual, _why(of_file, usual, delimiter))
    return marks, unsure


def within_training(feature: Feature, unsure: Unsure, cells: Sequence[str]) -> Mark:
    """Return the mark with which a column of new rows lies where the model was trained.

    Raise Invalid where both readings do, or neither: a guess would be a thousand times off.
    """
    low, high = feature.low, feature.high
    if low is None or high is None:
        return unsure.mark
    pairs = [read for cell in cells if (read := either(cell)) is not None]
    fits = [sum(low <= pair[place] <= high for pair in pairs) for place in (0, 1)]
    mark: Mark = "," if "," in unsure.cell else "."
    if fits[0] != fits[1]:
        return mark if fits[0] > fits[1] else OTHER[mark]
    fraction, thousands = either(unsure.cell) or (0.0, 0.0)
    where = "both lie" if fits[0] else "neither lies"
    raise Invalid(
        f"{shown(feature.name)}: {unsure.cell} may mean {thousands:.0f} or {fraction:g}, and "
        f"{where} between {low:g} and {high:g}, where the model was trained. Write "
        f"{thousands:.0f} or {fraction:.4f} in the file."
    )


def _nearer(column: Sequence[str]) -> Mark | None:
    """Return the mark with which grouped numbers lie near the whole numbers beside them.

    >>> _nearer(["3,504", "950", "880", "4,312", "990", "1,200", "765", "812"])
    '.'
    >>> _nearer(["3,504", "2", "4", "1,125", "3", "5", "1", "2"])
    ','
    """
    pairs = [read for cell in column if (read := either(cell)) is not None]
    beside = [
        abs(whole)
        for cell in column
        if cell.strip().lstrip("+-").isdigit() and (whole := number(cell))
    ]
    if not pairs or len(beside) < FEWEST_BESIDE:
        return None
    middle = log(median(beside))
    fraction, thousands = (log(median(abs(pair[place]) for pair in pairs)) for place in (0, 1))
    mark: Mark = "," if any("," in cell and either(cell) is not None for cell in column) else "."
    return mark if abs(fraction - middle) < abs(thousands - middle) else OTHER[mark]


def _is_worth_saying(cell: str, of_file: Mark | None, delimiter: str) -> bool:
    """Tell whether anybody could read it otherwise: 3.504 is a fraction where points are usual."""
    return "," in cell or (of_file != "." and delimiter != ",")


def _why(of_file: Mark | None, usual: Mark, delimiter: str) -> str:
    if of_file is not None:
        return f"other columns of the file have {CALLED[of_file]} before the fraction"
    if delimiter == ",":
        return "who parts cells by commas groups thousands by them"
    return f"nothing in the file tells, and {CALLED[usual]} before the fraction is usual there"


def _decided(weight: Mapping[Mark, float]) -> Mark | None:
    if max(weight[","], weight["."]) < 1.0:
        return None
    return "," if weight[","] > weight["."] else "."


def _guessed(weight: Mapping[Mark, float], delimiter: str) -> Mark:
    """Guess from numbers such as 1,234: who parts cells by commas groups thousands by them."""
    return "," if weight[","] > weight["."] and delimiter != "," else "."


def _spelt(value: float) -> str:
    return f"{value:.0f}" if value.is_integer() else f"{value:g}"
