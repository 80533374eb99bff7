"""A model that MLflow has logged: as skops, as a pickle that is trusted or not, and spoiled."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from unrot.cli.main import main
from unrot.core.errors import Invalid
from unrot.core.settings import Settings
from unrot.make import artefacts, mlflow_folder
from unrot.run.bootstrap import open_service

NAMES = ["age", "size (m)", "visits"]
INPUTS = [
    {"type": "double", "name": "age", "required": True},
    {"type": "double", "name": "size (m)", "required": False},
    {"type": "long", "name": "visits", "required": True},
]
ROWS = [[30, 1.5, 2], [50.5, 1.75, 4], [20, 1.25, 0]]


def table(size: int = 60) -> tuple[Any, Any]:
    chance = np.random.default_rng(0)
    X = chance.normal(size=(size, 3)) + np.array([40, 1.5, 3])
    return X, np.array(["cat", "dog"])[(X[:, 0] > 40).astype(int)]


def classifier() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(*table())


def logged(folder: Path, estimator: Any, **more: Any) -> Path:
    """Write a folder as MLflow 3 does; `tests/clients` has MLflow itself write one."""
    form = more.pop("form", "skops")
    name = "model.skops" if form == "skops" else "model.pkl"
    data = artefacts.dump(estimator) if form == "skops" else pickle.dumps(estimator)
    flavour = {"pickled_model": name, "serialization_format": form, "sklearn_version": "1.9.1"}
    described: dict[str, Any] = {
        "flavors": {"sklearn": {**flavour, **more.pop("flavour", {})}, "python_function": {}},
        "signature": {
            "inputs": json.dumps(more.pop("inputs", INPUTS)),
            "outputs": json.dumps([{"type": "string", "name": "animal", "required": True}]),
            "params": None,
        },
        "saved_input_example_info": {"artifact_path": "input_example.json"},
    }
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text(yaml.safe_dump({**described, **more}))
    (folder / "input_example.json").write_text(json.dumps({"columns": NAMES, "data": ROWS}))
    (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    monkeypatch.setenv("UNROT_HOME", str(tmp_path / "home"))
    return lambda *words: main(["add", "pets", *map(str, words)])


def answered(tmp_path: Path, row: dict[str, Any]) -> Any:
    service = open_service(Settings(home=tmp_path / "home"))
    [made] = service.predict("pets", row).predictions
    return made.label if made.label is not None else made.value


@pytest.mark.parametrize(("form", "more"), [("skops", []), ("cloudpickle", ["--trust-pickle"])])
def test_logged_model_is_added_with_its_signature_and_example(
    tmp_path: Path, add: Callable[..., int], capsys: pytest.CaptureFixture[str],
    form: str, more: list[str],
) -> None:  # fmt: skip
    estimator = classifier()
    folder = logged(tmp_path / "model", estimator, form=form)

    assert add("--mlflow", folder, *more) == 0

    schema = open_service(Settings(home=tmp_path / "home")).catalogue().model("pets").model.schema
    kinds = [(one.name, one.kind, one.nullable) for one in schema.features]
    assert kinds == [
        ("age", "number", False),
        ("size (m)", "number", True),
        ("visits", "integer", False),
    ]
    assert (schema.target, schema.classes) == ("animal", ("cat", "dog"))
    assert "the 3 rows of the logged example alone" in capsys.readouterr().out
    for row in ROWS:
        given = dict(zip(NAMES, row, strict=True))
        assert answered(tmp_path, given) == estimator.predict([row])[0]


def test_rows_of_a_file_take_the_place_of_the_example(
    tmp_path: Path, add: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    X, y = table()
    lines = [
        ",".join([*NAMES, "animal"]),
        *(",".join(map(str, [*x, label])) for x, label in zip(X, y, strict=True)),
    ]
    rows = tmp_path / "rows.csv"
    rows.write_text("\n".join(lines))
    folder = logged(tmp_path / "model", classifier())
    (folder / "input_example.json").unlink()

    assert add("--mlflow", folder) == 1
    assert "--data FILE" in capsys.readouterr().err
    assert add("--mlflow", folder, "--data", rows, "--holdout", rows) == 0
    assert "accuracy" in capsys.readouterr().out


def test_pickle_is_not_read_unless_it_is_trusted(
    tmp_path: Path, add: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = logged(tmp_path / "model", classifier(), form="cloudpickle")
    trace = tmp_path / "it ran"
    (folder / "model.pkl").write_bytes(
        b"cos\nsystem\n(S'touch \"" + str(trace).encode() + b"\"'\ntR."
    )

    assert add("--mlflow", folder) == 1

    assert not trace.exists()
    assert capsys.readouterr().err.splitlines()[-1].startswith("model.pkl is a pickle")


def test_process_that_reads_a_pickle_gets_no_secret_and_hands_over_nothing_but_an_estimator(
    tmp_path: Path, add: Callable[..., int], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("UNROT_ADMIN_TOKEN", "a-secret-of-sixteen")
    folder = logged(tmp_path / "model", classifier(), form="cloudpickle")
    seen = tmp_path / "seen"
    (folder / "model.pkl").write_bytes(
        b"cos\nsystem\n(S'env > \"" + str(seen).encode() + b"\"'\ntR."
    )

    assert add("--mlflow", folder, "--trust-pickle") == 1

    assert "PATH=" in seen.read_text()
    assert "secret" not in seen.read_text()
    assert "is not an estimator" in capsys.readouterr().err


def test_array_model_is_added_by_the_number_of_its_columns(
    tmp_path: Path, add: Callable[..., int]
) -> None:
    X, _ = table()
    estimator = LinearRegression().fit(X, X.sum(axis=1))
    tensor = [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 3]}}]
    folder = logged(tmp_path / "model", estimator, inputs=tensor)
    (folder / "input_example.json").write_text(json.dumps(ROWS))

    assert add("--mlflow", folder) == 0

    row = dict(zip(("x0", "x1", "x2"), ROWS[1], strict=True))
    assert answered(tmp_path, row) == pytest.approx(56.25)


def test_model_of_another_scikit_learn_wants_force(
    tmp_path: Path, add: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = logged(tmp_path / "model", classifier(), flavour={"sklearn_version": "0.1"})

    assert add("--mlflow", folder) == 1
    assert "fitted with scikit-learn 0.1" in capsys.readouterr().err
    assert add("--mlflow", folder, "--force") == 0


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"flavors": {"xgboost": {}}}, "no scikit-learn model"),
        ({"flavors": 7}, "it has none"),
        ({"flavour": {"pickled_model": "../../etc/passwd"}}, 'no "passwd"'),
        ({"flavour": {"pickled_model": "nothing.skops"}}, 'no "nothing.skops"'),
        ({"inputs": [{"name": "when", "type": "datetime"}]}, "a datetime"),
    ],
)
def test_folder_that_cannot_be_used_says_why(
    tmp_path: Path, more: dict[str, Any], said: str
) -> None:
    folder = logged(tmp_path / "model", classifier(), **more)

    with pytest.raises(Invalid, match=said):
        mlflow_folder.read_folder(folder)


@pytest.mark.parametrize(
    "text", [": : :", "7", "[" * 3_000, "!!python/object/apply:os.system [ls]"]
)
def test_spoiled_description_says_so(tmp_path: Path, text: str) -> None:
    folder = logged(tmp_path / "model", classifier())
    (folder / "MLmodel").write_text(text)

    with pytest.raises(Invalid, match="MLmodel"):
        mlflow_folder.read_folder(folder)
    with pytest.raises(Invalid, match="no file MLmodel"):
        mlflow_folder.read_folder(tmp_path)


@pytest.mark.parametrize("text", ["", "7", "[]", "[7]", '{"a": 7, "data": [1]}', "[[1], [1, 2]]"])
def test_spoiled_example_says_so(tmp_path: Path, text: str) -> None:
    folder = logged(tmp_path / "model", classifier())
    (folder / "input_example.json").write_text(text)

    with pytest.raises(Invalid, match="cannot be read as rows"):
        mlflow_folder.read_folder(folder)
