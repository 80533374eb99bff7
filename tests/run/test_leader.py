"""What one caretaker of all machines does: learn by itself, score a challenger, hold the lease."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from tests.lessons import IRIS_ROW, JUDGE, judged, published, teach
from unrot.core.errors import Invalid
from unrot.core.records import CHALLENGER, Job, Outputs, Row
from unrot.learn import jobs, promote
from unrot.learn.worker import Learner, new_holder
from unrot.run import leader
from unrot.run.caretaker import Caretaker
from unrot.run.leader import BY_ITSELF, Leader
from unrot.serve.service import Service


class Quiet(Leader):
    """Starts no process."""

    def _start_learner(self) -> None:
        return


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader, "POLICY_SECONDS", 0.0)


def asked(service: Service) -> list[Job]:
    return jobs.listed(service, "iris", 10)


def learn_every(service: Service, count: int) -> None:
    promote.change_policy(service, "iris", {"learn": f"every {count} verdicts"})


def do_next(service: Service, do: Any = teach) -> None:
    assert Learner(service, do, holder="tests").do_next()
    Caretaker(service, "tests", jobs_only=True)._fill_shelf()


# ── policy ───────────────────────────────────────────────────────────────────────────────────


def test_model_learns_by_itself_once_enough_verdicts_wait(service: Service) -> None:
    learn_every(service, 3)
    one = Quiet(service, "me")
    judged(service, 2)
    one.go_round()
    too_few = asked(service)
    judged(service, 1)

    one.go_round()
    one.go_round()

    assert too_few == []
    assert [(job.kind, job.asked_by) for job in asked(service)] == [("learn", BY_ITSELF)]


def test_model_that_was_not_told_to_learns_when_somebody_asks(service: Service) -> None:
    judged(service, 3)

    Quiet(service, "me").go_round()

    assert asked(service) == []


def test_version_that_nobody_promoted_is_not_made_again_and_again(service: Service) -> None:
    """v2 has learnt the three verdicts; for the champion v1 they still wait."""
    learn_every(service, 3)
    one = Quiet(service, "me")
    judged(service, 3)
    one.go_round()
    do_next(service)

    one.go_round()
    at_rest = len(asked(service))
    judged(service, 3)
    one.go_round()

    assert [version.name for version in service.versions("iris")] == ["v1", "v2"]
    assert service.store.lessons.count_waiting("iris", ["v1"]) == 6
    assert (at_rest, len(asked(service))) == (1, 2)


def test_failure_is_not_repeated_at_once(service: Service) -> None:
    def refuse(*_: object) -> None:
        raise Invalid("No.")

    learn_every(service, 1)
    one = Quiet(service, "me")
    judged(service)
    one.go_round()
    do_next(service, refuse)

    one.go_round()
    soon = len(asked(service))
    later = replace(service, clock=lambda: service.clock() + leader.PATIENCE_SECONDS)
    Quiet(later, "me").go_round()

    assert (soon, len(asked(service))) == (1, 2)


def test_model_that_cannot_learn_on_keeps_no_other_from_it(service: Service) -> None:
    """Iris comes first and has a job already."""
    learn_every(service, 1)
    promote.change_policy(service, "zombies", {"learn": "every 1 verdict"})
    judged(service)
    answer = service.predict_instances("zombies", [[0.0, 0.0, 0.0, 0.0]])
    service.judge({"id": answer.predictions[0].id, "was_correct": True}, JUDGE)
    ship(service)
    jobs.ask(service, "iris", "refit", {})

    Quiet(service, "me").go_round()

    assert [job.model for job in jobs.listed(service, "zombies", 10)] == ["zombies"]


def ship(service: Service) -> None:
    keeper = Caretaker(service, "tests")
    keeper._leader.go_round = lambda **_: None  # type: ignore[method-assign]
    assert keeper.go_round()


# ── shadow ───────────────────────────────────────────────────────────────────────────────────


def challenged(service: Service) -> None:
    published(service)
    promote.promote(service, "iris", "v2", alias=CHALLENGER)


def shadows(service: Service) -> list[Any]:
    return [shadow for shadow, _ in service.store.trials.shadows("iris", "v2", 100)]


def test_challenger_is_scored_once_on_what_was_asked_since_it_is_one(service: Service) -> None:
    service.predict_instances("iris", [IRIS_ROW])
    ship(service)
    # The clock of the fixture goes from noon on; moves are kept by the wall clock.
    real = replace(service, clock=time.time)
    challenged(real)
    answer = real.predict_instances("iris", [IRIS_ROW, [6.0, 3.0, 5.5, 2.1]])
    ship(real)
    one = Quiet(real, "me")

    one.go_round()
    one.go_round()
    Quiet(real, "me").go_round()

    made = {prediction.id: prediction.label for prediction in answer.predictions}
    found = {shadow.prediction: shadow.label for shadow in shadows(real)}
    assert {id: found[id] for id in made} == made


def test_row_that_the_challenger_cannot_score_is_kept_as_unanswered(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = replace(service, clock=time.time)
    challenged(real)
    answer = real.predict_instances("iris", [IRIS_ROW, [6.0, 3.0, 5.5, 2.1], IRIS_ROW])
    ship(real)

    class Choosy:
        def predict(self, rows: list[Row]) -> Outputs:
            if any(row[0] == 6.0 for row in rows):
                raise Invalid("Not this one.")
            return Outputs(classes=[0] * len(rows))

    monkeypatch.setattr(real.shelf, "predictor", lambda *_: Choosy())

    Quiet(real, "me").go_round()

    ids = [prediction.id for prediction in answer.predictions]
    found = {shadow.prediction: shadow.label for shadow in shadows(real)}
    assert [found[id] for id in ids] == ["Iris-setosa", None, "Iris-setosa"]


def test_challenger_that_does_not_load_stops_nothing_else(
    service: Service, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = replace(service, clock=time.time)
    challenged(real)
    real.predict_instances("iris", [IRIS_ROW])
    ship(real)

    def broken(*_: object) -> None:
        raise Invalid("It does not load.")

    monkeypatch.setattr(real.shelf, "predictor", broken)
    one = Quiet(real, "me")

    one.go_round()
    one.go_round()

    assert shadows(real) == []
    assert caplog.text.count("The challenger v2 of iris is not scored: It does not load.") == 1


# ── lease and learner ────────────────────────────────────────────────────────────────────────


def test_one_of_two_caretakers_does_the_shared_work(service: Service) -> None:
    learn_every(service, 1)
    judged(service)
    first, second = Quiet(service, "first"), Quiet(service, "second")
    first.go_round()
    jobs.cancel(service, asked(service)[0].id)
    later = replace(service, clock=lambda: service.clock() + leader.LEASE_SECONDS)

    second.go_round()
    held = (first._holds, second._holds)
    third = Quiet(later, "third")
    third.go_round()

    assert held == (True, False)
    assert third._holds


def test_caretaker_that_goes_gives_the_lease_to_the_next(service: Service) -> None:
    learn_every(service, 1)
    judged(service)
    first, second = Quiet(service, "first"), Quiet(service, "second")
    first.go_round()

    first.stop()
    second.go_round()

    assert not first.leads
    assert second.leads


def test_jobs_of_a_learner_that_died_with_its_caretaker_are_taken_up_at_once(
    service: Service,
) -> None:
    judged(service)
    made = jobs.ask(service, "iris", "learn", {})
    service.store.jobs.claim(new_holder("me"), service.clock(), 10.0)
    waited = service.store.jobs.waits(service.clock(), 10.0)

    Quiet(service, "me").go_round()

    assert not waited
    assert service.store.jobs.waits(service.clock(), 10.0)
    assert jobs.job(service, made.id).state == "running"


def test_caretaker_for_jobs_alone_leaves_the_journal_be(service: Service) -> None:
    judged(service)
    learn_every(service, 1)
    service.predict_instances("iris", [IRIS_ROW])
    keeper = Caretaker(service, "worker", jobs_only=True)
    keeper._leader = Quiet(service, "worker")

    assert keeper.go_round()

    assert service.today("iris").predictions == 1
    assert [job.asked_by for job in asked(service)] == [BY_ITSELF]
