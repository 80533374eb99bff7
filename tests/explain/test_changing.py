"""What would change an answer: true, small, within the training, and never what may not move."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from unrot.core.records import Feature, Outputs, Row, Schema
from unrot.explain.changing import Change, find_change

NAMES = ("a", "b", "c")
ROWS = [[float(at), float(at), float(at)] for at in range(10)]
ASKED = [1.0, 1.0, 1.0]


class Rule:
    """Answers by the sum of three numbers."""

    def __init__(self, least: float, *, has_chances: bool = True) -> None:
        self.least, self.has_chances = least, has_chances

    def predict(self, rows: Sequence[Row]) -> Outputs:
        sums = np.array(rows, dtype=np.float64).sum(axis=1)
        chances = 1 / (1 + np.exp(self.least - sums))
        classes = (sums >= self.least).astype(int).tolist()
        shares = np.column_stack([1 - chances, chances]).tolist()
        return Outputs(classes, shares if self.has_chances else None)


def schema(fixed: str = "", private: str = "") -> Schema:
    features = tuple(
        Feature(name, "number", is_fixed=name in fixed, is_private=name in private)
        for name in NAMES
    )
    return Schema(features, "big", ("no", "yes"))


def found(rule: Rule, of: Schema, seconds: float = 1e9) -> Change | None:
    order = [0, 1, 2]
    return find_change(rule, of, ROWS, ASKED, order, seconds=seconds, clock=lambda: 0.0)


def moved(change: Change | None) -> dict[str, object]:
    assert change is not None
    return {one.feature.name: one.after for one in change.moved}


def test_one_feature_moves_as_little_as_needed() -> None:
    change = found(Rule(7.0), schema())

    assert change is not None
    assert (moved(change), change.label) == ({"a": 6.0}, "yes")


@pytest.mark.parametrize(("least", "count"), [(11.0, 1), (19.0, 2), (27.0, 3)])
def test_as_few_features_move_as_can(least: float, count: int) -> None:
    change = found(Rule(least), schema())

    assert len(moved(change)) == count
    row = [moved(change).get(name, 1.0) for name in NAMES]
    assert Rule(least).predict([row]).classes == [1]
    assert set(moved(change).values()) <= set(range(10))


def test_nothing_beyond_the_training_is_proposed() -> None:
    assert found(Rule(28.0), schema()) is None


def test_fixed_and_private_features_stay() -> None:
    assert set(moved(found(Rule(7.0), schema(fixed="a", private="b")))) == {"c"}
    assert found(Rule(7.0), schema(fixed="ac", private="b")) is None


def test_time_that_is_over_ends_the_search() -> None:
    assert found(Rule(19.0), schema(), seconds=0.0) is None


def test_classes_without_chances_are_enough() -> None:
    assert len(moved(found(Rule(11.0, has_chances=False), schema()))) == 1


def test_choices_and_gaps_move_too() -> None:
    class Red:
        def predict(self, rows: Sequence[Row]) -> Outputs:
            return Outputs([int(row[0] == "red") for row in rows])

    of = Schema((Feature("colour", "category", choices=("blue", "red")),), "x", ("no", "yes"))
    change = find_change(Red(), of, [["blue"], ["red"], [None]], [None], [0], seconds=1)

    assert moved(change) == {"colour": "red"}
