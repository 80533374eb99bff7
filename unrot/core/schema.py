"""A model's features: read a client's row against them, and describe them to people.

`parse_rows` is the only door for inputs, from JSON, a form or a file alike. It names every
field that is wrong, never coerces (a boolean is not a number, a string is not a number) and
returns rows in the order of the schema.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from difflib import get_close_matches
from typing import Any, TypeGuard, cast
from unicodedata import normalize

from unrot.core.errors import Detail, Invalid, TooLarge, shown, wrong_field
from unrot.core.plurals import counted
from unrot.core.records import Feature, Row, Schema, Value

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
MOST_ROWS = 10_000
MOST_DETAILS = 20
MOST_SHOWN = 12
MOST_TEXT = 256
"""Characters of a category that the training rows did not have."""

NUMBER_LIMIT = 2.0**63
"""Beyond this a number is taken only where the training data went further still."""


def parse_rows(schema: Schema, inputs: Any) -> list[Row]:
    """Read `inputs`, an object or a list of objects, into rows; raise Invalid naming the fields."""
    if isinstance(inputs, Mapping):
        return [parse_row(schema, inputs)]
    if not isinstance(inputs, list):
        expected = "an object of features, or a list of such objects"
        raise Invalid(
            f"inputs {shown(inputs)}: expected {expected}.",
            details=[Detail("inputs", inputs, expected)],
        )
    _check_count(inputs, "inputs")
    rows: list[Row] = []
    details: list[Detail] = []
    for number, given in enumerate(inputs):
        row = _read(schema, given, details, number)
        rows.append(row)
        if len(details) >= MOST_DETAILS:
            break
    if details:
        raise _invalid(details)
    return rows


def parse_row(schema: Schema, given: Mapping[str, Any]) -> Row:
    """Read one object of features into a row."""
    details: list[Detail] = []
    row = _read(schema, given, details, None)
    if details:
        raise _invalid(details)
    return row


def parse_columns(schema: Schema, columns: Sequence[Sequence[Value]]) -> list[Row | None]:
    """Read whole columns in the order of the schema into rows; None for one `parse_row` refuses."""
    refused: set[int] = set()
    for feature, values in zip(schema.features, columns, strict=True):
        if not _is_column_of_numbers(feature, values):
            refused |= _refused(feature, values)
    return [
        None if number in refused else list(row)
        for number, row in enumerate(zip(*columns, strict=True))
    ]


def parse_instances(schema: Schema, instances: Any) -> list[Row]:
    """Read the older form: a list of lists, each in the order of the schema."""
    if not isinstance(instances, list):
        expected = "a list of rows, each a list of features"
        raise Invalid(
            f"instances {shown(instances)}: expected {expected}.",
            details=[Detail("instances", instances, expected)],
        )
    _check_count(instances, "instances")
    names = schema.names
    as_objects: list[Any] = []
    for number, instance in enumerate(instances):
        if not isinstance(instance, list) or len(instance) != len(names):
            expected = f"a list of {counted(len(names), 'value')}: {', '.join(names)}"
            raise wrong_field("instances", instance, expected, row=number)
        as_objects.append(dict(zip(names, instance, strict=True)))
    return parse_rows(schema, as_objects)


def parse_label(schema: Schema, label: Any) -> str | float:
    """Read a true label: one of the classes, or a finite number for a regression."""
    if schema.is_classifier:
        if isinstance(label, str) and label in schema.classes:
            return label
        expected = "one of " + _listed(schema.classes) + _nearest_class(schema, label)
    else:
        number = _finite(label, NUMBER_LIMIT)
        if number is not None:
            return number
        expected = "a finite number"
    detail = Detail("label", label, expected)
    raise Invalid(detail.sentence, reason="unknown_label", details=[detail])


def _nearest_class(schema: Schema, label: Any) -> str:
    if not isinstance(label, str) or len(schema.classes) <= MOST_SHOWN:
        return ""
    folded = {name.casefold(): name for name in schema.classes}
    near = get_close_matches(label.casefold()[:200], list(folded), n=1, cutoff=0.5)
    return f"; the nearest is {folded[near[0]]}" if near else ""


def farthest_feature(schema: Schema, row: Row) -> Feature:
    """Return the feature whose value lies farthest outside its range, in widths of the range.

    Where none lies outside, or none has a range, it is the largest number: never a category.
    """

    def distance(feature: Feature, value: Value) -> tuple[float, float]:
        if not is_number(value):
            return 0.0, -1.0
        if feature.low is None or feature.high is None:
            return 0.0, abs(value)
        width = (feature.high - feature.low) or 1.0
        return max(feature.low - value, value - feature.high, 0.0) / width, abs(value)

    pairs = zip(schema.features, row, strict=True)
    return max(pairs, key=lambda pair: distance(*pair))[0]


def check_name(name: str) -> str:
    """Return the name of a model; raise Invalid when it could not stand in an address."""
    if NAME.fullmatch(name):
        return name
    expected = "small letters, digits, - and _, beginning with a letter or a digit, at most 64"
    plain = normalize("NFKD", name[:200]).encode("ascii", "ignore").decode().lower()
    likely = "-".join(re.findall("[a-z0-9_]+", plain))[:64].strip("-_")
    if likely:
        expected += f', such as "{likely}"'
    detail = Detail("name", name, expected)
    raise Invalid(f"A model cannot be named {shown(name)}: expected {expected}.", details=[detail])


def example_row(schema: Schema) -> dict[str, Value]:
    """Return a row that works when it is pasted."""
    return {
        feature.name: _stand_in(feature) if feature.is_private else feature.example
        for feature in schema.features
    }


def without_private(schema: Schema) -> Schema:
    """Return the schema with nothing of private features that training saw: it is for anybody."""
    return replace(schema, features=tuple(_kept_private(each) for each in schema.features))


def _kept_private(feature: Feature) -> Feature:
    if not feature.is_private:
        return feature
    return replace(feature, low=None, high=None, choices=(), choice_names=(), example=None)


def without_private_values(schema: Schema, inputs: Mapping[str, Value]) -> dict[str, Value]:
    """Return inputs with null for private features: they are for whoever has the address."""
    private = {feature.name for feature in schema.features if feature.is_private}
    return {name: None if name in private else value for name, value in inputs.items()}


def _stand_in(feature: Feature) -> Value:
    """Return what the model takes for a private feature, and what nobody's row need have had."""
    if feature.nullable:
        return None
    stands: dict[str, Value] = {"category": "text", "boolean": False}
    return stands.get(feature.kind, 0.0)


