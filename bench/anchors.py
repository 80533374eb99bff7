"""Do the rules hold? Precision on fresh rows, table by table: `make bench-anchors`.

Models of our own catalogue and others are fitted on tables with numbers, choices and gaps. Of each,
rows that the model was not fitted on are explained, and what the rule promises is counted anew in
10,000 mixed rows, which are drawn here, by other code and from another seed than the search's. A
rule keeps its promise where the answer stayed in 95 % of them; 95 % of 200 rules have to. Rows for
which no rule is found, and that are told so, are counted beside: near the border of two classes,
and where many features that go together decide, there often is none.

The rules are found as a worker finds them, but with time enough: the count of rows ends the search.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from bench.outliers import houses
from unrot.core.encoding import Encoder
from unrot.core.ports import Predictor
from unrot.core.records import Feature, Row, Schema
from unrot.explain.anchors import PRECISION, Rule, find_rule
from unrot.explain.conditions import Condition
from unrot.explain.examples import as_table
from unrot.make.catalogue import make
from unrot.make.demos import zombies
from unrot.make.fitted import Fitted
from unrot.make.onnx.export import export
from unrot.serve.predictor import OnnxPredictor

FRESH = 10_000
MOST_TRAINING = 2_000
SECONDS = 1e9


@dataclass(frozen=True, slots=True)
class Explained:
    """A model, the rows that stand for its training, and rows to explain."""

    name: str
    schema: Schema
    predictor: Predictor
    training: Sequence[Row]
    asked: Sequence[Row]


def tables() -> Iterator[Explained]:
    """Make the models, the same ones every time."""
    iris = load_iris()
    yield _numbers("iris, SVC", iris, make_pipeline(StandardScaler(), SVC(probability=True)))
    yield _numbers("wine, forest", load_wine(), "forest")
    yield _numbers("breast cancer, logistic", load_breast_cancer(), "logistic")
    yield _zombies()
    schema, rows, target = _houses()
    yield _fitted("houses, forest", schema, rows, target, "forest")
    yield _fitted("houses, boosting", schema, rows, target, "hgb")
    yield _fitted("houses, logistic", schema, rows, target, "logistic")


def _numbers(name: str, data: Any, estimator: Any) -> Explained:
    names = [str(one).replace(" ", "_") for one in data.feature_names]
    features = tuple(Feature(one, "number") for one in names)
    schema = Schema(features, "target", tuple(str(one) for one in data.target_names))
    return _fitted(name, schema, data.data.tolist(), data.target, estimator)


def _zombies() -> Explained:
    data = zombies.load()
    rows = Encoder(data.schema).decode(data.rows)
    places = np.array([data.schema.classes.index(str(one)) for one in data.labels])
    return _fitted("zombies, network", data.schema, rows, places, "mlp")


def _houses() -> tuple[Schema, list[Row], NDArray[Any]]:
    """Make houses that are cheap, usual or dear for their region and garden."""
    schema, training, fresh = houses()
    rows = [*training, *fresh]
    price = np.array([row[4] for row in rows], dtype=np.float64)
    worth = price / np.array([1 + 0.5 * bool(row[5]) + "abcde".index(str(row[1])) for row in rows])
    target = np.searchsorted(np.quantile(worth, [1 / 3, 2 / 3]), worth)
    return Schema(schema.features, "class", ("cheap", "usual", "dear")), rows, target


def _fitted(
    name: str, schema: Schema, rows: Sequence[Row], places: NDArray[Any], estimator: Any
) -> Explained:
    order = np.random.default_rng(0).permutation(len(rows)).tolist()
    cut = len(rows) * 2 // 3
    training, asked = [rows[at] for at in order[:cut]], [rows[at] for at in order[cut:]]
    labels = np.array(schema.classes)[places[order[:cut]]]
    if isinstance(estimator, str):
        estimator = make(estimator, seed=0, schema=schema, rows=len(training))
    fitted = Fitted(estimator.fit(Encoder(schema).encode(training), labels), schema)
    graph = export(fitted, training[:200])
    predictor = fitted if graph.onnx is None else OnnxPredictor(graph.onnx, schema)
    return Explained(name, schema, predictor, training[:MOST_TRAINING], asked)


# ── counting anew ────────────────────────────────────────────────────────────────────────────


def precision_of(one: Explained, row: Row, rule: Rule, seed: int) -> float:
    """Count in fresh rows how often the answer stays under a rule."""
    answer = one.predictor.predict([row]).classes
    made = mixed(one.training, row, rule.conditions, np.random.default_rng([seed, 99]))
    stayed = np.array(one.predictor.predict(made).classes) == (answer or [-1])[0]
    return float(stayed.mean())


def mixed(
    training: Sequence[Row], row: Row, rule: Sequence[Condition], rng: np.random.Generator
) -> list[Row]:
    """Draw rows of the training; what a rule asks for comes from rows that have it."""
    by_feature: dict[int, list[Condition]] = {}
    for condition in rule:
        by_feature.setdefault(condition.feature, []).append(condition)
    made = [list(training[at]) for at in rng.integers(0, len(training), FRESH).tolist()]
    for feature, some in by_feature.items():
        pool = [one[feature] for one in training if all(is_true(each, one) for each in some)]
        for each in made:
            if not all(is_true(condition, each) for condition in some):
                each[feature] = pool[int(rng.integers(len(pool)))] if pool else row[feature]
    return list(made)


def is_true(condition: Condition, row: Row) -> bool:
    """Tell whether a condition is true of a row."""
    value, bound = row[condition.feature], condition.value
    if condition.side == "is":
        return value == bound
    if value is None or bound is None:
        return False
    return (
        float(value) > float(bound) if condition.side == "above" else float(value) <= float(bound)
    )


def main() -> None:
    """Explain rows of each table, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=44, help="of each table")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each rule")
    given = parser.parse_args()
    head = f"{'':26}{'rows':>6}{'kept':>6}{'broken':>8}{'none':>6}{'cut':>5}"
    print(f"{head}{'conditions':>12}{'coverage':>10}{'lowest':>8}{'seconds':>9}{'longest':>9}")
    kept = told = asked = 0
    for one in tables():
        found = [
            _measured(one, row, at, given.seconds) for at, row in enumerate(one.asked[: given.rows])
        ]
        kept += _print(one.name, found)
        told += sum(rule.holds for rule, _, _ in found)
        asked += len(found)
    print(f"{kept} of {told} rules hold in fresh rows: {kept / told:.1%}")
    print(f"{told} of {asked} rows have a rule: {told / asked:.1%}")
    sys.exit(kept < PRECISION * told)


Measured = tuple[Rule, float, float]


def _measured(one: Explained, row: Row, seed: int, seconds: float) -> Measured:
    begun = time.process_time()
    rule = find_rule(one.predictor, one.schema, as_table(one.training), row, seconds=seconds)
    took = time.process_time() - begun
    return rule, precision_of(one, row, rule, seed), took


def _print(name: str, found: Sequence[Measured]) -> int:
    holding = [(rule, fresh) for rule, fresh, _ in found if rule.holds]
    kept = sum(fresh >= PRECISION for _, fresh in holding)
    conditions = np.mean([len(rule.conditions) for rule, _ in holding])
    coverage = np.median([rule.coverage for rule, _ in holding])
    seconds = [took for _, _, took in found]
    print(
        f"{name:26}{len(found):6}{kept:6}{len(holding) - kept:8}{len(found) - len(holding):6}"
        f"{sum(rule.is_cut for rule, _, _ in found):5}{conditions:12.1f}{coverage:10.1%}"
        f"{min(fresh for _, fresh in holding):8.3f}{np.median(seconds):9.2f}{max(seconds):9.2f}",
        flush=True,
    )
    return kept


if __name__ == "__main__":
    main()
