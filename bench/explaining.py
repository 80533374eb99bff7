"""What exact contributions cost, and whether they are those of shap: `make bench-explaining`.

Forests of 100 trees that are grown to the end, and boosting, on 13 features. Each is fitted, and
what explains it is written, in a process of its own; another one, as small as a web worker, reads
that and explains rows. Time is CPU time, the median of some rows after the first; memory is what
the process holds more than before (PSS), with all of it read and a row explained. The values of
shap stand beside ours, and its own time.

    python -m bench.explaining [--rows 300,3000,30000] [--only forest]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

FEATURES, GAPS = 13, 4
CATEGORIES = (11, 12)
EXPLAINED = 12
LEAST_EQUAL = 1e-6


@dataclass(frozen=True, slots=True)
class Kind:
    """An estimator, how many classes it tells, and whether its rows have gaps."""

    name: str
    make: Callable[[], Any]
    classes: int = 1
    has_gaps: bool = False
    is_sized: bool = False
    """Whether it is measured on tables of all sizes."""


def kinds() -> Iterator[Kind]:
    """Make what is measured and compared; scikit-learn is loaded by who fits alone."""
    from sklearn import ensemble, linear_model, tree
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    def with_categories() -> Any:
        codes = ColumnTransformer(
            [("codes", OrdinalEncoder(), list(CATEGORIES))], remainder="passthrough"
        )
        return make_pipeline(codes, ensemble.HistGradientBoostingClassifier(random_state=0))

    grown = {"n_estimators": 100, "random_state": 0}
    forest, extra = ensemble.RandomForestClassifier, ensemble.ExtraTreesClassifier
    yield Kind("forest of two classes", lambda: forest(**grown), 2, is_sized=True)
    yield Kind("forest of three", lambda: forest(**grown), 3, is_sized=True)
    forest_of_numbers = ensemble.RandomForestRegressor
    yield Kind("forest of numbers", lambda: forest_of_numbers(**grown), is_sized=True)
    yield Kind("extra trees of two", lambda: extra(**grown), 2)
    yield Kind("tree of numbers", lambda: tree.DecisionTreeRegressor(random_state=0))
    boosting = ensemble.GradientBoostingClassifier
    yield Kind("boosting of two", lambda: boosting(random_state=0), 2, is_sized=True)
    hist, hist_of_numbers = (
        ensemble.HistGradientBoostingClassifier,
        ensemble.HistGradientBoostingRegressor,
    )
    yield Kind("hist of two, gaps", lambda: hist(random_state=0), 2, True, is_sized=True)
    yield Kind("hist of three, gaps", lambda: hist(random_state=0), 3, True)
    yield Kind("hist of numbers, gaps", lambda: hist_of_numbers(random_state=0), 1, True)
    yield Kind("hist behind categories", with_categories, 2)
    yield Kind("linear", linear_model.LinearRegression)
    yield Kind("logistic of two", lambda: linear_model.LogisticRegression(max_iter=500), 2)
    yield Kind("logistic of three", lambda: linear_model.LogisticRegression(max_iter=500), 3)


def world(kind: Kind, rows: int) -> tuple[Any, NDArray[Any], NDArray[Any]]:
    """Make a table, the same each time: numbers, counts, and two columns of few values."""
    from unrot.core.records import Feature, Schema

    rng = np.random.default_rng(rows)
    table = rng.normal(size=(rows, FEATURES))
    table[:, 7:] = table[:, 7:].round()
    table[:, list(CATEGORIES)] = rng.integers(0, 5, size=(rows, 2))
    target = table[:, 0] * table[:, 1] + table[:, 2] + np.sin(2 * table[:, 3]) + table[:, 8]
    target += rng.normal(size=rows) + (table[:, 11] == 2)
    if kind.has_gaps:
        table[rng.random(rows) < 0.15, GAPS] = np.nan
    features = tuple(
        Feature(f"f{place}", "number", float(low), float(high), nullable=place == GAPS)
        for place, (low, high) in enumerate(
            zip(np.nanmin(table, axis=0), np.nanmax(table, axis=0), strict=True)
        )
    )
    if kind.classes == 1:
        return Schema(features, "y"), table, target
    names = np.array(["a", "b", "c"][: kind.classes])
    edges = np.quantile(target, np.linspace(0, 1, kind.classes + 1)[1:-1])
    return Schema(features, "y", tuple(names)), table, names[np.searchsorted(edges, target)]


# ── in a process of its own: fit, write, and ask shap ────────────────────────────────────────


def fit(name: str, rows: int, folder: Path) -> None:
    """Fit, write what explains it, and shap's values of some rows."""
    warnings.simplefilter("ignore")
    from unrot.core.encoding import Encoder
    from unrot.make import explainer
    from unrot.make.fitted import Fitted

    kind = next(one for one in kinds() if one.name == name)
    schema, table, target = world(kind, rows)
    fitted = Fitted(kind.make().fit(table, target), schema)
    began = time.process_time()
    made = explainer.make(fitted, Encoder(schema).decode(table[: min(rows, 2_000)]))
    seconds = time.process_time() - began
    (folder / "explainer").write_bytes(made.data)
    values, shap_seconds = shap_values(fitted.estimator, table)
    np.savez(folder / "told.npz", rows=table[:EXPLAINED], shap=values)
    print(f"{seconds} {shap_seconds} {made.sampled_because}")


