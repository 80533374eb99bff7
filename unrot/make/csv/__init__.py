"""A table of one's own: from a CSV file and the name of its target to a dataset.

`load` reads the file, infers the schema from the rows that will be learnt from, cuts or reads the
holdout, and tells what it found and what it left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unrot.core.dataset import Dataset, held_out
from unrot.core.errors import Invalid, shown
from unrot.core.plurals import counted
from unrot.core.records import Feature, Schema
from unrot.core.typical_row import LINED
from unrot.make.csv.cells import Mark
from unrot.make.csv.columns import Columns, read_columns, strays_note
from unrot.make.csv.options import DEFAULT_HOLDOUT, TableOptions, check_known, split_names
from unrot.make.csv.reading import Progress, TableFile, open_table
from unrot.make.csv.schema_inference import LeftOut, encode, infer
from unrot.make.csv.target import Target, read_labels, read_target

__all__ = ["DEFAULT_HOLDOUT", "LoadedTable", "TableOptions", "load", "split_names"]

FEWEST_ROWS = 10
HOLDOUT_FROM = 0.6
"""Reading a holdout file is the rest of the bar."""

Rows = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """A dataset with what was found on the way to it."""

    dataset: Dataset
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]
    gaps: Mapping[str, float]
    """The share of rows that have no value, by feature."""


@dataclass(frozen=True, slots=True)
class _Judges:
    """The rows that judge, with what had to be left out of them."""

    rows: Rows
    labels: NDArray[np.generic]
    notes: tuple[str, ...] = ()


def load(options: TableOptions, progress: Progress | None = None) -> LoadedTable:
    """Read a table of one's own; raise Invalid with a sentence if no model can come of it."""
    options.check()
    file = open_table(options.csv, options.decimal)
    _check_columns(file, options)
    reading = _part(progress, 0.0, HOLDOUT_FROM) if options.holdout_csv else progress
    columns = read_columns(
        file,
        without=options.drop,
        as_text=options.categories,
        as_numbers=options.numbers,
        progress=reading,
    )
    target = read_target(
        columns.by_name.pop(options.target),
        as_classes=options.target in options.categories,
        as_number=options.target in options.numbers,
    )
    _check_count(file, target)
    held = _held(options, target)
    learnt = target.known.copy()
    learnt[learnt] = ~held
    features, left_out = _features(columns, learnt, options)
    _check_features(file, features, left_out)
    notes = [*file.notes, *columns.notes, *target.notes, *_strays(columns, features)]
    notes += _unsure(file, [target.name, *(one.name for one in features if one.kind in LINED)])
    rows, judging = _encoded(columns, features, learnt, target.known & ~learnt)
    judges = _Judges(judging, target.labels[held])
    if options.holdout_csv:
        judges = _from_file(
            options, file.marks, features, target, _part(progress, HOLDOUT_FROM, 1.0)
        )
    judges = _acceptable(judges, features)
    schema = Schema(tuple(features), options.target, target.classes)
    dataset = _dataset(options, schema, rows, target.labels[~held], judges)
    gaps = dict(zip(schema.names, np.isnan(rows).mean(axis=0).tolist(), strict=True))
    return LoadedTable(dataset, tuple(left_out), (*notes, *judges.notes), gaps)


def _check_columns(file: TableFile, options: TableOptions) -> None:
    name = file.path.name
    check_known([options.target], file.names, option="--target", file=name)
    if options.target in file.doubled:
        raise Invalid(
            f"{name} has more than one column called {shown(options.target)}: give the target a "
            "name of its own."
        )
    check_known(options.drop, file.names, option="--drop", file=name)
    check_known(options.categories, file.names, option="--categories", file=name)
    check_known(options.numbers, file.names, option="--numbers", file=name)


def _check_count(file: TableFile, target: Target) -> None:
    if len(target.labels) < FEWEST_ROWS:
        raise Invalid(
            f"{file.path.name} holds {counted(len(target.labels), 'row')} with a "
            f"{target.name}: at least "
            f"{FEWEST_ROWS} are needed."
        )


def _held(options: TableOptions, target: Target) -> NDArray[np.bool_]:
    if options.holdout_csv:
        return np.zeros(len(target.labels), dtype=bool)
    held = held_out(target.labels, holdout=options.holdout, seed=options.seed)
    if not held.any():
        raise Invalid(
            f"--holdout {options.holdout:g} of {counted(len(held), 'row')} leaves none to "
            "judge by: raise "
            "it, or name a file of them with --holdout-csv."
        )
    return held


