"""What the champion leans on, day by day: told when features have surely changed places."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.clock import NOON, Clock
from tests.learning_model import School, zombies_of
from tests.live_server import prepare
from unrot.core.records import Symptom
from unrot.core.rules import Rules
from unrot.core.settings import Settings
from unrot.core.time import DAY
from unrot.explain.explaining import read_kept
from unrot.explain.importance import amounts_by_sums
from unrot.watch.monitors.reasons import look as reasons
from unrot.watch.monitors.reasons.note import read_days
from unrot.watch.visit import Visit

MIDNIGHT = NOON // DAY * DAY
LOOKS_AT = 2 * 3_600.0


@pytest.fixture(scope="module")
def linear_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train zombies as a linear model: its answers are explained exactly."""
    return prepare(tmp_path_factory.mktemp("linear") / "home", {"zombies": "sgd"})


@pytest.fixture
def settings(linear_home: Path, tmp_path: Path) -> Settings:
    return Settings(home=shutil.copytree(linear_home, tmp_path / "home"))


def of_day(school: School, clock: Clock, day: int, rows: list[dict[str, Any]]) -> None:
    """Let rows be predicted, a few in each part of a day."""
    for part in range(8):
        clock.now = MIDNIGHT + day * DAY + part * 10_000.0
        school.predicted(rows[part::8])


def looked(
    school: School,
    clock: Clock,
    day: int,
    rules: Rules | None = None,
    remembered: dict[str, Any] | None = None,
) -> list[Symptom]:
    """Look after a day is over."""
    clock.now = MIDNIGHT + (day + 1) * DAY + LOOKS_AT
    shelved = school.service.catalogue().model("zombies")
    visit = Visit(
        *(school.service, shelved, rules or Rules(), clock.now), remembered=remembered or {}
    )
    return list(reasons.look(visit))


def turned(school: School) -> list[dict[str, Any]]:
    """Draw rows in which what usually leads the reasons hardly moves an answer."""
    drawn = [row for row, _ in zombies_of(3_000, seed=9)]
    shelved = school.service.catalogue().model("zombies")
    kept = read_kept(school.service.shelf, shelved, shelved.version())
    assert kept.sums is not None
    amounts = amounts_by_sums(kept.sums, [[*row.values()] for row in drawn])
    first, second = np.argsort(-amounts.mean(axis=0))[:2]
    order = np.argsort(amounts[:, first] - amounts[:, second])
    return [drawn[place] for place in order[:120]]


def usual(seed: int = 5) -> list[dict[str, Any]]:
    return [row for row, _ in zombies_of(120, seed=seed)]


def test_day_in_which_features_changed_places_is_told_and_gone_with_a_usual_one(
    school: School, clock: Clock
) -> None:
    of_day(school, clock, 0, usual())
    assert looked(school, clock, 0) == []
    of_day(school, clock, 1, turned(school))
    [found] = looked(school, clock, 1)
    of_day(school, clock, 2, usual(6))
    [gone] = looked(school, clock, 2)

    assert (found.kind, found.is_present, found.gravity) == ("reasons", True, "warning")
    assert (found.since, found.at) == (MIDNIGHT + DAY, MIDNIGHT + 2 * DAY)
    up, down = found.features[:2]
    told = {one["feature"]: one for one in found.evidence["features"]}
    assert told[up]["share"] > told[down]["share"]
    assert told[up]["usual"] < told[down]["usual"]
    assert "moves its answers more than" in found.sentence
    assert (gone.is_present, gone.at) == (False, MIDNIGHT + 3 * DAY)


def test_usual_days_raise_nothing_and_are_noted(school: School, clock: Clock) -> None:
    for day in range(5):
        of_day(school, clock, day, usual(day))
        assert looked(school, clock, day) == []

    shelved = school.service.catalogue().model("zombies")
    days = read_days(school.service.store.findings, shelved.model.key, shelved.version().name)
    assert [one.starts_at for one in days] == [MIDNIGHT + day * DAY for day in range(5)]
    assert all(sum(one.shares.values()) == pytest.approx(1.0) for one in days)
    assert all(0 <= one.moved_from(shelved.version().leans_on) < 0.2 for one in days)


def test_day_is_looked_at_once(school: School, clock: Clock) -> None:
    of_day(school, clock, 0, turned(school))

    assert len(looked(school, clock, 0)) == 1
    assert looked(school, clock, 0) == []


def test_of_few_rows_nothing_is_said(school: School, clock: Clock) -> None:
    of_day(school, clock, 0, turned(school)[:16])

    assert looked(school, clock, 0) == []


def test_rule_switches_it_off(school: School, clock: Clock) -> None:
    of_day(school, clock, 0, turned(school))

    assert looked(school, clock, 0, Rules(reasons=False)) == []


def test_what_has_a_smaller_share_than_the_rules_say_may_go_where_it_likes(
    school: School, clock: Clock
) -> None:
    of_day(school, clock, 0, turned(school))

    assert looked(school, clock, 0, Rules(reason_share=0.99)) == []


def test_what_was_seen_is_remembered_so_that_the_store_is_not_asked_again(
    school: School, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    remembered: dict[str, Any] = {"other": 1}
    of_day(school, clock, 0, usual())
    looked(school, clock, 0, remembered=remembered)

    monkeypatch.setattr(Visit, "read_note", lambda *_: pytest.fail("The store was asked."))

    assert looked(school, clock, 0, remembered=remembered) == []
