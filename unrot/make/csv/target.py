"""What a model of one's own table is to answer: classes as they stand in the file, or numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrot.core.errors import Invalid, shown
from unrot.core.plurals import plural
from unrot.make.csv.columns import Column, strays_note
from unrot.make.csv.schema_inference import forced_numbers, in_order, numbers_of, present_texts

MOST_CLASSES = 250
MOST_NUMBER_CLASSES = 20
FEWEST_ROWS_PER_NUMBER = 5


@dataclass(frozen=True, slots=True)
class Target:
    """The answers of the rows that have one."""

    name: str
    labels: NDArray[Any]
    known: NDArray[np.bool_]
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unit: str = ""


def read_target(column: Column, *, as_classes: bool = False, as_number: bool = False) -> Target:
    """Read the answers to learn from; raise Invalid where there is nothing to learn."""
    if as_number:
        return _number_target(column, forced_numbers(column), is_said=True)
    numbers = numbers_of(column)
    if numbers is not None and not as_classes:
        return _number_target(column, numbers)
    if column.codes is None:
        raise Invalid(_too_many(column.name, "thousands of"))
    return _class_target(column, present_texts(column))


def read_labels(column: Column, target: Target) -> Target:
    """Read the answers of other rows, those of the holdout, as `target` has them."""
    if not target.classes:
        numbers = _numbers(column)
        known = ~np.isnan(numbers)
        return Target(target.name, numbers[known], known)
    places = _places(column, {text: place for place, text in enumerate(target.classes)})
    known = places >= 0
    return Target(target.name, np.array(target.classes)[places[known]], known, target.classes)


def _number_target(
    column: Column, numbers: NDArray[np.float64], *, is_said: bool = False
) -> Target:
    known = ~np.isnan(numbers)
    values, counts = np.unique(numbers[known], return_counts=True)
    _refuse_one_value(column.name, [f"{value:g}" for value in values])
    is_few = len(values) <= MOST_NUMBER_CLASSES and (values == np.floor(values)).all()
    if is_few and column.codes is not None and not is_said:
        is_common = counts.min() > 1 and counts.sum() >= FEWEST_ROWS_PER_NUMBER * len(values)
        if len(values) == 2 or is_common:
            note = (
                f"{column.name} holds {len(values)} different whole numbers: they are classes; "
                "--numbers makes them numbers."
            )
            return _class_target(column, present_texts(column), note)
    notes = [f"{column.name} is in {column.unit}."] if column.unit else []
    notes += [strays_note(column)] if column.strays else []
    notes += _missing(column.name, known)
    return Target(column.name, numbers[known], known, notes=tuple(notes), unit=column.unit)


def _class_target(column: Column, texts: list[str], *notes: str) -> Target:
    """Take texts as classes; 1 and 1.0 are one class, as the file has it first."""
    first: dict[float | str, str] = {}
    for text in sorted(texts, key=column.texts.index):
        read = column.number(text)
        first.setdefault(text if read is None else read, text)
    classes = in_order(tuple(first.values()), column.number)
    _refuse_one_value(column.name, classes)
    if len(classes) > MOST_CLASSES:
        raise Invalid(_too_many(column.name, f"{len(classes):,}"))
    places = _places(column, {text: place for place, text in enumerate(classes)})
    known = places >= 0
    _refuse_single_rows(column.name, classes, np.bincount(places[known]))
    labels = np.array(classes)[places[known]]
    return Target(column.name, labels, known, classes, (*notes, *_missing(column.name, known)))


def _places(column: Column, of_class: Mapping[str, int]) -> NDArray[np.intp]:
    """Return the place of each row's class, -1 for none."""
    by_number = {column.number(text): place for text, place in of_class.items()}
    by_number.pop(None, None)
    if column.codes is None:
        return np.full(column.rows, -1)
    table = [of_class.get(text, by_number.get(column.number(text), -1)) for text in column.texts]
    found: NDArray[np.intp] = np.array([*table, -1], dtype=np.intp)[column.codes]
    return found


def _numbers(column: Column) -> NDArray[np.float64]:
    if column.numbers is not None:
        return column.numbers
    if column.codes is None:
        return np.full(column.rows, np.nan)
    table = [column.number(text) for text in column.texts]
    found: NDArray[np.float64] = np.array([*table, None], dtype=np.float64)[column.codes]
    return found


def _refuse_one_value(name: str, values: list[str] | tuple[str, ...]) -> None:
    if not values:
        raise Invalid(f"The target {shown(name)} holds nothing: there is nothing to learn.")
    if len(values) == 1:
        raise Invalid(
            f"The target {shown(name)} is always {shown(values[0], 40)}: there is nothing to learn."
        )


def _refuse_single_rows(name: str, classes: tuple[str, ...], counts: NDArray[np.intp]) -> None:
    single = [shown(label, 40) for label, count in zip(classes, counts, strict=True) if count == 1]
    if single:
        listed = ", ".join(single[:5]) + (", …" if len(single) > 5 else "")
        words = plural(len(single), "class has", "classes have")
        raise Invalid(
            f"The target {shown(name)}: {len(single)} {words} one row only ({listed}). At least "
            "two are needed, one to learn from and one to judge by: add rows, or take it out of "
            "the file."
        )


def _too_many(name: str, count: str) -> str:
    return (
        f"The target {shown(name)} holds {count} different texts, and a model tells at most "
        f"{MOST_CLASSES} classes apart: choose another target."
    )


def _missing(name: str, known: NDArray[np.bool_]) -> list[str]:
    missing = int((~known).sum())
    rows = plural(missing, "row")
    return [f"Left out: {missing:,} {rows} without {name}."] if missing else []
