"""A version learns further: as plain scikit-learn does, and again the same from what is stored."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import SGDClassifier, SGDOneClassSVM
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from tests.make.estimators import LEARNERS, ROWS, words
from tests.make.tables import BINARY, FIVE, NUMBER, as_rows, mixed_dataset, numbers_dataset
from tests.make.versions import (
    Kept,
    added,
    candidate_of,
    ignore,
    learner,
    parameters,
    trained,
)
from tests.skips import needs
from unrot.core.dataset import Dataset
from unrot.core.encoding import Encoder
from unrot.core.errors import Conflict
from unrot.core.records import Example, Lesson, Row
from unrot.make import artefacts
from unrot.make import stream as streaming
from unrot.make.online import can_learn_online
from unrot.make.train import train
from unrot.make.trainer import EstimatorTrainer
from unrot.serve.predictor import check_golden

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")


def example(row: Row, label: Any, weight: float = 1.0) -> Example:
    return Example("p", list(row), label, weight, True, "judge", 0.0, 0.0)


def examples(rows: Sequence[Row], labels: Sequence[Any]) -> tuple[Example, ...]:
    """Make examples of which every third is an anonymous thumb up."""
    return tuple(
        example(row, label, 0.2 if number % 3 == 0 else 1.0)
        for number, (row, label) in enumerate(zip(rows, labels, strict=True))
    )


def lesson_for(kept: Kept) -> Lesson:
    """Return a lesson of rows of the holdout, weighted, mixed with replayed ones, and one alone."""
    rows, labels = EstimatorTrainer().unpack(kept.of("holdout"), kept.schema, 60)
    replayed = kept.open().replayed(25, seed=5)
    mixed = (*range(25), *(~number for number in range(25)))
    batches = (mixed, (30,), tuple(range(40, 60)))
    return Lesson("learn", 3, examples(rows, labels), batches, replayed)


def one_at_a_time(rows: Sequence[Row], labels: Sequence[Any]) -> Lesson:
    given = tuple(example(row, label) for row, label in zip(rows, labels, strict=True))
    return Lesson("learn", 0, given, tuple((place,) for place in range(len(given))))


def refit_of(examples: tuple[Example, ...], weight: float) -> Lesson:
    return Lesson("refit", 3, examples, training_weight=weight)


def holdout_of(dataset: Dataset, count: int) -> tuple[list[Row], list[Any]]:
    rows = Encoder(dataset.schema).decode(dataset.holdout_rows[:count])
    return rows, dataset.holdout_labels[:count].tolist()


# ── learn ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", LEARNERS)
def test_owners_estimator_learns_and_learns_the_same_again_from_what_is_stored(name: str) -> None:
    has_pandas = importlib.util.find_spec("pandas") is not None
    needs("pandas", has_pandas or "mixed" not in name, "pip install -r requirements-dev.txt")
    kept = learner(name)
    parent, lesson = kept.open(), lesson_for(kept)
    before = parameters(parent.estimator)

    learnt = parent.learn(lesson, ignore)
    candidate = candidate_of(learnt, kept.of("holdout"))
    child = Kept(candidate, kept.schema, kept)

    again = kept.open().learn(lesson, ignore)
    assert parent.can_learn
    assert parameters(parent.estimator) == before != parameters(learnt.estimator)
    assert parameters(again.estimator) == parameters(learnt.estimator)
    assert parameters(child.open().estimator) == parameters(learnt.estimator)
    assert parameters(child.open().learn(lesson, ignore).estimator) == parameters(
        learnt.learn(lesson, ignore).estimator
    )
    assert (candidate.parent, candidate.origin, candidate.made) == ("v1", "learn", {"seed": 1})
    assert set(candidate.artefacts) - {"onnx"} == {"skops", "golden", "explainer"}
    assert candidate.form == kept.version.serving.form
    served = EstimatorTrainer().predictor(candidate, kept.schema)
    assert check_golden(served, candidate.artefacts["golden"]) <= 1e-4


@pytest.mark.parametrize(
    ("make", "classes"),
    [(numbers_dataset, BINARY), (mixed_dataset, FIVE), (mixed_dataset, NUMBER)],
    ids=["numbers-two", "mixed-five", "mixed-number"],
)
@pytest.mark.parametrize("name", ["mlp", "sgd"])
def test_our_estimator_learns_and_answers_the_same_again_from_what_is_stored(
    name: str, classes: tuple[str, ...], make: Any
) -> None:
    dataset, kept = make(classes), trained(name, classes, make)
    lesson = lesson_for(kept)

    learnt = kept.open().learn(lesson, ignore)
    again = kept.open().learn(lesson, ignore)

    first, second = (candidate_of(one, kept.of("holdout")) for one in (learnt, again))
    child = Kept(first, kept.schema, kept).open()
    assert parameters(learnt.estimator) == parameters(again.estimator)
    assert parameters(child.estimator) == parameters(learnt.estimator)
    assert first.artefacts["golden"] == second.artefacts["golden"]
    assert first.reference_outputs == second.reference_outputs
    assert first.metrics == second.metrics
    assert first.metrics["rows_trained"] == len(dataset.rows) + 71
    assert first.served_by == "onnx"
    assert first.estimator == name


@pytest.mark.parametrize("classes", [BINARY, FIVE], ids=["two", "five"])
@pytest.mark.parametrize("kind", [MLPClassifier, SGDClassifier])
def test_rows_one_at_a_time_are_what_plain_partial_fit_makes_of_them(
    kind: Any, classes: tuple[str, ...]
) -> None:
    dataset = numbers_dataset(classes)
    kept = trained("mlp" if kind is MLPClassifier else "sgd", classes)
    rows, labels = holdout_of(dataset, 40)

    learnt = kept.open().learn(one_at_a_time(rows, labels), ignore)

    hand = artefacts.load(kept.of("skops"))
    for row, label in zip(rows, labels, strict=True):
        hand[-1].partial_fit(hand[0].transform([row]), [label], classes=classes)
    assert type(hand[-1]) is kind
    assert np.array_equal(
        learnt.estimator.predict_proba(dataset.rows), hand.predict_proba(dataset.rows)
    )
    assert parameters(learnt.estimator[0]) == parameters(hand[0])


def test_owners_mixed_pipeline_learns_as_by_hand() -> None:
    needs("pandas", bool(importlib.util.find_spec("pandas")), "pip install -r requirements-dev.txt")
    kept = learner("mixed network")
    rows, labels = EstimatorTrainer().unpack(kept.of("holdout"), kept.schema, 5)

    learnt = kept.open().learn(one_at_a_time(rows, labels), ignore)

    parent = kept.open()
    hand = parent.estimator
    for row, label in zip(rows, labels, strict=True):
        table = parent.fitted.inputs([row])
        hand[-1].partial_fit(hand[:-1].transform(table), [label])
    assert [coefs.tolist() for coefs in learnt.estimator[-1].coefs_] == [
        coefs.tolist() for coefs in hand[-1].coefs_
    ]


def test_weights_are_passed_where_not_all_are_one() -> None:
    dataset = numbers_dataset(BINARY)
    kept = trained("sgd", BINARY)
    rows, labels = holdout_of(dataset, 20)
    batch = Lesson("learn", 0, examples(rows, labels), (tuple(range(20)),))

    learnt = kept.open().learn(batch, ignore)

    hand = artefacts.load(kept.of("skops"))
    weights = [0.2 if number % 3 == 0 else 1.0 for number in range(20)]
    hand[-1].partial_fit(hand[0].transform(rows), labels, sample_weight=weights)
    assert np.array_equal(learnt.estimator[-1].coef_, hand[-1].coef_)


def test_where_no_weights_are_taken_light_rows_are_there_as_often_as_they_weigh() -> None:
    kept = learner("passive aggressive")
    rows, labels = EstimatorTrainer().unpack(kept.of("holdout"), kept.schema, 50)
    light = tuple(example(row, label, 0.2) for row, label in zip(rows, labels, strict=True))

    def learnt(given: tuple[Example, ...], seed: int) -> list[Any]:
        lesson = Lesson("learn", seed, given, (tuple(range(len(given))),))
        return parameters(kept.open().learn(lesson, ignore).estimator)

    chosen = np.flatnonzero(np.random.default_rng(4).random(50) < 0.2)
    whole = tuple(replace(light[place], weight=1.0) for place in chosen)
    assert 0 < len(whole) < 25
    assert learnt(light, 4) == learnt(whole, 4) != learnt(light, 5)


def test_network_keeps_its_last_loss_only() -> None:
    dataset = numbers_dataset(BINARY)
    kept = trained("mlp", BINARY)

    learnt = kept.open().learn(one_at_a_time(*holdout_of(dataset, 10)), ignore)

    assert learnt.estimator[-1].loss_curve_ == [learnt.estimator[-1].loss_]


def test_gap_goes_through_the_imputer_and_where_there_is_none_is_refused() -> None:
    gappy, plain = trained("sgd", BINARY, mixed_dataset), trained("sgd", BINARY)
    row: list[Any] = [None, "Rome", 3, None, "small", 0.5]

    learnt = gappy.open().learn(one_at_a_time([row], ["maybe"]), ignore)

    assert parameters(learnt.estimator) != parameters(gappy.open().estimator)
    with pytest.raises(Conflict, match=r"does not take these rows \(ValueError: Input X contains"):
        plain.open().learn(one_at_a_time([[None, 0.0, 0.0]], ["maybe"]), ignore)


def test_class_that_it_never_met_is_refused_online_and_learnt_by_a_fresh_fit() -> None:
    dataset = numbers_dataset(FIVE)
    known = dataset.labels != "a"
    part = replace(dataset, rows=dataset.rows[known], labels=dataset.labels[known])
    kept = Kept(train(part, "sgd", ignore), part.schema)
    rows, labels = holdout_of(dataset, 60)

    with pytest.raises(Conflict) as caught:
        kept.open().learn(one_at_a_time(rows, labels), ignore)
    fitted = kept.open().refit(refit_of(examples(rows, labels), 1.0), ignore)

    assert caught.value.message == (
        "v1 was fitted without the class a and cannot come to know it row by row: refit it."
    )
    assert fitted.estimator.classes_.tolist() == sorted(FIVE)
    assert set(candidate_of(fitted, kept.of("holdout")).metrics) >= {"recall:a", "log_loss"}


def test_estimator_without_partial_fit_says_so() -> None:
    trainable = trained("tree", BINARY).open()

    assert not trainable.can_learn
    for learn in (
        lambda: trainable.learn(Lesson("learn", 0), ignore),
        lambda: trainable.feed(0, 0, ignore),
        trainable.untrained,
    ):
        with pytest.raises(Conflict, match=r"^tree cannot go on learning, it can only be fitted"):
            learn()


@pytest.mark.parametrize(
    "learner",
    [
        MLPClassifier(solver="lbfgs"),
        MLPClassifier(early_stopping=True),
        SGDClassifier(early_stopping=True),
        SGDClassifier(class_weight="balanced"),
        SGDOneClassSVM(),
    ],
)
def test_estimator_whose_partial_fit_would_refuse_cannot_learn(learner: Any) -> None:
    assert not can_learn_online(learner)


def test_outlier_detector_is_not_taught() -> None:
    kept = added("outliers", {"outliers": (lambda: IsolationForest(n_estimators=5), outlying)})

    assert not kept.open().can_learn
    with pytest.raises(Conflict, match="learns without labels"):
        kept.open().refit(refit_of((), 1.0), ignore)


def outlying() -> Any:
    X, _ = words()
    return X, np.ones(len(X), dtype=int)


def test_learning_that_runs_away_is_kept_from_becoming_a_version() -> None:
    far = Lesson("learn", 0, [example([1e300, 0.0, 0.0, 0.0], 1.0)], ((0,),))

    with pytest.raises(Conflict, match=r"^The estimator does not take these rows \(ValueError: Fl"):
        learner("sgd regression").open().learn(far, ignore)
    with pytest.raises(Conflict, match=r"^After this it does not answer its own training rows"):
        candidate_of(learner("gaussian bayes").open().untrained())  # one row has no spread


# ── streams ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("classes", [FIVE, NUMBER], ids=["classes", "number"])
@pytest.mark.parametrize("name", ["mlp", "sgd"])
def test_stream_is_fed_on_and_begins_anew(name: str, classes: tuple[str, ...]) -> None:
    dataset = numbers_dataset(classes)
    kept = Kept(streaming.start(dataset, name, ignore), dataset.schema)
    stream, begun = streaming.stream_of(dataset), kept.open()

    fed = begun.feed(100, 125, ignore)
    anew = begun.untrained()

    again = kept.open().feed(100, 110, ignore)
    child = Kept(candidate_of(again), dataset.schema, kept).open().feed(110, 125, ignore)
    seen = len(classes) or 1
    back = anew.feed(seen, 100, ignore)
    assert begun.stream_rows == len(stream.rows) == 300
    assert parameters(child.estimator) == parameters(fed.estimator)
    assert parameters(back.estimator) == parameters(begun.estimator)
    assert (fed.rows_trained, anew.rows_trained, back.rows_trained) == (125.0, seen, 100.0)
    assert candidate_of(anew, kept.of("holdout")).metrics["rows_trained"] == seen
    with pytest.raises(Conflict, match=r"^The stream of v1 has 300 rows: 300 to 301 cannot be fed"):
        begun.feed(300, 301, ignore)


def test_fed_rows_are_those_of_the_stream_one_by_one() -> None:
    dataset = numbers_dataset(BINARY)
    kept = Kept(streaming.start(dataset, "mlp", ignore), dataset.schema)

    fed = kept.open().feed(100, 300, ignore)

    stream, hand = streaming.stream_of(dataset), None
    scaler = StandardScaler().fit(stream.rows[:100])
    hand = clone(fed.estimator[-1])
    for row, label in zip(stream.rows, stream.labels, strict=True):
        hand.partial_fit(scaler.transform([row]), [label], classes=BINARY)
    seen = scaler.transform(dataset.holdout_rows)
    assert np.array_equal(
        fed.estimator.predict_proba(dataset.holdout_rows), hand.predict_proba(seen)
    )


def test_version_without_a_stream_has_none() -> None:
    assert trained("sgd", BINARY).open().stream_rows == 0


# ── refit ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "classes"), [("mlp", BINARY), ("sgd", NUMBER), ("tree", BINARY), ("hgb", NUMBER)]
)
def test_refit_is_the_same_again_and_other_than_without_weights(
    name: str, classes: tuple[str, ...]
) -> None:
    dataset = mixed_dataset(classes)
    kept = trained(name, classes, mixed_dataset)
    given = examples(*holdout_of(dataset, 60))

    weighted, again, whole = (
        kept.open().refit(refit_of(given, weight), ignore) for weight in (0.3, 0.3, 1.0)
    )

    candidate = candidate_of(weighted, kept.of("holdout"), "refit")
    assert parameters(weighted.estimator) == parameters(again.estimator)
    assert parameters(weighted.estimator) != parameters(whole.estimator)
    assert candidate.served_by == "onnx"
    assert candidate.metrics["rows_trained"] == len(dataset.rows) + 60
    assert candidate.reference_outputs == candidate_of(again, origin="refit").reference_outputs


@pytest.mark.parametrize("name", ["mlp", "sgd", "tree"])
def test_refit_on_the_training_rows_alone_is_the_training_again(name: str) -> None:
    kept = trained(name, FIVE)

    fitted = kept.open().refit(refit_of((), 1.0), ignore)

    assert parameters(fitted.estimator) == parameters(kept.open().estimator)


def test_refit_on_verdicts_alone_fits_all_of_it_on_them() -> None:
    dataset = numbers_dataset(BINARY)
    kept = trained("sgd", BINARY)
    rows, labels = holdout_of(dataset, 50)
    given = tuple(example(row, label) for row, label in zip(rows, labels, strict=True))

    fitted = kept.open().refit(refit_of(given, 0.0), ignore)

    hand = clone(kept.open().estimator).fit(np.array(rows), labels)
    assert parameters(fitted.estimator) == parameters(hand)
    assert candidate_of(fitted, kept.of("holdout")).reference_rows == rows


def test_old_rows_that_weigh_less_have_less_of_a_say() -> None:
    dataset = numbers_dataset(BINARY)
    kept = trained("tree", BINARY)
    rows, labels = holdout_of(dataset, 100)
    turned = tuple(
        example(row, BINARY[label == BINARY[0]]) for row, label in zip(rows, labels, strict=True)
    )

    agreed = [
        np.mean(
            np.array(BINARY)[list(fitted.predict(rows).classes or ())]
            == [one.label for one in turned]
        )
        for fitted in (
            kept.open().refit(refit_of(turned, weight), ignore) for weight in (1.0, 0.05, 0.0)
        )
    ]

    assert agreed[0] < min(agreed[1:])


def test_owners_neighbours_take_no_weights_and_are_refitted_on_rows_drawn_by_weight() -> None:
    from sklearn.neighbors import KNeighborsClassifier

    kept = added("neighbours", {"neighbours": (KNeighborsClassifier, words)})
    rows, labels = EstimatorTrainer().unpack(kept.of("holdout"), kept.schema, 60)

    fitted = [kept.open().refit(refit_of(examples(rows, labels), 0.5), ignore) for _ in range(2)]

    assert parameters(fitted[0].estimator) == parameters(fitted[1].estimator)
    count = fitted[0].estimator.n_samples_fit_
    assert 0.4 * ROWS < count < 0.6 * ROWS + 60
    assert fitted[0].rows_trained == count


def test_refit_that_cannot_be_is_refused_with_a_sentence() -> None:
    ours, owners = trained("logistic", FIVE).open(), learner("sgd").open()
    alike = tuple(example([0.0, 1.0, float(place)], "b") for place in range(5))
    two = tuple(example([0.0, 1.0, float(n), 0.0], ["pear", "fig"][n % 2]) for n in range(6))

    refusals = []
    for trainable, given in ((ours, alike), (ours, ()), (owners, two)):
        with pytest.raises(Conflict) as caught:
            trainable.refit(refit_of(given, 0.0), ignore)
        refusals.append(caught.value.message)

    assert refusals == [
        "All 5 rows are b: nothing can be told apart from them.",
        "There is no row to fit on: none is left that weighs anything.",
        "None of the 6 rows is apple: SGDClassifier has to see a row of each class.",
    ]


def test_refit_tells_the_epochs_of_a_network() -> None:
    told: list[str] = []

    trained("mlp", BINARY).open().refit(refit_of((), 1.0), lambda _share, step: told.append(step))

    assert told[0] == "fitting mlp on 300 rows"
    assert told[1].startswith("epoch 1, loss ")


# ── what it was trained on ───────────────────────────────────────────────────────────────────


def test_replayed_rows_are_drawn_from_the_training_rows() -> None:
    dataset = mixed_dataset(FIVE)
    trainable = trained("sgd", FIVE, mixed_dataset).open()
    rows = Encoder(dataset.schema).decode(dataset.rows)

    drawn, again, many = (trainable.replayed(count, 7) for count in (300, 300, 301))

    known = [(row, label) for row, label in zip(rows, dataset.labels.tolist(), strict=True)]
    assert drawn == again
    assert sorted(drawn, key=str) == sorted(known, key=str)
    assert len(many) == 301
    assert all(one in known for one in many)


def test_ranges_are_those_of_numbers_in_the_training_rows() -> None:
    dataset = mixed_dataset(FIVE)

    ranges = trained("sgd", FIVE, mixed_dataset).open().ranges()

    width, depth = dataset.rows[:, 0], dataset.rows[:, 5]
    assert ranges == [
        (np.nanmin(width), np.nanmax(width)),
        None,
        (0.0, 9.0),
        None,
        None,
        (depth.min(), depth.max()),
    ]


def test_apprentice_answers_as_what_is_served() -> None:
    dataset = numbers_dataset(FIVE)
    kept = trained("mlp", FIVE)
    rows = as_rows(dataset.holdout_rows)

    answers = kept.open().predict(rows)

    served = EstimatorTrainer().predictor(train(dataset, "mlp", ignore), dataset.schema)
    assert answers.classes == served.predict(rows).classes
    assert candidate_of(kept.open(), b"").metrics == {"rows_trained": 300.0}
