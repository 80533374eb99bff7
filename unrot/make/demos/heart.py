"""Heart: whether a coronary artery is narrowed, by thirteen findings (UCI Cleveland, 1988).

Two editions of the file go round. The raw one (`processed.cleveland.data`) has no header, `?`
for gaps and a diagnosis from 0 to 4. The other (`heart.csv`, from Kaggle) has a header, other
numbers for the same codes, and its target is the other way round: 1 is a healthy artery. Both
are read as they are, and the description says which way round the classes stand.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import fetch_openml

from unrot.core.dataset import Dataset, cut
from unrot.core.errors import Invalid, NotFound
from unrot.core.records import Feature, Schema
from unrot.make.demos.tables import read_table

TARGET, CLASSES = "target", ("0", "1")
FEWEST_OF_A_CLASS = 5
HOLDOUT, SEED = 0.2, 0
OPENML_NAME, OPENML_VERSION, OPENML_SECONDS = "heart-disease", 1, 15.0
WHERE = (
    "Download heart.csv (Kaggle, Heart Disease UCI) or processed.cleveland.data "
    "(UCI Machine Learning Repository, Heart Disease) and name it with --csv PATH."
)

Table = NDArray[np.float64]
Codes = Mapping[str, Mapping[int, str]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One column of the file."""

    description: str
    unit: str = ""
    is_coded: bool = False


FINDINGS: Mapping[str, Finding] = {
    "age": Finding("Age", "years"),
    "sex": Finding("Sex", is_coded=True),
    "cp": Finding("Chest pain: its type", is_coded=True),
    "trestbps": Finding("Blood pressure at rest, on admission to the hospital", "mm Hg"),
    "chol": Finding("Cholesterol in the serum", "mg/dl"),
    "fbs": Finding("Blood sugar after fasting above 120 mg/dl", is_coded=True),
    "restecg": Finding("Electrocardiogram at rest: its result", is_coded=True),
    "thalach": Finding("Highest heart rate that was reached", "beats/min"),
    "exang": Finding("Angina brought on by exercise", is_coded=True),
    "oldpeak": Finding("ST depression under exercise, against rest", "mm"),
    "slope": Finding("Slope of the ST segment at the peak of exercise", is_coded=True),
    "ca": Finding("Major vessels coloured by fluoroscopy", is_coded=True),
    "thal": Finding("Thallium scan of the heart muscle", is_coded=True),
}
COLUMNS = (*FINDINGS, TARGET)
NOT_WHOLE = "oldpeak"

SAME_CODES: Codes = {
    "sex": {0: "female", 1: "male"},
    "fbs": {0: "no", 1: "yes"},
    "exang": {0: "no", 1: "yes"},
}
RAW_CODES: Codes = {
    **SAME_CODES,
    "cp": {1: "typical angina", 2: "atypical angina", 3: "non-anginal pain", 4: "no symptoms"},
    "restecg": {0: "normal", 1: "ST-T wave abnormality", 2: "left ventricular hypertrophy"},
    "slope": {1: "upsloping", 2: "flat", 3: "downsloping"},
    "thal": {3: "normal", 6: "fixed defect", 7: "reversible defect"},
}
KAGGLE_CODES: Codes = {
    **SAME_CODES,
    "cp": {0: "no symptoms", 1: "atypical angina", 2: "non-anginal pain", 3: "typical angina"},
    "restecg": {0: "left ventricular hypertrophy", 1: "normal", 2: "ST-T wave abnormality"},
    "slope": {0: "downsloping", 1: "flat", 2: "upsloping"},
    "thal": {0: "not recorded", 1: "fixed defect", 2: "normal", 3: "reversible defect"},
}


def load(csv: Path | None = None) -> Dataset:
    """Return the patients of a CSV file, a fifth held out; without a file ask OpenML."""
    if csv is None:
        return _dataset(_from_openml(), "OpenML")
    return _dataset(read_table(csv, COLUMNS, aliases={"num": TARGET}), csv.name)


