"""A version is known again as this app made it, and no other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from unrot.core.errors import BadArtefact
from unrot.core.records import Feature, Model, ModelKey, Schema, Serving, Version
from unrot.core.schema import schema_hash
from unrot.core.signatures import Signatures

SCHEMA = Schema((Feature("height", "number", 0.0, 9.0),), "kind", ("elf", "orc"))
MODEL = Model("elves", 1, "Elves", "", SCHEMA, 1.0, ModelKey("elves"))
OURS = Signatures(b"the secret of this app")
MADE = OURS.sign(
    Version(
        model=MODEL.key,
        name="v1",
        parent=None,
        origin="trained",
        estimator="tree",
        created_at=2.0,
        metrics={"accuracy": 0.75},
        artefacts={"onnx": "1" * 64, "skops": "2" * 64, "anchor": "3" * 64},
        schema_hash=schema_hash(SCHEMA),
        libraries={},
        serving=Serving("onnx", "1" * 64),
    )
)

FORGERIES: list[dict[str, Any]] = [
    {"model": "orcs"},
    {"name": "v2"},
    {"schema_hash": "another"},
    {"serving": Serving("onnx", "9" * 64)},
    {"serving": Serving("scikit-learn", "1" * 64)},
    {"artefacts": {**MADE.artefacts, "skops": "9" * 64}},
    {"artefacts": {**MADE.artefacts, "lessons": "9" * 64}},
    {"artefacts": {**MADE.artefacts, "anchor": "9" * 64}},
    {"artefacts": {**MADE.artefacts, "calibration": "9" * 64}},
    {"anchor": "9" * 64},
    {"artefacts": {"onnx": "1" * 64}},
    {"signature": ""},
    {"signature": "é"},
    {"signature": MADE.signature[:-1]},
]


def test_version_of_ours_is_known_again() -> None:
    OURS.check(MADE, MODEL)


@pytest.mark.parametrize("forged", FORGERIES)
def test_version_that_was_changed_is_refused(forged: dict[str, Any]) -> None:
    with pytest.raises(BadArtefact, match="is not signed with this app's key"):
        OURS.check(replace(MADE, **forged), MODEL)


def test_what_may_move_later_is_not_signed() -> None:
    assert OURS.is_good(replace(MADE, is_pinned=True, metrics={"accuracy": 0.5}))


def test_version_with_another_file_is_signed_anew_if_it_was_ours() -> None:
    theirs = replace(MADE, artefacts={**MADE.artefacts, "calibration": "9" * 64})
    moved = replace(MADE, anchor="4" * 64, artefacts={**MADE.artefacts, "anchor": "4" * 64})

    assert OURS.is_good(OURS.sign_changed(moved, MADE))
    assert not OURS.is_good(OURS.sign_changed(replace(theirs, anchor="4" * 64), theirs))


def test_another_key_or_none_knows_nothing() -> None:
    theirs, nobodys = Signatures(b"another secret"), Signatures()

    assert not theirs.is_good(MADE)
    assert not nobodys.is_good(nobodys.sign(MADE))
    assert not OURS.is_good(nobodys.sign(MADE))


def test_model_whose_schema_was_changed_is_refused() -> None:
    turned = replace(SCHEMA, classes=("orc", "elf"))

    with pytest.raises(BadArtefact, match="was made for other features or classes than elves has"):
        OURS.check(MADE, replace(MODEL, schema=turned))
