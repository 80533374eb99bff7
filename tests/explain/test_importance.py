"""What a version leans on: shares of all that moves its answers, by sums or by sampling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from unrot.core.records import Feature, Outputs, Row, Schema
from unrot.explain.importance import leans_on, spread
from unrot.explain.kept import Kept

SCHEMA = Schema((Feature("a", "number"), Feature("b", "number"), Feature("c", "number")), "y")


class Linear:
    """Answers 3a + b, and nothing of c."""

    def predict(self, rows: Sequence[Row]) -> Outputs:
        return Outputs(values=[3.0 * float(row[0] or 0) + float(row[1] or 0) for row in rows])


def rows(count: int = 200) -> list[Row]:
    return np.random.default_rng(1).normal(size=(count, 3)).tolist()  # type: ignore[no-any-return]


def test_shares_are_those_of_the_weights_and_the_largest_stands_first() -> None:
    found = leans_on(Linear(), Kept(rows()), SCHEMA)

    assert list(found) == ["a", "b", "c"]
    assert sum(found.values()) == pytest.approx(1.0)
    assert found["a"] == pytest.approx(0.75, abs=0.08)
    assert found["c"] == 0.0


def test_same_rows_tell_the_same_each_time() -> None:
    kept = Kept(rows())

    assert leans_on(Linear(), kept, SCHEMA) == leans_on(Linear(), kept, SCHEMA)


def test_model_that_nothing_moves_leans_on_nothing() -> None:
    still = Kept([[0.0, 0.0, 0.0]] * 10)

    assert leans_on(Linear(), still, SCHEMA) == {}
    assert leans_on(Linear(), Kept([]), SCHEMA) == {}


@pytest.mark.parametrize(("count", "most", "left"), [(0, 5, 0), (3, 5, 3), (100, 5, 5)])
def test_rows_are_taken_evenly(count: int, most: int, left: int) -> None:
    assert len(spread(rows(count), most)) == left
