"""Score what other people's clients send: one way from their rows to an answer of ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from unrot.core.errors import wrong_field
from unrot.core.records import Caller, Schema
from unrot.hear.key_store import read_keys
from unrot.serve.answer import Answer
from unrot.serve.service import Service
from unrot.web.protocols.tables import Given, fitted, take_keys, version_of

KEYS = "keys"
"""Beside the rows: what the client calls each."""
IDS = "ids"
"""Beside the predictions: what verdicts name."""
IDS_HEADER = "Unrot-Prediction-Ids"
MOST_IDS_IN_A_HEADER = 100
"""More would be longer than proxies let a header be."""

ReadRows = Callable[[Schema], list[Given]]


def score(
    of: Service,
    model: str | None,
    version: str | None,
    read: ReadRows,
    caller: Caller,
    keys: Sequence[str | None] = (),
) -> Answer:
    """Score the rows that `read` makes of a request; a model that is not named is the default."""
    contents = of.catalogue()
    shelved = of.default_model(contents) if model is None else contents.model(model)
    schema = shelved.model.schema
    rows = fitted(schema, read(schema))
    keys = take_keys(schema, rows) or keys
    named = version_of(shelved, version)
    name = shelved.model.name
    return of.predict(*(name, rows), version=named, contents=contents, caller=caller, keys=keys)


def answers_of(answer: Answer) -> list[Any]:
    """Return a class, or a number, for each row."""
    is_number = answer.outputs.classes is None
    return list(answer.values if is_number else answer.labels)


def ids_of(answer: Answer) -> list[str]:
    """Return what verdicts name; a text is empty where the journal is full."""
    return [id or "" for id in answer.ids]


def ids_header(answer: Answer) -> dict[str, str]:
    """Return the ids as a header, where an answer has no place for them and they are few."""
    ids = ids_of(answer)
    return {IDS_HEADER: ",".join(ids)} if len(ids) <= MOST_IDS_IN_A_HEADER else {}


def keys_beside(given: dict[str, Any]) -> list[str | None]:
    """Return the clients' own keys, which stand beside the rows or among the parameters."""
    parameters = given.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        raise wrong_field("parameters", parameters, "an object")
    for place in (given, parameters or {}):
        if KEYS in place:
            return read_keys(place[KEYS])
    return []
