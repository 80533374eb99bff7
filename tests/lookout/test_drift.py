"""Drift in days of traffic that were brought in by the command, against what training saw."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lookout.days import DAY, MIDNIGHT, OUTLIERS, bring_in, flowers, log_of, spoilt
from unrot.lookout import drift
from unrot.service import Service
from unrot.symptoms import Check, Rules, Symptom


@pytest.fixture(autouse=True)
def at_home(trained_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROT_HOME", str(trained_home))


def seen(service: Service, rules: Rules | None = None, now: float = 2e9) -> list[Symptom]:
    """Look until nothing new is seen."""
    shelved = service.catalogue().model("iris")
    found: list[Symptom] = []
    while more := list(drift.look(service, shelved, rules or Rules(), now)):
        found += more
    return found


def checks(service: Service, against: str = "training") -> list[Check]:
    return service.store.checks.of_model("iris", against=against, since=0, until=1e12)


@pytest.mark.parametrize("seconds", [DAY, 3_600], ids=["over the day", "within an hour"])
@pytest.mark.parametrize("said", [False, True], ids=["answered here", "answered there"])
def test_day_with_outliers_is_found_and_named(
    service: Service, tmp_path: Path, seconds: int, said: bool
) -> None:
    days = [flowers(1), spoilt(flowers(2), 2, "far above"), flowers(3)]
    bring_in(log_of(tmp_path / "log.csv", days, seconds=seconds, said=said), said=said)

    before, during, after = seen(service)

    assert [before.is_present, during.is_present, after.is_present] == [False, True, False]
    assert during.features == ("sepal_width_cm",)
    assert during.since in (MIDNIGHT + DAY, MIDNIGHT + DAY + 9 * 3_600)
    assert during.at == during.since + (3_600 if seconds == 3_600 else DAY)
    assert during.sentence.startswith("sepal_width_cm moved on 2026-01-02")
    assert "20 % of its values lie outside what training saw (before: 0 %)" in during.sentence
    assert [check.rows for check in checks(service)] == [150, 150, 150]
    version = "imported" if said else "v1"
    assert {check.version for check in checks(service)} == {version}


@pytest.mark.parametrize("kind", OUTLIERS)
def test_every_kind_of_outliers_is_found(service: Service, tmp_path: Path, kind: str) -> None:
    days = [flowers(4), spoilt(flowers(5), 5, kind), flowers(6)]
    bring_in(log_of(tmp_path / "log.csv", days, seconds=DAY))

    found = seen(service)

    assert [one.is_present for one in found] == [False, True, False]
    assert found[1].features[0] == "sepal_width_cm"
