"""What predictions are looked for, by a query: the page, its file and the API read it alike.

range, or from and to             when they were made: minutes, hour, day, week, month; or UTC times
verdict                           right, wrong, any, judge (by a judge) or none
answer, truth                     a class: what was answered, what was true
confidence_from, confidence_to    the largest probability: 0.8 or 80 %
value_from, value_to              the number that was answered
is.FEATURE, from.FEATURE, …       one value of a feature, or a range of it
unsure                            1: those alone that were answered with "not sure"
outliers, version, id             1: outliers alone; one version alone; one prediction alone
key                               one prediction alone, by what its client called it
order                             newest, or worst: the surest mistakes first
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from math import isfinite
from typing import TypeVar, get_args

from unrot.core.errors import wrong_field
from unrot.core.records import Feature, Schema, Value
from unrot.hear.key_store import read_key
from unrot.watch.reports.predictions import END_OF_TIME, Limits, Order, Sought, Verdict
from unrot.web import spans
from unrot.web.forms import number_or_text

IS, FROM, TO = "is.", "from.", "to."
"""Before the name of a feature."""
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
ORDERS: tuple[Order, ...] = get_args(Order)
_BOOLEANS = {"true": True, "false": False}
W = TypeVar("W", bound=str)


def sought_of(given: Mapping[str, str], schema: Schema, now: float) -> Sought:
    """Read what is looked for; raise Invalid for what cannot be."""
    since, until = spans.period_of(given, now) or (0.0, END_OF_TIME)
    return Sought(
        since=since,
        until=min(until, END_OF_TIME),
        verdict=_word(given, "verdict", VERDICTS),
        answer=_class(given, "answer", schema),
        truth=_class(given, "truth", schema),
        confidence=_limits(given, "confidence_from", "confidence_to", is_share=True),
        value=_limits(given, "value_from", "value_to"),
        is_odd=is_yes(given, "outliers"),
        is_unsure=is_yes(given, "unsure"),
        version=given.get("version") or None,
        within=dict(_ranges(given, schema)),
        chosen=_chosen(given, schema),
        id=given.get("id", "").strip() or None,
        key=_key(given),
        order=_word(given, "order", ORDERS) or "newest",
    )


def _key(given: Mapping[str, str]) -> str | None:
    text = given.get("key", "").strip()
    return read_key(text) if text else None


def is_yes(given: Mapping[str, str], name: str) -> bool:
    """Read a switch of a query."""
    text = given.get(name, "")
    if text in ("", "0", "false", "no"):
        return False
    if text in ("1", "true", "yes", "on"):
        return True
    raise wrong_field(name, text, "1 or 0")


def _word(given: Mapping[str, str], name: str, words: Sequence[W]) -> W | None:
    text = given.get(name) or None
    found = next((word for word in words if word == text), None)
    if text is not None and found is None:
        raise wrong_field(name, text, f"one of {', '.join(words)}")
    return found


def _class(given: Mapping[str, str], name: str, schema: Schema) -> str | None:
    text = given.get(name) or None
    if text is not None and text not in schema.classes:
        near = get_close_matches(text[:200], schema.classes, n=1, cutoff=0.0)
        expected = f"a class of the model; the nearest one is {near[0]}" if near else "no class"
        raise wrong_field(name, text, expected)
    return text


def _ranges(given: Mapping[str, str], schema: Schema) -> list[tuple[str, Limits]]:
    asked = ((one.name, _limits(given, FROM + one.name, TO + one.name)) for one in schema.features)
    return [(name, limits) for name, limits in asked if limits != Limits()]


def _chosen(given: Mapping[str, str], schema: Schema) -> dict[str, Value]:
    return {one.name: _value(given, one) for one in schema.features if given.get(IS + one.name)}


def _limits(given: Mapping[str, str], first: str, last: str, *, is_share: bool = False) -> Limits:
    read = _share if is_share else _number
    return Limits(read(given, first), read(given, last))


def _number(given: Mapping[str, str], name: str) -> float | None:
    text = given.get(name, "").strip()
    if not text:
        return None
    number = number_or_text(text)
    if isinstance(number, str) or not isfinite(number):
        raise wrong_field(name, text, "a number")
    return number


def _share(given: Mapping[str, str], name: str) -> float | None:
    text = given.get(name, "").strip()
    if not text:
        return None
    number = number_or_text(text.removesuffix("%").strip())
    if isinstance(number, str) or not 0 <= number <= 100:
        raise wrong_field(name, text, "a share such as 0.8 or 80 %")
    return number / 100 if number > 1 or text.endswith("%") else number


def _value(given: Mapping[str, str], feature: Feature) -> Value:
    name = IS + feature.name
    text = given[name]
    if feature.kind == "category":
        return text
    if feature.kind == "boolean":
        if text not in _BOOLEANS:
            raise wrong_field(name, text, "true or false")
        return _BOOLEANS[text]
    return _number(given, name)
