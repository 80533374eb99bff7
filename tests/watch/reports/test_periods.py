"""What traffic looked like over time: strips, portraits, and how far two lie apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.watch.monitors.drift.days import (
    DAY,
    MIDNIGHT,
    bring_in,
    flowers,
    log_of,
    spoilt,
)
from unrot.core.errors import Conflict, Invalid, NotFound
from unrot.core.rules import Rules
from unrot.serve.service import Service
from unrot.watch.monitors.drift import look as drift
from unrot.watch.reports import periods
from unrot.watch.visit import Visit

WEEK = {"since": MIDNIGHT, "until": MIDNIGHT + 7.0 * DAY}


@pytest.fixture
def seen(
    service: Service, trained_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Service:
    """A service that has looked at three days, the second one with outliers."""
    monkeypatch.setenv("UNROT_HOME", str(trained_home))
    days = [flowers(1), spoilt(flowers(2), 2, "far above"), flowers(3)]
    bring_in(log_of(tmp_path / "log.csv", days, seconds=1_200))
    list(drift.look(Visit(service, service.catalogue().model("iris"), Rules(), 2e9)))
    return service


def day(service: Service, number: int) -> periods.Portrait:
    since = MIDNIGHT + number * DAY
    return periods.portrait(service, "iris", since=since, until=since + DAY, title=f"day {number}")


def test_portrait_is_the_sum_of_its_profiles(
    seen: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = periods.portrait(seen, "iris", **WEEK)
    monkeypatch.setattr(periods, "STARTS_AT_ONCE", 5)
    in_bites = periods.portrait(seen, "iris", **WEEK)

    days = [day(seen, number) for number in range(3)]
    assert in_bites.summary["sepal_width_cm"].counts == whole.summary["sepal_width_cm"].counts
    assert list(whole.summary["sepal_width_cm"].counts) == [
        sum(counts)
        for counts in zip(*(one.summary["sepal_width_cm"].counts for one in days), strict=True)
    ]
    assert (whole.rows, whole.versions, whole.left_out) == (450, ("v1",), 0)
    assert (whole.starts_at, whole.ends_at) == (
        MIDNIGHT + 9 * 3_600,
        MIDNIGHT + 2 * DAY + 9 * 3_600 + 1_200,
    )


def test_days_lie_apart_from_each_other_and_from_the_training(seen: Service) -> None:
    first, second = day(seen, 0), day(seen, 1)
    training = periods.training(seen, "iris")

    apart = periods.apart(seen, "iris", second, first)
    from_training = periods.apart(seen, "iris", second, training)

    assert (apart[0].column, apart[0].has_moved) == ("sepal_width_cm", True)
    assert [one.column for one in from_training if one.has_moved] == ["sepal_width_cm"]
    assert (training.title, training.rows) == ("training of v1", 120)
    assert training.summary["output.class"].rows == 30
    assert periods.apart(seen, "iris", first, first)[0].distance == 0.0


def test_portrait_of_a_profile_is_its_own(seen: Service) -> None:
    [first, *_] = seen.store.profiles.of_model("iris")

    found = periods.of_profile(seen, "iris", first.id)

    assert (found.rows, found.summary, found.title) == (38, first.summary, first.id)


def test_other_bins_are_left_out_and_cannot_be_compared(seen: Service) -> None:
    [first, *_] = seen.store.profiles.of_model("iris")
    kept = seen.store.profiles.get(first.id)
    assert kept is not None
    seen.store.profiles.put(replace(kept, reference="other"))

    found = day(seen, 0)

    assert (found.rows, found.left_out) == (112, 38)
    with pytest.raises(Conflict, match="counted on other bins"):
        periods.apart(seen, "iris", found, replace(found, reference="other"))


def test_too_much_time_is_refused_with_the_number(
    seen: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(periods, "MOST_PROFILES", 3)

    with pytest.raises(Invalid, match="There are 4 profiles in this time, and at most 3"):
        day(seen, 0)


def test_time_without_traffic_is_not_found(service: Service) -> None:
    with pytest.raises(NotFound, match="in this time there is none"):
        periods.portrait(service, "iris", since=0, until=10)


def test_profile_of_another_model_is_not_found(seen: Service) -> None:
    [first, *_] = seen.store.profiles.of_model("iris")

    with pytest.raises(NotFound, match="zombies has no such profile"):
        periods.of_profile(seen, "zombies", first.id)
