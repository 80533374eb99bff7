"""Make a candidate of a fitted estimator, whoever fitted it: compiled, compared and kept.

It is served by a graph that answers the same (see `onnx.export`) or by scikit-learn itself, and
kept as a skops file that answers the same, so that it can go on learning. What of that cannot be
is written into the candidate's reason, for the page and the terminal.
"""

from __future__ import annotations

import platform
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

import unrot
from unrot.core.artefacts import EXPLAINER, GOLDEN, ONNX, SKOPS
from unrot.core.errors import BadArtefact, Invalid
from unrot.core.records import Candidate, Row
from unrot.make import fitted as files
from unrot.make.fitted import Fitted
from unrot.make.inputs import FRAME
from unrot.make.onnx.probe_rows import spread
from unrot.make.predictors import load
from unrot.make.repeatable import quietly
from unrot.serve.parity import TOLERANCE, largest_difference
from unrot.serve.predictor import pack_golden

if TYPE_CHECKING:
    # It brings in skl2onnx: see below.
    from unrot.make.onnx.export import Compiled

MOST_COMPARED_ROWS = 500
MOST_REFERENCE_ROWS = 20_000
GOLDEN_ROWS = 16
LIBRARIES = ("scikit-learn", "numpy", "scipy", "skops", "skl2onnx", "onnxruntime")


def compile_candidate(
    fitted: Fitted,
    reference: Sequence[Row],
    compared: Sequence[Row],
    trusted: Collection[str] = (),
) -> Candidate:
    """Compile an estimator, compare it and let what serves answer the reference rows.

    Its name, origin, metrics and tables are for the caller to add.
    """
    # skl2onnx takes 20 MB: by now what the estimator was fitted on is let go.
    from unrot.make import explainer
    from unrot.make.onnx.export import export

    with quietly():
        graph = export(fitted, compared)
        kept, refusal = _artefacts(fitted, graph, trusted)
        kept[EXPLAINER] = explainer.make(fitted, reference)
        by, artefact = ("scikit-learn", SKOPS) if graph.onnx is None else ("onnx", ONNX)
        serving = load(by, kept[artefact], fitted.schema, trusted=trusted)
        return Candidate(
            estimator="",
            origin="",
            metrics={},
            artefacts=kept,
            libraries=libraries(),
            served_by="scikit-learn" if graph.onnx is None else "onnx",
            serving_artefact=artefact,
            largest_difference=graph.largest_difference,
            compared_rows=len(graph.compared),
            reason=_reason(fitted, graph, refusal),
            form=graph.form,
            reference_rows=reference,
            reference_outputs=serving.predict(reference),
        )


@cache
def libraries() -> Mapping[str, str]:
    """Return the versions that a fitted estimator depends on."""
    versions = {name: version(name) for name in LIBRARIES}
    return {**versions, "unrot": unrot.__version__, "python": platform.python_version()}


def _artefacts(
    fitted: Fitted, graph: Compiled, trusted: Collection[str]
) -> tuple[dict[str, bytes], str]:
    """Return the files of a candidate, and why there is no skops file among them, if there is none.

    The golden rows are spread over all that was compared, so that they would tell.
    """
    rows = spread(graph.compared, GOLDEN_ROWS)
    kept = {GOLDEN: pack_golden(rows, fitted.predict(rows))}
    refusal = ""
    try:
        kept[SKOPS] = _skops(fitted, graph, trusted)
    except (BadArtefact, Invalid) as error:
        refusal = error.message.rstrip(".")
        if graph.onnx is None:
            raise Invalid(f"It cannot be served: {refusal}. {graph.reason}") from error
    if graph.onnx is not None:
        kept[ONNX] = graph.onnx
    return kept, refusal


def _skops(fitted: Fitted, graph: Compiled, trusted: Collection[str]) -> bytes:
    """Write the estimator as a skops file that answers the same."""
    data = files.dump(fitted)
    again = files.load(data, fitted.schema, trusted).predict(graph.compared)
    if largest_difference(graph.expected, again) > TOLERANCE:
        raise BadArtefact("skops reads another model back than it wrote")
    return data


def _reason(fitted: Fitted, graph: Compiled, refusal: str) -> str:
    said = [graph.reason] if graph.onnx is None else []
    if graph.onnx is None and fitted.form.container == FRAME:
        said.append("It takes DataFrames, so the server needs pandas.")
    if refusal:
        said.append(f"It is served only and cannot learn here: {refusal}.")
    return " ".join(said)
