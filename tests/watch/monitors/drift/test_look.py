"""Drift in days of traffic that were brought in by the command, against what training saw."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tests.watch.monitors.drift.days import (
    DAY,
    MIDNIGHT,
    OUTLIERS,
    Flowers,
    bring_in,
    flowers,
    log_of,
    spoilt,
)
from unrot.core.records import Against, Check, Symptom
from unrot.core.rules import Rules
from unrot.serve.service import Service
from unrot.store.kinds import BLOB
from unrot.store.operations import Delete
from unrot.watch.monitors.drift import look as drift
from unrot.watch.monitors.drift.periods import Period
from unrot.watch.monitors.drift.surprise import Departed, LastTwo
from unrot.watch.reports import periods
from unrot.watch.visit import Visit

SHORT = 1_200
"""Rows within twenty minutes make few profiles; the period is an hour then."""

TEN = 10 * 3_600
LENGTH = "sepal_length_cm"


pytestmark = pytest.mark.usefixtures("at_home")


def seen(service: Service, rules: Rules | None = None, now: float = 2e9) -> list[Symptom]:
    """Look until nothing new is seen."""
    shelved = service.catalogue().model("iris")
    found: list[Symptom] = []
    while more := list(drift.look(Visit(service, shelved, rules or Rules(), now))):
        found += more
    return found


def checks(service: Service, against: Against = "training") -> list[Check]:
    return service.store.checks.of_model("iris", against=against, since=0, until=1e12)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(DAY, True), (3_600, False), (3_600, True)],
    ids=["over the day", "within an hour", "answered there"],
)
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
    assert "20 % of its values lie outside what training saw (expected 1.7 %)" in during.sentence
    assert [check.rows for check in checks(service)] == [150, 150, 150]
    version = "imported" if said else "v1"
    assert {check.version for check in checks(service)} == {version}


@pytest.mark.parametrize("kind", OUTLIERS)
def test_every_kind_of_outliers_is_found(service: Service, tmp_path: Path, kind: str) -> None:
    days = [flowers(4), spoilt(flowers(5), 5, kind), flowers(6)]
    bring_in(log_of(tmp_path / "log.csv", days, seconds=SHORT))

    found = seen(service)

    assert [one.is_present for one in found] == [False, True, False]
    assert found[1].features[0] == "sepal_width_cm"


def test_hellinger_is_a_hand_calculation_on_the_bins_that_are_shown(
    service: Service, tmp_path: Path
) -> None:
    rows = spoilt(flowers(7), 7, "both ends")
    bring_in(log_of(tmp_path / "log.csv", [rows], seconds=SHORT))
    seen(service)

    [check] = checks(service)
    now, before = periods.sides(service, check)

    [found] = check.moved
    edges = now["sepal_width_cm"].edges
    by_hand = np.bincount(np.searchsorted(edges, rows[:, 1], "right"), minlength=len(edges) + 1)
    p, q = by_hand / 150, np.array(before["sepal_width_cm"].counts) / 120
    assert list(now["sepal_width_cm"].counts) == by_hand.tolist()
    assert before["sepal_width_cm"].edges == edges
    assert found.distance == pytest.approx(math.sqrt(1 - np.sqrt(p * q).sum()), abs=1e-9)
    assert found.is_exact


def test_day_is_compared_with_the_day_before_as_well(service: Service, tmp_path: Path) -> None:
    days = [flowers(1), spoilt(flowers(2), 2, "zeros"), flowers(3)]
    bring_in(log_of(tmp_path / "log.csv", days, seconds=SHORT))

    found = seen(service, Rules(against="previous"))

    moved = [[one.column for one in check.moved] for check in checks(service, "previous")]
    assert moved == [["sepal_width_cm"], ["sepal_width_cm"]]
    since = MIDNIGHT + DAY + TEN - 3_600
    assert [(one.is_present, one.since) for one in found] == [(True, since)] * 2
    assert checks(service, "previous")[0].before_starts_at == since - DAY
    assert "from the period before" in found[0].sentence


def test_nothing_new_is_not_looked_at_again(service: Service, tmp_path: Path) -> None:
    bring_in(log_of(tmp_path / "log.csv", [flowers(1)], seconds=SHORT))
    shelved = service.catalogue().model("iris")

    first = list(drift.look(Visit(service, shelved, Rules(), 2e9)))
    kept = checks(service)
    again = list(drift.look(Visit(service, shelved, Rules(), 2e9)))

    assert ([one.is_present for one in first], again) == ([False], [])
    assert checks(service) == kept


def test_long_past_is_walked_through_some_periods_a_call(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drift, "PERIODS_AT_ONCE", 2)
    days = [flowers(1), spoilt(flowers(2), 2, "zeros"), flowers(3), flowers(4), flowers(5)]
    bring_in(log_of(tmp_path / "log.csv", days, seconds=SHORT))
    shelved = service.catalogue().model("iris")

    calls = [list(drift.look(Visit(service, shelved, Rules(), 2e9))) for _ in range(4)]

    assert [len(one) for one in calls] == [2, 2, 1, 0]
    assert [one.is_present for call in calls for one in call] == [False, True, False, False, False]


def test_rows_that_come_late_let_their_day_be_checked_again(
    service: Service, tmp_path: Path
) -> None:
    bring_in(log_of(tmp_path / "log.csv", [flowers(1)], seconds=SHORT))
    seen(service)

    late = flowers(2)[:90]
    late[:, 1] = 99.0
    bring_in(log_of(tmp_path / "more.csv", [late], seconds=SHORT - 7))
    [found] = seen(service)

    assert found.is_present
    assert [check.rows for check in checks(service)] == [240]


def test_log_of_the_past_does_not_close_what_is_seen_now(service: Service, tmp_path: Path) -> None:
    nothing = flowers(1)[:0]
    spoilt_day = spoilt(flowers(2), 2, "zeros")
    bring_in(log_of(tmp_path / "now.csv", [nothing, nothing, spoilt_day], seconds=SHORT))
    [present] = seen(service)

    bring_in(log_of(tmp_path / "past.csv", [flowers(3), flowers(4)], seconds=SHORT))

    assert present.is_present
    assert seen(service) == []
    assert len(checks(service)) == 3


def test_log_of_the_past_is_told_in_order_and_then_how_it_is_now(
    service: Service, tmp_path: Path
) -> None:
    nothing = flowers(1)[:0]
    bring_in(log_of(tmp_path / "now.csv", [nothing, nothing, flowers(2)], seconds=SHORT))
    seen(service)

    past = [flowers(3), spoilt(flowers(4), 4, "zeros")]
    bring_in(log_of(tmp_path / "past.csv", past, seconds=SHORT))

    told = [(one.is_present, (one.at - TEN - MIDNIGHT) / DAY) for one in seen(service)]
    assert told == [(False, 0), (True, 1), (False, 2)]


def test_period_with_few_rows_is_not_compared(service: Service, tmp_path: Path) -> None:
    bring_in(log_of(tmp_path / "log.csv", [flowers(1), flowers(2)[:20]], seconds=SHORT))

    found = seen(service, Rules(period="day"))

    assert [one.at for one in found] == [MIDNIGHT + DAY]
    assert [(one.rows, one.rows_before) for one in checks(service)] == [(150, 120), (20, 0)]


def test_rules_that_change_look_at_the_newest_period_again(
    service: Service, tmp_path: Path
) -> None:
    bring_in(log_of(tmp_path / "log.csv", [spoilt(flowers(2), 2, "zeros")], seconds=SHORT))
    strict = seen(service)

    loose = seen(service, Rules(distance=0.9), now=2e9 + 60)
    back = seen(service, now=2e9 + 120)
    off = seen(service, Rules(drift=False))

    assert [one.is_present for one in (*strict, *loose, *back, *off)] == [True, False, True, False]
    assert loose[0].at == 2e9 + 60
    assert back[0].features == strict[0].features


def test_rules_that_are_tried_and_set_back_find_what_they_found(
    service: Service, tmp_path: Path
) -> None:
    """Also where it takes six days of a small shift to tell."""
    wider = np.array([0.0, 0.5, 0.0, 0.0])
    wide = [flowers(number) + wider for number in range(2, 8)]
    bring_in(log_of(tmp_path / "log.csv", [flowers(1), *wide], seconds=DAY))
    *_, first = seen(service)

    [gone] = seen(service, Rules(distance=0.9), now=2e9 + 60)
    [back] = seen(service, now=2e9 + 120)
    [again] = seen(service, Rules(distance=0.1), now=2e9 + 180)

    assert [one.is_present for one in (first, gone, back, again)] == [True, False, True, True]
    assert (back.since, back.at, back.sentence) == (first.since, first.at, first.sentence)
    assert (again.since, again.at) == (first.since, first.at)


def test_longer_period_goes_on_with_what_had_moved() -> None:
    day, hour = Period("d", 0.0, DAY * 1.0), Period("d", DAY - 3_600.0, DAY * 1.0)
    last = LastTwo(Departed(hour.ends_at, moved=["x"]), Departed(hour.starts_at, moved=["x"]))

    assert last.seen_from(hour) == last.before
    assert last.seen_from(day).forgotten_before(day.starts_at).moved == ["x"]


def test_drift_that_is_switched_off_is_gone(service: Service, tmp_path: Path) -> None:
    bring_in(log_of(tmp_path / "log.csv", [spoilt(flowers(2), 2, "zeros")], seconds=SHORT))
    seen(service)

    assert [one.is_present for one in seen(service, Rules(drift=False))] == [False]
    assert seen(service, Rules(drift=False)) == []


def test_running_day_is_left_until_it_is_over(service: Service, tmp_path: Path) -> None:
    bring_in(log_of(tmp_path / "log.csv", [flowers(1), flowers(2)], seconds=SHORT))
    noon = MIDNIGHT + DAY + DAY / 2

    days = Rules(period="day")
    assert [one.at for one in seen(service, days, noon)] == [MIDNIGHT + DAY]
    assert seen(service, days, noon + 60) == []
    assert [one.at for one in seen(service, days, noon + DAY)] == [MIDNIGHT + 2 * DAY]


def test_first_period_of_all_is_looked_at_when_it_is_over_though_nothing_follows(
    service: Service, tmp_path: Path
) -> None:
    bring_in(log_of(tmp_path / "log.csv", [spoilt(flowers(2), 2, "zeros")], seconds=200))
    [profile] = service.store.profiles.of_model("iris")

    assert seen(service, now=profile.ends_at + 1) == []
    assert [one.at for one in seen(service, now=profile.ends_at + 60)] == [profile.ends_at]


def test_hour_is_looked_at_when_it_is_over_though_each_profile_has_few_rows_and_nothing_follows(
    service: Service, tmp_path: Path
) -> None:
    bring_in(log_of(tmp_path / "log.csv", [spoilt(flowers(2), 2, "zeros")], seconds=SHORT))
    ends_at = MIDNIGHT + TEN

    assert seen(service, now=ends_at - 1_800) == []
    assert seen(service, now=ends_at) == []
    assert [one.at for one in seen(service, now=ends_at + 60)] == [ends_at]


def test_without_rows_the_figures_are_from_the_bins(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drift, "MOST_ROWS", 100)
    bring_in(log_of(tmp_path / "log.csv", [spoilt(flowers(2), 2, "zeros")], seconds=SHORT))

    [found] = seen(service)

    assert found.features == ("sepal_width_cm",)
    assert not any(one.is_exact for one in checks(service)[0].drifts if one.test == "ks")


def test_rows_that_come_five_times_are_not_compared_as_so_many(
    service: Service, tmp_path: Path
) -> None:
    wide = np.repeat(flowers(1)[flowers(1)[:, 1] > 3.2][:30], 5, axis=0)
    bring_in(log_of(tmp_path / "log.csv", [wide], seconds=SHORT))

    found = seen(service, Rules(period="hour"))

    assert found == []
    assert [(one.rows, one.rows_before) for one in checks(service)] == [(150, 0)]


def test_what_may_be_a_habit_of_its_hour_is_said_and_is_no_finding(
    service: Service, tmp_path: Path
) -> None:
    shifted = flowers(1)
    shifted[:, 1] += 0.8
    bring_in(log_of(tmp_path / "log.csv", [shifted], seconds=SHORT))

    found = seen(service)

    [check] = checks(service)
    width = next(one for one in check.drifts if one.column == "sepal_width_cm")
    assert not any(one.is_present for one in found)
    assert (width.has_moved, width.why) == (False, "unknown")
    assert width.distance > 0.3 and width.chance < 1e-6


def test_shift_of_a_column_that_follows_the_hours_is_found_once_days_are_known(
    service: Service, tmp_path: Path
) -> None:
    week = [_by_the_hours(seed) for seed in range(6)]
    week[5][:, 0] += 1.6
    bring_in(log_of(tmp_path / "log.csv", week, seconds=8 * 3_600))

    found = [one for one in seen(service) if one.is_present]

    lengths = [one for check in checks(service) for one in check.drifts if one.column == LENGTH]
    assert [(one.features, one.since) for one in found] == [((LENGTH,), MIDNIGHT + 5 * DAY)]
    assert [one.worth > 30 for one in lengths] == [False] * 3 + [True] * 3


def _by_the_hours(seed: int) -> Flowers:
    """Return the flowers twice: short sepals come first in a day, long ones last."""
    rng = np.random.default_rng(seed)
    rows = np.repeat(flowers(seed), 2, axis=0) + rng.normal(0, 0.01, (300, 4))
    ordered: Flowers = rows[np.argsort(rows[:, 0] + rng.normal(0, 0.8, 300))]
    return ordered


def test_version_without_a_reference_is_passed_over(service: Service, tmp_path: Path) -> None:
    forget_reference(service)
    bring_in(log_of(tmp_path / "log.csv", [spoilt(flowers(2), 2, "zeros")], seconds=SHORT))

    assert seen(service) == []
    assert [one.summary for one in service.store.profiles.of_model("iris")] == [{}] * 4


def forget_reference(service: Service) -> None:
    """Make the champion as a version of an earlier release was: without a reference."""
    digest = service.catalogue().model("iris").version().artefacts["reference"]
    service.store.database.commit([Delete(BLOB, digest)])  # type: ignore[attr-defined]
