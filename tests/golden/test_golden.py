"""Nothing that people see changes unnoticed: the copies in copies/ are compared word by word.

The made-up home is made in a process of its own, in which time stands still from the beginning
and chance is the same. It is made through the doors alone (HTTP, the command line), so that what
lies behind them can be moved.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from difflib import unified_diff
from pathlib import Path

import pytest

from tests.conftest import ROOT, environment

COPIES = Path(__file__).parent / "copies"
RENEW = "UNROT_RENEW_GOLDEN"
MOST_LINES_OF_ONE, MOST_LINES = 25, 120
LONGEST_LINE = 1_000
ALIKE = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "LANGUAGE": "C",
    "SSL_CERT_FILE": os.devnull,
}
"""What could make machines differ; without certificates 90 commands start two seconds sooner."""


@pytest.fixture
def seen_now(tmp_path: Path) -> Path:
    """What people see now, written anew."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.golden", str(tmp_path / "now")],
        env=environment(tmp_path, **ALIKE),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-4_000:]
    return tmp_path / "now"


def test_what_people_see_is_what_they_saw(seen_now: Path) -> None:
    if os.environ.get(RENEW):
        shutil.rmtree(COPIES, ignore_errors=True)
        shutil.copytree(seen_now, COPIES)

    differing = [diff for name in names(COPIES, seen_now) if (diff := differs(name, seen_now))]

    if differing:
        pytest.fail(told(differing), pytrace=False)


def names(*folders: Path) -> list[str]:
    """Return the names of all copies in any of the folders."""
    found = (path.relative_to(folder) for folder in folders for path in folder.rglob("*.*"))
    return sorted({str(name) for name in found})


def differs(name: str, now: Path) -> list[str]:
    """Return how a copy differs from what is seen now, as a unified diff."""
    before, after = (lines_of(folder / name) for folder in (COPIES, now))
    return list(unified_diff(before, after, f"copies/{name}", f"now/{name}", n=1, lineterm=""))


def lines_of(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines() if path.exists() else []


def told(differing: list[list[str]]) -> str:
    """Say shortly what differs, and what to do when it is meant to."""
    shown: list[str] = []
    for diff in differing:
        shown += diff[:MOST_LINES_OF_ONE]
        if len(diff) > MOST_LINES_OF_ONE:
            shown.append(f"… {len(diff) - MOST_LINES_OF_ONE} more lines of {diff[1][4:]}")
    lines = [line[:LONGEST_LINE] for line in shown[:MOST_LINES]]
    if len(shown) > MOST_LINES:
        lines.append("… and in " + ", ".join(diff[1][4:] for diff in differing))
    return (
        f"People see something else in {len(differing)} of the copies.\n"
        + "\n".join(lines)
        + f"\nIf it is meant to: {RENEW}=1 pytest tests/golden, look at git diff, and say it in "
        "the commit."
    )
