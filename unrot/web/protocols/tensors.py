"""Tensors of the Open Inference Protocol: what a request has, and what an answer is made of.

In JSON a tensor's data is a list, flat or nested. In the binary extension it lies behind the JSON,
as numpy lays it out; texts with their length before each. gRPC has both forms as well.

>>> read_tensor({"name": "a", "datatype": "INT64", "shape": [2, 1], "data": [[1], [2]]}).values
[1, 2]
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np

from unrot.core.errors import wrong_field
from unrot.core.plurals import counted
from unrot.core.records import Feature, Schema
from unrot.serve.answer import Answer
from unrot.web.protocols.tables import KEY, Given, rows_in_order, rows_of_columns

DTYPES: Mapping[str, str] = {
    "BOOL": "?",
    "UINT8": "u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
"""How numpy calls the types of numbers; BYTES are texts."""

BYTES, DOUBLES = "BYTES", "FP64"
MOST_DIMENSIONS, MOST_VALUES = 4, 10_000_000
_LENGTH = struct.Struct("<I")
_OF_KIND = {"number": "FP64", "integer": "INT64", "boolean": "BOOL", "category": BYTES}

PREDICT, PREDICT_PROBA = "predict", "predict_proba"


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named array, its values in a row."""

    name: str
    datatype: str
    shape: Sequence[int]
    values: Sequence[Any]


# ── requests ─────────────────────────────────────────────────────────────────────────────────


def read_tensor(given: Any, binary: bytes | None = None) -> Tensor:
    """Read one input, its data from the JSON or from the bytes that stood behind it."""
    if not isinstance(given, Mapping):
        raise wrong_field("inputs", given, "objects with name, shape, datatype and data")
    name = given.get("name")
    if not isinstance(name, str) or not name:
        raise wrong_field("name", name, "the name of an input", is_missing="name" not in given)
    datatype = given.get("datatype")
    if not isinstance(datatype, str) or datatype not in (*DTYPES, BYTES):
        raise wrong_field("datatype", datatype, f"one of {', '.join(DTYPES)}, {BYTES}")
    shape = _shape_of(given.get("shape"))
    count = math.prod(shape)
    if binary is None:
        values = _flat(name, given.get("data"))
    else:
        values = _unpacked(name, datatype, binary, count)
    if len(values) != count:
        raise wrong_field(name, values, f"{counted(count, 'value')}, as its shape says")
    return Tensor(name, datatype, shape, values)


def _unpacked(name: str, datatype: str, data: bytes, count: int) -> list[Any]:
    """Read values as the binary extension has them; of more than so many texts, one too many."""
    if datatype == BYTES:
        return list(islice(_texts(name, data), count + 1))
    dtype = np.dtype(DTYPES[datatype])
    if len(data) % dtype.itemsize:
        raise wrong_field(name, None, f"a whole number of values of {dtype.itemsize} bytes")
    values: list[Any] = np.frombuffer(data, dtype).tolist()
    return values


def rows_of(schema: Schema, tensors: Sequence[Tensor]) -> list[Given]:
    """Return the rows that tensors hold: one of a whole table, or one for each feature."""
    has_keys = KEY not in schema.names
    features = [one for one in tensors if one.name != KEY or not has_keys]
    if len(features) == 1 and features[0].name not in schema.names:
        rows = _rows_of_table(schema, features[0])
    else:
        rows = rows_of_columns({one.name: _column(one) for one in features})
    for keys in (one for one in tensors if one.name == KEY and has_keys):
        if len(keys.values) != len(rows):
            raise wrong_field(
                KEY, list(keys.values), f"{counted(len(rows), 'key')}: one for each row"
            )
        rows = [{**row, KEY: key} for row, key in zip(rows, keys.values, strict=True)]
    return rows


def _shape_of(given: Any) -> tuple[int, ...]:
    is_list = isinstance(given, list) and 0 < len(given) <= MOST_DIMENSIONS
    if is_list and all(type(each) is int and 0 < each <= MOST_VALUES for each in given):
        shape: tuple[int, ...] = tuple(given)
        if math.prod(shape) <= MOST_VALUES:
            return shape
    raise wrong_field("shape", given, "a list of numbers of rows and columns, such as [2, 4]")


