"""CloudEvents that ask for a prediction or bring feedback, at one address, in all three modes.

What is answered is an event too, in the mode of the one that came: the prediction, or the verdict
that was taken. The id of an event is the client's own key of its row, so that feedback may name it.
Whoever sends an event twice, as brokers do, has two predictions, and the key is for the newer one.

An event names its model by the extension `model`, by its subject or by its source
(`/models/iris`); else the default model answers. Types of KServe's and Seldon's are understood,
with their own messages as the data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from flask import Response, request

from unrot.core.cloud_events import (
    BATCH,
    STRUCTURED,
    CloudEvent,
    binary,
    read_binary,
    read_structured,
    structured,
)
from unrot.core.errors import BadRequest, TooLarge, UnrotError, wrong_field
from unrot.core.records import Caller, Schema
from unrot.core.time import iso_time
from unrot.hear.key_store import read_key
from unrot.serve.answer import Answer
from unrot.serve.service import Service
from unrot.serve.shelf import Contents
from unrot.watch.event_words import (
    PREDICTION,
    PREFIX,
    VERDICT,
    prediction_told,
    source_of,
    verdict_event,
)
from unrot.web.api.envelope import parsed, whole_body
from unrot.web.current import service
from unrot.web.protocols.protocol import Protocol, sentence_alone
from unrot.web.protocols.scoring import answers_of, ids_of, score
from unrot.web.protocols.seldon import judge_message, keys_of, rows_of_message, told_message
from unrot.web.protocols.tables import Given, rows_of_instances
from unrot.web.routes import ANYONE
from unrot.web.security import caller_of_api, caller_where_all_may

EVENTS = Protocol("cloud_events", ("/events",), sentence_alone)

PREDICT, FEEDBACK = f"{PREFIX}predict", f"{PREFIX}feedback"
PREDICTIONS, VERDICTS = f"{PREFIX}predictions", f"{PREFIX}verdicts"
ERROR = f"{PREFIX}error"
KSERVE, SELDON = "org.kubeflow.serving.inference.", "io.seldon.serving.inference."
SELDON_FEEDBACK = "io.seldon.serving.feedback"
MODEL, MODEL_VERSION, REQUEST_ID = "model", "modelversion", "requestid"
MOST_AT_ONCE = 1_000
"""Events in a batch."""


@EVENTS.at("POST", "/events", needs=ANYONE)
def take_events() -> Response:
    """Answer an event, or each of a batch."""
    raw, of = whole_body(), service()
    if request.mimetype == BATCH:
        told = [_answered_or_error(of, one) for one in _batch(parsed(raw))]
        return Response(orjson.dumps([structured(one) for one in told]), content_type=BATCH)
    if request.mimetype == STRUCTURED:
        answer = _answered(of, read_structured(parsed(raw)))
        return Response(orjson.dumps(structured(answer)), content_type=STRUCTURED)
    headers, body = binary(_answered(of, read_binary(dict(request.headers), raw)))
    return Response(body, headers=headers)


def _batch(given: Any) -> list[Any]:
    if not isinstance(given, list):
        raise BadRequest("A batch of CloudEvents is a JSON list.")
    if len(given) > MOST_AT_ONCE:
        raise TooLarge(f"{len(given):,} events at once; at most {MOST_AT_ONCE:,} are taken.")
    return given


def _answered_or_error(of: Service, given: Any) -> CloudEvent:
    """Answer one event of a batch: what is wrong with it does not stop the others."""
    try:
        return _answered(of, read_structured(given))
    except UnrotError as error:
        id = given.get("id") if isinstance(given, Mapping) else None
        named = id[:256] if isinstance(id, str) and id.isprintable() and id else "unknown"
        told = {"error": error.message, "reason": error.reason}
        return CloudEvent(named, f"{of.settings.url}/events", ERROR, told)


def _answered(of: Service, event: CloudEvent) -> CloudEvent:
    answer = _ANSWERS.get(event.type)
    if answer is None:
        raise wrong_field("type", event.type, f"one of {', '.join(_ANSWERS)}")
    return answer(of, event)


# ── predict ──────────────────────────────────────────────────────────────────────────────────────


def _predict(of: Service, event: CloudEvent) -> CloudEvent:
    """Predict the row that is the data, or each of a list; they may stand under `inputs`."""

    def read(schema: Schema) -> list[Given]:
        rows = _rows_in(event.data, schema.names)
        return rows_of_instances(schema, rows if isinstance(rows, list) else [rows], "data")

    answer = _scored(of, event, read, event.id)
    model, is_many = answer.shelved.model, isinstance(_rows_in(event.data, ()), list)
    told = [prediction_told(model.schema, model.name, made) for made in answer.predictions]
    if is_many:
        return _answer(of, event, answer, PREDICTIONS, {"predictions": told})
    return _answer(of, event, answer, PREDICTION, told[0], answer.ids[0])


def _rows_in(data: Any, names: Sequence[str]) -> Any:
    """Return the row or the rows of the data, which may stand under `inputs`."""
    has_inputs = isinstance(data, Mapping) and "inputs" in data and "inputs" not in names
    return data["inputs"] if has_inputs else data


def _predict_for_kserve(of: Service, event: CloudEvent) -> CloudEvent:
    """Predict `instances`, as KServe's version 1 has them."""
    data = _object(event)
    answer = _scored(
        *(of, event, lambda schema: rows_of_instances(schema, data.get("instances")), event.id)
    )
    told = {"predictions": answers_of(answer), "ids": ids_of(answer)}
    return _answer(of, event, answer, f"{KSERVE}response", told)


