"""What the pages of a Parquet file unpack to, of honest files and of such as lie."""

from __future__ import annotations

import io
from base64 import b64decode
from decimal import Decimal
from typing import Any

import pytest

from unrot.core.errors import Invalid
from unrot.make.parquet import texts_among
from unrot.make.parquet_pages import BrokenPage, Head, unpacked_bytes

pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")

HEAD = bytes.fromhex("1500 15a010 159010 2c 1580 10 1500 15061506 00 00")
"""A page of 1,032 bytes that unpacks to 1,040, with a struct of its kind in it."""


DECIMALS = (
    "UEFSMRUEFYiJehVqTBUCFQASAAAotS/9gEhEQg8AZAAAIEBCDwABAPn/OSACAgAQAAIAEAACABAAAgAQAAIAEAACAB"
    "AAIxIKABUAFRYVKCwV6AcVEBUGFQYcAAAAKLUv/SALWQAAAwAAAOgHAQHoBwAVBBksNQAYBnNjaGVtYRUCABUMJQIY"
    "AXglChUAFRQAFugHGRwZHCYAHBUMGTUABhAZGAF4FQwW6AcW5ol6FtoBJpIBJggpLBUEFQAVAgAVABUQFQIAPBaAlO"
    "vcAxkGGSYA6AcAAAAW5ol6FugHJggW2gEAKCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDI2LjAuMRkcHAAAAJsA"
    "AABQQVIx"
)
"""Five hundred decimal numbers, kept as bytes: each is the same million of them."""


def packed(columns: dict[str, Any], **how: Any) -> bytes:
    from pyarrow import parquet

    file = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), file, **how)
    return file.getvalue()


def metadata_of(raw: bytes) -> Any:
    from pyarrow import parquet

    return parquet.ParquetFile(io.BytesIO(raw)).metadata


@pytest.mark.parametrize("compression", ["none", "snappy", "zstd", "gzip"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("use_dictionary", [True, False])
def test_honest_file_unpacks_to_what_its_foot_says(
    compression: str, version: str, use_dictionary: bool
) -> None:
    rows = 5_000
    raw = packed(
        {
            "petal.length": [at / 7 for at in range(rows)],
            "name": [str(at % 70) for at in range(rows)],
            "is_it": [None, True, False, True, False] * (rows // 5),
            "left out": ["x"] * rows,
        },
        compression=compression,
        data_page_version=version,
        use_dictionary=use_dictionary,
        row_group_size=2_000,
        data_page_size=1_000,
    )
    metadata = metadata_of(raw)

    found = unpacked_bytes(raw, metadata, ["petal.length", "name", "is_it"])

    said = [
        sum(metadata.row_group(group).column(at).total_uncompressed_size for at in range(3))
        for group in range(3)
    ]
    assert found == said


def test_foot_with_fewer_rows_than_its_groups_is_refused() -> None:
    """Five million rows of nothing are ten kilobytes, and a gigabyte once they are read."""
    raw = packed({"x": pyarrow.nulls(1_000_000, pyarrow.float64())})
    foot_at = len(raw) - 8 - int.from_bytes(raw[-8:-4], "little")
    lying = raw[:foot_at] + raw[foot_at:].replace(b"\x80\x89\x7a", b"\x8a\x80\x00", 1)

    assert metadata_of(lying).num_rows == 5
    with pytest.raises(BrokenPage, match="more rows"):
        unpacked_bytes(lying, metadata_of(lying), ["x"])


def test_decimals_that_are_kept_as_bytes_are_refused_before_they_are_read() -> None:
    """pyarrow writes none, and would unpack these few hundred bytes to hundreds of megabytes."""
    from pyarrow import parquet

    file = parquet.ParquetFile(io.BytesIO(b64decode(DECIMALS)))

    assert (file.metadata.num_rows, str(file.schema_arrow.types[0])) == (500, "decimal128(10, 0)")
    with pytest.raises(Invalid, match=r"x .*: expected texts, numbers, times"):
        texts_among(file, ["x"])


def test_decimals_that_are_kept_as_they_should_be_are_cells() -> None:
    from pyarrow import parquet

    raw = packed({"x": [Decimal("1.5"), Decimal("1e30")], "y": ["a", "b"]})

    assert texts_among(parquet.ParquetFile(io.BytesIO(raw)), ["x", "y"]) == ["y"]


def test_head_says_how_large_its_page_is() -> None:
    head = Head(HEAD + b"rest", 0)

    assert (head.sizes[2], head.sizes[3], head.at) == (1_040, 1_032, len(HEAD))


@pytest.mark.parametrize(
    "head",
    [
        "1502 1502 1502 06 84 80 08 02 00",
        "1502 1502 1502 05 04 02 00",
        "1502 15 82 80 80 80 20 1502 00",
        "1502 1501 1502 00",
        "1502 15 ff ff ff ff ff ff ff ff ff ff 01 00",
        "1502 1502 1502 19 f0 00",
        "1502 1502 1502" + "1c" * 20,
        "1502 1502 1502 1c" + "11" * 40,
        "1502 1502 15",
        "",
    ],
    ids=[
        *(
            "field that others take for another",
            "field twice",
            "more than 31 bits",
            "less than none",
        ),
        *("number without end", "list", "structs in structs", "flags", "cut off", "nothing"),
    ],
)
def test_head_with_anything_else_is_refused(head: str) -> None:
    with pytest.raises(BrokenPage):
        Head(bytes.fromhex(head), 0)
