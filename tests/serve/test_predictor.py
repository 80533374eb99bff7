from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from tests.make.tables import BINARY, SEVERAL, as_rows, schema_of, table_of
from unrot.core.errors import BadArtefact, Invalid
from unrot.core.ports import Predictor
from unrot.core.records import Candidate, Feature, Outputs, Schema
from unrot.core.schema import to_json
from unrot.make import artefacts
from unrot.make.catalogue import make
from unrot.make.external import Brought, make_candidate, read_table
from unrot.make.external import schema_of as schema_of_data
from unrot.make.fitted import Fitted
from unrot.make.onnx.graphs import Way, convert
from unrot.make.predictors import load
from unrot.serve.predictor import OnnxPredictor, check_golden, pack_golden

SERVERS = ("onnx", "scikit-learn")


def graph_of(estimator: Any, schema: Schema, precision: str = "double") -> bytes:
    return convert(
        Way("table", precision, ours=precision == "double"), Fitted(estimator, schema), []
    )


def predictor_of(
    name: str, by: str, classes: tuple[str, ...] = SEVERAL, *, precision: str = "double"
) -> Predictor:
    rows, labels = table_of(classes)
    pipeline = make(name, seed=0, schema=schema_of(BINARY)).fit(rows, labels)
    schema = schema_of(classes)
    if by == "onnx":
        return load(by, graph_of(pipeline, schema, precision), schema)
    return load(by, artefacts.dump(pipeline), schema)


