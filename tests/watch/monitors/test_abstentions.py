"""More answers of "not sure" than usual are found, and over where they are as usual again."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.clock import Clock
from tests.learning_model import School
from unrot.core.ids import Ids
from unrot.core.records import ModelKey, Prediction, Shipment, Symptom
from unrot.learn.promote import change_policy
from unrot.watch.monitors import abstentions
from unrot.watch.visit import Visit
from unrot.watch.worth.rows import Alike

KEY = ModelKey("zombies")
A_MINUTE = 200


def ship(school: School, clock: Clock, unsure: int, minute: int) -> None:
    """Answer two hundred rows in a minute, so many of them with "not sure"."""
    inputs = [[float(row % 7), float(row % 11)] for row in range(A_MINUTE)]
    rows = [
        Prediction(
            Ids(b"key").make(
                at=clock.now, segment=b"12345", row=A_MINUTE * minute + row, model_number=1,
                class_index=0,
            ),
            KEY, "v1", clock.now, inputs[row], "hostile", [0.6, 0.4], None, 0.001,
        )
        for row in range(A_MINUTE)
    ]  # fmt: skip
    ids = [one.id or "" for one in rows]
    every = max(1, A_MINUTE // max(1, unsure))
    shipment = Shipment(
        "s1", 100 * minute, 100 * minute + 100, "me", rows, asked_sure=ids,
        unsure=ids[::every][:unsure],
    )  # fmt: skip
    school.service.store.traffic.ship(shipment)
    clock.now += 60


def looked(school: School) -> list[Symptom]:
    service = school.service
    rules = service.store.findings.rules(KEY)
    visit = Visit(service, service.catalogue().model("zombies"), rules, service.clock())
    return list(abstentions.look(visit))


def walked(school: School, clock: Clock, counts: Sequence[int]) -> list[bool]:
    found = []
    for minute, count in enumerate(counts):
        ship(school, clock, count, minute)
        found += [one.is_present for one in looked(school)]
    return found


@pytest.fixture(autouse=True)
def _rows_are_independent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abstentions, "alike_of", lambda *_: Alike())


def test_rise_is_found_and_over_again(school: School, clock: Clock) -> None:
    change_policy(school.service, "zombies", {"not_sure": "on"})
    clock.now += 2
    assert looked(school) == []

    found = walked(school, clock, [20] * 8 + [90] * 3 + [20] * 3)

    assert found[:8] == [False] * 8
    assert any(found[8:12])
    assert found[-1] is False


def test_usual_swing_is_not_found(school: School, clock: Clock) -> None:
    change_policy(school.service, "zombies", {"not_sure": "on"})
    clock.now += 2
    looked(school)

    assert not any(walked(school, clock, [20, 30] * 8))


def test_what_is_said_has_its_numbers(school: School, clock: Clock) -> None:
    change_policy(school.service, "zombies", {"not_sure": "on"})
    clock.now += 2
    looked(school)
    walked(school, clock, [20] * 8)
    said = []
    for minute in (8, 9, 10):
        ship(school, clock, 90, minute)
        said += [one for one in looked(school) if one.is_present]

    assert said[0].sentence == "v1 was not sure of 45 % of its answers, where 10 % were usual."
    assert (said[0].kind, said[0].evidence["predictions"]) == ("abstentions", A_MINUTE)


def test_nothing_is_asked_where_not_sure_is_no_answer(school: School, clock: Clock) -> None:
    assert walked(school, clock, [20] * 3 + [190]) == []
    assert school.service.store.findings.standpoint(KEY, abstentions.MONITOR) == {}


def test_what_was_found_is_gone_once_not_sure_is_no_answer(school: School, clock: Clock) -> None:
    change_policy(school.service, "zombies", {"not_sure": "on"})
    clock.now += 2
    looked(school)
    before = walked(school, clock, [20] * 8 + [90] * 3)
    change_policy(school.service, "zombies", {"not_sure": "off"})

    gone, after = looked(school), looked(school)
    change_policy(school.service, "zombies", {"not_sure": "on"})
    clock.now += 2
    anew = looked(school)

    assert before[-1] is True
    assert [(one.is_present, one.sentence) for one in gone] == [(False, abstentions.OVER)]
    assert (after, anew) == ([], [])
    note = school.service.store.findings.standpoint(KEY, abstentions.MONITOR)
    assert (note["version"], note["looks"]) == ("v1", 0)
