"""Sets follow the judges' verdicts, and workers read of it without a store."""

from __future__ import annotations

import pytest

from tests.clock import Clock
from tests.learning_model import CROWD, JUDGE, OTHER, School, zombies_of
from unrot.core.records import Caller
from unrot.learn.promote import change_policy
from unrot.serve.sure import Asked, how_sure, read_asked
from unrot.watch.monitors.sure import look as sure
from unrot.watch.visit import Visit


def looked(school: School) -> None:
    service = school.service
    visit = Visit(
        service,
        service.catalogue().model("zombies"),
        service.store.findings.rules(service.catalogue().model("zombies").model.key),
        service.clock(),
    )
    assert list(sure.look(visit)) == []


def asked(school: School) -> Asked:
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
