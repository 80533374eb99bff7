"""A learner killed with -9 wherever it may be: no half version, an end, nothing learnt twice.

Each point is met by a child of its own (`tests/killed.py`) that kills itself; then another learner
takes the job up. What it makes must be what an undisturbed learner makes, to the last bit.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests import killed as doomed
from tests.conftest import ROOT, environment
from tests.learning_model import School
from tests.live_server import prepare
from tests.test_journey import opened
from unrot.core.errors import Conflict
from unrot.core.records import Fates, Job
from unrot.learn import jobs, promote
from unrot.learn.worker import Learner
from unrot.serve.service import Service
from unrot.serve.shelf import sync

Place = tuple[Path, str]
"""A home folder and the address of its store."""

VERDICTS = 90
POINTS = [
    pytest.param(point, marks=[pytest.mark.on_every_store] if "job has ended" in point else [])
    for point in doomed.points()
]


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory, store_url: str) -> Path:
    """A home folder in which a job waits; what it makes will be promoted."""
    home = tmp_path_factory.mktemp("waiting") / "home"
    prepare(home, {"zombies": "sgd"}, store_url=store_url)
    with opened(home, store_url) as service:
        promote.change_policy(service, "zombies", {"promote": "auto", "tolerance": 0.2})
        School(service).taught(VERDICTS)
        jobs.ask(service, "zombies", "learn", {})
    return home


@dataclass(frozen=True)
class Made:
    """What a job makes: all that can be told of it without a clock or chance."""

    lessons: str
    answers: list[Any]
    metrics: Mapping[str, float]
    fates: Fates


def made(service: Service) -> Made:
    """Return what the job has made."""
    version, school = service.version("zombies", "v2"), School(service)
    return Made(
        version.artefacts["lessons"], school.answers("v2"), version.metrics, school.fates("v2")
    )


@pytest.fixture
def copied(waiting: Path, tmp_path: Path, copy_store: Callable[[], str]) -> Callable[[], Place]:
    """Make a copy of the home folder and its store."""

    def copy() -> Place:
        home = tmp_path / secrets.token_hex(4)
        shutil.copytree(waiting, home)
        return home, copy_store()

    return copy


_undisturbed: dict[Path, Made] = {}


@pytest.fixture
def undisturbed(waiting: Path, copied: Callable[[], Place]) -> Made:
    """What comes of the job when nobody is killed; made once a store."""
    if waiting not in _undisturbed:
        with opened(*copied()) as service:
            assert Learner(service, holder="calm").do_next()
            _undisturbed[waiting] = made(service)
    return _undisturbed[waiting]


@pytest.mark.parametrize("point", POINTS)
def test_job_of_a_killed_learner_is_done_once_and_whole(
    copied: Callable[[], Place],
    undisturbed: Made,
    killed_at: Callable[[str, Path, str], int],
    point: str,
) -> None:
    place = copied()
    assert killed_at(point, *place) == -signal.SIGKILL
    with opened(*place) as service:
        [job] = jobs.listed(service, "zombies", 10)
        assert_whole(service, job)
        assert_shelved(service)

        service.store.jobs.release(doomed.HOLDER)
        is_taken_up = Learner(service, holder="next").do_next()
        sync(service.shelf.folder, service.store.registry)

        [ended] = jobs.listed(service, "zombies", 10)
        assert is_taken_up == job.is_active
        assert (ended.id, ended.state) == (job.id, "done")
        assert [one.parent for one in service.versions("zombies")] == [None, "v1"]
        assert [move.moved_to for move in service.store.registry.moves("zombies")] == ["v1", "v2"]
        assert made(service) == undisturbed
        assert_whole(service, ended)
        assert_shelved(service)
        with pytest.raises(Conflict, match="nothing waits"):
            jobs.ask(service, "zombies", "learn", {})


@pytest.fixture(scope="module")
def killed_at() -> Iterator[Callable[[str, Path, str], int]]:
    """Let a learner begin that ends at a point; return how it ended."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.killed"],
        env=environment(ROOT),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as loaded:

        def killed_at(point: str, home: Path, store_url: str) -> int:
            assert loaded.stdin and loaded.stdout
            known = environment(home, UNROT_STORE=store_url)
            loaded.stdin.write(json.dumps([str(home), point, known]) + "\n")
            loaded.stdin.flush()
            return int(loaded.stdout.readline())

        yield killed_at


def assert_whole(service: Service, job: Job) -> None:
    """Find all of the new version or nothing: its job, its verdicts, its place as champion."""
    names = [version.name for version in service.versions("zombies")]
    champion = service.aliases("zombies")["champion"]
    fates = School(service).fates(champion)
    if names == ["v1"]:
        assert (champion, job.is_active, fates.waiting) == ("v1", True, VERDICTS)
        assert service.store.lessons.gates("zombies", "v2") == []
    else:
        assert names == ["v1", "v2"]
        assert (champion, job.state, fates.waiting) == ("v2", "done", 0)
        assert len(service.store.lessons.gates("zombies", "v2")) == 1


def assert_shelved(service: Service) -> None:
    """Find a pointer to a champion that was one, and all files that it speaks of, as written."""
    folder = service.shelf.folder
    [entry] = orjson.loads((folder / "pointer.json").read_bytes())["models"]
    champions = {move.moved_to for move in service.store.registry.moves("zombies")}
    assert entry["aliases"]["champion"] in champions
    assert entry["aliases"]["champion"] in {version["name"] for version in entry["versions"]}
    for version in entry["versions"]:
        for digest in (version["serving"]["digest"], version["artefacts"]["golden"]):
            data = (folder / "artefacts" / digest).read_bytes()
            assert hashlib.sha256(data).hexdigest() == digest
