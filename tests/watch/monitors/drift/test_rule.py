"""What moved and what is calm: far enough and too unlikely, and seldom where nothing moved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from unrot.core.records import Distribution, Drift, Feature, Outputs, Row, Schema
from unrot.core.rules import FeatureRule, Rules
from unrot.watch.monitors.drift import rule
from unrot.watch.profiles import baseline
from unrot.watch.profiles.columns import Numbers, columns_of
from unrot.watch.profiles.distributions import summary_of
from unrot.watch.statistics import distances

SCHEMA = Schema(
    (
        Feature("height", "number"),
        Feature("price", "number"),
        Feature("rooms", "integer"),
        Feature("colour", "category"),
    ),
    "size",
)
RULES = Rules()


def population(rows: int, rng: np.random.Generator) -> list[Row]:
    """Draw rows of a steady world: bell-shaped, with a long tail, with ties, of a few choices."""
    columns = (
        rng.normal(size=rows),
        rng.lognormal(sigma=1.5, size=rows),
        rng.poisson(3, rows),
        rng.choice(list("abcde"), rows, p=[0.5, 0.3, 0.1, 0.08, 0.02]),
    )
    return [list(row) for row in zip(*(one.tolist() for one in columns), strict=True)]


def compared(
    before: list[Row], now: list[Row], rules: Rules = RULES, *, exactly: bool = True
) -> dict[str, Drift]:
    base = baseline.make(SCHEMA, before, Outputs())
    columns = columns_of(SCHEMA, now, Outputs())
    values = {name: one.numbers for name, one in columns.items() if one.numbers is not None}
    found = rule.compare(
        summary_of(base.summary, SCHEMA, columns),
        rule.against_training(base),
        rules,
        values if exactly else None,
    )
    return {one.column: one for one in found}


@pytest.mark.parametrize(("before", "now"), [(120, 100), (30, 150), (2_000, 500), (500, 5_000)])
def test_steady_traffic_is_hardly_ever_found_to_have_moved(before: int, now: int) -> None:
    rng = np.random.default_rng(before)

    checks = [compared(population(before, rng), population(now, rng)) for _ in range(60)]

    assert sum(one.has_moved for check in checks for one in check.values()) == 0
    assert sum(all(one.is_calm for one in check.values()) for check in checks) >= 0.9 * 60


def test_shift_spread_and_new_choices_are_each_found() -> None:
    rng = np.random.default_rng(1)
    before, now = population(500, rng), population(300, rng)
    for row in now:
        row[0] = 3 * float(row[0])  # type: ignore[index, arg-type]
        row[2] = 2 + int(row[2])  # type: ignore[index, arg-type]
        row[3] = "f" if row[3] == "a" else row[3]  # type: ignore[index]

    found = compared(before, now)

    assert [name for name, one in found.items() if one.has_moved] == ["height", "rooms", "colour"]
    assert found["colour"].unseen == sum(row[3] == "f" for row in now) / 300
    assert found["height"].unseen > 0.2


def test_figures_are_those_of_the_distances() -> None:
    rng = np.random.default_rng(2)
    before, now = population(150, rng), population(120, rng)

    found = compared(before, now)["height"]

    first, second = (np.array([row[0] for row in rows], float) for rows in (before, now))
    edges = baseline.edges_of(first)
    counts = [
        np.bincount(np.searchsorted(edges, one, "right"), minlength=len(edges) + 1).tolist()
        for one in (first, second)
    ]
    assert found.distance == distances.hellinger(*counts)
    assert (found.statistic, found.is_exact) == (distances.ks(first, second), True)


def test_without_rows_ks_is_from_the_bins_and_says_so() -> None:
    rng = np.random.default_rng(3)
    before, now = population(500, rng), population(500, rng)

    exact, rough = compared(before, now), compared(before, now, exactly=False)

    assert (exact["height"].is_exact, rough["height"].is_exact) == (True, False)
    assert 0 < rough["height"].statistic <= exact["height"].statistic


def test_rules_of_a_feature_go_before_those_of_all() -> None:
    rng = np.random.default_rng(4)
    before = population(500, rng)
    now = [[float(row[0]) + 1, float(row[1]) * 3, *row[2:]] for row in population(500, rng)]  # type: ignore[arg-type]
    features = {"height": FeatureRule(distance=0.9), "price": FeatureRule(is_watched=False)}

    found = compared(before, now, replace(RULES, features=features))

    assert set(found) == {"height", "rooms", "colour"}
    assert not found["height"].has_moved and found["height"].is_calm
    assert compared(before, now)["height"].has_moved


def test_between_moved_and_calm_nothing_is_said() -> None:
    one = Drift("height", 0.12, "ks", 0.2, 1e-9, has_moved=True, is_calm=True)

    tried = ((0.15, 1e-4), (0.12, 1e-4), (0.09, 1e-4), (0.3, 0.01), (0.3, 0.06))
    judged = [
        rule.judge_drift(replace(one, distance=far, chance=chance), RULES) for far, chance in tried
    ]
    states = [(one.has_moved, one.is_calm) for one in judged]

    assert states == [(True, False), (False, False), (False, True), (False, False), (False, True)]


def test_missing_and_unseen_shares_stand_beside_each_other() -> None:
    bins = Distribution("number", 10, 2, edges=(0.0, 1.0), counts=(0, 8, 0))
    now = replace(bins, rows=20, missing=10, counts=(1, 5, 4), unseen=5)

    [one] = rule.compare({"x": now}, {"x": bins}, RULES)

    shares = (one.missing, one.missing_before, one.unseen, one.unseen_before)
    assert shares == (0.5, 0.2, 0.5, 0.0)


def test_column_of_gaps_alone_has_not_moved() -> None:
    bins = Distribution("number", 10, edges=(0.0, 1.0), counts=(0, 10, 0))
    gaps = replace(bins, missing=10, counts=(0, 0, 0))

    [one] = rule.compare({"x": gaps}, {"x": bins}, RULES, {"x": np.array([])})

    assert (one.distance, one.chance, one.has_moved, one.missing) == (0.0, 1.0, False, 1.0)


def test_columns_on_other_bins_or_of_training_answers_are_left_out() -> None:
    bins = Distribution("number", 10, edges=(0.0, 1.0), counts=(0, 10, 0))
    now = {"x": bins, "output.probability": bins, "y": replace(bins, edges=(0.0, 2.0))}
    before = rule.Before({**now, "y": bins}, unfair=("output.probability",))

    assert [one.column for one in rule.compare(now, before, RULES)] == ["x"]


def numbers(values: list[float]) -> Numbers:
    return np.array(values)


def test_ks_from_points_that_are_all_values_is_exact() -> None:
    before = population(900, np.random.default_rng(5))
    made = baseline.make(SCHEMA, before, Outputs())
    now = numbers([0.0, 0.5, 5.0])

    rows: list[Row] = [[value, 1.0, 1, "a"] for value in now.tolist()]
    summary = summary_of(made.summary, SCHEMA, columns_of(SCHEMA, rows, Outputs()))
    one = rule.compare(summary, rule.against_training(made), RULES, {"height": now})[0]

    assert one.column == "height"
    assert one.statistic == distances.ks(now, numbers([float(row[0]) for row in before]))  # type: ignore[arg-type]
