"""Open a version as what answers for it: a compiled model, or scikit-learn itself."""

from __future__ import annotations

from collections.abc import Collection

from unrot.core.ports import Predictor
from unrot.core.records import Schema
from unrot.serve.predictor import OnnxPredictor


def load(by: str, artefact: bytes, schema: Schema, *, trusted: Collection[str] = ()) -> Predictor:
    """Make a predictor from who serves ("onnx", "scikit-learn"), the artefact and the schema.

    Either artefact says itself in which form it takes rows; `trusted` are the types that an
    owner's skops file may hold beyond ours.
    """
    if by == "onnx":
        return OnnxPredictor(artefact, schema)
    # scikit-learn costs a worker 100 MB and a second: only a version that needs it brings it in.
    from unrot.make import fitted

    return fitted.load(artefact, schema, trusted)
