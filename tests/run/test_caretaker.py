"""The loop in process: shipped once, removed when done, profiled as often as shipped."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import wait_for
from tests.newest import newest
from unrot.core.errors import AlreadyRunning, StoreAway
from unrot.core.records import Caller, Outputs, Row, Schema, Shipment
from unrot.run import caretaker
from unrot.run.caretaker import Caretaker
from unrot.serve.journal import backlog_bytes, follow
from unrot.serve.service import Service
from unrot.store.operations import TooMuch

ROW = [5.1, 3.5, 1.4, 0.2]


def predict(service: Service, count: int) -> list[str]:
    answer = service.predict_instances("iris", [ROW] * count)
    return [prediction.id or "" for prediction in answer.predictions]


def counted(service: Service) -> int:
    windows = service.store.traffic.windows("iris", since=0, until=1e11)
    return sum(window.predictions for window in windows)


def profiled(service: Service) -> int:
    return sum(profile.rows for profile in service.store.profiles.of_model("iris"))


def test_round_ships_what_is_written_and_goes_on_where_it_was(service: Service) -> None:
    keeper = Caretaker(service, "me")
    first = predict(service, 3)
    keeper.go_round()
    second = predict(service, 2)

    keeper.go_round()

    rows = newest(service, "iris")
    assert {row.prediction.id for row in rows} == {*first, *second}
    assert counted(service) == 5


def test_segment_is_removed_when_its_writer_is_gone_and_it_is_shipped(service: Service) -> None:
    keeper = Caretaker(service, "me")
    predict(service, 3)
    keeper.go_round()
    written = [segment.name for segment in follow(service.journal.folder)]

    service.journal._abandon()
    keeper.go_round()

    assert len(written) == 1
    assert list(follow(service.journal.folder)) == []
    assert service.store.traffic.shipped_to(written[0]) == 0


def test_torn_last_line_of_a_dead_writer_is_dropped_with_the_segment(service: Service) -> None:
    keeper = Caretaker(service, "me")
    ids = predict(service, 2)
    service.journal._abandon()
    segment = next(follow(service.journal.folder))
    with segment.path.open("ab") as file:
        file.write(b'{"kind":"prediction","event":{"id":"half')

    keeper.go_round()

    assert {row.prediction.id for row in newest(service, "iris")} == set(ids)
    assert list(follow(service.journal.folder)) == []


def test_store_that_is_away_makes_the_journal_wait(service: Service, trained_home: Path) -> None:
    keeper = Caretaker(service, "me")
    keeper.go_round()
    predict(service, 3)
    database, aside = trained_home / "unrot.db", trained_home / "aside"
    database.rename(aside)

    went_well = keeper.go_round()
    waiting = backlog_bytes(service.journal.folder)
    aside.rename(database)
    recovered = keeper.go_round()

    assert (went_well, recovered) == (False, True)
    assert waiting > 0
    assert counted(service) == 3


def test_verdict_before_its_prediction_is_counted_when_that_has_come(service: Service) -> None:
    keeper = Caretaker(service, "me")
    keeper.go_round()
    [id] = predict(service, 1)
    service.judge({"id": id, "was_correct": False}, Caller())
    before = service.store.verdicts.count_new(10)

    keeper.go_round()

    windows = service.store.traffic.windows("iris", since=0, until=1e11)
    assert before == 0
    assert sum(window.verdicts for window in windows) == 1


def test_profiles_of_a_killed_caretaker_are_made_again_and_only_once(service: Service) -> None:
    first = Caretaker(service, "me")
    predict(service, 3)
    first.go_round()
    unwritten = profiled(service)

    second = Caretaker(service, "me")
    second.go_round()
    predict(service, 2)
    second.go_round()
    second._profiles.write_all()
    third = Caretaker(service, "me")
    third.go_round()

    assert unwritten == 0
    assert profiled(service) == 5


def test_second_caretaker_of_a_home_waits_or_says_so(service: Service) -> None:
    first, second = Caretaker(service, "me"), Caretaker(service, "me")
    running = threading.Thread(target=first.run)
    running.start()
    wait_for((service.settings.home / "caretaker.json").exists)

    with pytest.raises(AlreadyRunning, match="already looks after"):
        second.run(wait=False)
    waiting = threading.Thread(target=second.run)
    waiting.start()
    second.stop()
    waiting.join(5)
    first.stop()
    running.join(20)

    assert not waiting.is_alive()
    assert not running.is_alive()


def test_stopped_caretaker_ships_until_the_last_worker_is_done(service: Service) -> None:
    keeper = Caretaker(service, "me")
    predict(service, 1)
    running = threading.Thread(target=keeper.run)
    running.start()
    wait_for((service.settings.home / "caretaker.json").exists)

    keeper.stop(seconds=30)
    running.join(3 * caretaker.POLL_SECONDS)
    is_waiting = running.is_alive()
    predict(service, 2)
    service.journal.release()
    running.join(20)

    windows = service.store.traffic.windows("iris", since=0, until=1e11)
    assert is_waiting
    assert not running.is_alive()
    assert sum(window.predictions for window in windows) == 3
    assert list(follow(service.journal.folder)) == []


def test_stopped_caretaker_waits_for_no_worker_longer_than_it_may(service: Service) -> None:
    keeper = Caretaker(service, "me")
    predict(service, 1)
    running = threading.Thread(target=keeper.run)
    running.start()
    wait_for((service.settings.home / "caretaker.json").exists)

    keeper.stop(seconds=0.5)
    running.join(20)

    assert not running.is_alive()


def test_damaged_shelf_is_mended_at_start(service: Service) -> None:
    version = service.catalogue().model("iris").version()
    artefact = service.shelf.folder / "artefacts" / version.serving.digest
    artefact.write_bytes(b"damaged")

    Caretaker(service, "me").go_round()

    assert artefact.read_bytes() == service.store.registry.artefact(version.serving.digest)


def test_profiles_are_also_written_as_files_that_whylogs_reads(
    service: Service, tmp_path: Path
) -> None:
    folder = tmp_path / "profiles"
    there = replace(service, settings=replace(service.settings, profile_dir=folder))
    keeper = Caretaker(there, "me")
    predict(there, 4)
    keeper.go_round()
    keeper._profiles.write_all()

    [path] = folder.rglob("*.bin")
    assert path.parent.name == "iris"
    assert service.profiler.read(path.read_bytes())["petal_width_cm"].rows == 4


def test_busy_writer_does_not_keep_the_caretaker_in_one_round(service: Service) -> None:
    """Each shipment of this store finds more lines written meanwhile."""
    shipped: list[int] = []
    traffic = service.store.traffic

    class Busy:
        def ship(self, shipment: Shipment) -> int:
            shipped.append(len(shipment.predictions))
            assert len(shipped) < 10
            predict(service, 1)
            return traffic.ship(shipment)

        def __getattr__(self, name: str) -> object:
            return getattr(traffic, name)

    keeper = Caretaker(service, "me")
    predict(service, 3)
    service.store.traffic = Busy()  # type: ignore[misc, assignment]

    keeper.go_round()

    assert shipped == [3]


def test_unreadable_line_is_set_aside_once_however_often_it_is_met(service: Service) -> None:
    """The store is away at first, and then takes no more than two predictions at once."""
    traffic, tries = service.store.traffic, []

    class Narrow:
        def ship(self, shipment: Shipment) -> int:
            tries.append(shipment)
            if len(tries) == 1:
                raise StoreAway("not yet")
            if len(shipment.predictions) > 4:
                raise TooMuch("too many")
            return traffic.ship(shipment)

        def __getattr__(self, name: str) -> object:
            return getattr(traffic, name)

    keeper = Caretaker(service, "me")
    predict(service, 4)
    service.journal.append(b"no event\n", count=0)
    predict(service, 3)
    service.store.traffic = Narrow()  # type: ignore[misc, assignment]

    keeper.go_round()
    service.journal.append(b"none either\n", count=0)
    keeper.go_round()

    unreadable = (service.journal.folder / "unreadable").read_bytes()
    assert unreadable == b"no event\nnone either\n"
    assert counted(service) == 7


def test_caretaker_that_is_behind_samples_profiles_and_counts_all(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caretaker, "BEHIND_BYTES", 0)
    keeper = Caretaker(service, "me")
    predict(service, 45)

    keeper.go_round()
    keeper._profiles.write_all()

    [profile] = service.store.profiles.of_model("iris")
    [stretch] = service.store.profiles.stretches("iris")
    [window] = service.store.traffic.windows("iris", since=0, until=1e11)
    assert (profile.rows, profile.passed_over) == (5, 40)
    assert (stretch.rows, stretch.passed_over) == (5, 40)
    assert (window.predictions, window.looked_at) == (45, 5)
    assert len(newest(service, "iris")) == 45

    again = Caretaker(service, "me")
    again.go_round()
    assert profiled(service) == 5


def test_other_rotation_period_does_not_profile_again_what_is_profiled(service: Service) -> None:
    first = Caretaker(service, "me")
    predict(service, 3)
    first.go_round()
    first._profiles.write_all()
    shorter = replace(service, settings=replace(service.settings, rotation_seconds=60))

    Caretaker(shorter, "me").go_round()

    assert profiled(service) == 3


def test_stretch_that_cannot_be_profiled_keeps_no_other_from_it(service: Service) -> None:
    class Choosy:
        def profile(self, schema: Schema, rows: list[Row], outputs: Outputs) -> bytes:
            if schema.target != "species":
                raise ZeroDivisionError("of a library")
            return service.profiler.profile(schema, rows, outputs)

        read = service.profiler.read

    keeper = Caretaker(replace(service, profiler=Choosy()), "me")  # type: ignore[arg-type]
    service.predict_instances("zombies", [[0.0, 0.0, 0.0, 0.0]])
    predict(service, 3)
    keeper.go_round()

    keeper._profiles.write_all()

    assert profiled(service) == 3
    assert keeper._profiles._waiting == {}


def test_shelf_is_filled_while_a_round_takes_long(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A promote is served within two seconds, whatever the monitors have to look at."""
    keeper = Caretaker(service, "me")
    inside, may_go_on = threading.Event(), threading.Event()

    def look_long(**_: bool) -> None:
        inside.set()
        may_go_on.wait(30)

    monkeypatch.setattr(caretaker, "FOLLOW_SECONDS", 0.05)
    monkeypatch.setattr(keeper._leader, "go_round", look_long)
    thread = threading.Thread(target=keeper.run)
    thread.start()
    assert inside.wait(30)
    try:
        service.store.registry.move_alias("iris", "challenger", to="v1", expected=None)

        wait_for(lambda: "challenger" in service.catalogue().model("iris").aliases)
    finally:
        may_go_on.set()
        keeper.stop()
        thread.join()


def test_step_that_asked_nothing_of_a_store_that_is_away_does_not_go_on(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    database, away = (service.settings.home / name for name in ("unrot.db", "away.db"))
    keeper = Caretaker(service, "me")
    keeper.go_round()
    database.rename(away)
    for _ in range(3):
        keeper.go_round()
    said_while_away = [one for one in caplog.messages if "goes on" in one]
    away.rename(database)
    wait_for(keeper.go_round)

    assert said_while_away == []
    assert any("“store” goes on" in one for one in caplog.messages)
