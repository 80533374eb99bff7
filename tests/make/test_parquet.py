"""Cells of Parquet files, read by a process of its own that has bounds and is never left behind."""

from __future__ import annotations

import io
import math
import os
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from unrot.core.errors import Invalid, TooLarge
from unrot.make import parquet as reader
from unrot.make.parquet import read_parquet

pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")

ROOT = Path(__file__).resolve().parents[2]
DECIMALS = (
    "UEFSMRUEFYiJehVqTBUCFQASAAAotS/9gEhEQg8AZAAAIEBCDwABAPn/OSACAgAQAAIAEAACABAAAgAQAAIAEAACAB"
    "AAIxIKABUAFRYVKCwV6AcVEBUGFQYcAAAAKLUv/SALWQAAAwAAAOgHAQHoBwAVBBksNQAYBnNjaGVtYRUCABUMJQIY"
    "AXglChUAFRQAFugHGRwZHCYAHBUMGTUABhAZGAF4FQwW6AcW5ol6FtoBJpIBJggpLBUEFQAVAgAVABUQFQIAPBaAlO"
    "vcAxkGGSYA6AcAAAAW5ol6FugHJggW2gEAKCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDI2LjAuMRkcHAAAAJsA"
    "AABQQVIx"
)
"""Five hundred decimal numbers, kept as bytes: each is the same million of them."""

MOST_MEGABYTES = 210
"""Of a process that reads one, pyarrow among them."""

PEAK = """
import resource, sys
from unrot.make.parquet import read_parquet
try:
    with open(sys.argv[1], "rb") as file, read_parquet(file) as table:
        rows = sum(1 for _ in table.cells(table.columns))
except Exception as error:
    rows = type(error).__name__
print(rows, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
"""
CUT = """
import os, sys
from unrot.make.parquet import read_parquet
with open(sys.argv[1], "rb") as file, read_parquet(file) as table:
    next(table.cells(table.columns))
    print(table._child.pid, flush=True)
    os._exit(0)
"""


def packed(columns: dict[str, Any], **how: Any) -> bytes:
    from pyarrow import parquet

    file = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), file, **how)
    return file.getvalue()


def foot(groups: int, columns: int) -> bytes:
    """Return a file that is nothing but a foot, three bytes for each column of each group."""

    def number(value: int) -> bytes:
        return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + number(value >> 7)

    def structs(count: int) -> bytes:
        return b"\x19\xfc" + number(count)

    schema = b"\x19\x2cH\x01s\x15\x02\x00\x15\x02\x25\x00\x18\x02id\x00"
    group = structs(columns) + b"\x26\x00\x00" * columns + b"\x16\x00\x16\x00\x00"
    said = b"\x15\x02" + schema + b"\x16\x00" + structs(groups) + group * groups + b"\x00"
    return b"PAR1" + said + len(said).to_bytes(4, "little") + b"PAR1"


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., list[list[Any]]]:
    """Read the cells of a file."""

    def read(raw: bytes, names: list[str] | None = None, **bounds: float) -> list[list[Any]]:
        path = tmp_path / "rows.parquet"
        path.write_bytes(raw)
        with path.open("rb") as file, read_parquet(file) as table:
            return [*table.cells(table.columns if names is None else names, **bounds)]

    return read


Read = Callable[..., list[list[Any]]]


