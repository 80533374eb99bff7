"""The published KS figures of NannyML's car-loan data, on rows and on what a reference keeps.

NannyML's documentation gives KS of `car_value` for chunks of 5,000 rows against the reference set.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import pytest

from tests.skips import needs
from unrot.core.records import Feature, Outputs, Schema
from unrot.watch.profiles import baseline
from unrot.watch.profiles.columns import Numbers
from unrot.watch.statistics import distances

PUBLISHED = (0.4353, 0.4303, 0.4377, 0.4360, 0.4384)
"""Of the last five chunks."""

CHUNK = 5_000
SCHEMA = Schema((Feature("car_value", "number"),), "repaid")


def car_values(part: str) -> Numbers:
    try:
        name = f"nannyml/datasets/data/synthetic_car_loan_{part}.csv"
        path = Path(str(distribution("nannyml").locate_file(name)))
    except PackageNotFoundError:
        path = Path("nannyml")
    remedy = "its data is test data only: pip install --no-deps nannyml"
    needs("The wheel of nannyml", path.is_file(), remedy)
    names = path.read_text().split("\n", 1)[0].split(",")
    column = names.index("car_value")
    return np.loadtxt(path, delimiter=",", skiprows=1, usecols=column)


@pytest.fixture(scope="module")
def before() -> Numbers:
    return car_values("reference")


@pytest.fixture(scope="module")
def chunks() -> list[Numbers]:
    values = car_values("analysis")
    return [values[start : start + CHUNK] for start in range(0, len(values), CHUNK)]


def test_ks_of_rows_is_as_published(before: Numbers, chunks: list[Numbers]) -> None:
    found = [distances.ks(chunk, before) for chunk in chunks[-5:]]

    assert len(chunks) == 10
    assert found == pytest.approx(PUBLISHED, abs=1e-3)


def test_ks_through_the_packed_reference_is_as_published(
    before: Numbers, chunks: list[Numbers]
) -> None:
    made = baseline.make(SCHEMA, [[value] for value in before.tolist()], Outputs())
    kept = baseline.unpack(baseline.pack(made))

    found = [distances.ks_from_points(chunk, kept.points["car_value"]) for chunk in chunks[-5:]]

    assert len(kept.points["car_value"]) == 1_001
    assert found == pytest.approx(PUBLISHED, abs=1e-3)
    assert found == pytest.approx([distances.ks(one, before) for one in chunks[-5:]], abs=6e-4)
