"""Open a version as what answers for it: a compiled model, or scikit-learn itself."""

from __future__ import annotations

from collections.abc import Collection

from unrot.core.ports import Predictor
from unrot.core.records import Schema
from unrot.serve.predictor import OnnxPredictor


def load(
    by: str,
    artefact: bytes,
    schema: Schema,
    form: str = "table",
    *,
    trusted: Collection[str] = (),
) -> Predictor:
    """Make a predictor from who serves ("onnx", "scikit-learn"), the artefact and the schema.

    `form` is what the artefact takes: one table of numbers, or columns as an owner's estimator
    was fitted on; `trusted` are the types that an owner's skops file may hold beyond ours.
    """
    if form == "columns":
        return _load_columns(by, artefact, schema, trusted)
    if by == "onnx":
        return OnnxPredictor(artefact, schema)
    # scikit-learn costs a worker 100 MB and a second: only a version that needs it brings it in.
    from unrot.make import scikit

    return scikit.load(artefact, schema)


def _load_columns(by: str, artefact: bytes, schema: Schema, trusted: Collection[str]) -> Predictor:
    if by == "onnx":
        # Most models are one table of numbers.
        from unrot.serve.column_predictor import ColumnsPredictor

        return ColumnsPredictor(artefact, schema)
    # scikit-learn again.
    from unrot.make import owned

    return owned.load_predictor(artefact, schema, trusted)
