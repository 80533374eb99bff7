"""What every store promises of its windows: all that is counted, and that nothing counts twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.store.test_contract import (
    NOON,
    SCHEMA,
    a_model,
    a_prediction,
    a_verdict,
    bins,
    shipped,
)
from unrot.core import confidence, latency
from unrot.core.ports import Store
from unrot.core.records import (
    Errors,
    Feedback,
    Hour,
    Model,
    Oddity,
    Outcome,
    Prediction,
    Reason,
    Rejection,
    Schema,
    Shipment,
    Window,
)
from unrot.core.time import HOUR
from unrot.core.windows import total

MINUTE = int(NOON) // 60
NUMBERS = Model("weights", 0, "Weights", "", Schema(SCHEMA.features, "kg"), NOON)


def windows(store: Store, model: str = "elves", **span: float) -> list[Window]:
    return store.traffic.windows(model, **{"since": 0, "until": NOON + 86_400, **span})


def verdicts_of(store: Store, model: str = "elves") -> list[Window]:
    return [window for window in windows(store, model) if window.writer == "verdicts"]


def judged(store: Store, *verdicts: Feedback) -> Window:
    """Keep verdicts, count them and return what stands of them in all."""
    store.verdicts.put(verdicts)
    store.verdicts.count_new(100)
    return total(verdicts_of(store, verdicts[0].model))


def a_value(id: str, value: float, at: float = NOON) -> Prediction:
    return Prediction(id, "weights", "v1", at, [1.5], None, None, value, 0.001)


# ── what a shipper counts ────────────────────────────────────────────────────────────────────


def test_shipper_counts_how_long_and_how_sure_and_adds_to_its_own_row_alone(store: Store) -> None:
    slow = replace(a_prediction("p2"), seconds=3.0, probabilities=[0.5, 0.5])
    store.registry.add_model(a_model())
    shipped(store, a_prediction("p1"))
    store.traffic.ship(Shipment("s2", 0, 9, "you", [a_prediction("q")]))
    shipped(store, slow, start=100)

    mine, yours = windows(store)

    assert (mine.writer, mine.predictions, yours.writer, yours.predictions) == ("me", 2, "you", 1)
    assert [(at, count) for at, count in enumerate(mine.latency) if count] == [(7, 1), (17, 1)]
    assert [(at, count) for at, count in enumerate(mine.confidence) if count] == [(50, 1), (75, 1)]
    assert yours.latency == bins(latency.BINS, 7, 1)


def test_prediction_that_took_no_known_time_and_has_no_probability_is_only_counted(
    store: Store,
) -> None:
    store.registry.add_model(a_model())

    shipped(store, replace(a_prediction("p1"), seconds=0.0, probabilities=None))

    assert windows(store) == [Window(MINUTE, "elves", "v1", "me", predictions=1)]


def test_shipper_counts_oddities_and_what_was_looked_at_and_keeps_them(store: Store) -> None:
    oddity = Oddity("p1", "elves", "v1", NOON, 1.5, (Reason("height", 1.0),))
    store.registry.add_model(a_model())

    store.traffic.ship(
        Shipment(
            "s1",
            0,
            9,
            "me",
            [a_prediction("p1"), a_prediction("p2"), a_prediction("p3")],
            oddities=[oddity],
            looked_at={"p1", "p2"},
        )
    )

    [window] = windows(store)
    assert (window.predictions, window.looked_at, window.outliers) == (3, 2, 1)
    assert store.oddities.of("p1") == oddity


def test_rows_that_were_refused_are_counted_by_reason(store: Store) -> None:
    store.registry.add_model(a_model())
    first = Rejection("elves", "v1", NOON, {"missing": 2, "wrong_type": 1})

    store.traffic.ship(Shipment("s1", 0, 9, "me", rejections=[first]))
    again = [replace(first, reasons={"missing": 1}), replace(first, model="nobody")]
    store.traffic.ship(Shipment("s1", 9, 18, "me", rejections=again))

    assert windows(store) == [
        Window(MINUTE, "elves", "v1", "me", rejected={"missing": 3, "wrong_type": 1})
    ]


def test_nothing_of_a_removed_model_is_counted(store: Store) -> None:
    store.registry.add_model(a_model())
    removed = store.registry.remove_model("elves")
    while store.clear(removed, 100):
        pass

    refused = [Rejection("elves", "v1", NOON, {"missing": 2})]
    oddity = Oddity("p1", "elves", "v1", NOON, 1.5)
    store.traffic.ship(
        Shipment("s1", 0, 9, "me", [a_prediction("p1")], rejections=refused, oddities=[oddity])
    )

    assert store.holdings(removed.key).windows == 0
    assert store.oddities.of("p1") is None


# ── what verdicts come to ────────────────────────────────────────────────────────────────────


def test_confusion_takes_labels_and_thumbs_of_two_classes(store: Store) -> None:
    store.registry.add_model(a_model())
    shipped(store, *[a_prediction(f"p{number}") for number in range(4)])

    found = judged(
        store,
        a_verdict("p0"),
        a_verdict("p1", was_correct=False),
        a_verdict("p2", was_correct=None, label="orc"),
        a_verdict("p3", label="elf"),
    )

    assert found.confusion == {"elf": {"elf": 2, "orc": 2}}
    assert (found.verdicts, found.judged, found.correct) == (4, 4, 2)


def test_thumb_down_on_one_of_three_classes_tells_no_label(store: Store) -> None:
    three = replace(SCHEMA, classes=("elf", "orc", "ent"))
    store.registry.add_model(replace(a_model(), schema=three))
    shipped(store, a_prediction("p1"), a_prediction("p2"))

    found = judged(store, a_verdict("p1", was_correct=False), a_verdict("p2"))

    assert found.confusion == {"elf": {"elf": 1}}
    assert (found.judged, found.correct) == (2, 1)


def test_how_sure_right_and_wrong_answers_were_is_counted(store: Store) -> None:
    store.registry.add_model(a_model())
    sure = replace(a_prediction("p2"), probabilities=[1.0, 0.0])
    unsaid = replace(a_prediction("p3"), probabilities=None)
    shipped(store, a_prediction("p1"), sure, unsaid)

    found = judged(store, a_verdict("p1"), a_verdict("p2", was_correct=False), a_verdict("p3"))

    places = [(at, count) for at, count in enumerate(found.judged_confidence) if count]
    assert places == [(75, 1), (99, 1)]
    assert found.correct_confidence == bins(confidence.BINS, 75, 1)


def test_errors_of_numbers_add_up(store: Store) -> None:
    store.registry.add_model(NUMBERS)
    shipped(store, a_value("p1", 3.0), a_value("p2", 10.0), a_value("p3", 1.0))
    plain = Feedback("p1", "weights", NOON, NOON + 1)

    found = judged(
        store,
        replace(plain, label=5.0),
        replace(plain, prediction="p2", label=9.0),
        replace(plain, prediction="p3", was_correct=True),
    )

    assert found.errors == Errors(2, 3.0, 5.0, 14.0, 106.0)
    assert (found.verdicts, found.judged, found.correct) == (3, 0, 0)


def test_changed_and_withdrawn_verdicts_are_counted_anew_in_everything(store: Store) -> None:
    store.registry.add_model(a_model())
    shipped(store, a_prediction("p1"), a_prediction("p2"))
    judged(store, a_verdict("p1"), a_verdict("p2"))

    found = judged(
        store,
        a_verdict("p1", given_at=NOON + 2, was_correct=False),
        a_verdict("p2", given_at=NOON + 2, withdrawn=True),
    )

    assert (found.verdicts, found.judged, found.correct) == (1, 1, 0)
    assert found.confusion == {"elf": {"orc": 1}}
    assert found.judged_confidence == bins(confidence.BINS, 75, 1)
    assert sum(found.correct_confidence) == 0
    assert judged(store, a_verdict("p1", given_at=NOON + 3, withdrawn=True)) == Window(
        0, "", "", ""
    )


# ── what retention has rolled ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("minutes", [60, 1440])
def test_late_verdict_is_counted_in_the_bucket_that_its_minute_was_rolled_into(
    store: Store, minutes: int
) -> None:
    start = MINUTE // minutes * minutes
    store.registry.add_model(a_model())
    shipped(
        store,
        a_prediction("p1", at=start * 60.0),
        a_prediction("p2", at=start * 60.0 + 1800),
        a_prediction("p3", at=(start + minutes) * 60.0),
    )
    at = {"predicted_at": start * 60.0}
    judged(store, a_verdict("p1", **at), a_verdict("p3", predicted_at=(start + minutes) * 60.0))
    roll(store, start, minutes)

    judged(store, a_verdict("p2", predicted_at=start * 60.0 + 1800, was_correct=False))

    found = verdicts_of(store)
    assert [(one.minute, one.minutes, one.judged, one.correct) for one in found] == [
        (start, minutes, 2, 1),
        (start + minutes, 1, 1, 1),
    ]


def test_late_shipper_adds_to_a_rolled_hour_and_leaves_its_length(store: Store) -> None:
    start = MINUTE // 60 * 60
    store.registry.add_model(a_model())
    shipped(store, a_prediction("p1", at=start * 60.0))
    roll(store, start, 60)

    late = [a_prediction("p2", at=start * 60.0), a_prediction("p3", at=start * 60.0 + 60)]
    shipped(store, *late, start=100)

    assert [(one.minute, one.minutes, one.predictions) for one in windows(store)] == [
        (start, 60, 3)
    ]


def test_windows_of_a_stretch_are_those_that_hold_a_minute_of_it(store: Store) -> None:
    start = MINUTE // 60 * 60
    store.registry.add_model(a_model())
    times = [(start - 1) * 60.0, start * 60.0, (start + 60) * 60.0]
    shipped(store, *[a_prediction(f"p{number}", at=at) for number, at in enumerate(times)])
    roll(store, start, 60)

    middle = (start + 30) * 60.0
    found = windows(store, since=middle, until=middle + 60)

    assert [(one.minute, one.minutes) for one in found] == [(start, 60)]


def roll(store: Store, start: int, minutes: int) -> None:
    """Let retention make one window of each writer out of those of a bucket."""
    before = (start + minutes) * 60.0
    for length in (60, minutes):
        after: int | None = 0
        while after is not None:
            after = store.tidying.roll_windows(
                "elves", after=after, before=before, minutes=length, now=NOON
            )


# ── how judged predictions came out ──────────────────────────────────────────────────────────


@pytest.mark.every_store
def test_outcomes_are_the_newest_in_the_order_of_their_verdicts(store: Store) -> None:
    store.registry.add_model(a_model())
    shipped(store, *[a_prediction(f"p{number}") for number in range(4)])
    store.verdicts.put(
        [
            a_verdict("p0", given_at=NOON + 9, was_correct=False, judge="ada"),
            a_verdict("p1", given_at=NOON + 7),
            a_verdict("p2", given_at=NOON + 8, was_correct=None, label="orc"),
            a_verdict("p3", given_at=NOON + 10, withdrawn=True),
            a_verdict("early", given_at=NOON + 11),
        ]
    )

    found = store.traffic.outcomes("elves", limit=2)

    plain = Outcome("p2", "v1", NOON, NOON + 8, False, None, 0.75, "orc", "elf", subject="here")
    assert found == [plain, plain._replace(prediction="p0", given_at=NOON + 9, is_trusted=True)]
    assert [one.prediction for one in store.traffic.outcomes("elves", limit=9)] == [
        "p1",
        "p2",
        "p0",
    ]
    whole = store.traffic.last_judged("elves", limit=9)
    assert [one.prediction for one in whole] == [a_prediction(id) for id in ("p1", "p2", "p0")]
    assert [one.feedback.judge for one in whole if one.feedback] == [None, None, "ada"]


def test_outcomes_go_on_from_a_key_oldest_first(store: Store) -> None:
    store.registry.add_model(a_model())
    shipped(store, *[a_prediction(f"p{number}") for number in range(4)])
    store.verdicts.put([a_verdict(f"p{number}", given_at=NOON + number) for number in range(4)])

    first = store.traffic.outcomes("elves", limit=2, after=(0.0, 0.0, ""))
    key = first[-1].given_at, first[-1].predicted_at, first[-1].prediction
    rest = store.traffic.outcomes("elves", limit=9, after=key, with_inputs=True)

    assert [one.prediction for one in first] == ["p0", "p1"]
    assert [one.prediction for one in rest] == ["p2", "p3"]
    assert first[0].inputs == ()
    assert rest[0].inputs == tuple(a_prediction("p2").inputs)


def test_outcomes_of_some_versions_are_found_behind_those_of_others(store: Store) -> None:
    store.registry.add_model(a_model())
    versions = ["v1", "v2", "v1", "v2", "v2"]
    made = [
        replace(a_prediction(f"p{number}"), version=version)
        for number, version in enumerate(versions)
    ]
    shipped(store, *made)
    store.verdicts.put([a_verdict(f"p{number}", given_at=NOON + number) for number in range(5)])
    store.verdicts.count_new(10)

    def found(*names: str, limit: int) -> list[str]:
        return [
            one.prediction for one in store.traffic.outcomes("elves", limit=limit, versions=names)
        ]

    assert found("v1", limit=9) == ["p0", "p2"]
    assert found("v1", limit=1) == ["p2"]
    assert found("v1", "v2", limit=3) == ["p2", "p3", "p4"]
    store.verdicts.put([a_verdict("p2", given_at=NOON + 9, was_correct=False)])
    assert found("v1", limit=9) == ["p0", "p2"]
    store.verdicts.count_new(10)
    assert found("v1", limit=9) == ["p0", "p2"]


@pytest.mark.parametrize("after", [None, (0.0, 0.0, "")])
def test_outcomes_of_a_version_are_found_behind_uncounted_ones_of_others(
    store: Store, after: tuple[float, float, str] | None
) -> None:
    """Of v2 one verdict is counted and two are not, and those of v1 stand before and after it."""
    store.registry.add_model(a_model())
    versions = ["v2", "v1", "v1", "v2", "v1", "v1", "v2"]
    made = [
        replace(a_prediction(f"p{number}"), version=version)
        for number, version in enumerate(versions)
    ]
    shipped(store, *made)
    store.verdicts.put([a_verdict("p6", given_at=NOON + 6)])
    store.verdicts.count_new(10)
    store.verdicts.put([a_verdict(f"p{number}", given_at=NOON + number) for number in range(6)])

    found = store.traffic.outcomes("elves", limit=2, after=after, versions=("v2",))

    expected = ["p3", "p6"] if after is None else ["p0", "p3"]
    assert [one.prediction for one in found] == expected


def test_outcome_of_a_number_is_how_far_off_it_was(store: Store) -> None:
    store.registry.add_model(NUMBERS)
    shipped(store, a_value("p1", 3.0))
    store.verdicts.put([Feedback("p1", "weights", NOON, NOON + 1, label=5.0)])

    assert store.traffic.outcomes("weights", limit=9) == [
        Outcome("p1", "v1", NOON, NOON + 1, None, -2.0, None, 5.0)
    ]


# ── of all models at once ────────────────────────────────────────────────────────────────────


def test_predictions_of_models_are_counted_by_the_hour(store: Store) -> None:
    store.registry.add_model(a_model())
    shipped(
        store,
        a_prediction("a", at=NOON - 7_200),
        a_prediction("b"),
        a_prediction("c", at=NOON + 120),
        a_prediction("d", model="dwarfs"),
    )
    store.verdicts.put([a_verdict("b")])
    store.verdicts.count_new(100)

    of_all = store.traffic.hourly_predictions(NOON + 60)
    of_one = store.traffic.hourly_predictions(NOON + 60, "elves")

    hour = NOON // HOUR * HOUR
    assert of_one == [Hour(hour, "elves", "v1", 2)]
    assert sorted(of_all, key=lambda one: one.model) == [Hour(hour, "dwarfs", "v1", 1), *of_one]


def test_mark_of_an_hour_moves_with_each_prediction_and_verdict_on_it(store: Store) -> None:
    store.registry.add_model(a_model())
    shipped(store, a_prediction("a", at=NOON - 7_200), a_prediction("b"))

    marks = [store.traffic.marks_of_all(NOON)]
    store.verdicts.put([a_verdict("b")])
    store.verdicts.count_new(100)
    marks.append(store.traffic.marks_of_all(NOON))
    shipped(store, a_prediction("c", at=NOON + 1), segment="s2")
    marks.append(store.traffic.marks_of_all(NOON))

    assert marks[0] != marks[1] != marks[2]
    assert store.traffic.marks_of_all(NOON) == marks[-1]
    assert len(store.traffic.marks_of_all(NOON - 7_200)) == len(marks[-1]) + 1
