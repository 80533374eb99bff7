"""Batches: predictions come back as they were, and are found by where they stood."""

from __future__ import annotations

import gc
import random
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.memory_store import MemoryStore
from unrot.core.ids import Ids
from unrot.core.records import Prediction
from unrot.serve import batch_reader
from unrot.serve.batch_reader import BatchReader, Opened
from unrot.serve.batches import MOST_ROWS, Batch, batches_of, pack, unpack

IDS = Ids(b"key")
NOON = 1_700_000_040.0


def made(row: int, *, segment: bytes = b"abcde", version: str = "v1", **more: Any) -> Prediction:
    at = more.get("predicted_at", NOON + row / 500)
    id = IDS.make(at=at, segment=segment, row=row, model_number=7, class_index=None)
    plain = Prediction(id, "elves", version, at, [1.5, "a"], "elf", [0.75, 0.25], None, 1e-4)
    return replace(plain, **more)


def kept(*some: Prediction, store: MemoryStore | None = None, writer: str = "me") -> MemoryStore:
    store = store or MemoryStore()
    store.commit(batches_of(some, writer))
    return store


VALUES: list[Any] = [
    None,
    0,
    -1,
    2**60,
    True,
    False,
    0.0,
    -0.0,
    -0.1,
    1.25,
    1e308,
    5e-324,
    123456.7891,
    "",
    "elf",
    "élfe\u2603",
]


@pytest.mark.parametrize("seed", range(30))
def test_predictions_of_any_values_come_back_as_they_were(seed: int) -> None:
    chance = random.Random(seed)
    few = chance.sample(VALUES, chance.randint(1, len(VALUES)))
    rows = [
        made(
            row,
            inputs=[chance.choice(few) for _ in range(chance.choice([3, 3, 3, 0, 5]))],
            label=chance.choice(["elf", None]),
            probabilities=chance.choice([None, [], [chance.random(), 0.5]]),
            value=chance.choice([None, chance.gauss(0, 1)]),
            seconds=chance.random(),
        )
        for row in range(chance.choice([1, 2, 7, 300]))
    ]

    found = unpack(pack(rows), "elves", "v1")

    assert found == rows
    assert all(Batch(pack(rows)).find(one.id or "", "elves", "v1") == one for one in rows[::7])
    assert [list(map(repr, one.inputs)) for one in found] == [
        list(map(repr, one.inputs)) for one in rows
    ]


@pytest.mark.parametrize("decimals", [None, 0, 1, 4, 9])
def test_numbers_come_back_to_the_last_digit(decimals: int | None) -> None:
    chance = random.Random(3)
    numbers = [chance.gauss(0, 1e4) for _ in range(500)]
    numbers = numbers if decimals is None else [round(one, decimals) for one in numbers]
    rows = [made(row, inputs=[number]) for row, number in enumerate(numbers)]

    assert [one.inputs[0] for one in unpack(pack(rows), "elves", "v1")] == numbers


@pytest.mark.parametrize("classes", [1, 2, 3, 10])
def test_probabilities_come_back_though_the_last_is_told_by_the_others(classes: int) -> None:
    chance = random.Random(classes)
    drawn = [[chance.random() for _ in range(classes)] for _ in range(200)]
    rows = [
        made(row, probabilities=[one / sum(some) for one in some]) for row, some in enumerate(drawn)
    ]

    data = pack(rows)

    assert unpack(data, "elves", "v1") == rows
    assert [Batch(data).find(one.id or "", "elves", "v1") for one in rows[::9]] == rows[::9]


@pytest.mark.parametrize("seconds", [0.0, 1.0, -3.5])
def test_ids_come_back_whether_they_tell_the_time_or_not(seconds: float) -> None:
    rows = [made(row, predicted_at=NOON + row) for row in range(60)]
    rows = [replace(one, predicted_at=one.predicted_at + seconds) for one in rows]

    data = pack(rows)

    assert unpack(data, "elves", "v1") == rows
    assert Batch(data).find(rows[41].id or "", "elves", "v1") == rows[41]


def test_id_that_is_not_in_a_batch_is_not_found_by_its_row() -> None:
    batch = Batch(pack([made(row) for row in range(60)]))
    forged = Ids(b"other").make(at=NOON, segment=b"abcde", row=7, model_number=7, class_index=None)

    assert batch.find(forged, "elves", "v1") is None
    assert batch.find("mine", "elves", "v1") is None


def test_batch_of_a_newer_format_is_refused() -> None:
    with pytest.raises(ValueError, match="format 9"):
        unpack(b"\x09" + pack([made(1)])[1:], "elves", "v1")


def test_batch_is_of_one_model_version_and_day_and_of_so_many_rows() -> None:
    rows = [made(row) for row in range(MOST_ROWS + 5)]
    rows += [made(row, version="v2") for row in range(MOST_ROWS + 5, MOST_ROWS + 8)]
    rows.append(made(MOST_ROWS + 8, predicted_at=NOON + 86_400))

    found = batches_of(rows, "me")

    told = [(put.fields["version"], put.fields["rows"]) for put in found]
    assert sorted(told) == [("v1", 1), ("v1", 5), ("v1", MOST_ROWS), ("v2", 3)]


