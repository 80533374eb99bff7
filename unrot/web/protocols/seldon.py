"""Seldon Core, version 1: predictions, and feedback by reward or truth.

A prediction has a `puid`, in a header and in the answer's meta, and feedback names it. One that is
sent with a row is the client's own key; else it is our id. Many rows under one puid are keyed as
Seldon's batch processor calls them, `<puid>-item-<n>`. Our ids stand in the tags, as all of ours
does that Seldon's messages have no field for.

Seldon's clients leave a reward of 0 out, as their messages do with zeros: feedback without a truth
and without a reward has a reward of 0, and says that the answer was wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from math import prod
from typing import Any
from urllib.parse import parse_qs

from flask import Response, request

from unrot.core.errors import BadRequest, wrong_field
from unrot.core.plurals import counted
from unrot.core.records import Caller, Schema
from unrot.hear.key_store import read_key
from unrot.make.csv.labels import label_of
from unrot.serve.answer import Answer
from unrot.serve.service import Service
from unrot.serve.shelf import ShelvedModel
from unrot.web.api.envelope import as_object, parsed, plain, whole_body
from unrot.web.current import service
from unrot.web.protocols.protocol import Protocol, bad_request
from unrot.web.protocols.scoring import IDS, answers_of, ids_of, score
from unrot.web.protocols.tables import KEY, Given, check_count, rows_in_order, rows_of_instances
from unrot.web.routes import ANYONE
from unrot.web.security import caller_of_api, caller_where_all_may

PUID_HEADER = "seldon-puid"
FORM, MOST_FIELDS = "application/x-www-form-urlencoded", 20
PUID, LABELS = "puid", "labels"
NOT_TAKEN = ("strData", "binData", "customData", "tftensor")
_VERSIONS = ("/api/v1.0", "/api/v0.1")
_GATEWAY = "/seldon/<namespace>/<model>"
PREDICTIONS = (
    *(f"{each}/predictions" for each in _VERSIONS),
    "/predict",
    *(f"{_GATEWAY}{each}/predictions" for each in _VERSIONS),
)
FEEDBACK = (
    *(f"{each}/feedback" for each in _VERSIONS),
    "/send-feedback",
    *(f"{_GATEWAY}{each}/feedback" for each in _VERSIONS),
)

Message = Mapping[str, Any]


def of_seldon(code: int, reason: str, message: str) -> Response:
    """Write an error as Seldon does."""
    status = {"status": 1, "info": message, "code": -1, "reason": reason.upper()}
    return plain({"status": status}, bad_request(code))


SELDON = Protocol("seldon", (*_VERSIONS, "/predict", "/send-feedback", "/seldon"), of_seldon)


# ── predict ──────────────────────────────────────────────────────────────────────────────────────


@SELDON.at("POST", *PREDICTIONS, needs=ANYONE)
def predict_message(model: str | None = None, **_namespace: str) -> Response:
    """Score the rows of a message, by the default model unless a gateway's address names one."""
    given = _body()
    puid = _puid_of(given)
    keys: list[str | None] = []

    def read(schema: Schema) -> list[Given]:
        rows = rows_of_message(schema, given)
        keys.extend(keys_of(puid, len(rows)) if puid else ())
        return rows

    answer = score(service(), model, None, read, caller_where_all_may(), keys)
    made = plain(told_message(answer, puid, is_tensor="tensor" in _object(given, "data")))
    made.headers[PUID_HEADER] = puid or ids_of(answer)[0]
    return made


def rows_of_message(schema: Schema, given: Message) -> list[Given]:
    """Read the rows of a message: data.ndarray, data.tensor or jsonData."""
    wrong = next((name for name in NOT_TAKEN if name in given), None)
    data = _object(given, "data", is_needed="jsonData" not in given)
    if wrong or "tftensor" in data:
        sent = wrong or "tftensor"
        raise BadRequest(f"{sent} is not read here: send ndarray, tensor or jsonData.")
    if "jsonData" in given:
        sent = given["jsonData"]
        return rows_of_instances(schema, sent if isinstance(sent, list) else [sent], "jsonData")
    table = data.get("ndarray")
    if "tensor" in data:
        table = _rows_of_tensor(data["tensor"], len(schema.names))
    if not isinstance(table, list):
        raise wrong_field("ndarray", table, "a list of rows, each a list", is_missing=table is None)
    if table and not any(isinstance(row, list) for row in table):
        table = [table]
    names = _names(data.get("names"))
    if set(names).isdisjoint(schema.names):
        return rows_in_order(schema, table, "ndarray")
    return _named(names, schema, table)


