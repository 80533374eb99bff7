"""Each store lets a machine see what another did: told by those that can, asked of all."""

from __future__ import annotations

import time
from collections.abc import Callable

from unrot.run.cabinet import Cabinet
from unrot.run.news import News
from unrot.store.names import move_generation
from unrot.store.operations import Operations

TELL = ("SQLite", "Postgres")


def test_change_on_one_machine_is_news_on_another(open_database: Callable[[], Operations]) -> None:
    here, there = Cabinet(open_database()), Cabinet(open_database())
    news = News(here, 60)
    news.look(told=True)
    here.wait_for_change(0)  # listens from here on

    there.database.commit([move_generation()])
    time.sleep(0.05)
    is_told = here.wait_for_change(0)  # as the caretaker asks, after its pause

    assert is_told is (here.kind in TELL)
    assert news.look(told=True)
    assert not news.look(told=True)


def test_what_is_told_of_traffic_leaves_shelves_alone(
    open_database: Callable[[], Operations],
) -> None:
    here, there = Cabinet(open_database()), Cabinet(open_database())
    news, generation = News(here, 60), here.registry.generation()
    news.look(told=True)

    News(there, 60).tell()

    assert news.look(told=True)
    assert here.registry.generation() == generation


def test_generation_is_there_from_the_beginning(open_database: Callable[[], Operations]) -> None:
    store = Cabinet(open_database())

    assert store.registry.generation() == Cabinet(open_database()).registry.generation()
    assert bool(store.registry.generation()) is (store.kind != "memory")
