"""Sets follow the judges' verdicts, and workers read of it without a store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.clock import Clock
from tests.learning_model import CROWD, JUDGE, OTHER, School, zombies_of
from unrot.core.records import Caller
from unrot.learn.promote import change_policy
from unrot.serve.sure import SureSettings, how_sure, read_asked
from unrot.store.engine import SqlStore
from unrot.watch import round as rounds
from unrot.watch.monitors.sure import look as sure
from unrot.watch.monitors.sure.rule import AT_ONCE, Course
from unrot.watch.notes import read_note
from unrot.watch.visit import Visit


def visit_of(school: School, *, has_news: bool = True) -> Visit:
    service = school.service
    return Visit(
        service,
        service.catalogue().model("zombies"),
        service.store.findings.rules(service.catalogue().model("zombies").model.key),
        service.clock(),
        has_news,
    )


def looked(school: School) -> None:
    assert list(sure.look(visit_of(school))) == []


def course(school: School) -> Course:
    model = school.service.catalogue().model("zombies").model.key
    return read_note(Course, school.service.store.findings.standpoint(model, sure.MONITOR))


class Reads:
    """Counts what is asked of the database."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        for name in ("get", "get_many", "scan", "count"):
            self._watch(monkeypatch, name, getattr(SqlStore, name))

    def _watch(self, monkeypatch: pytest.MonkeyPatch, name: str, asked: Any) -> None:
        def counting(database: SqlStore, *args: Any, **kwargs: Any) -> Any:
            self.count += 1
            return asked(database, *args, **kwargs)

        monkeypatch.setattr(SqlStore, name, counting)


def asked(school: School) -> SureSettings:
    shelved = school.service.catalogue().model("zombies")
    return read_asked(school.service.shelf.folder)[shelved.model.key]


def judge_wrongly(school: School, count: int, by: Caller) -> None:
    """Say of answers that the other class was true."""
    rows = [row for row, _ in zombies_of(count, seed=11)]
    made = school.service.predict("zombies", rows).predictions
    school.service.judge_many(
        [{"id": one.id, "was_correct": False, "label": OTHER[str(one.label)]} for one in made], by
    )
    school.caretaker.go_round()


@pytest.mark.parametrize(("by", "moves"), [(JUDGE, True), (CROWD, False)])
def test_judges_alone_move_what_may_be_missed(
    school: School, clock: Clock, by: Caller, moves: bool
) -> None:
    looked(school)
    before = asked(school).miss("v1")
    judge_wrongly(school, 40, by)
    looked(school)

    assert before == pytest.approx(0.1)
    assert (asked(school).miss("v1") < 0.0) == moves


def test_after_many_misses_every_class_may_be(school: School, clock: Clock) -> None:
    service = school.service
    shelved = service.catalogue().model("zombies")
    shares = [0.9999, 0.0001]
    before = how_sure(service.shelf, shelved, shelved.version(), shares, None)
    judge_wrongly(school, 40, JUDGE)
    looked(school)

    after = how_sure(service.shelf, shelved, shelved.version(), shares, None)

    assert (before.is_sure, after.is_sure) == (True, False)
    assert set(after.classes or ()) == set(shelved.model.schema.classes)


def test_policy_says_the_coverage_at_once(school: School) -> None:
    change_policy(school.service, "zombies", {"coverage": 0.8})
    shelved = school.service.catalogue().model("zombies")

    how = how_sure(school.service.shelf, shelved, shelved.version(), [0.6, 0.4], None)

    assert (asked(school).coverage, how.coverage) == (0.8, 0.8)


