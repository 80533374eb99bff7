"""The form of a model: its fields, made from the schema, and what was typed, as inputs.

The schema stays the only judge. Text that reads as the kind that a feature has becomes that
kind; anything else is passed on as it is, for the schema to name the field and what it expects.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

from werkzeug.datastructures import MultiDict

from unrot.core.errors import Detail, Invalid
from unrot.core.records import Feature, Row, Schema, Value
from unrot.core.schema import example_row, parse_row, without_private
from unrot.watch.profiles.histograms import Heights
from unrot.web.sliders import Slider, slider
from unrot.web.wording import number

MOST_SLIDERS = 60
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?", re.ASCII)
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
"""A fraction, or grouped by thousands: it does not tell."""
_BOOLEANS = {"true": True, "false": False}
_SPOKEN = {"true": "yes", "false": "no"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a field."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Field:
    """One feature as a form shows it."""

    feature: Feature
    id: str
    control: Literal["number", "text", "select"]
    value: str
    hint: str
    error: str = ""
    choices: tuple[Choice, ...] = ()
    keyboard: str = ""
    """What a phone shows for it (`inputmode`), where the control does not tell."""
    slider: Slider | None = None


def typed(schema: Schema, form: MultiDict[str, str]) -> dict[str, str]:
    """Return what was typed into each field that came; the form's own fields come first in it."""
    return {name: form.getlist(name)[-1].strip() for name in schema.names if name in form}


def example(schema: Schema) -> dict[str, str]:
    """Return what stands in a fresh form."""
    public = without_private(schema).features
    return {feature.name: as_typed(feature.example) for feature in public}


def pasted(schema: Schema, values: Mapping[str, Value]) -> dict[str, str]:
    """Return pasted values as they would be typed; what may be left out is unknown."""
    unknown = {feature.name: "" for feature in schema.features if feature.nullable}
    return unknown | {name: as_typed(value) for name, value in values.items()}


