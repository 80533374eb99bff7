"""`python -m unrot report`: one file, whole or not there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, environment, run_command
from unrot.cli.main import main


def test_report_is_written_to_a_file(trained_home: Path, tmp_path: Path) -> None:
    """In a process of its own: `python -m unrot` hands over what draws it."""
    file = tmp_path / "iris.html"
    command = [sys.executable, "-m", "unrot", "report", "iris", "-o", str(file)]

    done = subprocess.run(
        [*command, "--from", "2026-01-01", "--to", "2026-01-08"],
        env=environment(trained_home),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert f"iris, 2026-01-01 00:00 UTC to 2026-01-08 00:00 UTC: written to {file}." in done.stderr
    page = file.read_text("utf-8")
    assert "Nobody has asked this model yet." in page and page.rstrip().endswith("</html>")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "soon"), "--from"),
        (("--from", "2026-01-02", "--to", "2026-01-01"), "a time after --from"),
    ],
)
def test_what_is_no_period_is_refused(
    trained_home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.setenv("UNROT_HOME", str(trained_home))

    status = main(["report", "iris", *arguments], render=lambda _: "")

    assert status == 1
    assert said in capsys.readouterr().err


def test_file_that_is_there_is_left_alone(trained_home: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.html"
    file.write_text("mine")

    done = run_command(trained_home, "report", "iris", "-o", file)

    assert done.returncode == 1
    assert file.read_text() == "mine"
