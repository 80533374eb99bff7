"""Documents as entities of Google Datastore: properties for people, and hidden ones to scan by.

An entity has its fields as properties under their names, of Datastore's own types, so that a
console and a notebook show them. Hidden ones begin with `~`. Each index of a kind is one of them:
a text in which the fields that are to be equal, those that order, and the key stand so that the
order of the texts is the order of the index. A scan is then one range over one property, which
Datastore indexes by itself, so `index.yaml` stays empty.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from unrot.core.errors import shown
from unrot.store.kinds import FieldType, Index, Kind
from unrot.store.operations import Document, Put

MOST_OF_ENTITY = 1_040_000
"""Bytes; Datastore takes 1,048,572 of an entity and 1,048,487 of a property."""
MOST_INDEXED = 1_500
"""Bytes of a key, and of a text that is indexed."""
TOKEN, EXACT = "~commit", "~exact"
"""Properties that are hidden as well: which commit wrote the entity, and what Datastore's own types
would round."""
MICRO = 1_000_000
FIRST_SHOWN, LAST_SHOWN = -62_135_596_800, 253_402_300_799
"""The years 1 to 9999, which Datastore shows as times."""
Place = tuple[str, str]
"""The names of a kind and of a key."""


def is_key(key: str) -> bool:
    """Return whether Datastore takes a key."""
    return 0 < len(key.encode()) <= MOST_INDEXED and re.fullmatch(r"__.*__", key, re.S) is None


def place_of(result: Any) -> Place:
    """Return where the entity of a result is kept."""
    [step] = result.entity.key.path
    return step.kind, step.name


def entity_of(put: Put, key: Mapping[str, Any], token: str) -> Any:
    """Return a document as the entity that keeps it; raise ValueError for too large a one."""
    from google.cloud.datastore_v1 import Entity

    entity = Entity.pb()(key=key)
    exact = {}
    for name, type in put.kind.fields.items():
        if (value := put.fields.get(name)) is None:
            continue
        told = entity.properties[name]
        _tell(told, value, type)
        told.exclude_from_indexes = name not in put.kind.shown
        if type in ("moment", "value") and _told(told, type) != (kept := _kept(value, type)):
            exact[name] = kept
    for name, index in put.kind.indexes.items():
        if index.fields and all(put.fields.get(field) is not None for field in index.fields):
            place = (*(put.fields[field] for field in index.fields), put.key)
            entity.properties[f"~{name}"].string_value = encode(put.kind, index.fields, place)
    if exact:
        hide(entity, EXACT, orjson.dumps(exact).decode())
    hide(entity, TOKEN, token)
    return _fitting(entity, put)


def hide(entity: Any, name: str, text: str) -> None:
    """Note a text beside the fields."""
    entity.properties[name].string_value = text
    entity.properties[name].exclude_from_indexes = True


def _fitting(entity: Any, put: Put) -> Any:
    """Return an entity that Datastore takes."""
    if (size := entity.ByteSize()) > MOST_OF_ENTITY:
        raise ValueError(
            f"{put.kind.name} {shown(put.key)} takes {size:,} bytes: Google Datastore keeps "
            f"{MOST_OF_ENTITY:,} in one document."
        )
    for name, told in entity.properties.items():
        size = len(told.string_value.encode())
        if not told.exclude_from_indexes and size > MOST_INDEXED:
            raise ValueError(
                f'"{name}" of {put.kind.name} {shown(put.key)} takes {size:,} bytes: Google '
                f"Datastore indexes {MOST_INDEXED:,}. Use shorter names."
            )
    return entity


def _tell(told: Any, value: Any, type: FieldType) -> None:
    """Write a value as Datastore's own type, so that a console and a notebook show it."""
    if type == "json":
        told.string_value = orjson.dumps(value).decode()
    elif type == "bytes":
        told.blob_value = value
    elif type == "integer":
        told.integer_value = value
    elif type == "moment" and FIRST_SHOWN <= value < LAST_SHOWN:
        micros = round(value * MICRO)
        told.timestamp_value.seconds = micros // MICRO
        told.timestamp_value.nanos = micros % MICRO * 1_000
    elif isinstance(value, str):
        told.string_value = value
    elif type == "flag" or isinstance(value, bool):
        told.boolean_value = value
    else:
        told.double_value = value


