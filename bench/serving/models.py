"""The models that every server serves: fitted once, kept as each server wants them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MODELS = ("mlp", "iris", "forest")
HEARTLIKE = {"n_samples": 2_000, "n_features": 13, "n_informative": 8, "random_state": 7}
Numbers = NDArray[np.float64]


def fit(name: str) -> tuple[Any, Numbers, Numbers]:
    """Fit a model; return it with its rows and labels."""
    if name == "iris":
        rows, labels = load_iris(return_X_y=True)
        return LogisticRegression(max_iter=1_000).fit(rows, labels), rows, labels
    rows, labels = make_classification(**HEARTLIKE)
    rows = rows.round(4)
    if name == "forest":
        return RandomForestClassifier(100, random_state=0, n_jobs=1).fit(rows, labels), rows, labels
    network = MLPClassifier((32,), max_iter=300, random_state=0)
    return make_pipeline(StandardScaler(), network).fit(rows, labels), rows, labels


def keep(folder: Path, names: Sequence[str] = MODELS) -> None:
    """Write each model for joblib, as ONNX, and into a home folder of Unrot."""
    import unrot
    from unrot.core.settings import Settings

    for name in names:
        estimator, rows, labels = fit(name)
        joblib.dump(estimator, folder / f"{name}.joblib")
        np.save(folder / f"{name}.npy", rows)
        named = [f"f{number}" for number in range(rows.shape[1])]
        table = [dict(zip(named, row, strict=True)) for row in rows.tolist()]
        home = Settings(home=folder / "home")
        unrot.add(
            name, estimator, table, labels.tolist(), holdout=(table, labels.tolist()), settings=home
        )
        _keep_onnx(estimator, rows.shape[1], folder / f"{name}.onnx")


def _keep_onnx(estimator: Any, width: int, path: Path) -> None:
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType

    options = {id(estimator): {"zipmap": False}}
    graph = convert_sklearn(
        estimator, initial_types=[("rows", FloatTensorType([None, width]))], options=options
    )
    path.write_bytes(graph.SerializeToString())


def kept_in(folder: Path) -> None:
    """Fit and keep the models in a process of its own, unless they are there."""
    if not (folder / "done").exists():
        subprocess.run([sys.executable, "-m", "bench.serving.models", str(folder)], check=True)
        (folder / "done").touch()


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
