"""Shares that have risen, in pieces of rows that depend on each other."""

from __future__ import annotations

import pytest

from unrot.watch.statistics.risen_share import Course, Piece, Risen, Stream, look_at_piece
from unrot.watch.statistics.usual_share import Usual

KEY = "outside:x"
OF_TRAINING = Usual(2.0, 1_999.0, 0.001, least=2.0)


def look_at(piece: Piece, slowness: float = 1.0) -> tuple[Risen, ...]:
    """Return what a first piece shows of a column, in a world that is so slow."""
    limits = {KEY: 0.02}
    return look_at_piece(
        Course(), piece, {KEY: OF_TRAINING}, limits, alpha=1e-3, alike=lambda _: (1.0, slowness)
    )[1]


def gathered(rows: str) -> Piece:
    """Gather rows that come one an hour, those outside marked."""
    stream, whole = Stream(0.0), None
    for hour, row in enumerate(rows):
        counts = {KEY: (1, 1)} if row == "#" else {}
        whole = stream.gather(Piece(hour, hour + 1, 1, counts, is_in_order=True), len(rows))
    assert whole is not None
    return whole


@pytest.mark.parametrize(
    ("rows", "runs", "is_found"),
    [
        ("." * 22 + "#" * 13, 1, False),
        ("..#.#..#.#.." + "#.#..#.#..#.#" + "..#.#..#.", 13, True),
    ],
    ids=["one run", "scattered"],
)
def test_run_that_goes_on_from_hour_to_hour_is_one(rows: str, runs: int, is_found: bool) -> None:
    whole = gathered(rows)

    assert whole.counts[KEY] == (13, runs)
    assert bool(look_at(whole)) is is_found


def test_training_of_a_slow_world_has_shown_little_of_it() -> None:
    scattered = Piece(0, 1, 1_000, {KEY: (200, 160)})

    found = [bool(look_at(scattered, slowness)) for slowness in (1.0, 5.0, 50.0)]

    assert found == [True, True, False]


def test_slow_past_has_shown_little_of_a_world_too() -> None:
    quick, slow = (
        Usual(1.0, 2_000.0, 0.0).with_past(past, slowness)
        for past, slowness in (
            (Course(rows=9_000, pieces=90).past(KEY, 0), one) for one in (1, 100)
        )
    )

    assert (quick.a, quick.b) == (1.0, 11_000.0)
    assert (slow.a, slow.b) == (1.0, 110.0)
    assert quick.share == slow.share == 0.0
