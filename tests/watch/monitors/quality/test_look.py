"""Broken data is found where profiles and windows show it, once, and closed when it is mended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.shipping import ship_in_parts
from unrot.core.records import (
    IMPORTED,
    Distribution,
    Feature,
    Finding,
    Prediction,
    Profile,
    RefusedFor,
    Schema,
    Shipment,
    Symptom,
    Window,
)
from unrot.core.rules import FeatureRule, Rules
from unrot.serve.service import Service
from unrot.serve.shelf import ShelvedModel
from unrot.watch.finding_keeper import FindingKeeper
from unrot.watch.monitors.quality import look as quality
from unrot.watch.profiles import references
from unrot.watch.profiles.baseline import Reference
from unrot.watch.visit import Visit

NOON = 1_700_049_600
SCHEMA = Schema(
    (
        Feature("age", "number"),
        Feature("sex", "category", choices=("f", "m")),
        Feature("works", "boolean"),
    ),
    "ill",
    ("no", "yes"),
)
CHOICES = Distribution("choice", rows=2_000, once=2, twice=0)
TRAINED = {
    "age": Distribution("number", rows=2_000, missing=20),
    "sex": CHOICES,
    "works": replace(CHOICES, once=0),
}


@pytest.fixture
def shelved(service: Service, monkeypatch: pytest.MonkeyPatch) -> ShelvedModel:
    """Iris, but with features of other kinds, trained on 2,000 rows."""
    monkeypatch.setattr(references, "on_bins", lambda *_: Reference(TRAINED))
    found = service.catalogue().model("iris")
    return replace(found, model=replace(found.model, schema=SCHEMA))


def put(service: Service, number: int, *, rows: int = 500, **columns: Mapping[str, int]) -> None:
    """Keep the profile of a period of five minutes: of each column what is not as usual."""
    starts_at = NOON + 300.0 * number
    whole = {"rows": rows, "missing": 0, "once": 0}
    summary = {
        name: replace(lay, **{**whole, **columns.get(name, {})}) for name, lay in TRAINED.items()
    }
    service.store.profiles.put(
        Profile(f"p{number}", "iris", "v1", "me", starts_at, starts_at + 300, rows, b"", summary,
                reference="bins")
    )  # fmt: skip


def gaps(count: int) -> dict[str, int]:
    return {"missing": count, "missing_runs": count}


def new(count: int) -> dict[str, int]:
    return {"unseen": count, "unseen_runs": count}


def looked(
    service: Service, shelved: ShelvedModel, rules: Rules | None = None, now: float = NOON + 9e4
) -> list[Symptom]:
    return list(quality.look(Visit(service, shelved, rules or Rules(), now)))


def found(service: Service, shelved: ShelvedModel, rules: Rules | None = None) -> list[Finding]:
    """Look, keep what is seen, and return it."""
    keeper = FindingKeeper(Visit(service, shelved, Rules(), NOON + 9e4))
    for symptom in looked(service, shelved, rules):
        keeper.keep(symptom)
    return service.store.findings.of_model("iris", limit=9)


def seen(symptoms: list[Symptom], cause: str = "quality:missing") -> list[tuple[int, bool]]:
    return [(int(one.at - NOON) // 300, one.is_present) for one in symptoms if one.cause == cause]


# ── columns ──────────────────────────────────────────────────────────────────────────────────


def test_column_that_is_missing_is_found_named_and_closed_when_it_is_filled(
    service: Service, shelved: ShelvedModel
) -> None:
    for number, count in enumerate((5, 5, 50, 50, 5)):
        put(service, number, age=gaps(count))

    [one] = found(service, shelved)

    assert (one.cause, one.kind, one.gravity, one.features) == (
        "quality:missing", "quality", "warning", ("age",),
    )  # fmt: skip
    assert one.sentence == "10 % of age is missing; 1 % is usual."
    assert (one.since, one.opened_at, one.closed_at) == (NOON + 600, NOON + 900, NOON + 1500)
    evidence: Any = one.evidence
    assert (evidence["rows"], evidence["starts_at"], evidence["ends_at"]) == (
        500, NOON + 900.0, NOON + 1200.0,
    )  # fmt: skip
    [age] = evidence["features"]
    assert (age["column"], age["share"], round(age["usual"], 3)) == ("age", 0.1, 0.01)


def test_few_rows_with_fewer_gaps_do_not_close_what_goes_on(
    service: Service, shelved: ShelvedModel
) -> None:
    for number, count in enumerate((1, 1, 12, 12, 3, 12, 0, 0)):
        put(service, number, rows=100, age=gaps(count))

    [one] = found(service, shelved)

    assert one.sentence == "12 % of age is missing; 1 % is usual."
    assert (one.opened_at, one.closed_at) == (NOON + 900, NOON + 300 * 7)


def test_gaps_that_training_had_as_well_and_gaps_by_chance_are_no_finding(
    service: Service, shelved: ShelvedModel
) -> None:
    for number, count in enumerate((5, 9, 2, 8, 5)):
        put(service, number, age=gaps(count))

    assert found(service, shelved) == []


def test_choices_that_training_never_saw_are_told_beside_what_is_expected(
    service: Service, shelved: ShelvedModel
) -> None:
    put(service, 0, sex=new(1))
    put(service, 1, sex=new(15))

    [one] = found(service, shelved)

    assert (one.cause, one.gravity) == ("quality:unseen", "warning")
    assert one.sentence == (
        "3 % of sex are choices that training never saw; 0.12 % would be expected."
    )


def test_numbers_a_thousand_times_too_large_are_found_where_they_are_one_in_a_hundred(
    service: Service, shelved: ShelvedModel
) -> None:
    put(service, 0)
    put(service, 1, age={"far": 5, "far_runs": 5, **new(5)})

    [one] = found(service, shelved)

    assert one.cause == "quality:range"
    assert one.sentence == (
        "1 % of age lies outside the range of training by more than three times its width; "
        "0 % is usual."
    )


def test_numbers_just_outside_may_be_of_another_hour_until_a_week_is_known(
    service: Service, shelved: ShelvedModel
) -> None:
    put(service, 0, age=new(15))
    early = found(service, shelved)
    for number in range(1, 5):
        put(service, number * 500, age=new(15 * (number == 4)))

    symptoms = looked(service, shelved, now=NOON + 8 * 86_400.0)

    assert early == []
    assert [one[0] for one in seen(symptoms, "quality:range") if one[1]] == []


def test_numbers_just_outside_are_found_where_a_week_had_none(
    service: Service, shelved: ShelvedModel
) -> None:
    for number in range(5):
        put(service, number * 505, age=new(15 * (number == 4)))

    symptoms = looked(service, shelved, now=NOON + 8 * 86_400.0)

    [one] = [one for one in symptoms if one.is_present]
    assert (
        one.sentence == "3 % of age lies outside the range of training; 0.05 % would be expected."
    )


def test_rows_that_come_in_runs_are_worth_less(service: Service, shelved: ShelvedModel) -> None:
    put(service, 0)
    put(service, 1, age={"missing": 30, "missing_runs": 1})

    assert found(service, shelved) == []


def test_rows_that_come_twenty_times_are_worth_less(
    service: Service, shelved: ShelvedModel
) -> None:
    kinds = [[float(number), "f", True] for number in range(25)]
    rows = [
        Prediction(f"p{n}", "iris", "v1", NOON + 300 + n / 2, kinds[n % 25], "a", None, None)
        for n in range(500)
    ]
    ship_in_parts(service.store, Shipment("s", 0, 1, "me", rows))
    put(service, 0)
    put(service, 1, age=gaps(60))

    assert found(service, shelved) == []


def test_few_rows_wait_for_those_of_the_next_periods(
    service: Service, shelved: ShelvedModel
) -> None:
    for number in range(10):
        put(service, number, rows=20, age=gaps(10))

    assert seen(looked(service, shelved)) == [(5, True), (10, True)]


def test_what_a_finding_of_drift_names_is_not_found_twice(
    service: Service, shelved: ShelvedModel
) -> None:
    named = Finding("d", "iris", "drift", "drift", "warning", NOON, NOON + 300, NOON + 300,
                    "It moved.", "", ("sex",), closed_at=NOON + 900.0)  # fmt: skip
    service.store.findings.put(named)
    for number in range(4):
        put(service, number, sex=new(300))

    told = seen(looked(service, shelved), "quality:unseen")

    assert told == [(1, False), (2, False), (3, True), (4, True)]


def test_each_period_is_looked_at_once(service: Service, shelved: ShelvedModel) -> None:
    put(service, 0, age=gaps(250))
    first = looked(service, shelved)
    again = looked(service, shelved)
    put(service, 1, age=gaps(250))

    assert (len(first), again, len(looked(service, shelved))) == (3, [], 3)


def test_history_that_comes_in_later_is_gone_through_as_if_it_had_been_live(
    service: Service, shelved: ShelvedModel
) -> None:
    for number in range(100, 103):
        put(service, number)
    looked(service, shelved)
    for number, count in enumerate((5, 50, 5)):
        put(service, number, age=gaps(count))
    runs = {"runs": [[1, float(NOON), NOON + 800.0]]}
    service.store.findings.stand("iris", IMPORTED, runs)

    assert seen(looked(service, shelved)) == [(1, False), (2, True), (3, False)]
    assert looked(service, shelved) == []


def test_limit_that_a_person_sets_holds_and_that_of_a_feature_before_it(
    service: Service, shelved: ShelvedModel
) -> None:
    put(service, 0, age=gaps(5))
    put(service, 1, age=gaps(50))
    of_age = {"age": FeatureRule(missing=0.08)}

    assert found(service, shelved, Rules(missing=0.2)) == []
    service.store.findings.stand("iris", "quality", {})
    [one] = found(service, shelved, Rules(missing=0.2, features=of_age))
    assert one.features == ("age",)


def test_each_kind_of_column_has_limits_of_its_own() -> None:
    rules = Rules(
        missing=0.05, unseen=0.06,
        features={"sex": FeatureRule(unseen=0.7), "works": FeatureRule(is_watched=False)},
    )  # fmt: skip

    assert quality.limits_of(SCHEMA, rules) == {
        "missing:age": 0.05, "outside:age": 0.06, "far:age": 0.06,
        "missing:sex": 0.05, "unseen:sex": 0.7,
    }  # fmt: skip


# ── refused rows ─────────────────────────────────────────────────────────────────────────────

Minute = tuple[int, dict[str, int], RefusedFor]


def traffic(service: Service, monkeypatch: pytest.MonkeyPatch, *minutes: Minute) -> None:
    """Let the minutes from noon on have counted this."""
    windows = [
        Window(NOON // 60 + number, "iris", "v1", "me", predictions=kept, rejected=refused,
               refused_for=more)
        for number, (kept, refused, more) in enumerate(minutes)
    ]  # fmt: skip

    def between(model: str, *, since: float, until: float) -> list[Window]:
        assert model == "iris"
        return [one for one in windows if since <= one.minute * 60 < until]

    monkeypatch.setattr(service.store.traffic, "windows", between)


def a_minute(kept: int, feature: str = "", **reasons: int) -> Minute:
    count = sum(reasons.values())
    return kept, reasons, RefusedFor({feature: reasons} if feature else {}, requests=count)


def test_rows_that_lack_a_feature_and_are_refused_are_found_with_its_name(
    service: Service, shelved: ShelvedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    minute = replace(service, settings=replace(service.settings, rotation_seconds=10))
    broken = a_minute(450, "age", missing=30, null=20)
    traffic(service, monkeypatch, a_minute(500), broken, a_minute(500))

    before = looked(minute, shelved, now=NOON + 65.0)
    after = looked(minute, shelved, now=NOON + 250.0)

    assert [(one.cause, one.is_present, one.at) for one in before] == []
    assert [(one.cause, one.is_present, one.at) for one in after] == [
        ("quality:rejected", False, NOON + 60),
        ("quality:rejected", True, NOON + 120),
        ("quality:rejected", False, NOON + 180),
    ]
    assert after[1].sentence == "10 % of 500 rows lack age and were refused; usually 0 %."
    assert after[1].features == ("age",)
    assert after[1].evidence == {
        "rows": 500,
        "refused": 50,
        "rejected_share": 0.1,
        "usual_share": 0.0,
        "starts_at": NOON + 60.0,
        "ends_at": NOON + 120.0,
        "reasons": {"missing": 30, "null": 20},
    }
    assert looked(minute, shelved, now=NOON + 251.0) == []


def test_refused_rows_of_no_feature_are_told_by_their_reasons(
    service: Service, shelved: ShelvedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    traffic(service, monkeypatch, a_minute(160, wrong_type=30, unknown_feature=10))

    [one] = looked(service, shelved, now=NOON + 400.0)

    assert one.sentence == (
        "20 % of 200 rows were refused: 30 wrong type and 10 unknown feature; 0 % is usual."
    )


def beside(kept: int, requests: int) -> Minute:
    """Requests of fifty rows, in each of which five lack their age."""
    lacking = {"missing": 5 * requests}
    return kept, lacking, RefusedFor({"age": lacking}, requests, beside=45 * requests)


def test_one_request_that_is_refused_is_no_finding(
    service: Service, shelved: ShelvedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    traffic(service, monkeypatch, beside(450, 1))

    [one] = looked(service, shelved, now=NOON + 700.0)

    assert not one.is_present


def test_rows_beside_wrong_ones_are_refused_with_them(
    service: Service, shelved: ShelvedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    traffic(service, monkeypatch, beside(0, 20))

    [one] = looked(service, shelved, now=NOON + 700.0)

    assert one.sentence == (
        "10 % of 1,000 rows lack age and were refused; usually 0 %; with the rows beside them in "
        "the same requests 100 % were refused."
    )
    assert (one.gravity, one.evidence["refused"]) == ("grave", 1_000)


def test_refused_rows_wait_until_there_are_enough(
    service: Service, shelved: ShelvedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    minute = replace(service, settings=replace(service.settings, rotation_seconds=60))
    few = a_minute(30, "age", missing=20)
    traffic(service, monkeypatch, few, a_minute(30), few)

    first = looked(minute, shelved, now=NOON + 70.0)
    [second] = looked(minute, shelved, now=NOON + 200.0)

    assert first == []
    assert (second.since, second.at, second.evidence["rows"]) == (NOON + 0, NOON + 180, 130)
