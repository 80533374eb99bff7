"""Bring your own: from a fitted estimator to a version that answers."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import unrot
from tests.make.custom import CLIPPER, Clipper
from tests.skips import needs
from unrot.cli import add as add_command
from unrot.cli.main import main
from unrot.core.errors import Invalid
from unrot.core.records import Version
from unrot.core.settings import Settings
from unrot.run.bootstrap import open_service


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def table(size: int = 120, seed: int = 0) -> tuple[Any, Any]:
    chance = np.random.default_rng(seed)
    X = chance.normal(size=(size, 3))
    return X, np.array(["no", "yes"])[(X[:, 0] + X[:, 1] > 0).astype(int)]


def add(settings: Settings, estimator: Any, X: Any, y: Any, **options: Any) -> Version:
    version = unrot.add("mine", estimator, X, y, settings=settings, **options)
    assert isinstance(version, Version)
    return version


def answer(settings: Settings, **row: Any) -> Any:
    service = open_service(settings)
    [prediction] = service.predict("mine", row).predictions
    return prediction.label if prediction.label is not None else prediction.value


# ── what is taken ────────────────────────────────────────────────────────────────────────────


def test_added_estimator_answers_and_is_measured_on_the_holdout(home: Settings) -> None:
    X, y = table()
    holdout = table(60, seed=1)
    fitted = LogisticRegression().fit(X, y)

    version = add(home, fitted, X, y, holdout=holdout, target="bitten")

    assert (version.name, version.origin, version.estimator) == (
        "v1",
        "added",
        "LogisticRegression",
    )
    assert (version.serving.by, version.serving.form, version.serving.reason) == (
        "onnx",
        "table",
        "",
    )
    assert version.metrics["accuracy"] == fitted.score(*holdout)
    assert version.metrics["rows_held_out"] == 60.0
    kept = {"onnx", "skops", "golden", "training", "holdout"}
    kept |= {"profile", "reference", "neighbours", "calibration", "explainer"}
    assert set(version.artefacts) == kept
    assert answer(home, f0=2.0, f1=1.0, f2=0.0) == "yes"


def test_added_estimator_is_described_from_a_dict_and_checked_before_it_is_compiled(
    home: Settings,
) -> None:
    X, y = table()
    fitted = LogisticRegression().fit(X, y)
    words = {"title": "Bitten?", "classes": {"yes": "bitten"}}

    with pytest.raises(Invalid, match='"titel": no such word in a description'):
        add(home, fitted, X, y, describe={"titel": "Bitten?"})
    add(home, fitted, X, y, describe=words)
    add(home, fitted, X, y, describe={"description": "By a zombie."})

    [model] = open_service(home).store.registry.models()
    assert (model.title, model.description) == ("Bitten?", "By a zombie.")
    assert model.schema.class_names == ("", "bitten")


def test_without_a_holdout_nothing_is_measured_and_the_page_says_so(home: Settings) -> None:
    X, y = table()

    version = add(home, LogisticRegression().fit(X, y), X, y)

    assert version.metrics == {}
    assert version.serving.reason == (
        "It was added without a holdout: nothing trusted is there to judge by until judges have "
        "given verdicts."
    )
    assert "holdout" not in version.artefacts


def test_regression_answers_a_number(home: Settings) -> None:
    X, _ = table()
    y = 2 * X[:, 0] + 1

    version = add(home, LinearRegression().fit(X, y), X, y, holdout=(X, y))

    assert version.metrics["mae"] < 1e-9
    assert version.metrics["r2"] == 1.0
    assert answer(home, f0=1.5, f1=0.0, f2=0.0) == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("classes", "names"),
    [((3, 1), ("1", "3")), ((True, False), ("False", "True")), ((2.0, 1.0), ("1.0", "2.0"))],
)
def test_classes_are_named_in_the_order_of_the_estimator(
    home: Settings, classes: tuple[Any, Any], names: tuple[str, str]
) -> None:
    X, y = table()
    labels = np.array(classes)[(y == "yes").astype(int)]

    add(home, LogisticRegression().fit(X, labels), X, labels, holdout=(X, labels))

    schema = open_service(home).catalogue().model("mine").model.schema
    assert schema.classes == names
    assert answer(home, f0=2.0, f1=1.0, f2=0.0) == str(classes[1])


def test_objects_are_taken_with_texts_and_gaps(home: Settings) -> None:
    rows = [{"town": town} for town in ("Bern", "Basel", None) * 20]
    y = ["goes", "stays", "stays"] * 20
    objects = np.array([[row["town"]] for row in rows], dtype=object)
    pipeline = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression())
    pipeline.fit(np.where(objects == None, np.nan, objects), y)  # noqa: E711

    version = add(home, pipeline, rows, y)

    assert (version.serving.by, version.serving.form) == ("onnx", "columns")
    assert [answer(home, town=town) for town in ("Bern", "Basel", None)] == [
        "goes",
        "stays",
        "stays",
    ]


def test_text_that_the_estimator_refuses_is_refused_with_a_sentence(home: Settings) -> None:
    X = np.array([["Bern"], ["Basel"]] * 20, dtype=object)
    y = ["goes", "stays"] * 20

    version = add(home, make_pipeline(OneHotEncoder(), LogisticRegression()).fit(X, y), X, y)

    assert version.serving.by == "onnx"
    with pytest.raises(Invalid, match=r'f0 "Lugano": expected a text, one of Basel, Bern\.'):
        answer(home, f0="Lugano")


def test_array_is_taken_for_an_estimator_that_knows_names(home: Settings) -> None:
    needs("pandas", find_spec("pandas") is not None, "pip install -r requirements-dev.txt")
    import pandas

    X = np.array([["Bern", 1.0], ["Basel", 2.0]] * 20, dtype=object)
    y = ["goes", "stays"] * 20
    columns = make_column_transformer((OneHotEncoder(), ["town"]), remainder="passthrough")
    pipeline = make_pipeline(columns, LogisticRegression())
    pipeline.fit(pandas.DataFrame(X, columns=["town", "rooms"]), y)

    add(home, pipeline, X, y)

    assert answer(home, town="Bern", rooms=1.0) == "goes"


def test_another_version_of_the_same_model_keeps_its_schema(home: Settings) -> None:
    X, y = table()
    add(home, LogisticRegression().fit(X, y), X, y)

    second = add(home, DecisionTreeClassifier().fit(X, y), X[:50], y[:50])

    assert second.name == "v2"
    assert open_service(home).aliases("mine") == {"champion": "v1"}


def test_step_of_ones_own_is_taken_when_its_type_is_trusted(tmp_path: Path) -> None:
    X, y = table()
    trusting = Settings(home=tmp_path, trusted_types=frozenset({CLIPPER}))

    version = add(trusting, make_pipeline(Clipper(), LogisticRegression()).fit(X, y), X, y)

    assert (version.serving.by, version.serving.form) == ("scikit-learn", "columns")
    assert answer(trusting, f0=2.0, f1=1.0, f2=0.0) == "yes"


def test_what_skops_cannot_hold_is_served_only(home: Settings) -> None:
    X, y = table()
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    pipeline.note = lambda: "skops writes no lambda"

    version = add(home, pipeline, X, y, holdout=(X, y))

    assert version.serving.by == "onnx"
    assert "skops" not in version.artefacts
    assert version.serving.reason.startswith("It is served only and cannot learn here: ")


# ── what is refused ──────────────────────────────────────────────────────────────────────────


def refused(settings: Settings, estimator: Any, X: Any, y: Any, **options: Any) -> str:
    with pytest.raises(Invalid) as caught:
        add(settings, estimator, X, y, **options)
    assert open_service(settings).store.registry.models() == []
    return caught.value.message


def test_what_neither_can_hold_is_refused(home: Settings) -> None:
    X, y = table()

    said = refused(home, make_pipeline(Clipper(), LogisticRegression()).fit(X, y), X, y)

    assert said.startswith(
        f'It cannot be served: the type "{CLIPPER}" is not trusted: if it is yours, name it in '
        "UNROT_TRUSTED_TYPES. ONNX does not answer as scikit-learn does: skl2onnx does not know "
        "Clipper"
    )


def test_lambda_is_refused(home: Settings) -> None:
    X, y = table()
    pipeline = make_pipeline(FunctionTransformer(lambda table: table * 2), LogisticRegression())

    assert refused(home, pipeline.fit(X, y), X, y).startswith("It cannot be served: ")


def test_estimator_of_another_scikit_learn_is_refused_unless_forced(home: Settings) -> None:
    X, y = table()
    fitted = LogisticRegression().fit(X, y)

    def load() -> Any:
        warning = InconsistentVersionWarning(
            estimator_name="LogisticRegression",
            current_sklearn_version="1.9.1",
            original_sklearn_version="1.2.0",
        )
        warnings.warn(warning, stacklevel=1)
        return fitted

    said = refused(home, load, X, y)

    assert said.startswith("The estimator was fitted with scikit-learn 1.2.0, and here is 1.9.1")
    forced = add(home, load, X, y, force=True)
    assert forced.libraries["fitted with scikit-learn"] == "1.2.0"
    assert "fitted with scikit-learn 1.2.0 and runs on 1.9.1" in forced.serving.reason


@pytest.mark.parametrize(
    ("estimator", "said"),
    [
        (LogisticRegression(), "LogisticRegression is not fitted"),
        (LogisticRegression, "cannot be loaded|is not fitted|not an estimator"),
        ("a text", "str is not an estimator that predicts"),
        (None, "NoneType is not an estimator that predicts"),
        (KMeans(2, n_init=1).fit(table()[0]), "KMeans finds groups"),
        (StandardScaler().fit(table()[0]), "StandardScaler is not an estimator that predicts"),
    ],
    ids=["unfitted", "class", "text", "nothing", "groups", "scaler"],
)
def test_what_is_no_fitted_estimator_is_refused(home: Settings, estimator: Any, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        add(home, estimator, *table())


@pytest.mark.parametrize(
    ("X", "y", "said"),
    [
        (np.zeros((4, 2)), ["no"] * 4, "takes 3 columns, and the data has 2"),
        (np.zeros((4, 3)), ["no"] * 3, "y has 3 labels for 4 rows"),
        (np.zeros((4, 3)), ["perhaps"] * 4, 'Row 0: target is "perhaps", which the estimator'),
        (np.full((4, 3), np.inf), ["no"] * 4, "Row 0: f0 is infinite"),
        (np.full((4, 3), np.nan), ["no"] * 4, "The estimator does not answer the data"),
        (np.zeros((0, 3)), [], "The data has no row"),
        (np.zeros(4), ["no"] * 4, "X has the shape"),
        ([{"a": [1], "b": 1, "c": 2}], ["no"], "Row 0: a holds"),
        ([{"a": 1, "b": "x", "c": 2}, {"a": "z", "b": "x", "c": 2}], ["no", "no"], "a holds texts"),
    ],
)
def test_data_that_does_not_fit_is_refused(home: Settings, X: Any, y: Any, said: str) -> None:
    assert said in refused(home, LogisticRegression().fit(*table()), X, y)


def test_late_row_that_does_not_come_back_as_it_was_given_is_refused(home: Settings) -> None:
    X = np.array([["Bern"], [None]] * 300 + [[np.nan]] * 300, dtype=object)
    y = ["goes", "stays"] * 300 + ["goes"] * 300
    told_apart = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(X, y)

    with pytest.raises(Invalid, match="answers other than it does to the data itself"):
        add(home, told_apart, X, y)


def test_estimator_of_several_targets_is_refused(home: Settings) -> None:
    X, _ = table()

    said = refused(home, LinearRegression().fit(X, X[:, :2]), X, X[:, 0])

    assert "several targets at once" in said


def test_name_that_cannot_stand_in_an_address_is_refused(home: Settings) -> None:
    with pytest.raises(Invalid, match="cannot be named"):
        unrot.add("No Name", LogisticRegression(), [[1]], ["a"], settings=home)


# ── the command ──────────────────────────────────────────────────────────────────────────────

LOADER = """
from sklearn.linear_model import LogisticRegression

