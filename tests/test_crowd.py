"""Forty people who all want a model to learn at the same moment, on four workers."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.conftest import OPERATOR, Server
from tests.schooling.school import zombies_of
from tests.town import Town, call, prepare, truths_of

PEOPLE = 40
ROWS = 10
RETRY_SECONDS = 0.05
PATIENCE_SECONDS = 120.0


def test_all_who_ask_at_once_make_one_line_in_which_each_verdict_is_once(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    home = prepare(tmp_path / "home", {"zombies": "sgd"})
    town = Town(serve(home, WEB_CONCURRENCY="4").url)
    given = {"promote": "auto", "tolerance": 0.5, "batch": 5, "held_out": 0.2}
    town.told("/policy", given, method="PUT")
    together = threading.Barrier(PEOPLE)

    def live(person: int) -> str:
        rows, truths = truths_of(zombies_of(ROWS, seed=person))
        together.wait()
        assert town.judged(town.predicted(rows), truths) == {"created": ROWS}
        return ask(town)

    with ThreadPoolExecutor(PEOPLE) as pool:
        outcomes = Counter(pool.map(live, range(PEOPLE)))
    jobs = town.told("/jobs?limit=200")["jobs"]
    ended = [town.ended(job) for job in reversed(jobs)]

    versions = town.told("/versions")["versions"]
    names = [one["version"] for one in versions]
    done = [job["result"] for job in ended if job["state"] == "done"]
    assert outcomes["queued"] == len(jobs)
    assert {job["reason"] for job in ended if job["state"] != "done"} <= {"nothing_to_learn"}
    assert [one["version"] for one in done] == names[1:]
    assert {(one["gate"], one["is_champion"]) for one in done} == {("passed", True)}
    assert [one["parent"] for one in versions] == [None, *names[:-1]]
    assert town.champion() == names[-1]
    fates = town.version(names[-1])["fates"]
    assert fates["learnt"] == {one["version"]: one["made"]["verdicts"] for one in versions[1:]}
    assert (fates["verdicts"], fates["waiting"]) == (PEOPLE * ROWS, 0)
    assert sum(fates["learnt"].values()) + fates["held_out"] == PEOPLE * ROWS


def ask(town: Town) -> str:
    """Ask for a lesson until it is queued or nothing is left to learn; return which."""
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends_at:
        code, answer = call(f"{town.address}/learn", {}, token=OPERATOR)
        if code == 202:
            return "queued"
        assert code == 409, answer
        if answer["reason"] == "nothing_to_learn":
            return "nothing to learn"
        assert answer["reason"] == "busy", answer
        time.sleep(RETRY_SECONDS)
    return "never heard"
