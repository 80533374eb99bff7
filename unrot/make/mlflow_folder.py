"""Read the folder in which MLflow has logged a scikit-learn model.

`MLmodel` says what lies beside it: the estimator, as skops or as a pickle; the signature, which
names columns and what may be missing; and a few rows as an example.
"""

from __future__ import annotations

import json
import os
import subprocess  # nosec B404  # a pickle is read in a process of its own
import sys
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sklearn
import yaml  # type: ignore[import-untyped]
from sklearn.exceptions import InconsistentVersionWarning

from unrot.core.errors import BadArtefact, Invalid, error_summary, shown
from unrot.core.records import Schema
from unrot.make import artefacts
from unrot.make.external import read_table
from unrot.make.fitted import check, names_of

MOST_BYTES = 10_000_000
"""Of a description, or of an example."""
UNPICKLING_SECONDS = 120
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "VIRTUAL_ENV", "SYSTEMROOT")
"""What the process that reads a pickle gets of our environment: nothing that is secret."""
NUMBERS = ("double", "float", "integer", "long")
KINDS = (*NUMBERS, "boolean", "string")

Columns = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Input:
    """A column of the signature."""

    name: str
    type: str
    is_required: bool


@dataclass(frozen=True, slots=True)
class LoggedModel:
    """What a folder holds."""

    file: Path
    fitted_with: str
    inputs: Sequence[Input]
    """Empty where there is no signature, or one of a bare array."""
    target: str
    example: Columns | None

    @property
    def is_pickle(self) -> bool:
        """Tell whether the estimator is a pickle."""
        return self.file.suffix != ".skops"

    @property
    def optional(self) -> list[str]:
        """The columns that may have gaps."""
        return [one.name for one in self.inputs if not one.is_required]


def read_folder(folder: Path) -> LoggedModel:
    """Read what a folder holds, but for the estimator; raise Invalid, saying what is missing."""
    described = _read_description(folder)
    flavour = _part(described, "flavors").get("sklearn")
    if not isinstance(flavour, dict):
        others = ", ".join(map(str, _part(described, "flavors"))) or "none"
        raise Invalid(
            f"{folder} holds no scikit-learn model that MLflow has logged; it has {others}."
        )
    file = (folder / str(flavour.get("pickled_model") or "model.pkl")).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        raise Invalid(
            f"{folder} has no {shown(file.name)}, in which MLmodel says the estimator is."
        )
    signature = _part(described, "signature")
    inputs = _inputs(signature.get("inputs"))
    example = _example(folder, _part(described, "saved_input_example_info"), inputs)
    return LoggedModel(
        file=file,
        fitted_with=str(flavour.get("sklearn_version") or ""),
        inputs=inputs,
        target=_target(signature.get("outputs")),
        example=example,
    )


def load_estimator(logged: LoggedModel, *, trusts_pickle: bool, trusted: Collection[str]) -> Any:
    """Load the estimator; a pickle only where its owner trusts it, by a process of its own.

    It warns, as scikit-learn does, where another scikit-learn has fitted it.
    """
    if not logged.is_pickle:
        data = logged.file.read_bytes()
    elif trusts_pickle:
        data = _converted(logged.file)
    else:
        raise Invalid(
            f"{logged.file.name} is a pickle, which runs whatever it says while it is read. If you "
            "trust who made it, add --trust-pickle; or log the model with "
            "serialization_format='skops'."
        )
    try:
        estimator = artefacts.load(data, trusted)
    except BadArtefact as error:
        raise Invalid(f"{logged.file.name}: {error.message}.") from error
    if logged.fitted_with not in ("", sklearn.__version__):
        warning = InconsistentVersionWarning(
            estimator_name=type(estimator).__name__,
            current_sklearn_version=sklearn.__version__,
            original_sklearn_version=logged.fitted_with,
        )
        warnings.warn(warning, stacklevel=2)
    return estimator


def answer_example(estimator: Any, example: Columns) -> list[Any]:
    """Return what the estimator itself answers to the example, where nobody knows better."""
    check(estimator)
    table = read_table(estimator, example)
    try:
        answered = estimator.predict(table.form.make(table.rows, Schema((), "")))
    except Exception as error:
        # It is the owner's estimator: whatever it raises is told to them.
        raise Invalid(
            f"The estimator does not answer its example: {error_summary(error)}."
        ) from error
    labels: list[Any] = answered.tolist()
    return labels