def _named(names: Sequence[str], schema: Schema, table: Sequence[Any]) -> list[Given]:
    """Return rows by the names that are sent with them; columns that are no features go."""
    check_count(len(table))
    for number, row in enumerate(table):
        if not isinstance(row, list) or len(row) != len(names):
            raise wrong_field("ndarray", row, counted(len(names), "value"), row=number)
    known = {*schema.names, KEY}
    rows = [dict(zip(names, row, strict=True)) for row in table]
    return [{name: value for name, value in row.items() if name in known} for row in rows]


def _rows_of_tensor(given: Any, width: int) -> list[Any]:
    """Part a tensor into rows; one of a single dimension holds rows of this width."""
    shape, values = (given.get("shape"), given.get("values")) if isinstance(given, dict) else (0, 0)
    if not isinstance(values, list) or not isinstance(shape, list):
        raise wrong_field("tensor", given, "an object with shape and values")
    is_shape = 1 <= len(shape) <= 2 and all(type(one) is int and one > 0 for one in shape)
    width = shape[1] if is_shape and len(shape) == 2 else width
    if not is_shape or prod(shape) != len(values) or len(values) % width:
        raise wrong_field("tensor", shape, f"the shape of {counted(len(values), 'value')}")
    return [values[at : at + width] for at in range(0, len(values), width)]


def _names(given: Any) -> list[str]:
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        raise wrong_field("names", given, "a list of names")
    return given


def keys_of(puid: str, rows: int) -> list[str]:
    """Return the keys of the rows of a request.

    >>> keys_of("a", 1), keys_of("a", 2)
    (['a'], ['a-item-0', 'a-item-1'])
    """
    return [puid] if rows == 1 else [f"{puid}-item-{number}" for number in range(rows)]


def told_message(answer: Answer, puid: str | None, *, is_tensor: bool) -> dict[str, Any]:
    """Write probabilities by class, or values; the classes themselves stand in the tags."""
    schema = answer.shelved.model.schema
    shares = answer.outputs.probabilities
    names = [schema.target] if shares is None else list(schema.classes)
    table = [[one] for one in answers_of(answer)] if shares is None else [*map(list, shares)]
    data: dict[str, Any] = {"names": names, "ndarray": table}
    if is_tensor and not (schema.is_classifier and shares is None):
        values = list(chain.from_iterable(table))
        data = {"names": names, "tensor": {"shape": [len(table), len(names)], "values": values}}
    ids = ids_of(answer)
    tags: dict[str, Any] = {
        "model": answer.shelved.model.name,
        "version": answer.version.name,
        IDS: ids,
    }
    if schema.is_classifier:
        tags[LABELS] = list(answer.labels)
    return {"data": data, "meta": {PUID: puid or ids[0], "tags": tags}}


# ── feedback ─────────────────────────────────────────────────────────────────────────────────────


@SELDON.at("POST", *FEEDBACK, needs=ANYONE)
def give_feedback(model: str | None = None, **_namespace: str) -> Response:
    """Judge a prediction by what was true, else by a reward of 1 or 0."""
    statuses = judge_message(service(), model, _body(), caller_of_api())
    return plain({"meta": {"tags": {"statuses": statuses}}})


def judge_message(
    of: Service, model: str | None, given: Message, caller: Caller, puid: str | None = None
) -> list[str]:
    """Take what a message says of each row; `puid` names a prediction that the message does not."""
    contents = of.catalogue()
    shelved = of.default_model(contents) if model is None else contents.model(model)
    said = _said(shelved.model.schema, given)
    named = _predictions(shelved, given, len(said), puid)
    verdicts = [{**name, **one} for name, one in zip(named, said, strict=True)]
    if len(verdicts) == 1:
        return [of.judge(verdicts[0], caller)[1]]
    return [status for _, status in of.judge_many(verdicts, caller)]


