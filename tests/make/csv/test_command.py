"""`python train.py --csv FILE`: from the command line to a registered model."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.make.csv.conftest import Write, lines
from unrot.cli import main

TABLE = lines("Width (cm),kids,y", lambda n: f"{n / 4},{n % 3},{'ab'[n // 2 % 2]}", 60)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder that nothing was registered in."""
    monkeypatch.setenv("UNROT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_dry_run_shows_the_schema_and_registers_nothing(
    write: Write, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(TABLE)

    status = main.main(["train", "--csv", str(path), "--target", "y", "--dry-run"])

    said = capsys.readouterr().out.splitlines()
    assert status == 0
    assert said[0].split() == ["column", "kind", "values", "gaps", "example"]
    assert said[1].startswith("Width (cm)  number        0 to ")
    assert said[2].startswith("kids        whole number  0, 1, 2")
    assert said[4:6] == ["Target: y, 2 classes: a, b.", "48 rows to learn from, 12 held out."]
    assert main.main(["versions", "table"]) == 1


def test_table_is_trained_and_registered(
    write: Write, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["train", "--csv", str(write(TABLE)), "--target", "y", "--name", "widths"]

    status = main.main([*arguments, "--estimator", "tree", "--holdout", "0.3", "--seed", "3"])

    said = capsys.readouterr().out
    assert status == 0
    assert "42 rows to learn from, 18 held out." in said
    assert "widths v1 is registered as champion." in said
    assert main.main(["versions", "widths"]) == 0
    assert "tree" in capsys.readouterr().out


def test_stream_begins_with_a_hundred_rows_of_a_table(
    write: Write, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = lines("width,y", lambda n: f"{n % 40},{'ab'[n % 40 // 20]}", 200)

    status = main.main(
        ["train", "--csv", str(write(long)), "--target", "y", "--name", "widths", "--stream"]
    )

    said = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert status == 0
    assert ["rows_seen", "100"] in said
    assert ["rows_to_come", "60"] in said
    assert ["split", "0.2"] in said
    assert ["seed", "0"] in said
    assert main.main(["versions", "widths"]) == 0
    [_, version, on] = capsys.readouterr().out.splitlines()
    assert on == "Test set A: 40 rows held out when v1 was trained."
    assert version.split()[:4] == ["v1", "champion", "mlp", "stream"]


@pytest.mark.parametrize("demo", ["iris", "zombies"])
def test_stream_of_a_demo(home: Path, capsys: pytest.CaptureFixture[str], demo: str) -> None:
    assert main.main(["train", demo, "--stream", "--estimator", "sgd"]) == 0

    said = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["rows_to_come", {"iris": "20", "zombies": "1,900"}[demo]] in said
    assert main.main(["train", demo, "--stream", "--estimator", "forest"]) == 1
    assert (
        capsys.readouterr()
        .err.splitlines()[-1]
        .startswith('--stream feeds one row at a time, and "forest" can only be fitted whole: ')
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "--csv, --target, --name missing: name a demo (iris, zombies, heart), or bring a "),
        (["--csv", "t.csv"], "--target, --name missing: "),
        (["--csv", "t.csv", "--target", "y"], "--name missing: "),
        (["iris", "--csv", "t.csv"], "--csv is for the heart demo; iris brings its own data."),
        (
            ["iris", "--target", "y", "--holdout-csv", "t.csv"],
            "--target, --holdout-csv: for a table of your own, without iris.",
        ),
        (["--csv", "none.csv", "--target", "y", "--name", "m"], "There is no file none.csv."),
        (["--csv", "none.csv", "--target", "y", "--name", "M"], 'A model cannot be named "M": '),
    ],
)
def test_command_that_cannot_be_meant_is_refused_with_a_sentence(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    status = main.main(["train", *arguments])

    assert status == 1
    assert capsys.readouterr().err.startswith(sentence)


def test_spoilt_table_leaves_no_traceback_and_nothing_registered(
    write: Write, home: Path, tmp_path: Path
) -> None:
    path = write(TABLE.replace("a\n", "b\n"))

    done = subprocess.run(
        [sys.executable, ROOT / "train.py", "--csv", path, "--target", "y", "--name", "widths"],
        env={**os.environ, "UNROT_HOME": str(home)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        'The target "y" is always "b": there is nothing to learn.'
    )
    assert "Traceback" not in done.stderr
    assert main.main(["versions", "widths"]) == 1
