"""Falls of the estimated accuracy: cycles and chance are none, what lasts or is deep is one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unrot.core.rules import Rules
from unrot.watch.monitors.estimate.rule import FRIDAY, HOUR, Record, Sure

RULES = Rules(estimate_loss=0.1)
DAY = 24


def first_bad(estimates: Callable[[int], float], hours: int, rows: float = 500) -> int | None:
    """Return the hour, from a Friday midnight on, of the first period that is bad."""
    record = Record()
    for hour in range(hours):
        start = FRIDAY + hour * HOUR
        period = Sure(start, start + HOUR, rows, estimates(hour), 0.9, 0.5, 800)
        record = record.after(period, RULES)
        if record.is_bad:
            return hour
    return None


def test_nights_and_weekends_that_are_harder_are_no_fall() -> None:
    def harder(hour: int) -> float:
        is_night, is_weekend = hour % DAY < 6, DAY <= hour % (7 * DAY) < 3 * DAY
        return 0.9 - 0.12 * is_night - 0.12 * is_weekend * (not is_night)

    assert first_bad(harder, 21 * DAY) is None


def test_fall_that_lasts_is_bad_after_a_working_day_and_a_deep_one_at_once() -> None:
    assert first_bad(lambda _: 0.75, 2 * 7 * DAY) == DAY - 1
    assert first_bad(lambda hour: 0.9 - 0.3 * (hour >= 5), DAY) == 5


def test_fall_below_what_its_hour_usually_is_is_bad_at_once() -> None:
    week = 7 * DAY

    assert first_bad(lambda hour: 0.9 - 0.15 * (hour >= week), 2 * week) == week


def test_few_independent_rows_say_nothing() -> None:
    assert first_bad(lambda _: 0.6, 7 * DAY, rows=5) is None


def test_steady_estimates_with_their_noise_are_never_bad() -> None:
    """Forty streams of ten days with 100 rows an hour."""
    chance = np.random.default_rng(3)
    noise = chance.normal(0, 0.02, (40, 240))

    assert [first_bad(lambda hour, own=own: 0.9 + own[hour], 240, 100) for own in noise] == [
        None
    ] * 40
