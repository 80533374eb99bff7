"""A journal that loses predictions is found where the round is gone, and closed later."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import pytest

from unrot.core.records import Finding
from unrot.core.rules import Rules
from unrot.serve.journal import Drops
from unrot.serve.service import Service
from unrot.watch.finding_keeper import FindingKeeper
from unrot.watch.monitors import operations
from unrot.watch.visit import Visit


def go_round(service: Service, after: float = 0.0) -> list[Finding]:
    """Look at each model some seconds on, keep what is seen, and return all findings of iris."""
    now = service.clock() + after
    for shelved in service.catalogue().models.values():
        keeper = FindingKeeper(Visit(service, shelved, Rules(), now))
        for symptom in operations.look(Visit(service, shelved, Rules(), now)):
            keeper.keep(symptom)
    assert service.store.findings.of_model("zombies", limit=9) == []
    return service.store.findings.of_model("iris", limit=9)


def drop(service: Service, count: int) -> None:
    Drops(service.journal.folder).add(count)


def let_pass(service: Service, seconds: float) -> None:
    """Let the last drop have been some time ago."""
    then = time.time() - seconds
    os.utime(service.journal.folder / "drops", (then, then))


def test_journal_that_keeps_all_is_well(service: Service) -> None:
    assert go_round(service) == []


def test_lost_predictions_are_found_counted_and_over_after_a_while(service: Service) -> None:
    go_round(service)
    drop(service, 3)
    [first] = go_round(service, 10)
    drop(service, 4)
    [second] = go_round(service, 20)
    [same] = go_round(service, 30)
    let_pass(service, operations.CALM_SECONDS)
    [last] = go_round(service, 700)

    assert first.sentence == (
        "3 predictions were answered and not kept: the journal could not be written."
    )
    assert (first.gravity, second.evidence) == ("grave", {"dropped": 7})
    assert (first.id, second.is_open, same) == (second.id, True, second)
    assert not last.is_open
    assert go_round(service, 1e5) == [last]


def test_what_was_lost_long_ago_is_no_finding(service: Service) -> None:
    drop(service, 5)
    let_pass(service, 3_600)

    assert go_round(service) == []


def test_what_was_lost_while_the_store_was_away_is_found_afterwards(service: Service) -> None:
    drop(service, 1)

    [one] = go_round(service)

    assert one.sentence == (
        "1 prediction was answered and not kept: the journal could not be written."
    )


def test_full_journal_is_found_before_anything_is_lost(
    service: Service, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = replace(service, settings=replace(service.settings, journal_max=0))

    [one] = go_round(full)
    [over] = go_round(service, 10)

    assert one.sentence.startswith("The journal is full (0 bytes)")
    assert (one.is_open, over.is_open) == (True, False)


def test_another_default_model_takes_it_over(service: Service) -> None:
    drop(service, 1)
    go_round(service)
    other = replace(service, settings=replace(service.settings, default_model="zombies"))
    drop(service, 1)

    now = service.clock() + 10
    for shelved in other.catalogue().models.values():
        keeper = FindingKeeper(Visit(other, shelved, Rules(), now))
        for symptom in operations.look(Visit(other, shelved, Rules(), now)):
            keeper.keep(symptom)

    assert [one.model for one in other.store.findings.open()] == ["zombies"]
