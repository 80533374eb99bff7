"""CloudEvents 1.0 over HTTP: read and written in binary, structured and batch mode.

Binary mode has the attributes in headers and the data as the body, structured mode has all of it in
one JSON object, batch mode many of these in a list. Data is JSON always.

>>> made = CloudEvent("7", "/models/elves", "dev.unrot.prediction", {"class": "elf"})
>>> read_structured(structured(made)) == made, read_binary(*binary(made)) == made
(True, True)
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import orjson

from unrot.core.errors import BadRequest, WrongType, shown, wrong_field

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
"""What data is; and what some clients call a body if nobody tells them what it is."""
VERSION = "1.0"
LONGEST = 2_000
"""Characters of an attribute."""

_PREFIX = "ce-"
_NAME = re.compile(r"[a-z0-9]{1,64}")
_OWN = ("specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema")
_DATA = ("data", "data_base64")
_NOT_PLAIN = re.compile(rb"[^!#$&-~]")


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """Something that happened, or that is asked for."""

    id: str
    source: str
    type: str
    data: Any = None
    subject: str = ""
    time: str = ""
    extensions: Mapping[str, str] = field(default_factory=dict)


# ── write ────────────────────────────────────────────────────────────────────────────────────────


def structured(event: CloudEvent) -> dict[str, Any]:
    """Write an event as one object."""
    return {**_attributes(event), "datacontenttype": JSON, "data": event.data}


def binary(event: CloudEvent) -> tuple[dict[str, str], bytes]:
    """Write an event as headers and a body."""
    headers = {f"{_PREFIX}{name}": _as_header(value) for name, value in _attributes(event).items()}
    return {**headers, "Content-Type": JSON}, orjson.dumps(event.data)


def _attributes(event: CloudEvent) -> dict[str, str]:
    plain = {"id": event.id, "source": event.source, "type": event.type}
    maybe = {"subject": event.subject, "time": event.time}
    there = {name: value for name, value in maybe.items() if value}
    return {"specversion": VERSION, **plain, **there, **event.extensions}


def _as_header(value: str) -> str:
    """Write a value as a header has it: with % for what is not plain ASCII.

    >>> _as_header("Grün 5%")
    'Gr%C3%BCn%205%25'
    """
    return _NOT_PLAIN.sub(lambda one: b"%%%02X" % one[0][0], value.encode()).decode("ascii")


# ── read ─────────────────────────────────────────────────────────────────────────────────────────


def read_structured(given: Any) -> CloudEvent:
    """Read an event that is one object."""
    if not isinstance(given, Mapping):
        raise BadRequest(f"A CloudEvent is {shown(given)}: expected a JSON object.")
    attributes = {
        name: _as_text(name, value)
        for name, value in given.items()
        if name not in _DATA and value is not None
    }
    return _event(attributes, _data_of(given))


def read_binary(headers: Mapping[str, str], body: bytes) -> CloudEvent:
    """Read an event whose attributes are headers."""
    attributes = {
        name.lower().removeprefix(_PREFIX): _as_text(name, _from_header(value))
        for name, value in headers.items()
        if name.lower().startswith(_PREFIX)
    }
    if "specversion" not in attributes:
        raise BadRequest(
            "This is no CloudEvent: send the headers ce-specversion, ce-id, ce-source and ce-type, "
            f"or the content type {STRUCTURED}."
        )
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), JSON)
    _check_type(JSON if kind in ("", FORM) else kind)
    return _event(attributes, _parsed(body) if body.strip() else None)


def _event(given: Mapping[str, str], data: Any) -> CloudEvent:
    if given.get("specversion") != VERSION:
        raise wrong_field("specversion", given.get("specversion"), f'"{VERSION}"')
    for name in ("id", "source", "type"):
        if not given.get(name):
            raise wrong_field(name, None, "a text", is_missing=True)
    return CloudEvent(
        *(given["id"], given["source"], given["type"], data),
        subject=given.get("subject", ""),
        time=given.get("time", ""),
        extensions={name: value for name, value in given.items() if name not in _OWN},
    )


def _as_text(name: str, value: Any) -> str:
    plain = name.lower().removeprefix(_PREFIX)
    if not _NAME.fullmatch(plain):
        raise BadRequest(f"{shown(name)} is no name of an attribute: small letters and digits.")
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value) if isinstance(value, int | str) else ""
    if not text or len(text) > LONGEST or not text.isprintable():
        raise wrong_field(plain, value, f"a text of 1 to {LONGEST:,} characters")
    return text


def _from_header(value: str) -> str:
    """Read a header, in which % stands before what is not plain, or UTF-8 stands as it is."""
    with suppress(UnicodeError):
        value = value.encode("latin-1").decode("utf-8")
    return unquote(value.strip('"'), errors="replace")


def _data_of(given: Mapping[str, Any]) -> Any:
    _check_type(given.get("datacontenttype") or JSON)
    packed = given.get("data_base64")
    if packed is None:
        return given.get("data")
    try:
        return _parsed(base64.b64decode(packed, validate=True))
    except (binascii.Error, TypeError, ValueError):
        raise wrong_field("data_base64", packed, "JSON in Base64") from None


def _check_type(given: Any) -> None:
    plain = given.partition(";")[0].strip().lower() if isinstance(given, str) else ""
    if plain != JSON and not plain.endswith("+json"):
        raise WrongType(f"The content type of the data is {shown(given)}: send {JSON}.")


def _parsed(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise BadRequest("The data of the event is not JSON.") from None
