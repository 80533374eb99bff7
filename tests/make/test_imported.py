"""Estimators of one's own, by a path: taken where they are fine, else refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.make.tables import BINARY, NUMBER, mixed_dataset
from unrot.core.errors import Invalid
from unrot.make.catalogue import make
from unrot.make.predictors import load
from unrot.make.train import train
from unrot.serve.predictor import check_golden

MODULE = """
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

def neighbours():
    return make_pipeline(StandardScaler(), KNeighborsClassifier(3))

def logistic():
    return make_pipeline(StandardScaler(), LogisticRegression())

def centroids():
    return NearestCentroid()

def kernel():
    return KernelRidge()

def ridge():
    return Ridge()

def fails():
    return 1 / 0

def nothing():
    return None

def a_class():
    return Ridge

number = 3
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "homemade_models.py").write_text(MODULE)
    (tmp_path / "homemade_broken.py").write_text("import no_such_module_anywhere")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ignore(share: float, step: str) -> None:
    """Take progress and say nothing."""


@pytest.mark.usefixtures("here")
def test_own_pipeline_gets_categories_and_gaps_prepared() -> None:
    dataset = mixed_dataset(BINARY)

    candidate = train(dataset, "homemade_models:logistic", ignore)

    assert candidate.metrics["accuracy"] > candidate.metrics["constant_guess"]
    assert candidate.served_by == "onnx"
    assert candidate.reason == ""
    predictor = load("onnx", candidate.artefacts["onnx"], dataset.schema)
    assert check_golden(predictor, candidate.artefacts["golden"]) < 1e-9


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("name", "classes"), [("centroids", BINARY), ("kernel", NUMBER), ("neighbours", BINARY)]
)
def test_own_estimator_that_does_not_compile_is_served_by_scikit_learn(
    name: str, classes: tuple[str, ...]
) -> None:
    dataset = mixed_dataset(classes)

    candidate = train(dataset, f"homemade_models:{name}", ignore)

    assert (candidate.served_by, candidate.serving_artefact) == ("scikit-learn", "skops")
    assert candidate.reason.startswith("ONNX does not answer as scikit-learn does: ")
    predictor = load("scikit-learn", candidate.artefacts["skops"], dataset.schema)
    assert check_golden(predictor, candidate.artefacts["golden"]) == 0.0
    answered = predictor.predict([[None, "Atlantis", 3.0, None, "huge", 0.1]])
    assert len(answered.values or answered.classes or ()) == 1


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("nowhere_at_all:make", "nowhere_at_all cannot be imported: ModuleNotFoundError: "),
        ("homemade_broken:make", "homemade_broken cannot be imported: ModuleNotFoundError: "),
        ("homemade_models:absent", 'The module homemade_models has no "absent": expected '),
        ("homemade_models:number", "homemade_models:number is not a function: expected "),
        ("homemade_models:fails", '"homemade_models:fails" cannot be called: ZeroDivisionError: '),
        ("homemade_models:nothing", "homemade_models:nothing returns NoneType, which is not "),
        ("homemade_models:a_class", "homemade_models:a_class returns ABCMeta, which is not "),
        ("homemade_models:ridge", "homemade_models:ridge returns a regressor, and "),
        ("../etc:make", 'The estimator "../etc:make": expected package.module:function'),
        (":make", 'The estimator ":make": expected package.module:function'),
        ("homemade_models:", 'The estimator "homemade_models:": expected package.module'),
    ],
)
def test_path_that_names_no_estimator_is_refused_in_a_sentence(path: str, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        make(path, seed=0, schema=mixed_dataset(BINARY).schema)

    assert refused.value.message.startswith(sentence)
    assert refused.value.message.endswith(".")
