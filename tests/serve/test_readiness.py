"""What `/api/v1/ready` says of each component."""

from __future__ import annotations

import time
from pathlib import Path

import orjson
import pytest

from unrot.core.errors import StoreAway
from unrot.core.records import Component, Feature, Model, Outputs, Row, Schema
from unrot.run.cabinet import Cabinet
from unrot.serve import readiness
from unrot.serve.journal import Drops, Journal
from unrot.serve.readiness import Heartbeat
from unrot.serve.shelf import Contents, ShelvedModel
from unrot.store.engine import SqlStore
from unrot.store.sqlite import SqliteDatabase

SCHEMA = Schema((Feature("height", "number"),), "kind", ("elf", "orc"))
PLENTY = 2**20


class Silent:
    """A predictor that nobody asks here."""

    def predict(self, rows: list[Row]) -> Outputs:
        return Outputs(values=[0.0] * len(rows))


class AwayStore(Cabinet):
    """A store whose server does not answer."""

    def check(self, *, writing: bool = False) -> None:
        assert writing
        raise StoreAway("The database at db:5432 does not answer.")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "journal"
    Drops(folder).prepare()
    return folder


# ── store ────────────────────────────────────────────────────────────────────────────────────


def test_store_that_answers_is_ok(tmp_path: Path) -> None:
    store = Cabinet(SqlStore(SqliteDatabase(tmp_path / "unrot.db")))
    store.prepare()

    found = readiness.store(store)
    store.close()

    assert found == Component("ok", "The store answers.")


def test_store_that_is_away_is_degraded_and_says_why(tmp_path: Path) -> None:
    store = AwayStore(SqlStore(SqliteDatabase(tmp_path / "unrot.db")))

    found = readiness.store(store)

    assert found == Component(
        "degraded",
        "The database at db:5432 does not answer. Predictions go on; verdicts are kept in the "
        "journal.",
    )


# ── journal ──────────────────────────────────────────────────────────────────────────────────


def test_journal_with_room_is_ok(folder: Path) -> None:
    Journal(folder, limit=PLENTY).append(b"x" * 1_233 + b"\n", count=1)

    found = readiness.journal(folder, PLENTY)

    assert found == Component("ok", "The journal holds 1.2 kB.")


def test_journal_that_dropped_is_degraded_and_takes_more(folder: Path) -> None:
    Drops(folder).add(1_500)

    found = readiness.journal(folder, PLENTY)

    assert found == Component(
        "degraded",
        "The journal holds 0 bytes. 1,500 predictions were answered and could not be kept.",
    )


def test_journal_at_its_limit_is_stuck(folder: Path) -> None:
    (folder / "00000000aa.jsonl").write_bytes(b"x" * 2_000)
    Drops(folder).add(3)

    just_below, at_limit = (readiness.journal(folder, limit) for limit in (2_001, 2_000))

    assert not just_below.is_stuck
    assert at_limit == Component(
        "degraded",
        "The journal is full (2.0 kB): predictions are answered with id null and not kept. "
        "Bring the store back, or raise UNROT_JOURNAL_MAX. 3 predictions were answered and could "
        "not be kept.",
        is_stuck=True,
    )


def test_journal_whose_folder_is_gone_is_stuck(tmp_path: Path) -> None:
    found = readiness.journal(tmp_path / "none", PLENTY)

    assert found == Component(
        "degraded",
        "The disk of the home folder is full or cannot be written: predictions are answered with "
        "id null and not kept. Make room.",
        is_stuck=True,
    )


# ── caretaker ────────────────────────────────────────────────────────────────────────────────


def test_caretaker_that_has_just_beaten_is_ok(tmp_path: Path) -> None:
    heartbeat = tmp_path / "caretaker.json"

    readiness.beat(heartbeat, readiness.Heartbeat(time.time()))

    assert readiness.caretaker(heartbeat) == Component(
        "ok", "The background worker ships the journal."
    )
    assert [path.name for path in tmp_path.iterdir()] == ["caretaker.json"]


@pytest.mark.parametrize("failing", ["store", "journal"])
def test_caretaker_that_cannot_ship_does_not_say_that_it_does(tmp_path: Path, failing: str) -> None:
    path = tmp_path / "caretaker.json"
    readiness.beat(path, Heartbeat(time.time(), failing=(failing,)))

    found = readiness.caretaker(path)

    assert found == Component("ok", "The background worker runs; what is in the journal waits.")


