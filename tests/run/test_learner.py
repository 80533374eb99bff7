"""What the caretaker starts: small, and with what a build has compiled for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from unrot.run import sparing
from unrot.run.learner import command_of_learner


def test_learner_imports_no_command_no_page_and_no_monitor() -> None:
    """A dyno has no room for what a process does not use."""
    code = "import sys, unrot.run.learner; print(*(m for m in sys.modules if 'unrot.' in m))"

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    imported = done.stdout.split()
    heavy = ("unrot.cli", "unrot.web", "unrot.watch.monitors.rot.look", "unrot.run.caretaker")
    assert "unrot.learn.worker" in imported
    assert [name for name in imported if name.startswith(heavy)] == []


def test_learner_goes_without_documentation_where_a_build_has_compiled_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    monkeypatch.setattr(sparing, "IMPORTED", ("sklearn",))

    before = command_of_learner(7)
    sparing.compile_what_is_imported()
    after = command_of_learner(7)

    assert before == [sys.executable, "-m", "unrot.run.learner", "7"]
    assert after == [sys.executable, "-OO", "-m", "unrot.run.learner", "7"]


def test_what_is_compiled_so_has_no_documentation_and_is_taken(tmp_path: Path) -> None:
    """Compiled by contents: it holds whatever time a slug gives the files."""
    told = "import sys, unrot.core.ids as ids; print(ids.__doc__, ids.__cached__)"
    compiled = "from unrot.run import sparing; sparing.IMPORTED = ('unrot.core.ids',)"
    prefix = ["-X", f"pycache_prefix={tmp_path}"]

    subprocess.run(
        [sys.executable, *prefix, "-c", f"{compiled}; sparing.compile_what_is_imported()"],
        cwd=ROOT,
        check=True,
    )
    [kept] = tmp_path.rglob("unrot/core/ids.*.opt-2.pyc")
    written = kept.read_bytes()
    done = subprocess.run(
        [sys.executable, *prefix, "-OO", "-c", told], cwd=ROOT, capture_output=True, text=True
    )

    assert done.stdout.split() == ["None", str(kept)]
    assert kept.read_bytes() == written
    assert written[4] == 0b11, "checked, by its contents"
