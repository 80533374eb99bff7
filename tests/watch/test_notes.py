"""What a monitor remembers is the same after JSON has had it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import orjson

from unrot.watch.notes import read_note, write_note
from unrot.watch.statistics.accuracy import Share


@dataclass(frozen=True)
class Remembered:
    last: Share | None = None
    seen: tuple[Share, ...] = ()
    key: tuple[float, str] = (0.0, "")
    hours: Mapping[int, tuple[int, float]] = field(default_factory=dict)
    rows: set[int] = field(default_factory=set)
    lists: list[list[int]] = field(default_factory=list)


SHARE = Share(9, 10, 0.9, 0.6, 1.0)


def test_note_is_read_as_it_was_written() -> None:
    whole = Remembered(SHARE, (SHARE, SHARE), (1.5, "a"), {7: (3, 0.5)}, {4, 2}, [[1], []])

    for one in (whole, Remembered()):
        assert read_note(Remembered, orjson.loads(orjson.dumps(write_note(one)))) == one


def test_note_of_before_lacks_what_is_new_and_holds_what_is_gone() -> None:
    assert read_note(Remembered, {"key": [2.0, "b"], "gone": 1}) == Remembered(key=(2.0, "b"))


def test_arrays_are_lists_in_a_note() -> None:
    assert write_note({"rows": np.array([1.0, 2.0])}) == {"rows": [1.0, 2.0]}