def _predict_for_seldon(of: Service, event: CloudEvent) -> CloudEvent:
    """Predict the rows of a message of Seldon's; the request's id is its puid."""
    data, puid = _object(event), _puid(event)
    answer = _scored(of, event, lambda schema: rows_of_message(schema, data), puid)
    inner = data.get("data")
    is_tensor = isinstance(inner, Mapping) and "tensor" in inner
    told = told_message(answer, puid, is_tensor=is_tensor)
    return _answer(of, event, answer, f"{SELDON}response", told)


def _scored(
    of: Service, event: CloudEvent, read: Callable[[Schema], list[Given]], key: str
) -> Answer:
    read_key(key, "id")
    model, version = _model_of(of, event), event.extensions.get(MODEL_VERSION)
    keys: list[str | None] = []

    def read_and_name(schema: Schema) -> list[Given]:
        rows = read(schema)
        keys.extend(read_key(one, "id") for one in keys_of(key, len(rows)))
        return rows

    return score(of, model, version, read_and_name, caller_where_all_may(), keys)


def _answer(
    of: Service, event: CloudEvent, answer: Answer, type: str, told: Any, id: str | None = None
) -> CloudEvent:
    """Write an answer; it says by whose request it was made."""
    source = source_of(of.settings.url, answer.shelved.model.name)
    return CloudEvent(
        *(id or event.id, source, type, told),
        extensions={REQUEST_ID: _puid(event)},
        subject=answer.ids[0] or "",
        time=iso_time(answer.predicted_at),
    )


# ── judge ────────────────────────────────────────────────────────────────────────────────────────


def _judge(of: Service, event: CloudEvent) -> CloudEvent:
    """Take a verdict as our own API has it; the subject may be the prediction's id."""
    given = dict(_object(event))
    if "id" not in given and "key" not in given and event.subject:
        given["id"] = event.subject
    if "key" in given and "model" not in given and (model := _model_of(of, event)):
        given["model"] = model
    said, status = of.judge(given, caller_of_api())
    model = of.catalogue().name_of(said.model)
    shelved = of.catalogue().model(model)
    made = verdict_event(shelved.model, said, source=source_of(of.settings.url, model))
    return CloudEvent(
        *(made.id, made.source, VERDICT, {**made.data, "status": status}),
        subject=made.subject,
        time=made.time,
    )


def _judge_for_seldon(of: Service, event: CloudEvent) -> CloudEvent:
    """Take a message of feedback; its request's id may be the puid of what is judged."""
    caller: Caller = caller_of_api()
    model, puid = _model_of(of, event), _puid(event)
    statuses = judge_message(of, model, _object(event), caller, read_key(puid, "id"))
    source = source_of(of.settings.url, model or of.default_model().model.name)
    return CloudEvent(event.id, source, VERDICTS, {"statuses": statuses})


# ── what an event tells ──────────────────────────────────────────────────────────────────────────


def _model_of(of: Service, event: CloudEvent) -> str | None:
    """Return the model that an event names, None for the default one."""
    if MODEL in event.extensions:
        return event.extensions[MODEL]
    there = of.catalogue()
    for text in (event.subject, event.source):
        name = _named_in(text)
        if name and _is_there(there, name):
            return name
    if event.type == PREDICT and event.subject:
        return event.subject  # It names a model that is not there, and the error says so.
    return None


def _is_there(contents: Contents, name: str) -> bool:
    return any(
        name in (one.model.name, *one.model.former_names) for one in contents.models.values()
    )


def _named_in(text: str) -> str:
    """Return the name in a text that is one, or ends like the address of a model.

    >>> _named_in("iris"), _named_in("https://unrot.example.org/models/iris"), _named_in("/a/b")
    ('iris', 'iris', '')
    """
    before, _, name = text.rpartition("/")
    return name if not before or before.endswith("/models") or before == "models" else ""


def _object(event: CloudEvent) -> Mapping[str, Any]:
    if not isinstance(event.data, Mapping):
        raise wrong_field("data", event.data, "a JSON object", is_missing=event.data is None)
    return event.data


def _puid(event: CloudEvent) -> str:
    return event.extensions.get(REQUEST_ID, event.id)


_ANSWERS: Mapping[str, Callable[[Service, CloudEvent], CloudEvent]] = {
    PREDICT: _predict,
    FEEDBACK: _judge,
    f"{KSERVE}request": _predict_for_kserve,
    f"{SELDON}request": _predict_for_seldon,
    SELDON_FEEDBACK: _judge_for_seldon,
}
