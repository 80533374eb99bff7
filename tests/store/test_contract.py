"""What every store promises; each backend is one more parameter of the `store` fixture."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from unrot.core import confidence, latency
from unrot.core.errors import BadArtefact, Conflict, NotFound
from unrot.core.ids import Ids
from unrot.core.ports import Store
from unrot.core.records import (
    Audit,
    Fate,
    Feature,
    Feedback,
    GateVerdict,
    Holdings,
    Job,
    Model,
    Prediction,
    Profile,
    RemovedModel,
    Schema,
    Serving,
    Shadow,
    Shipment,
    Stretch,
    UnverifiedFeedback,
    Version,
    Window,
)

LATER = 4e9
NOON = 1_700_000_040.0  # the 0th second of a minute: divisible by 60
SCHEMA = Schema((Feature("height", "number", 0.0, 9.0),), "kind", ("elf", "orc"))


def a_model(name: str = "elves") -> Model:
    return Model(name, 0, "Elves", "Tells elves from orcs.", SCHEMA, NOON)


def a_version(model: str = "elves") -> Version:
    return Version(
        model=model,
        name="",
        parent=None,
        origin="trained",
        estimator="tree",
        created_at=NOON,
        metrics={"accuracy": 0.875},
        artefacts={"onnx": DIGEST},
        schema_hash="abc",
        libraries={"numpy": "2.4.6"},
        serving=Serving("onnx", DIGEST, 1e-16, 500),
    )


DATA = b"a graph"
DIGEST = hashlib.sha256(DATA).hexdigest()


def a_prediction(
    id: str, *, at: float = NOON, label: str = "elf", model: str = "elves"
) -> Prediction:
    return Prediction(id, model, "v1", at, [1.5], label, [0.75, 0.25], None, 0.001)


def a_verdict(id: str, **more: object) -> Feedback:
    plain = Feedback(id, "elves", NOON, NOON + 1, was_correct=True, subject="here")
    return replace(plain, **more)


def shipped(store: Store, *predictions: Prediction, segment: str = "s1", start: int = 0) -> int:
    return store.traffic.ship(Shipment(segment, start, start + 100, "me", predictions))


def bins(many: int, place: int, count: int) -> tuple[int, ...]:
    """Return a histogram with all in one bin."""
    return tuple(count if number == place else 0 for number in range(many))


def counted(minute: int, predictions: int) -> Window:
    """Return the window of so many of `a_prediction` in one minute."""
    return Window(
        minute,
        "elves",
        "v1",
        "me",
        predictions=predictions,
        latency=bins(latency.BINS, 7, predictions),
        confidence=bins(confidence.BINS, 75, predictions),
    )


def in_use(store: Store, name: str = "elves", artefact: bytes = DATA) -> Model:
    """Add a model with a version, two predictions, a verdict of each kind and a profile."""
    digest = hashlib.sha256(artefact).hexdigest()
    model = store.registry.add_model(a_model(name))
    version = replace(
        a_version(name), artefacts={"onnx": digest}, serving=Serving("onnx", digest, 0.0, 1)
    )
    version = store.registry.add_version(version, {digest: artefact})
    store.registry.move_alias(name, "champion", to="v1", expected=None)
    first, second = f"{name}-1", f"{name}-2"
    rows = (a_prediction(first, model=name), a_prediction(second, model=name))
    shipped(store, *rows, segment=f"of {name}")
    store.verdicts.put([a_verdict(first, model=name, judge="ada")])
    store.verdicts.put([a_verdict(first, model=name, was_correct=False)])
    older = UnverifiedFeedback(f"older-{name}", name, [1], "elf", True, NOON)
    store.verdicts.put_unverified([older])
    store.verdicts.count_new(10)
    store.profiles.put(Profile(f"{name}.p", name, "v1", "me", NOON, NOON + 60, 2, b"p"))
    store.jobs.add(Job(f"job of {name}", name, "learn", {}, NOON))
    passed = GateVerdict("passed", "It is as good.", "v1", NOON)
    store.lessons.weigh(version, passed, None, job=None, result={}, champion="v1", promote=False)
    store.lessons.decide(name, "v1", [Fate(second, "held out", NOON)])
    store.trials.add_audit(Audit(f"audit of {name}", name, NOON, (first,)))
    store.trials.add_shadows([Shadow(first, name, "v1", NOON, "elf", None)])
    return model


def id_of(number: int, row: int = 0) -> str:
    """Return an id as the app gives them out, which tells the number of its model."""
    return Ids(b"key").make(at=NOON, segment=b"12345", row=row, model_number=number, class_index=0)


def emptied(store: Store, removed: RemovedModel, most: int = 2) -> list[int]:
    """Clear a removed model to the end; return how many rows went each time."""
    bites = []
    while bite := store.clear(removed, most):
        bites.append(bite)
    return bites


# ── registry ─────────────────────────────────────────────────────────────────────────────────


def test_model_added_twice_keeps_its_number(store: Store) -> None:
    first = store.registry.add_model(a_model())
    again = store.registry.add_model(replace(a_model(), title="Other"))
    second = store.registry.add_model(a_model("dwarves"))

    assert (first.number, again, second.number) == (1, first, 2)
    assert store.registry.models() == [first, second]


def test_versions_are_named_in_order_and_read_back_whole(store: Store) -> None:
    first = store.registry.add_version(a_version(), {})
    second = store.registry.add_version(replace(a_version(), parent="v1"), {})
    store.registry.add_version(a_version("dwarves"), {})

    assert store.registry.versions("elves") == [
        replace(a_version(), name="v1"),
        replace(a_version(), name="v2", parent="v1"),
    ]
    assert (first.name, second.name) == ("v1", "v2")


@pytest.mark.every_store
def test_versions_added_at_once_never_share_a_name(open_store: Callable[[], Store]) -> None:
    stores = [open_store() for _ in range(4)]
    names: list[str] = []

    def add(store: Store) -> None:
        for _ in range(5):
            names.append(store.registry.add_version(a_version(), {}).name)

    threads = [threading.Thread(target=add, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(names, key=lambda name: int(name[1:])) == [f"v{n}" for n in range(1, 21)]


def test_artefact_is_returned_and_checked_against_its_digest(store: Store) -> None:
    store.registry.add_version(a_version(), {DIGEST: DATA, "0" * 64: b"not what it says"})

    assert store.registry.artefact(DIGEST) == DATA
    with pytest.raises(BadArtefact, match="not what was written"):
        store.registry.artefact("0" * 64)
    with pytest.raises(NotFound):
        store.registry.artefact("1" * 64)


def test_alias_moves_only_from_where_it_is_expected(store: Store) -> None:
    registry = store.registry

    moves = [
        registry.move_alias("elves", "champion", to="v1", expected=None),
        registry.move_alias("elves", "champion", to="v2", expected=None),
        registry.move_alias("elves", "champion", to="v2", expected="v1"),
        registry.move_alias("dwarves", "champion", to="v9", expected="v2"),
    ]

    assert moves == [True, False, True, False]
    assert registry.aliases("elves") == {"champion": "v2"}
    assert registry.aliases("dwarves") == {}


@pytest.mark.every_store
def test_generation_changes_with_every_change_and_only_then(
    store: Store, open_store: Callable[[], Store]
) -> None:
    seen = [store.registry.generation()]
    store.registry.add_model(a_model())
    seen.append(store.registry.generation())
    store.registry.add_version(a_version(), {})
    seen.append(store.registry.generation())
    store.registry.move_alias("elves", "champion", to="v1", expected=None)
    seen.append(store.registry.generation())

    store.registry.move_alias("elves", "champion", to="v1", expected=None)
    store.registry.add_model(a_model())
    shipped(store, a_prediction("p1"))

    assert len(set(seen)) == 4
    assert open_store().registry.generation() == seen[-1]


# ── traffic ──────────────────────────────────────────────────────────────────────────────────


def test_shipment_is_taken_once(store: Store) -> None:
    first = shipped(store, a_prediction("p1"), a_prediction("p2"))
    again = shipped(store, a_prediction("p1"), a_prediction("p2"))
    following = shipped(store, a_prediction("p3"), start=100)

    assert (first, again, following) == (100, 100, 200)
    assert store.traffic.shipped_to("s1") == 200
    assert [row.prediction.id for row in store.traffic.recent("elves", limit=9)] == [
        "p3",
        "p2",
        "p1",
    ]
    assert store.traffic.windows("elves", since=0, until=NOON + 60) == [counted(int(NOON) // 60, 3)]


def test_windows_until_now_hold_the_minute_that_has_just_begun(store: Store) -> None:
    shipped(store, a_prediction("p1"))

    kept = store.traffic.windows("elves", since=NOON - 60, until=NOON + 0.2)

    assert kept == [counted(int(NOON) // 60, 1)]


def test_shipment_with_a_gap_is_not_taken(store: Store) -> None:
    offset = shipped(store, a_prediction("p1"), start=50)

    assert offset == 0
    assert store.traffic.recent("elves", limit=9) == []


@pytest.mark.every_store
def test_shipments_by_two_shippers_of_one_segment_count_once(
    open_store: Callable[[], Store],
) -> None:
    stores = [open_store() for _ in range(4)]
    rows = [a_prediction(f"p{number}") for number in range(50)]
    barrier = threading.Barrier(4)

    def ship(store: Store) -> None:
        barrier.wait()
        shipped(store, *rows)

    threads = [threading.Thread(target=ship, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    windows = stores[0].traffic.windows("elves", since=0, until=NOON + 60)
    assert [window.predictions for window in windows] == [50]


def test_prediction_is_read_back_as_it_was_made(store: Store) -> None:
    made = replace(a_prediction("p1"), inputs=[1.5, None, "grün", True])
    shipped(store, made)

    kept = store.traffic.prediction("p1")

    assert kept is not None
    assert (kept.prediction, kept.feedback) == (made, None)
    assert store.traffic.prediction("p2") is None


@pytest.mark.every_store
def test_segment_forgotten_starts_anew(store: Store) -> None:
    shipped(store, a_prediction("p1"))

    store.traffic.forget_segment("s1")

    assert store.traffic.shipped_to("s1") == 0


def test_recent_pages_do_not_repeat_or_skip(store: Store) -> None:
    rows = [a_prediction(f"p{number}", at=NOON + number // 3) for number in range(10)]
    shipped(store, *rows, a_prediction("other", model="dwarves"))
    seen: list[str | None] = []
    before = None

    while page := store.traffic.recent("elves", limit=4, before=before):
        seen += [row.prediction.id for row in page]
        last = page[-1].prediction
        before = (last.predicted_at, last.id or "")

    assert seen == [f"p{number}" for number in (9, 8, 7, 6, 5, 4, 3, 2, 1, 0)]


def test_shipped_rows_are_counted_and_read_by_stretch(store: Store) -> None:
    rows = [a_prediction(f"p{number}", at=NOON + 20 * number) for number in range(5)]
    shipped(store, *rows)
    store.traffic.ship(Shipment("s2", 0, 1, "somebody else", [a_prediction("q1")]))
    minute = Stretch("elves", "v1", int(NOON), int(NOON) + 60)

    counted = store.traffic.shipped("me", NOON, 60)
    first = store.traffic.of_stretch(minute, "me", after=None, limit=2)
    rest = store.traffic.of_stretch(minute, "me", after=(NOON + 20, "p1"), limit=9)

    assert counted == [
        (minute, 3),
        (replace(minute, starts_at=int(NOON) + 60, ends_at=int(NOON) + 120), 2),
    ]
    assert [row.id for row in first] == ["p0", "p1"]
    assert [row.id for row in rest] == ["p2"]


# ── verdicts ─────────────────────────────────────────────────────────────────────────────────


def test_verdict_is_created_then_duplicate_then_revised(store: Store) -> None:
    said = [
        store.verdicts.put([a_verdict("p1")]),
        store.verdicts.put([a_verdict("p1", given_at=NOON + 2)]),
        store.verdicts.put([a_verdict("p1", given_at=NOON + 3, was_correct=False, label="orc")]),
    ]

    kept = store.verdicts.of("p1")

    assert said == [["created"], ["duplicate"], ["revised"]]
    assert kept == a_verdict("p1", given_at=NOON + 3, was_correct=False, label="orc")


def test_verdict_that_arrives_late_does_not_replace_a_newer_one(store: Store) -> None:
    store.verdicts.put([a_verdict("p1", given_at=NOON + 9, was_correct=False)])

    store.verdicts.put([a_verdict("p1", given_at=NOON + 1, was_correct=True)])

    kept = store.verdicts.of("p1")
    assert kept is not None
    assert kept.was_correct is False


def test_verdict_of_a_judge_is_never_replaced_by_an_untrusted_one(store: Store) -> None:
    said = [
        store.verdicts.put([a_verdict("p1", was_correct=False)]),
        store.verdicts.put([a_verdict("p1", was_correct=False, judge="ada")]),
        store.verdicts.put([a_verdict("p1", given_at=NOON + 9)]),
        store.verdicts.put([a_verdict("p1", given_at=NOON + 10, withdrawn=True)]),
    ]

    kept = store.verdicts.of("p1")

    assert said == [["created"], ["revised"], ["overruled"], ["overruled"]]
    assert kept == a_verdict("p1", was_correct=False, judge="ada")


def test_verdict_withdrawn_can_be_given_again(store: Store) -> None:
    said = [
        store.verdicts.put([a_verdict("p1", withdrawn=True, was_correct=None)]),
        store.verdicts.put([a_verdict("p1", given_at=NOON + 2)]),
        store.verdicts.put([a_verdict("p1", given_at=NOON + 3, withdrawn=True, was_correct=None)]),
        store.verdicts.put([a_verdict("p1", given_at=NOON + 4, withdrawn=True, was_correct=None)]),
        store.verdicts.put([a_verdict("p1", given_at=NOON + 5)]),
    ]

    assert said == [["missing"], ["created"], ["withdrawn"], ["missing"], ["created"]]


def test_verdict_queued_before_it_was_withdrawn_stays_withdrawn(store: Store) -> None:
    store.verdicts.put([a_verdict("p1", given_at=NOON + 5, withdrawn=True, was_correct=None)])

    store.verdicts.put([a_verdict("p1", given_at=NOON + 1)])

    kept = store.verdicts.of("p1")
    assert kept is not None
    assert kept.withdrawn


def test_verdicts_are_kept_all_or_none(store: Store) -> None:
    broken = replace(a_verdict("p2"), label=object())

    with pytest.raises(TypeError):
        store.verdicts.put([a_verdict("p1"), broken])

    assert store.verdicts.of("p1") is None


def test_verdict_on_a_number_is_read_back_as_a_number(store: Store) -> None:
    store.verdicts.put([a_verdict("p1", was_correct=None, label=12.5)])

    kept = store.verdicts.of("p1")

    assert kept is not None
    assert kept.label == 12.5


def test_verdicts_travel_in_shipments(store: Store) -> None:
    unverified = UnverifiedFeedback("u1", "elves", {"height": 1}, "elf", True, NOON, "here")

    store.traffic.ship(
        Shipment("s1", 0, 10, "me", [a_prediction("p1")], [a_verdict("p1")], [unverified])
    )

    row = store.traffic.recent("elves", limit=1)[0]
    assert row.feedback == a_verdict("p1")
    assert store.traffic.tally("elves", since=0, last=50).unverified == 1


def test_verdict_is_joined_to_its_own_prediction_of_those_that_come_with_it(store: Store) -> None:
    made = [a_prediction("p1", at=NOON + 60), a_prediction("p2"), a_prediction("p3")]

    store.traffic.ship(Shipment("s1", 0, 10, "me", made, [a_verdict("p2"), a_verdict("p9")]))

    assert [store.traffic.prediction(id).feedback for id in ("p1", "p2", "p3")] == [  # type: ignore[union-attr]
        None,
        a_verdict("p2"),
        None,
    ]
    [window] = [one for one in store.traffic.windows("elves", since=0, until=1e12) if one.verdicts]
    assert (window.minute, window.verdicts) == (int(NOON) // 60, 1)


def test_verdicts_are_counted_in_the_minute_of_their_prediction(store: Store) -> None:
    shipped(store, a_prediction("p1"), a_prediction("p2"), a_prediction("p3", at=NOON + 60))
    store.verdicts.put([a_verdict("p1"), a_verdict("p2", was_correct=False), a_verdict("early")])

    told = [store.verdicts.count_new(100), store.verdicts.count_new(100)]

    minute = int(NOON) // 60
    assert told == [2, 0]
    assert store.traffic.windows("elves", since=NOON, until=NOON + 60) == [
        counted(minute, 2),
        Window(
            minute,
            "elves",
            "v1",
            "verdicts",
            verdicts=2,
            judged=2,
            correct=1,
            judged_confidence=bins(confidence.BINS, 75, 2),
            correct_confidence=bins(confidence.BINS, 75, 1),
            confusion={"elf": {"elf": 1}},
        ),
    ]


def test_verdict_revised_or_withdrawn_is_counted_anew(store: Store) -> None:
    shipped(store, a_prediction("p1"), a_prediction("p2"))
    store.verdicts.put([a_verdict("p1"), a_verdict("p2")])
    store.verdicts.count_new(100)

    store.verdicts.put([a_verdict("p1", given_at=NOON + 2, was_correct=False)])
    store.verdicts.put([a_verdict("p2", given_at=NOON + 2, withdrawn=True)])
    store.verdicts.count_new(100)

    windows = store.traffic.windows("elves", since=NOON, until=NOON + 60)
    totals = [(window.verdicts, window.judged, window.correct) for window in windows]
    assert totals == [(0, 0, 0), (1, 1, 0)]


def test_verdict_with_a_label_alone_is_settled_when_its_prediction_is_known(store: Store) -> None:
    shipped(store, a_prediction("p1", label="elf"), a_prediction("p2", label="elf"))
    store.verdicts.put(
        [
            a_verdict("p1", was_correct=None, label="elf"),
            a_verdict("p2", was_correct=None, label="orc"),
        ]
    )

    store.verdicts.count_new(100)

    kept = [store.verdicts.of(id) for id in ("p1", "p2")]
    assert [verdict.was_correct for verdict in kept if verdict] == [True, False]


def test_model_described_otherwise_is_the_same_model(store: Store) -> None:
    model = in_use(store)
    before = store.registry.generation()
    features = tuple(replace(one, label="Size", group="Body") for one in model.schema.features)
    words = replace(model.schema, features=features)

    told = store.registry.describe_model(
        replace(model, title="Elves", description="Elf or orc?", schema=words)
    )

    assert told == replace(model, title="Elves", description="Elf or orc?", schema=words)
    assert store.registry.models() == [told]
    assert store.registry.generation() != before
    assert [version.name for version in store.registry.versions("elves")] == ["v1"]


@pytest.mark.every_store
def test_description_cannot_change_what_versions_depend_on(store: Store) -> None:
    model = in_use(store)

    with pytest.raises(Conflict, match="other features or classes"):
        store.registry.describe_model(
            replace(model, schema=replace(model.schema, classes=("orc", "elf")))
        )
    with pytest.raises(NotFound):
        store.registry.describe_model(replace(model, key="dwarves"))

    assert store.registry.models() == [model]


def test_tally_counts_today_and_the_last_accuracy(store: Store) -> None:
    rows = [a_prediction(f"p{number}") for number in range(4)]
    shipped(store, a_prediction("old", at=NOON - 86_400), *rows)
    store.verdicts.put(
        [
            replace(a_verdict("old", given_at=NOON, was_correct=False), predicted_at=NOON - 86_400),
            a_verdict("p0", given_at=NOON + 1, was_correct=False),
            a_verdict("p1", given_at=NOON + 2),
            a_verdict("p2", given_at=NOON + 3),
            a_verdict("p3", given_at=NOON + 4, withdrawn=True),
        ]
    )
    waiting = store.traffic.tally("elves", since=NOON, last=2)
    store.verdicts.count_new(9)

    tally = store.traffic.tally("elves", since=NOON, last=2)

    assert (waiting.verdicts, waiting.last_accuracy) == (0, 1.0)
    assert (tally.predictions, tally.verdicts) == (4, 3)
    assert (tally.last_accuracy, tally.last_accuracy_verdicts) == (1.0, 2)
    assert store.traffic.tally("dwarves", since=0, last=2).last_accuracy is None


def test_tally_of_a_regression_has_the_last_error(store: Store) -> None:
    for value in (10.0, 20.0, 30.0, 40.0):
        made = replace(a_prediction(f"p{value:g}"), label=None, value=value)
        shipped(store, made, segment=f"s{value:g}", start=0)
    store.verdicts.put(
        [
            a_verdict("p10", given_at=NOON + 1, was_correct=None, label=999.0),
            a_verdict("p20", given_at=NOON + 2, was_correct=None, label=23.0),
            a_verdict("p30", given_at=NOON + 3, was_correct=False, label=29.0),
            a_verdict("p40", given_at=NOON + 4, was_correct=True),
        ]
    )

    tally = store.traffic.tally("elves", since=NOON, last=3)

    assert (tally.last_error, tally.last_error_verdicts) == (2.0, 2)
    assert (tally.last_accuracy, tally.last_accuracy_verdicts) == (None, 0)
    assert store.traffic.tally("elves", since=NOON, last=1).last_error is None


def test_last_verdicts_of_a_version_are_its_own_counted_or_not(store: Store) -> None:
    second = [replace(a_prediction(f"q{number}"), version="v2") for number in range(3)]
    shipped(store, *(a_prediction(f"p{number}") for number in range(3)), *second)
    store.verdicts.put([a_verdict(f"p{number}", was_correct=False) for number in range(3)])
    store.verdicts.count_new(9)
    store.verdicts.put([a_verdict(f"q{number}", given_at=NOON + number) for number in range(3)])

    for _ in range(2):
        newest = store.traffic.outcomes("elves", limit=2, versions=("v2",))
        first, other = (
            store.traffic.tally("elves", since=NOON, last=9, version=name) for name in ("v1", "v2")
        )
        assert [one.prediction for one in newest] == ["q1", "q2"]
        assert (first.last_accuracy, first.last_accuracy_verdicts) == (0.0, 3)
        assert (other.last_accuracy, other.last_accuracy_verdicts) == (1.0, 3)
        assert (first.predictions, other.predictions) == (6, 6)
        store.verdicts.count_new(9)


@pytest.mark.every_store
def test_judged_of_predicted_counts_each_version_from_one_moment_to_another(store: Store) -> None:
    times = [NOON + 20 * number for number in range(12)]
    rows = [replace(a_prediction(f"p{place}", at=at)) for place, at in enumerate(times)]
    others = [
        replace(a_prediction(f"q{place}", at=at), version="v2") for place, at in enumerate(times)
    ]
    shipped(store, *rows, *others)
    store.verdicts.put([replace(a_verdict(one.id), predicted_at=one.predicted_at) for one in rows])
    store.verdicts.count_new(5)

    def counted_from(first: int, last: int, **more: str) -> tuple[int, int]:
        since, until = times[first], times[last]
        return store.traffic.judged_of_predicted("elves", since=since, until=until, **more)

    assert counted_from(0, 11) == (12, 24)
    assert counted_from(1, 10) == (10, 20)
    assert counted_from(1, 10, version="v1") == (10, 10)
    assert counted_from(4, 5, version="v2") == (0, 2)

    store.verdicts.count_new(20)
    store.verdicts.put([replace(a_verdict("p6", withdrawn=True), predicted_at=times[6])])
    assert counted_from(0, 11) == (11, 24)


# ── profiles, and the store as a whole ───────────────────────────────────────────────────────


def test_profile_is_replaced_under_its_id_and_listed_without_data(store: Store) -> None:
    profile = Profile("a", "elves", "v1", "me", NOON, NOON + 300, 10, b"\x00\xff")
    store.profiles.put(profile)
    store.profiles.put(replace(profile, rows=20, data=b"\x01"))
    store.profiles.put(replace(profile, id="b", writer="you", starts_at=NOON - 300))

    assert store.profiles.get("a") == replace(profile, rows=20, data=b"\x01")
    assert store.profiles.get("c") is None
    assert [found.id for found in store.profiles.of_model("elves")] == ["b", "a"]
    assert [found.id for found in store.profiles.of_model("elves", since=NOON)] == ["a"]
    assert [found.id for found in store.profiles.written_by("you", 0)] == ["b"]


@pytest.mark.every_store
def test_store_is_asked_by_many_at_once(open_store: Callable[[], Store]) -> None:
    stores = [open_store() for _ in range(8)]
    problems: list[Exception] = []

    def ask(store: Store) -> None:
        try:
            store.check(writing=True)
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=ask, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []


@pytest.mark.every_store
def test_what_was_kept_is_there_when_it_is_opened_again(open_store: Callable[[], Store]) -> None:
    first = open_store()
    shipped(first, a_prediction("p1"))
    first.verdicts.put([a_verdict("p1")])
    first.close()

    row = open_store().traffic.prediction("p1")

    assert row is not None
    assert row.feedback == a_verdict("p1")


# ── rename and remove ────────────────────────────────────────────────────────────────────────


@pytest.mark.every_store
def test_renamed_model_keeps_its_key_and_all_that_was_kept_of_it(store: Store) -> None:
    model = in_use(store)
    before = store.registry.generation()
    kept = kept_of(store, model.key)

    renamed = store.registry.rename_model(model.key, "fair-folk")

    assert model.key == "elves"
    assert renamed == replace(model, name="fair-folk", former_names=("elves",))
    assert store.registry.models() == [renamed]
    assert store.registry.generation() != before
    assert kept_of(store, renamed.key) == kept
    assert kept_of(store, "fair-folk") != kept  # nothing is kept under a name
    [profile] = store.profiles.of_model("elves")
    stretch = Stretch("elves", "v1", int(NOON), int(NOON) + 60)
    assert store.profiles.written_by("me", 0.0) == [profile]
    assert store.traffic.shipped("me", 0.0, 60) == [(stretch, 2)]
    assert len(store.traffic.of_stretch(stretch, "me", after=None, limit=9)) == 2


def kept_of(store: Store, model: str) -> list[object]:
    """Return what is kept under a key, drawer by drawer."""
    return [
        store.registry.versions(model),
        store.registry.aliases(model),
        store.traffic.recent(model, limit=9),
        store.traffic.windows(model, since=0, until=1e11),
        store.traffic.tally(model, since=0, last=9),
        store.profiles.of_model(model),
    ]


def test_what_was_on_its_way_while_a_model_was_renamed_arrives(store: Store) -> None:
    model = in_use(store)
    store.registry.rename_model(model.key, "fair-folk")

    shipped(store, a_prediction("late"), segment="s2")
    store.verdicts.put([a_verdict("late")])

    late = store.traffic.prediction("late")
    assert late is not None and late.feedback is not None
    assert (late.prediction.model, late.feedback.model) == (model.key, model.key)
    assert store.traffic.tally(model.key, since=0, last=9).predictions == 3


def test_model_that_takes_a_name_of_before_has_a_key_of_its_own(store: Store) -> None:
    first = in_use(store)
    store.registry.rename_model(first.key, "fair-folk")
    second = store.registry.add_model(a_model())

    of_second = a_prediction(id_of(second.number), model=second.key)
    shipped(store, a_prediction(id_of(1)), of_second, segment="s2")
    verdicts = [a_verdict(id_of(1)), replace(a_verdict(id_of(2)), model=second.key)]
    store.verdicts.put(verdicts)

    assert (second.name, second.number) == ("elves", 2)
    assert second.key != first.key
    assert [row.prediction.id for row in store.traffic.recent(second.key, limit=9)] == [id_of(2)]
    assert id_of(1) in {row.prediction.id for row in store.traffic.recent(first.key, limit=9)}
    assert store.registry.models()[0].former_names == ()
    assert store.verdicts.of(id_of(1)).model == first.key  # type: ignore[union-attr]
    assert store.verdicts.of(id_of(2)).model == second.key  # type: ignore[union-attr]


def test_rename_to_a_name_that_is_taken_changes_nothing(store: Store) -> None:
    in_use(store)
    in_use(store, "dwarves")

    with pytest.raises(Conflict, match="dwarves"):
        store.registry.rename_model("elves", "dwarves")
    with pytest.raises(NotFound, match="nobody"):
        store.registry.rename_model("nobody", "somebody")

    assert [model.name for model in store.registry.models()] == ["elves", "dwarves"]


def test_model_can_be_called_back_to_its_first_name(store: Store) -> None:
    model = in_use(store)
    store.registry.rename_model("elves", "fair-folk")

    renamed = store.registry.rename_model(model.key, "elves")

    assert renamed == replace(model, former_names=("fair-folk",))
    assert len(store.traffic.recent("elves", limit=9)) == 2


@pytest.mark.every_store
def test_removed_model_is_cleared_in_bites_and_leaves_others_alone(store: Store) -> None:
    model = in_use(store)
    in_use(store, "dwarves", b"another graph")
    held = store.holdings(model.key)
    others = store.holdings("dwarves")

    removed = store.registry.remove_model("elves")
    served = [left.name for left in store.registry.models()]
    bites = emptied(store, removed)

    assert held == Holdings(versions=1, predictions=2, verdicts=3, profiles=1, windows=2)
    assert served == ["dwarves"]
    # a job, a gate's verdict, fates, an audit, shadows, an alias, "profiled", a late mark
    besides = 8
    assert (max(bites), sum(bites)) == (2, held.rows + besides)
    assert store.holdings(model.key) == Holdings()
    assert store.holdings("dwarves") == others
    assert [(gone.name, gone.number, gone.is_cleared) for gone in store.registry.removed()] == [
        ("elves", 1, True)
    ]


def test_artefact_stays_while_another_version_needs_it(store: Store) -> None:
    in_use(store)
    in_use(store, "dwarves")

    emptied(store, store.registry.remove_model("elves"))
    store.tidying.drop_files(LATER)

    assert store.registry.artefact(DIGEST) == DATA
    emptied(store, store.registry.remove_model("dwarves"))
    store.tidying.drop_files(LATER)
    with pytest.raises(NotFound):
        store.registry.artefact(DIGEST)


@pytest.mark.every_store
def test_nothing_is_kept_for_a_removed_model(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    model = in_use(store)
    in_use(store, "dwarves", b"another graph")
    removed = store.registry.remove_model("elves")
    emptied(store, removed)
    late = UnverifiedFeedback("later", "elves", [1], "elf", True, NOON)

    for start, id in ((0, "late"), (100, id_of(1))):
        rows = (a_prediction(id), a_prediction(f"d{start}", model="dwarves"))
        store.traffic.ship(Shipment("s2", start, start + 100, "me", rows, [a_verdict(id)], [late]))
    status = store.verdicts.put([a_verdict(id_of(1, 1))])
    store.verdicts.put_unverified([late])
    store.profiles.put(Profile("elves.q", "elves", "v1", "me", NOON, NOON + 60, 1, b"p"))
    with pytest.raises(Conflict, match="removed"):
        store.registry.add_version(a_version(), {})

    assert status == ["missing"]
    assert store.traffic.shipped_to("s2") == 200
    assert store.holdings(model.key) == Holdings()
    assert store.holdings("dwarves").predictions == 4
    assert [record.message for record in caplog.records] == [
        "The journal has lines of elves, which was removed: dropped."
    ]


def test_number_key_and_rows_of_a_removed_model_are_never_given_to_another(store: Store) -> None:
    in_use(store)
    removed = store.registry.remove_model("elves")

    again = store.registry.add_model(a_model())
    own = a_prediction(id_of(2), model=again.key)
    shipped(store, a_prediction(id_of(1)), own, segment="s2")

    assert (removed.name, again.name) == ("elves", "elves")
    assert (removed.number, again.number) == (1, 2)
    assert removed.key != again.key
    assert [row.prediction.id for row in store.traffic.recent(again.key, limit=9)] == [id_of(2)]
    assert store.registry.versions(again.key) == []
    emptied(store, removed)
    assert store.holdings(again.key).predictions == 1
    assert store.traffic.prediction("elves-1") is None
    assert store.traffic.prediction(id_of(1)) is None


@pytest.mark.every_store
def test_removal_is_undone_with_all_that_was_kept(store: Store) -> None:
    model = in_use(store)
    before, aliases = store.holdings(model.key), store.registry.aliases(model.key)
    store.registry.remove_model(model.key, undo_until=LATER)
    hidden = store.registry.models()

    back = store.registry.bring_back(model.key, now=LATER - 1)

    assert hidden == []
    assert (back, store.registry.models()) == (model, [model])
    assert (store.registry.aliases(model.key), aliases) == (aliases, {"champion": "v1"})
    assert store.holdings(model.key) == before
    assert store.registry.removed() == []


def test_removal_is_not_undone_too_late_or_under_a_name_that_was_taken(store: Store) -> None:
    model = in_use(store)
    removed = store.registry.remove_model(model.key, undo_until=LATER)

    with pytest.raises(Conflict, match="cannot be undone any more"):
        store.registry.bring_back(model.key, now=LATER)
    with pytest.raises(Conflict, match="cannot be undone any more"):
        store.registry.bring_back("nobody", now=NOON)
    other = store.registry.add_model(a_model())
    with pytest.raises(Conflict, match="another model elves"):
        store.registry.bring_back(model.key, now=NOON)
    store.registry.rename_model(other.key, "dwarves")
    back = store.registry.bring_back(model.key, now=NOON)

    assert removed.can_be_undone(NOON)
    assert (back.name, back.number) == ("elves", 1)


def test_nothing_is_undone_once_it_is_being_erased_nor_erased_once_undone(store: Store) -> None:
    model = in_use(store)
    removed = store.registry.remove_model(model.key, undo_until=LATER)
    store.registry.bring_back(model.key, now=NOON)
    before = store.holdings(model.key)

    spared = store.clear(removed, 2)
    removed = store.registry.remove_model(model.key, undo_until=LATER)
    cleared = store.clear(removed, 2)

    assert (spared, cleared) == (0, 1)
    assert store.holdings(model.key).rows < before.rows
    with pytest.raises(Conflict, match="it is being erased"):
        store.registry.bring_back(model.key, now=NOON)


@pytest.mark.every_store
def test_removal_begun_by_one_process_is_finished_by_another(
    open_store: Callable[[], Store],
) -> None:
    first = open_store()
    in_use(first)
    first.clear(first.registry.remove_model("elves"), 1)

    second = open_store()
    [removed] = second.registry.removed()
    emptied(second, removed)

    assert not removed.is_cleared
    assert second.holdings(removed.key) == Holdings()
    assert second.registry.removed()[0].is_cleared
