"""The commands of learning: done here or watched, cancelled whole, and what they say."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import ROOT, environment, wait_for
from tests.lessons import judged, patient, published, teach, verdict, working
from unrot.cli import run_job
from unrot.cli.main import parser
from unrot.core.records import CHALLENGER, CHAMPION, Job
from unrot.learn import jobs, promote
from unrot.learn.worker import new_holder
from unrot.serve.service import Service


@pytest.fixture(autouse=True)
def fits_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are done by a stand-in in this process."""
    monkeypatch.setattr(run_job, "do_job", teach)


PROGRAM = """
import sys, threading
from tests.lessons import patient
from unrot.cli import run_job as hands
from unrot.cli import learn as learn_commands
from unrot.cli.main import main
hands.do_job = learn_commands.do_job = patient(threading.Event())
sys.exit(main(sys.argv[1:]))
"""


def started(home: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a command as a process of its own, whose jobs go on until they are cancelled."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        env=environment(home),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def newest(service: Service) -> Job:
    return jobs.listed(service, None, 1)[0]


# ── jobs that are done here ──────────────────────────────────────────────────────────────────


def test_learn_does_its_job_and_says_what_came_of_it(
    service: Service, at_home: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    judged(service, 3)

    status = at_home("learn", "iris")

    said = capsys.readouterr().out.splitlines()
    assert status == 0
    assert said[0] == "iris v2 is made (learnt)."
    assert said[1].split() == ["metric", "v1", "v2"]
    assert "learnt  3" in said
    assert "The gate: passed. It was compared on 40 rows." in said
    assert "compared on  40 rows (test set)" in said
    assert said[-1] == ("It does not answer yet. To let it answer: python -m unrot promote iris v2")
    assert (newest(service).asked_by, newest(service).state) == ("operator", "done")


def test_job_that_a_learner_was_faster_with_is_watched(
    service: Service,
    at_home: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(run_job._Worker, "start", lambda _: None)
    judged(service)

    with working(service):
        status = at_home("learn", "iris")

    assert status == 0
    assert capsys.readouterr().out.startswith("iris v2 is made")


def test_job_of_another_model_that_came_first_is_done_on_the_way(
    service: Service, at_home: Callable[..., int]
) -> None:
    judged(service)
    now = replace(service, clock=time.time)
    other = jobs.ask(now, "zombies", "rebuild", {"version": "v1"})

    assert at_home("learn", "iris") == 0
    assert jobs.job(service, other.id).state == "done"


def test_what_cannot_be_done_is_a_sentence(
    service: Service, at_home: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    statuses = [
        at_home("learn", "iris"),
        at_home("train-batch", "iris"),
        at_home("refit", "iris", "--weights", "trusted"),
        at_home("refit", "iris", "--weights", "trusted=much"),
        at_home("rebuild", "iris", "v9"),
        at_home("rebuild", "iris", "v1", "--without-file", "nowhere"),
        at_home("weigh", "iris", "v1"),
        at_home("rollback", "iris"),
        at_home("promote", "iris", "v9"),
        at_home("learn", "unicorns"),
    ]

    said = capsys.readouterr().err.splitlines()
    assert statuses == [1] * 10
    assert len(said) == 10
    assert said[0] == "There is no verdict that v1 could still learn from: nothing waits."
    assert said[2] == 'argument "trusted": expected NAME=VALUE.'
    assert said[3] == 'trusted "much": expected a number.'
    assert said[5] == "nowhere cannot be read: No such file or directory."
    assert jobs.listed(service, None, 10) == []


def test_failed_job_is_told_with_its_sentence(
    service: Service,
    at_home: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def stumble(*_: object) -> None:
        raise ZeroDivisionError("of a library")

    monkeypatch.setattr(run_job, "do_job", stumble)
    judged(service)

    assert at_home("learn", "iris") == 1
    assert "It failed for a reason that nobody foresaw" in capsys.readouterr().err


def test_busy_model_is_said_with_what_cancels_its_job(
    service: Service, at_home: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    judged(service)
    running = jobs.ask(service, "iris", "learn", {})

    refused = at_home("refit", "iris")
    advice = capsys.readouterr().err.strip().rpartition("python -m unrot ")[2].split()
    cancelled = at_home(*advice)

    assert (refused, cancelled) == (1, 0)
    assert advice == ["jobs", "iris", "--cancel", running.id]
    assert jobs.job(service, running.id).reason == "cancelled"
    assert capsys.readouterr().out == "It was cancelled.\n"


def test_weights_and_left_out_verdicts_go_with_the_job(
    service: Service, at_home: Callable[..., int], tmp_path: Path
) -> None:
    judged(service)
    file = tmp_path / "ids"
    file.write_text("b\n\n c \n")

    at_home("refit", "iris", "--weights", "thumb up=0.5, training=1")
    at_home("rebuild", "iris", "v1", "--without", "a", "--without-file", str(file))

    asked = [dict(job.asked) for job in reversed(jobs.listed(service, "iris", 10))]
    assert asked == [
        {"weights": {"thumb up": 0.5, "training": 1.0}},
        {"version": "v1", "without": ["a", "b", "c"]},
    ]


def test_reset_asks_first(
    service: Service, at_home: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    unasked = at_home("reset", "iris")
    refused = capsys.readouterr().err
    agreed = at_home("reset", "iris", "--yes")

    assert (unasked, agreed) == (1, 1)
    assert "answered by an untrained version at once, without the gate" in refused
    assert "add --yes to agree" in refused
    assert "no training stream" in capsys.readouterr().err


def test_ctrl_c_cancels_the_job_and_leaves_none_running(
    service: Service, trained_home: Path
) -> None:
    judged(service)
    process = started(trained_home, "learn", "iris")
    wait_for(lambda: jobs.listed(service, "iris", 1) and newest(service).progress > 0, 30)

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)

    found = newest(service)
    assert (process.returncode, out) == (130, "")
    assert "It was cancelled." in err
    assert "Traceback" not in err
    assert (found.state, found.reason) == ("failed", "cancelled")


def test_real_learner_teaches_a_version_that_is_kept(service: Service, trained_home: Path) -> None:
    """No stand-in: the estimator is opened, taught, compiled and weighed by the command."""
    judged(service, 60)
    command = [sys.executable, "-m", "unrot", "learn", "iris"]

    done = subprocess.run(
        command, env=environment(trained_home), cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("iris v2 is made (learn).")
    assert "The gate: " in done.stdout
    assert sum(service.store.lessons.fates("iris", ["v2", "v1"]).learnt.values()) > 0
    assert [version.parent for version in service.versions("iris")] == [None, "v1"]
    made, asked = service.store.audit_log.newest(2)  # the thread that learns is somebody's too
    assert (asked.who, asked.what, asked.model) == ("command line", "learn", "iris")
    assert (made.who, made.what, made.on) == ("command line", "make version", "v2")


# ── the learner ──────────────────────────────────────────────────────────────────────────────


def test_learner_does_what_waits_and_lets_go_at_once_when_told(
    service: Service, trained_home: Path
) -> None:
    """The job that it has in hand is free for the next learner, not after ten seconds."""
    judged(service)
    made = jobs.ask(service, "iris", "learn", {})
    process = started(trained_home, "learner")
    wait_for(lambda: newest(service).progress > 0, 30)

    process.terminate()
    _, err = process.communicate(timeout=20)

    assert (process.returncode, err) == (0, "")
    assert service.store.jobs.waits(service.clock() - 43_200, 10.0)
    assert jobs.job(service, made.id).state == "running"


def test_learner_ends_with_its_parent(service: Service, trained_home: Path) -> None:
    """A shell starts the learner and ends."""
    judged(service)
    jobs.ask(service, "iris", "learn", {})
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, sys.executable, PROGRAM],
        env=environment(trained_home),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        learner = int(parent.stdout.readline())
        wait_for(lambda: newest(service).progress > 0, 30)

        parent.kill()

    wait_for(lambda: not _lives(learner), 20)


def test_learner_whose_parent_ended_before_it_began_ends_too(trained_home: Path) -> None:
    """It would wait for jobs for twenty seconds."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()

    command = [sys.executable, "-c", PROGRAM, "learner", "--with-parent", str(gone.pid)]
    done = subprocess.run(command, env=environment(trained_home), cwd=ROOT, timeout=15)

    assert done.returncode == 0


_PARENT = """
import subprocess, sys, time
python, program = sys.argv[1:]
command = [python, "-c", program, "learner", "--with-parent"]
print(subprocess.Popen(command).pid, flush=True)
time.sleep(60)
"""


def _lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


# ── aliases, jobs, policy ────────────────────────────────────────────────────────────────────


def test_versions_are_promoted_and_rolled_back(
    service: Service, at_home: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    published(service, gate=verdict("refused"))
    aliases = service.store.registry.aliases

    refused = at_home("promote", "iris", "v2")
    shadowed = at_home("promote", "iris", "v2", "--challenger"), aliases("iris")
    forced = at_home("promote", "iris", "v2", "--force", "--reason", "so"), aliases("iris")
    back = at_home("rollback", "iris"), aliases("iris")

    told = capsys.readouterr()
    assert refused == 1
    assert told.err.startswith("The gate refused v2")
    assert shadowed == (0, {CHAMPION: "v1", CHALLENGER: "v2"})
    assert forced == (0, {CHAMPION: "v2"})
    assert back == (0, {CHAMPION: "v1"})
    assert told.out.splitlines() == [
        "v2 is the challenger of iris: scored in the shadow.",
        "v2 answers for iris, everywhere within two seconds.",
        "v1 answers for iris again, everywhere within two seconds.",
    ]


def test_jobs_are_listed(
    service: Service, at_home: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    at_home("jobs")
    judged(service)
    made = jobs.ask(service, "iris", "learn", {}, by="ada")
    at_home("jobs", "iris")

    none, head, row = capsys.readouterr().out.splitlines()
    assert none == "No job was asked for yet."
    assert head.split()[:4] == ["job", "model", "kind", "state"]
    assert row.split()[:6] == [made.id, "iris", "learn", "queued", "0", "%"]
    assert "ada" in row


def test_policy_is_shown_and_changed(
    service: Service, at_home: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    shown = at_home("policy", "iris")
    changed = at_home("policy", "iris", "--set", "promote=auto", "learn=every 50", "cap=0.1")
    wrong = at_home("policy", "iris", "--set", "cap=2")

    told = capsys.readouterr()
    found = promote.policy(service, "iris")
    assert (shown, changed, wrong) == (0, 0, 1)
    assert (found.promote, found.learn_every, found.cap) == ("auto", 50, 0.1)
    assert "It learns when somebody asks." in told.out
    assert "It learns by itself after every 50 verdicts." in told.out
    assert told.err.startswith("cap 2.0: expected a share from 0")


# ── processes ────────────────────────────────────────────────────────────────────────────────


def test_every_process_of_the_procfile_has_a_command_that_parses() -> None:
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())

    commands = {
        name: parser().parse_args(line.split()[3:])
        for name, line in lines.items()
        if line.startswith("python -m unrot ")
    }

    assert set(lines) == {"release", "web", "worker"}
    assert commands["worker"].jobs_only
    assert set(commands) == {"release", "worker"}


def test_holder_of_a_terminal_is_no_learner_of_the_caretaker(
    service: Service, at_home: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caretaker that starts lets go of its own learner's jobs, not of those of a terminal."""
    began = threading.Event()
    monkeypatch.setattr(run_job, "do_job", patient(began))
    judged(service)
    thread = threading.Thread(target=lambda: at_home("learn", "iris"))
    thread.start()
    assert began.wait(20)

    writer = (service.settings.home / "writer-name").read_text()[:16]
    service.store.jobs.release(new_holder(writer))
    waits = service.store.jobs.waits(jobs.job(service, newest(service).id).created_at, 10.0)
    jobs.cancel(service, newest(service).id)
    thread.join(20)

    assert not waits
