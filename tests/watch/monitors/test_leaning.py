"""Verdicts on alarms alone are held against how often alarms are right, by monitors and pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.alarms import Alarms, opened
from tests.clock import Clock


@pytest.fixture
def alarms(tmp_path: Path, clock: Clock) -> Iterator[Alarms]:
    with opened(tmp_path / "home", clock) as made:
        yield made


def test_alarms_that_are_right_as_often_as_on_the_test_set_are_no_finding(alarms: Alarms) -> None:
    alarms.go_by(3_000, alone=True)

    assert alarms.found() == []
    assert alarms.glance().state == "unknown"
    said = alarms.health()
    assert (said.state, said.headline) == ("unknown", "Nothing looks wrong with this model so far.")
    [mostly] = [
        one for one in said.reasons if one.startswith("Only the answer yes was judged (100")
    ]
    assert mostly.endswith("that tells how right this answer is, and not how right the model is.")
    assert "test rows when it was made" not in " ".join(said.reasons)


def test_that_alarms_alone_are_judged_from_a_day_on_is_no_fall(alarms: Alarms) -> None:
    alarms.go_by(1_500, alone=False)
    alarms.go_by(3_000, alone=True)

    assert alarms.found() == []


def test_alarms_that_become_false_are_found_beside_earlier_alarms(alarms: Alarms) -> None:
    alarms.go_by(1_500, alone=False)
    alarms.go_by(1_500, alone=True)
    alarms.go_by(1_500, alone=True, spoilt=True)

    [found] = [one for one in alarms.found() if one.kind == "rot"]

    assert found.is_open