@pytest.mark.parametrize("compression", ["none", "zstd"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("use_dictionary", [True, False])
def test_cells_are_those_that_were_written(
    read: Read, compression: str, version: str, use_dictionary: bool
) -> None:
    rows = 2_500
    columns = {
        "petal.length": [at / 7 for at in range(rows)],
        "name": [None if at % 9 == 0 else f"ä{at % 70}" for at in range(rows)],
        "is_it": [None, True, False, True, False] * (rows // 5),
        "left out": ["x"] * rows,
        "whole": [2**63 - 1 - at for at in range(rows)],
    }
    raw = packed(
        columns,
        compression=compression,
        data_page_version=version,
        use_dictionary=use_dictionary,
        row_group_size=1_700,
        data_page_size=1_000,
    )

    found = read(raw, ["whole", "petal.length", "name", "is_it"])

    wanted = [columns[name] for name in ("whole", "petal.length", "name", "is_it")]
    assert found == [list(row) for row in zip(*wanted, strict=True)]
    assert read(raw, []) == [[]] * rows


def test_each_kind_of_cell_arrives_as_what_it_is(read: Read) -> None:
    """Nothing is made of times and decimal numbers, which no schema and no label takes."""
    raw = packed(
        {
            "half": pyarrow.array([1.5, None, 2.0], pyarrow.float16()),
            "float": pyarrow.array([0.1, math.inf, -math.inf], pyarrow.float32()),
            "unsigned": pyarrow.array([2**64 - 1, None, 0], pyarrow.uint64()),
            "category": pyarrow.array(["a", None, "b"]).dictionary_encode(),
            "nothing": pyarrow.nulls(3),
            "decimal": [Decimal("1.5"), None, Decimal("1e30")],
            "time": [datetime(2026, 3, 1, tzinfo=UTC), None, datetime.max.replace(tzinfo=UTC)],
            "moment": pyarrow.array([1, None, 2], pyarrow.timestamp("ns")),
            "length": pyarrow.array([1, None, 2], pyarrow.duration("s")),
        }
    )

    assert read(raw) == [
        [1.5, 0.10000000149011612, 2**64 - 1, "a", None, {}, {}, {}, {}],
        [None, math.inf, None, None, None, None, None, None, None],
        [2.0, -math.inf, 0, "b", None, {}, {}, {}, {}],
    ]
    [[number]] = read(packed({"x": [math.nan]}))
    assert math.isnan(number)


@pytest.mark.parametrize("cells", [[b"a" * 50_000], [[1.0]], [{"a": 1}]])
def test_lists_and_bytes_are_refused(read: Read, cells: list[Any]) -> None:
    raw = packed({"x": cells, "y": [1]})

    with pytest.raises(Invalid, match=r"x .*: expected texts, numbers, times"):
        read(raw)
    assert read(raw, ["y"]) == [[1]]


BOMBS: dict[str, Callable[[], bytes]] = {
    "foot": lambda: foot(30, 30_000),
    "page": lambda: packed({"id": ["x" * 100_000_000]}, compression="zstd", use_dictionary=False),
    "text": lambda: packed({"id": ["x" * 250_000] * 1_000}),
    "decimals": lambda: b64decode(DECIMALS),
}


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux bounds addresses.")
@pytest.mark.parametrize("kind", BOMBS)
def test_small_file_that_unpacks_to_much_is_refused_in_bounded_memory(
    kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "rows.parquet"
    path.write_bytes(BOMBS[kind]())

    said, megabytes = _run(PEAK, path).split()

    assert path.stat().st_size < 3_000_000
    assert said in ("TooLarge", "ValueError") if kind == "foot" else said == "TooLarge"
    assert int(megabytes) < MOST_MEGABYTES


def test_rows_are_counted_in_bytes(read: Read) -> None:
    raw = packed({"x": ["x" * 250] * 5_000})

    assert len(read(raw, most_bytes=5_000 * 260)) == 5_000
    with pytest.raises(TooLarge, match="holds more than 1,000,000 bytes"):
        read(raw, most_bytes=1_000_000)
    with pytest.raises(TooLarge, match="a row of more than"):
        read(packed({"x": ["x" * 5_000_000]}))


def test_what_takes_too_long_is_killed(
    read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, said = tmp_path / "slow.py", tmp_path / "pid"
    slow.write_text(f"import os, time\nopen({str(said)!r}, 'w').write(str(os.getpid()))\n")
    slow.write_text(f"{slow.read_text()}time.sleep(60)\n")
    monkeypatch.setattr(reader, "CHILD", slow)
    monkeypatch.setattr(reader, "SECONDS", 1)

    with pytest.raises(TooLarge, match="takes too long"):
        read(packed({"x": [1]}))

    assert not _is_there(int(said.read_text()))


def test_process_that_spins_is_ended_by_its_own_bound(
    read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spinning = tmp_path / "spinning.py"
    text = reader.CHILD.read_text().replace("SECONDS = 10", "SECONDS = 1")
    spinning.write_text(text.replace("    import orjson\n", "    while True: pass\n", 1))
    monkeypatch.setattr(reader, "CHILD", spinning)

    with pytest.raises(TooLarge, match="takes too long"):
        read(packed({"x": [1]}))


def test_nothing_is_left_behind_when_nobody_reads_on(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    path.write_bytes(packed({"x": ["x" * 250] * 50_000}))

    with path.open("rb") as file, read_parquet(file) as table:
        next(table.cells(["x"]))
        child = table._child.pid
        assert _is_there(child)
    assert not _is_there(child)
    with path.open("rb") as file, read_parquet(file) as table:
        child = table._child.pid
    assert not _is_there(child)

    orphan = int(_run(CUT, path))
    ends_at = time.monotonic() + 20
    while _runs(orphan) and time.monotonic() < ends_at:
        time.sleep(0.02)
    assert not _runs(orphan)


def test_nothing_of_ours_and_no_secret_is_in_the_process(
    read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    telling, said = tmp_path / "telling.py", tmp_path / "said"
    telling.write_text(f"import os, sys\nopen({str(said)!r}, 'w').write(repr([*os.environ]))\n")
    monkeypatch.setattr(reader, "CHILD", telling)
    monkeypatch.setenv("UNROT_ADMIN_TOKEN", "s3cr3t" * 4)

    with pytest.raises(ValueError, match="empty document"):
        read(packed({"x": [1]}))

    assert "UNROT" not in said.read_text() and "MALLOC" in said.read_text()


def test_what_does_not_begin_as_parquet_starts_no_process(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)

    for raw in (b"", b"PAR", b"id,label\n"):
        with pytest.raises(ValueError, match="begin"):
            read(raw)


def _run(script: str, path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def _is_there(process: int) -> bool:
    """Tell whether a process runs, or waits for somebody to ask how it ended."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _runs(process: int) -> bool:
    """Tell whether a process that is not ours runs; nobody may ask how it ended."""
    try:
        return " Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2][:3]
    except OSError:
        return False