def _flat(name: str, data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise wrong_field(name, data, "data: a list of values", is_missing=data is None)
    for _ in range(MOST_DIMENSIONS - 1):
        if not data or not all(isinstance(each, list) for each in data):
            break
        data = list(chain.from_iterable(data))
    if any(isinstance(each, list | dict) for each in data):
        raise wrong_field(name, data, "data: values, or lists of them as the shape says")
    found: list[Any] = data
    return found


def _texts(name: str, data: bytes) -> Iterator[str]:
    at = 0
    while at < len(data):
        if at + _LENGTH.size > len(data):
            raise wrong_field(name, None, "texts, each with its length in four bytes before it")
        [length] = _LENGTH.unpack_from(data, at)
        begins = at + _LENGTH.size
        at = begins + length
        text = data[begins:at]
        try:
            yield text.decode()
        except UnicodeDecodeError:
            raise wrong_field(name, None, "texts in UTF-8") from None
    if at > len(data):
        raise wrong_field(name, None, "texts as long as is said before them")


def _rows_of_table(schema: Schema, tensor: Tensor) -> list[Given]:
    """Part a table into rows; a tensor of a single dimension is a row, or one after another."""
    names, shape = schema.names, tensor.shape
    width = math.prod(shape[1:]) if len(shape) > 1 else min(shape[0], len(names))
    if width != len(names) or len(tensor.values) % width:
        expected = f"a shape of [{shape[0]}, {len(names)}]: {', '.join(names)}"
        raise wrong_field(tensor.name, list(shape), expected)
    values = list(tensor.values)
    table = [values[at : at + width] for at in range(0, len(values), width)]
    return rows_in_order(schema, table, tensor.name)


def _column(tensor: Tensor) -> Sequence[Any]:
    if math.prod(tensor.shape[1:]) != 1:
        expected = f"one value a row, so a shape of [{tensor.shape[0]}, 1]"
        raise wrong_field(tensor.name, list(tensor.shape), expected)
    return tensor.values


# ── answers ──────────────────────────────────────────────────────────────────────────────────


def outputs_of(answer: Answer) -> list[Tensor]:
    """Return what was predicted: classes and probabilities, or values."""
    count = len(answer.ids)
    if answer.outputs.classes is None:
        return [Tensor(PREDICT, DOUBLES, (count, 1), list(answer.values))]
    found = [Tensor(PREDICT, BYTES, (count, 1), list(answer.labels))]
    if answer.outputs.probabilities is not None:
        shares = list(chain.from_iterable(answer.outputs.probabilities))
        shape = (count, len(answer.shelved.model.schema.classes))
        found.append(Tensor(PREDICT_PROBA, DOUBLES, shape, shares))
    return found


def packed(tensor: Tensor) -> bytes:
    """Write values as the binary extension has them."""
    if tensor.datatype == BYTES:
        texts = [str(value).encode() for value in tensor.values]
        return b"".join(_LENGTH.pack(len(text)) + text for text in texts)
    return np.array(tensor.values, DTYPES[tensor.datatype]).tobytes()


def inputs_described(schema: Schema) -> list[dict[str, Any]]:
    """Return what a model takes, for its metadata."""
    return [_described(feature) for feature in schema.features]


def outputs_described(schema: Schema) -> list[dict[str, Any]]:
    """Return what a model answers."""
    if not schema.is_classifier:
        return [{"name": PREDICT, "datatype": DOUBLES, "shape": [-1, 1]}]
    classes = list(schema.classes)
    return [
        {"name": PREDICT, "datatype": BYTES, "shape": [-1, 1]},
        {
            "name": PREDICT_PROBA,
            "datatype": DOUBLES,
            "shape": [-1, len(classes)],
            "parameters": {"classes": classes},
        },
    ]


def _described(feature: Feature) -> dict[str, Any]:
    return {"name": feature.name, "datatype": _OF_KIND[feature.kind], "shape": [-1, 1]}
