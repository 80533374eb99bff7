"""Odd predictions are noticed on their way to the store: each once, and none holds it up."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from unrot.core.errors import BadArtefact
from unrot.core.records import IMPORTED, Prediction, Shipment
from unrot.core.schema import schema_hash
from unrot.run.caretaker import Caretaker
from unrot.serve.journal import follow
from unrot.serve.service import Service
from unrot.serve.shelf import Shelf
from unrot.watch.monitors.outliers.detector import OutlierFinder, oddity_of

USUAL, ODD = [5.1, 3.5, 1.4, 0.2], [5.1, 9.0, 1.4, 0.2]


@pytest.fixture
def keeper(service: Service) -> Caretaker:
    return started(service)


def started(service: Service) -> Caretaker:
    keeper = Caretaker(service, "me")
    keeper._leader.go_round = lambda **_: None  # type: ignore[method-assign]
    assert keeper.go_round()
    return keeper


def predicted(service: Service, *rows: list[float]) -> list[Prediction]:
    return service.predict_instances("iris", list(rows)).predictions


def counted(service: Service) -> tuple[int, int, int]:
    """Return predictions, those looked at and outliers, by the windows."""
    found = service.store.traffic.windows("iris", since=0, until=1e11)
    return (
        sum(one.predictions for one in found),
        sum(one.looked_at for one in found),
        sum(one.outliers for one in found),
    )


def test_odd_prediction_is_kept_with_its_reasons(service: Service, keeper: Caretaker) -> None:
    made = predicted(service, USUAL, ODD)

    keeper.ship()

    oddity = service.store.oddities.of(made[1].id or "")
    assert service.store.oddities.of(made[0].id or "") is None
    assert oddity is not None
    assert (oddity.model, oddity.version, oddity.predicted_at) == (
        "iris", "v1", made[1].predicted_at,
    )  # fmt: skip
    assert oddity.score > 3
    assert oddity.reasons[0].feature == "sepal_width_cm"
    assert counted(service) == (2, 2, 1)


def test_shipment_that_is_repeated_counts_once(service: Service, keeper: Caretaker) -> None:
    predicted(service, USUAL, ODD, ODD)
    segment = next(follow(service.journal.folder))
    lines = segment.read(0)
    keeper._ship_lines(segment, 0, lines)

    keeper._ship_lines(segment, 0, lines)
    started(service)

    assert counted(service) == (3, 3, 2)
    assert len(service.store.oddities.recent("iris", limit=9)) == 2


def test_odd_row_of_a_renamed_model_stays_under_its_key(
    service: Service, keeper: Caretaker
) -> None:
    predicted(service, ODD)
    service.store.registry.rename_model("iris", "flowers")

    keeper.go_round()

    [(oddity, judged)] = service.store.oddities.recent("iris", limit=9)
    assert oddity.model == "iris"
    assert judged is not None and judged.prediction.inputs == ODD


@pytest.mark.parametrize("spoil", ["missing", "spoilt"])
def test_detector_that_cannot_be_loaded_stops_nothing_and_is_told_once(
    service: Service, keeper: Caretaker, caplog: pytest.LogCaptureFixture, spoil: str
) -> None:
    path = neighbours_of(service)
    path.unlink() if spoil == "missing" else path.write_bytes(b"spoilt")
    for _ in range(3):
        predicted(service, ODD)

        keeper.ship()

    assert counted(service) == (3, 0, 0)
    told = [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]
    assert told == ["Odd inputs of iris v1 cannot be told; shipping goes on."]


def test_detector_that_fails_stops_nothing(service: Service, keeper: Caretaker) -> None:
    class Failing:
        def score(self, _rows: Any) -> Any:
            raise ZeroDivisionError

    service.shelf._load_detector = lambda *_: Failing()
    [made] = predicted(service, ODD)

    keeper.ship()

    assert counted(service) == (1, 0, 0)
    assert oddity_of(service.shelf, service.catalogue().model("iris"), made) is None


def test_version_without_a_detector_is_not_looked_at(service: Service) -> None:
    contents = service.catalogue()
    shelved = contents.models["iris"]
    version = shelved.versions["v1"]
    bare = replace(version, artefacts={"onnx": version.artefacts["onnx"]})
    contents = replace(contents, models={"iris": replace(shelved, versions={"v1": bare})})
    [made] = predicted(service, ODD)

    noticed = OutlierFinder(service.shelf).look(contents, [made])

    assert (noticed.oddities, noticed.looked_at) == ([], set())
    assert oddity_of(service.shelf, contents.models["iris"], made) is None


def test_champion_stands_for_answers_that_were_imported(service: Service) -> None:
    made = [replace(one, version=IMPORTED) for one in predicted(service, USUAL, ODD)]

    noticed = OutlierFinder(service.shelf).look(service.catalogue(), made)

    assert [(one.prediction, one.version) for one in noticed.oddities] == [(made[1].id, IMPORTED)]
    assert noticed.looked_at == {one.id for one in made}


def test_model_that_is_not_on_the_shelf_is_not_looked_at(service: Service) -> None:
    made = [replace(one, model="nobody") for one in predicted(service, ODD)]

    assert OutlierFinder(service.shelf).look(service.catalogue(), made).looked_at == set()


def test_what_was_looked_at_follows_a_removed_model_into_nothing(
    service: Service, keeper: Caretaker
) -> None:
    [made] = predicted(service, ODD)
    noticed = OutlierFinder(service.shelf).look(service.catalogue(), [made])
    service.store.registry.remove_model("iris")

    shipment = Shipment(
        "segment", 0, 9, "me", [made], oddities=noticed.oddities, looked_at=noticed.looked_at
    )
    service.store.traffic.ship(shipment)

    assert service.store.oddities.of(made.id or "") is None


# ── shelf ────────────────────────────────────────────────────────────────────────────────────


def neighbours_of(service: Service) -> Path:
    digest = service.catalogue().models["iris"].versions["v1"].artefacts["neighbours"]
    return service.shelf.folder / "artefacts" / digest


def test_detector_is_loaded_once_and_without_the_store(
    service: Service, trained_home: Path
) -> None:
    shelved = service.catalogue().model("iris")
    (trained_home / "unrot.db").rename(trained_home / "away")

    first = service.shelf.detector(shelved.model, shelved.version())
    neighbours_of(service).unlink()

    assert first is not None
    assert service.shelf.detector(shelved.model, shelved.version()) is first


def test_shelf_holds_few_detectors(service: Service) -> None:
    shelved = service.catalogue().model("iris")
    version, schema = shelved.version(), shelved.model.schema

    for number in range(20):
        other = replace(shelved.model, schema=replace(schema, target=str(number)))
        signed = service.signatures.sign(replace(version, schema_hash=schema_hash(other.schema)))
        service.shelf.detector(other, signed)

    assert len(service.shelf._detectors) == 8


def test_spoilt_detector_is_never_used(service: Service) -> None:
    shelved = service.catalogue().model("iris")
    neighbours_of(service).write_bytes(b"x")

    with pytest.raises(BadArtefact, match="is not what was written"):
        service.shelf.detector(shelved.model, shelved.version())


def test_shelf_that_was_given_no_loader_has_no_detectors(service: Service) -> None:
    load, check = service.shelf._load, service.shelf._check
    shelf = Shelf(service.shelf.folder, load=load, check=check, signatures=service.signatures)
    shelved = shelf.contents().model("iris")

    assert shelf.detector(shelved.model, shelved.version()) is None
