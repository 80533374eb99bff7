"""What every store promises of what monitors saw: checks, oddities, findings, rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.store.test_contract import NOON, a_model
from unrot.core.ports import FindingState, Store
from unrot.core.records import (
    Check,
    CountedStretch,
    Delivery,
    Distribution,
    Drift,
    Finding,
    FindingNote,
    Gravity,
    Profile,
    Snooze,
)
from unrot.core.rules import FeatureRule, Rules

DRIFT = Drift("height", 0.4, "ks", 0.5, 1e-9, has_moved=True, is_calm=False)
CHECK = Check("elves", "v1", NOON, NOON + 60, "training", 150, 120, (DRIFT,))
FINDING = Finding(
    "f1", "elves", "drift", "drift", "warning", NOON, NOON + 60, NOON + 60, "It moved.", "Refit.",
    ("height",), {"distance": 0.4},
)  # fmt: skip


def test_check_is_read_back_and_replaced_by_a_newer_one_of_its_period(store: Store) -> None:
    store.registry.add_model(a_model())

    store.checks.put([CHECK, replace(CHECK, against="previous")])
    store.checks.put([replace(CHECK, rows=151)])

    found = store.checks.of_model("elves", against="training", since=NOON, until=NOON + 60)
    assert found == [replace(CHECK, rows=151)]
    assert found[0].moved == [DRIFT]
    assert store.checks.last("elves", "previous") == replace(CHECK, against="previous")


def test_checks_are_counted_without_their_columns(store: Store) -> None:
    store.registry.add_model(a_model())
    later = replace(CHECK, starts_at=NOON + 60, ends_at=NOON + 120, reference="d")
    before = replace(CHECK, against="previous", before_starts_at=NOON - 60, before_ends_at=NOON)

    store.checks.put([later, CHECK, before])

    assert store.checks.counts("elves", "training") == [
        replace(CHECK, drifts=()),
        replace(later, drifts=()),
    ]
    assert store.checks.last("elves", "previous") == before


def test_profiles_are_listed_with_summaries_and_counted_by_stretch(store: Store) -> None:
    store.registry.add_model(a_model())
    lay = Distribution("number", 3, 1, 1, (1.0, 2.0), (), (0, 1, 1), 1.0, 2.5, 1.75, {"0.5": 1.0})
    one = Profile("a", "elves", "v1", "me", NOON, NOON + 60, 3, b"a", {"height": lay}, "d")
    two = replace(one, id="b", writer="you", rows=4)
    three = replace(one, id="c", starts_at=NOON + 60, ends_at=NOON + 120, summary={}, reference="")

    for profile in (three, one, two):
        store.profiles.put(profile)

    assert store.profiles.of_model("elves", until=NOON + 60) == [
        replace(one, data=b""),
        replace(two, data=b""),
    ]
    assert store.profiles.get("a") == one
    assert store.profiles.stretches("elves") == [
        CountedStretch("v1", NOON, NOON + 60, "d", 7),
        CountedStretch("v1", NOON + 60, NOON + 120, "", 3),
    ]
    assert (store.profiles.total("elves"), store.profiles.total("orcs")) == ((3, 10), (0, 0))


def test_checks_of_other_times_and_models_are_left_out(store: Store) -> None:
    store.registry.add_model(a_model())
    store.registry.add_model(a_model("orcs"))

    store.checks.put([CHECK, replace(CHECK, model="orcs")])

    assert store.checks.of_model("elves", against="training", since=NOON + 60, until=1e12) == []
    assert store.checks.of_model("elves", against="training", since=0, until=NOON + 59) == []
    assert store.checks.of_model("elves", against="training", since=0, until=1e12) == [CHECK]


def test_finding_is_kept_up_to_date_and_closed(store: Store) -> None:
    store.registry.add_model(a_model())
    store.findings.put(FINDING)
    store.findings.put(replace(FINDING, sentence="It moved far.", gravity="grave"))

    assert store.findings.finding("f1") == replace(
        FINDING, sentence="It moved far.", gravity="grave"
    )
    assert [one.id for one in store.findings.open("elves")] == ["f1"]
    store.findings.put(replace(FINDING, closed_at=NOON + 99))
    assert store.findings.open() == []
    assert [one.id for one in store.findings.of_model("elves", limit=9)] == ["f1"]


def test_what_people_say_stays_when_a_finding_goes_on(store: Store) -> None:
    store.registry.add_model(a_model())
    store.findings.put(FINDING)
    said = replace(
        FINDING, acknowledged_at=NOON + 70, acknowledged_by="ann", note="on it",
        assigned_to="bob", snooze=Snooze("ann", NOON + 80, NOON + 900, "warning"),
        notes=(FindingNote(NOON + 90, "bob", "Žluťoučký kůň."),),
    )  # fmt: skip

    changed = store.findings.change("f1", lambda _: said)
    store.findings.put(replace(FINDING, sentence="It moved far."))

    assert changed == said
    assert store.findings.finding("f1") == replace(said, sentence="It moved far.")
    assert store.findings.change("none", lambda found: found) is None


@pytest.mark.parametrize(("gravity", "is_snoozed"), [("note", True), ("grave", False)])
def test_snoozed_finding_wakes_where_it_gets_graver_and_stays_awake(
    store: Store, gravity: Gravity, is_snoozed: bool
) -> None:
    store.registry.add_model(a_model())
    store.findings.put(replace(FINDING, snooze=Snooze("ann", NOON, None, "warning")))

    store.findings.put(replace(FINDING, gravity=gravity))
    store.findings.put(FINDING)

    kept = store.findings.finding("f1")
    assert kept is not None and kept.is_snoozed(NOON) is is_snoozed


def test_findings_are_parted_by_what_is_wanted(store: Store) -> None:
    store.registry.add_model(a_model())
    theirs = replace(FINDING, id="f2", cause="rot", assigned_to="ann")
    over = replace(FINDING, id="f3", cause="x", assigned_to="ann", closed_at=NOON + 99)
    for one in (FINDING, theirs, over):
        store.findings.put(one)

    def listed(state: FindingState) -> list[str]:
        rows = store.findings.of_model(
            "elves", limit=9, state=state, wanted=lambda one: one.assigned_to == "ann"
        )
        return sorted(one.id for one in rows)

    assert [listed(state) for state in ("all", "open", "closed")] == [["f2", "f3"], ["f2"], ["f3"]]


def test_gravest_open_findings_come_first(store: Store) -> None:
    store.registry.add_model(a_model())
    store.findings.put(FINDING)
    store.findings.put(replace(FINDING, id="f2", cause="rot", kind="rot", gravity="grave"))

    assert [one.id for one in store.findings.open("elves")] == ["f2", "f1"]


def test_rules_are_the_usual_ones_until_they_are_changed(store: Store) -> None:
    store.registry.add_model(a_model())

    assert store.findings.rules("elves") == Rules()
    changed = Rules(distance=0.3, features={"height": FeatureRule(is_watched=False)})
    store.findings.set_rules("elves", changed)
    assert store.findings.rules("elves") == changed


@pytest.mark.every_store
def test_monitor_finds_its_standpoint_again(store: Store) -> None:
    store.registry.add_model(a_model())

    assert store.findings.standpoint("elves", "rot") == {}
    store.findings.stand("elves", "rot", {"at": NOON})
    store.findings.stand("elves", "rot", {"at": NOON + 1})
    assert store.findings.standpoint("elves", "rot") == {"at": NOON + 1}


def test_what_monitors_saw_stays_when_a_model_is_renamed(store: Store) -> None:
    store.registry.add_model(a_model())
    store.checks.put([CHECK])
    store.findings.put(FINDING)

    store.registry.rename_model("elves", "hobbits")

    assert store.checks.last("elves", "training") == CHECK
    assert store.findings.open("elves") == [FINDING]
    assert store.findings.open("hobbits") == []


@pytest.mark.every_store
def test_newest_finding_of_a_cause_is_found_whether_open_or_closed(store: Store) -> None:
    store.registry.add_model(a_model())
    store.findings.put(replace(FINDING, closed_at=NOON + 99))
    newer = replace(FINDING, id="f2", opened_at=NOON + 500)
    store.findings.put(newer)
    store.findings.put(replace(FINDING, id="f3", cause="rot", opened_at=NOON + 900))

    assert store.findings.last("elves", "drift") == newer
    older = store.findings.last("elves", "drift", until=NOON + 499)
    assert older == replace(FINDING, closed_at=NOON + 99)
    assert store.findings.last("elves", "drift", until=NOON) is None
    assert store.findings.last("elves", "quality:missing") is None


def test_findings_are_listed_by_state_newest_first_and_a_page_at_a_time(store: Store) -> None:
    store.registry.add_model(a_model())
    for number in range(4):
        closed_at = NOON + 500 if number % 2 else None
        store.findings.put(
            replace(FINDING, id=f"f{number}", cause=str(number), opened_at=NOON + number // 2,
                    closed_at=closed_at)
        )  # fmt: skip

    def ids(**asked: Any) -> list[str]:
        return [one.id for one in store.findings.of_model("elves", **asked)]

    assert ids(limit=9) == ["f3", "f2", "f1", "f0"]
    assert ids(limit=2, before=(NOON + 1, "f2")) == ["f1", "f0"]
    assert ids(limit=9, state="open") == ["f2", "f0"]
    assert ids(limit=9, state="closed", before=(NOON + 1, "f3")) == ["f1"]


@pytest.mark.every_store
def test_delivery_is_due_until_it_is_taken(store: Store) -> None:
    store.registry.add_model(a_model())
    store.findings.put(FINDING)

    assert store.deliveries.of("f1") is None
    assert store.deliveries.due("elves", NOON) == FINDING
    begun = store.deliveries.begin(FINDING, target="https://x/…", next_at=NOON + 60)
    assert begun == Delivery("f1", "elves", "https://x/…", 1, NOON + 60)
    assert store.deliveries.due("elves", NOON + 59) is None
    store.deliveries.end("f1", delivered_at=None, error="It answered 500.")
    assert store.deliveries.of("f1") == replace(begun, error="It answered 500.")
    assert store.deliveries.due("elves", NOON + 60) == FINDING

    store.deliveries.begin(FINDING, target="https://y/…", next_at=NOON + 180)
    store.deliveries.end("f1", delivered_at=NOON + 61)

    assert store.deliveries.of("f1") == Delivery("f1", "elves", "https://y/…", 2, None, NOON + 61)
    assert store.deliveries.due("elves", NOON + 1e6) is None


def test_what_is_new_is_due_before_what_was_tried(store: Store) -> None:
    store.registry.add_model(a_model())
    newer = replace(FINDING, id="f2", cause="rot", opened_at=NOON + 500)
    store.findings.put(FINDING)
    store.deliveries.begin(FINDING, target="", next_at=NOON)
    store.findings.put(newer)
    store.findings.put(replace(FINDING, id="f3", cause="old", closed_at=NOON + 9))

    assert store.deliveries.due("elves", NOON + 600) == newer
    assert store.deliveries.due("orcs", NOON + 600) is None
