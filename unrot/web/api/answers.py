"""What predict, feedback and health answer to bytes: called by Flask's views and by the fast lane.

An answer is a status, all of its headers and a body. Errors end here as well, so that both lanes
say the same in the same words.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping, Sequence, Set
from math import isfinite
from typing import Any, Concatenate, NamedTuple, ParamSpec

import orjson
from flask import Response, request

from unrot.core.errors import Invalid, UnrotError, wrong_field
from unrot.core.records import Caller
from unrot.core.request_ids import HEADER, RequestId, current, in_request
from unrot.hear.key_store import read_key, read_keys
from unrot.hear.verdicts import is_older_form
from unrot.run.lanes import Reply
from unrot.serve.answer import Answer
from unrot.serve.service import Service
from unrot.serve.shelf import Contents, Shelf
from unrot.serve.sure import HowSure, how_sure, is_not_sure_asked, may_be_unsure
from unrot.web import errors
from unrot.web.api.envelope import as_object, read_json, received, text_of, what_is_wrong
from unrot.web.api.explanations import written
from unrot.web.api.records import verdict_given
from unrot.web.current import service
from unrot.web.security import HEADERS, caller_where_all_may

JSON_HEADERS = [("Content-Type", "application/json"), *HEADERS.items()]
CODES = {"created": 201, "queued": 202}
NO_MORE: Mapping[str, str] = {}
WITH_INPUTS, WITH_INSTANCES = {"inputs", "key", "keys"}, {"instances", "model", "keys"}
INPUTS_EXPECTED = (
    '"inputs": an object of features, or a list of them, and perhaps your own "key", or "keys"'
)
INSTANCES_EXPECTED = '"instances": a list of rows, and perhaps "model" and your own "keys"'
P = ParamSpec("P")
_log = logging.getLogger(__name__)


class Sent(NamedTuple):
    """A body, what its sender says that it is, and who sends it to where all may."""

    mimetype: str
    body: bytes
    caller: Caller
    contents: Contents | None = None
    """What is served, where that was looked up already."""

    def read(self) -> Any:
        """Read the JSON in it."""
        return read_json(self.mimetype, self.body)


Answering = Callable[Concatenate[Service, Sent, P], Reply]


def answered(answer: Answering[P]) -> Answering[P]:
    """Let every error end as an answer."""

    @functools.wraps(answer)
    def whole(of: Service, sent: Sent, /, *args: P.args, **kwargs: P.kwargs) -> Reply:
        try:
            return answer(of, sent, *args, **kwargs)
        except UnrotError as error:
            errors.let_go(error)
            body = what_is_wrong(error.reason, error.message, error.details)
            return reply(body, errors.status_of(error), errors.headers_of(error))
        except Exception:
            with in_request(current() or RequestId()) as id:
                _log.exception("Unexpected error in %s", answer.__name__)
            return reply(what_is_wrong(*errors.UNEXPECTED), 500, {HEADER: id.tell()})

    return whole


def reply(body: Any, status: int = 200, more: Mapping[str, str] = NO_MORE) -> Reply:
    """Answer with JSON."""
    return Reply(status, [*JSON_HEADERS, *more.items()] if more else JSON_HEADERS, text_of(body))


def success(data: Any, status: int = 200) -> Reply:
    """Answer with data."""
    return reply({"data": data, "message": "Success"}, status)


def of_request(answer: Answering[P], *args: P.args, **kwargs: P.kwargs) -> Response:
    """Answer the request that Flask is at."""
    sent = Sent(request.mimetype, received(), caller_where_all_may())
    made = answer(service(), sent, *args, **kwargs)
    return Response(made.body, made.status, list(made.headers))


HEALTHY = success({"state": "healthy"})


# ── predict ──────────────────────────────────────────────────────────────────────────────────


@answered
def predict(
    of: Service, sent: Sent, model: str, version: str | None, *, says_sure: bool = False
) -> Reply:
    """Score one row or many, and say how sure each answer is where that is asked for."""
    inputs, keys = _inputs_of(sent)
    made = None if says_sure else _one(of, sent, model, version, inputs, keys)
    if made is not None:
        return made
    answer = of.predict(
        *(model, inputs), version=version, contents=sent.contents, caller=sent.caller, keys=keys
    )
    told = _sureness(of.shelf, answer, says_sure=says_sure)
    return success(predicted(answer, is_one=isinstance(inputs, dict), more=told))


def _sureness(shelf: Shelf, answer: Answer, *, says_sure: bool = False) -> list[dict[str, Any]]:
    """Write of each row how sure its answer is, where that is asked for, or "not sure" is one."""
    model, at = answer.shelved.model, answer.predicted_at
    if not says_sure and not (model.schema.is_classifier and is_not_sure_asked(shelf, model, at)):
        return []
    return [
        sureness(how_sure(shelf, answer.shelved, answer.version, shares, value, at))
        for shares, value in zip(answer.probabilities, answer.values, strict=True)
    ]


def sureness(how: HowSure) -> dict[str, Any]:
    """Write how sure an answer is; an end of an interval that has none is null."""
    if how.between is None:
        said = None if how.classes is None else list(how.classes)
        parts: dict[str, Any] = {"sure": how.is_sure, "set": said}
    else:
        low, high = (end if isfinite(end) else None for end in how.between)
        parts = {"low": low, "high": high}
    return {**parts, "coverage": how.coverage, **({"why": how.reason} if how.reason else {})}


@answered
def predict_explained(
    of: Service, sent: Sent, model: str, version: str | None, *, says_sure: bool = False
) -> Reply:
    """Score a few rows, and say why they are answered so, and how sure that is."""
    # It is loaded when somebody asks why: no plain prediction needs it.
    from unrot.explain.explaining import check_count, explain_rows, turn

    (inputs, keys), contents = _inputs_of(sent), of.catalogue()
    count = len(inputs) if isinstance(inputs, list) else 1
    check_count(count)
    of.limits.admit_explaining(sent.caller, count)
    with turn():  # Before the rows are answered: who is sent away has no prediction that is kept.
        answer = of.predict(
            *(model, inputs), version=version, contents=contents, caller=sent.caller, keys=keys
        )
        found = explain_rows(of.shelf, contents, answer.shelved, answer.version, answer.rows)
    told = _sureness(of.shelf, answer, says_sure=says_sure)
    data = predicted(answer, is_one=isinstance(inputs, dict), more=told)
    for row, one in zip(data.get("predictions", [data]), found, strict=True):
        row["explanation"] = written(one, answer.shelved.model.schema, row["id"])
    return success(data)


def _inputs_of(sent: Sent) -> tuple[Any, list[str | None]]:
    """Return what is to be scored, and what the client calls it."""
    given = as_object(sent.read())
    if "inputs" not in given or not given.keys() <= WITH_INPUTS:
        raise _only("inputs", WITH_INPUTS, given, INPUTS_EXPECTED)
    return given["inputs"], _keys_of(given)


def _keys_of(given: Mapping[str, Any]) -> list[str | None]:
    """Return what the client calls its rows."""
    if "key" in given and "keys" in given:
        raise wrong_field("keys", given["keys"], "key for one row, or keys for many, not both")
    if "key" in given:
        return [read_key(given["key"])]
    return read_keys(given["keys"]) if "keys" in given else []


def _one(
    of: Service,
    sent: Sent,
    model: str,
    version: str | None,
    inputs: Any,
    keys: Sequence[str | None] = (),
) -> Reply | None:
    """Answer one usual row; None for another, or where something is to be loaded first."""
    if sent.contents is None or type(inputs) is not dict or len(keys) > 1:
        return None
    row = of.one_row(model, version, sent.contents)
    if may_be_unsure(of.shelf.folder, row.key, of.clock):
        return None
    scored = row.answer(inputs, of.clock, sent.caller, keys[0] if keys else None)
    if scored is None:
        return None
    id, label, shares, value = scored
    data: dict[str, Any] = {"id": id, "model": row.model, "version": row.version}
    if row.classes:
        data["class"] = label
        data["probabilities"] = shares and dict(zip(row.classes, shares, strict=True))
    else:
        data["value"] = value
    return Reply(200, JSON_HEADERS, orjson.dumps({"data": data, "message": "Success"}))


@answered
def predict_default(of: Service, sent: Sent) -> Reply:
    """Score the bare features of the default model, or rows in the older form."""
    given = as_object(sent.read())
    if "instances" in given:
        return _predict_instances(of, sent, given)
    contents = sent.contents or of.catalogue()
    name = of.default_model(contents).model.name
    made = _one(of, sent, name, None, given)
    if made is not None:
        return made
    answer = of.predict(name, given, contents=contents, caller=sent.caller)
    return success(predicted(answer, is_one=True, more=_sureness(of.shelf, answer)))


@answered
def predict_instances(of: Service, sent: Sent) -> Reply:
    """Score rows in the older form."""
    return _predict_instances(of, sent, as_object(sent.read()))


def _predict_instances(of: Service, sent: Sent, given: dict[str, Any]) -> Reply:
    if "instances" not in given or not given.keys() <= WITH_INSTANCES:
        raise _only("instances", WITH_INSTANCES, given, INSTANCES_EXPECTED)
    answer = of.predict_instances(
        given.get("model"),
        given["instances"],
        contents=sent.contents,
        caller=sent.caller,
        keys=_keys_of(given),
    )
    return reply(_instances(answer))


def _only(wanted: str, known: Set[str], given: dict[str, Any], expected: str) -> Invalid:
    if wanted not in given:
        return wrong_field(wanted, None, expected, is_missing=True)
    wrong = next(name for name in given if name not in known)
    return wrong_field(wrong[:80], given[wrong], expected)


def predicted(
    answer: Answer, *, is_one: bool, more: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Write the answer to one row, or to many; `more` is what else is told of each."""
    model, version = answer.shelved.model.name, answer.version.name
    classes = answer.shelved.model.schema.classes
    if not answer.shelved.model.schema.is_classifier:
        rows: list[dict[str, Any]] = [
            {"id": id, "model": model, "version": version, "value": value}
            for id, value in zip(answer.ids, answer.values, strict=True)
        ]
    else:
        rows = [
            {
                "id": id,
                "model": model,
                "version": version,
                "class": label,
                "probabilities": shares and dict(zip(classes, shares, strict=True)),
            }
            for id, label, shares in zip(
                answer.ids, answer.labels, answer.probabilities, strict=True
            )
        ]
    if more:
        rows = [{**row, **told} for row, told in zip(rows, more, strict=True)]
    return rows[0] if is_one else {"predictions": rows}


def _instances(answer: Answer) -> dict[str, Any]:
    """Write the older answer: class indices in the order of the schema, or values."""
    return {
        "predictions": answer.outputs.values or answer.outputs.classes,
        "ids": answer.ids,
        "model": answer.shelved.model.name,
        "version": answer.version.name,
    }


# ── feedback ─────────────────────────────────────────────────────────────────────────────────


@answered
def feedback(of: Service, sent: Sent, who: Callable[[], Caller]) -> Reply:
    """Keep one verdict or a list of them; `who` tells or refuses who gives it."""
    given, caller = sent.read(), who()
    if isinstance(given, list):
        results = of.judge_many(given, caller)
        return success({"results": [{"id": id, "status": status} for id, status in results]})
    if is_older_form(given):
        unverified, status = of.judge_unverified(given, caller)
        name = of.catalogue().name_of(unverified.model)
        data = {"id": unverified.id, "status": status, "model": name}
        return success({**data, "verified": False}, CODES[status])
    verdict, status = of.judge(given, caller)
    name = of.catalogue().name_of(verdict.model)
    return success(verdict_given(verdict, status, name), CODES.get(status, 200))
