"""What if: what a version answers to a row that somebody plays with, and along one feature of it.

Nothing of it is kept: there is no id, no verdict can name it, no window or profile counts it. So
that it is no way around being counted, whoever asks is charged as for the prediction that it would
have been, and without a token may ask so often in a minute (`serve/limits.py`).

Along a feature two things are told: what this very row would get with each of its values (an
individual conditional expectation, Goldstein et al.: Peeking inside the black box, 2015), and the
mean of what rows of the training would get with it. The second is the same for all rows, so it is
remembered.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unrot.core.errors import wrong_field
from unrot.core.newest import Newest
from unrot.core.ports import Predictor
from unrot.core.records import Caller, Feature, Outputs, Row, Schema, Value, Version
from unrot.core.threads import on_one_thread
from unrot.explain.changing import Change, find_change
from unrot.explain.explaining import kept_of, key_of_kept, scores_of, turn
from unrot.serve.answer import Answer
from unrot.serve.service import Service
from unrot.serve.shelf import Contents, ShelvedModel

Floats = NDArray[np.float64]
SECONDS = 0.3
STEPS, MOST_CHOICES = 21, 24
MOST_ROWS, ROWS_AT_ONCE = 50, 10
SECONDS_OF_ROWS = 1.0
KEPT_CURVES = 200
A_PLACE = "0" * 32
"""In the place of an id, where it is asked how much a line would be."""
_MEANS: Newest[tuple[str, str, str, str], tuple[Floats, int]] = Newest(KEPT_CURVES)


@dataclass(frozen=True, slots=True)
class Step:
    """One value of a feature, and what is answered with it."""

    value: Value
    here: float
    usually: float


@dataclass(frozen=True, slots=True)
class Curve:
    """What is answered along one feature: chances of the answered class, or numbers."""

    feature: Feature
    is_line: bool
    """Whether its values are numbers in their order, and no choices."""
    steps: Sequence[Step]
    rows: int
    """Of the training, over which the mean is taken."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What a version would answer."""

    version: Version
    row: Row
    label: str | None
    probabilities: Sequence[float] | None
    value: float | None
    curve: Curve | None = None
    wanted: float | None = None
    change: Change | None = None
    """What makes the answer the wanted one; None where none is wanted, or none was found."""

    def score(self, schema: Schema) -> float:
        """Return the number that a curve is of: the value, or the chance of the answered class."""
        if self.label is None or self.probabilities is None:
            return 1.0 if self.value is None else self.value
        return self.probabilities[schema.classes.index(self.label)]


def ask_what_if(
    of: Service,
    contents: Contents,
    shelved: ShelvedModel,
    version: Version,
    row: Row,
    caller: Caller,
    *,
    along: Feature | None = None,
    wanted: float | None = None,
) -> WhatIf:
    """Answer a row that the schema has checked, and keep nothing of it."""
    schema = shelved.model.schema
    if wanted is not None and schema.is_classifier:
        raise wrong_field("wanted", wanted, f"nothing: {schema.target} is no number")
    of.limits.admit_explaining(caller)
    predictor = of.shelf.predictor(contents, version)
    outputs = predictor.predict([row])
    _charge(of, shelved, version, row, outputs, caller)
    with turn(), on_one_thread():
        label = None if outputs.classes is None else schema.classes[outputs.classes[0]]
        shares = None if outputs.probabilities is None else outputs.probabilities[0]
        value = None if outputs.values is None else outputs.values[0]
        curve = change = None
        if along is not None or wanted is not None:
            rows = kept_of(of.shelf, shelved, version).rows
        if along is not None:
            curve = _curve(predictor, version, schema, rows, row, along, outputs)
        if wanted is not None:
            order = range(len(schema.features))
            change = find_change(
                predictor, schema, rows, row, order, seconds=SECONDS, wanted=wanted
            )
    return WhatIf(version, row, label, shares, value, curve, wanted, change)


def find_feature(schema: Schema, name: str) -> Feature:
    """Return the feature to go along; Invalid where it is none, or stays as it is."""
    found = next((one for one in schema.features if one.name == name), None)
    if found is None:
        raise wrong_field("feature", name, "the name of a feature of this model")
    if not found.may_vary:
        why = "private" if found.is_private else "fixed"
        raise wrong_field("feature", name, f"a feature that may vary: this one is {why}")
    return found


def _charge(
    of: Service, shelved: ShelvedModel, version: Version, row: Row, outputs: Outputs, caller: Caller
) -> None:
    """Charge a visitor as for a prediction that is kept."""
    line = Answer(shelved, version, of.clock(), 0.0, [row], outputs, [A_PLACE]).lines()
    of.limits.admit(caller, len(line))


def _curve(
    predictor: Predictor,
    version: Version,
    schema: Schema,
    rows: Sequence[Row],
    row: Row,
    feature: Feature,
    outputs: Outputs,
) -> Curve | None:
    place = schema.features.index(feature)
    is_line = feature.kind in ("number", "integer") and not feature.choices
    values = _values(feature, [one[place] for one in rows], is_line=is_line)
    if len(values) < 2:
        return None
    key = version.serving.digest, *key_of_kept(version), feature.name
    known = _MEANS.get(key)
    means, count = known or _MEANS.keep(key, _means(predictor, schema, rows, place, values))
    here = scores_of(predictor.predict([_with(row, place, value) for value in values]), schema)
    score = 0 if outputs.classes is None else outputs.classes[0]
    steps = [
        Step(value, float(mine[score]), float(mean[score]))
        for value, mine, mean in zip(values, here, means, strict=True)
    ]
    return Curve(feature, is_line, steps, count)


def _values(feature: Feature, column: Sequence[Value], *, is_line: bool) -> list[Value]:
    """Return the values to try: evenly over the training, or the choices."""
    known = [value for value in column if value is not None]
    if not is_line:
        if feature.kind == "boolean":
            return [False, True]
        return list(feature.choices or sorted(set(known), key=str))[:MOST_CHOICES]
    numbers = [float(value) for value in known]
    low = min(numbers, default=0.0) if feature.low is None else feature.low
    high = max(numbers, default=0.0) if feature.high is None else feature.high
    evenly = np.linspace(low, high, STEPS)
    if not np.isfinite(evenly).all():
        return []
    if feature.kind == "integer":
        return list(dict.fromkeys(int(value) for value in evenly.round().tolist()))
    return list(dict.fromkeys(float(f"{value:.6g}") for value in evenly.tolist()))


def _means(
    predictor: Predictor,
    schema: Schema,
    rows: Sequence[Row],
    place: int,
    values: Sequence[Value],
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[Floats, int]:
    """Return the mean score of rows of the training with each value, and of how many rows."""
    until, total, count = clock() + SECONDS_OF_ROWS, np.zeros(0), 0
    rows = rows[:: -(-len(rows) // MOST_ROWS)]
    for first in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[first : first + ROWS_AT_ONCE]
        asked = [_with(one, place, value) for one in some for value in values]
        scores = scores_of(predictor.predict(asked), schema)
        added = scores.reshape(len(some), len(values), -1).sum(axis=0)
        total, count = total + added if count else added, count + len(some)
        if clock() >= until:
            break
    return total / count, count


def _with(row: Row, place: int, value: Value) -> Row:
    made = list(row)
    made[place] = value
    return made