def test_nothing_is_read_where_there_is_no_news(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked(school)
    quiet, told = visit_of(school, has_news=False), visit_of(school)
    reads = Reads(monkeypatch)

    assert list(sure.look(quiet)) == []
    without = reads.count
    assert list(sure.look(told)) == []

    assert (without, reads.count > 0) == (0, True)


def test_round_has_news_where_verdicts_were_counted_and_not_of_traffic_alone(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "ROUND_SECONDS", 0.0)
    monkeypatch.setattr(rounds, "AT_ONCE_SECONDS", float("inf"))
    seen: list[bool] = []
    looks = (("one", lambda visit: seen.append(visit.has_news) or ()),)
    lookout = rounds.Lookout(school.service, looks)
    monkeypatch.setattr(school.caretaker._leader, "_lookout", lookout)
    many = len(school.service.catalogue().models)

    def gone_round() -> set[bool]:
        school.caretaker.go_round(told=False, thoroughly=False)
        found, seen[:] = seen[-many:], []
        return set(found)

    first, second = gone_round(), gone_round()
    made = school.predicted([row for row, _ in zombies_of(2, seed=3)])
    traffic = gone_round()
    school.judged(made, ["hostile", "hostile"])
    verdicts = gone_round()

    assert (first, second, traffic, verdicts) == ({True}, {False}, {False}, {True})


def test_news_is_kept_where_a_monitor_fails(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "ROUND_SECONDS", 0.0)
    monkeypatch.setattr(rounds, "AT_ONCE_SECONDS", float("inf"))
    seen: list[bool] = []

    def look(visit: Visit) -> Any:
        seen.append(visit.has_news)
        if len(seen) == 1:
            raise ValueError("away for a moment")
        return ()

    lookout = rounds.Lookout(school.service, (("one", look),))
    for _ in range(3):
        lookout.go_round()
    many = len(school.service.catalogue().models)

    assert (set(seen[many : 2 * many]), set(seen[2 * many :])) == ({True}, {False})


def test_none_of_many_verdicts_is_skipped_and_none_counts_twice_after_a_crash(
    school: School, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sure, "AT_ONCE", 100)
    looked(school)
    judge_wrongly(school, 330, JUDGE)
    written, write = [], type(school.service.store.findings).stand

    def dying(*args: Any) -> None:
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(args)
        write(*args)

    with monkeypatch.context() as dies, pytest.raises(KeyboardInterrupt):
        dies.setattr(type(school.service.store.findings), "stand", dying)
        list(sure.look(visit_of(school)))
    half = course(school)
    list(sure.look(visit_of(school)))
    whole = course(school)
    list(sure.look(visit_of(school)))

    assert (half.count, whole.count, course(school).count) == (200, 330, 330)
    assert course(school).miss == whole.miss


def test_what_came_and_went_before_the_look_is_told_as_of_then(
    school: School, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked(school)
    leader = school.caretaker._leader
    monkeypatch.setattr(leader, "_lookout", rounds.Lookout(school.service, ()))
    began = clock.now

    def judge(batches: int, *, wrong: bool) -> float:
        for _ in range(batches):
            clock.now += 60.0
            school.taught(20, seed=int(clock.now), wrong=wrong)
        school.caretaker.go_round()
        return clock.now

    fell_after, healed_after = judge(5, wrong=False), judge(5, wrong=True)
    judge(15, wrong=False)

    below, gone = list(sure.look(visit_of(school)))

    assert [below.is_present, gone.is_present] == [True, False]
    assert began < fell_after < below.at <= healed_after < gone.at < clock.now


def test_verdict_that_comes_late_is_counted(school: School, clock: Clock) -> None:
    looked(school)
    rows = [row for row, _ in zombies_of(3, seed=5)]
    made = school.predicted(rows)
    school.judged(made[:1], ["hostile"])
    clock.now += 3_000
    school.judged(made[1:2], ["hostile"])
    school.caretaker.go_round()
    looked(school)
    before = course(school)
    clock.now -= 2_000  # as one that a journal brings: given before, kept now, with its mark
    school.judged(made[2:], ["hostile"])
    school.caretaker.go_round()
    looked(school)

    assert (before.count, course(school).count) == (2, 3)
    assert course(school).seen == before.seen


def test_champion_without_scores_closes_what_was_found(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked(school)
    visit = visit_of(school)
    visit.write_note(sure.MONITOR, replace(course(school), broken=AT_ONCE, since=1.0))
    monkeypatch.setattr(type(school.service.shelf), "conformal", lambda *_: None)

    said, again = list(sure.look(visit)), list(sure.look(visit))

    assert [(one.cause, one.is_present) for one in said] == [("coverage", False)]
    assert (again, course(school).broken) == ([], "")


@pytest.mark.parametrize("before", [{"version": "v0"}, {"format": 2}, {"coverage": 0.5}])
def test_course_that_begins_anew_closes_what_was_found(
    school: School, before: dict[str, Any]
) -> None:
    looked(school)
    visit = visit_of(school)
    visit.write_note(sure.MONITOR, replace(course(school), broken=AT_ONCE, **before))

    said, again = list(sure.look(visit)), list(sure.look(visit))

    assert [(one.cause, one.is_present) for one in said] == [("coverage", False)]
    assert (again, course(school).broken) == ([], "")


def test_many_verdicts_are_gone_through_in_some_visits(
    school: School, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked(school)
    with monkeypatch.context() as waits:
        waits.setattr(school.caretaker._leader, "_lookout", rounds.Lookout(school.service, ()))
        judge_wrongly(school, 800, JUDGE)
    monkeypatch.setattr(sure, "AT_ONCE", 300)
    monkeypatch.setattr(sure, "A_VISIT", 600)
    first = visit_of(school)
    list(sure.look(first))
    counts = [course(school).count]
    for _ in range(3):
        list(sure.look(replace(first, has_news=False)))
        counts.append(course(school).count)

    assert (counts[0], counts[-1]) == (600, 800)


def test_policy_that_changes_meanwhile_is_not_lost(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked(school)
    go_on = sure.go_on

    def changing(*args: Any, **options: Any) -> Course:
        change_policy(school.service, "zombies", {"not_sure": "on"})
        return go_on(*args, **options)

    monkeypatch.setattr(sure, "go_on", changing)
    looked(school)

    assert asked(school).not_sure
