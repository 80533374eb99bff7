"""What every store promises of what monitors saw: checks, oddities, findings, rules."""

from __future__ import annotations

from dataclasses import replace

from tests.stores.test_contract import NOON, a_model
from unrot.interfaces import Store
from unrot.records import CountedStretch, Profile
from unrot.symptoms import Check, Distribution, Drift, FeatureRule, Finding, Rules

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


def test_acknowledgement_stays_when_a_finding_goes_on(store: Store) -> None:
    store.registry.add_model(a_model())
    store.findings.put(FINDING)

    seen = store.findings.acknowledge("f1", at=NOON + 70, by="ann", note="on it")
    again = store.findings.acknowledge("f1", at=NOON + 80, by="bob", note="me too")
    store.findings.put(replace(FINDING, gravity="grave"))

    assert (
        seen
        == again
        == replace(FINDING, acknowledged_at=NOON + 70, acknowledged_by="ann", note="on it")
    )
    kept = store.findings.finding("f1")
    assert kept is not None and (kept.acknowledged_by, kept.gravity) == ("ann", "grave")
    assert store.findings.acknowledge("none", at=1, by="", note="") is None


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


def test_monitor_finds_its_standpoint_again(store: Store) -> None:
    store.registry.add_model(a_model())

    assert store.findings.standpoint("elves", "rot") == {}
    store.findings.stand("elves", "rot", {"at": NOON})
    store.findings.stand("elves", "rot", {"at": NOON + 1})
    assert store.findings.standpoint("elves", "rot") == {"at": NOON + 1}


def test_what_monitors_saw_follows_a_rename(store: Store) -> None:
    store.registry.add_model(a_model())
    store.checks.put([CHECK])
    store.findings.put(FINDING)

    store.registry.rename_model("elves", "hobbits")

    check = store.checks.last("hobbits", "training")
    assert check == replace(CHECK, model="hobbits")
    assert store.findings.open("hobbits") == [replace(FINDING, model="hobbits")]
