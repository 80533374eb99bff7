"""The lookout goes round: each monitor looks, what it sees is kept, one that fails stops none."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from unrot.core.errors import Invalid, StoreAway
from unrot.core.records import Finding, Symptom
from unrot.core.rules import Rules
from unrot.run.leader import Leader
from unrot.serve.service import Service
from unrot.watch import round as rounds
from unrot.watch.round import Lookout
from unrot.watch.visit import Look, Visit

SEEN = Symptom("drift", "drift", is_present=True, at=1_000.0, sentence="It moved.")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Go round in one go, on a busy machine too."""
    monkeypatch.setattr(rounds, "ROUND_SECONDS", 0.0)
    monkeypatch.setattr(rounds, "AT_ONCE_SECONDS", float("inf"))


def telling(*symptoms: Symptom) -> Look:
    """A monitor of iris that sees just this."""

    def look(visit: Visit) -> Iterable[Symptom]:
        return symptoms if visit.name == "iris" else ()

    return look


def go_round(service: Service, *looks: Look) -> None:
    Lookout(service, tuple((f"monitor {number}", look) for number, look in enumerate(looks))
            ).go_round()  # fmt: skip


def found(service: Service) -> list[Finding]:
    return service.store.findings.of_model("iris", limit=9)


def test_what_a_monitor_sees_becomes_a_finding(service: Service) -> None:
    go_round(service, telling(SEEN))

    [finding] = found(service)
    assert (finding.cause, finding.sentence, finding.opened_at) == ("drift", "It moved.", 1_000.0)
    assert service.store.findings.open("zombies") == []


def test_history_opens_and_closes_findings_in_the_past(service: Service) -> None:
    days = [replace(SEEN, at=1_000.0 + 86_400 * day, is_present=day in (1, 3)) for day in range(5)]

    go_round(service, telling(*days))

    assert [(one.opened_at, one.closed_at) for one in found(service)] == [
        (1_000.0 + 3 * 86_400, 1_000.0 + 4 * 86_400),
        (1_000.0 + 1 * 86_400, 1_000.0 + 2 * 86_400),
    ]


def test_log_of_before_makes_findings_of_its_own_and_leaves_those_of_now(service: Service) -> None:
    """The third of the old ones lies within a finding that is there; the fourth never ends."""
    go_round(
        service,
        telling(
            replace(SEEN, at=40_000.0),
            replace(SEEN, at=50_000.0, is_present=False),
            replace(SEEN, at=90_000.0),
        ),
    )
    before = found(service)
    days = [
        replace(SEEN, at=10_000.0),
        replace(SEEN, at=10_060.0, gravity="grave"),
        replace(SEEN, at=12_000.0, is_present=False),
        replace(SEEN, at=14_000.0, is_present=False),
        replace(SEEN, at=45_000.0),
        replace(SEEN, at=70_000.0),
        replace(SEEN, at=71_000.0),
    ]

    for _ in range(2):
        go_round(service, telling(*days))

    spans = [(one.opened_at, one.closed_at, one.gravity) for one in found(service)]
    assert spans == [
        (90_000.0, None, "warning"),
        (70_000.0, 71_000.0, "warning"),
        (40_000.0, 50_000.0, "warning"),
        (10_000.0, 12_000.0, "grave"),
    ]
    assert [one for one in found(service) if one in before] == before


def test_each_cause_has_a_finding_of_its_own(service: Service) -> None:
    rot = replace(SEEN, cause="rot", kind="rot")

    go_round(service, telling(SEEN, rot), telling(replace(rot, at=1_060.0, is_present=False)))

    assert {one.cause: one.is_open for one in found(service)} == {"drift": True, "rot": False}


def test_monitor_that_fails_stops_no_other_and_is_told_of_once(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(visit: Visit) -> Iterator[Symptom]:
        raise Invalid("It cannot see.")
        yield SEEN

    lookout = Lookout(service, (("blind", refuse), ("drift", telling(SEEN))))

    with caplog.at_level(logging.WARNING):
        lookout.go_round()
        lookout.go_round()

    assert [one.cause for one in found(service)] == ["drift"]
    assert [record.getMessage() for record in caplog.records] == [
        "blind of iris is not watched now: It cannot see.",
        "blind of zombies is not watched now: It cannot see.",
    ]


def test_store_that_is_away_ends_the_round_and_the_next_one_begins_anew(service: Service) -> None:
    tries: list[str] = []

    def look(visit: Visit) -> Iterator[Symptom]:
        tries.append(visit.name)
        if len(tries) == 1:
            raise StoreAway("It does not answer.")
        yield SEEN

    lookout = Lookout(service, (("drift", look),))

    with pytest.raises(StoreAway):
        lookout.go_round()
    lookout.go_round()

    assert tries == ["iris", "iris", "zombies"]
    assert len(found(service)) == 1


def test_long_round_is_gone_a_little_at_a_time(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "AT_ONCE_SECONDS", 0.0)
    causes = [replace(SEEN, cause=f"drift:{number}") for number in range(3)]
    lookout = Lookout(service, (("drift", telling(*causes)),))

    seen = []
    for _ in range(5):
        lookout.go_round()
        seen.append(len(found(service)))

    assert seen == [0, 1, 2, 3, 3]
    assert lookout.is_due()


def test_finding_is_closed_when_its_kind_is_not_watched_any_more(service: Service) -> None:
    go_round(service, telling(SEEN))
    service.store.findings.set_rules("iris", Rules(drift=False))

    go_round(service, telling(replace(SEEN, at=2_000.0)))

    [finding] = found(service)
    assert not finding.is_open


def test_caretaker_of_all_goes_the_round(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = Leader(service, "me"), Leader(service, "other")
    for leader in (one, other):
        leader._lookout = Lookout(service, (("drift", telling(SEEN)),))

    one.go_round()
    service.store.findings.set_rules("iris", Rules(drift=False))
    other.go_round()

    assert [finding.is_open for finding in found(service)] == [True]