def example_for(estimator: Any, logged: LoggedModel) -> Columns:
    """Return the example, its columns called as the estimator calls them."""
    if logged.example is None:
        raise Invalid(
            "MLflow has logged no example of a row with this model: give rows by --data FILE and "
            "--target COLUMN."
        )
    names = names_of(estimator)
    if names is None or len(names) != len(logged.example) or set(names) == set(logged.example):
        return logged.example
    return dict(zip(names, logged.example.values(), strict=True))


@cache
def _converted(file: Path) -> bytes:
    with TemporaryDirectory(prefix="unrot-") as folder:
        out = Path(folder) / "model.skops"
        environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        command = [sys.executable, "-m", "unrot.make.unpickle", str(file), str(out)]
        try:
            done = subprocess.run(  # nosec B603  # nothing of it is read by a shell
                command,
                env=environment,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=UNPICKLING_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Invalid(f"{file.name} was not read within {UNPICKLING_SECONDS} s.") from None
        if done.returncode or not out.is_file():
            said = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
            raise Invalid(f"{file.name} cannot be converted: {shown(said, 300)[1:-1]}.")
        return out.read_bytes()


# ── what is written there ────────────────────────────────────────────────────────────────────────


def _read_description(folder: Path) -> Mapping[str, Any]:
    path = folder / "MLmodel"
    if not path.is_file():
        raise Invalid(f"{folder} has no file MLmodel: expected a folder that MLflow has logged.")
    try:
        read = yaml.safe_load(_text(path))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Invalid(f"{path} is not YAML: {error_summary(error)}.") from error
    if not isinstance(read, dict):
        raise Invalid(f"{path} does not describe a model.")
    return read


def _text(path: Path) -> str:
    if path.stat().st_size > MOST_BYTES:
        raise Invalid(f"{path} is larger than {MOST_BYTES:,} bytes.")
    return path.read_text("utf-8")


def _part(described: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = described.get(name)
    return found if isinstance(found, dict) else {}


def _json(text: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def _inputs(text: Any) -> list[Input]:
    """Read the columns of a signature; a bare array has none."""
    columns = _json(text)
    if not isinstance(columns, list):
        return []
    found = []
    for column in columns:
        if not isinstance(column, dict) or not isinstance(column.get("name"), str):
            return []
        name, type = column["name"], str(column.get("type"))
        if type not in KINDS:
            raise Invalid(
                f"The signature's column {shown(name)} is a {type}: no model here takes that."
            )
        found.append(Input(name, type, column.get("required") is not False))
    return found


def _target(text: Any) -> str:
    outputs = _json(text)
    first = outputs[0] if isinstance(outputs, list) and outputs else None
    name = first.get("name") if isinstance(first, dict) else None
    return name if isinstance(name, str) and name else "target"


def _example(folder: Path, info: Mapping[str, Any], inputs: Sequence[Input]) -> Columns | None:
    """Read the rows that show what the model takes."""
    path = (folder / str(info.get("artifact_path") or "input_example.json")).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        return None
    columns = _columns(_json(_text(path)), [one.name for one in inputs])
    if columns is None:
        raise Invalid(f"{path.name} cannot be read as rows: give others by --data and --target.")
    types = {one.name: one.type for one in inputs}
    return {name: _typed(cells, types.get(name, "")) for name, cells in columns.items()}


def _columns(read: Any, names: Sequence[str]) -> Columns | None:
    """Read rows in the forms that MLflow writes them in."""
    if isinstance(read, dict) and isinstance(read.get("data"), list):
        names, read = read.get("columns") or names, read["data"]
    if isinstance(read, dict):
        return {name: cells if isinstance(cells, list) else [cells] for name, cells in read.items()}
    if not isinstance(read, list) or not read:
        return None
    if all(isinstance(row, dict) for row in read):
        return {name: [row.get(name) for row in read] for name in read[0]}
    if not all(isinstance(row, list) and len(row) == len(read[0]) for row in read):
        return None
    names = names if len(names) == len(read[0]) else [f"x{place}" for place in range(len(read[0]))]
    return {
        str(name): list(cells) for name, cells in zip(names, zip(*read, strict=True), strict=True)
    }


def _typed(cells: list[Any], type: str) -> list[Any]:
    """Let numbers that may have a fraction have one."""
    if type not in ("double", "float"):
        return cells
    is_number = [isinstance(cell, int) and not isinstance(cell, bool) for cell in cells]
    return [float(cell) if each else cell for cell, each in zip(cells, is_number, strict=True)]
