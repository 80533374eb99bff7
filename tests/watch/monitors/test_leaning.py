"""Verdicts on alarms alone are held against how often alarms are right, by monitors and pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.alarms import Alarms, Prices, opened
from tests.clock import Clock
from unrot.core.records import Caller
from unrot.watch.worth.leaning import noted_leaning


@pytest.fixture
def alarms(tmp_path: Path, clock: Clock) -> Iterator[Alarms]:
    with opened(tmp_path / "home", clock) as made:
        yield made


@pytest.fixture
def prices(tmp_path: Path, clock: Clock) -> Iterator[Alarms]:
    with opened(tmp_path / "home", clock, Prices) as made:
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


def test_home_says_so_and_reads_no_prediction(
    alarms: Alarms, monkeypatch: pytest.MonkeyPatch
) -> None:
    alarms.go_by(500, alone=True)
    monkeypatch.setattr(alarms.service.store.traffic, "of_period", None)

    leaning = alarms.glance().signs.leaning

    assert leaning is not None
    assert leaning.sentence.startswith("Only the answer yes was judged (100 % of the verdicts, ")


def test_what_the_champion_before_was_judged_for_is_not_said_of_the_next_one(
    alarms: Alarms,
) -> None:
    alarms.go_by(500, alone=True)
    store, key = alarms.service.store, alarms.service.catalogue().model("alarms").model.key

    assert noted_leaning(store, key, "v1") is not None
    assert noted_leaning(store, key, "v2") is None


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


def test_sets_follow_verdicts_on_all_answers_and_none_on_alarms_alone(alarms: Alarms) -> None:
    alarms.go_by(500, alone=False)
    before = alarms.course()
    alarms.go_by(1_000, alone=True)
    after = alarms.course()
    alarms.go_by(1_000, alone=False)

    assert (before.count, after.count - before.count) == (500, 0)
    assert alarms.course().count >= 1_000


def test_that_the_crowd_judges_all_makes_what_judges_look_at_no_sample(alarms: Alarms) -> None:
    alarms.go_by(1_500, alone=False, by=Caller("anyone", None, "there"))

    assert (alarms.course().count, alarms.found()) == (0, [])


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────


def test_high_prices_that_are_as_far_off_as_on_the_test_set_are_no_finding(prices: Alarms) -> None:
    prices.go_by(3_000, alone=True)

    said = prices.health()
    assert (prices.found(), said.state, prices.glance().state) == ([], "unknown", "unknown")
    [mostly] = [one for one in said.reasons if "answers over" in one]
    assert mostly.endswith("how far off these are, and not how far off the model is.")
    assert "test rows when it was made" not in " ".join(said.reasons)


def test_that_high_prices_alone_are_judged_from_a_day_on_is_no_fall(prices: Alarms) -> None:
    prices.go_by(1_500, alone=False)
    prices.go_by(3_000, alone=True)

    assert prices.found() == []


def test_high_prices_that_become_worse_are_found_beside_earlier_ones(prices: Alarms) -> None:
    prices.go_by(3_000, alone=True)
    prices.go_by(1_500, alone=True, spoilt=True)

    assert [one.kind for one in prices.found() if one.is_open] == ["rot"]
