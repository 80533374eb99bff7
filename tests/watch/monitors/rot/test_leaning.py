"""Rot on alarms alone says so, and nothing certain of the model."""

from __future__ import annotations

from pathlib import Path

from tests.alarms import opened
from tests.clock import Clock


def test_fall_of_what_alone_is_judged_is_told_as_that(tmp_path: Path, clock: Clock) -> None:
    with opened(tmp_path / "home", clock) as alarms:
        alarms.go_by(2_000, alone=True)
        alarms.go_by(1_000, alone=True, spoilt=True)
        [rot] = [one for one in alarms.found() if one.kind == "rot"]

    assert rot.sentence.startswith("v1 is wrong more often: right in ")
    assert "Only the answer yes was judged (100 % of the verdicts, " in rot.sentence
    assert "surely" not in rot.sentence and "low" not in rot.evidence["after"]
    assert rot.evidence["version"] == "v1"