def test_batch_of_wide_rows_has_fewer_of_them() -> None:
    rows = [made(row, inputs=[0.5] * 900) for row in range(250)]

    found = batches_of(rows, "me")

    assert sum(put.fields["rows"] for put in found) == 250
    assert max(put.fields["rows"] for put in found) < 100


def test_more_lines_of_the_same_stretch_come_under_the_same_keys() -> None:
    rows = [made(row) for row in (0, 2, 1, 3)]

    first = kept(*rows[:2])
    again = kept(*rows, store=first)

    assert len(list(BatchReader(again).newest("elves"))) == 4


def test_prediction_is_found_by_its_id_however_versions_and_threads_were_mixed() -> None:
    chance = random.Random(1)
    rows = [made(row, version=chance.choice(["v1", "v2", "v3"])) for row in range(200)]
    for start in range(20, 200, 20):
        rows[start - 1], rows[start] = rows[start], rows[start - 1]
    store = MemoryStore()
    for start in range(0, 200, 20):
        kept(*rows[start : start + 20], store=store)
    reader = BatchReader(store)

    found = reader.look_up([one.id or "" for one in rows])

    assert {id: arrived.prediction for id, arrived in found.items()} == {
        one.id: one for one in rows
    }
    assert reader.look_up([made(500).id or "", made(3, segment=b"other").id or ""]) == {}


@pytest.mark.parametrize("before", [None, 30, 77.5])
def test_rows_of_several_writers_and_lengths_come_newest_first(before: float | None) -> None:
    chance = random.Random(2)
    store = MemoryStore()
    every: list[Prediction] = []
    for number, length in enumerate((1, 40, 5_000, 50_000) * 4):
        segment = bytes([number]) * 5
        rows = [
            made(row, segment=segment, predicted_at=NOON + chance.random() * length)
            for row in range(12)
        ]
        kept(*rows, store=store, writer=f"w{number % 3}")
        every += rows
    cursor = None if before is None else (NOON + before, "n")

    found = list(BatchReader(store).newest("elves", cursor))

    wanted = sorted(((one.predicted_at, one.id or "") for one in every), reverse=True)
    wanted = [one for one in wanted if cursor is None or one < cursor]
    assert [(one.predicted_at, one.id) for one in found] == wanted


# ── what is held in memory ───────────────────────────────────────────────────────────────────


def measured(row: int, *, width: int) -> Prediction:
    """Return a prediction of numbers that are all chance."""
    chance = random.Random(row)
    inputs = [chance.gauss(0, 1) for _ in range(width)]
    return made(row, inputs=inputs, probabilities=[(share := chance.random()), 1 - share])


def taken_by(make: Callable[[], Any]) -> tuple[int, Any]:
    """Return how many bytes of Python's memory something takes, and what that is."""
    gc.collect()
    tracemalloc.start()
    try:
        made = make()
        gc.collect()
        return tracemalloc.get_traced_memory()[0], made
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("is_unpacked", [False, True])
@pytest.mark.parametrize("width", [4, 30])
@pytest.mark.parametrize("rows", [1, 10, 100])
def test_opened_batch_is_counted_as_what_it_takes(
    rows: int, width: int, *, is_unpacked: bool
) -> None:
    columns = pack([measured(row, width=width) for row in range(rows)])
    batch: Any = {"columns": columns, "model": "elves", "version": "v1"}

    def open_some() -> list[Opened]:
        opened = [Opened(batch) for _ in range(20)]
        if is_unpacked:
            assert all(len(one.ordered) == rows for one in opened)
        return opened

    taken, opened = taken_by(open_some)

    assert 0.8 < sum(one.size for one in opened) / taken < 1.25


def test_rows_of_many_columns_that_were_read_are_not_unpacked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Monitors read the newest predictions at each look, and few of them lie in a batch."""
    store = MemoryStore()
    for row in range(100):
        kept(measured(row, width=200), store=store)
    reader = BatchReader(store)
    first = list(reader.newest("elves"))

    monkeypatch.setattr(batch_reader, "Batch", None)

    assert list(reader.newest("elves")) == first
    assert len(first) == 100


def test_many_small_batches_that_were_looked_up_take_no_more_than_they_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of one row each, as traffic that only trickles leaves them: nearly all is Python's own."""
    monkeypatch.setattr(batch_reader, "MOST_BYTES", 150_000)
    store, rows = MemoryStore(), [measured(row, width=4) for row in range(60)]
    for row in rows:
        kept(row, store=store)

    def look_up() -> BatchReader:
        reader = BatchReader(store)
        assert all(reader.look_up([row.id or ""]) for row in rows)
        return reader

    taken, _ = taken_by(look_up)

    assert 75_000 < taken < 190_000
