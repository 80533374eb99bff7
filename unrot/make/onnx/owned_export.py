"""Compile an owner's estimator to ONNX, if the graph answers what the estimator answers.

Several ways are tried, the most exact first: one table of numbers or a tensor a column, double
or single precision, our converters or skl2onnx's own. Each graph is compared with the estimator
on the owner's rows, on rows with gaps, with texts that it never saw, far outside its range, and
on both sides of every jump that can be found (see `jumps`). One that names another class or is
off by more than `TOLERANCE` on one row is not used: scikit-learn then serves, and says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skl2onnx.common.exceptions import MissingShapeCalculator

from unrot.core.errors import BadArtefact, Invalid, shown
from unrot.core.plurals import counted
from unrot.core.ports import Predictor
from unrot.core.records import Form, Outputs, Row, Schema
from unrot.make.onnx.jump_rows import changed, jump_rows
from unrot.make.onnx.owned_graphs import TYPES, Way, convert
from unrot.make.onnx.probe_rows import split_rows
from unrot.make.owned import OwnedPredictor
from unrot.serve.column_predictor import GAP, ColumnsPredictor, text_places
from unrot.serve.parity import TOLERANCE, differing_rows, largest_difference
from unrot.serve.predictor import OnnxPredictor

NEVER_SEEN = "a text that was never seen"
FAR_OUT = (-3.0, 10.0)
MOST_STRANGE_ROWS = 100
MOST_REFUSED_ROWS = 40
MOST_REASONS = 3
EXACT = 1e-9
MOST_DIFFERENCE = TOLERANCE / 10
"""Other rows than the compared ones may differ more, and are to stay within the tolerance."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A graph that may serve and what it takes, or none and the reason."""

    onnx: bytes | None = field(repr=False)
    form: Form
    largest_difference: float | None
    compared: Sequence[Row] = field(repr=False)
    refused: Sequence[Row] = field(repr=False)
    expected: Outputs = field(repr=False)
    reason: str = ""


def compile_owned(predictor: OwnedPredictor, schema: Schema, rows: Sequence[Row]) -> Compiled:
    """Compile what a predictor holds, comparing with it on `rows` and where it may go wrong."""
    answered, refused = parted(predictor, rows_to_compare(predictor, schema, rows))
    compared = [*rows, *answered]
    strict = refused_texts(predictor, schema, rows[0])
    expected = predictor.predict(compared)
    best = Compiled(None, "columns", None, compared, refused, expected)
    reasons: dict[str, None] = {}
    for way in _ways(schema, compared):
        made = _try(way, predictor.owned.estimator, schema, strict, best)
        if made.onnx is None:
            reasons[made.reason] = None
        elif best.largest_difference is None or _difference(made) < best.largest_difference:
            best = made
        if best.largest_difference is not None and best.largest_difference <= EXACT:
            break
    return best if best.onnx is not None else replace(best, reason=_told(list(reasons)))


def rows_to_compare(predictor: OwnedPredictor, schema: Schema, rows: Sequence[Row]) -> list[Row]:
    """Return rows on which a graph may go wrong."""
    kinds = ("number", "integer")
    numbers = [place for place, each in enumerate(schema.features) if each.kind in kinds]
    made = [*_strange(schema, rows), *_far_out(rows, numbers)]
    made += split_rows(predictor.owned.estimator, predictor.owned.form.make, rows, numbers)
    halfway = {place: _halfway(rows, place) for place in numbers}
    midway = [changed(rows[0], place, value) for place, value in halfway.items()]
    answered, refused = parted(predictor, midway)
    if refused:
        numbers = [one for one in numbers if changed(rows[0], one, halfway[one]) in answered]
    return [*made, *midway, *jump_rows(_score(predictor, schema), rows, numbers)]


def refused_texts(predictor: OwnedPredictor, schema: Schema, row: Row) -> list[int]:
    """List the places of the features that take no text but those they were fitted with."""
    return [
        place
        for place in text_places(schema)
        if parted(predictor, [changed(row, place, NEVER_SEEN)])[1]
    ]


# ── rows ─────────────────────────────────────────────────────────────────────────────────────


def _strange(schema: Schema, rows: Sequence[Row]) -> Iterator[Row]:
    changes: list[tuple[int, Any]] = []
    for place, feature in enumerate(schema.features):
        changes += [(place, None)] if feature.nullable else []
        changes += [(place, NEVER_SEEN)] if feature.kind == "category" else []
    for number, (place, value) in enumerate(changes[:MOST_STRANGE_ROWS]):
        yield changed(rows[number % len(rows)], place, value)


