"""The drills see what they look for: a wrong answer, a lost vote, a wrong clock, a full disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bench import power
from bench.away import MODEL, Told
from bench.drills import Outcome, Site, judged, slope_of
from bench.faults import Faults, has_compiler
from tests.learning_model import zombies_of
from tests.live_server import prepare
from tests.skips import needs
from unrot.core.settings import Settings
from unrot.run.bootstrap import open_service


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("drills")
    return Site(prepare(folder / "home", {MODEL: "sgd"}), folder, kills=1, minutes=1)


@pytest.fixture
def told(site: Site) -> Told:
    """All is well: two answers that the model gives, one vote that is kept."""
    answers = {(json.dumps(inputs), "v1", label) for inputs, label in answered(site)}
    return Told(seconds=[0.1] * 200, answers=answers, acknowledged={"a": (201, "x")})


def answered(site: Site) -> list[tuple[dict[str, float], str]]:
    service = open_service(Settings(home=site.prepared))
    rows = [inputs for inputs, _ in zombies_of(2, seed=1)]
    made = service.predict(MODEL, rows).predictions
    service.store.close()
    return [(row, one.label or "") for row, one in zip(rows, made, strict=True)]


def seen(site: Site, told: Told, lost: list[str]) -> Outcome:
    return judged(site, "a drill", "once", told, lost, most_failed=0.005)


def test_drill_in_which_nothing_was_lost_is_well(site: Site, told: Told) -> None:
    told.unanswered["503"] += 1

    outcome = seen(site, told, [])

    assert outcome.is_well
    assert outcome.cells()[:6] == (
        *("a drill", "once", "200 of 201 predictions"),
        *("0.498%", "0 of 1", "0 of 2"),
    )


def test_lost_vote_wrong_answer_and_many_failures_are_told(site: Site, told: Told) -> None:
    [(inputs, version, label), *_] = told.answers
    other = "zombie" if label != "zombie" else "human"
    wrong = replace(told, answers={*told.answers, (inputs, version, other)})
    failed = replace(told, unanswered=told.unanswered + type(told.unanswered)({"503": 2}))

    assert not seen(site, told, ["verdict a"]).is_well
    assert (seen(site, wrong, []).wrong, seen(site, wrong, []).is_well) == ("1 of 3", False)
    assert not seen(site, failed, []).is_well


def test_growth_is_of_what_came_after_the_warm_up() -> None:
    seen = [(number * 100_000, 50.0 + 9 * min(number, 20) + 0.5 * number) for number in range(100)]

    assert slope_of(seen) == pytest.approx(0.5)


def test_clock_and_disk_of_a_process_are_spoilt_while_it_runs(tmp_path: Path) -> None:
    needs("cc", has_compiler(), "install Debian's packages gcc and libc6-dev")
    home = tmp_path / "home"
    home.mkdir()
    faults = Faults(tmp_path, home)
    script = (
        "import pathlib, sys, time\n"
        "for line in sys.stdin:\n"
        "    try:\n"
        f"        pathlib.Path({str(home)!r}, 'a').write_text('b')\n"
        f"        pathlib.Path({str(tmp_path)!r}, 'beside').write_text('b')\n"
        "        told = 'written'\n"
        "    except OSError as error:\n"
        "        told = error.strerror\n"
        "    print(int(time.time()), told, flush=True)\n"
    )
    told = []
    with subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, **faults.environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        for seconds_off, is_full in ((0, False), (-3_600, True), (0, False)):
            faults.set(seconds_off=seconds_off, is_full=is_full)
            process.stdin.write("\n")
            moment, said = process.stdout.readline().split(maxsplit=1)
            told.append((round((int(moment) - time.time()) / 600), said.strip()))

    assert told == [(0, "written"), (-6, "No space left on device"), (0, "written")]


def test_one_whose_power_is_cut_judges_and_ships(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = prepare(tmp_path / "home", {MODEL: "sgd"})
    monkeypatch.setattr(power, "VERDICTS", 45)
    monkeypatch.setattr(power, "AWAY_EVERY", 30)

    power.judge_and_ship(home, is_control=False)

    acks = power.acks_of((home / "acks").read_text())
    assert len(acks) == 45 + power.AWAY_VERDICTS
    assert power.losses_of(home, acks) == []
    assert power.losses_of(home, {**acks, "other": ("created", "zombie")}) == ["created other"]