def inputs(schema: Schema, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the inputs that the texts stand for, for the schema to judge."""
    found: dict[str, Any] = {}
    for feature in schema.features:
        text = texts.get(feature.name)
        if text is not None and not _is_left_out(feature, text):
            found[feature.name] = _read(feature, text)
    return found


def inputs_to_paste(schema: Schema, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the inputs, with what a model takes for private features that nobody has filled in."""
    stands = example_row(schema)
    blank = [one.name for one in schema.features if one.is_private and not texts.get(one.name)]
    return {**inputs(schema, texts), **{name: stands[name] for name in blank}}


def problems(schema: Schema, texts: Mapping[str, str]) -> Sequence[Detail]:
    """Return what the schema would say of these texts."""
    try:
        parse_row(schema, inputs(schema, texts))
    except Invalid as error:
        return error.details
    return ()


def number_or_text(text: str) -> float | str:
    """Return the number that a text is, with a point or a comma, else the text.

    3,504 stays a text: it may be 3504 as well.

    >>> number_or_text("5,1"), number_or_text("five"), number_or_text("3,504")
    (5.1, 'five', '3,504')
    """
    is_sure = _NUMBER.fullmatch(text) and not _EITHER.fullmatch(text)
    return float(text.replace(",", ".")) if is_sure else text


def fields(
    schema: Schema,
    texts: Mapping[str, str],
    details: Sequence[Detail] = (),
    *,
    keeps_all: bool = False,
    bars: Mapping[str, Heights] = MappingProxyType({}),
) -> list[Field]:
    """Make the fields with what was typed, and beside each what is wrong with it.

    A browser checks number fields itself and points at what it refuses. Where it cannot, because
    the field is folded away, `keeps_all` makes text fields of them, which keep whatever is typed.
    `bars` are drawn behind the sliders, which long forms do without.
    """
    wrong = {detail.field: detail for detail in reversed(details)}
    public = without_private(schema).features
    made = [
        _field(
            feature,
            f"field-{place}",
            texts.get(feature.name, ""),
            _problem(feature, wrong[feature.name]) if feature.name in wrong else "",
            keeps_all,
        )
        for place, feature in enumerate(public)
    ]
    if len(made) > MOST_SLIDERS:
        return made
    sliders = [slider(feature, bars.get(feature.name, ())) for feature in public]
    return [replace(one, slider=beside) for one, beside in zip(made, sliders, strict=True)]


def outside(schema: Schema, row: Row) -> list[tuple[Feature, Value]]:
    """Return the features whose values the model never met while it was trained."""
    pairs = zip(schema.features, row, strict=True)
    return [(feature, value) for feature, value in pairs if _is_outside(feature, value)]


def hint(feature: Feature) -> str:
    """Say what a feature usually is.

    >>> hint(Feature("sepal_length_cm", "number", low=4.3, high=7.9, unit="cm"))
    'usually 4.3 to 7.9 cm'
    """
    if feature.choices or feature.low is None or feature.high is None:
        return ""
    return f"usually {number(feature.low)} to {number(feature.high)} {feature.unit}".rstrip()


def _is_left_out(feature: Feature, text: str) -> bool:
    """Tell a category that was not chosen: an empty text would pass for one."""
    is_empty = not text and not feature.nullable and feature.kind == "category"
    return is_empty and "" not in feature.choices


def _read(feature: Feature, text: str) -> Value:
    if not text and feature.nullable:
        return None
    if feature.kind == "category":
        return text
    if feature.kind == "boolean":
        return _BOOLEANS.get(text, text)
    return number_or_text(text)


def _problem(feature: Feature, detail: Detail) -> str:
    """Say what is wrong with a field, as one says it to somebody who looks at it."""
    expected = detail.expected.removesuffix(", or null")
    if isinstance(detail.value, str) and _EITHER.fullmatch(detail.value):
        whole, fraction = detail.value.replace(",", ""), detail.value.replace(",", ".")
        return f"{detail.value} may mean {whole} or {fraction}: write one of them."
    if not detail.is_missing and detail.value not in ("", None):
        return f"Expected {expected}."
    if feature.choices or feature.kind == "boolean":
        return "Nothing is chosen yet: choose one."
    return f"Nothing is filled in yet: expected {expected}."


def _field(feature: Feature, id: str, text: str, error: str, keeps_all: bool) -> Field:
    control = _control(feature, text, keeps_all)
    # Only a keyboard of digits for what is never below zero: on some phones it has no minus.
    is_counted = feature.kind in ("number", "integer") and (feature.low or 0) >= 0
    keyboard = "decimal" if control == "text" and is_counted and feature.low is not None else ""
    told = "no example of it is shown" if feature.is_private else hint(feature)
    return Field(feature, id, control, text, told, error, _choices(feature, text), keyboard)


def _control(feature: Feature, text: str, keeps_all: bool) -> Literal["number", "text", "select"]:
    if feature.choices or feature.kind == "boolean":
        return "select"
    if feature.kind == "category" or keeps_all:
        return "text"
    is_kept_by_a_browser = not text or re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text)
    return "number" if is_kept_by_a_browser else "text"


def _choices(feature: Feature, text: str) -> tuple[Choice, ...]:
    offered = dict(_SPOKEN) if feature.kind == "boolean" else _named(feature)
    if not offered:
        return ()
    read = _read(feature, text)
    chosen = next((value for value in offered if text and _read(feature, value) == read), text)
    if feature.nullable or not text:
        offered = {"": "unknown" if feature.nullable else "choose", **offered}
    if chosen not in offered:
        offered[chosen] = "as sent"
    return tuple(
        Choice(value, _label(value, name), value == chosen) for value, name in offered.items()
    )


def _named(feature: Feature) -> dict[str, str]:
    names = feature.choice_names or ("",) * len(feature.choices)
    texts = [as_typed(choice) for choice in feature.choices]
    return dict(zip(texts, names, strict=False))


def _label(value: str, name: str) -> str:
    if value in _SPOKEN and name == _SPOKEN[value]:
        return name
    if not name or name == value:
        return value
    return f"{value} – {name}" if value else name


def as_typed(value: Value) -> str:
    """Write a value as a person types it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    # repr, not a rounded form: what the page shows must come back as the very same number.
    return repr(float(value)).removesuffix(".0")


def _is_outside(feature: Feature, value: Value) -> bool:
    if isinstance(value, str):
        return bool(feature.choices) and value not in feature.choices
    if value is None or isinstance(value, bool):
        return False
    if feature.choices:
        return value not in feature.choices
    if feature.low is None or feature.high is None:
        return False
    return not feature.low <= value <= feature.high
