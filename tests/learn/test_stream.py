"""The demo of online learning: a stream fed row by row is `partial_fit` by hand, at each batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import noon
from tests.learning_model import School
from unrot.core.dataset import Dataset
from unrot.core.encoding import Encoder
from unrot.core.errors import Conflict
from unrot.core.records import Model
from unrot.core.settings import Settings
from unrot.make import artefacts, online, tables
from unrot.make import stream as streaming
from unrot.make.demos import heart, iris
from unrot.make.publishing import publish
from unrot.run.bootstrap import open_service

HEART = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "heart.csv"


@pytest.fixture
def open_stream(
    tmp_path: Path, new_store: Callable[[], str]
) -> Iterator[Callable[[Dataset, str], School]]:
    with ExitStack() as stack:

        def school(data: Dataset, estimator: str) -> School:
            settings = Settings(home=tmp_path / data.name, store=new_store())
            service = replace(open_service(settings), clock=noon)
            stack.callback(service.store.close)
            candidate = streaming.start(data, estimator, lambda *_: None)
            model = Model(data.name, 0, data.title, data.description, data.schema, noon())
            publish(service, model, candidate)
            return School(service, data.name)

        yield school


def fed_by_hand(school: School, data: Dataset, stop: int) -> tuple[object, float]:
    """Feed the first version's estimator the same rows by scikit-learn alone."""
    first = school.service.version(data.name, "v1")
    artefact = school.service.store.registry.artefact
    pipeline = artefacts.load(artefact(first.artefacts["skops"]))
    rows, labels = tables.unpack_table(artefact(first.artefacts["stream"]))
    before, last = pipeline[:-1], pipeline[-1]
    for place in range(int(first.metrics["rows_seen"]), stop):
        last.partial_fit(before.transform(rows[place : place + 1]), labels[place : place + 1])
    return pipeline, float(np.mean(pipeline.predict(data.holdout_rows) == data.holdout_labels))


def assert_serves(school: School, data: Dataset, pipeline: object) -> None:
    """Compare what is served with the estimator, on the holdout."""
    rows = Encoder(data.schema).decode(data.holdout_rows)
    inputs = [dict(zip(data.schema.names, row, strict=True)) for row in rows]
    served = [one.label for one in school.predicted(inputs)]
    assert served == pipeline.predict(data.holdout_rows).tolist()  # type: ignore[attr-defined]


@pytest.mark.skipif(not HEART.exists(), reason=f"The heart data is not at {HEART.parent}.")
def test_heart_is_fed_to_its_end_and_equals_scikit_learn_after_every_batch(
    open_stream: Callable[[Dataset, str], School],
) -> None:
    data = heart.load(HEART)
    school = open_stream(data, "mlp")
    remaining = []

    for stop in (125, 150, 175, 200, 225, 242, 242):
        told = school.done("train_batch")
        pipeline, accuracy = fed_by_hand(school, data, stop)
        assert told["result"] == pytest.approx(accuracy, abs=1e-12)
        assert_serves(school, data, pipeline)
        remaining.append(told["remaining"])

    assert remaining == [117, 92, 67, 42, 17, 0, 0]
    assert told["result"] >= 0.80
    assert school.service.aliases("heart") == {"champion": "v7"}


def test_reset_begins_anew_and_is_fed_again(
    open_stream: Callable[[Dataset, str], School],
) -> None:
    school = open_stream(iris.load(), "sgd")
    school.done("train_batch", n=10)

    reset = school.done("reset")
    again = school.done("train_batch", n=5)

    rows = school.service.version("iris", "v1").metrics
    total = int(rows["rows_seen"] + rows["rows_to_come"])
    versions = {one.name: one for one in school.service.versions("iris")}
    assert reset["remaining"] == total - 3
    assert again["remaining"] == total - 8
    assert [versions[name].made["rows_seen"] for name in ("v2", "v3", "v4")] == [110, 3, 8]
    first = artefacts.load(
        school.service.store.registry.artefact(versions["v3"].artefacts["skops"])
    )
    packed = school.service.store.registry.artefact(versions["v3"].artefacts["stream"])
    fed, labels = tables.unpack_table(packed)
    classes = iris.load().schema.classes
    by_hand = online.feed(online.renewed(first), fed[:3], labels[:3], classes)
    assert np.array_equal(first[-1].coef_, by_hand[-1].coef_)


def test_model_without_a_stream_says_so(open_school: Callable[[str], School]) -> None:
    school = open_school("sgd")

    with pytest.raises(Conflict, match="--stream"):
        school.asked("train_batch")
    with pytest.raises(Conflict, match="--stream"):
        school.asked("reset")
