"""Our profiles and whylogs' own: either reads the other's, and they merge, number for number."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.watch.profiles import real_whylogs
from unrot.core.errors import BadSetting
from unrot.core.records import Feature, Outputs, Schema, Sketch
from unrot.watch.profiles import by_whylogs
from unrot.watch.profiles.by_whylogs import LibraryProfiler
from unrot.watch.profiles.sketches import WhylogsProfiler

Merge = Callable[[bytes, bytes], bytes]

SCHEMA = Schema(
    (
        Feature("height", "number", nullable=True),
        Feature("rooms", "integer", nullable=True),
        Feature("colour/ü \n", "category", nullable=True),
    ),
    target="price",
)
SIZES = (0, 1, 2, 3, 500, 1_024, 1_025, 1_537, 5_000)
"""Of tables: nothing, one value, one level full and more than full, three levels."""
KEPT = Path(__file__).with_name("by_whylogs.bin")
"""5,000 rows as whylogs 1.6.4 wrote them, with what it tells of them in a file of JSON beside."""
MOST_AWAY = 0.01
"""How far a rank may be off with 1,024 values kept: twice what KLL promises in 99 of 100 cases."""


def table(rows: int, seed: int = 0, texts: int = 700) -> list[list[Any]]:
    chance = np.random.default_rng([seed, rows])
    columns = (
        chance.normal(20, 5, rows).tolist(),
        np.round(chance.gamma(2, 300, rows), chance.integers(0, 2)).tolist(),
        [f"text ü {number:.0f}" for number in np.floor(texts * chance.random(rows) ** 3)],
    )
    gaps = chance.random((3, rows)) < 0.05
    gapped = [
        [None if gap else value for value, gap in zip(values, where, strict=True)]
        for values, where in zip(columns, gaps.tolist(), strict=True)
    ]
    return [list(row) for row in zip(*gapped, strict=True)]


def ours(rows: Sequence[Sequence[Any]]) -> bytes:
    return WhylogsProfiler().profile(SCHEMA, rows, Outputs(values=[1.5] * len(rows)))


def theirs(rows: Sequence[Sequence[Any]]) -> bytes:
    columns: dict[str, tuple[type, Any]] = {"output.value": (float, [1.5] * len(rows))}
    if rows:
        for name, kind, values in zip(
            SCHEMA.names, (float, int, str), zip(*rows, strict=True), strict=True
        ):
            columns[name] = kind, [_as_whole(value, kind) for value in values]
    return real_whylogs.write(columns)


def _as_whole(value: Any, kind: type) -> Any:
    return int(value) if kind is int and value is not None and value == int(value) else value


def rounded(told: dict[str, Sketch]) -> dict[str, Sketch]:
    """Two ways to add up a mean differ in the sixteenth digit."""
    return {
        name: replace(one, mean=None if one.mean is None else pytest.approx(one.mean, rel=1e-13))
        for name, one in told.items()
    }


def test_app_that_profiles_with_the_library_tells_the_same_figures() -> None:
    real_whylogs.core()
    rows = table(500)

    told = LibraryProfiler().profile(SCHEMA, rows, Outputs(values=[1.5] * len(rows)))

    assert rounded(WhylogsProfiler().read(told)) == WhylogsProfiler().read(ours(rows))


def test_library_that_is_not_here_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_whylogs, "find_spec", lambda _: None)
    with pytest.raises(BadSetting, match="Leave the setting out"):
        LibraryProfiler()


@pytest.mark.parametrize("rows", SIZES)
def test_what_whylogs_wrote_reads_as_whylogs_reads_it(rows: int) -> None:
    data = theirs(table(rows))

    assert WhylogsProfiler().read(data) == real_whylogs.read(data)


@pytest.mark.parametrize("rows", SIZES)
def test_what_we_wrote_reads_as_whylogs_reads_it(rows: int) -> None:
    data = ours(table(rows))

    assert WhylogsProfiler().read(data) == real_whylogs.read(data)


@pytest.mark.parametrize("rows", [size for size in SIZES if size <= 1_024])
def test_same_rows_give_the_same_figures(rows: int) -> None:
    told = WhylogsProfiler().read(ours(table(rows)))

    assert told == rounded(real_whylogs.read(theirs(table(rows))))


def test_same_rows_give_the_same_frequent_values_when_most_are_dropped() -> None:
    rows = table(5_000, texts=2_000)

    told, said = WhylogsProfiler().read(ours(rows)), real_whylogs.read(theirs(rows))

    for name in ("rooms", "colour/ü \n"):
        assert 0 < len(told[name].frequent) < 768
        assert told[name].frequent == said[name].frequent


@pytest.mark.parametrize("first", [ours, theirs])
@pytest.mark.parametrize("second", [ours, theirs])
@pytest.mark.parametrize("sizes", [(0, 500), (500, 0), (1, 1), (1, 500), (500, 400)])
def test_merged_by_either_they_read_alike(
    first: Callable[[Any], bytes], second: Callable[[Any], bytes], sizes: tuple[int, int]
) -> None:
    pair = first(table(sizes[0], 1, 300)), second(table(sizes[1], 2, 300))

    merged, said = WhylogsProfiler().merge(*pair), real_whylogs.merge(*pair)

    assert WhylogsProfiler().read(merged) == rounded(WhylogsProfiler().read(said))
    assert real_whylogs.read(merged) == rounded(real_whylogs.read(said))


def test_large_profiles_of_either_kind_merge_within_what_the_sketches_promise() -> None:
    tables = [table(rows, rows, 300) for rows in (5_000, 3_000, 700)]
    heights = np.sort([row[0] for rows in tables for row in rows if row[0] is not None])
    colours = Counter(row[2] for rows in tables for row in rows if row[2] is not None)
    mergers: tuple[Merge, ...] = (WhylogsProfiler().merge, real_whylogs.merge)

    for one, two, merge in product((ours, theirs), (ours, theirs), mergers):
        merged = merge(merge(one(tables[0]), two(tables[1])), one(tables[2]))
        told = WhylogsProfiler().read(merged)

        assert told == real_whylogs.read(merged)
        height = told["height"]
        assert (height.rows, height.rows - height.missing) == (8_700, len(heights))
        assert (height.low, height.high) == (heights[0], heights[-1])
        assert height.mean == pytest.approx(heights.mean(), rel=1e-12)
        ranks = np.searchsorted(heights, height.points) / len(heights)
        assert np.abs(ranks - np.linspace(0, 1, len(ranks))).max() < MOST_AWAY
        assert told["colour/ü \n"].frequent == colours


def test_file_that_whylogs_wrote_reads_alike_on_a_python_that_has_no_whylogs() -> None:
    said = json.loads(KEPT.with_suffix(".json").read_text())

    told = WhylogsProfiler().read(KEPT.read_bytes())

    assert json.loads(json.dumps({name: asdict(one) for name, one in told.items()})) == said


def test_rows_of_whylogs_merge_with_ours_on_a_python_that_has_no_whylogs() -> None:
    profiler = WhylogsProfiler()
    before, mine = profiler.read(KEPT.read_bytes()), profiler.read(ours(table(400)))

    merged = profiler.read(profiler.merge(KEPT.read_bytes(), ours(table(400))))

    assert set(merged) == set(before)
    for name, one in merged.items():
        assert one.rows == before[name].rows + mine[name].rows
        assert one.missing == before[name].missing + mine[name].missing
        assert one.low == before[name].low or one.low == mine[name].low
