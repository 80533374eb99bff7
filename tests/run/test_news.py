"""What an idle caretaker asks of a store that bills each question, and how soon it wakes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.memory_store import MemoryStore
from unrot.core.records import Caller
from unrot.learn import jobs, promote
from unrot.run import leader
from unrot.run.cabinet import Cabinet
from unrot.run.caretaker import POLL_SECONDS, Caretaker
from unrot.run.news import News
from unrot.serve.service import Service
from unrot.store.engine import SqlStore
from unrot.store.operations import Changed
from unrot.store.sqlite import SqliteDatabase

ROW = [5.1, 3.5, 1.4, 0.2]


class Billed:
    """A database that counts as Google Datastore bills: an entity a read, an empty query one."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self.bill: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    def get(self, *asked: Any) -> Any:
        self.bill["reads"] += 1
        return self._database.get(*asked)

    def get_many(self, kind: Any, keys: Any) -> Any:
        self.bill["reads"] += len(set(keys))
        return self._database.get_many(kind, keys)

    def scan(self, *asked: Any, **named: Any) -> Any:
        found = self._database.scan(*asked, **named)
        self.bill["reads"] += max(1, len(found))
        return found

    def count(self, *asked: Any, **named: Any) -> Any:
        self.bill["reads"] += 1
        return self._database.count(*asked, **named)

    def check(self, **named: Any) -> None:
        self.bill["reads"] += 1
        self._database.check(**named)

    def commit(self, changes: Any) -> None:
        self.bill["writes"] += len(changes)
        self._database.commit(changes)


@pytest.fixture
def billed(service: Service) -> Billed:
    return Billed(service.store.database._database)  # type: ignore[attr-defined]


@pytest.fixture
def house(service: Service, billed: Billed) -> Service:
    """A service whose store counts what it is asked."""
    return replace(service, store=Cabinet(billed))  # type: ignore[arg-type]


@pytest.fixture
def sleep(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], None]]:
    """Let time pass without waiting for it."""
    passed = [0.0]
    began = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: began + passed[0])

    def forward(seconds: float) -> None:
        passed[0] += seconds

    yield forward
    monkeypatch.undo()


def rounds(keeper: Caretaker, sleep: Callable[[float], None], seconds: float) -> None:
    """Go round as the loop does while nobody tells of a change."""
    for _ in range(round(seconds / POLL_SECONDS)):
        assert keeper.go_round(told=False, thoroughly=False)
        sleep(POLL_SECONDS)


def settled(keeper: Caretaker, sleep: Callable[[float], None]) -> None:
    """Go round until all that the beginning brought is done."""
    keeper.go_round()
    rounds(keeper, sleep, leader.AWAKE_SECONDS + 15)


def test_idle_caretaker_costs_one_read_a_poll_and_writes_nothing(
    house: Service, billed: Billed, sleep: Callable[[float], None]
) -> None:
    keeper = Caretaker(house, "me")
    settled(keeper, sleep)
    billed.bill.clear()

    rounds(keeper, sleep, 120)

    assert billed.bill == Counter(reads=120)


def test_caretaker_that_sleeps_looks_at_all_now_and_then(
    house: Service, billed: Billed, sleep: Callable[[float], None]
) -> None:
    keeper = Caretaker(house, "me")
    settled(keeper, sleep)
    billed.bill.clear()

    rounds(keeper, sleep, leader.ASLEEP_SECONDS + 10)

    models = len(house.catalogue().models)
    looked = billed.bill["reads"] - (leader.ASLEEP_SECONDS + 10)
    assert 0 < looked <= 30 * models + 20
    assert billed.bill["writes"] == 1  # the lease


def test_poll_seconds_say_how_often_is_asked(
    house: Service, billed: Billed, sleep: Callable[[float], None]
) -> None:
    seldom = replace(house, settings=replace(house.settings, store_poll_seconds=5))
    keeper = Caretaker(seldom, "me")
    settled(keeper, sleep)
    billed.bill.clear()

    rounds(keeper, sleep, 100)

    assert billed.bill == Counter(reads=20)


def test_promotion_elsewhere_is_served_within_a_poll(
    service: Service, house: Service, sleep: Callable[[float], None]
) -> None:
    keeper = Caretaker(house, "me")
    settled(keeper, sleep)
    service.store.registry.move_alias("iris", "champion", to=None, expected="v1")

    rounds(keeper, sleep, 1 + POLL_SECONDS)

    assert house.catalogue().model("iris").aliases == {}


def test_policy_and_job_that_are_asked_for_elsewhere_wake_the_leader(
    service: Service, house: Service, sleep: Callable[[float], None]
) -> None:
    keeper = Caretaker(house, "me")
    settled(keeper, sleep)
    woken: list[bool] = []
    for act in (
        lambda: promote.change_policy(service, "iris", {"tolerance": 0.05}),
        lambda: service.store.tell_news(),
    ):
        rounds(keeper, sleep, leader.AWAKE_SECONDS + 15)
        woken.append(keeper._leader._is_asleep())
        act()
        rounds(keeper, sleep, 1 + POLL_SECONDS)
        woken.append(keeper._leader._is_asleep())

    assert woken == [True, False, True, False]


def test_verdict_is_counted_as_soon_as_a_worker_has_kept_it(
    house: Service, billed: Billed, sleep: Callable[[float], None]
) -> None:
    keeper = Caretaker(house, "me")
    [made] = house.predict_instances("iris", [ROW]).predictions
    settled(keeper, sleep)

    house.judge({"id": made.id, "was_correct": True}, Caller())
    rounds(keeper, sleep, POLL_SECONDS)

    assert house.today("iris").verdicts == 1


def test_what_another_machine_ships_is_told_to_the_one_that_leads(
    service: Service, house: Service, sleep: Callable[[float], None], tmp_path: Path
) -> None:
    news = News(house.store, 1)
    generation = house.store.registry.generation()
    assert news.look(told=True)
    assert not news.look(told=True)

    News(service.store, 1).tell()

    assert news.look(told=True)
    assert house.store.registry.generation() == generation


def test_news_that_somebody_else_has_just_told_are_told() -> None:
    database = MemoryStore()

    def refuse(_changes: Any) -> None:
        raise Changed

    database.commit = refuse  # type: ignore[method-assign]

    Cabinet(database).tell_news()


def test_sqlite_tells_of_a_change_once(tmp_path: Path) -> None:
    one, other = (Cabinet(SqlStore(SqliteDatabase(tmp_path / "a.db"))) for _ in range(2))
    one.prepare()
    one.wait_for_change(0)
    quiet = one.wait_for_change(0)

    other.prepare()
    other.tell_news()

    assert [quiet, one.wait_for_change(0), one.wait_for_change(0)] == [False, True, False]


def test_job_that_is_asked_for_moves_the_news(service: Service) -> None:
    [made] = service.predict_instances("iris", [ROW]).predictions
    service.judge({"id": made.id, "was_correct": True}, Caller())
    before = service.store.news()

    jobs.ask(service, "iris", "refit", {})

    assert service.store.news() != before
