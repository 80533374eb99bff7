"""What a version is expected to reach goes with the rows that judge it, also after a move."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.clock import Clock
from tests.learning_model import School
from unrot.core.policy import Policy
from unrot.core.records import OUTPUT_PROBABILITY, Symptom, Version
from unrot.core.rules import Rules
from unrot.core.settings import Settings
from unrot.learn import promote
from unrot.learn.learn import OF_ANOTHER_WORLD
from unrot.run.bootstrap import open_service
from unrot.serve.shelf import sync
from unrot.watch.monitors.drift import look as drift
from unrot.watch.monitors.estimate import look as estimate
from unrot.watch.monitors.estimate.calibration import calibrations
from unrot.watch.monitors.rot import look as rot
from unrot.watch.profiles import baseline
from unrot.watch.reports import accuracy
from unrot.watch.visit import Visit

NOON = 1_800_014_400.0
HOUR = 3_600.0


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def school(homes: Callable[[str], Path], tmp_path: Path, clock: Clock) -> Iterator[School]:
    home = tmp_path / "home"
    shutil.copytree(homes("sgd"), home)
    settings = Settings(home=home, secret_key="the same key for all")
    service = replace(open_service(settings), clock=clock)
    yield School(service)
    service.store.close()


def calibrated_rows(school: School, name: str) -> int | None:
    """Return on how many rows a version was calibrated."""
    sync(school.service.shelf.folder, school.service.store.registry)
    shelved = school.service.catalogue().model("zombies")
    known = calibrations(school.service, shelved, [name])
    return known[name].rows if known else None


def outputs_compared(school: School, version: Version) -> int | None:
    """Return how many answers the reference of a version holds to compare with, if any."""
    made = baseline.unpack(school.service.store.registry.artefact(version.artefacts["reference"]))
    is_fair = OUTPUT_PROBABILITY not in made.unfair
    return made.summary[OUTPUT_PROBABILITY].rows if is_fair else None


def seen(school: School, now: float) -> list[Symptom]:
    shelved, rules = school.service.catalogue().model("zombies"), Rules()
    looks = (rot.look, estimate.look, drift.look)
    found = [one for look in looks for one in look(Visit(school.service, shelved, rules, now))]
    return [one for one in found if one.is_present and one.since >= NOON + HOUR]


def test_refit_is_held_against_the_new_world_and_nothing_is_found_amiss_in_it(
    school: School, clock: Clock
) -> None:
    school.taught(600, mutated=True)
    school.done("refit")
    promote.promote(school.service, "zombies", "v2", force=True, reason="a test")
    second = school.service.version("zombies", "v2")
    clock.now = NOON + HOUR
    school.taught(1_000, seed=3, mutated=True)
    school.service.store.verdicts.count_new(10_000)
    clock.now = NOON + 3 * HOUR
    school.caretaker._profiles.write_ended(clock.now)

    [hour] = accuracy.over_time(
        school.service, "zombies", since=NOON + HOUR, until=NOON + 2 * HOUR, step=HOUR
    ).points

    rows = second.metrics["rows_held_out"]
    assert second.anchor != second.artefacts["holdout"] and rows >= 100
    assert (calibrated_rows(school, "v2"), outputs_compared(school, second)) == (rows, rows)
    assert hour.estimated is not None and hour.accuracy.value is not None
    assert abs(hour.estimated.value - hour.accuracy.value) < 0.05
    assert hour.accuracy.value > 0.85
    assert seen(school, clock.now) == []
    check = school.service.store.checks.last("zombies", "training")
    assert check is not None and check.version == "v2"
    assert OUTPUT_PROBABILITY in {one.column for one in check.drifts}


def test_refit_of_the_same_world_is_held_against_the_anchor_that_stands(school: School) -> None:
    school.taught(200)

    school.done("refit")

    second = school.service.version("zombies", "v2")
    assert second.anchor == second.artefacts["holdout"]
    assert (calibrated_rows(school, "v2"), outputs_compared(school, second)) == (1_000, 1_000)


def test_rather_nothing_is_expected_than_what_the_old_world_promised(school: School) -> None:
    school.service.store.registry.set_policy("zombies", Policy(gate=False, promote="auto"))
    school.taught(300, mutated=True)

    school.done("refit")

    second = school.service.version("zombies", "v2")
    found = accuracy.over_time(school.service, "zombies", since=NOON, until=NOON + HOUR, step=HOUR)
    assert (calibrated_rows(school, "v2"), outputs_compared(school, second)) == (None, None)
    assert found.no_estimate.startswith("The world has moved since the test set of v2:")


def test_version_that_is_weighed_again_in_a_new_world_is_calibrated_in_it(school: School) -> None:
    school.taught(60)
    school.done("learn")
    before = calibrated_rows(school, "v2")
    school.taught(400, seed=2, mutated=True)

    school.done("weigh", version="v2")

    second = school.service.version("zombies", "v2")
    assert before == 1_000
    assert calibrated_rows(school, "v2") == second.metrics["rows_held_out"] < 1_000


def test_what_was_judged_in_a_world_that_is_over_teaches_nothing(
    school: School, clock: Clock
) -> None:
    school.taught(150, seed=2)
    clock.now += HOUR
    gone = {one.id for one in school.taught(300, seed=3, mutated=True)}
    clock.now += HOUR
    school.taught(300, seed=4)

    result = school.done("refit")

    fates = school.service.store.lessons.fates_of("zombies", "v2", limit=1_000)
    learnt = {fate.prediction for fate, _ in fates if fate.kind == "learnt"}
    over = {fate.prediction for fate, _ in fates if fate.reason == OF_ANOTHER_WORLD}
    assert "The world moved at" in result["sentence"]
    assert school.service.version("zombies", "v2").anchor_since == 0.0
    assert not learnt & gone
    assert over <= gone and len(over) > len(gone) / 2
