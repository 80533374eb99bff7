"""The detector of odd rows beside scikit-learn's, and on rows that break things."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors

from bench import outliers as bench
from unrot.core.errors import BadArtefact
from unrot.core.records import Feature, Row, Schema
from unrot.make.demos import iris, zombies
from unrot.watch.monitors.outliers import neighbours
from unrot.watch.monitors.outliers.neighbours import Neighbours, fit, load


def schema_of(*features: Feature) -> Schema:
    return Schema(features, "kind", ("a", "b"))


def numbers(width: int) -> Schema:
    return schema_of(*(Feature(f"f{place}", "number") for place in range(width)))


def fitted(schema: Schema, rows: Sequence[Row]) -> Neighbours:
    return load(fit(schema, rows), schema)


def normal(rows: int, width: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(rows, width))


# ── the same numbers ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("width", [3, 13, 60])
def test_scores_are_those_of_scikit_learn(width: int) -> None:
    schema = numbers(width)
    rows, asked = (
        (normal(300, width) * 7 + 100).tolist(),
        (normal(80, width, 1) * 14 + 100).tolist(),
    )
    ours = fitted(schema, rows)

    theirs = LocalOutlierFactor(neighbours.NEIGHBOURS, novelty=True).fit(ours.rows)

    expected = -theirs.score_samples(ours.placed(asked))
    assert ours.score(asked) * ours.threshold == pytest.approx(expected, rel=1e-5)
    kept = np.sort(-theirs.negative_outlier_factor_)
    assert ours.threshold == pytest.approx(kept[297], rel=1e-5)


def test_neighbours_are_those_of_scikit_learn() -> None:
    data = zombies.load()
    ours = fitted(data.schema, data.rows.tolist())
    asked = ours.placed(data.holdout_rows[:500].tolist())

    _, distances = ours._nearest(asked)

    theirs = NearestNeighbors(n_neighbors=neighbours.NEIGHBOURS).fit(ours.rows)
    expected, _ = theirs.kneighbors(asked)
    assert np.sort(distances, axis=1) == pytest.approx(expected, abs=1e-5)


# ── what it tells ────────────────────────────────────────────────────────────────────────────


def test_broken_joint_structure_is_told_where_an_isolation_forest_sees_nothing() -> None:
    schema, training, fresh = bench.numbers(13, informative=6, redundant=5, seed=1)
    ours = fitted(schema, training)
    odd = bench.shuffled(fresh)
    truth = [0] * len(fresh) + [1] * len(odd)

    forest = IsolationForest(n_estimators=50, random_state=0).fit(ours.rows)

    assert roc_auc_score(truth, ours.score(fresh + odd)) > 0.97
    assert roc_auc_score(truth, -forest.score_samples(ours.placed(fresh + odd))) < 0.65


@pytest.mark.parametrize("world", list(bench.worlds()), ids=lambda world: world.name)
def test_far_out_rows_are_told_and_fresh_ones_are_not(world: bench.World) -> None:
    ours = fitted(world.schema, world.training)

    found = np.mean(ours.score(bench.far_out(world)) > 1)

    assert found > (0.3 if world.name == "wide" else 0.98)
    assert np.mean(ours.score(world.fresh) > 1) < 0.02


def test_value_far_out_is_named_with_nearly_all_of_the_distance() -> None:
    data = iris.load()
    ours = fitted(data.schema, data.rows.tolist())

    [reasons] = ours.explain([[5.1, 9.0, 1.4, 0.2]])

    assert reasons[0].feature == "sepal_width_cm"
    assert reasons[0].share > 0.95
    assert sum(reason.share for reason in reasons) <= 1


def test_features_that_do_not_go_together_are_named() -> None:
    rows = normal(1_000, 6)
    rows[:, 4] = rows[:, 1] + 0.05 * rows[:, 4]
    ours = fitted(numbers(6), rows.tolist())
    odd = [0.0, 1.5, 0.0, 0.0, -1.5, 0.0]

    assert ours.score([odd])[0] > 1
    assert {reason.feature for reason in ours.explain([odd])[0][:2]} == {"f1", "f4"}


def test_row_of_the_training_itself_has_no_reasons() -> None:
    ours = fitted(numbers(2), [[1.0, 2.0]] * 200)

    assert ours.explain([[1.0, 2.0]]) == [()]
    assert ours.score([[1.0, 2.0]]).tolist() == [1.0]


# ── choices, gaps, columns that never change ─────────────────────────────────────────────────

HOUSE = schema_of(
    Feature("town", "category", choices=("Rome", "Oslo", "Bonn")),
    Feature("size", "number", nullable=True),
    Feature("is_new", "boolean"),
    Feature("floors", "integer"),
)


def houses() -> list[Row]:
    """Return 600 houses: in Rome and Oslo, old and of one floor; sizes around 100."""
    sizes = normal(600, 1)[:, 0] * 10 + 100
    return [["Rome" if at % 2 else "Oslo", float(size), False, 1] for at, size in enumerate(sizes)]


@pytest.mark.parametrize(
    ("row", "feature"),
    [
        (["Bonn", 100.0, False, 1], "town"),
        (["Paris", 100.0, False, 1], "town"),
        (["Rome", None, False, 1], "size"),
        (["Rome", 200.0, False, 1], "size"),
        (["Rome", 100.0, True, 1], "is_new"),
        (["Rome", 100.0, False, 2], "floors"),
    ],
)
def test_what_training_never_saw_is_odd_and_named(row: Row, feature: str) -> None:
    ours = fitted(HOUSE, houses())

    assert ours.score([row])[0] > 1
    assert ours.explain([row])[0][0].feature == feature


def test_usual_house_is_not_odd() -> None:
    assert fitted(HOUSE, houses()).score([["Rome", 104.0, False, 1]])[0] < 1


def test_two_choices_are_as_far_apart_as_two_numbers_usually_are() -> None:
    ours = fitted(HOUSE, houses())
    rome, oslo, unseen, gap = ours.placed(
        [[town, 100.0, False, 1] for town in ("Rome", "Oslo", "Paris")] + [["Rome", None, False, 1]]
    ).astype(float)

    assert np.sum((rome - oslo) ** 2) == 2
    assert np.sum((rome - unseen) ** 2) == 2
    assert np.sum((rome - gap) ** 2) == pytest.approx(2, abs=0.02)


def test_gap_is_usual_where_training_has_many() -> None:
    rows = houses()
    rows[::3] = [[town, None, is_new, floors] for town, _, is_new, floors in rows[::3]]

    assert fitted(HOUSE, rows).score([["Rome", None, False, 1]])[0] < 1


def test_rare_choices_are_one_choice() -> None:
    choices = tuple(f"c{place}" for place in range(300))
    schema = schema_of(Feature("shop", "category", choices=choices), Feature("sum", "number"))
    rows = [[choices[at % 40 if at % 9 else at % 300], float(at % 7)] for at in range(3_000)]

    ours = fitted(schema, rows)

    assert ours.placed([[choices[0], 1.0]]).shape == (1, neighbours.MOST_CHOICES + 2)
    assert np.mean(ours.score(rows) > 1) < 0.05


@pytest.mark.parametrize("value", [1e300, -1e300, 2.0**62])
def test_number_beyond_all_bounds_is_far_and_finite(value: float) -> None:
    ours = fitted(numbers(3), normal(500, 3).tolist())

    scores = ours.score([[0.0, value, 0.0]])

    assert np.isfinite(scores).all()
    assert scores[0] > 1_000


def test_few_mad_values_in_training_do_not_hide_the_others() -> None:
    rows = normal(1_000, 2)
    rows[:3, 0] = 1e9

    assert fitted(numbers(2), rows.tolist()).score([[12.0, 0.0]])[0] > 2


def test_text_without_choices_is_not_looked_at() -> None:
    schema = schema_of(Feature("note", "category"), Feature("size", "number"))
    rows = [[f"note {at}", float(value)] for at, value in enumerate(normal(300, 1)[:, 0])]

    assert fitted(schema, rows).score([["what nobody ever wrote", 0.0]])[0] < 1


# ── artefact ─────────────────────────────────────────────────────────────────────────────────


def test_artefact_is_the_same_each_time_and_small() -> None:
    rows = normal(5_000, 13).tolist()

    data = fit(numbers(13), rows)

    assert data == fit(numbers(13), rows)
    assert len(data) < 4 * 2_000 * (13 + 2) + 3_000


def test_wide_tables_keep_fewer_rows() -> None:
    rows = normal(1_200, 1_000).tolist()

    assert fitted(numbers(1_000), rows).rows.shape == (1_000, 1_000)


def test_too_few_rows_make_no_detector() -> None:
    assert fit(numbers(2), normal(neighbours.FEWEST_ROWS - 1, 2).tolist()) == b""
    assert fit(numbers(2), normal(neighbours.FEWEST_ROWS, 2).tolist()) != b""


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: b"",
        lambda data: data[:100],
        lambda data: data[:-8],
        lambda data: data.replace(b'"form":1', b'"form":7'),
        lambda _: b"\xff" * 64,
    ],
)
def test_spoilt_artefact_says_that_it_does_not_load(spoil: object) -> None:
    data = fit(numbers(2), normal(200, 2).tolist())

    with pytest.raises(BadArtefact, match="The neighbours do not load"):
        load(spoil(data), numbers(2))  # type: ignore[operator]


def test_many_rows_are_scored_as_each_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = fitted(numbers(4), normal(300, 4).tolist())
    asked = normal(50, 4, 2).tolist()
    at_once = ours.score(asked)
    monkeypatch.setattr(neighbours, "CELLS_AT_ONCE", 1_000)

    assert ours.score(asked) == pytest.approx(at_once, rel=1e-9)
    assert len(ours.explain(asked)) == 50
    assert ours.score([]).tolist() == []