def shap_values(estimator: Any, table: NDArray[Any]) -> tuple[NDArray[Any], float]:
    """Return shap's own values of the first rows, and its CPU seconds a row."""
    import shap
    from sklearn.linear_model._base import LinearModel
    from sklearn.pipeline import Pipeline

    asked, model, order = table[:EXPLAINED], estimator, list(range(FEATURES))
    if isinstance(estimator, Pipeline):
        model, asked = estimator[-1], estimator[:-1].transform(asked)
        order = [*CATEGORIES, *range(FEATURES - len(CATEGORIES))]
    if isinstance(model, LinearModel) or hasattr(model, "coef_"):
        masker = shap.maskers.Independent(table[:2_000], max_samples=2_000)
        told: Any = shap.LinearExplainer(model, masker)
        began = time.process_time()
        found = told.shap_values(asked)
    else:
        told = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
        began = time.process_time()
        found = told.shap_values(asked, check_additivity=False)
    seconds = (time.process_time() - began) / EXPLAINED
    found = np.asarray(found).reshape(EXPLAINED, FEATURES, -1)
    placed = np.empty_like(found)
    placed[:, order] = found
    return placed, seconds


# ── in another, as small as a worker: read and explain ───────────────────────────────────────


def explain(folder: Path) -> None:
    """Read it and explain some rows: print milliseconds, megabytes and how far shap is."""
    from bench.memory import _pss as pss
    from unrot.explain.kept import unpack

    with np.load(folder / "told.npz") as told:
        rows = [[None if np.isnan(cell) else cell for cell in row] for row in told["rows"].tolist()]
        beside = told["shap"]
    small = unpack((folder / "small").read_bytes())  # What is loaded with the first of all.
    if small.sums is not None:
        small.sums.contributions(rows[0])
    before = pss(os.getpid())
    kept = unpack((folder / "explainer").read_bytes())
    if kept.sums is None:
        print("nan nan nan")
        return
    found = [kept.sums.contributions(rows[0])]
    after, times = pss(os.getpid()), []
    for row in rows[1:]:
        began = time.process_time()
        found.append(kept.sums.contributions(row))
        times.append(time.process_time() - began)
    scores = min(len(found[0]), beside.shape[2])
    ours = np.array(found).transpose(0, 2, 1)[:, :, -scores:]
    far = np.abs(ours - beside[:, :, -scores:]).max()
    print(f"{1e3 * float(np.median(times))} {after - before} {far}")


# ── all of them ──────────────────────────────────────────────────────────────────────────────


def run(*arguments: str) -> str:
    """Run a step of this file in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", "bench.explaining", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def measure(kind: Kind, rows: int, small: Path) -> str:
    """Return a line of the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wrote, of_shap, *because = run("--fit", kind.name, "--size", str(rows), name).split(" ", 2)
        (folder / "small").write_bytes(small.read_bytes())
        took, held, far = map(float, run("--explain", name).split())
        size = (folder / "explainer").stat().st_size / 1e6
    if because and because[0]:
        return f"{kind.name:24}{rows:>7}  sampled: {because[0]}"
    wrong = "  NOT EQUAL" if far > LEAST_EQUAL else ""
    return (
        f"{kind.name:24}{rows:>7}{took:>9.2f}{held:>9.1f}{size:>9.2f}{float(wrote):>9.1f}"
        f"{far:>11.1e}{1e3 * float(of_shap):>9.1f}{wrong}"
    )


def main(sizes: Sequence[int], only: str) -> int:
    """Print the table; return how many differ from shap."""
    print(f"{'':24}{'rows':>7}{'ms':>9}{'MB':>9}{'file MB':>9}{'write s':>9}"
          f"{'from shap':>11}{'its ms':>9}")  # fmt: skip
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        small = Path(name) / "explainer"
        run("--fit", "tree of numbers", "--size", "50", name)
        for kind in kinds():
            for rows in sizes if kind.is_sized else sizes[:1]:
                if only in kind.name:
                    line = measure(kind, rows, small)
                    wrong += line.endswith("NOT EQUAL")
                    print(line, flush=True)
    return wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default="300,3000,30000")
    parser.add_argument("--only", default="")
    parser.add_argument("--fit")
    parser.add_argument("--explain", action="store_true")
    parser.add_argument("--size", type=int)
    parser.add_argument("folder", nargs="?", type=Path)
    asked = parser.parse_args()
    if asked.fit:
        fit(asked.fit, asked.size, asked.folder)
    elif asked.explain:
        explain(asked.folder)
    else:
        sys.exit(main([int(one) for one in asked.rows.split(",")], asked.only))
