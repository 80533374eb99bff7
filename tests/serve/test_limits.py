"""What one visitor may ask for: counted once for all processes, forgotten by itself."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.clock import Clock
from tests.conftest import ROOT
from unrot.core.time import DAY
from unrot.serve.limits import GROUPS, MOST_SHARES, SHARES, WIDTH, Limit, Limits

NOW = 1_900_000_000.0


@pytest.fixture
def limits(tmp_path: Path, clock: Clock) -> Limits:
    clock.now = NOW
    return Limits(tmp_path / "limits", {"votes": Limit(10, 60.0)}, clock=clock)


def test_allowance_may_come_at_once_and_then_drop_by_drop(limits: Limits, clock: Clock) -> None:
    assert [limits.pour("votes", "ada", 1) for _ in range(11)] == [0.0] * 10 + [6.0]
    clock.now += 6.0
    assert [limits.pour("votes", "ada", 1) for _ in range(2)] == [0.0, 6.0]
    clock.now += 60.0
    assert limits.pour("votes", "ada", 10) == 0.0


def test_one_visitor_costs_another_nothing(limits: Limits) -> None:
    limits.pour("votes", "ada", 10)

    assert limits.pour("votes", "bob", 10) == 0.0
    assert [(one.subject, one.times) for one in limits.refused()] == []


def test_what_never_fits_is_taken_by_an_empty_bucket_and_then_paid_for(
    limits: Limits, clock: Clock
) -> None:
    assert limits.pour("votes", "ada", 30) == 0.0
    assert limits.pour("votes", "ada", 1) == 126.0
    assert limits.wait_of("votes", "ada") == 126.0
    clock.now += 180.0
    assert limits.wait_of("votes", "ada") == 0.0


def test_who_was_refused_is_told_until_the_bucket_is_empty(limits: Limits, clock: Clock) -> None:
    for _ in range(13):
        limits.pour("votes", "ada", 1)

    [told] = limits.refused()

    assert (told.limit, told.subject, told.times, told.until) == ("votes", "ada", 3, NOW + 60.0)
    clock.now += 61.0
    assert limits.refused() == []


def test_crowd_of_made_up_visitors_makes_the_table_forget_and_not_grow(
    limits: Limits, tmp_path: Path
) -> None:
    size = (tmp_path / "limits").stat().st_size if (tmp_path / "limits").exists() else 0
    for number in range(2 * GROUPS * WIDTH):
        limits.pour("votes", f"v{number}", 1)

    assert limits.pour("votes", "ada", 10) == 0.0
    assert limits.pour("votes", "ada", 1) > 0.0
    assert (tmp_path / "limits").stat().st_size == size or size == 0


POURING = """
import sys
from pathlib import Path
from unrot.serve.limits import Limit, Limits
limits = Limits(Path(sys.argv[1]), {"votes": Limit(1_000, 1e6)})
print(sum(limits.pour("votes", "ada", 1) == 0.0 for _ in range(900)))
"""


def test_processes_and_threads_share_one_allowance(tmp_path: Path) -> None:
    path = tmp_path / "limits"
    others = [
        subprocess.Popen(
            [sys.executable, "-c", POURING, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    limits = Limits(path, {"votes": Limit(1_000, 1e6)})
    taken: list[int] = []

    def pour() -> None:
        taken.append(sum(limits.pour("votes", "ada", 1) == 0.0 for _ in range(300)))

    threads = [threading.Thread(target=pour) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(taken) + sum(int(other.communicate()[0]) for other in others) in (1_000, 1_001)


# ── shares ───────────────────────────────────────────────────────────────────────────────────


def test_shares_are_of_one_allowance_and_give_no_more_than_it(tmp_path: Path, clock: Clock) -> None:
    clock.now = NOW
    given = {"bytes": Limit(2 * SHARES, DAY)}
    workers = [Limits(tmp_path / "limits", given, clock=clock) for _ in range(2)]

    taken = [one.spend("bytes", "ada", 0.5) == 0.0 for _ in range(3 * SHARES) for one in workers]

    assert sum(taken) == 4 * SHARES
    assert workers[0].spend("bytes", "bob", 0.5) == 0.0


def test_only_one_in_many_asks_the_table(limits: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    poured: list[float] = []
    monkeypatch.setattr(limits, "_limits", {"votes": Limit(100 * SHARES, DAY)})
    monkeypatch.setattr(limits, "pour", lambda *given: poured.append(given[2]) or 0.0)

    for _ in range(1_000):
        limits.spend("votes", "ada", 1)

    assert poured == [100.0] * 10


def test_what_is_larger_than_a_share_is_taken_whole(limits: Limits) -> None:
    assert limits.spend("votes", "ada", 10) == 0.0
    assert limits.spend("votes", "ada", 1) == 6.0


def test_full_disk_lets_each_process_count_alone_until_there_is_room(
    limits: Limits, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def has_no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(os, "posix_fallocate", has_no_room)
        alone = [limits.pour("votes", "ada", 5) for _ in range(3)]
    still = limits.pour("votes", "ada", 5)
    clock.now += 61.0
    together = [limits.pour("votes", "ada", 5) for _ in range(2)]

    assert (alone[:2], alone[2] > 0, still > 0) == ([0.0, 0.0], True, True)
    assert together == [0.0, 0.0]
    assert "counted by each process alone" in caplog.text
    other = Limits(limits._path, {"votes": Limit(10, 60.0)}, clock=clock)
    assert other.pour("votes", "ada", 5) > 0


def test_no_limit_takes_all(tmp_path: Path) -> None:
    limits = Limits(tmp_path / "limits", {"bytes": Limit(0, DAY)})

    assert {limits.spend("bytes", "ada", 1e12) for _ in range(9)} == {0.0}
    assert limits.wait_of("bytes", "ada") == 0.0


def test_crowd_makes_a_process_forget_its_shares_and_not_grow(limits: Limits) -> None:
    for number in range(2 * MOST_SHARES):
        limits.spend("votes", f"v{number}", 0.0001)

    assert len(limits._left) <= MOST_SHARES
