"""Explain one answer: what each feature added to it, beside what is usual.

Exact values are given only where they make the very answer that is explained: each time their sum
is held against it. A row for which that fails, and a version whose estimator has no exact form, is
sampled with the model that answered.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unrot.core.artefacts import EXPLAINER, GOLDEN
from unrot.core.errors import BadArtefact, NotFound, TooMany, wrong_field
from unrot.core.memory import hand_back_memory
from unrot.core.newest import Newest
from unrot.core.plurals import counted
from unrot.core.ports import Predictor
from unrot.core.records import Feature, Outputs, Row, Schema, Value, Version
from unrot.core.threads import on_one_thread
from unrot.explain.changing import Change, find_change
from unrot.explain.kept import Kept, Link, Sums, unpack
from unrot.explain.sampling import Score, sample
from unrot.explain.trees import Trees
from unrot.serve.predictor import golden_rows
from unrot.serve.shelf import Contents, Shelf, ShelvedModel

Method = Literal["weights", "trees", "sampled"]
Unit = Literal["share", "log-odds", "score", "value", "logarithm"]
SECONDS = 0.3
MOST_AT_ONCE = 20
MOST_REASONS = 3
MOST_OFF = 1e-4
"""Of a sum from the answer that it explains: by so much may a graph differ from its estimator."""
KEPT_AT_ONCE = 2
_UNITS: dict[Link, Unit] = {
    "exp": "logarithm",
    "sigmoid": "log-odds",
    "softmax": "log-odds",
    "each": "score",
    "largest": "score",
}
_TURN, LONGEST_WAIT = threading.RLock(), 1.0
_KEPT: Newest[tuple[str, str], Kept] = Newest(KEPT_AT_ONCE)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one feature added to an answer."""

    feature: Feature
    value: Value
    usual: Value
    """The middle of the numbers of the training, or the commonest value."""
    amount: float
    error: float
    """Half the width of its 95 % interval; 0 of an exact one."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What each feature adds, in the order of the schema, and how surely."""

    method: Method
    average: float
    amounts: NDArray[np.float64]
    errors: NDArray[np.float64]
    samples: int = 0


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an answer is what it is; the largest contributions first."""

    method: Method
    unit: Unit
    label: str | None
    """The class that is explained: the answered one."""
    average: float
    score: float
    contributions: Sequence[Contribution]
    samples: int = 0
    version: str = ""
    change: Change | None = None
    """What would make it another class; None of a regression, and where nothing near was found."""

    @property
    def telling(self) -> Sequence[Contribution]:
        """The strongest of those that drew the answer to where it is."""
        found = self._drawing
        least = abs(found[0].amount) / 2 if found else 0.0
        return [one for one in found if abs(one.amount) >= least]

    @property
    def reasons(self) -> Sequence[Feature]:
        """What is kept with the verdict of who has seen this."""
        return [one.feature for one in self._drawing[:MOST_REASONS]]

    @property
    def _drawing(self) -> Sequence[Contribution]:
        """Those that drew the answer to where it is, the strongest first."""
        way = math.copysign(1.0, self.score - self.average)
        return [one for one in self.contributions if one.amount * way > one.error]


def check_count(rows: int) -> None:
    """Raise Invalid for more rows than are explained at once."""
    if rows > MOST_AT_ONCE:
        expected = f"at most {MOST_AT_ONCE} rows where explanations are asked for"
        raise wrong_field("inputs", counted(rows, "row"), expected)


def explain_row(
    shelf: Shelf,
    contents: Contents,
    shelved: ShelvedModel,
    version: Version,
    row: Row,
    *,
    seconds: float = SECONDS,
) -> Explanation:
    """Explain what a version answers to a row that the schema has checked."""
    return explain_rows(shelf, contents, shelved, version, [row], seconds=seconds)[0]


def explain_rows(
    shelf: Shelf,
    contents: Contents,
    shelved: ShelvedModel,
    version: Version,
    rows: Sequence[Row],
    *,
    seconds: float = SECONDS,
) -> list[Explanation]:
    """Explain a few rows; what is sampled shares the time."""
    check_count(len(rows))
    with turn():
        return _explain_rows(shelf, contents, shelved, version, rows, seconds)


@contextmanager
def turn() -> Iterator[None]:
    """Let one request of a process be explained at a time: it takes far longer than an answer.

    Whoever has the turn may take it again.
    """
    if not _TURN.acquire(timeout=LONGEST_WAIT):
        raise TooMany("Other answers are being explained: try again in a moment.", 2.0)
    try:
        yield
    finally:
        hand_back_memory()
        _TURN.release()


def _explain_rows(
    shelf: Shelf,
    contents: Contents,
    shelved: ShelvedModel,
    version: Version,
    rows: Sequence[Row],
    seconds: float,
) -> list[Explanation]:
    predictor, kept = shelf.predictor(contents, version), kept_of(shelf, shelved, version)
    schema, each = shelved.model.schema, seconds / len(rows)
    with on_one_thread():
        return [_explained(predictor, kept, schema, version.name, row, each) for row in rows]


def version_of(shelved: ShelvedModel, name: str) -> Version:
    """Return the version that gave an answer; NotFound where it is not kept any more."""
    version = shelved.versions.get(name)
    if version is None:
        raise NotFound(f"{name} is not kept on this server, so its answer cannot be explained.")
    return version


def _explained(
    predictor: Predictor, kept: Kept, schema: Schema, version: str, row: Row, seconds: float
) -> Explanation:
    outputs = predictor.predict([row])
    place = None if outputs.classes is None else outputs.classes[0]
    label = None if place is None else schema.classes[place]
    parts = parts_of(predictor, kept, schema, outputs, row, seconds=seconds)
    unit = _unit_of(kept.sums if parts.method != "sampled" else None, schema)
    told = [
        Contribution(feature, value, usual, float(amount), float(error))
        for feature, value, usual, amount, error in zip(
            *(schema.features, row, _usual(schema, kept.rows), parts.amounts, parts.errors),
            strict=True,
        )
    ]
    told.sort(key=lambda one: -abs(one.amount))
    change = None
    if label is not None:
        first = np.argsort(-np.abs(parts.amounts), kind="stable").tolist()
        change = find_change(predictor, schema, kept.rows, row, first, seconds=seconds)
    score = parts.average + float(parts.amounts.sum())
    return Explanation(
        *(parts.method, unit, label, parts.average, score, told, parts.samples, version, change)
    )


def parts_of(
    predictor: Predictor, kept: Kept, schema: Schema, outputs: Outputs, row: Row, *, seconds: float
) -> Parts:
    """Return what each feature adds to the answer to a row: exactly, else sampled in the time."""
    place = None if outputs.classes is None else outputs.classes[0]
    found = None if kept.sums is None else _exact(kept.sums, outputs, row, place)
    if found is not None and kept.sums is not None:
        method: Method = "trees" if isinstance(kept.sums.of, Trees) else "weights"
        return Parts(method, *found, np.zeros(len(row)))
    sampled = sample(_asking(predictor, schema, place), row, kept.rows, seconds=seconds)
    return Parts("sampled", sampled.average, sampled.amounts, sampled.errors, sampled.samples)


def _unit_of(sums: Sums | None, schema: Schema) -> Unit:
    """Return in what parts are: of sums, or of what is sampled."""
    plain: Unit = "share" if schema.is_classifier else "value"
    return plain if sums is None else _UNITS.get(sums.link, plain)


def _exact(
    sums: Sums, outputs: Outputs, row: Row, place: int | None
) -> tuple[float, NDArray[np.float64]] | None:
    """Return average and contributions; None where they do not make the answer."""
    contributions = sums.contributions(row)
    if not _makes(sums, outputs, contributions):
        return None
    if place is None:
        return float(sums.averages[0]), contributions[0]
    nth, way = list(sums.places).index(place), 1.0
    if len(sums.averages) == 1:  # It is the score of the second class.
        nth, way = 0, 1.0 if nth else -1.0
    return way * float(sums.averages[nth]), way * contributions[nth]


def _makes(sums: Sums, outputs: Outputs, contributions: NDArray[np.float64]) -> bool:
    """Tell whether the sums make the answer that was given."""
    made = sums.answered(contributions)
    if outputs.values is not None:
        return bool(abs(made[0] - outputs.values[0]) <= MOST_OFF * max(1.0, abs(made[0])))
    place = (outputs.classes or [0])[0]
    if place not in sums.places or len(made) != len(sums.places):
        return False
    if outputs.probabilities is None or sums.link == "largest":
        return sums.places[int(made.argmax())] == place
    given = np.array([outputs.probabilities[0][one] for one in sums.places])
    return bool(np.abs(made - given).max() <= MOST_OFF)


def _asking(predictor: Predictor, schema: Schema, place: int | None) -> Score:
    """Return what asks the model for the number that is explained."""
    return lambda rows: scores_of(predictor.predict(rows), schema)[:, place or 0]


def scores_of(outputs: Outputs, schema: Schema) -> NDArray[np.float64]:
    """Return numbers, or chances of classes; a class without chances has all."""
    if outputs.values is not None:
        return np.array(outputs.values, dtype=np.float64)[:, None]
    if outputs.probabilities is not None:
        return np.array(outputs.probabilities, dtype=np.float64)
    return np.eye(len(schema.classes))[np.array(outputs.classes, dtype=np.intp)]


def kept_of(shelf: Shelf, shelved: ShelvedModel, version: Version) -> Kept:
    """Return what a version is explained by; one from before has the rows that it is tried with."""
    key = key_of_kept(version)
    known = _KEPT.get(key)
    return _KEPT.keep(key, read_kept(shelf, shelved, version)) if known is None else known


def key_of_kept(version: Version) -> tuple[str, str]:
    """Return what tells apart what versions are explained by."""
    return version.schema_hash, version.artefacts.get(EXPLAINER, version.artefacts.get(GOLDEN, ""))


def read_kept(shelf: Shelf, shelved: ShelvedModel, version: Version) -> Kept:
    """Read what a version is explained by, and remember nothing of it."""
    try:
        file = shelf.file(shelved.model, version, EXPLAINER)
        if file is not None:
            return unpack(file)
    except BadArtefact:
        _log.exception("What %s is explained by cannot be read.", version.name)
    golden = shelf.file(shelved.model, version, GOLDEN)
    if golden is None:
        raise NotFound(f"{version.name} has no rows to explain its answers by.")
    return Kept(golden_rows(golden))


def _usual(schema: Schema, rows: Sequence[Row]) -> list[Value]:
    return [
        _usual_of(feature, column)
        for feature, column in zip(schema.features, zip(*rows, strict=True), strict=True)
    ]


def _usual_of(feature: Feature, column: Sequence[Value]) -> Value:
    known = [value for value in column if value is not None]
    if not known:
        return None
    if feature.kind in ("number", "integer") and not feature.choices:
        return sorted(known, key=float)[len(known) // 2]
    return Counter(known).most_common(1)[0][0]
