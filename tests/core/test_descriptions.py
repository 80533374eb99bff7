"""Words for people: from a TOML file or a dict onto a model, and never further."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, run_command
from unrot.core.descriptions import described, read, written
from unrot.core.errors import Invalid
from unrot.core.records import Feature, Model, Schema
from unrot.core.schema import schema_hash
from unrot.core.settings import Settings
from unrot.make import models
from unrot.run.bootstrap import open_service
from unrot.serve.service import Service

LENGTH = Feature("length", "number", low=1.0, high=9.0, example=5.0, unit="cm")
ORIGIN = Feature("origin", "category", choices=("de", "fr"), example="de")
SEX = Feature("sex", "integer", choices=(0.0, 1.0), example=1)
MODEL = Model("pears", 1, "Pears", "", Schema((LENGTH, ORIGIN, SEX), "kind", ("0", "1")), 0.0)

TABLE = """
title = "Which pear is it?"
[features.length]
label = "Length of the pear"
group = "Size"
example = 6
[features.origin]
description = "Where it grew."
choices = { fr = "France" }
[features.sex]
choices = { 0 = "none" }
[classes]
1 = "Williams"
"""


def test_words_are_read_from_toml(tmp_path: Path) -> None:
    path = tmp_path / "pears.toml"
    path.write_text("\ufeff" + TABLE, encoding="utf-8")

    told = described(MODEL, read(path))

    length, origin, sex = told.schema.features
    assert (told.title, told.description) == ("Which pear is it?", "")
    assert length == replace(LENGTH, label="Length of the pear", group="Size", example=6)
    assert origin == replace(ORIGIN, description="Where it grew.", choice_names=("", "France"))
    assert sex == replace(SEX, choice_names=("none", ""))
    assert told.schema.class_names == ("", "Williams")
    assert schema_hash(told.schema) == schema_hash(MODEL.schema)


def test_dict_may_name_classes_and_choices_by_their_numbers() -> None:
    told = described(MODEL, {"classes": {0: "no"}, "features": {"sex": {"choices": {1: "male"}}}})

    assert told.schema.class_names == ("no", "")
    assert told.schema.features[2].choice_names == ("", "male")


def test_words_that_are_not_mentioned_stay() -> None:
    first = described(MODEL, {"title": "A", "features": {"origin": {"choices": {"de": "G"}}}})

    second = described(first, {"description": "B", "features": {"origin": {"group": "C"}}})

    assert (second.title, second.description) == ("A", "B")
    assert second.schema.features[1] == replace(ORIGIN, choice_names=("G", ""), group="C")
    assert described(second, {}) == second


def test_what_is_written_describes_the_same_model() -> None:
    words = {"length": {"fixed": True}, "sex": {"private": True, "choices": {"0": "none"}}}
    told = described(MODEL, {"tags": ["fruit"], "features": words, "classes": {"1": "Williams"}})

    length, _, sex = told.schema.features

    assert (length.is_fixed, length.is_private, sex.is_fixed, sex.is_private) == (1, 0, 0, 1)
    assert written(told)["features"]["sex"] == {
        **{"label": "", "unit": "", "description": "", "group": ""},
        **{"fixed": False, "private": True, "choices": {"0": "none", "1": ""}, "example": 1},
    }
    assert described(MODEL, written(told)) == told
    assert described(told, written(MODEL)) == MODEL
    assert schema_hash(told.schema) == schema_hash(MODEL.schema)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"titel": "A"}, '"titel": no such word in a description. The nearest is "title".'),
        ({"title": 5}, "title 5: expected a text in quotes."),
        ({"title": "x" * 201}, "expected at most 200 characters."),
        ({"features": 5}, "features 5: expected a table, [features]."),
        (
            {"features": {"lenght": {}}},
            'features."lenght": pears has no such feature. The nearest is "length".',
        ),
        (
            {"features": {"zzz": {}}},
            'features."zzz": pears has no such feature. There is length, origin, sex.',
        ),
        ({"features": {"length": "long"}}, 'features.length "long": expected a table'),
        (
            {"features": {"length": {"units": "mm"}}},
            '"units": no such word in features.length. The nearest is "unit".',
        ),
        ({"features": {"length": {"fixed": "yes"}}}, 'length.fixed "yes": expected true or false.'),
        ({"features": {"length": {"unit": 1}}}, "features.length.unit 1: expected a text"),
        (
            {"features": {"length": {"example": "six"}}},
            'features.length.example "six": expected a finite number, usually 1 to 9 cm.',
        ),
        (
            {"features": {"origin": {"choices": {"it": "Italy"}}}},
            'features.origin.choices."it": origin has no such choice.',
        ),
        ({"classes": {"2": "Conference"}}, 'classes."2": pears has no such class. There is 0, 1.'),
        ({"classes": {"0": "same", "1": "same"}}, 'Two classes would be called "same"'),
        ({"classes": {"0": "1"}}, 'Two classes would be called "1"'),
    ],
)
def test_wrong_word_is_named_with_what_would_be_right(
    words: Mapping[str, Any], sentence: str
) -> None:
    with pytest.raises(Invalid) as refused:
        described(MODEL, words)

    assert sentence in refused.value.message


def test_example_of_the_documentation_describes_a_model() -> None:
    text = (ROOT / "docs/describe.md").read_text()
    [example] = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    features = (
        Feature("tenure_mo", "integer"),
        Feature("plan", "category", choices=("p1", "p2")),
        Feature("calls, last year", "integer"),
    )
    model = replace(MODEL, schema=Schema(features, "left", ("0", "1")))

    told = described(model, tomllib.loads(example))

    assert told.schema.class_names == ("stays", "leaves")
    assert [feature.group for feature in told.schema.features] == ["Contract"] * 2 + ["Service"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"title = ", "is not TOML: "),
        (b"title = '\xff'", "is not TOML: "),
        (b"x = 1\n" * 200_000, "is larger than a description can be"),
    ],
)
def test_file_that_is_none_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "words.toml"
    path.write_bytes(content)

    with pytest.raises(Invalid, match=sentence):
        read(path)


def test_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="There is no file"):
        read(tmp_path / "none.toml")
    with pytest.raises(Invalid, match="cannot be read"):
        read(tmp_path)


def test_worker_follows_new_words_with_the_predictor_that_it_has(
    service: Service, settings: Settings
) -> None:
    worker = open_service(settings)
    before = worker.catalogue()
    words = {"title": "Flowers", "features": {"sepal_length_cm": {"group": "Sepal"}}}

    models.describe(service, "iris", words)

    after = worker.catalogue()
    assert after.model("iris").model.title == "Flowers"
    assert after.model("iris").model.schema.features[0].group == "Sepal"
    assert after.predictors == before.predictors


def test_command_changes_words_and_a_wrong_one_changes_nothing(
    trained_home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "iris.toml"

    def run(text: str) -> subprocess.CompletedProcess[str]:
        file.write_text(text)
        return run_command(trained_home, "describe", "iris", file)

    done = run('title = "Flowers"\n[classes]\nIris-setosa = "Setosa"\n')
    wrong = run('title = "Weeds"\n[features.sepal]\n')

    service = open_service(Settings(home=trained_home))
    [iris] = [model for model in service.store.registry.models() if model.name == "iris"]
    assert (done.returncode, wrong.returncode) == (0, 1)
    assert "iris is described as iris.toml says" in done.stdout
    assert 'features."sepal": iris has no such feature. The nearest is "sepal_' in wrong.stderr
    assert (iris.title, iris.schema.class_names) == ("Flowers", ("Setosa", "", ""))


def test_table_is_described_while_it_is_trained_and_when_it_is_trained_again(
    tmp_path: Path,
) -> None:
    rows = "\n".join(f"{n % 9},{n % 7},{'ab'[n % 2]}" for n in range(40))
    (tmp_path / "pears.csv").write_text(f"width,height,kind\n{rows}\n")
    words = tmp_path / "pears.toml"
    options = ("--csv", str(tmp_path / "pears.csv"), "--target", "kind", "--name", "pears")
    tree = ("--estimator", "tree", "--describe", str(words))

    words.write_text('[features.wdth]\nunit = "cm"\n')
    wrong = run_command(tmp_path / "home", "train", *options, *tree)
    words.write_text('title = "Pears"\n[features.width]\nunit = "cm"\n')
    first = run_command(tmp_path / "home", "train", *options, *tree)
    words.write_text('[features.width]\nunit = "mm"\n')
    second = run_command(tmp_path / "home", "train", *options, *tree)

    service = open_service(Settings(home=tmp_path / "home"))
    [pears] = service.store.registry.models()
    assert 'features."wdth": pears has no such feature. The nearest is "width".' in wrong.stderr
    assert (wrong.returncode, first.returncode, second.returncode) == (1, 0, 0)
    assert (pears.title, pears.schema.features[0].unit) == ("Pears", "mm")
    assert [version.name for version in service.versions("pears")] == ["v1", "v2"]


# ── tags ─────────────────────────────────────────────────────────────────────────────────────


def test_tags_are_read_once_each_in_small_letters() -> None:
    told = described(MODEL, {"tags": ["Fruit ", "orchard  north", "fruit"]})

    assert told.tags == ("fruit", "orchard north")
    assert described(told, {"title": "Pears"}).tags == told.tags
    assert described(told, {"tags": []}).tags == ()


@pytest.mark.parametrize("tags", ["fruit", ["fruit", 5], [""], ["x" * 41], ["a"] * 13])
def test_tags_of_another_shape_are_refused(tags: Any) -> None:
    with pytest.raises(Invalid, match=r"^tags .*expected"):
        described(MODEL, {"tags": tags})