@pytest.mark.parametrize("by", SERVERS)
def test_answers_stand_in_the_order_of_the_schema(by: str) -> None:
    rows, labels = table_of(SEVERAL)
    pipeline = make("logistic", seed=0, schema=schema_of(BINARY)).fit(rows, labels)
    sorted_places = [list(pipeline.classes_).index(label) for label in SEVERAL]

    outputs = predictor_of("logistic", by).predict(as_rows(rows))

    named = [SEVERAL[number] for number in outputs.classes or ()]
    assert named == pipeline.predict(rows).tolist()
    assert np.allclose(
        outputs.probabilities, pipeline.predict_proba(rows)[:, sorted_places], rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("by", SERVERS)
def test_answers_are_plain_python_numbers(by: str) -> None:
    outputs = predictor_of("tree", by).predict([[0.0, 0.0, 0.0]])

    assert orjson.loads(orjson.dumps([outputs.classes, outputs.probabilities])) == [
        outputs.classes,
        outputs.probabilities,
    ]
    assert type(outputs.classes) is list


@pytest.mark.parametrize("by", SERVERS)
@pytest.mark.parametrize("name", ["logistic", "hgb"])
def test_gap_is_scored_as_a_missing_value(name: str, by: str) -> None:
    rows, labels = table_of(BINARY, gaps=True)
    schema = schema_of(BINARY, gaps=True)
    pipeline = make(name, seed=0, schema=schema_of(BINARY, gaps=True)).fit(rows, labels)
    data = graph_of(pipeline, schema) if by == "onnx" else artefacts.dump(pipeline)

    outputs = load(by, data, schema).predict([[0.25, None, 1.0]])

    expected = pipeline.predict_proba([[0.25, np.nan, 1.0]])[0, ::-1]
    assert outputs.probabilities is not None
    assert np.allclose(outputs.probabilities[0], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("by", SERVERS)
def test_value_beyond_float32_is_refused_by_trees(by: str) -> None:
    predictor = predictor_of("forest", by)

    with pytest.raises(Invalid) as refused:
        predictor.predict([[0.0, 1e39, 0.0]])

    assert refused.value.message == (
        "height 1e+39: the model cannot score a number this far outside its training range; "
        "expected a finite number, usually -3 to 3."
    )
    (detail,) = refused.value.details
    assert (detail.field, detail.value, detail.row) == ("height", 1e39, None)


@pytest.mark.parametrize("by", SERVERS)
def test_row_that_is_refused_among_several_is_named(by: str) -> None:
    predictor = predictor_of("tree", by)

    with pytest.raises(Invalid, match=r"^Row 1: depth -1e\+300: ") as refused:
        predictor.predict([[0.0, 0.0, 0.0], [0.0, 0.0, -1e300], [2e300, 0.0, 0.0]])

    assert [(detail.field, detail.row) for detail in refused.value.details] == [
        ("depth", 1),
        ("width", 2),
    ]


def test_value_beyond_float32_is_refused_by_a_float_graph() -> None:
    predictor = predictor_of("logistic", "onnx", precision="single")

    with pytest.raises(Invalid, match=r"^Row 1: width 3\.5e\+38: "):
        predictor.predict([[3.4e38, 0.0, 0.0], [3.5e38, 0.0, 0.0]])


@pytest.mark.parametrize("by", SERVERS)
def test_answer_that_is_not_finite_is_refused(by: str) -> None:
    rows, labels = table_of(BINARY)
    schema = schema_of(BINARY)
    fitted = GaussianNB().fit(rows, labels)
    data = graph_of(fitted, schema) if by == "onnx" else artefacts.dump(fitted)

    with pytest.raises(Invalid, match=r"^Row 1: width 1e\+200: the model cannot score"):
        load(by, data, schema).predict([[0.0, 0.0, 0.0], [1e200, 0.0, 0.0]])


@pytest.mark.parametrize("by", SERVERS)
def test_golden_rows_of_the_same_model_pass(by: str) -> None:
    rows = as_rows(table_of(SEVERAL)[0][:16])
    golden = pack_golden(rows, predictor_of("forest", "scikit-learn").predict(rows))

    assert check_golden(predictor_of("forest", by), golden) < 1e-12


def test_golden_rows_of_another_model_are_a_bad_artefact() -> None:
    rows = as_rows(table_of(SEVERAL)[0][:16])
    golden = pack_golden(rows, predictor_of("tree", "onnx").predict(rows))

    with pytest.raises(BadArtefact, match="golden rows"):
        check_golden(predictor_of("logistic", "onnx"), golden)


def test_golden_rows_with_a_changed_probability_are_a_bad_artefact() -> None:
    predictor = predictor_of("logistic", "onnx", BINARY)
    outputs = predictor.predict([[0.0, 0.0, 0.0]])
    assert outputs.probabilities is not None
    shifted = [[value + 0.0002 for value in outputs.probabilities[0]]]

    with pytest.raises(BadArtefact, match=r"largest difference 0\.0002"):
        check_golden(predictor, pack_golden([[0.0, 0.0, 0.0]], Outputs(outputs.classes, shifted)))


@pytest.mark.parametrize("golden", [b"", b"{}", b"[]", b'{"rows": [[1]]}'])
def test_golden_rows_of_spoiled_bytes_are_a_bad_artefact(golden: bytes) -> None:
    with pytest.raises(BadArtefact):
        check_golden(predictor_of("logistic", "onnx", BINARY), golden)


@pytest.mark.parametrize("artefact", [b"", b"not a graph", b"\x08\x07\x12\x00"])
def test_graph_of_spoiled_bytes_is_a_bad_artefact(artefact: bytes) -> None:
    with pytest.raises(BadArtefact):
        load("onnx", artefact, schema_of(BINARY))


@pytest.mark.parametrize(
    "schema",
    [
        Schema((Feature("width", "number"),), "kind", BINARY),
        Schema(schema_of(BINARY).features, "kind"),
    ],
)
def test_graph_of_another_schema_is_a_bad_artefact(schema: Schema) -> None:
    rows, labels = table_of(BINARY)
    pipeline = make("tree", seed=0, schema=schema_of(BINARY)).fit(rows, labels)
    graph = graph_of(pipeline, schema_of(BINARY))

    with pytest.raises(BadArtefact, match="ONNX graph"):
        load("onnx", graph, schema)


def test_predictors_import_nothing_of_training() -> None:
    heavy = ("sklearn", "scipy", "pandas", "whylogs", "skl2onnx", "onnx", "skops")
    program = f"import sys, unrot.serve.predictor; print([n for n in {heavy} if n in sys.modules])"

    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert printed.stdout.decode().strip() == "[]"


# ── graphs of numbers and texts ──────────────────────────────────────────────────────────────


def columns_candidate(*, handle_unknown: str = "ignore") -> tuple[Candidate, Schema]:
    X = np.array([[1.0, "Bern"], [2.0, "Basel"], [8.0, "Bern"], [9.0, "Basel"]] * 5, dtype=object)
    y = ["low", "low", "high", "high"] * 5
    columns = make_column_transformer(
        (SimpleImputer(), [0]), (OneHotEncoder(handle_unknown=handle_unknown), [1])
    )
    estimator = make_pipeline(columns, LogisticRegression()).fit(X, y)
    brought = Brought(estimator, read_table(estimator, X), y, "size")
    schema = schema_of_data(brought)
    return make_candidate(brought, schema), schema


def test_numbers_and_texts_are_answered_by_onnx() -> None:
    made, schema = columns_candidate()

    outputs = OnnxPredictor(made.artefacts["onnx"], schema).predict([[1.0, "Bern"], [9, "Ulm"]])

    assert (made.served_by, made.form) == ("onnx", "columns")
    assert [schema.classes[place] for place in outputs.classes or ()] == ["low", "high"]


def test_texts_that_were_never_seen_are_refused_where_the_encoder_refuses_them() -> None:
    made, schema = columns_candidate(handle_unknown="error")
    predictor = OnnxPredictor(made.artefacts["onnx"], schema)

    with pytest.raises(Invalid, match=r'Row 1: f1 "Ulm": expected a text, one of Basel, Bern\.'):
        predictor.predict([[1.0, "Bern"], [9.0, "Ulm"]])


def test_columns_graph_of_another_schema_is_a_bad_artefact() -> None:
    made, schema = columns_candidate()
    numbers = Schema((Feature("f0", "number"),), schema.target, schema.classes)

    with pytest.raises(BadArtefact):
        OnnxPredictor(made.artefacts["onnx"], numbers)


def test_worker_imports_nothing_of_training_to_answer_texts(tmp_path: Path) -> None:
    made, schema = columns_candidate()
    (tmp_path / "graph").write_bytes(made.artefacts["onnx"])
    (tmp_path / "schema").write_text(to_json(schema))
    program = f"""
import pathlib, sys
from unrot.core import schema
from unrot.make.predictors import load
folder = pathlib.Path({str(tmp_path)!r})
read = schema.from_json((folder / "schema").read_text())
predictor = load("onnx", (folder / "graph").read_bytes(), read)
predictor.predict([[1.0, "Bern"]])
heavy = ("sklearn", "scipy", "pandas", "whylogs", "skl2onnx", "onnx", "skops")
print([name for name in heavy if name in sys.modules])
"""

    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert printed.stdout.decode().strip() == "[]"
