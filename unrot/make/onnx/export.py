"""Compile a fitted estimator to ONNX, if the graph answers what the estimator answers.

Several ways are tried, the most exact first: our converters or skl2onnx's own, in double or
single precision. Each graph is compared with the estimator on rows that it knows and on those on
which it may go wrong (see `probe_rows`). One that names another class or is off by more than
`MOST_DIFFERENCE` (as `parity` measures it) on one row is not used: scikit-learn then serves, and
says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from skl2onnx.common.exceptions import MissingShapeCalculator

from unrot.core.errors import BadArtefact, shown
from unrot.core.plurals import counted
from unrot.core.records import Form, Outputs, Row
from unrot.make.fitted import Fitted
from unrot.make.onnx.graphs import Way, convert
from unrot.make.onnx.probe_rows import NEVER_SEEN, changed, probe_rows, split_refused
from unrot.serve.parity import TOLERANCE, differing_rows, largest_difference
from unrot.serve.predictor import GAP, OnnxPredictor, text_places

MOST_REASONS = 3
EXACT = 1e-9
"""A graph this exact is taken without trying the next way, which costs as much again."""
MOST_DIFFERENCE = TOLERANCE / 10
"""Other rows than the compared ones may differ more, and are to stay within the tolerance."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A graph that may serve, or none and the reason; and the rows that it was compared on."""

    compared: Sequence[Row] = field(repr=False)
    expected: Outputs = field(repr=False)
    refused: Sequence[Row] = field(repr=False)
    form: Form = "table"
    onnx: bytes | None = field(repr=False, default=None)
    largest_difference: float | None = None
    reason: str = ""

    def is_better_than(self, other: Compiled) -> bool:
        """Tell whether this graph is nearer to the estimator."""
        if self.largest_difference is None or other.largest_difference is None:
            return self.largest_difference is not None
        return self.largest_difference < other.largest_difference

    @property
    def is_exact(self) -> bool:
        """True when no other way can do better."""
        return self.largest_difference is not None and self.largest_difference <= EXACT


def export(fitted: Fitted, rows: Sequence[Row]) -> Compiled:
    """Compile an estimator and compare it with itself on `rows` and where it may go wrong."""
    answered, refused = split_refused(fitted, probe_rows(fitted, rows))
    compared = [*rows, *answered]
    form: Form = "table" if fitted.is_ours else "columns"
    best = Compiled(compared, fitted.predict(compared), refused, form)
    strict = [] if fitted.is_ours else _refused_texts(fitted, rows[0])
    reasons: dict[str, None] = {}
    for way in _ways(fitted, compared):
        made = _try(way, fitted, strict, best)
        reasons[made.reason] = None
        best = made if made.is_better_than(best) else best
        if best.is_exact:
            break
    return best if best.onnx is not None else replace(best, reason=_told([*reasons]))


def _refused_texts(fitted: Fitted, row: Row) -> list[int]:
    """List the places of the features that take no text but those they were fitted with."""
    return [
        place
        for place in text_places(fitted.schema)
        if split_refused(fitted, [changed(row, place, NEVER_SEEN)])[1]
    ]


def _ways(fitted: Fitted, rows: Sequence[Row]) -> Iterator[Way]:
    texts = [] if fitted.is_ours else text_places(fitted.schema)
    if any(row[place] == GAP for row in rows for place in texts):
        return
    form: Form = "columns" if texts else "table"
    yield Way(form)
    for precision in ("double", "single"):
        yield Way(form, precision, ours=False)


def _try(way: Way, fitted: Fitted, strict: list[int], asked: Compiled) -> Compiled:
    """Go one way; what was compared before is asked again, and what it found is let go."""
    none = replace(asked, onnx=None, largest_difference=None)
    try:
        graph = convert(way, fitted, strict)
        predictor = OnnxPredictor(graph, fitted.schema)
        given = predictor.predict(asked.compared)
        too_willing, _ = split_refused(predictor, asked.refused)
    except Exception as error:
        # skl2onnx and onnxruntime raise what they like; each means that there is no graph.
        return replace(none, reason=_why(error))
    if too_willing:
        return replace(none, reason="it answers a row that scikit-learn refuses")
    difference = largest_difference(asked.expected, given)
    if difference <= MOST_DIFFERENCE:
        return replace(none, onnx=graph, form=way.form, largest_difference=difference, reason="")
    differing = differing_rows(asked.expected, given)
    if differing:
        where = f"{differing} of {counted(len(asked.compared), 'row')}"
        return replace(none, reason=f"another class on {where}")
    return replace(none, reason=f"off by {difference:.1g}")


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
