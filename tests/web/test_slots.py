"""Where web workers count: a place goes from a dead one to the next, with its counts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from unrot.web.metrics.slots import FILE_BYTES, KINDS, Slots


def taken_by_another(folder: Path) -> subprocess.Popen[str]:
    """Take a slot in another process, which lives until it is killed."""
    code = (
        "import sys; from pathlib import Path; from unrot.web.metrics.slots import Slots; "
        "print(Slots(Path(sys.argv[1])).own(), flush=True); sys.stdin.read()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def number_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def killed(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_processes_at_one_moment_have_slots_of_their_own(tmp_path: Path) -> None:
    other = taken_by_another(tmp_path)
    first = number_of(other)

    own = Slots(tmp_path).own()
    killed(other)

    assert (first, own) == (0, 1)


def test_slot_of_a_killed_process_is_taken_over_with_its_counts(tmp_path: Path) -> None:
    other = taken_by_another(tmp_path)
    number_of(other)
    (tmp_path / "counter_0.db").write_bytes(b"counts" + bytes(FILE_BYTES))
    (tmp_path / "gauge_livesum_0.db").write_bytes(b"in the midst of three requests")
    killed(other)

    slots = Slots(tmp_path)

    assert slots.own() == slots.own() == 0
    assert (tmp_path / "counter_0.db").read_bytes()[:6] == b"counts"
    assert (tmp_path / "gauge_livesum_0.db").read_bytes() == bytes(FILE_BYTES)


def test_files_have_their_blocks_before_they_are_mapped(tmp_path: Path) -> None:
    Slots(tmp_path).own()

    blocks = [(tmp_path / f"{kind}_0.db").stat().st_blocks * 512 for kind in KINDS]

    assert all(found >= FILE_BYTES for found in blocks)


def test_what_a_dead_process_was_in_the_midst_of_is_not_counted(tmp_path: Path) -> None:
    other = taken_by_another(tmp_path)
    number_of(other)
    own = Slots(tmp_path)
    own.own()
    killed(other)

    found = [Path(file).name for file in own.files()]

    assert found == [
        "counter_0.db",
        "counter_1.db",
        "gauge_livesum_1.db",
        "histogram_0.db",
        "histogram_1.db",
    ]


def test_server_that_starts_clears_what_nobody_goes_on_with(tmp_path: Path) -> None:
    living, dead = taken_by_another(tmp_path), taken_by_another(tmp_path)
    kept = number_of(living)
    gone = number_of(dead)
    killed(dead)

    Slots(tmp_path).clear()
    found = names(tmp_path)
    killed(living)

    kinds = [f"{kind}_{kept}.db" for kind in KINDS]
    assert found == sorted([*kinds, f"{kept}.lock", f"{gone}.lock"])


def test_clearing_makes_the_folder(tmp_path: Path) -> None:
    Slots(tmp_path / "metrics").clear()

    assert names(tmp_path) == ["metrics"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_child_of_a_fork_takes_a_slot_of_its_own(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from unrot.web.metrics.slots import Slots\n"
        "slots = Slots(Path(sys.argv[1])); slots.own()\n"
        "child = os.fork()\n"
        # In one piece, so that what both say does not run into each other.
        "os.write(1, b'%d\\n' % slots.own())\n"
        "child and os.waitpid(child, 0)"
    )

    said = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    ).stdout

    assert sorted(said.split()) == ["0", "1"]
