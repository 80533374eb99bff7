"""Thirty people who all want a model to learn at the same moment, on four workers."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.conftest import OPERATOR, Server
from tests.learning_model import zombies_of
from tests.live_server import Town, call_again, prepare, truths_of

PEOPLE = 30
ROWS = 5
RETRY_SECONDS = 1.0
PATIENCE_SECONDS = 300.0


def test_all_who_ask_at_once_make_one_line_in_which_each_verdict_is_once(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    """Whose verdicts another's lesson took along brings new ones, until each had a lesson."""
    home = prepare(tmp_path / "home", {"zombies": "sgd"})
    town = Town(serve(home, WEB_CONCURRENCY="4").url)
    given = {"promote": "auto", "tolerance": 0.5, "batch": 5, "held_out": 0.2}
    town.told("/policy", given, method="PUT")
    together = threading.Barrier(PEOPLE)

    def live(person: int) -> tuple[int, Counter[str]]:
        heard: Counter[str] = Counter()
        together.wait()
        for turn in itertools.count(1):
            rows, truths = truths_of(zombies_of(ROWS, seed=1_000 * person + turn))
            assert town.judged(town.predicted(rows), truths) == {"created": ROWS}
            if asks(town, heard):
                return turn * ROWS, heard
        raise AssertionError("never")

    with ThreadPoolExecutor(PEOPLE) as pool:
        lives = list(pool.map(live, range(PEOPLE)))
    town.ended(town.told("/jobs?limit=1")["jobs"][0])
    if town.version(town.champion())["fates"]["waiting"]:
        town.asked("learn")

    verdicts = sum(count for count, _ in lives)
    heard = sum((one for _, one in lives), Counter[str]())
    jobs = town.told("/jobs?limit=200")["jobs"]
    done = [job["result"] for job in reversed(jobs) if job["state"] == "done"]
    versions = town.told("/versions")["versions"]
    names = [one["version"] for one in versions]
    fates = town.version(names[-1])["fates"]
    assert heard["queued"] == PEOPLE and heard["busy"] > PEOPLE
    assert {job["reason"] for job in jobs} <= {None, "nothing_to_learn"}
    assert [one["version"] for one in done] == names[1:]
    assert {(one["gate"], one["is_champion"]) for one in done} == {("passed", True)}
    assert [one["parent"] for one in versions] == [None, *names[:-1]]
    assert town.champion() == names[-1]
    assert fates["learnt"] == {one["version"]: one["made"]["verdicts"] for one in versions[1:]}
    parts = (fates["learnt"], fates["set_aside"])
    total = fates["held_out"] + sum(sum(part.values()) for part in parts)
    assert (fates["verdicts"], total, fates["waiting"]) == (verdicts, verdicts, 0)


def asks(town: Town, heard: Counter[str]) -> bool:
    """Ask for a lesson, again while another is given; tell whether it was queued."""
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends_at:
        code, answer = call_again(f"{town.address}/learn", {}, token=OPERATOR)
        word = "queued" if code == 202 else answer["reason"]
        heard[word] += 1
        assert word in ("queued", "busy", "nothing_to_learn"), answer
        if word != "busy":
            return word == "queued"
        time.sleep(RETRY_SECONDS)
    raise AssertionError("It was busy all the time.")
