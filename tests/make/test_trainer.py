from __future__ import annotations

import gzip
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.make.tables import BINARY, NUMBER, mixed_dataset, numbers_dataset
from tests.make.versions import candidate_of, learner, trained
from unrot.core.encoding import Encoder
from unrot.core.errors import BadArtefact, Conflict
from unrot.core.records import Example, Lesson
from unrot.make import tables
from unrot.make.inputs import ENCODED
from unrot.make.repeatable import from_seed
from unrot.make.trainer import EstimatorTrainer
from unrot.make.weights import drawn

SHOP = EstimatorTrainer()


def test_ours_and_owners_are_told_apart_by_what_their_file_holds() -> None:
    ours, owners = trained("sgd", BINARY), learner("sgd")

    assert ours.open().fitted.form == ENCODED
    assert owners.open().fitted.form.container == "array"
    assert ours.version.serving.form == owners.version.serving.form == "table"


def test_version_without_its_estimator_is_served_only_and_says_why() -> None:
    kept = trained("sgd", BINARY)
    bare = kept.without("skops")
    bare = replace(bare, serving=replace(bare.serving, reason="skops cannot hold it."))

    with pytest.raises(Conflict) as caught:
        SHOP.open(bare, kept.schema, kept.files.__getitem__)

    said = "v1 is served only and cannot learn here. skops cannot hold it."
    assert caught.value.message == said


@pytest.mark.parametrize(
    "damage", [b"", b"no zip", b"PK\x03\x04 torn"], ids=["nothing", "no zip", "torn"]
)
def test_spoiled_file_is_said_to_be_one(damage: bytes) -> None:
    kept = trained("sgd", BINARY)
    files = {**kept.files, kept.digests["skops"]: damage}

    with pytest.raises(BadArtefact, match=r"^The skops file does not load"):
        SHOP.open(kept.version, kept.schema, files.__getitem__)


def test_version_that_keeps_no_training_rows_learns_and_is_not_compared() -> None:
    kept = trained("sgd", BINARY)
    trainable = SHOP.open(kept.without("training"), kept.schema, kept.files.__getitem__)

    assert trainable.replayed(5, 0) == []
    assert trainable.ranges() == [None] * 3
    with pytest.raises(Conflict, match="keeps no training rows"):
        candidate_of(trainable)  # type: ignore[arg-type]


def test_loaded_predictor_answers_the_reference_rows() -> None:
    kept = learner("mixed sgd, log loss")
    candidate = candidate_of(kept.open())

    answered = SHOP.predictor(candidate, kept.schema).predict(candidate.reference_rows)

    assert answered == candidate.reference_outputs


# ── tables ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("classes", [BINARY, NUMBER], ids=["classes", "number"])
def test_packed_table_comes_back_as_it_was(classes: tuple[str, ...]) -> None:
    dataset = mixed_dataset(classes)
    rows, labels = Encoder(dataset.schema).decode(dataset.rows), dataset.labels.tolist()

    packed = SHOP.pack(rows, labels, dataset.schema)

    assert SHOP.unpack(packed, dataset.schema, 10_000) == (rows, labels)
    assert SHOP.pack(rows, labels, dataset.schema) == packed


def test_table_is_sampled_down_in_its_order_by_the_seed() -> None:
    schema = numbers_dataset(NUMBER).schema
    rows = [[float(number), 0.0, 0.0] for number in range(100)]
    packed = SHOP.pack(rows, list(range(100)), schema)

    first, again, other = (SHOP.unpack(packed, schema, 10, seed)[1] for seed in (1, 1, 2))

    assert first == again != other
    assert len(first) == 10
    assert first == sorted(first)


def test_table_of_no_rows_is_one() -> None:
    schema = numbers_dataset(BINARY).schema

    assert SHOP.unpack(SHOP.pack([], [], schema), schema, 10) == ([], [])
    assert SHOP.unpack(b"", schema, 10) == ([], [])


@pytest.mark.parametrize("rows", [0, 1, 7, 40_000])
def test_table_of_any_length_is_read_block_by_block(rows: int) -> None:
    table = np.random.default_rng(0).normal(size=(rows, 4))
    table[::3, 1] = np.nan
    labels = np.array(['],[ "labels":[', "b"])[np.arange(rows) % 2]

    read, spelt = tables.unpack_table(tables.pack_table(table, labels))

    assert np.array_equal(read.reshape(-1, 4), table, equal_nan=True)
    assert spelt.tolist() == labels.tolist()


# ── lessons ──────────────────────────────────────────────────────────────────────────────────

GIVEN = Example("id", [0.1 + 0.2, None, "Zürich", True, 7], "pear", 0.2, False, "a1", 1e9, 1e9 + 1)
LESSONS = [
    Lesson("learn", 7, (GIVEN,), ((0, -1), (-2,)), (([1e-320, None], "fig"), ([2.5], "pear"))),
    Lesson("refit", 8, (replace(GIVEN, label=-0.1),), recipe="fading", training_weight=0.3),
    Lesson("refit", 9, (GIVEN,), recipe="fading, recalibrated", recalibrates=True),
    Lesson("train_batch", 0, rows_seen=125),
]


def test_lessons_come_back_as_they_were_in_equal_bytes() -> None:
    packed = SHOP.pack_lessons(LESSONS)

    assert SHOP.unpack_lessons(packed) == LESSONS
    assert SHOP.pack_lessons(SHOP.unpack_lessons(packed)) == packed
    assert SHOP.unpack_lessons(SHOP.pack_lessons([])) == []


@pytest.mark.parametrize(
    "damage",
    [b"", b"no gzip", gzip.compress(b'[{"kind": 1}]', mtime=0)],
    ids=["nothing", "no gzip", "no lesson"],
)
def test_spoiled_lessons_are_said_to_be_so(damage: bytes) -> None:
    with pytest.raises(BadArtefact, match=r"^The lessons do not load"):
        SHOP.unpack_lessons(damage)


# ── weights, chance and weight ───────────────────────────────────────────────────────────────


def test_rows_are_drawn_as_often_as_they_weigh() -> None:
    weights = np.array([1.0, 0.0, 2.0, 0.25, 2.5])

    counts = [
        np.bincount(drawn(weights, np.random.default_rng(seed)), minlength=5).tolist()
        for seed in range(400)
    ]

    means = np.mean(counts, axis=0)
    assert {tuple(count[:3]) for count in counts} == {(1, 0, 2)}
    assert means[3] == pytest.approx(0.25, abs=0.08)
    assert means[4] == pytest.approx(2.5, abs=0.08)


def test_common_chance_is_put_back() -> None:
    np.random.seed(1)
    expected = np.random.random(2).tolist()

    np.random.seed(1)
    first = np.random.random()
    with from_seed(9):
        inside = np.random.random()
    second = np.random.random()

    assert [first, second] == expected
    assert inside == np.random.RandomState(9).random_sample()


def test_trainer_is_light_until_it_is_used() -> None:
    program = (
        "import sys; from unrot.make.trainer import EstimatorTrainer; EstimatorTrainer();"
        "print(sorted({'sklearn', 'skops', 'skl2onnx', 'pandas'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)

    assert done.stdout == "[]\n", done.stderr
