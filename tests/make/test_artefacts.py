from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from fractions import Fraction

import numpy as np
import pytest
import skops.io
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import all_estimators

from tests.make.custom import Clipper
from tests.make.tables import BINARY, SEVERAL, schema_of, table_of
from unrot.core import packed
from unrot.core.artefacts import digest_of
from unrot.core.errors import BadArtefact
from unrot.make import artefacts, tables
from unrot.make.catalogue import make, names_for


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("name", names_for(schema_of(BINARY)))
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_estimator_comes_back_from_skops_with_the_same_answers(name: str, gaps: bool) -> None:
    rows, labels = table_of(SEVERAL, gaps=gaps)
    fitted = make(name, seed=0, schema=schema_of(BINARY, gaps=gaps)).fit(rows, labels)

    loaded = artefacts.load(artefacts.dump(fitted))

    assert np.array_equal(loaded.predict_proba(rows), fitted.predict_proba(rows))


def test_estimators_are_those_that_scikit_learn_lists() -> None:
    listed = {f"{one.__module__}.{one.__qualname__}" for _, one in all_estimators()}
    others = {
        "sklearn.base.BaseEstimator",
        "sklearn.linear_model._base.LinearModel",
        "sklearn.linear_model.LogisticRegression",
        "sklearn.tree._tree.Tree",
        "sklearn.tests.test_base.MyEstimator",
        "sklearn.nowhere.Estimator",
        "sklearn.utils.murmurhash3_32",
        "sklearn_else.Estimator",
        "sklearn..LinearRegression",
        "sklearn.linear_model._base/.LinearRegression",
        "sklearn",
        "",
    }

    assert len(listed) > 180
    assert {name for name in listed | others if artefacts.is_estimator(name)} == listed


def test_skops_is_there_without_all_of_scikit_learn() -> None:
    code = "import sys, unrot.make.artefacts; print('sklearn.gaussian_process' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False"]


def test_skops_of_a_strange_type_is_refused_by_its_name() -> None:
    data = skops.io.dumps(Pipeline([("step", FunctionTransformer(func=Fraction))]))

    with pytest.raises(BadArtefact, match=r"fractions\.Fraction") as refused:
        artefacts.load(data)

    assert "is not trusted" in refused.value.message


def test_skops_of_a_type_that_no_worker_finds_is_refused_even_where_it_is_trusted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Clipper, "__module__", "__main__")
    monkeypatch.setattr(sys.modules["__main__"], "Clipper", Clipper, raising=False)
    data = artefacts.dump(Clipper())

    with pytest.raises(BadArtefact, match=r"__main__\.Clipper is defined where no worker finds it"):
        artefacts.load(data, {"__main__.Clipper"})


def test_skops_with_a_forged_type_is_refused_and_runs_nothing() -> None:
    source = zipfile.ZipFile(
        io.BytesIO(artefacts.dump(make("logistic", seed=0, schema=schema_of(BINARY))))
    )
    schema = json.loads(source.read("schema.json"))
    schema["__module__"], schema["__class__"] = "subprocess", "Popen"
    forged = io.BytesIO()
    with zipfile.ZipFile(forged, "w") as target:
        target.writestr("schema.json", json.dumps(schema))

    with pytest.raises(BadArtefact, match=r"subprocess\.Popen"):
        artefacts.load(forged.getvalue())


@pytest.mark.parametrize("data", [b"", b"not a zip", b"PK\x03\x04 cut off"])
def test_skops_of_spoiled_bytes_is_a_bad_artefact(data: bytes) -> None:
    with pytest.raises(BadArtefact, match="does not load"):
        artefacts.load(data)


def test_digest_is_the_sha256_of_the_bytes() -> None:
    assert digest_of(b"abc") == hashlib.sha256(b"abc").hexdigest()


def test_table_comes_back_with_its_gaps() -> None:
    rows = np.array([[1.0, np.nan], [0.1, -2.5e-300]])
    labels = np.array(["a", "é"])

    read_rows, read_labels = tables.unpack_table(tables.pack_table(rows, labels))

    assert np.array_equal(read_rows, rows, equal_nan=True)
    assert read_labels.tolist() == ["a", "é"]


def test_table_of_a_regression_comes_back_with_numbers() -> None:
    data = tables.pack_table(np.array([[1.0]]), np.array([2.5]))

    assert tables.unpack_table(data)[1].tolist() == [2.5]


def test_equal_tables_are_equal_bytes_however_they_lie_in_memory() -> None:
    rows, labels = table_of(SEVERAL)

    data = tables.pack_table(rows, labels)

    assert data == tables.pack_table(np.asfortranarray(rows.copy()), labels.copy())
    assert data[4:8] == bytes(4)


@pytest.mark.parametrize(
    "data", [b"", b"\x1f\x8b", gzip.compress(b"[1]", mtime=0), gzip.compress(b"{", mtime=0)]
)
def test_table_of_spoiled_bytes_is_a_bad_artefact(data: bytes) -> None:
    with pytest.raises(BadArtefact, match="table does not load"):
        tables.unpack_table(data)


def test_table_that_unpacks_to_hundreds_of_times_its_size_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bomb = gzip.compress(tables.ROWS + b"[0]," * 250_000 + b"[0]" + tables.LABELS + b"0]}")
    rows, _ = tables.unpack_table(bomb)

    monkeypatch.setattr(packed, "HARMLESS_BYTES", 100_000)

    assert len(rows) == 250_001
    with pytest.raises(BadArtefact, match=r"it is more than [0-9,]+ bytes"):
        tables.unpack_table(bomb)
