"""Symptoms become findings: opened, kept up to date, closed, and open again when they flap."""

from __future__ import annotations

from dataclasses import replace

import pytest

from unrot.core.records import Finding, Symptom
from unrot.core.rules import Rules
from unrot.watch.finding_keeper import follow_symptom, is_watched

NOON = 1_700_000_000.0
NOW = NOON + 86_400
SEEN = Symptom(
    "drift", "drift", True, NOON, NOON - 60, "warning", "It moved.", "Refit.", ("height",), {"a": 1}
)  # fmt: skip
GONE = replace(SEEN, is_present=False)


def follow(symptom: Symptom, last: Finding | None = None) -> Finding | None:
    return follow_symptom(symptom, last, model="elves", number=7, now=NOW, pause=300.0)


def opened(symptom: Symptom = SEEN) -> Finding:
    found = follow(symptom)
    assert found is not None
    return found


def test_symptom_opens_a_finding_at_the_moment_of_its_evidence() -> None:
    found = opened()

    assert found == Finding(
        found.id, "elves", "drift", "drift", "warning", NOON - 60, NOON, NOON, "It moved.",
        "Refit.", ("height",), {"a": 1},
    )  # fmt: skip
    assert found.is_open


def test_same_evidence_makes_the_same_finding_and_that_of_another_model_another() -> None:
    other = follow_symptom(SEEN, None, model="elves", number=8, now=NOW, pause=300.0)

    assert opened().id == opened().id
    assert other is not None and other.id != opened().id


def test_finding_is_never_of_the_future() -> None:
    found = opened(replace(SEEN, at=NOW + 50, since=NOW + 40))

    assert (found.opened_at, found.updated_at, found.since) == (NOW, NOW, NOW)


def test_symptom_that_does_not_say_since_when_is_there_since_it_was_seen() -> None:
    assert opened(replace(SEEN, since=0.0)).since == NOON


def test_open_finding_says_what_is_known_now() -> None:
    later = replace(
        SEEN, at=NOON + 9, since=NOON, gravity="grave", sentence="Far.", evidence={"a": 2}
    )

    assert follow(later, opened()) == replace(
        opened(), updated_at=NOON + 9, gravity="grave", sentence="Far.", evidence={"a": 2}
    )


def test_gravity_falls_again() -> None:
    grave = opened(replace(SEEN, gravity="grave"))

    found = follow(replace(SEEN, at=NOON + 9), grave)

    assert found is not None and found.gravity == "warning"


def test_same_symptom_once_more_changes_nothing() -> None:
    assert follow(SEEN, opened()) is None


def test_symptom_that_is_gone_closes_its_finding() -> None:
    found = follow(replace(GONE, at=NOON + 60, sentence=""), opened())

    assert found == replace(opened(), closed_at=NOON + 60)
    assert not found.is_open


@pytest.mark.parametrize("last", [None, replace(opened(), closed_at=NOON + 5)])
def test_what_is_gone_and_not_open_changes_nothing(last: Finding | None) -> None:
    assert follow(replace(GONE, at=NOON + 60), last) is None


def test_symptom_that_comes_back_soon_opens_the_same_finding_again() -> None:
    closed = replace(opened(), closed_at=NOON + 60, acknowledged_by="ann")

    found = follow(replace(SEEN, at=NOON + 360), closed)

    assert found == replace(closed, closed_at=None, updated_at=NOON + 360)


def test_symptom_that_comes_back_later_opens_a_new_finding() -> None:
    closed = replace(opened(), closed_at=NOON + 60)

    found = follow(replace(SEEN, at=NOON + 361), closed)

    assert found is not None and found.id != closed.id
    assert (found.opened_at, found.closed_at) == (NOON + 361, None)


@pytest.mark.parametrize("symptom", [SEEN, GONE])
def test_older_evidence_than_what_is_known_changes_nothing(symptom: Symptom) -> None:
    is_open = opened(replace(SEEN, at=NOON + 60))
    is_closed = replace(is_open, closed_at=NOON + 90)

    assert follow(replace(symptom, at=NOON + 59), is_open) is None
    assert follow(replace(symptom, at=NOON + 89), is_closed) is None


def test_rules_say_what_is_watched_and_operations_always_are() -> None:
    off = Rules(
        drift=False, rot=False, slices=False, outliers=False, quality=False, estimate=False,
        coverage=False, abstentions=False,
    )  # fmt: skip
    kinds = (
        *("drift", "rot", "slice", "outliers", "quality", "estimate", "coverage", "abstentions"),
        "operations",
    )

    assert [is_watched(kind, off) for kind in kinds] == [False] * 8 + [True]
    assert [is_watched(kind, Rules()) for kind in kinds] == [True] * 9
