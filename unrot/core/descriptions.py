"""Words for people: what a model, its features and its classes are called on its page.

They come from a TOML file, or a dict of the same shape, and touch nothing that a version depends
on: the schema's hash stays as it is, whatever is said here.

    title = "Which iris is it?"
    description = "Three species, told by the size of a flower."
    tags = ["flowers", "demo"]

    [features.sepal_length_cm]
    label = "Length of a sepal"
    unit = "cm"
    description = "Measured along its middle."
    group = "Sepal"
    example = 5.1
    fixed = true

    [features.origin]
    private = true
    choices = { de = "Germany", fr = "France" }

    [classes]
    Iris-setosa = "Bristle-pointed iris"
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from unrot.core import schema
from unrot.core.errors import Invalid, shown, wrong_field
from unrot.core.records import Feature, Model, Schema, Value

OF_MODEL = {"title": 200, "description": 2_000}
OF_FEATURE = {"label": 200, "unit": 40, "description": 2_000, "group": 80}
"""The words, each with the most characters that it may have."""
FLAGS = {"fixed": "is_fixed", "private": "is_private"}
"""What is true of a feature or not, each with its attribute."""

MOST_TAGS, MOST_TAG = 12, 40
"""How many tags a model may have, and of how many characters each."""
MOST_NAME = 200
MOST_BYTES = 1 << 20


def read(given: Path | str | Mapping[str, Any]) -> Mapping[str, Any]:
    """Read a description from its TOML file; a dict is one already."""
    if isinstance(given, Mapping):
        return given
    path = Path(given)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Invalid(f"{path} is larger than a description can be ({MOST_BYTES:,} bytes).")
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise Invalid(f"There is no file {path}.") from error
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{path} is not TOML: {shown(str(error), 200)[1:-1]}.") from error


def described(model: Model, words: Mapping[str, Any]) -> Model:
    """Return the model with these words; what they do not mention stays as it is."""
    _check_keys(words, (*OF_MODEL, "tags", "features", "classes"), "a description")
    said = _words(words, OF_MODEL, "")
    return replace(
        model,
        title=said.get("title", model.title),
        description=said.get("description", model.description),
        tags=_tags(words["tags"]) if "tags" in words else model.tags,
        schema=replace(
            model.schema,
            features=_features(model, _table(words, "features")),
            class_names=_class_names(model, _table(words, "classes")),
        ),
    )


def written(model: Model) -> dict[str, Any]:
    """Return the words of a model in the shape that `described` takes."""
    classes, names = model.schema.classes, model.schema.class_names
    return {
        **{key: getattr(model, key) for key in OF_MODEL},
        "tags": list(model.tags),
        "features": {each.name: _written_feature(each) for each in model.schema.features},
        "classes": dict(zip(classes, names or ("",) * len(classes), strict=True)),
    }


def _written_feature(feature: Feature) -> dict[str, Any]:
    words = {key: getattr(feature, key) for key in OF_FEATURE}
    words |= {key: getattr(feature, attribute) for key, attribute in FLAGS.items()}
    if feature.choices:
        words["choices"] = names_of_choices(feature)
    if feature.example is not None:
        words["example"] = feature.example
    return words


def names_of_choices(feature: Feature) -> dict[str, str]:
    """Return what its choices are called, by the choices as they are written."""
    keys = [_as_key(choice) for choice in feature.choices]
    return dict(zip(keys, feature.choice_names or ("",) * len(keys), strict=True))


def _tags(given: Any) -> tuple[str, ...]:
    """Read tags, each once and in small letters, so that no two differ by these alone."""
    expected = f"a list of at most {MOST_TAGS} texts in quotes"
    if not isinstance(given, list | tuple) or len(given) > MOST_TAGS:
        raise wrong_field("tags", given, expected)
    told = [_words({"tags": tag}, {"tags": MOST_TAG}, "")["tags"].lower() for tag in given]
    if not all(told):
        raise wrong_field("tags", "", f"{expected}, none of them empty")
    return tuple(dict.fromkeys(told))


def _features(model: Model, tables: Mapping[str, Any]) -> tuple[Feature, ...]:
    _check_known(tables, model.schema.names, f"{model.name} has no such feature", "features.")
    return tuple(
        _feature(feature, tables) if feature.name in tables else feature
        for feature in model.schema.features
    )


def _feature(feature: Feature, tables: Mapping[str, Any]) -> Feature:
    said, where = _table(tables, feature.name, "features."), f"features.{feature.name}."
    known = (*OF_FEATURE, *FLAGS, "choices", "example")
    _check_keys(said, known, f"features.{feature.name}")
    changed: dict[str, Any] = _words(said, OF_FEATURE, where)
    if "choices" in said:
        changed["choice_names"] = _choice_names(feature, _table(said, "choices", where), where)
    if "example" in said:
        changed["example"] = _example(feature, said["example"], where)
    changed |= {FLAGS[key]: _flag(said[key], where + key) for key in FLAGS if key in said}
    return replace(feature, **changed)


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise wrong_field(where, value, "true or false")
    return value


def _choice_names(feature: Feature, names: Mapping[str, Any], where: str) -> tuple[str, ...]:
    choices = [_as_key(choice) for choice in feature.choices]
    _check_known(names, choices, f"{feature.name} has no such choice", f"{where}choices.")
    given = _words(names, dict.fromkeys(names, MOST_NAME), f"{where}choices.")
    before = feature.choice_names or ("",) * len(choices)
    found = tuple(given.get(choice, old) for choice, old in zip(choices, before, strict=True))
    return found if any(found) else ()


def _example(feature: Feature, value: Any, where: str) -> Value:
    try:
        schema.parse_row(Schema((feature,), ""), {feature.name: value})
    except Invalid as error:
        expected = error.details[0].expected
        raise wrong_field(f"{where}example", value, expected) from error
    known: Value = value
    return known


def _class_names(model: Model, names: Mapping[str, Any]) -> tuple[str, ...]:
    classes = model.schema.classes
    _check_known(names, classes, f"{model.name} has no such class", "classes.")
    given = _words(names, dict.fromkeys(names, MOST_NAME), "classes.")
    before = model.schema.class_names or ("",) * len(classes)
    found = tuple(given.get(one, old) for one, old in zip(classes, before, strict=True))
    called = [name or one for one, name in zip(classes, found, strict=True)]
    doubled = next((name for name in called if called.count(name) > 1), None)
    if doubled is not None:
        raise Invalid(f"Two classes would be called {shown(doubled)}: give each its own name.")
    return found if any(found) else ()


def _words(said: Mapping[str, Any], longest: Mapping[str, int], where: str) -> dict[str, str]:
    """Return the texts among the words, each on one line."""
    found: dict[str, str] = {}
    for key, most in longest.items():
        if key not in said:
            continue
        text = said[key]
        if not isinstance(text, str):
            raise wrong_field(where + key, text, "a text in quotes")
        found[key] = " ".join(text.split())
        if len(found[key]) > most or not found[key].isprintable():
            raise wrong_field(where + key, text, f"at most {most:,} characters")
    return found


def _table(said: Mapping[str, Any], key: str, where: str = "") -> Mapping[str, Any]:
    table = said.get(key, {})
    if not isinstance(table, Mapping):
        raise Invalid(f"{where}{key} {shown(table)}: expected a table, [{where}{key}].")
    return {str(name): value for name, value in table.items()}


def _check_keys(said: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    _check_known(said, known, f"no such word in {where}", "")


def _check_known(given: Iterable[Any], known: Iterable[str], problem: str, where: str) -> None:
    names = list(known)
    for name in given:
        if name not in names:
            near = get_close_matches(str(name)[:200], names, n=1, cutoff=0.5)
            listed = ", ".join(names[:12]) + (", …" if len(names) > 12 else "") or "none"
            rest = f"The nearest is {shown(near[0])}." if near else f"There is {listed}."
            raise Invalid(f"{where}{shown(str(name))}: {problem}. {rest}")


def _as_key(choice: Value) -> str:
    """Write a choice as it stands before an equals sign: 1, not 1.0."""
    if isinstance(choice, float) and choice.is_integer():
        return str(int(choice))
    return str(choice)
