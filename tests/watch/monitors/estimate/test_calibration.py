"""Estimated accuracy: calibration by hand, and NannyML's car loans, where the truth is known."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from tests.skips import needs
from unrot.core import confidence
from unrot.core.records import Window
from unrot.watch.monitors.estimate.calibration import (
    Calibration,
    estimate,
    estimate_windows,
    fit,
    pack,
    unpack,
)

CHUNK = 5_000


def counted(confidences: Sequence[float]) -> list[int]:
    """Return confidences as a window counts them."""
    counts = [0] * confidence.BINS
    for sure in confidences:
        counts[confidence.place(sure)] += 1
    return counts


def test_calibration_is_isotonic_regression() -> None:
    chance = np.random.default_rng(1)
    sure = np.round(chance.uniform(0.5, 1.0, 500), 4)
    right = chance.random(500) < sure**2

    made = fit(sure.tolist(), right.tolist())

    expected = IsotonicRegression().fit(sure, right).predict(sure)
    assert np.allclose([made.share_at(one) for one in sure.tolist()], expected, atol=1e-12)
    assert (made.rows, made.right) == (500, int(right.sum()))


def test_estimate_of_the_holdout_itself_is_its_accuracy() -> None:
    chance = np.random.default_rng(2)
    sure = chance.uniform(0.5, 1.0, 1_000).tolist()
    right = (chance.random(1_000) < 0.8).tolist()
    made = fit(sure, right)

    found = estimate(made, counted(sure))

    assert found is not None and found.rows == 1_000
    assert abs(found.value - made.accuracy) < 1e-12


def test_nothing_is_estimated_of_nothing() -> None:
    assert estimate(fit([0.6] * 50, [True] * 50), [0] * confidence.BINS) is None


def test_nothing_is_estimated_of_a_time_before_the_world_that_it_was_calibrated_on() -> None:
    made = replace(fit([0.6] * 50, [True] * 50), since=3_600.0)
    hours = [
        Window(minute, "zombies", "v1", "w", confidence=counted([0.6] * 20)) for minute in (0, 60)
    ]

    found = estimate_windows(hours, {"v1": made})

    assert found is not None and found.rows == 20


def test_calibration_is_read_back_and_one_with_other_bins_is_none() -> None:
    made = fit([0.6, 0.7, 0.8], [True, False, True])

    assert unpack(pack(made)) == made
    other = Calibration(made.rows, made.right, made.starts, made.shares, made.bins[:20])
    assert unpack(pack(other)) is None


# ── NannyML's car loans ──────────────────────────────────────────────────────────────────────


@cache
def loans(name: str) -> tuple[dict[str, str], ...]:
    """Read one of the tables in NannyML's wheel, which is test data only: it is not imported."""
    try:
        place = distribution("nannyml").locate_file(f"nannyml/datasets/data/{name}.csv")
        found = Path(str(place)).exists()
    except PackageNotFoundError:
        found = False
    needs("NannyML's wheel", found, "pip install --no-deps nannyml, for the data in it")
    with Path(str(place)).open() as file:
        return tuple(csv.DictReader(file))


def sure_of(row: dict[str, str]) -> float:
    chance = float(row["y_pred_proba"])
    return max(chance, 1 - chance)


def is_right(row: dict[str, str], repaid: str) -> bool:
    return float(row["y_pred"]) == float(repaid)


@pytest.mark.parametrize("number", range(5))
def test_estimate_is_within_half_a_point_of_the_truth_on_car_loans(number: int) -> None:
    reference = loans("synthetic_car_loan_reference")
    made = fit(
        [sure_of(row) for row in reference], [is_right(row, row["repaid"]) for row in reference]
    )
    part = slice(number * CHUNK, (number + 1) * CHUNK)
    rows = loans("synthetic_car_loan_analysis")[part]
    truths = loans("synthetic_car_loan_analysis_target")[part]

    sure = [sure_of(row) for row in rows]
    by_windows = estimate(made, counted(sure))
    by_rows = sum(made.share_at(round(one, 4)) for one in sure) / CHUNK

    realised = (
        sum(is_right(row, truth["repaid"]) for row, truth in zip(rows, truths, strict=True)) / CHUNK
    )
    assert by_windows is not None
    assert abs(by_rows - realised) < 0.005
    assert abs(by_windows.value - realised) < 0.005
