"""Broken data is found where checks and windows show it, once, and closed when it is mended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from unrot.lookout import quality
from unrot.lookout.findings import FindingKeeper
from unrot.records import Feature, Schema, Window
from unrot.service import Service
from unrot.shelf import ShelvedModel
from unrot.symptoms import Check, Drift, FeatureRule, Finding, Rules, Symptom

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


@pytest.fixture
def shelved(service: Service) -> ShelvedModel:
    """Iris, but with features of other kinds."""
    found = service.catalogue().model("iris")
    return replace(found, model=replace(found.model, schema=SCHEMA))


def drift(column: str, **shares: float) -> Drift:
    return Drift(column, 0.0, "ks", 0.0, 1.0, has_moved=False, is_calm=True, **shares)


def period(number: int, *drifts: Drift, rows: int = 150) -> Check:
    starts_at = NOON + 300.0 * number
    return Check("iris", "v1", starts_at, starts_at + 300, "training", rows, 120, drifts)


def looked(
    service: Service, shelved: ShelvedModel, rules: Rules | None = None, now: float = NOON + 9e4
) -> list[Symptom]:
    return list(quality.look(service, shelved, rules or Rules(), now))


def found(service: Service, shelved: ShelvedModel) -> list[Finding]:
    """Look, keep what is seen, and return it."""
    keeper = FindingKeeper(service, shelved, Rules(), NOON + 9e4)
    for symptom in looked(service, shelved):
        keeper.keep(symptom)
    return service.store.findings.of_model("iris", limit=9)


def test_column_that_is_missing_is_found_named_and_closed_when_it_is_filled(
    service: Service, shelved: ShelvedModel
) -> None:
    gaps = drift("age", missing=0.25, missing_before=0.01)
    service.store.checks.put(
        [period(0, drift("age")), period(1, gaps), period(2, gaps), period(3, drift("age"))]
    )

    [one] = found(service, shelved)

    assert (one.cause, one.kind, one.gravity, one.features) == (
        "quality:missing", "quality", "warning", ("age",),
    )  # fmt: skip
    assert one.sentence == "25 % of age is missing; before it was 1 %."
    assert (one.since, one.opened_at, one.closed_at) == (NOON + 300, NOON + 600, NOON + 1200)
    assert one.evidence == {
        "rows": 150,
        "starts_at": NOON + 600.0,
        "ends_at": NOON + 900.0,
        "features": [{"column": "age", "share": 0.25, "before": 0.01}],
    }


def test_choices_never_seen_are_found_and_numbers_out_of_range_are_not(
    service: Service, shelved: ShelvedModel
) -> None:
    service.store.checks.put(
        [period(0, drift("age", unseen=0.9), drift("sex", unseen=0.6), drift("works", unseen=0.2))]
    )

    [one] = found(service, shelved)

    assert (one.cause, one.gravity) == ("quality:unseen", "grave")
    assert one.sentence == "60 % of sex and 20 % of works was never seen in training."


def test_what_a_finding_of_drift_names_is_not_found_twice(
    service: Service, shelved: ShelvedModel
) -> None:
    named = Finding("d", "iris", "drift", "drift", "warning", NOON, NOON + 300, NOON + 300,
                    "It moved.", "", ("sex",), closed_at=NOON + 900.0)  # fmt: skip
    service.store.findings.put(named)
    new = drift("sex", unseen=0.6)
    service.store.checks.put([period(number, new) for number in range(4)])

    seen = [one.at for one in looked(service, shelved) if one.is_present]

    assert seen == [NOON + 900, NOON + 1200]


def test_period_with_few_rows_says_nothing(service: Service, shelved: ShelvedModel) -> None:
    service.store.checks.put([period(0, drift("age", missing=1.0), rows=99)])

    assert looked(service, shelved) == []


def test_each_period_is_looked_at_once(service: Service, shelved: ShelvedModel) -> None:
    service.store.checks.put([period(0, drift("age", missing=0.5))])
    first = looked(service, shelved)
    again = looked(service, shelved)
    service.store.checks.put([period(1, drift("age", missing=0.5))])

    assert (len(first), again, len(looked(service, shelved))) == (2, [], 2)


def test_rules_of_a_feature_hold_before_those_of_all() -> None:
    rules = Rules(
        missing=0.05,
        unseen=0.06,
        features={
            "age": FeatureRule(missing=0.5), "sex": FeatureRule(unseen=0.7),
            "works": FeatureRule(is_watched=False),
        },
    )  # fmt: skip

    assert quality.thresholds(SCHEMA, rules, "missing") == {"age": 0.5, "sex": 0.05}
    assert quality.thresholds(SCHEMA, rules, "unseen") == {"sex": 0.7}


def test_many_columns_are_told_in_few_words(service: Service) -> None:
    service.store.checks.put(
        [period(0, *(drift(f"c{number}", missing=0.9 - number / 10) for number in range(5)))]
    )
    wide = Schema(tuple(Feature(f"c{number}", "number") for number in range(5)), "ill")
    found = service.catalogue().model("iris")

    [one, *_] = looked(service, replace(found, model=replace(found.model, schema=wide)))

    assert (
        one.sentence == "90 % of c0, 80 % of c1, 70 % of c2 and much of 2 more features is missing."
    )


def traffic(
    service: Service, monkeypatch: pytest.MonkeyPatch, *minutes: tuple[int, dict[str, int]]
) -> None:
    """Let the minutes from noon on have counted this."""
    windows = [
        Window(NOON // 60 + number, "iris", "v1", "me", predictions=kept, rejected=refused)
        for number, (kept, refused) in enumerate(minutes)
    ]

    def between(model: str, *, since: float, until: float) -> list[Window]:
        assert model == "iris"
        return [one for one in windows if since <= one.minute * 60 < until]

    monkeypatch.setattr(service.store.traffic, "windows", between)


def test_refused_rows_are_found_with_their_reasons_and_closed_when_they_are_few(
    service: Service, shelved: ShelvedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    minute = replace(service, settings=replace(service.settings, rotation_seconds=10))
    many = (60, {"wrong_type": 30, "unknown_field": 10})
    traffic(
        service, monkeypatch, (100, {"wrong_type": 3}), many, (100, {"wrong_type": 8}), (100, {})
    )

    before = looked(minute, shelved, now=NOON + 65.0)
    after = looked(minute, shelved, now=NOON + 250.0)

    assert [(one.cause, one.is_present, one.at) for one in before] == []
    assert [(one.cause, one.is_present, one.at) for one in after] == [
        ("quality:rejected", False, NOON + 60),
        ("quality:rejected", True, NOON + 120),
        ("quality:rejected", False, NOON + 240),
    ]
    assert after[1].sentence == (
        "40 % of 100 rows were refused: 30 wrong type and 10 unknown field."
    )
    assert after[1].evidence == {
        "rows": 100,
        "refused": 40,
        "rejected_share": 0.4,
        "starts_at": NOON + 60.0,
        "ends_at": NOON + 120.0,
        "reasons": {"wrong type": 30, "unknown field": 10},
    }
    assert looked(minute, shelved, now=NOON + 251.0) == []


def test_refused_rows_wait_until_there_are_enough(
    service: Service, shelved: ShelvedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    minute = replace(service, settings=replace(service.settings, rotation_seconds=60))
    traffic(service, monkeypatch, (30, {"missing": 20}), (30, {}), (10, {"missing": 20}))

    first = looked(minute, shelved, now=NOON + 70.0)
    [second] = looked(minute, shelved, now=NOON + 200.0)

    assert first == []
    assert (second.since, second.at, second.evidence["rows"]) == (NOON + 0, NOON + 180, 110)