def _said(schema: Schema, given: Message) -> list[dict[str, Any]]:
    """Return what feedback says of each row."""
    truth, reward = given.get("truth"), given.get("reward", 0)
    if truth not in (None, {}):
        return [{"label": label} for label in _labels(schema, truth)]
    if isinstance(reward, bool) or reward not in (0, 1):
        expected = "1 (right) or 0 (wrong), or a truth; what lies between is not counted yet"
        raise wrong_field("reward", reward, expected)
    return [{"was_correct": reward == 1}]


def _labels(schema: Schema, truth: Any) -> list[str | float]:
    """Read true labels, one a row."""
    if not isinstance(truth, dict):
        raise wrong_field("truth", truth, "an object with data, strData or jsonData")
    table = truth.get("strData", truth.get("jsonData"))
    if table is None:
        data = _object(truth, "data")
        table = data.get("ndarray")
        if "tensor" in data:
            table = _rows_of_tensor(data["tensor"], 1)
    rows = table if isinstance(table, list) else [table]
    return [_label(schema, row) for row in rows]


def _label(schema: Schema, row: Any) -> str | float:
    value = row[0] if isinstance(row, list) and len(row) == 1 else row
    label = label_of(schema, str(value)) if isinstance(value, str | int | float) else None
    if label is None:
        raise wrong_field("truth", row, "one label of each row")
    return label


def _predictions(
    shelved: ShelvedModel, given: Message, rows: int, puid: str | None
) -> list[dict[str, Any]]:
    """Return how verdicts name the predictions: by our ids, else by the client's keys."""
    ids = _object(_meta(_object(given, "response")), "tags").get(IDS)
    if isinstance(ids, list):
        if len(ids) != rows:
            raise wrong_field("truth", None, f"one label for each of {counted(len(ids), 'row')}")
        return [{"id": id} for id in ids]
    told = _puid_of(_object(given, "response")) or _puid_of(_object(given, "request"))
    puid = told or puid
    if puid is None:
        expected = f"the puid of a prediction, in the header {PUID_HEADER} or in response.meta"
        raise wrong_field(PUID, None, expected, is_missing=True)
    if rows == 1 and service().ids.is_ours(puid):
        return [{"id": puid}]
    return [{"model": shelved.model.name, "key": key} for key in keys_of(puid, rows)]


# ── messages ─────────────────────────────────────────────────────────────────────────────────────


def _body() -> dict[str, Any]:
    """Read a message: the body, or what a form or the address calls json."""
    if "json" in request.args:
        return as_object(parsed(request.args["json"].encode("utf-8", "replace")))
    raw = whole_body()
    # What begins as an object is one: curl calls whatever it sends a form.
    if request.mimetype == FORM and not raw.lstrip().startswith(b"{"):
        raw = _field_of(raw)
    return as_object(parsed(raw))


def _field_of(raw: bytes) -> bytes:
    try:
        fields = parse_qs(raw.decode("ascii"), max_num_fields=MOST_FIELDS)
    except ValueError:
        fields = {}
    if "json" not in fields:
        raise BadRequest("The form has no field json: expected a message in it.")
    return fields["json"][0].encode("utf-8", "replace")


def _object(given: Message, name: str, *, is_needed: bool = False) -> Message:
    """Return an object in a message, an empty one where it may be missing and is."""
    found = given.get(name)
    if found is None and not is_needed:
        return {}
    if not isinstance(found, dict):
        raise wrong_field(name, found, "an object", is_missing=name not in given)
    return found


def _meta(given: Message) -> Message:
    return _object(given, "meta")


def _puid_of(given: Message) -> str | None:
    """Return what a client calls a request, if it does."""
    puid = request.headers.get(PUID_HEADER) or _meta(given).get(PUID)
    return None if puid in (None, "") else read_key(puid, PUID)
