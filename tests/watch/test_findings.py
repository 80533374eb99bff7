"""What people say of findings: who works on one, until when it may wait, what is to be known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conftest import noon
from tests.web.watch.findings import DRIFT, ROT, put
from unrot.core.errors import Conflict, Invalid
from unrot.core.records import Finding
from unrot.serve.service import Service
from unrot.watch import findings
from unrot.watch.reports.fleet import fleet
from unrot.watch.reports.health import part_snoozed

HOUR = 3_600.0


def later(service: Service, seconds: float) -> Service:
    """The same store as another process has it, some time on."""
    return replace(service, clock=lambda: noon() + seconds)


def snoozed(service: Service) -> list[str]:
    return [one.id for one in findings.listed(service, "iris", state="snoozed").rows]


def snooze(service: Service, found: Finding = DRIFT, seconds: float = HOUR) -> Finding:
    until = service.clock() + seconds
    return findings.snooze_finding(service, "iris", found.id, by="ada", until=until)


def test_snoozed_finding_comes_back_by_itself(service: Service) -> None:
    put(service, DRIFT, ROT)

    snooze(service)

    assert snoozed(service) == ["d1f7"]
    assert snoozed(later(service, HOUR - 60)) == ["d1f7"]
    assert snoozed(later(service, HOUR + 60)) == []
    assert [one.id for one in findings.open_findings(service, "iris")] == ["a07e", "d1f7"]


def test_finding_that_gets_graver_wakes(service: Service) -> None:
    put(service, DRIFT)
    findings.snooze_finding(service, "iris", "d1f7", by="ada", until=None)
    long_after = later(service, 1e8)
    before = snoozed(long_after)

    put(service, replace(DRIFT, gravity="grave", updated_at=DRIFT.updated_at + 60))

    assert (before, snoozed(long_after)) == (["d1f7"], [])


def test_what_cannot_get_graver_is_not_snoozed_until_it_does(service: Service) -> None:
    put(service, ROT)

    with pytest.raises(Conflict, match="It cannot get graver"):
        findings.snooze_finding(service, "iris", ROT.id, by="ada", until=None)


def test_snooze_is_ended(service: Service) -> None:
    put(service, DRIFT)
    snooze(service)

    findings.wake_finding(service, "iris", "d1f7")

    assert snoozed(service) == []


def test_what_is_over_is_not_snoozed(service: Service) -> None:
    put(service, DRIFT)
    snooze(service)
    put(service, replace(DRIFT, closed_at=DRIFT.opened_at + 60))

    assert snoozed(service) == []
    with pytest.raises(Conflict, match="It is over"):
        snooze(service)


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 367 * 86_400.0])
def test_snooze_ends_in_the_year_to_come(service: Service, seconds: float) -> None:
    put(service, DRIFT)

    with pytest.raises(Invalid, match="a moment to come, at most a year from now"):
        snooze(service, seconds=seconds)


def test_home_counts_what_is_snoozed_apart(service: Service) -> None:
    put(service, DRIFT)
    snooze(service)

    [glance] = fleet(service, [service.catalogue().model("iris")], shows_findings=True)

    assert (list(glance.findings), glance.snoozed, glance.state) == ([], 1, "unknown")


def test_open_findings_are_parted(service: Service) -> None:
    put(service, DRIFT, ROT)
    snooze(service)

    awake, asleep = part_snoozed(service.store.findings.open(), service.clock())

    assert ([one.id for one in awake], [one.id for one in asleep]) == (["a07e"], ["d1f7"])


def test_notes_make_a_thread(service: Service) -> None:
    put(service, DRIFT)
    findings.acknowledge(service, "iris", "d1f7", by="ada", note="The sensor?")
    findings.acknowledge(service, "iris", "d1f7", by="bob", note="I ask them.")

    found = findings.note_finding(service, "iris", "d1f7", by="cleo", text=" They\nmend it. ")

    assert [(one.by, one.text) for one in found.thread] == [
        ("ada", "The sensor?"),
        ("bob", "I ask them."),
        ("cleo", "They\nmend it."),
    ]
    assert found.acknowledged_by == "ada"


def test_thread_has_an_end(service: Service) -> None:
    notes = findings.note_finding
    put(service, DRIFT)
    for _ in range(findings.MOST_NOTES):
        notes(service, "iris", "d1f7", by="ada", text="x")

    with pytest.raises(Conflict, match="50 notes already"):
        notes(service, "iris", "d1f7", by="ada", text="x")


@pytest.mark.parametrize("text", ["", "  ", "x" * 2_001, "a\0b", "\ud800"])
def test_note_that_no_store_could_keep_is_refused(service: Service, text: str) -> None:
    put(service, DRIFT)

    with pytest.raises(Invalid, match=r"a text of 1 to 2,000 characters"):
        findings.note_finding(service, "iris", "d1f7", by="ada", text=text)


def test_finding_is_assigned_and_taken_away_again(service: Service) -> None:
    put(service, DRIFT)

    names = [
        findings.assign_finding(service, "iris", "d1f7", to=to).assigned_to
        for to in ("  Ada   Lovelace ", "bob", "")
    ]

    assert names == ["Ada Lovelace", "bob", ""]
    with pytest.raises(Invalid, match="at most 80 characters"):
        findings.assign_finding(service, "iris", "d1f7", to="x" * 81)


def test_those_with_a_token_are_known(service: Service) -> None:
    settings = replace(service.settings, judge_tokens={"ada": "x" * 16})

    assert findings.known_people(replace(service, settings=settings)) == ["ada"]
