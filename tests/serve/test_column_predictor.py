"""A graph of numbers and texts, as a worker has it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from unrot.core.errors import BadArtefact, Invalid
from unrot.core.records import Candidate, Feature, Schema
from unrot.core.schema import to_json
from unrot.make.candidate import Brought, make_candidate, read_table, schema_of
from unrot.serve.column_predictor import ColumnsPredictor


def candidate(*, handle_unknown: str = "ignore") -> tuple[Candidate, Schema]:
    X = np.array([[1.0, "Bern"], [2.0, "Basel"], [8.0, "Bern"], [9.0, "Basel"]] * 5, dtype=object)
    y = ["low", "low", "high", "high"] * 5
    columns = make_column_transformer(
        (SimpleImputer(), [0]), (OneHotEncoder(handle_unknown=handle_unknown), [1])
    )
    estimator = make_pipeline(columns, LogisticRegression()).fit(X, y)
    brought = Brought(estimator, read_table(estimator, X), y, "size")
    schema = schema_of(brought)
    return make_candidate(brought, schema), schema


def test_numbers_and_texts_are_answered_by_onnx() -> None:
    made, schema = candidate()

    outputs = ColumnsPredictor(made.artefacts["onnx"], schema).predict([[1.0, "Bern"], [9, "Ulm"]])

    assert (made.served_by, made.form) == ("onnx", "columns")
    assert [schema.classes[place] for place in outputs.classes or ()] == ["low", "high"]


def test_texts_that_were_never_seen_are_refused_where_the_encoder_refuses_them() -> None:
    made, schema = candidate(handle_unknown="error")
    predictor = ColumnsPredictor(made.artefacts["onnx"], schema)

    with pytest.raises(Invalid, match=r'Row 1: f1 "Ulm": expected a text, one of Basel, Bern\.'):
        predictor.predict([[1.0, "Bern"], [9.0, "Ulm"]])


def test_graph_of_another_schema_is_a_bad_artefact() -> None:
    made, schema = candidate()
    numbers = Schema((Feature("f0", "number"),), schema.target, schema.classes)

    with pytest.raises(BadArtefact):
        ColumnsPredictor(made.artefacts["onnx"], numbers)


def test_worker_imports_nothing_of_training_to_answer_texts(tmp_path: Path) -> None:
    made, schema = candidate()
    (tmp_path / "graph").write_bytes(made.artefacts["onnx"])
    (tmp_path / "schema").write_text(to_json(schema))
    program = f"""
import pathlib, sys
from unrot.core import schema
from unrot.make.predictors import load
folder = pathlib.Path({str(tmp_path)!r})
read = schema.from_json((folder / "schema").read_text())
predictor = load("onnx", (folder / "graph").read_bytes(), read, "columns")
predictor.predict([[1.0, "Bern"]])
heavy = ("sklearn", "scipy", "pandas", "whylogs", "skl2onnx", "onnx", "skops")
print([name for name in heavy if name in sys.modules])
"""

    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert printed.stdout.decode().strip() == "[]"