def test_caretaker_that_is_behind_says_what_it_samples(tmp_path: Path) -> None:
    path = tmp_path / "caretaker.json"
    readiness.beat(path, Heartbeat(time.time(), backlog_bytes=20_000_000, every=10))

    found = readiness.caretaker(path)

    assert found == Component(
        "ok",
        "The background worker is 20.0 MB behind the journal. Until it has caught up it "
        "takes profiles and outliers of one prediction in 10; every prediction is kept and "
        "counted.",
    )


def test_caretaker_that_never_ran_is_degraded(tmp_path: Path) -> None:
    found = readiness.caretaker(tmp_path / "caretaker.json")

    assert found == Component(
        "degraded",
        "The background worker has not run here: predictions wait in the journal. gunicorn starts "
        "one; by hand it is: python -m unrot caretaker",
    )


def test_caretaker_that_is_silent_is_degraded(tmp_path: Path) -> None:
    heartbeat = tmp_path / "caretaker.json"
    heartbeat.write_bytes(orjson.dumps({"process": 1, "at": time.time() - 1_234.1}))

    found = readiness.caretaker(heartbeat)

    assert found == Component(
        "degraded", "The background worker has been silent for 1,234 s: look at its log."
    )


def test_caretaker_of_a_clock_that_was_set_back_is_ok(tmp_path: Path) -> None:
    heartbeat = tmp_path / "caretaker.json"
    heartbeat.write_bytes(orjson.dumps({"process": 1, "at": time.time() + 3_600}))

    assert readiness.seconds_since_heartbeat(heartbeat) == 0.0


def test_heartbeat_tells_how_the_caretaker_fares(tmp_path: Path) -> None:
    path, said = tmp_path / "caretaker.json", readiness.Heartbeat(90.0, 80.0, 1_234, ("journal",))

    readiness.beat(path, said)

    assert readiness.heartbeat(path) == said


def test_heartbeat_of_another_release_is_read_as_far_as_it_is_known(tmp_path: Path) -> None:
    path = tmp_path / "caretaker.json"
    path.write_bytes(orjson.dumps({"at": 90.0, "mood": "good"}))

    assert readiness.heartbeat(path) == readiness.Heartbeat(90.0)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{}", b'{"at": null}', b'{"at": "x"}'])
def test_heartbeat_that_cannot_be_read_is_none(tmp_path: Path, content: bytes) -> None:
    heartbeat = tmp_path / "caretaker.json"
    heartbeat.write_bytes(content)

    assert readiness.seconds_since_heartbeat(heartbeat) is None


# ── shelf ────────────────────────────────────────────────────────────────────────────────────


def shelved(name: str, *, champion: str | None = "v1") -> ShelvedModel:
    model = Model(name, 1, name.title(), "", SCHEMA, 0.0)
    return ShelvedModel(model, {"champion": champion} if champion else {}, {})


def test_shelf_without_a_model_is_down() -> None:
    found = readiness.shelf(Contents())

    assert found == Component(
        "down", "There is no model yet: train one with python -m unrot train iris"
    )


def test_shelf_that_was_never_filled_does_not_say_that_there_is_no_model() -> None:
    found = readiness.shelf(Contents(), is_store_away=True)

    assert found == Component("down", "This machine has had no model from the store yet.")


def test_shelf_without_a_champion_is_down() -> None:
    found = readiness.shelf(Contents("a", {"elves": shelved("elves", champion=None)}))

    assert found == Component("down", "No model has a champion yet.")


def test_shelf_names_the_models_that_answer() -> None:
    models = {
        "elves": shelved("elves"),
        "ents": shelved("ents", champion=None),
        "orcs": shelved("orcs"),
    }

    found = readiness.shelf(Contents("a", models, {"digest": Silent()}))

    assert found == Component("ok", "Champions answer for elves, orcs.")


@pytest.mark.parametrize(
    ("predictors", "state"), [({"digest": Silent()}, "degraded"), ({}, "down")]
)
def test_shelf_with_a_problem_tells_it(predictors: dict[str, Silent], state: str) -> None:
    problems = {"elves": "The champion of elves could not be loaded: it is gone."}

    found = readiness.shelf(Contents("a", {"elves": shelved("elves")}, predictors, problems))

    assert found == Component(state, "The champion of elves could not be loaded: it is gone.")