def _far_out(rows: Sequence[Row], numbers: Sequence[int]) -> Iterator[Row]:
    for factor in FAR_OUT if numbers else ():
        for row in rows[:: max(1, len(rows) // 30)]:
            far = list(row)
            for place in numbers:
                value = far[place]
                if isinstance(value, int | float) and not isinstance(value, bool):
                    far[place] = float(value) * factor
            yield far


def _halfway(rows: Sequence[Row], place: int) -> float:
    """Return a number of the range that is hardly one of the data: 0.3819… of the way."""
    held = [float(row[place]) for row in rows if row[place] is not None]  # type: ignore[arg-type]
    low, high = (min(held), max(held)) if held else (0.0, 1.0)
    return low + (high - low) * 0.381966


def parted(predictor: Predictor, rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Part the rows into those that are answered and those that are refused."""
    try:
        if rows:
            predictor.predict(rows)
        return list(rows), []
    except Invalid:
        half = len(rows) // 2
        if not half:
            return [], list(rows)
        first, second = parted(predictor, rows[:half]), parted(predictor, rows[half:])
        return [*first[0], *second[0]], [*first[1], *second[1]]


def _score(predictor: OwnedPredictor, schema: Schema) -> Any:
    """Return what jumps are looked for in: chances, else decisions, else the class, else values."""
    estimator, form = predictor.owned.estimator, predictor.owned.form

    def score(rows: list[Row]) -> NDArray[np.float64]:
        table = form.make(rows)
        if not schema.is_classifier:
            answered = estimator.predict(table)
        elif hasattr(estimator, "predict_proba"):
            answered = estimator.predict_proba(table)
        elif hasattr(estimator, "decision_function"):
            answered = estimator.decision_function(table)
        else:
            answered = np.eye(len(schema.classes))[predictor.answer(table).classes or []]
        return np.asarray(answered, dtype=np.float64).reshape(len(rows), -1)

    def careful(rows: list[Row]) -> NDArray[np.float64]:
        with np.errstate(all="ignore"):
            return score(rows)

    return careful


# ── graphs ───────────────────────────────────────────────────────────────────────────────────


def _ways(schema: Schema, rows: Sequence[Row]) -> Iterator[Way]:
    has_texts = bool(text_places(schema))
    if has_texts and any(row[place] == GAP for row in rows for place in text_places(schema)):
        return
    form: Form = "columns" if has_texts else "table"
    yield Way(form, "double", ours=True)
    for precision in TYPES:
        yield Way(form, precision, ours=False)


def _try(way: Way, estimator: Any, schema: Schema, strict: list[int], asked: Compiled) -> Compiled:
    try:
        graph = convert(way, estimator, schema, strict)
        compiled = _open(way, graph, schema)
        given = compiled.predict(asked.compared)
        too_willing, _ = parted(compiled, asked.refused[:MOST_REFUSED_ROWS])
    except Exception as error:
        # skl2onnx and onnxruntime raise what they like; each means that there is no graph.
        return replace(asked, onnx=None, reason=_why(error))
    if too_willing:
        what = "it answers a row that scikit-learn refuses"
        return replace(asked, onnx=None, reason=what)
    difference = largest_difference(asked.expected, given)
    if difference <= MOST_DIFFERENCE:
        return replace(asked, onnx=graph, form=way.form, largest_difference=difference)
    differing = differing_rows(asked.expected, given)
    what = f"off by {difference:.1g}"
    if differing:
        what = f"another class on {differing} of {counted(len(asked.compared), 'row')}"
    return replace(asked, onnx=None, reason=what)


def _open(way: Way, graph: bytes, schema: Schema) -> Predictor:
    return (OnnxPredictor if way.form == "table" else ColumnsPredictor)(graph, schema)


def _difference(made: Compiled) -> float:
    return np.inf if made.largest_difference is None else made.largest_difference


def _why(error: Exception) -> str:
    """Say in a few words why there is no graph."""
    if isinstance(error, BadArtefact):
        return "its graph does not load"
    if isinstance(error, MissingShapeCalculator):
        named = re.search(r"class '[\w.]*?(\w+)'", str(error))
        return f"skl2onnx does not know {named[1] if named else 'a step of it'}"
    if type(error).__module__.startswith("onnxruntime"):
        return "its graph does not run"
    said = re.split(r"\n|\. You may raise", str(error).strip())[0]
    return shown(said, 120)[1:-1].rstrip(".") or type(error).__name__


def _told(reasons: list[str]) -> str:
    if not reasons:
        return "ONNX cannot tell a gap from the empty texts in the data."
    said = "; ".join(shown(reason, 160)[1:-1] for reason in reasons[:MOST_REASONS])
    return f"ONNX does not answer as scikit-learn does: {said}."
