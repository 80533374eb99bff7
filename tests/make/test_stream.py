from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.make.tables import BINARY, FIVE, NUMBER, mixed_dataset, numbers_dataset
from tests.make.test_online import demo, untrained
from unrot.core.dataset import Dataset
from unrot.core.errors import Invalid
from unrot.core.records import Feature, Schema
from unrot.make import artefacts, tables
from unrot.make.online import begin, feed
from unrot.make.stream import start, stream_of


def ignore(share: float, step: str) -> None:
    """Take progress and say nothing."""


def test_stream_is_the_training_part_in_an_order_by_the_seed() -> None:
    dataset = numbers_dataset(NUMBER)

    orders = [stream_of(replace(dataset, seed=seed)).labels for seed in (1, 1, 2)]

    assert np.array_equal(orders[0], orders[1])
    assert not np.array_equal(orders[0], orders[2])
    assert np.array_equal(np.sort(orders[2]), np.sort(dataset.labels))


def test_rows_of_a_stream_keep_their_labels() -> None:
    dataset = numbers_dataset(FIVE)

    stream = stream_of(dataset)

    label_of = dict(zip(map(tuple, dataset.rows.tolist()), dataset.labels, strict=True))
    assert [label_of[tuple(row)] for row in stream.rows.tolist()] == stream.labels.tolist()


def test_stream_begins_with_one_row_of_each_class_however_rare() -> None:
    labels = np.array(["common"] * 500 + ["rare"])
    rows = np.arange(501.0)[:, None]
    schema = Schema((Feature("x", "number"),), "y", ("common", "rare"))

    stream = stream_of(Dataset("d", "", "", schema, rows, labels, rows, labels))

    assert sorted(stream.labels[:2]) == ["common", "rare"]
    assert sorted(stream.rows[:, 0]) == rows[:, 0].tolist()


@pytest.mark.parametrize("classes", [BINARY, FIVE, NUMBER], ids=["two", "five", "number"])
@pytest.mark.parametrize("name", ["mlp", "sgd"])
def test_candidate_has_seen_a_hundred_rows_and_keeps_all(
    name: str, classes: tuple[str, ...]
) -> None:
    dataset = replace(mixed_dataset(classes), split=0.25, seed=3)

    candidate = start(dataset, name, ignore)

    place = {key: candidate.metrics.get(key) for key in ("rows_seen", "rows_to_come")}
    assert (candidate.origin, candidate.estimator, candidate.served_by) == ("stream", name, "onnx")
    assert place == {"rows_seen": 100.0, "rows_to_come": 200.0}
    assert (candidate.metrics["split"], candidate.metrics["seed"]) == (0.25, 3.0)
    stream, expected = (
        tables.unpack(candidate.artefacts["stream"], dataset.schema),
        stream_of(dataset),
    )
    assert np.array_equal(stream.rows, expected.rows, equal_nan=True)
    assert np.array_equal(stream.labels, expected.labels)
    rows, labels = tables.unpack_table(candidate.artefacts["training"])
    assert np.array_equal(rows, stream.rows[:100], equal_nan=True)
    assert np.array_equal(labels, stream.labels[:100])


def test_holdout_that_was_there_already_has_no_split() -> None:
    assert "split" not in start(numbers_dataset(FIVE), "sgd", ignore).metrics


def test_table_shorter_than_the_start_is_seen_whole() -> None:
    dataset = numbers_dataset(BINARY, size=80)

    candidate = start(dataset, "sgd", ignore)

    assert candidate.metrics["rows_seen"] == len(dataset.rows) == 60
    assert candidate.metrics["rows_to_come"] == 0.0


def test_more_than_a_hundred_classes_are_all_seen() -> None:
    classes = tuple(f"c{number:03}" for number in range(130))
    numbers = np.tile(np.arange(130), 4)
    rows = numbers[:, None] + np.random.default_rng(0).normal(size=(520, 2))
    schema = Schema((Feature("a", "number"), Feature("b", "number")), "y", classes)
    labels = np.array(classes)[numbers]

    candidate = start(Dataset("d", "", "", schema, rows, labels, rows, labels), "sgd", ignore)

    assert candidate.metrics["rows_seen"] == 130.0


@pytest.mark.parametrize("name", ["tree", "hgb", "logistic"])
def test_estimator_without_partial_fit_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as caught:
        start(numbers_dataset(FIVE), name, ignore)

    assert caught.value.message == (
        f'--stream feeds one row at a time, and "{name}" can only be fitted whole: choose one that '
        "has partial_fit: mlp, sgd."
    )


def test_estimator_of_ones_own_with_partial_fit_streams(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_learners.py").write_text(
        "from sklearn.naive_bayes import GaussianNB\n\ndef bayes():\n    return GaussianNB()\n"
    )
    monkeypatch.chdir(tmp_path)

    candidate = start(numbers_dataset(BINARY), "own_learners:bayes", ignore)

    assert candidate.metrics["rows_seen"] == 100.0


def test_heart_is_learnt_from_its_stream_and_begins_anew() -> None:
    dataset = demo("heart")

    candidate = start(dataset, "mlp", ignore)
    model, stream = artefacts.load(candidate.artefacts["skops"]), stream_of(dataset)
    ended = feed(model, stream.rows[100:], stream.labels[100:], dataset.schema.classes)
    anew = untrained(model, stream.rows, stream.labels, dataset.schema.classes)

    accuracies = [
        float(np.mean(one.predict(dataset.holdout_rows) == dataset.holdout_labels))
        for one in (anew, model, ended)
    ]
    assert np.array_equal(model[0].mean_, stream.rows[:100].mean(axis=0))
    assert (model[-1].t_, ended[-1].t_, anew[-1].t_) == (100, 242, 2)
    assert accuracies[0] < accuracies[1] < accuracies[2]
    assert accuracies[2] >= 0.8
    assert candidate.metrics["accuracy"] == accuracies[1]


def test_beginning_anew_is_the_beginning_of_the_stream() -> None:
    dataset = numbers_dataset(FIVE)
    model = artefacts.load(start(dataset, "sgd", ignore).artefacts["skops"])
    stream = stream_of(dataset)

    anew = untrained(model, stream.rows, stream.labels, FIVE)
    again = feed(anew, stream.rows[5:100], stream.labels[5:100], FIVE)

    assert np.array_equal(again.predict_proba(stream.rows), model.predict_proba(stream.rows))
    begun = begin(model, stream.rows[:100], stream.labels[:100], FIVE)
    assert np.array_equal(begun.predict_proba(stream.rows), model.predict_proba(stream.rows))
