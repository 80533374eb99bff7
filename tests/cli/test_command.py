"""The command `unrot` as pip installs it: it finds what lies where it is called."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.conftest import environment
from unrot.__main__ import run_command


def test_estimator_of_the_folder_that_one_is_in_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lying_here.py").write_text("def load():\n    raise ValueError('found')\n")
    (tmp_path / "rows.csv").write_text("a,left\n1,yes\n2,no\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [one for one in sys.path if one not in ("", str(tmp_path))])
    for name, said in environment(tmp_path / "home").items():
        monkeypatch.setenv(name, said)
    given = ["add", "churn", "lying_here:load", "--data", "rows.csv", "--target", "left"]
    monkeypatch.setattr(sys, "argv", ["unrot", *given])

    status = run_command()

    assert status == 1
    assert "found" in capsys.readouterr().err
