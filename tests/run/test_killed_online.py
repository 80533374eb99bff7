"""Caretakers and learners of a running server killed with -9 in the middle of a job.

The server starts others by itself, and the job ends as if nothing had been.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import Server, begin, end, wait_for
from tests.live_server import Town, prepare
from tests.test_journey import caretaker_of, opened, processes_of
from unrot.core.records import Model
from unrot.core.settings import Settings
from unrot.make import stream
from unrot.make.demos import zombies
from unrot.make.publishing import publish
from unrot.run.bootstrap import open_service

VERDICTS = 1_200
"""So many that learning them one by one takes a second."""

STREAM = 600


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, store_url: str) -> Iterator[Server]:
    """A server with a model that learns on, one that is refitted, and one that is fed."""
    home = tmp_path_factory.mktemp("online") / "home"
    prepare(home, {"pupils": "mlp", "woods": "forest"}, store_url=store_url)
    data = zombies.load()
    data = replace(data, rows=data.rows[:STREAM], labels=data.labels[:STREAM])
    service = open_service(Settings(home=home, store=store_url))
    candidate = stream.start(data, "mlp", lambda *_: None)
    publish(
        service,
        Model("river", 0, data.title, data.description, data.schema, time.time()),
        candidate,
    )
    service.store.close()
    started = begin(home, UNROT_STORE=store_url)
    yield started
    end([started])


@pytest.fixture
def pupils(server: Server) -> Town:
    """A model that learns on, with verdicts that wait."""
    town = Town(server.url, "pupils")
    town.told("/policy", {"promote": "auto", "gate": "off", "batch": 1, "replay": 0}, method="PUT")
    town.taught(VERDICTS, seed=len(town.told("/versions")["versions"]))
    return town


def learner_of(server: Server) -> int | None:
    caretaker = caretaker_of(server)
    return next(iter(processes_of(server).get(caretaker or 0, [])), None)


def kill(*processes: int | None) -> None:
    for process in processes:
        assert process is not None
        os.kill(process, signal.SIGKILL)


def asked(server: Server, town: Town, kind: str, **parameters: Any) -> dict[str, Any]:
    """Ask for a job of a learner that has just begun, so that it tells each of its steps."""
    if (idle := learner_of(server)) is not None:
        kill(idle)
    return dict(town.told(f"/{kind}", parameters)["job"])


def reached(town: Town, job: dict[str, Any], step: str) -> None:
    """Return when a job is at a step."""
    wait_for(
        lambda: town.job(job["id"])["step"].startswith(step), 60, lambda: str(town.job(job["id"]))
    )


def attempts(server: Server, job: dict[str, Any]) -> int:
    with opened(server.home, server.store_url) as service:
        found = service.store.jobs.job(job["id"])
        assert found is not None
        return found.attempt


def assert_learnt_once(town: Town, job: dict[str, Any]) -> None:
    """Find one new version, child of the one before, and each verdict once in its line."""
    ended = town.ended(job)
    assert ended["state"] == "done", ended
    versions = town.told("/versions")["versions"]
    names = [one["version"] for one in versions]
    assert [one["parent"] for one in versions] == [None, *names[:-1]]
    assert (names[-1], town.champion()) == (ended["result"]["version"], names[-1])
    fates = town.version(names[-1])["fates"]
    assert fates["learnt"] == {one["version"]: one["made"]["verdicts"] for one in versions[1:]}
    total = sum(fates["learnt"].values()) + fates["held_out"] + sum(fates["set_aside"].values())
    assert fates["verdicts"] == total == VERDICTS * len(versions[1:])
    assert fates["waiting"] == 0


def test_caretaker_killed_while_a_job_waits(server: Server, pupils: Town) -> None:
    job = asked(server, pupils, "learn")

    kill(caretaker_of(server))

    assert_learnt_once(pupils, job)


def test_learner_killed_while_it_learns(server: Server, pupils: Town) -> None:
    job = asked(server, pupils, "learn")
    reached(pupils, job, "learnt")

    kill(learner_of(server))

    assert_learnt_once(pupils, job)
    assert attempts(server, job) == 2


def test_caretaker_and_learner_killed_while_it_learns(server: Server, pupils: Town) -> None:
    job = asked(server, pupils, "learn")
    reached(pupils, job, "learnt")

    kill(caretaker_of(server), learner_of(server))

    assert_learnt_once(pupils, job)
    assert attempts(server, job) == 2


def test_learner_killed_while_it_refits(server: Server) -> None:
    town = Town(server.url, "woods")
    town.taught(300, seed=1)
    job = asked(server, town, "refit")
    reached(town, job, "trying")

    kill(learner_of(server))

    ended = town.ended(job)
    made = [one["version"] for one in town.told("/versions")["versions"]]
    fates = town.version("v2")["fates"]
    total = sum(fates["learnt"].values()) + fates["held_out"] + sum(fates["set_aside"].values())
    assert (ended["state"], ended["result"]["version"], made) == ("done", "v2", ["v1", "v2"])
    assert (fates["verdicts"], total, fates["waiting"]) == (300, 300, 0)
    assert attempts(server, job) == 2


def test_learner_killed_while_it_feeds(server: Server) -> None:
    town = Town(server.url, "river")
    first = town.version("v1")["metrics"]
    job = asked(server, town, "train_batch", n=STREAM)
    reached(town, job, "feeding")

    kill(learner_of(server))

    ended = town.ended(job)
    made = [one["version"] for one in town.told("/versions")["versions"]]
    assert (ended["state"], ended["result"]["remaining"], made) == ("done", 0, ["v1", "v2"])
    seen = int(first["rows_seen"] + first["rows_to_come"])
    assert town.version("v2")["made"]["rows_seen"] == seen
    assert attempts(server, job) == 2
