"""Asking for long work: what is refused at once, who is in the way, waiting and cancelling."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.lessons import judged, patient, published, teach, working
from unrot.core.errors import Conflict, Invalid, NotFound
from unrot.core.records import CHAMPION, JobKind, Version
from unrot.learn import jobs
from unrot.serve.service import Service


def ask(service: Service, kind: JobKind, **asked: Any) -> Any:
    return jobs.ask(service, "iris", kind, asked, by="ada")


def test_job_is_queued_under_the_name_of_who_asked(service: Service) -> None:
    judged(service)

    made = ask(service, "learn")

    assert jobs.job(service, made.id) == made
    assert (made.model, made.kind, made.state, made.asked_by) == ("iris", "learn", "queued", "ada")
    assert jobs.listed(service, "iris", 10) == jobs.listed(service, None, 10) == [made]
    assert jobs.listed(service, "zombies", 10) == []


def test_second_job_of_a_model_is_told_of_the_first(service: Service) -> None:
    judged(service)
    first = ask(service, "learn")

    with pytest.raises(jobs.Busy, match="iris is busy: learn is queued") as caught:
        ask(service, "refit")

    assert caught.value.job == first


def test_job_can_be_asked_for_while_a_version_is_promoted(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """v2 becomes champion between the two looks at the registry."""
    judged(service)
    registry, list_versions = service.store.registry, service.store.registry.versions

    def overtaken(model: str) -> list[Version]:
        monkeypatch.setattr(registry, "versions", list_versions)
        found = list_versions(model)
        published(service, promote=True)
        return found

    monkeypatch.setattr(registry, "versions", overtaken)

    assert ask(service, "learn").state == "queued"
    assert registry.aliases("iris") == {"champion": "v2"}


@pytest.mark.parametrize("kind", ["learn", "refit"])
def test_nothing_to_learn_is_said_at_once(service: Service, kind: JobKind) -> None:
    with pytest.raises(Conflict) as caught:
        ask(service, kind)

    assert caught.value.reason == "nothing_to_learn"
    assert jobs.listed(service, None, 10) == []


def test_verdicts_that_the_line_has_learnt_do_not_wait(service: Service) -> None:
    judged(service)
    with working(service):
        first = jobs.follow(service, ask(service, "learn").id, 20)
    assert service.store.registry.move_alias("iris", CHAMPION, to="v2", expected="v1")

    with pytest.raises(Conflict, match="no verdict that v2 could still learn"):
        ask(service, "learn")

    assert (first.state, first.result) == ("done", {"version": "v2", "learnt": 1})


@pytest.mark.parametrize("kind", ["train_batch", "reset"])
def test_model_without_a_stream_has_nothing_to_feed(service: Service, kind: JobKind) -> None:
    with pytest.raises(Conflict) as caught:
        ask(service, kind)

    assert caught.value.reason == "no_stream"


@pytest.mark.parametrize(
    ("kind", "asked", "said"),
    [
        ("learn", {"n": 3}, "n 3: expected no parameters"),
        ("train_batch", {"n": 0}, "n 0: expected a whole number of rows"),
        ("train_batch", {"n": True}, "n true: expected a whole number of rows"),
        ("train_batch", {"n": 1.5}, "n 1.5: expected a whole number of rows"),
        ("refit", {"weights": 3}, "weights 3: expected an object"),
        ("refit", {"weights": {"crowd": 1}}, "weights.crowd 1: expected only trusted"),
        ("refit", {"weights": {"trusted": -1}}, "weights.trusted -1: expected a number from 0"),
        ("refit", {"weights": {"trusted": float("nan")}}, "expected a number from 0 to 100"),
        ("rebuild", {}, "version null: expected the name of a version"),
        ("rebuild", {"version": "v1", "without": "x"}, 'without "x": expected a list'),
        ("rebuild", {"version": "v1", "without": ["\ud800"]}, "expected the id of a prediction"),
        ("weigh", {"version": 1}, "version 1: expected the name of a version"),
    ],
)
def test_parameters_that_are_wrong_are_named(
    service: Service, kind: JobKind, asked: dict[str, Any], said: str
) -> None:
    with pytest.raises(Invalid) as caught:
        ask(service, kind, **asked)

    assert said in caught.value.message
    assert len(caught.value.details) == 1


def test_champion_is_not_weighed_against_itself(service: Service) -> None:
    with pytest.raises(Conflict, match="v1 is the champion"):
        ask(service, "weigh", version="v1")
    with pytest.raises(NotFound, match='no version "v7"'):
        ask(service, "weigh", version="v7")


def test_pruned_version_is_neither_rebuilt_nor_weighed(service: Service) -> None:
    published(service)
    service.store.lessons.prune("iris", ["v2"])

    for kind in ("rebuild", "weigh"):
        with pytest.raises(Conflict, match="removed by retention"):
            ask(service, kind, version="v2")  # type: ignore[arg-type]


def test_model_without_a_champion_cannot_go_on(service: Service) -> None:
    service.store.registry.move_alias("iris", CHAMPION, to=None, expected="v1")

    with pytest.raises(Conflict, match="no champion to go on from"):
        ask(service, "learn")


def test_waiting_ends_with_the_job_or_with_patience(service: Service) -> None:
    judged(service)
    made = ask(service, "learn")

    early = jobs.follow(service, made.id, 0.01)
    with working(service, teach):
        late = jobs.follow(service, made.id, 20)

    assert (early.state, late.state) == ("queued", "done")


def test_waiting_outlasts_a_store_that_goes_away(service: Service, trained_home: Path) -> None:
    judged(service)
    made = ask(service, "learn")
    database, aside = trained_home / "unrot.db", trained_home / "aside"
    away = threading.Timer(0.1, lambda: database.rename(aside))
    away.start()

    found = jobs.follow(service, made.id, 0.5)

    aside.rename(database)
    assert found == made


def test_queued_job_is_cancelled_at_once_and_a_running_one_when_it_looks_up(
    service: Service,
) -> None:
    judged(service)
    queued = jobs.cancel(service, ask(service, "learn").id)
    began = threading.Event()
    with working(service, patient(began)):
        running = ask(service, "learn")
        assert began.wait(10)
        asked_to_end = jobs.cancel(service, running.id)
        ended = jobs.follow(service, running.id, 20)

    assert (queued.state, queued.reason, queued.error) == (
        "failed",
        "cancelled",
        "It was cancelled.",
    )
    assert (asked_to_end.state, asked_to_end.is_cancelling) == ("running", True)
    assert (ended.state, ended.reason) == ("failed", "cancelled")


def test_what_has_ended_or_never_was_is_not_cancelled(service: Service) -> None:
    judged(service)
    with working(service):
        made = jobs.follow(service, ask(service, "learn").id, 20)

    with pytest.raises(Conflict, match="ended already: it is done"):
        jobs.cancel(service, made.id)
    with pytest.raises(NotFound, match="no job"):
        jobs.cancel(service, "nonsense")
    with pytest.raises(NotFound, match="no job"):
        jobs.job(service, "nonsense")
