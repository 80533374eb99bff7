"""The process that does jobs: what ends a job, and what never counts."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lessons import judged, learnt, patient, published, teach, verdict
from unrot.core.errors import Conflict, Invalid, StoreAway
from unrot.core.ports import Progress
from unrot.core.records import Fates, Job
from unrot.learn import jobs
from unrot.learn import worker as learner
from unrot.learn.worker import Doing, Learner
from unrot.serve.service import Service


@pytest.fixture
def asked(service: Service) -> Job:
    """A job to learn from three verdicts."""
    judged(service, 3)
    return jobs.ask(service, "iris", "learn", {})


def done_by(service: Service, do: Doing, holder: str = "me") -> bool:
    return Learner(service, do, holder=holder).do_next()


def names(service: Service) -> list[str]:
    return [version.name for version in service.versions("iris")]


def test_job_is_done_and_all_that_came_of_it_is_kept(service: Service, asked: Job) -> None:
    is_done = done_by(service, teach)

    found = jobs.job(service, asked.id)
    assert is_done
    assert (found.state, found.progress, found.attempt) == ("done", 1.0, 1)
    assert found.result == {"version": "v2", "learnt": 3}
    assert service.store.lessons.fates("iris", ["v2", "v1"]) == Fates(3, 0, {"v2": 3}, 0, {})
    assert not done_by(service, teach)


def test_refusal_while_it_is_done_ends_the_job_with_its_sentence(
    service: Service, asked: Job
) -> None:
    def refuse(*_: object) -> None:
        raise Invalid("No row can be learnt.", reason="nothing_to_learn")

    done_by(service, refuse)

    found = jobs.job(service, asked.id)
    assert (found.state, found.error, found.reason) == (
        "failed",
        "No row can be learnt.",
        "nothing_to_learn",
    )
    assert names(service) == ["v1"]


def test_what_nobody_foresaw_ends_the_job_and_stands_in_the_log(
    service: Service, asked: Job, caplog: pytest.LogCaptureFixture
) -> None:
    def stumble(*_: object) -> None:
        raise ZeroDivisionError("of a library")

    done_by(service, stumble)

    found = jobs.job(service, asked.id)
    assert (found.state, found.error, found.reason) == ("failed", learner.UNFORESEEN, "internal")
    assert "of a library" in caplog.text


def test_work_begins_anew_where_the_champion_was_moved(service: Service, asked: Job) -> None:
    """Somebody promotes v2 in the middle of the first try."""
    published(service)
    tries: list[str] = []

    def overtaken(service: Service, job: Job, tell: Progress) -> None:
        champion = service.store.registry.aliases("iris")["champion"]
        tries.append(champion)
        if champion == "v1":
            service.store.registry.move_alias("iris", "champion", to="v2", expected="v1")
            parent = service.version("iris", "v1")
            service.store.lessons.publish(
                replace(parent, name="", parent="v1"),
                {},
                fates=(),
                gate=None,
                job=job,
                result={},
                champion="v1",
                promote=True,
            )
        teach(service, job, tell)

    done_by(service, overtaken)

    assert tries == ["v1", "v2"]
    assert names(service) == ["v1", "v2", "v3"]
    assert service.version("iris", "v3").parent == "v2"
    assert jobs.job(service, asked.id).result == {"version": "v3", "learnt": 3}


def test_champion_that_never_stands_still_is_said(service: Service, asked: Job) -> None:
    tries: list[Job] = []

    def overtaken(_service: Service, job: Job, _tell: Progress) -> None:
        tries.append(job)
        raise Conflict("The champion changed: ask again.", reason="champion_moved")

    done_by(service, overtaken)

    found = jobs.job(service, asked.id)
    assert len(tries) == learner.MOST_TRIES
    assert (found.error, found.reason) == ("The champion changed: ask again.", "champion_moved")


def test_cancelled_job_ends_at_its_next_step(service: Service, asked: Job) -> None:
    began = threading.Event()
    thread = threading.Thread(target=done_by, args=(service, patient(began)))
    thread.start()
    assert began.wait(10)

    jobs.cancel(service, asked.id)
    thread.join(10)

    found = jobs.job(service, asked.id)
    assert (found.state, found.error, found.reason) == ("failed", "It was cancelled.", "cancelled")
    assert names(service) == ["v1"]


def test_job_that_another_took_is_not_published_by_the_first(service: Service, asked: Job) -> None:
    """The first holder is given up in the middle; what it still publishes is refused."""
    came: list[object] = []

    def slow(service: Service, job: Job, _tell: Progress) -> None:
        service.store.jobs.release("slow")
        assert done_by(service, teach, "quick")
        rows = service.store.lessons.waiting("iris", ["v1"], 10)
        came.append(published(service, fates=[learnt(row) for row in rows], job=job))

    done_by(service, slow, "slow")

    assert came == [None]
    assert names(service) == ["v1", "v2"]
    assert service.store.lessons.fates("iris", ["v2", "v1"]).learnt == {"v2": 3}
    assert jobs.job(service, asked.id).attempt == 2


def test_loser_of_a_job_stops_when_it_tells_and_ends_nothing(service: Service, asked: Job) -> None:
    told: list[str] = []

    def slow(service: Service, _job: Job, tell: Progress) -> None:
        service.store.jobs.release("slow")
        taken = service.store.jobs.claim("quick", service.clock(), 10.0)
        assert taken is not None
        for step in range(1_000):
            tell(0.9, f"step {step}")
            time.sleep(0.01)
        told.append("went on to the end")

    done_by(service, slow, "slow")

    found = jobs.job(service, asked.id)
    assert told == []
    assert (found.state, found.attempt, found.step) == ("running", 2, "beginning")


def test_job_is_taken_up_again_after_the_store_was_away(
    service: Service, asked: Job, trained_home: Path
) -> None:
    database, aside = trained_home / "unrot.db", trained_home / "aside"

    def interrupted(service: Service, job: Job, tell: Progress) -> None:
        database.rename(aside)
        teach(service, job, tell)

    with pytest.raises(StoreAway):
        done_by(service, interrupted)
    aside.rename(database)
    too_early = done_by(service, teach)
    later = replace(service, clock=lambda: service.clock() + learner.SILENT_SECONDS)
    in_time = done_by(later, teach)

    assert (too_early, in_time) == (False, True)
    assert names(service) == ["v1", "v2"]
    assert jobs.job(service, asked.id).state == "done"


def test_learner_waits_for_a_store_that_is_away(
    service: Service, asked: Job, trained_home: Path
) -> None:
    database, aside = trained_home / "unrot.db", trained_home / "aside"
    database.rename(aside)
    worker = Learner(service, teach, holder="me")
    thread = threading.Thread(target=worker.run)
    thread.start()
    aside.rename(database)

    found = jobs.follow(service, asked.id, 20)
    worker.stop()
    thread.join(10)

    assert found.state == "done"


def test_learner_ends_when_no_job_comes(service: Service) -> None:
    Learner(service, teach, holder="me").run(idle_seconds=0.1)


def test_gate_that_was_told_of_is_kept_with_the_version(service: Service, asked: Job) -> None:
    done_by(service, teach)

    [said] = service.store.lessons.gates("iris", "v2")
    assert replace(said, decided_at=1.0) == verdict()
    assert jobs.job(service, asked.id).state == "done"
