"""Rows that are refused: from the door over the journal into the windows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from unrot.core.errors import Detail, Invalid, NotFound
from unrot.core.records import Feature, Model, Rejection, Schema, Window
from unrot.core.settings import Settings
from unrot.core.windows import total
from unrot.run.bootstrap import open_service
from unrot.run.caretaker import Caretaker
from unrot.serve import events, rejected
from unrot.serve.journal import Journal, follow
from unrot.serve.rejected import Refusals, reason_of, rejection_of
from unrot.serve.service import Service

NOON = 1_700_049_600.0
SCHEMA = Schema(
    (Feature("height", "number"), Feature("kind", "category", choices=("elf",))), "target"
)
MODEL = Model("elves", 1, "Elves", "", SCHEMA, NOON)
ROW = {"sepal_length_cm": 5.1, "sepal_width_cm": 3.5, "petal_length_cm": 1.4, "petal_width_cm": 0.2}


@pytest.fixture
def service(settings: Settings) -> Iterator[Service]:
    opened = open_service(settings)
    quiet = Refusals(opened.journal, seconds=600)
    yield replace(opened, clock=lambda: NOON, refusals=quiet)
    opened.store.close()


def refused(service: Service, inputs: Any, **more: Any) -> None:
    with pytest.raises(Invalid):
        service.predict("iris", inputs, **more)


def lines(service: Service) -> bytes:
    return b"".join(segment.read(0) for segment in follow(service.journal.folder))


def counted(service: Service) -> Window:
    """Write and ship what was refused; return what the windows say of it."""
    service.refusals.write()
    keeper = Caretaker(service, "me")
    keeper._leader.go_round = lambda **_: None  # type: ignore[method-assign]
    assert keeper.go_round()
    return total(service.store.traffic.windows("iris", since=0, until=1e11))


def test_refused_rows_are_counted_by_reason_in_the_windows(service: Service) -> None:
    refused(service, dict.fromkeys(list(ROW)[:3], 1.0))
    refused(service, [ROW, {**ROW, "sepal_width_cm": "wide"}, {**ROW, "petal_width_cm": True}])
    refused(service, {**ROW, "colour": "blue"}, version="v1")
    refused(service, "nothing like a row")
    with pytest.raises(Invalid):
        service.predict_instances("iris", [[1.0, 2.0]])
    with pytest.raises(Invalid):
        service.predict_instances("iris", [[1.0, 2.0, 3.0, float("nan")]])

    window = counted(service)
    assert window.rejected == {
        "missing": 1,
        "wrong_type": 2,
        "unknown_feature": 1,
        "not_a_row": 2,
        "not_finite": 1,
    }
    assert window.refused_for.features == {
        "petal_width_cm": {"missing": 1, "wrong_type": 1, "not_finite": 1},
        "sepal_width_cm": {"wrong_type": 1},
    }
    assert (window.refused_for.requests, window.refused_for.beside) == (6, 1)


def test_flood_of_refused_rows_is_one_line_and_nothing_of_the_clients(service: Service) -> None:
    for number in range(1_000):
        refused(service, {**ROW, f"evil-{number}": number})
    assert lines(service) == b""

    service.refusals.write()

    [rejection] = events.from_lines(lines(service)).rejections
    assert rejection == rejected.Rejection(
        "iris", "v1", NOON, {"unknown_feature": 1_000}, requests=1_000
    )
    assert b"evil" not in lines(service)


def test_refusals_are_written_by_themselves_after_a_moment(service: Service) -> None:
    from tests.conftest import wait_for

    service = replace(service, refusals=Refusals(service.journal, seconds=0.01))
    refused(service, {})

    wait_for(lambda: events.from_lines(lines(service)).rejections)


def test_what_names_no_version_of_ours_is_not_counted(service: Service) -> None:
    refused(service, {}, version="v99")
    with pytest.raises(NotFound):
        service.predict("iris", ROW, version="v99")
    service.predict("iris", ROW)

    assert counted(service).rejected == {}


def test_full_journal_lets_counts_go(settings: Settings) -> None:
    journal = Journal(settings.home / "journal", limit=0)
    gathered = Refusals(journal, seconds=600)

    gathered.add([rejection_of(MODEL, "v1", [], NOON)])
    gathered.write()

    assert not any(segment.size() for segment in follow(journal.folder))


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        (Detail("height", None, "", is_missing=True), "missing"),
        (Detail("height", None, ""), "null"),
        (Detail("width", 1, "no such feature"), "unknown_feature"),
        (Detail("height", "tall", ""), "wrong_type"),
        (Detail("height", True, ""), "wrong_type"),
        (Detail("kind", 5, ""), "wrong_type"),
        (Detail("height", float("nan"), ""), "not_finite"),
        (Detail("height", 10**400, ""), "too_far"),
        (Detail("inputs", 5, "an object"), "not_a_row"),
    ],
)
def test_reason_is_named(detail: Detail, reason: str) -> None:
    assert reason_of(SCHEMA, detail) == reason


def test_row_counts_once_however_much_is_wrong_with_it() -> None:
    details = [Detail("height", "tall", "", 0), Detail("kind", 5, "", 0), Detail("kind", 5, "", 3)]

    found = rejection_of(MODEL, "v1", details, NOON, sent=5)

    assert found == Rejection(
        "elves", "v1", NOON, {"wrong_type": 2},
        features={"height": {"wrong_type": 1}, "kind": {"wrong_type": 1}}, requests=1, beside=3,
    )  # fmt: skip
