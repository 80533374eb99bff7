"""References: bins that outliers fall outside of, quantiles that are near, files that are whole."""

from __future__ import annotations

import numpy as np
import pytest

from unrot.core.errors import BadArtefact
from unrot.core.records import Distribution, Feature, Outputs, Row, Schema, Sketch
from unrot.watch.profiles import baseline
from unrot.watch.profiles.columns import columns_of
from unrot.watch.profiles.distributions import summary_of, total

SCHEMA = Schema(
    (
        Feature("height", "number"),
        Feature("rooms", "integer"),
        Feature("colour", "category", choices=("red", "blue", "green")),
        Feature("is_new", "boolean"),
    ),
    target="kind",
    classes=("good", "bad"),
)
RNG = np.random.default_rng(1)
ROWS: list[Row] = [
    [float(RNG.normal()), int(RNG.integers(0, 4)), "blue" if place % 3 else "red", place % 2 == 0]
    for place in range(200)
]
OUTPUTS = Outputs([0, 1] * 100, [[0.75, 0.25]] * 200)


def test_numbers_are_counted_between_quantiles_with_empty_open_bins() -> None:
    height = baseline.make(SCHEMA, ROWS, OUTPUTS).summary["height"]

    values = [row[0] for row in ROWS]
    assert len(height.counts) == 14 + 2  # √200 ≈ 14 bins
    assert (height.counts[0], height.counts[-1], sum(height.counts)) == (0, 0, 200)
    assert max(height.counts[1:-1]) - min(height.counts[1:-1]) <= 2
    assert (height.low, height.high, height.unseen) == (min(values), max(values), 0)  # type: ignore[type-var]
    assert height.edges[-1] == np.nextafter(max(values), np.inf)  # type: ignore[type-var]


@pytest.mark.parametrize(("rows", "bins"), [(20, 10), (400, 20), (100_000, 30)])
def test_number_of_bins_grows_with_the_rows(rows: int, bins: int) -> None:
    assert len(baseline.edges_of(np.random.default_rng(2).normal(size=rows))) == bins + 1


def test_few_values_have_a_bin_each() -> None:
    rooms = baseline.make(SCHEMA, ROWS, OUTPUTS).summary["rooms"]

    assert rooms.edges == (0.0, 1.0, 2.0, 3.0, float(np.nextafter(3.0, 4.0)))
    assert list(rooms.counts) == [0, *np.bincount([int(row[1]) for row in ROWS]).tolist(), 0]  # type: ignore[arg-type]


def test_constant_and_empty_columns_have_bins_too() -> None:
    schema = Schema((Feature("one", "number"), Feature("none", "number", nullable=True)), "y")
    made = baseline.make(schema, [[7.0, None]] * 5, Outputs())

    assert made.summary["one"].counts == (0, 5, 0)
    assert made.summary["none"] == Distribution(
        "number", rows=5, missing=5, missing_runs=1, counts=(0,)
    )
    traffic = columns_of(schema, [[7.0, 1.0], [8.0, None]], Outputs())
    now = summary_of(made.summary, schema, traffic)
    assert (now["one"].counts, now["none"].unseen) == ((0, 1, 1), 1)


def test_choices_booleans_and_classes_are_counted_as_text() -> None:
    made = baseline.make(SCHEMA, ROWS, OUTPUTS)

    assert made.summary["colour"].choices == ("blue", "red")
    assert made.summary["colour"].counts == (133, 67, 0)
    assert made.summary["is_new"].choices == ("true", "false")
    assert made.summary["output.class"].counts == (100, 100, 0)


def test_rare_choices_of_a_long_list_are_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baseline, "MOST_CHOICES", 1)

    colour = baseline.make(SCHEMA, ROWS, OUTPUTS).summary["colour"]

    assert (colour.choices, colour.counts, colour.unseen) == (("blue",), (133, 67), 0)


def test_choice_that_the_schema_does_not_name_was_never_seen() -> None:
    made = baseline.make(SCHEMA, ROWS, OUTPUTS)
    rows: list[Row] = [[1.0, 1, "green", True], [1.0, 1, "mauve", True], [1.0, 1, None, None]]

    now = summary_of(made.summary, SCHEMA, columns_of(SCHEMA, rows, Outputs()))

    assert (now["colour"].counts, now["colour"].unseen, now["colour"].missing) == ((0, 0, 2), 1, 1)
    assert "output.class" not in now


def test_summaries_of_parts_add_up_to_that_of_the_whole() -> None:
    bins = baseline.make(SCHEMA, ROWS, OUTPUTS).summary

    parts = [
        summary_of(bins, SCHEMA, columns_of(SCHEMA, ROWS[start : start + 50], Outputs([1] * 50)))
        for start in range(0, 200, 50)
    ]

    whole = summary_of(bins, SCHEMA, columns_of(SCHEMA, ROWS, Outputs([1] * 200)))
    added = total(parts)
    assert {name: one.counts for name, one in added.items()} == {
        name: one.counts for name, one in whole.items()
    }
    assert added["height"].mean == pytest.approx(whole["height"].mean)
    assert (added["height"].low, added["rooms"].rows) == (whole["height"].low, 200)


def test_distributions_on_other_bins_do_not_add_up() -> None:
    with pytest.raises(ValueError, match="other bins"):
        total([{"a": Distribution("number", edges=(1.0,))}, {"a": Distribution("number")}])


def test_reference_is_read_back_as_it_was_and_equal_ones_are_equal_bytes() -> None:
    made = baseline.make(SCHEMA, ROWS, OUTPUTS)

    packed = baseline.pack(made)

    read = baseline.unpack(packed)
    assert read.summary == made.summary
    assert read.unfair == made.unfair == ("output.probability",)
    assert {name: list(one) for name, one in read.points.items()} == {
        name: list(one) for name, one in made.points.items()
    }
    assert baseline.pack(baseline.make(SCHEMA, ROWS, OUTPUTS)) == packed


@pytest.mark.parametrize("data", [b"", b"nonsense", baseline.pack(baseline.Reference({}))[:-9]])
def test_damaged_reference_is_said_to_be(data: bytes) -> None:
    with pytest.raises(BadArtefact, match="does not load"):
        baseline.unpack(data)


def test_answers_to_held_out_rows_stand_for_those_to_its_own() -> None:
    held_out = Outputs([0] * 40, [[0.5, 0.5]] * 40)

    made = baseline.make(SCHEMA, ROWS, OUTPUTS, held_out)

    assert made.unfair == ()
    assert made.summary["output.probability"].rows == 40
    assert made.summary["output.class"].counts == (40, 0)


def test_profile_of_elsewhere_is_put_on_the_bins_of_the_version() -> None:
    own = baseline.make(SCHEMA, ROWS, OUTPUTS)
    values = RNG.normal(2.0, 1.0, 5_000)
    points = tuple(np.quantile(values, np.linspace(0, 1, 1_001)).tolist())
    sketches = {
        "height": Sketch(rows=5_100, missing=100, points=points),
        "colour": Sketch(rows=10, frequent={"red": 6, "mauve": 4}),
    }

    made = baseline.of_sketches(SCHEMA, sketches, own)

    height = made.summary["height"]
    exact = np.bincount(np.searchsorted(own.summary["height"].edges, values, "right"))
    assert height.edges == own.summary["height"].edges
    assert np.abs(np.array(height.counts) - exact).max() <= 10  # 2 of 1,000 steps of 5,000
    assert (sum(height.counts), height.missing) == (5_000, 100)
    assert (made.summary["colour"].counts, made.summary["colour"].unseen) == ((0, 6, 4), 4)
