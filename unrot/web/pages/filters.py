"""What is looked for among predictions, in words, each with the address that drops it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from flask import request
from werkzeug.datastructures import MultiDict

from unrot.core.records import Model, Schema
from unrot.serve.service import Service
from unrot.watch.reports.predictions import matching, open_look
from unrot.web import spans, wording
from unrot.web.address import TIMES, Address
from unrot.web.predictions_query import FROM, IS, TO, sought_of

MOST_TRIED, LOOK = 8, 0.1
"""So many filters are tried without when nothing fits, each on a tenth of what a page looks at."""

VERDICTS: Mapping[str, str] = {
    "right": "right",
    "wrong": "wrong",
    "any": "any verdict",
    "judge": "by a judge",
    "none": "none yet",
}
"""What forms call them."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Something that is asked for."""

    words: str
    names: tuple[str, ...]
    address: str
    """The page without it."""
    helps: bool = False
    """True when something fits without it."""


def read_filters(schema: Schema, here: Address) -> list[Filter]:
    """Say what is asked for."""
    return [
        Filter(words, names, here(**dict.fromkeys(names)))
        for words, names in [*_of_answers(schema), *_of_features(schema)]
        if any(request.args.get(name) for name in names)
    ]


def try_without(
    service: Service, model: Model, filters: Sequence[Filter], now: float
) -> list[Filter]:
    """Tell of each filter whether something fits without it."""
    return [
        replace(one, helps=_is_found(service, model, one.names, now))
        for one in filters[:MOST_TRIED]
    ]


def _is_found(service: Service, model: Model, without: Sequence[str], now: float) -> bool:
    given = MultiDict((name, text) for name, text in request.args.items() if name not in without)
    look = open_look(model.schema, LOOK)
    found = matching(service, model, sought_of(given, model.schema, now), look, size=50)
    return next(found, None) is not None


def _of_answers(schema: Schema) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield _time(), TIMES
    yield f"verdict: {VERDICTS.get(_given('verdict'), _given('verdict'))}", ("verdict",)
    yield f"answer: {wording.called(_given('answer'), schema)}", ("answer",)
    yield f"truth: {wording.called(_given('truth'), schema)}", ("truth",)
    yield _range("confidence", "confidence_from", "confidence_to")
    yield _range("answer", "value_from", "value_to")
    yield "outliers only", ("outliers",)
    yield "not sure only", ("unsure",)
    yield f"version: {_given('version')}", ("version",)
    yield f"id: {_given('id')}", ("id",)
    yield f"key: {_given('key')}", ("key",)


def _of_features(schema: Schema) -> Iterator[tuple[str, tuple[str, ...]]]:
    for one in schema.features:
        name = wording.spoken(one)
        yield _range(name, FROM + one.name, TO + one.name)
        yield f"{name}: {_given(IS + one.name)}", (IS + one.name,)


def _given(name: str) -> str:
    return request.args.get(name, "")[:80]


def _range(words: str, first: str, last: str) -> tuple[str, tuple[str, ...]]:
    least, most = _given(first), _given(last)
    said = f"{least} to {most}" if least and most else f"from {least}" if least else f"up to {most}"
    return f"{words}: {said}", (first, last)


def _time() -> str:
    named = {one.name: one.words for one in spans.RANGES}
    first, last = _given("from"), _given("to")
    if not first and not last:
        return f"time: {named.get(_given('range'), '')}"
    return f"time: {first or 'the beginning'} to {last or 'now'}, UTC"