def _kept(value: Any, type: FieldType) -> Any:
    """Return what every store gives back of a moment or a value."""
    return float(value) if type == "moment" else str(value)


def _told(told: Any, type: FieldType) -> Any:
    """Read what was told, as exactly as Datastore's own type has it."""
    which = told.WhichOneof("value_type")
    if which is None or which == "null_value":
        return None
    if which == "timestamp_value":
        return told.timestamp_value.seconds + told.timestamp_value.nanos / 1e9
    value = getattr(told, which)
    if type == "json":
        return orjson.loads(value)
    return str(value) if type == "value" else value


def document_of(kind: Kind, result: Any, names: Sequence[str] | None = None) -> Document:
    """Return the document that an entity keeps, or some of its fields."""
    properties = result.entity.properties
    exact = orjson.loads(properties[EXACT].string_value) if EXACT in properties else {}
    fields = {
        name: exact[name]
        if name in exact
        else _told(properties[name], kind.fields[name])
        if name in properties
        else None
        for name in (kind.fields if names is None else names)
    }
    return Document(place_of(result)[1], fields, result.version)


# ── indexes ──────────────────────────────────────────────────────────────────────────────────


def encode(kind: Kind, names: Sequence[str], values: Sequence[Any]) -> str:
    """Write values as one text, so that texts are in the order of the values.

    A blank ends each, and comes before all that is in them. What comes behind the fields, a key,
    stands as it is.

    >>> from unrot.store.kinds import VERSION
    >>> encode(VERSION, ["model", "number"], ["my elves", 7, "k 7"])
    'my!20elves 8000000000000007 k 7'
    """
    fields = zip(names, values, strict=False)
    told = "".join(f"{_ordered(value, kind.fields[name])} " for name, value in fields)
    return told + "".join(values[len(names) :])


def _ordered(value: Any, type: FieldType) -> str:
    """Write one value without blanks, in the order of values of its type."""
    if type == "text":
        return re.sub(r"[\0-!]", lambda found: f"!{ord(found[0]):02x}", value)
    if type == "flag":
        return str(int(value))
    if type == "integer":
        return f"{value + 2**63:016x}"
    [bits] = struct.unpack(">Q", struct.pack(">d", value + 0.0))  # -0.0 + 0.0 is 0.0
    return f"{bits ^ (2**64 - 1 if bits >> 63 else 2**63):016x}"


def bounds_of(
    kind: Kind, index: Index, equal: Sequence[Any], since: Any, until: Any
) -> list[tuple[str, str]]:
    """Return between which texts those lie that a scan is to find."""
    if len(equal) != len(index.equal):
        raise ValueError(f"{index} cannot be asked for {list(equal)}.")
    start = encode(kind, index.equal, equal)
    lower = upper = start
    if since is not None:
        lower += _ordered(since, kind.fields[index.order[0]])
    if until is not None:
        upper += _ordered(until, kind.fields[index.order[0]])
    elif start:
        upper = f"{start[:-1]}!"  # the sign behind the blank
    bounds = [("GREATER_THAN_OR_EQUAL", lower)] if index.fields else []
    return [*bounds, ("LESS_THAN", upper)] if upper else bounds


def query_of(
    kind: Kind,
    index: str,
    bounds: Sequence[tuple[str, str]],
    key_of: Callable[[Place], Mapping[str, Any]],
) -> Any:
    """Return the query for what lies between bounds in an index; one of no fields is the keys."""
    from google.cloud.datastore_v1 import Query

    query = Query.pb()(kind=[{"name": kind.name}])
    by_key = not kind.indexes[index].fields
    for sign, text in bounds:
        value = {"key_value": key_of((kind.name, text))} if by_key else {"string_value": text}
        told = {"property": {"name": place_name(kind, index)}, "op": sign, "value": value}
        query.filter.composite_filter.filters.add(property_filter=told)
        query.filter.composite_filter.op = "AND"
    return query


def place_name(kind: Kind, index: str) -> str:
    """Return the property that has the places of an index."""
    return f"~{index}" if kind.indexes[index].fields else "__key__"
