"""The use cases together: what is served is the estimator, and a second version waits its turn."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from unrot.core.errors import BadArtefact, Conflict, NotFound
from unrot.core.ports import Predictor
from unrot.core.records import Caller, Model, Schema
from unrot.core.settings import Settings
from unrot.make import artefacts, predictors
from unrot.make.catalogue import names_for
from unrot.make.demos import iris, zombies
from unrot.make.publishing import publish
from unrot.make.train import train
from unrot.run.bootstrap import open_service
from unrot.serve import predictor
from unrot.serve.service import Service
from unrot.serve.shelf import Shelf


def quietly(_done: float, _step: str) -> None:
    return


def model_of(name: str = "iris") -> Model:
    data = iris.load()
    return Model(name, 0, data.title, data.description, data.schema, time.time())


@pytest.mark.parametrize("estimator", names_for(zombies.load().schema))
def test_served_probabilities_are_the_estimators_own(tmp_path: Path, estimator: str) -> None:
    service = open_service(Settings(home=tmp_path))
    data = zombies.load()
    model = Model(data.name, 0, data.title, data.description, data.schema, time.time())
    version = publish(service, model, train(data, estimator, quietly))
    rows = [row for row, _ in islice(zombies.traffic(seed=7), 500)]

    answer = service.predict("zombies", rows)

    own = artefacts.load(service.store.registry.artefact(version.artefacts["skops"]))
    table = np.array([[row[name] for name in data.schema.names] for row in rows])
    columns = [list(own.classes_).index(label) for label in data.schema.classes]
    served = np.array([prediction.probabilities for prediction in answer.predictions])
    assert np.abs(served - own.predict_proba(table)[:, columns]).max() <= 1e-4
    assert [prediction.label for prediction in answer.predictions] == list(own.predict(table))
    service.store.close()


def test_second_version_does_not_become_champion(service: Service) -> None:
    version = publish(service, model_of(), train(iris.load(), "tree", quietly))

    assert version.name == "v2"
    assert service.aliases("iris") == {"champion": "v1"}
    assert list(service.catalogue().model("iris").versions) == ["v1", "v2"]


def test_version_keeps_a_profile_of_what_it_was_trained_on(service: Service) -> None:
    version = service.versions("iris")[0]

    data = service.store.registry.artefact(version.artefacts["profile"])
    counts = {name: told.rows for name, told in service.profiler.read(data).items()}
    features = dict.fromkeys(iris.load().schema.names, 120)
    assert counts == {**features, "output.class": 120, "output.probability": 120}


def test_model_with_other_classes_needs_another_name(service: Service) -> None:
    data = zombies.load()
    stranger = Model("iris", 0, data.title, data.description, data.schema, time.time())

    with pytest.raises(Conflict, match="other features or classes"):
        publish(service, stranger, train(data, "tree", quietly))

    assert [version.name for version in service.versions("iris")] == ["v1"]


def test_default_model_is_the_first_trained_unless_chosen(trained_home: Path) -> None:
    first = open_service(Settings(home=trained_home))
    chosen = open_service(Settings(home=trained_home, default_model="zombies"))
    wrong = open_service(Settings(home=trained_home, default_model="nobody"))

    assert first.default_model().model.name == "iris"
    assert chosen.default_model().model.name == "zombies"
    with pytest.raises(NotFound, match="nobody"):
        wrong.default_model()
    for service in (first, chosen, wrong):
        service.store.close()


def test_empty_home_says_what_to_do(tmp_path: Path) -> None:
    service = open_service(Settings(home=tmp_path))

    with pytest.raises(NotFound, match=r"python -m unrot train iris"):
        service.default_model()

    assert service.ready()["shelf"].state == "down"
    service.store.close()


def test_warm_shelf_predicts_though_the_store_never_was_there(
    trained_home: Path, tmp_path: Path
) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    service = open_service(Settings(home=trained_home, store=f"sqlite:///{blocked}/unrot.db"))
    example = service.catalogue().model("iris").model.schema

    answer = service.predict(
        "iris", {feature.name: feature.example for feature in example.features}
    )
    _, status = service.judge({"id": answer.predictions[0].id, "was_correct": True}, Caller())

    assert answer.predictions[0].label == "Iris-versicolor"
    assert status == "queued"
    assert service.ready()["store"].state == "degraded"


def test_prediction_that_cannot_be_kept_is_answered_without_an_id(trained_home: Path) -> None:
    service = open_service(Settings(home=trained_home, journal_max=1))
    row = {"instances": [[5.1, 3.5, 1.4, 0.2]]}["instances"]
    service.predict_instances(None, row)
    service.journal._checked_at = 0.0

    answer = service.predict_instances(None, row)

    journal = service.ready()["journal"]
    assert answer.predictions[0].id is None
    assert answer.predictions[0].label == "Iris-setosa"
    assert (journal.state, journal.is_stuck) == ("degraded", True)
    assert "1 prediction was answered" in journal.sentence
    service.store.close()


def test_champion_that_breaks_a_library_stops_no_other(trained_home: Path) -> None:
    service = open_service(Settings(home=trained_home))

    def load(by: str, artefact: bytes, schema: Schema) -> Predictor:
        if schema.target == "species":
            raise ZeroDivisionError("of a library")
        return predictors.load(by, artefact, schema)

    check, signatures = predictor.check_golden, service.signatures
    shelf = Shelf(service.shelf.folder, load=load, check=check, signatures=signatures)
    there = replace(service, shelf=shelf)

    answer = there.predict_instances("zombies", [[0.0, 0.0, 0.0, 0.0]])

    assert answer.version.name == "v1"
    assert "ZeroDivisionError" in there.ready()["shelf"].sentence
    with pytest.raises(BadArtefact, match="of a library"):
        there.predict_instances("iris", [[5.1, 3.5, 1.4, 0.2]])
    service.store.close()


def test_store_that_was_away_at_start_is_made_ready_when_it_comes(tmp_path: Path) -> None:
    folder = tmp_path / "not yet"
    folder.write_text("in the way")
    service = open_service(Settings(home=tmp_path / "home", store=f"sqlite:///{folder}/unrot.db"))
    before = service.ready()["store"].state
    folder.unlink()
    folder.mkdir()
    sqlite3.connect(folder / "unrot.db").close()

    after = service.ready()["store"].state

    assert (before, after) == ("degraded", "ok")
    assert service.store.registry.models() == []
    service.store.close()
