"""Parts of the traffic as the lookout sees them, in a small town of real zombies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.learning_model import CROWD, JUDGE, OTHER, School, zombies_of
from tests.live_server import prepare
from tests.watch.monitors.conftest import Clock
from unrot.core.dataset import Dataset
from unrot.core.records import Caller, Feature, Schema, Symptom
from unrot.core.rules import FeatureRule, Rules
from unrot.core.settings import Settings
from unrot.run.bootstrap import open_service
from unrot.watch.monitors.slices import look as slices
from unrot.watch.visit import Visit

REGIONS = ("north", "south")
Row = dict[str, float]


@pytest.fixture
def school(ticking_school: School) -> School:
    return ticking_school


def taught(
    school: School,
    count: int,
    *,
    seed: int = 1,
    wrong: Callable[[Row], bool] = lambda _: False,
    caller: Caller = JUDGE,
) -> None:
    """Let zombies be predicted and judged: all answers are right but where they are to be wrong."""
    rows = [row for row, _ in zombies_of(count, seed=seed)]
    for start in range(0, count, 100):
        part = rows[start : start + 100]
        made = school.predicted(part)
        said = [
            OTHER[str(one.label)] if wrong(row) else str(one.label)
            for row, one in zip(part, made, strict=True)
        ]
        school.judged(made, said, caller)


def looked(school: School, rules: Rules = Rules()) -> list[Symptom]:  # noqa: B008
    shelved = school.service.catalogue().model("zombies")
    return list(slices.look(Visit(school.service, shelved, rules, school.service.clock())))


def is_decayed(row: Row) -> bool:
    """About 12 % of the zombies, one eighth of the training."""
    return row["decay"] >= 1.16772


def test_part_that_falls_alone_is_named_with_what_it_was_and_what_the_rest_is(
    school: School,
) -> None:
    taught(school, 1_000)
    assert looked(school) == []
    taught(school, 1_000, seed=2, wrong=is_decayed)

    *_, found = looked(school)

    assert (found.cause, found.kind, found.is_present) == ("slice", "slice", True)
    assert found.gravity == "grave"
    assert found.features == ("decay",)
    assert found.sentence == (
        "Where decay is 1.16772 or more (13 % of its verdicts), v1 is right in 0 % of 134 "
        "verdicts; before > 99 % of 126; elsewhere it is 100 %."
    )
    assert "Look at these rows in the explorer." in found.advice
    [part] = found.evidence["parts"]
    assert (part["part"], part["accuracy"], part["verdicts"]) == (
        "decay is 1.16772 or more",
        0,
        134,
    )
    assert found.evidence["whose"]["trusted"] == 134


def test_it_is_found_in_its_own_time_however_late_somebody_looks(school: School) -> None:
    taught(school, 1_000)
    taught(school, 1_000, seed=2, wrong=is_decayed)
    taught(school, 1_000, seed=3)

    first, *_, last = looked(school)

    assert first.is_present
    assert first.evidence["parts"][0]["verdicts"] <= 60
    assert (last.is_present, last.sentence) == (False, "v1 is right there again, as it was before.")
    assert first.since < first.at < last.at


def test_nothing_is_looked_at_twice_and_less_than_a_stretch_waits(school: School) -> None:
    taught(school, 1_000)
    taught(school, 500, seed=2, wrong=is_decayed)
    looked(school)

    again = looked(school)
    taught(school, 49, seed=4, wrong=is_decayed)
    early = looked(school)
    taught(school, 1, seed=5, wrong=is_decayed)
    late = looked(school)

    assert (again, early) == ([], [])
    assert [one.is_present for one in late] == [True]


def test_fall_of_everything_is_rot_and_none_of_a_part(school: School) -> None:
    taught(school, 1_000)
    taught(school, 1_000, seed=2, wrong=lambda row: int(1e6 * row["hunger"]) % 10 < 6)

    assert [one for one in looked(school) if one.is_present] == []


def test_test_set_stands_in_where_there_was_nothing_before(school: School) -> None:
    taught(school, 1_000, wrong=is_decayed)

    *_, found = looked(school)

    assert found.is_present
    assert "; on its test set " in found.sentence


def test_how_much_of_a_class_is_found_is_not_told_where_one_answer_alone_is_judged(
    school: School,
) -> None:
    rows = zombies_of(2_000, seed=3)
    for start in range(0, len(rows), 100):
        part = rows[start : start + 100]
        made = school.predicted([row for row, _ in part])
        chosen = [pair for pair in zip(made, part, strict=True) if pair[0].label == "hostile"]
        school.judged([one for one, _ in chosen], [truth for _, (_, truth) in chosen])

    assert [one for one in looked(school) if one.is_present] == []


def test_what_one_visitor_says_is_a_note_that_says_so(school: School) -> None:
    taught(school, 1_000)
    taught(school, 600, seed=2, wrong=is_decayed, caller=CROWD)

    *_, found = looked(school)

    assert found.gravity == "note"
    assert "They were judged by one visitor, and no judge has confirmed it." in found.sentence


def test_rules_switch_it_off_for_all_or_for_a_feature(school: School) -> None:
    taught(school, 1_000)
    taught(school, 600, seed=2, wrong=is_decayed)

    assert looked(school, Rules(slices=False)) == []
    assert looked(school, Rules(features={"decay": FeatureRule(is_watched=False)})) == []


def houses() -> Dataset:
    """Prices that follow from the size; a tenth of the houses stand in the north."""
    draw = np.random.default_rng(3)
    sizes = draw.uniform(40, 200, 3_000).round(1)
    is_south = draw.random(3_000) >= 0.1
    rows = np.column_stack([sizes, is_south])
    prices = 3 * sizes + draw.normal(0, 10, 3_000)
    features = Feature("size", "number"), Feature("region", "category", choices=REGIONS)
    return Dataset(
        "houses", "Houses", "", Schema(features, "price"),
        rows[:2_000], prices[:2_000], rows[2_000:], prices[2_000:],
    )  # fmt: skip


def test_numbers_of_one_region_that_are_farther_off_are_told(tmp_path: Path) -> None:
    home = prepare(tmp_path / "houses", {"houses": "linear"}, rows=2_000, made=houses)
    service = replace(open_service(Settings(home=home)), clock=Clock())
    school, data = School(service, "houses"), houses()

    for start in range(0, 2_000, 100):
        part = data.rows[start : start + 100]
        made = school.predicted(
            [{"size": size, "region": REGIONS[int(place)]} for size, place in part]
        )
        off = np.where((part[:, 1] == 0) & (start >= 1_000), 60.0, 0.0)
        school.judged(made, (data.labels[start : start + 100] + off).tolist())
    shelved = service.catalogue().model("houses")
    *_, found = slices.look(Visit(service, shelved, Rules(), service.clock()))
    service.store.close()

    near = 2 * shelved.versions["v1"].metrics["mae"]
    assert found.is_present
    assert found.features == ("region",)
    assert found.sentence.startswith("Where region is north (")
    assert f"v1 is no more than {near:.3g} off in 0 % of " in found.sentence


def test_fresh_version_ends_it_when_it_is_right_there(small_school: School) -> None:
    school = small_school
    taught(school, 1_000)
    taught(school, 500, seed=2, wrong=is_decayed)
    assert looked(school)[-1].is_present
    school.done("refit")
    service = school.service
    service.store.registry.move_alias(
        "zombies", "champion", to="v2", expected="v1", at=service.clock()
    )
    school.caretaker._fill_shelf()

    taught(school, 100, seed=3)
    early = looked(school)
    taught(school, 500, seed=4)
    late = looked(school)

    assert early == []
    assert {one.is_present for one in late} == {False}
