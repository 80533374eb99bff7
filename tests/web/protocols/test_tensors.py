"""Tensors are read in a time that grows with their size, and no faster."""

from __future__ import annotations

import struct
from typing import Any, SupportsIndex

import pytest

from unrot.core.errors import Invalid
from unrot.core.records import Feature, Schema
from unrot.web.protocols.tensors import BYTES, Tensor, read_tensor, rows_of

SCHEMA = Schema((Feature("a", "number"), Feature("b", "number")), "y")


class Watched(bytes):
    """Bytes that count what is copied of them."""

    copied = 0

    def __getitem__(self, at: SupportsIndex | slice) -> Any:
        found = super().__getitem__(at)
        type(self).copied += len(found) if isinstance(found, bytes) else 1
        return found


def test_texts_are_copied_once() -> None:
    texts = [b"x" * 50] * 400
    data = Watched(b"".join(struct.pack("<I", len(one)) + one for one in texts))
    Watched.copied = 0

    found = read_tensor({"name": "a", "datatype": BYTES, "shape": [400]}, data)

    assert found.values == ["x" * 50] * 400
    assert Watched.copied <= len(data)


def test_no_more_texts_are_read_than_the_shape_says() -> None:
    """Beyond the one that is too many stands one that is none, and nobody gets there."""
    data = (struct.pack("<I", 1) + b"x") * 4 + struct.pack("<I", 1) + bytes([255])

    with pytest.raises(Invalid) as error:
        read_tensor({"name": "a", "datatype": BYTES, "shape": [3]}, data)

    assert "3 values, as its shape says" in error.value.details[0].expected


def test_tensors_are_not_compared_with_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a request with thousands of them that takes minutes."""
    tensors = [Tensor(name, "FP64", [1], [1.0]) for name in ("a", "b", "key", "c")]

    def fail(*_: object) -> bool:
        raise AssertionError("compared")

    monkeypatch.setattr(Tensor, "__eq__", fail)

    assert rows_of(SCHEMA, tensors)[0]["c"] == 1.0