def _features(
    columns: Columns, learnt: NDArray[np.bool_], options: TableOptions
) -> tuple[list[Feature], list[LeftOut]]:
    found = [
        infer(
            column,
            learnt,
            is_category=name in options.categories,
            is_number=name in options.numbers,
        )
        for name, column in columns.by_name.items()
    ]
    dropped = [LeftOut(name, "dropped, as was said") for name in options.drop]
    left_out = [one for one in found if isinstance(one, LeftOut)]
    return [one for one in found if isinstance(one, Feature)], [*left_out, *dropped]


def _check_features(
    file: TableFile, features: Sequence[Feature], left_out: Sequence[LeftOut]
) -> None:
    if not features:
        reasons = "; ".join(f"{one.name}: {one.reason}" for one in left_out[:5])
        raise Invalid(
            f"{file.path.name} has no column to learn from beside the target"
            f"{f' ({reasons})' if reasons else ''}."
        )


def _strays(columns: Columns, features: Sequence[Feature]) -> list[str]:
    found = [columns.by_name[feature.name] for feature in features]
    return [strays_note(column) for column in found if column.strays]


def _unsure(file: TableFile, names: Sequence[str]) -> list[str]:
    """Say of each column of numbers that does not tell its mark what was taken."""
    return [file.unsure[name].note(name) for name in names if name in file.unsure]


def _encoded(
    columns: Columns,
    features: Sequence[Feature],
    learnt: NDArray[np.bool_],
    judging: NDArray[np.bool_],
) -> tuple[Rows, Rows]:
    """Write the features as two tables, letting go of each column that is written."""
    rows = np.empty((int(learnt.sum()), len(features)))
    judges = np.empty((int(judging.sum()), len(features)))
    for place, feature in enumerate(features):
        encoded = encode(columns.by_name.pop(feature.name), feature)
        rows[:, place] = encoded[learnt]
        judges[:, place] = encoded[judging]
    return rows, judges


def _from_file(
    options: TableOptions,
    marks: Mapping[str, Mark],
    features: Sequence[Feature],
    target: Target,
    progress: Progress | None,
) -> _Judges:
    """Read the rows that judge from a file of their own, as the table was read."""
    assert options.holdout_csv is not None
    file = open_table(options.holdout_csv)
    needed = [target.name, *(feature.name for feature in features)]
    check_known(needed, file.names, option="--holdout-csv: column", file=file.path.name)
    units = {feature.name: feature.unit for feature in features} | {target.name: target.unit}
    # What does not tell its mark was written as the table was.
    unsure = {name: marks[name] for name in file.unsure if name in needed}
    columns = read_columns(
        replace(file, units={**file.units, **units}, marks={**file.marks, **unsure}),
        without=set(file.names) - set(needed),
        as_text=[feature.name for feature in features if feature.kind == "category"],
        as_numbers=options.numbers,
        progress=progress,
    )
    answers = read_labels(columns.by_name.pop(target.name), target)
    none = np.zeros(len(answers.known), dtype=bool)
    rows, _ = _encoded(columns, features, answers.known, none)
    missing = int((~answers.known).sum())
    left = (
        f"Left out: {counted(missing, 'row')} of {file.path.name} without a {target.name} "
        "that is known."
    )
    notes = [*file.notes, *columns.notes, *([left] if missing else [])]
    return _Judges(rows, answers.labels, tuple(notes))


def _acceptable(judges: _Judges, features: Sequence[Feature]) -> _Judges:
    """Leave out rows that would be refused when served: they cannot judge either."""
    refused = [place for place, feature in enumerate(features) if not feature.nullable]
    kept = ~np.isnan(judges.rows[:, refused]).any(axis=1)
    if not kept.any():
        raise Invalid("No held-out row is left that has its target and all that the model needs.")
    left = int((~kept).sum())
    if not left:
        return judges
    note = (
        f"Left out: {counted(left, 'held-out row')} with gaps where no row to learn from has any."
    )
    return _Judges(judges.rows[kept], judges.labels[kept], (*judges.notes, note))


def _dataset(
    options: TableOptions,
    schema: Schema,
    rows: Rows,
    labels: NDArray[np.generic],
    judges: _Judges,
) -> Dataset:
    return Dataset(
        name=options.name,
        title=options.name.replace("_", " ").replace("-", " ").capitalize(),
        description=_description(options.csv.name, schema),
        schema=schema,
        rows=rows,
        labels=labels,
        holdout_rows=judges.rows,
        holdout_labels=judges.labels,
        seed=options.seed,
        split=None if options.holdout_csv else options.holdout,
    )


def _description(file: str, schema: Schema) -> str:
    kind = f"one of {len(schema.classes)} classes" if schema.is_classifier else "a number"
    count = counted(len(schema.features), "column")
    return f"{schema.target}, {kind}, by {count} of {file}."


def _part(progress: Progress | None, start: float, end: float) -> Progress | None:
    if progress is None:
        return None
    return lambda done, step: progress(start + (end - start) * done, step)
