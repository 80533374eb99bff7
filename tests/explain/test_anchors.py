"""Rules: those that are known come out, what they promise holds, and time ends the search."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.svm import SVC

from bench.anchors import mixed
from unrot.core.records import Feature, Outputs, Row, Schema
from unrot.explain.anchors import MOST_CONDITIONS, PRECISION, Rule, find_rule
from unrot.explain.examples import as_table
from unrot.make.fitted import Fitted

Told = set[tuple[str, str]]
NUMBERS = Schema(tuple(Feature(name, "number") for name in "abc"), "kind", ("no", "yes"))
ROWS: list[Row] = np.random.default_rng(1).uniform(0, 10, (600, 3)).tolist()


class Answering:
    """Answers by a rule of its own."""

    def __init__(self, is_yes: Callable[[Row], bool]) -> None:
        self._is_yes, self.asked = is_yes, 0

    def predict(self, rows: Sequence[Row]) -> Outputs:
        self.asked += len(rows)
        return Outputs([int(self._is_yes(row)) for row in rows])


def high(*features: int) -> Answering:
    """Answer yes where all of some numbers are above 6."""
    return Answering(lambda row: all(float(row[at] or 0) > 6 for at in features))


def rule_of(
    model: Answering, row: Row, *, schema: Schema = NUMBERS, rows: Sequence[Row] = ROWS
) -> Rule:
    return find_rule(model, schema, as_table(rows), row, seconds=1.0, clock=lambda: 0.0)


def told(rule: Rule, schema: Schema) -> Told:
    return {(schema.names[one.feature], one.side) for one in rule.conditions}


# ── known rules ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def iris() -> tuple[Schema, Fitted, list[Row]]:
    data = load_iris()
    names = ("sepal_length", "sepal_width", "petal_length", "petal_width")
    classes = ("setosa", "versicolor", "virginica")
    schema = Schema(tuple(Feature(name, "number") for name in names), "species", classes)
    svc = SVC(kernel="linear").fit(data.data, np.array(classes)[data.target])
    return schema, Fitted(svc, schema), data.data.tolist()


def iris_rule(iris: tuple[Schema, Fitted, list[Row]], row: Row) -> tuple[Rule, Told]:
    schema, fitted, rows = iris
    rule = find_rule(fitted, schema, as_table(rows), row, seconds=1.0, clock=lambda: 0.0)
    return rule, told(rule, schema)


def test_iris_svc_says_virginica_of_long_and_wide_petals(
    iris: tuple[Schema, Fitted, list[Row]],
) -> None:
    rule, conditions = iris_rule(iris, [6.7, 3.0, 5.6, 2.1])

    bounds = {iris[0].names[one.feature]: one.value for one in rule.conditions}
    assert rule.holds
    assert conditions == {("petal_length", "above"), ("petal_width", "above")}
    assert bounds["petal_length"] == pytest.approx(4.8, abs=0.3)
    assert bounds["petal_width"] == pytest.approx(1.7, abs=0.2)
    assert rule.coverage > 0.2


def test_iris_svc_says_setosa_of_short_petals(iris: tuple[Schema, Fitted, list[Row]]) -> None:
    rule, conditions = iris_rule(iris, [5.0, 3.4, 1.5, 0.2])

    assert rule.holds
    assert ("petal_length", "upto") in conditions
    assert all(name.startswith("petal") for name, _ in conditions)


def test_rule_names_what_the_model_looks_at() -> None:
    rule = rule_of(high(0, 1), [8.5, 9.0, 5.0])

    assert (rule.holds, rule.label) == (True, "yes")
    assert told(rule, NUMBERS) == {("a", "above"), ("b", "above")}
    assert rule.coverage == pytest.approx(0.16, abs=0.05)


def test_one_reason_against_is_enough() -> None:
    rule = rule_of(high(0, 1), [1.0, 2.0, 5.0])

    assert (rule.holds, rule.label, len(rule.conditions)) == (True, "no", 1)
    assert rule.coverage > 0.5


def test_answer_that_is_always_given_needs_no_condition() -> None:
    rule = rule_of(Answering(lambda _: True), [1.0, 2.0, 3.0])

    assert (rule.holds, rule.conditions, rule.coverage) == (True, [], 1.0)


def test_choices_and_gaps_are_reasons_too() -> None:
    schema = Schema(
        (Feature("colour", "category", choices=("red", "blue")), Feature("size", "number")),
        "kind",
        ("no", "yes"),
    )
    rng = np.random.default_rng(2)
    rows: list[Row] = [
        [str(rng.choice(["red", "blue"])), None if rng.random() < 0.3 else float(rng.random())]
        for _ in range(400)
    ]
    model = Answering(lambda row: row[0] == "red" and row[1] is None)

    rule = rule_of(model, ["red", None], schema=schema, rows=rows)

    assert {(one.feature, one.side, one.value) for one in rule.conditions} == {
        (0, "is", "red"),
        (1, "is", None),
    }


def test_value_that_the_training_has_not_is_the_rows_own() -> None:
    schema = Schema(
        (Feature("colour", "category", choices=("red",)), Feature("size", "number")),
        "kind",
        ("no", "yes"),
    )
    rows: list[Row] = [["red", float(at)] for at in range(100)]

    rule = rule_of(Answering(lambda row: row[0] == "new"), ["new", 3.0], schema=schema, rows=rows)

    assert (rule.holds, rule.coverage) == (True, 0.0)
    assert [(one.side, one.value) for one in rule.conditions] == [("is", "new")]


def test_private_feature_is_in_no_rule() -> None:
    features = (Feature("a", "number", is_private=True), *NUMBERS.features[1:])
    schema = Schema(features, "kind", NUMBERS.classes)

    rule = rule_of(high(0), [9.0, 1.0, 1.0], schema=schema)

    assert not rule.holds
    assert all(one.feature for one in rule.conditions)


# ── what it promises ─────────────────────────────────────────────────────────────────────────


def test_what_holds_holds_in_fresh_rows() -> None:
    model = Answering(lambda row: float(row[0] or 0) + float(row[1] or 0) > float(row[2] or 0) + 5)
    rng = np.random.default_rng(7)

    for row in np.random.default_rng(3).uniform(0, 10, (12, 3)).tolist():
        rule = rule_of(model, row)
        answer = (model.predict([row]).classes or [])[0]
        fresh = model.predict(mixed(ROWS, row, rule.conditions, rng)).classes
        share = float((np.array(fresh) == answer).mean())
        assert share >= PRECISION or not rule.holds
        assert rule.precision_from - 0.01 <= share <= rule.precision_to + 0.01


def test_same_row_has_the_same_rule_each_time() -> None:
    assert rule_of(high(0, 1), [8.5, 9.0, 5.0]) == rule_of(high(0, 1), [8.5, 9.0, 5.0])


def test_chance_has_no_rule_and_the_nearest_is_told() -> None:
    flip = np.random.default_rng(0)
    rule = rule_of(Answering(lambda _: flip.random() < 0.6), [5.0, 5.0, 5.0])

    assert not rule.holds
    assert rule.precision_from < PRECISION
    assert not rule.is_cut
    assert rule.most_conditions == MOST_CONDITIONS


# ── time ─────────────────────────────────────────────────────────────────────────────────────


def ticking(step: float) -> Callable[[], float]:
    ticks: Iterator[int] = count()
    return lambda: step * next(ticks)


def test_time_that_is_over_ends_the_search_with_bounds_that_are_true() -> None:
    model = high(0, 1)
    rule = find_rule(
        model, NUMBERS, as_table(ROWS), [8.5, 9.0, 5.0], seconds=1.0, clock=ticking(1.0)
    )

    assert (rule.holds, rule.is_cut) == (False, True)
    assert 0 < rule.samples == model.asked - 1
    assert rule.precision_from < 0.16 < rule.precision_to


def test_slow_model_is_asked_a_little_at_a_time() -> None:
    model = high(0, 1)
    find_rule(model, NUMBERS, as_table(ROWS), [8.5, 9.0, 5.0], seconds=30.0, clock=ticking(1.0))

    assert model.asked < 1_000
