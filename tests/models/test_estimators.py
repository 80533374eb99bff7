from __future__ import annotations

import numpy as np
import pytest

from tests.models.tables import BINARY, schema_of, table_of
from unrot.errors import Invalid
from unrot.models.estimators import ESTIMATORS, make


@pytest.mark.parametrize(
    ("name", "gaps", "steps"),
    [
        ("mlp", False, ["scaler", "estimator"]),
        ("sgd", True, ["imputer", "scaler", "estimator"]),
        ("logistic", False, ["scaler", "estimator"]),
        ("tree", False, ["estimator"]),
        ("forest", True, ["imputer", "estimator"]),
        ("hgb", True, ["estimator"]),
    ],
)
def test_pipeline_has_the_steps_that_its_estimator_needs(
    name: str, gaps: bool, steps: list[str]
) -> None:
    pipeline = make(name, seed=0, schema=schema_of(BINARY, gaps=gaps))

    assert list(pipeline.named_steps) == steps


def test_estimator_of_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Invalid) as refused:
        make("svm", seed=0, schema=schema_of(BINARY))

    assert refused.value.message == (
        'There is no estimator "svm": expected one of mlp, sgd, logistic, tree, forest, hgb, or '
        "your own as package.module:function."
    )


@pytest.mark.parametrize("name", ["tree", "sgd"])
def test_estimator_of_the_same_seed_is_the_same_estimator(name: str) -> None:
    rows, labels = table_of(BINARY)

    first, second = (
        make(name, seed=3, schema=schema_of(BINARY)).fit(rows, labels) for _ in range(2)
    )

    assert np.array_equal(first.predict_proba(rows), second.predict_proba(rows))


def test_sgd_takes_further_rows_online() -> None:
    rows, labels = table_of(BINARY)
    pipeline = make("sgd", seed=0, schema=schema_of(BINARY)).fit(rows, labels)
    before = pipeline.score(rows, labels)

    for _ in range(20):
        pipeline[-1].partial_fit(pipeline[:-1].transform(rows), labels)

    assert pipeline.score(rows, labels) >= before - 0.02


def test_every_estimator_has_a_description() -> None:
    assert all(entry.description for entry in ESTIMATORS.values())
