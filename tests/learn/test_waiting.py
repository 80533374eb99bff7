"""A learn job reads what is new, however long its model has been judged."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.clock import Clock
from tests.learn.conftest import KEY
from tests.learning_model import JUDGE, OTHER, School, zombies_of
from unrot.core import lineage
from unrot.core.policy import Policy
from unrot.core.records import Fate, Feedback, Prediction
from unrot.core.settings import Settings
from unrot.hear import verdict_store
from unrot.learn import jobs, material, waiting
from unrot.learn.fate_store import FateStore
from unrot.learn.lesson_store import LessonStore
from unrot.run.bootstrap import open_service
from unrot.store.engine import SqlStore

LATER = 2 * 3_600.0
Open = Callable[[str], School]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the service, the store and all else; every look is a moment on."""
    clock = Clock(1_800_000_000.0)
    for module in (verdict_store, waiting):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=clock))
    monkeypatch.setattr(waiting, "WORTH_NOTING", 10)
    return clock


@pytest.fixture
def open_school(homes: Callable[[str], Path], tmp_path: Path, clock: Clock) -> Iterator[Open]:
    """Open a school that promotes what it learnt, on a copy of a home."""
    opened: list[School] = []

    def school(name: str) -> School:
        shutil.copytree(homes("sgd"), tmp_path / name)
        settings = Settings(home=tmp_path / name, secret_key=KEY)
        service = replace(open_service(settings), clock=clock)
        service.store.registry.set_policy("zombies", Policy(gate=False, promote="auto"))
        opened.append(School(service))
        return opened[-1]

    yield school
    for one in opened:
        one.service.store.close()


class Read:
    """Counts the rows of the store and the fates that are gone through."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.count = 0
        patch.setattr(SqlStore, "_read", self._counting(SqlStore._read))
        patch.setattr(FateStore, "rows_in", self._counting(FateStore.rows_in))
        patch.setattr(LessonStore, "trusted", self._leaving_out(LessonStore.trusted))

    def _counting(self, read: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
        def counted(*asked: Any) -> list[Any]:
            found = read(*asked)
            self.count += len(found)
            return found

        return counted

    def _leaving_out(self, read: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
        """Of the newest verdicts as many are looked up as their ids hold out: that is chance."""

        def not_counted(*asked: Any, **more: Any) -> list[Any]:
            found = read(*asked, **more)
            self.count -= len(found)
            return found

        return not_counted


def test_job_reads_no_more_after_ten_times_as_many_verdicts(
    open_school: Open, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(material, "MOST_RECENT_ROWS", 20)
    read = Read(monkeypatch)
    counts = []
    for size in (100, 1_000):
        school = open_school(f"after {size}")
        for count in (size, 20, 20):
            clock.now += LATER
            school.taught(count)
            while school.service.store.verdicts.count_new(1_000):  # as a caretaker does
                continue
            before = read.count
            school.done("learn")
        counts.append(read.count - before)

    assert counts[1] == pytest.approx(counts[0], abs=2)


def test_what_was_learnt_long_ago_is_not_learnt_again_when_it_is_judged_again(
    open_school: Open, clock: Clock
) -> None:
    """One verdict is changed, another is taken back and given again."""
    school = open_school("judged again")
    [first, *_] = learnt_hourly(school, clock, 20, 20, 20)
    changed, again = first[:2]
    told = school.service.store.verdicts.of(again.id or "")
    assert told is not None
    school.service.withdraw(again.id or "", JUDGE)

    school.judged([changed, again], [OTHER[changed.label or ""], told.label])

    assert waits(school) == []


def test_what_an_older_version_set_aside_meanwhile_does_not_wait(
    open_school: Open, clock: Clock
) -> None:
    """The champion is rolled back, decides something, and the later one is promoted again."""
    school = open_school("back")
    learnt_hourly(school, clock, 20, 20, 20)
    registry = school.service.store.registry
    registry.move_alias("zombies", "champion", to="v2", expected="v4")
    made = school.taught(3)
    fates = [Fate(one.id or "", "set aside", clock.now, "a reason") for one in made]

    school.service.store.lessons.decide("zombies", "v2", fates)
    registry.move_alias("zombies", "champion", to="v4", expected="v2")

    assert waits(school) == []


def test_verdict_that_arrives_late_waits(open_school: Open, clock: Clock) -> None:
    school = open_school("late")
    learnt_hourly(school, clock, 20, 20)
    clock.now -= 2 * LATER  # a machine that acknowledged it, and was away since
    [late] = school.predicted([zombies_of(1, seed=5)[0][0]])
    told = Feedback(late.id or "", "zombies", clock.now, clock.now, label="hostile", judge="ada")
    clock.now += 2 * LATER

    school.service.store.verdicts.put([told])

    assert waits(school) == [late.id]


def test_job_waits_for_what_was_judged_before_it_began_and_not_for_what_comes_on(
    open_school: Open,
) -> None:
    """A model that is judged every moment always has predictions that are on their way."""
    school = open_school("on their way")
    drawn = zombies_of(20, seed=5)
    asked = school.service.predict("zombies", [row for row, _ in drawn]).predictions
    school.judged(asked, [truth for _, truth in drawn])
    job = jobs.ask(school.service, "zombies", "refit", {}, by="operator")
    told: list[str] = []

    def more_comes(_done: float, step: str) -> None:
        told.append(step)
        if "to be shipped" in step:
            school.caretaker.ship()
            school.service.store.verdicts.count_new(1_000)
            later = school.service.predict("zombies", [zombies_of(1, seed=6)[0][0]]).predictions
            school.judged(later, ["hostile"])

    material.read_material(school.service, job, more_comes)

    waited = [step for step in told if "to be shipped" in step]
    assert waited == ["waiting for 20 predictions to be shipped"]


def learnt_hourly(school: School, clock: Clock, *counts: int) -> list[list[Prediction]]:
    """Let verdicts be given and learnt, an hour apart; return predictions that were learnt."""
    found = []
    for count in counts:
        clock.now += LATER
        made = school.taught(count)
        school.done("learn")
        known = school.service.store.lessons.learnt("zombies", line_of(school))
        found.append([one for one in made if one.id in known])
    return found


def line_of(school: School) -> list[str]:
    champion = school.service.aliases("zombies")["champion"]
    return lineage.learning_line(school.service.versions("zombies"), champion)


def waits(school: School) -> list[str | None]:
    found = school.service.store.lessons.waiting("zombies", line_of(school), 1_000)
    assert school.service.store.lessons.count_waiting("zombies", line_of(school)) == len(found)
    return [one.prediction.id for one in found]
