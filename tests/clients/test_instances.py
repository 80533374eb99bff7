"""Clients that send instances: KServe's, Google's two, MLflow's, Amazon's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.clients.conftest import Expected, Run
from tests.conftest import Server
from unrot import __version__
from unrot.core.settings import Settings
from unrot.run.bootstrap import open_service

Judged = Callable[[Mapping[str, Any]], Any]


def same(told: Any, expected: Expected, judged: Judged) -> bool:
    """Tell whether a client got what our own API answers, and can judge it."""
    assert told["labels"] == expected.labels
    assert len(set(told["ids"])) == len(expected.rows)
    return bool(judged({"id": told["ids"][7]})["was_correct"])


def test_kserve_version_1(run: Run, server: Server, expected: Expected, judged: Judged) -> None:
    told = run("kserve_v1.py", server, rows=expected.rows)

    assert same(told, expected, judged)
    assert told["ready"] == [True, True]
    assert "a list of 4 values" in told["wrong"]


def test_ml_engine(run: Run, server: Server, expected: Expected, judged: Judged) -> None:
    told = run("ml_engine.py", server, rows=expected.rows)

    assert same(told[""], expected, judged)
    assert same(told["/versions/v1"], expected, judged)
    status, reason = told["wrong"]
    assert (status, "a list of 4 values" in reason) == (400, True)


def test_vertex_ai_over_rest(run: Run, server: Server, expected: Expected, judged: Judged) -> None:
    told = run("vertex.py", server, rows=expected.rows)

    assert same(told, expected, judged)
    assert told["model"] == ["projects/p/locations/europe-west6/models/iris", "Iris", "1"]
    kind, message = told["wrong"]
    assert (kind, "a list of 4 values" in message) == ("BadRequest", True)


def test_sagemaker_runtime(run: Run, server: Server, expected: Expected, judged: Judged) -> None:
    told = run("sagemaker.py", server, rows=expected.rows, key="order-1")

    assert same(told["csv"], expected, judged)
    assert same(told["json"], expected, judged)
    assert judged({"model": "iris", "key": "order-1"})["was_correct"]
    assert told["variant"] == "v1"
    code, message = told["wrong"]
    assert (code, message) == ("ValidationError", "Row 0: line: expected 4 values.")


def test_mlflow_scoring_server(
    run: Run, server: Server, expected: Expected, judged: Judged
) -> None:
    told = run("mlflow_scoring.py", server, names=expected.names, rows=expected.rows)

    assert same(told, expected, judged)
    assert told["version"] == __version__
    assert "INVALID_PARAMETER_VALUE" in told["wrong"]


def test_model_that_mlflow_has_logged_is_added(
    run: Run, server: Server, at_home: Callable[..., int], trained_home: Path, tmp_path: Path
) -> None:
    told = run("mlflow_log.py", server, folder=str(tmp_path / "logged"))

    assert at_home("add", "flowers", "--mlflow", tmp_path / "logged/skops") == 0
    pickled = ("add", "flowers2", "--mlflow", tmp_path / "logged/cloudpickle")
    assert [at_home(*pickled), at_home(*pickled, "--trust-pickle")] == [1, 0]
    service = open_service(Settings(home=trained_home))
    for name in ("flowers", "flowers2"):
        assert list(service.predict(name, told["rows"]).labels) == told["labels"]