def describe(schema: Schema) -> dict[str, Any]:
    """Write the schema as the API shows it to anybody."""
    schema = without_private(schema)
    return {
        "target": schema.target,
        "classes": list(schema.classes) if schema.is_classifier else None,
        "class_names": list(schema.class_names) or None,
        "features": [_described(feature) for feature in schema.features],
        "example": example_row(schema),
    }


def to_json(schema: Schema) -> str:
    """Write the schema for the registry; `from_json` reads it back."""
    return json.dumps(asdict(schema), sort_keys=True, ensure_ascii=False)


def from_json(text: str) -> Schema:
    """Read what `to_json` wrote."""
    return from_data(json.loads(text))


def from_data(data: Mapping[str, Any]) -> Schema:
    """Read a schema from plain JSON data."""
    features = tuple(
        Feature(
            **{
                **feature,
                "choices": tuple(feature["choices"]),
                "choice_names": tuple(feature["choice_names"]),
            }
        )
        for feature in data["features"]
    )
    return Schema(
        features=features,
        target=data["target"],
        classes=tuple(data["classes"]),
        class_names=tuple(data.get("class_names", ())),
    )


def schema_hash(schema: Schema) -> str:
    """Return a digest of what a version depends on: names, kinds, order, classes.

    Choices count because models are fitted on their places, gaps because not every version takes
    them. Ranges, examples and all words for people do not.
    """
    core = [
        [feature.name, feature.kind, feature.choices, feature.nullable]
        for feature in schema.features
    ]
    text = json.dumps([core, schema.target, schema.classes], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def expected_of(feature: Feature) -> str:
    """Say in words what a feature takes; of a private one not what training saw."""
    feature = _kept_private(feature)
    if feature.kind == "category":
        words = "a text"
        if feature.choices:
            words += ", usually one of " + _listed([str(choice) for choice in feature.choices])
    elif feature.kind == "boolean":
        words = "true or false"
    else:
        words = "a finite number"
        if feature.choices:
            words += ", usually one of " + _listed([str(choice) for choice in feature.choices])
        elif feature.low is not None and feature.high is not None:
            words += f", usually {feature.low:g} to {feature.high:g}"
            words += f" {feature.unit}" if feature.unit else ""
    return words + (", or null" if feature.nullable else "")


def _read(schema: Schema, given: Any, details: list[Detail], number: int | None) -> Row:
    if not isinstance(given, Mapping):
        details.append(Detail("inputs", given, "an object of features", number))
        return ()
    if len(given) != len(schema.features) or any(name not in given for name in schema.names):
        _compare_names(schema, given, details, number)
    row: list[Value] = []
    for feature in schema.features:
        value = given.get(feature.name, _MISSING)
        if value is not _MISSING:
            row.append(_check(feature, value, details, number))
    return row


_MISSING = object()


def _compare_names(
    schema: Schema, given: Mapping[str, Any], details: list[Detail], number: int | None
) -> None:
    missing = [feature for feature in schema.features if feature.name not in given]
    for feature in missing[: MOST_DETAILS - len(details)]:
        expected = expected_of(feature)
        details.append(Detail(feature.name, None, expected, number, is_missing=True))
    known = set(schema.names)
    candidates = [feature.name for feature in missing] or list(known)
    for name in [name for name in given if name not in known][: MOST_DETAILS - len(details)]:
        near = get_close_matches(str(name)[:200], candidates, n=1, cutoff=0.0)
        expected = f"no such feature; the nearest known one is {near[0]}"
        details.append(Detail(shown(str(name))[1:-1], given[name], expected, number))


def _check(feature: Feature, value: Any, details: list[Detail], number: int | None) -> Value:
    if value is None and feature.nullable:
        return None
    if feature.kind == "category":
        if isinstance(value, str) and (value in feature.choices or _is_plain(value)):
            return value
    elif feature.kind == "boolean":
        if isinstance(value, bool):
            return value
    else:
        finite = _finite(value, limit_of(feature))
        if finite is not None:
            return finite
    is_long = feature.kind == "category" and isinstance(value, str) and len(value) > MOST_TEXT
    expected = f"a text of at most {MOST_TEXT} characters" if is_long else expected_of(feature)
    details.append(Detail(feature.name, value, expected, number))
    return None


def _is_column_of_numbers(feature: Feature, values: Sequence[Value]) -> bool:
    """Tell a column of floats that are all taken, the common case, by looking at its ends."""
    if feature.kind not in ("number", "integer"):
        return False
    known = [value for value in values if value is not None] if feature.nullable else values
    if not set(map(type, known)) <= {float}:
        return False
    numbers = cast(Sequence[float], known)
    limit = limit_of(feature)
    is_within = not numbers or (-limit < min(numbers) and max(numbers) < limit)
    return is_within and math.isfinite(sum(numbers))


def _refused(feature: Feature, values: Sequence[Value]) -> set[int]:
    """Return the places of the values that are none of this feature's."""
    typed = [(type(value), value) for value in values]
    wrong: list[Detail] = []
    for _, value in set(typed):
        _check(feature, value, wrong, None)
    strangers = {(type(detail.value), detail.value) for detail in wrong}
    return {place for place, one in enumerate(typed) if one in strangers} if strangers else set()


def limit_of(feature: Feature) -> float:
    """Return the size that a number of this feature stays below."""
    reach = max(abs(feature.low or 0.0), abs(feature.high or 0.0))
    return min(max(NUMBER_LIMIT, 1000 * reach), sys.float_info.max)


def _is_plain(text: str) -> bool:
    return 0 < len(text) <= MOST_TEXT and text.isprintable()


def is_number(value: object) -> TypeGuard[int | float]:
    """Tell whether a value of JSON is a number: true is none, though Python counts with it."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _finite(value: Any, limit: float) -> float | None:
    if not is_number(value):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return float(value) if abs(value) < limit else None


def _check_count(rows: Sequence[Any], field: str) -> None:
    if not rows:
        detail = Detail(field, rows, "at least one row")
        raise Invalid(f"{field} is empty: send at least one row.", details=[detail])
    if len(rows) > MOST_ROWS:
        raise TooLarge(
            f"{field} holds {len(rows):,} rows and at most {MOST_ROWS:,} are taken at once: "
            "send them in several requests."
        )


def _invalid(details: list[Detail]) -> Invalid:
    first = details[0].sentence
    rest = len(details) - 1
    more = f" ({rest} more in details.)" if rest else ""
    return Invalid(first + more, details=details[:MOST_DETAILS])


def _described(feature: Feature) -> dict[str, Any]:
    return {
        "name": feature.name,
        "kind": feature.kind,
        "range": None if feature.low is None else [feature.low, feature.high],
        "choices": list(feature.choices) or None,
        "choice_names": list(feature.choice_names) or None,
        "label": feature.label or None,
        "group": feature.group or None,
        "unit": feature.unit or None,
        "description": feature.description or None,
        "nullable": feature.nullable,
        "fixed": feature.is_fixed,
        "private": feature.is_private,
        "example": feature.example,
    }


def _listed(words: Sequence[str], most: int = MOST_SHOWN) -> str:
    listed = ", ".join(words[:most])
    return listed if len(words) <= most else f"{listed}, … ({len(words)} in all)"


def spoken(feature: Feature) -> str:
    """Write what people call a feature, else its name in words without the unit beside it.

    >>> spoken(Feature("sepal_length_cm", "number", unit="cm"))
    'sepal length'
    """
    if feature.label:
        return feature.label
    words = feature.name.replace("_", " ").strip()
    if feature.unit:
        for written in (f" {feature.unit}", f"({feature.unit})", f"[{feature.unit}]"):
            words = words.removesuffix(written).strip()
    return words or feature.name
