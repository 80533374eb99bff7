"""`python -m unrot add`: put an estimator online that its owner has fitted elsewhere.

The owner's function makes the estimator; the file only shows what a row looks like.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from unrot.cli.terminal import Progress, table
from unrot.core.errors import Invalid, shown
from unrot.core.plurals import counted
from unrot.core.records import Value, Version
from unrot.core.settings import Settings
from unrot.make.csv.cells import Mark, number
from unrot.make.csv.reading import open_table, rows
from unrot.run.bootstrap import open_service

GAPS = frozenset(
    {"", "NA", "N/A", "n/a", "NaN", "nan", "-nan", "NULL", "null", "None", "<NA>", "#N/A"}
)
TRUTHS = {"True": True, "TRUE": True, "true": True, "False": False, "FALSE": False, "false": False}

Columns = dict[str, list[Value]]


def add_to(commands: Any) -> None:
    """Add the command to the parser of all commands."""
    command = commands.add_parser("add", help="serve an estimator that you have fitted")
    command.add_argument("name", metavar="NAME", help="what the model is to be called")
    command.add_argument(
        "loader", metavar="package.module:load", nargs="?", help="returns the estimator"
    )
    command.add_argument("--data", type=Path, metavar="FILE", help="a CSV of rows")
    command.add_argument("--target", metavar="COLUMN", help="what is predicted")
    command.add_argument(
        "--mlflow", type=Path, metavar="FOLDER", help="in place of both: a model that MLflow logged"
    )
    command.add_argument(
        "--trust-pickle", action="store_true", help="read that model though it is a pickle"
    )
    command.add_argument("--holdout", type=Path, metavar="FILE", help="rows it was not fitted on")
    command.add_argument("--describe", type=Path, metavar="FILE", help="words for people, in TOML")
    command.add_argument("--force", action="store_true", help="take another scikit-learn's model")
    command.set_defaults(command=add)


def add(options: argparse.Namespace, settings: Settings) -> int:
    """Add an owner's estimator and say who serves it."""
    # scikit-learn and the owner's module are brought in by this command alone.
    from unrot.make import external

    progress = Progress(f"Adding {options.name}")
    try:
        progress(0.0, "reading the data")
        brought = _logged(options, settings) if options.mlflow else _imported(options)
        holdout = parted(options.holdout, brought.target) if options.holdout else None
        version = external.add(
            options.name,
            brought.estimator,
            brought.columns,
            brought.labels,
            holdout=holdout,
            target=brought.target,
            describe=options.describe,
            optional=brought.optional,
            force=options.force,
            settings=settings,
            progress=progress,
            opened=open_service,
        )
    finally:
        progress.close()
    for line in [*told(options.name, version), *brought.notes]:
        print(line)
    return 0


@dataclass(frozen=True, slots=True)
class Brought:
    """What is to be added."""

    estimator: Any
    """Or a function that loads it."""
    columns: Columns
    labels: list[Any]
    target: str
    optional: Sequence[str] = ()
    notes: Sequence[str] = ()


def _imported(options: argparse.Namespace) -> Brought:
    """Bring what an owner's function loads."""
    # As in `add`.
    from unrot.make import external

    if not options.loader or not options.data or not options.target:
        raise Invalid(
            "Say what returns the estimator (package.module:load), --data FILE and "
            "--target COLUMN; or --mlflow FOLDER."
        )
    X, y = parted(options.data, options.target)
    return Brought(external.imported(options.loader), X, y, options.target)


def _logged(options: argparse.Namespace, settings: Settings) -> Brought:
    """Bring what MLflow has logged, with rows of a file or with the example in its folder."""
    # As in `add`.
    from unrot.make import external, mlflow_folder

    if options.loader:
        raise Invalid("Give package.module:load or --mlflow FOLDER, not both.")
    logged = mlflow_folder.read_folder(options.mlflow)
    load = partial(
        mlflow_folder.load_estimator,
        logged,
        trusts_pickle=options.trust_pickle,
        trusted=settings.trusted_types,
    )
    target = options.target or logged.target
    if options.data:
        X, y = parted(options.data, target)
        return Brought(load, X, y, target, logged.optional)
    estimator, _ = external.loaded(load)
    example = mlflow_folder.example_for(estimator, logged)
    labels = mlflow_folder.answer_example(estimator, example)
    count = counted(len(labels), "row")
    note = (
        f"What a row looks like is known from the {count} of the logged example alone, with the "
        "model's own answers: give rows of its training by --data FILE --target COLUMN, and drift "
        "is measured against those."
    )
    return Brought(load, example, labels, target, logged.optional, [note])


def told(name: str, version: Version) -> list[str]:
    """Say what was registered, how good it is and who serves it."""
    rows = [(name, f"{value:.4f}") for name, value in version.metrics.items()]
    serving = version.serving
    compared = f"on {counted(serving.compared_rows, 'row')}"
    lines = [table([("metric", "on the rows held out"), *rows])] if rows else []
    lines.append(f"{name} {version.name} is registered: {version.estimator}.")
    if serving.by == "onnx":
        difference = serving.largest_difference or 0.0
        lines.append(
            f"Served by ONNX: {compared} it differs from scikit-learn by at most {difference:.1e}."
        )
    else:
        lines.append("Served by scikit-learn in the worker.")
    return [*lines, *([serving.reason] if serving.reason else [])]


def parted(path: Path, target: str) -> tuple[Columns, list[Value]]:
    """Read a file and take its target out."""
    columns = read_table(path)
    if target not in columns:
        raise Invalid(
            f"{path.name} has no column {shown(target)}; it has {', '.join(list(columns)[:20])}."
        )
    labels = columns.pop(target)
    kept = [place for place, label in enumerate(labels) if label is not None]
    if len(kept) < len(labels):
        columns = {name: [held[place] for place in kept] for name, held in columns.items()}
    return columns, [labels[place] for place in kept]


def read_table(path: Path) -> Columns:
    """Read a CSV file into typed columns, as pandas would type them; a gap is None."""
    file = open_table(path)
    cells: dict[str, list[str]] = {name: [] for name in file.names}
    for row in rows(file):
        if row.problem:
            raise Invalid(row.problem)
        for name, cell in row.cells.items():
            cells[name].append(cell)
    if not cells[file.names[0]]:
        raise Invalid(f"{path.name} holds no row: expected a line of names and rows under it.")
    return {name: _typed(held, file.marks[name]) for name, held in cells.items()}


def _typed(cells: list[str], mark: Mark) -> list[Value]:
    held = [None if cell.strip() in GAPS else cell for cell in cells]
    readers: tuple[Callable[[str], Value], ...] = (
        _whole,
        lambda cell: _decimal(cell, mark),
        TRUTHS.__getitem__,
    )
    for read in readers:
        try:
            return [None if cell is None else read(cell) for cell in held]
        except (ValueError, KeyError):
            continue
    return list(held)


def _decimal(cell: str, mark: Mark) -> float:
    found = number(cell, mark)
    if found is None:
        raise ValueError(cell)
    return found


def _whole(cell: str) -> int:
    if not cell.strip().lstrip("+-").isdigit():
        raise ValueError(cell)
    return int(cell)