def load():
    rows = [[1, 0], [2, 1], [8, 0], [9, 1]]
    return LogisticRegression().fit(rows, ["low", "low", "high", "high"])
"""
ROWS = "size,colour,kind\n1,0,low\n2,1,low\n8,0,high\n9,1,high\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("UNROT_HOME", str(tmp_path / "home"))
    (tmp_path / "loader_of_mine.py").write_text(LOADER)
    (tmp_path / "rows.csv").write_text("\ufeff" + ROWS)
    yield tmp_path
    sys.modules.pop("loader_of_mine", None)


def command(*more: str, loader: str = "loader_of_mine:load") -> int:
    return main(["add", "mine", loader, "--data", "rows.csv", "--target", "kind", *more])


def test_command_registers_and_says_who_serves(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = command("--holdout", "rows.csv")

    said = capsys.readouterr().out
    assert status == 0
    assert "accuracy           1.0000" in said
    assert "mine v1 is registered: LogisticRegression." in said
    assert "Served by ONNX: on " in said
    assert answer(Settings(home=folder / "home"), size=9, colour=1) == "high"


def test_command_without_a_holdout_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command() == 0
    assert "It was added without a holdout: nothing trusted" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("loader", "said"),
    [
        ("loader_of_mine", "expected package.module:function"),
        ("no_such_module:load", "no_such_module cannot be imported: ModuleNotFoundError"),
        ("loader_of_mine:lead", 'The module loader_of_mine has no "lead"'),
        ("loader_of_mine:__doc__", "is not a function|has no"),
    ],
)
def test_command_names_what_is_wrong_with_the_loader(
    folder: Path, capsys: pytest.CaptureFixture[str], loader: str, said: str
) -> None:
    status = command(loader=loader)

    error = capsys.readouterr().err
    assert status == 1
    assert any(part in error for part in said.split("|"))
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("size,colour\n1,0\n", 'rows.csv has no column "kind"; it has size, colour.'),
        ("", "rows.csv is empty"),
        ("size,colour,kind\n", "rows.csv"),
        ("size,colour,kind\n1,0\n", "rows.csv, line 2: 2 values, expected 3."),
        ("size,colour,kind\nx,0,low\n", "The estimator does not answer the data"),
    ],
)
def test_command_names_what_is_wrong_with_the_file(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    (folder / "rows.csv").write_text(text)

    status = command()

    assert status == 1
    assert said in capsys.readouterr().err


def test_file_as_people_have_it_is_read_as_it_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes("\ufeffage;pay (EUR);town\r\n31;1.250,5;Rome\r\n;800,25;Zürich\r\n".encode())

    columns = add_command.read_table(path)

    assert columns == {
        "age": [31, None],
        "pay (EUR)": [1250.5, 800.25],
        "town": ["Rome", "Zürich"],
    }