def _dataset(table: Table, source: str) -> Dataset:
    labels = _labels(table[:, -1], source)
    _check_columns(table[:, :-1], source)
    codes, meaning = _edition(table)
    description = f"Whether a coronary artery of a patient is narrowed by half. {meaning}"
    rows, labels, holdout_rows, holdout_labels = cut(
        table[:, :-1], labels, holdout=HOLDOUT, seed=SEED
    )
    features = _features(rows, codes)
    # A gap that training never saw would be refused when served, so it cannot judge either.
    refused = [number for number, feature in enumerate(features) if not feature.nullable]
    kept = ~np.isnan(holdout_rows[:, refused]).any(axis=1)
    return Dataset(
        name="heart",
        title="Heart disease",
        description=description.strip(),
        schema=Schema(features, target=TARGET, classes=CLASSES),
        rows=rows,
        labels=labels,
        holdout_rows=holdout_rows[kept],
        holdout_labels=holdout_labels[kept],
        seed=SEED,
        split=HOLDOUT,
    )


def _labels(target: Table, source: str) -> NDArray[Any]:
    wrong = np.flatnonzero(~np.isin(target, range(5)))
    if len(wrong):
        raise Invalid(
            f"{source}, column {TARGET}, row {wrong[0] + 1}: {target[wrong[0]]:g}, "
            "expected 0 to 4 (a diagnosis; all above 0 counts as 1)."
        )
    labels = np.where(target > 0, *reversed(CLASSES))
    for label in CLASSES:
        count = int((labels == label).sum())
        if count < FEWEST_OF_A_CLASS:
            raise Invalid(
                f"{source} holds {count} patients of class {label}: "
                f"at least {FEWEST_OF_A_CLASS} of each class are needed."
            )
    return labels


def _check_columns(rows: Table, source: str) -> None:
    for name, column in zip(FINDINGS, rows.T, strict=True):
        if np.isnan(column).all():
            raise Invalid(f"{source}, column {name}: no row holds a number.")


def _edition(table: Table) -> tuple[Codes, str]:
    """Tell the editions apart by the codes of chest pain and of the scan."""
    pain, scan = (_codes_in(table[:, COLUMNS.index(name)]) for name in ("cp", "thal"))
    if scan <= set(RAW_CODES["thal"]) and pain <= set(RAW_CODES["cp"]):
        return RAW_CODES, "Class 1 is a narrowed artery, class 0 is none."
    if scan <= set(KAGGLE_CODES["thal"]) and pain <= set(KAGGLE_CODES["cp"]):
        return KAGGLE_CODES, (
            "This edition has it the other way round than one would think: "
            "class 0 is a narrowed artery, class 1 is none."
        )
    return SAME_CODES, ""


def _features(rows: Table, codes: Codes) -> tuple[Feature, ...]:
    return tuple(
        _feature(name, rows[:, number], codes.get(name, {})) for number, name in enumerate(FINDINGS)
    )


def _feature(name: str, column: Table, names: Mapping[int, str]) -> Feature:
    finding, seen = FINDINGS[name], column[~np.isnan(column)]
    is_whole = name != NOT_WHOLE and bool((seen == np.round(seen)).all())
    choices = sorted(_codes_in(column)) if finding.is_coded and is_whole else []
    are_named = all(choice in names for choice in choices)
    return Feature(
        name=name,
        kind="integer" if is_whole else "number",
        low=float(seen.min()),
        high=float(seen.max()),
        choices=tuple(choices),
        choice_names=tuple(names[choice] for choice in choices) if are_named else (),
        unit=finding.unit,
        description=finding.description,
        nullable=len(seen) < len(column),
    )


def _codes_in(column: Table) -> set[int]:
    return {int(value) for value in np.unique(column[~np.isnan(column)])}


def _from_openml() -> Table:
    """Fetch the table, giving up after a while: a download of its own thread cannot hang us."""
    fetched: list[Table] = []
    thread = Thread(target=_fetch_into, args=(fetched,), daemon=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        thread.start()
        thread.join(OPENML_SECONDS)
    if not fetched:
        raise NotFound(f"The heart data could not be had from OpenML. {WHERE}")
    return fetched[0]


def _fetch_into(fetched: list[Table]) -> None:
    try:
        found = fetch_openml(
            OPENML_NAME,
            version=OPENML_VERSION,
            target_column=None,
            as_frame=False,
            parser="liac-arff",
            n_retries=1,
        )
        places = [list(found.feature_names).index(name) for name in COLUMNS]
        fetched.append(np.asarray(found.data[:, places], dtype=np.float64))
    except Exception:
        # Whatever went wrong on the way, the caller says where else the file is to be had.
        return
