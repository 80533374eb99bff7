"""What every store promises of how sure answers are: where the course stands, and "not sure"."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.store.test_contract import NOON, a_model, a_prediction, a_verdict, shipped
from unrot.core.ids import Ids
from unrot.core.ports import Store
from unrot.core.records import ModelKey, Prediction, Shipment
from unrot.store.kinds import UNSURE
from unrot.store.operations import Operations
from unrot.watch.monitors.sure.broken import Counts
from unrot.watch.monitors.sure.look import MONITOR
from unrot.watch.monitors.sure.rule import BY_DAYS, Course
from unrot.watch.notes import read_note, write_note

COURSE = Course(
    "v7", -0.0123456789012345, 0.95, (NOON + 0.25, NOON, "p1"), (NOON - 9, NOON - 9, "p0"),
    {"p1": (NOON + 0.25, NOON, True), "p2": (NOON, NOON, False)}, "f00d", 1_234, 99, "bnpt",
    days={"19675": Counts(9, 8, 7)}, looks=3, broken=BY_DAYS, since=NOON,
)  # fmt: skip


def made(row: int, at: float = NOON, model: str = "elves") -> Prediction:
    id = Ids(b"key").make(at=at, segment=b"12345", row=row, model_number=1, class_index=0)
    return replace(a_prediction(id, at=at, model=model), label="elf")


@pytest.mark.every_store
def test_course_is_read_back_as_it_was_noted(store: Store) -> None:
    store.registry.add_model(a_model())

    store.findings.stand("elves", MONITOR, write_note(Course("v6")))
    store.findings.stand("elves", MONITOR, write_note(COURSE))

    assert read_note(Course, store.findings.standpoint("elves", MONITOR)) == COURSE


@pytest.mark.every_store
def test_verdicts_are_read_on_in_the_order_in_which_they_were_given(store: Store) -> None:
    store.registry.add_model(a_model())
    shipped(store, *(a_prediction(f"p{number}") for number in range(5)))
    store.verdicts.put([a_verdict(f"p{n}", given_at=NOON + 5 - n, judge="ann") for n in range(5)])
    store.verdicts.count_new(100)

    first = store.traffic.judged_after("elves", (0.0, 0.0, ""), limit=3)
    last = first[-1].feedback
    assert last is not None
    rest = store.traffic.judged_after(
        "elves", (last.given_at, last.predicted_at, last.prediction), limit=3
    )

    assert [one.prediction.id for one in [*first, *rest]] == ["p4", "p3", "p2", "p1", "p0"]
    assert [one.prediction.probabilities for one in rest] == [[0.75, 0.25]] * 2


@pytest.mark.every_store
def test_late_verdict_leaves_another_mark(store: Store) -> None:
    store.registry.add_model(a_model())
    shipped(store, a_prediction("p1"), a_prediction("p2"))
    marks = [store.traffic.late_mark("elves")]
    for id in ("p1", "p2"):
        store.verdicts.put([a_verdict(id)])
        store.verdicts.count_new(100)
        marks.append(store.traffic.late_mark("elves"))

    assert (marks[0], len(set(marks))) == ("", 3)


@pytest.mark.every_store
def test_answers_of_not_sure_are_counted_and_found_newest_first(store: Store) -> None:
    store.registry.add_model(a_model())
    rows = [made(row, NOON + 30 * row) for row in range(6)]
    ids = [one.id or "" for one in rows]
    store.traffic.ship(
        Shipment("s1", 0, 100, "me", rows, asked_sure=ids[1:], unsure=[ids[1], ids[2], ids[5]])
    )
    store.traffic.ship(Shipment("s1", 100, 200, "me", [made(9, NOON + 1_000)]))

    found = [one.id for one in store.traffic.unsure("elves", (NOON + 9_999, ""))]
    older = [one.id for one in store.traffic.unsure("elves", (NOON + 60, ids[2]))]
    windows = store.traffic.windows("elves", since=NOON, until=NOON + 9_999)

    assert (found, older) == ([ids[5], ids[2], ids[1]], [ids[1]])
    assert [(one.predictions, one.asked_sure, one.unsure) for one in windows] == [
        (2, 1, 1),
        (2, 2, 1),
        (2, 2, 1),
        (1, 0, 0),
    ]


def test_shipment_that_is_taken_twice_counts_its_abstentions_once(store: Store) -> None:
    store.registry.add_model(a_model())
    one = made(1)
    shipment = Shipment("s1", 0, 100, "me", [one], asked_sure=[one.id], unsure=[one.id])

    for _ in range(2):
        store.traffic.ship(shipment)

    [window] = store.traffic.windows("elves", since=NOON, until=NOON + 60)
    assert (window.asked_sure, window.unsure) == (1, 1)
    assert len(list(store.traffic.unsure("elves", (NOON + 60, "")))) == 1


def test_what_was_not_sure_is_forgotten_with_its_row(store: Store, database: Operations) -> None:
    store.registry.add_model(a_model())
    rows = [made(1), made(2)]
    ids = [one.id or "" for one in rows]
    store.traffic.ship(Shipment("s1", 0, 100, "me", rows, asked_sure=ids, unsure=ids))
    left: list[list[str | None]] = []

    for id in ids:
        store.erasing.note({id: ModelKey("elves")}, NOON)
        store.erasing.erase([id], ModelKey("elves"), NOON)
        left.append([one.id for one in store.traffic.unsure("elves", (NOON + 60, ""))])

    assert left == [[ids[1]], []]
    assert database.scan(UNSURE, "of model", ("elves",), limit=9) == []
