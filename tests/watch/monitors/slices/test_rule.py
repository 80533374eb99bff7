"""Parts that fall alone, in streams of coins: found in time, and calm where nothing falls."""

from __future__ import annotations

import numpy as np
import orjson
import pytest
from numpy.typing import NDArray

from unrot.watch.monitors.slices import counts
from unrot.watch.monitors.slices.counts import new_book, promise
from unrot.watch.monitors.slices.rule import STRETCH, Turn, go_on

Numbers = NDArray[np.float64]
SIZES = (8, 8, 8, 2)
"""Three numbers, and a region or a class."""


def drawn(rows: int, share: float, seed: int) -> tuple[np.random.Generator, NDArray[np.int64]]:
    """Draw rows; part 25 holds a share of them."""
    draw = np.random.default_rng(seed)
    numbers = draw.integers(0, 8, (rows, 3)) + 8 * np.arange(3)
    return draw, np.column_stack([numbers, 24 + (draw.random(rows) < share)])


def gone_through(
    places: NDArray[np.int64],
    rights: Numbers,
    *,
    a_day: int = 1_000,
    promised: Numbers | None = None,
) -> list[Turn]:
    times = np.arange(len(rights)) * 86_400.0 / a_day
    return list(go_on(new_book(SIZES, promised), places, rights, times, range(len(rights))))


@pytest.mark.parametrize("seed", range(5))
def test_region_that_falls_by_fifty_points_is_found_in_150_of_its_verdicts(seed: int) -> None:
    draw, places = drawn(4_500, 0.1, seed)
    is_north, is_late = places[:, 3] == 25, np.arange(4_500) >= 2_000
    chances = np.where(is_north & is_late, 0.39, 0.89)

    told = gone_through(places, (draw.random(4_500) < chances).astype(float))

    assert sorted(told[0].fallen) == [25]
    assert 0 < is_north[2_000 : told[0].end].sum() <= 150


@pytest.mark.parametrize("seed", [0, 6, 19, 27])
def test_region_that_falls_with_the_rest_is_not_back_by_what_it_did_before(seed: int) -> None:
    draw, places = drawn(3_500, 0.13, seed)
    is_north, is_late = places[:, 3] == 25, np.arange(3_500) >= 1_200
    chances = np.where(is_late, np.where(is_north, 0.25, 0.68), np.where(is_north, 0.9, 0.85))

    told = gone_through(places, (draw.random(3_500) < chances).astype(float), a_day=200)

    fallen = [25 in turn.fallen for turn in told]
    assert fallen[fallen.index(True) :] == [True] * fallen.count(True)


@pytest.mark.parametrize("seed", range(5))
def test_rare_class_that_is_not_found_any_more_is_told_within_sixty_rows(seed: int) -> None:
    draw, places = drawn(8_000, 0.015, seed)
    is_rare, is_late = places[:, 3] == 25, np.arange(8_000) >= 3_000
    chances = np.where(is_rare, np.where(is_late, 0.0, 0.8), 0.9)

    told = gone_through(places, (draw.random(8_000) < chances).astype(float))

    assert sorted(told[0].fallen) == [25]
    assert 0 < is_rare[3_000 : told[0].end].sum() <= 60


def test_test_set_stands_in_for_a_past_that_is_short() -> None:
    draw, places = drawn(3_000, 0.1, 1)
    rights = (draw.random(3_000) < np.where(places[:, 3] == 25, 0.39, 0.89)).astype(float)
    of_test_set = promise(places, (draw.random(3_000) < 0.89).astype(float), sum(SIZES))

    alone = gone_through(places, rights)
    beside = gone_through(places, rights, promised=of_test_set)

    assert alone == []
    assert (sorted(beside[0].fallen), beside[0].fallen[25].is_promised) == ([25], True)


def test_part_is_back_when_its_newest_verdicts_are_as_they_were() -> None:
    draw, places = drawn(6_000, 0.1, 2)
    at = np.arange(6_000)
    bad = (places[:, 3] == 25) & (at >= 2_000) & (at < 4_000)

    told = gone_through(places, (draw.random(6_000) < np.where(bad, 0.3, 0.9)).astype(float))

    assert [sorted(turn.fallen) for turn in told] == [[25], []]
    assert 4_000 < told[1].end <= 4_600


def hard_nights(draw: np.random.Generator, places: NDArray[np.int64]) -> Numbers:
    hours = np.arange(len(places)) % 1_000 / 1_000 * 24
    return np.where(hours < 6, 0.6, 0.92)


def bursts(draw: np.random.Generator, places: NDArray[np.int64]) -> Numbers:
    chances = np.full(len(places), 0.92)
    for start in draw.integers(0, len(places), 12):
        chances[start : start + 60] = 0.1
    return chances


def steady(draw: np.random.Generator, places: NDArray[np.int64]) -> Numbers:
    return np.where(places[:, 0] < 2, 0.6, 0.95)


@pytest.mark.parametrize("kind", [hard_nights, bursts, steady])
@pytest.mark.parametrize("seed", range(3))
def test_calm_streams_are_calm(kind: type, seed: int) -> None:
    draw, places = drawn(6_000, 0.1, seed)

    rights = (draw.random(6_000) < kind(draw, places)).astype(float)

    assert gone_through(places, rights) == []


@pytest.mark.parametrize("seed", range(3))
def test_twenty_copies_of_a_row_are_one_word(seed: int) -> None:
    draw, few = drawn(300, 0.1, seed)
    rights = (draw.random(300) < 0.85).astype(float)
    book = new_book(SIZES)

    told = list(
        go_on(book, np.repeat(few, 20, axis=0), np.repeat(rights, 20), np.arange(6_000.0),
              np.repeat(np.arange(300), 20).tolist())
    )  # fmt: skip

    assert told == []


def test_fall_of_the_whole_is_none_of_a_part() -> None:
    draw, places = drawn(6_000, 0.1, 4)
    chances = np.where(np.arange(6_000) < 3_000, 0.9, 0.4)

    assert gone_through(places, (draw.random(6_000) < chances).astype(float)) == []


def test_book_goes_on_from_its_note_as_if_it_had_never_been_put_away() -> None:
    draw, places = drawn(4_500, 0.1, 0)
    chances = np.where((places[:, 3] == 25) & (np.arange(4_500) >= 2_000), 0.39, 0.89)
    rights, times = (draw.random(4_500) < chances).astype(float), np.arange(4_500.0)
    whole, book = new_book(SIZES), new_book(SIZES)
    at_once = [turn.end for turn in go_on(whole, places, rights, times, range(4_500))]

    piecewise = []
    for start in range(0, 4_500, 9 * STRETCH):
        piece = slice(start, start + 9 * STRETCH)
        rows = range(4_500)[piece]
        turns = go_on(book, places[piece], rights[piece], times[piece], rows)
        piecewise += [start + turn.end for turn in turns]
        book = counts.from_note(orjson.loads(orjson.dumps(counts.to_note(book))))

    assert piecewise == at_once != []
    assert counts.to_note(book) == counts.to_note(whole)
