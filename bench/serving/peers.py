"""The servers: what each needs, how it is started, asked and understood.

Each is started as its own documentation says for production, with one worker, since one core is
what all are given. Each lives in an environment of its own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

APPS = Path(__file__).parent / "apps"
Rows = Sequence[Sequence[float]]
SCIKIT = "scikit-learn==1.9.1"


def _rows(rows: Rows) -> Any:
    return {"rows": rows}


def _shares(answer: Any) -> list[list[float]]:
    found: list[list[float]] = answer["probabilities"]
    return found


@dataclass(frozen=True)
class Peer:
    """One server of a model."""

    name: str
    packages: tuple[str, ...]
    command: Callable[[str, int, Path], Sequence[str]]
    """Of the environment's bin folder, the port and the model's path without its ending."""
    path: str = "/predict"
    body: Callable[[Rows], Any] = _rows
    answer: Callable[[Any], list[list[float]]] = _shares
    env: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[str, Path], Sequence[str]] | None = None
    settings: str = ""
    """What of its production settings is worth saying."""


def _uvicorn(app: str) -> Callable[[str, int, Path], Sequence[str]]:
    def command(bin: str, port: int, _model: Path) -> Sequence[str]:
        flags = [
            "--loop",
            "uvloop",
            "--http",
            "httptools",
            "--no-access-log",
            "--log-level",
            "error",
        ]
        return [f"{bin}/uvicorn", f"{app}:app", "--port", str(port), *flags]

    return command


def _granian(bin: str, port: int, _model: Path) -> Sequence[str]:
    flags = ["--interface", "asgi", "--loop", "uvloop", "--workers", "1", "--no-ws"]
    return [f"{bin}/granian", "--port", str(port), *flags, "fastapi_onnx:app"]


def _flask(bin: str, port: int, _model: Path) -> Sequence[str]:
    flags = ["-k", "gthread", "-w", "1", "--threads", "8", "--no-control-socket"]
    return [f"{bin}/gunicorn", "-b", f"127.0.0.1:{port}", *flags, "flask_app:app"]


def _mlflow(bin: str, port: int, model: Path) -> Sequence[str]:
    return [
        *(f"{bin}/mlflow", "models", "serve", "-m", f"{model}.mlflow", "--env-manager", "local"),
        *("-p", str(port), "-h", "127.0.0.1", "-w", "1"),
    ]


def _mlserver(bin: str, port: int, model: Path) -> Sequence[str]:
    folder = model.with_suffix(".mlserver")
    folder.mkdir(exist_ok=True)
    (folder / "settings.json").write_text(
        json.dumps(
            {
                "http_port": port,
                "grpc_port": port + 1,
                "metrics_port": port + 2,
                "host": "127.0.0.1",
                "parallel_workers": 0,
                "debug": False,
            }
        )
    )
    (folder / "model-settings.json").write_text(
        json.dumps(
            {
                "name": "model",
                "implementation": "mlserver_sklearn.SKLearnModel",
                "parameters": {"uri": f"{model}.joblib"},
            }
        )
    )
    return [f"{bin}/mlserver", "start", str(folder)]


def _v2(rows: Rows) -> Any:
    flat = [value for row in rows for value in row]
    shape = [len(rows), len(rows[0])]
    return {
        "inputs": [{"name": "rows", "shape": shape, "datatype": "FP64", "data": flat}],
        "outputs": [{"name": "predict_proba"}],
    }


def _of_v2(answer: Any) -> list[list[float]]:
    [output] = answer["outputs"]
    rows, width = output["shape"]
    data = output["data"]
    return [data[at * width : (at + 1) * width] for at in range(rows)]


def _litserve(bin: str, port: int, _model: Path) -> Sequence[str]:
    return [f"{bin}/python", "litserve_app.py", str(port)]


def _bento(bin: str, port: int, _model: Path) -> Sequence[str]:
    return [f"{bin}/bentoml", "serve", "bento_service:Served", "--port", str(port)]


def named(rows: Rows) -> Any:
    """Write rows as Unrot takes them."""
    named = [{f"f{number}": value for number, value in enumerate(row)} for row in rows]
    return {"inputs": named[0] if len(named) == 1 else named}


def of_unrot(answer: Any) -> list[list[float]]:
    """Return the probabilities in an answer of Unrot's."""
    data = answer["data"]
    made = data.get("predictions", [data])
    return [list(one["probabilities"].values()) for one in made]


PEERS = (
    Peer(
        "FastAPI + scikit-learn",
        ("fastapi", "uvicorn[standard]", SCIKIT, "joblib"),
        _uvicorn("fastapi_app"),
        settings="uvicorn with uvloop and httptools, no access log",
    ),
    Peer(
        "FastAPI + onnxruntime",
        ("fastapi", "uvicorn[standard]", "onnxruntime==1.31.1"),
        _uvicorn("fastapi_onnx"),
        settings="the same, one thread for the model",
    ),
    Peer(
        "FastAPI + onnxruntime, granian",
        ("fastapi", "granian", "uvloop", "onnxruntime==1.31.1"),
        _granian,
        settings="granian's ASGI on uvloop",
    ),
    Peer(
        "Flask + scikit-learn + whylogs",
        ("flask", "gunicorn", SCIKIT, "joblib", "whylogs==1.6.4", "setuptools"),
        _flask,
        settings="gunicorn gthread, 8 threads",
    ),
    Peer(
        "MLflow",
        ("mlflow", SCIKIT),
        _mlflow,
        path="/invocations",
        body=lambda rows: {"inputs": rows},
        answer=lambda answer: answer["predictions"],
        prepare=lambda bin, model: [
            f"{bin}/python",
            "log_mlflow.py",
            str(model),
            f"{model}.mlflow",
        ],
        settings="models serve, one worker, the environment that it runs in",
    ),
    Peer(
        "MLServer",
        ("mlserver==1.7.1", "mlserver-sklearn==1.7.1"),
        _mlserver,
        path="/v2/models/model/infer",
        body=_v2,
        answer=_of_v2,
        settings="no parallel workers: they cost on one core",
    ),
    Peer(
        "LitServe",
        ("litserve", SCIKIT, "joblib"),
        _litserve,
        settings="one worker, CPU",
    ),
    Peer(
        "BentoML",
        ("bentoml", SCIKIT, "joblib"),
        _bento,
        answer=lambda answer: answer,
        settings="bentoml serve, one worker",
    ),
)


def bin_of(peer: Peer, environments: Path) -> str:
    """Return where the programs of a server's environment lie."""
    short = "".join(char if char.isalnum() else "-" for char in peer.name.lower())
    return str(environments / short / "bin")


def environment_of(peer: Peer, model: Path) -> dict[str, str]:
    """Return what a server is started with."""
    quiet = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "BENTOML_DO_NOT_TRACK": "1"}
    return {**os.environ, **quiet, "MODEL": str(model), "PYTHONPATH": str(APPS), **peer.env}
