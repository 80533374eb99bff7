"""Bursts of odd rows in a real store: imported days, live traffic, drift of the same features."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris

from tests.shipping import ship_in_parts
from unrot.core.records import Finding, Oddity, Prediction, Reason, Shipment, Symptom
from unrot.core.rules import Rules
from unrot.make.csv import import_log
from unrot.make.csv.log import LogColumns
from unrot.make.csv.reading import open_table
from unrot.serve.service import Service
from unrot.watch.monitors.outliers import look as outliers
from unrot.watch.monitors.outliers.rule import kept_rates
from unrot.watch.visit import Visit

DAY = 86_400
FIRST = 1_767_225_600
"""2026-01-01 00:00 UTC."""

Bring = Callable[..., None]


@pytest.fixture
def bring(service: Service, tmp_path: Path) -> Bring:
    """Import days of 150 flowers; of some days 30 sepals are as wide as none ever was."""

    def bring(*spoilt: bool, start: int = FIRST, seed: int = 1) -> None:
        chance, flowers = np.random.default_rng(seed), load_iris().data
        path = tmp_path / f"log-{start}-{seed}.csv"
        with path.open("w", newline="") as file:
            written = csv.writer(file)
            written.writerow(["at", *service.catalogue().model("iris").model.schema.names])
            for day, is_spoilt in enumerate(spoilt):
                rows = flowers[chance.permutation(150)]
                if is_spoilt:
                    rows[:30, 1] = chance.uniform(8, 10, 30)
                for place, row in enumerate(rows.tolist()):
                    written.writerow([start + day * DAY + place * 570, *row])
        settings = replace(service.settings, rotation_seconds=DAY)  # one profile a day
        import_log.bring_in(
            replace(service, settings=settings),
            open_table(path),
            LogColumns(time="at", label=None, prediction=None),
            lambda _share, _step: None,
            name="iris",
            refuse=pytest.fail,
        )

    return bring


def looked(service: Service, rules: Rules | None = None, now: float = 0.0) -> list[Symptom]:
    shelved = service.catalogue().model("iris")
    return list(outliers.look(Visit(service, shelved, rules or Rules(), now or service.clock())))


def told(symptoms: list[Symptom]) -> list[tuple[float, bool]]:
    return [((one.at - FIRST) / DAY, one.is_present) for one in symptoms]


def sent(service: Service, at: float, count: int, odd: int, *, is_repeated: bool = False) -> None:
    """Ship predictions of which some are odd, as a caretaker does."""
    inputs = np.random.default_rng(7).normal(size=(1 if is_repeated else count, 4)).tolist()
    rows = [
        Prediction(
            f"{at:.0f}-{n}", "iris", "v1", at + n / 1_000, inputs[n % len(inputs)], "a", None, None
        )
        for n in range(count)
    ]
    oddities = [
        Oddity(one.id or "", "iris", "v1", one.predicted_at, 2.0, (Reason("petal_width_cm", 0.8),))
        for one in rows[:odd]
    ]
    segment = f"segment-{at}"
    shipment = Shipment(
        segment, 0, 1, "me", rows, oddities=oddities, looked_at={one.id or "" for one in rows}
    )
    ship_in_parts(service.store, shipment)


def drift(since: float, closed_at: float | None, *features: str) -> Finding:
    return Finding(
        "d1", "iris", "drift", "drift", "warning", since, since, since, "It moved.", "Refit.",
        features, closed_at=closed_at,
    )  # fmt: skip


# ── imported history ─────────────────────────────────────────────────────────────────────────


def test_day_with_thirty_odd_sepals_is_found_and_named_and_the_others_are_quiet(
    service: Service, bring: Bring
) -> None:
    bring(False, True, False)

    found = looked(service)

    assert told(found) == [(1, False), (2, True), (3, False)]
    burst = found[1]
    assert burst.features == ("sepal_width_cm",)
    assert burst.since == FIRST + DAY
    assert burst.gravity == "warning"
    evidence = dict(burst.evidence)
    assert round(evidence.pop("usual_share"), 4) == 0.0045  # 1 % of the training, none of a day
    assert evidence.pop("farthest") > 3
    assert evidence == {
        "starts_at": FIRST + DAY,
        "ends_at": FIRST + 2 * DAY,
        "looked_at": 150,
        "outliers": 30,
        "share": 0.2,
        "features": [{"feature": "sepal_width_cm", "rows": 30, "share": 1.0}],
    }
    assert burst.sentence == (
        "30 of 150 rows (20 %) from 2026-01-02 00:00 to 2026-01-03 00:00 UTC are unlike anything "
        "it was trained on, above all in sepal_width_cm (30 of 30). About 0.5 % is usual."
    )


def test_each_odd_flower_is_in_the_feed(service: Service, bring: Bring) -> None:
    bring(False, True, False)

    feed = service.store.oddities.recent("iris", limit=200)

    assert len(feed) == 30
    assert {oddity.reasons[0].feature for oddity, _ in feed} == {"sepal_width_cm"}
    assert all(judged is not None and judged.prediction.inputs[1] > 7 for _, judged in feed)


def test_what_was_looked_at_is_not_looked_at_again(service: Service, bring: Bring) -> None:
    bring(False, True, False)
    first = looked(service)

    assert len(first) == 3
    assert looked(service) == []
    assert looked(service, now=service.clock() + 3_600) == []


def test_history_that_comes_in_later_is_looked_at(service: Service, bring: Bring) -> None:
    bring(False, True)
    looked(service)
    looked(service, now=service.clock() + 3_600)

    bring(True, start=FIRST - DAY, seed=2)
    bring(False, True, start=FIRST + 10 * DAY, seed=3)

    assert told(looked(service)) == [(0, True), (11, False), (12, True)]
    note = service.store.findings.standpoint("iris", "outliers")
    days = [((one.starts_at - FIRST) / DAY, one.outliers) for one in kept_rates(note)]
    assert days == [(-1, 30), (0, 0), (1, 30), (10, 0), (11, 30)]


# ── live traffic ─────────────────────────────────────────────────────────────────────────────


def test_burst_is_told_when_its_period_is_over_and_not_before(service: Service) -> None:
    start = service.clock() // 300 * 300 + 600
    looked(service, now=start)
    sent(service, start, 200, odd=30)

    assert looked(service, now=start + 299) == []
    assert looked(service, now=start + 305) == []  # some are still on their way
    [burst] = looked(service, now=start + 311)
    assert (burst.is_present, burst.since, burst.at) == (True, start, start + 300)
    assert burst.features == ("petal_width_cm",)


def test_steady_traffic_and_little_traffic_raise_nothing(service: Service) -> None:
    start = service.clock() // 300 * 300 + 600
    looked(service, now=start)
    sent(service, start, 500, odd=5)
    sent(service, start + 300, 20, odd=20)

    found = looked(service, now=start + 700)

    assert [(one.is_present, one.at) for one in found] == [(False, start + 300)]


def test_one_row_that_comes_many_times_is_no_burst(service: Service) -> None:
    start = service.clock() // 300 * 300 + 600
    looked(service, now=start)
    sent(service, start, 200, odd=20, is_repeated=True)

    assert [one.is_present for one in looked(service, now=start + 700)] == []


def test_between_calm_and_burst_nothing_is_said(service: Service) -> None:
    start = service.clock() // 300 * 300 + 600
    looked(service, now=start)
    sent(service, start, 1_000, odd=40)

    assert looked(service, now=start + 700) == []


def test_rules_say_what_a_burst_is(service: Service) -> None:
    start = service.clock() // 300 * 300 + 600
    looked(service, now=start)
    sent(service, start, 200, odd=50)

    assert looked(service, Rules(outlier_share=0.3), now=start + 700) == []
    sent(service, start + 900, 200, odd=100)
    [burst] = looked(service, Rules(outlier_share=0.3), now=start + 1_300)
    assert burst.gravity == "grave"


def test_model_that_nobody_looked_at_raises_nothing(service: Service) -> None:
    assert looked(service) == []


# ── drift of the same features ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("features", "since", "closed_at", "days"),
    [
        (("sepal_width_cm", "petal_width_cm"), 1, 2, [(1, False), (3, False)]),
        (("sepal_width_cm",), 1, None, [(1, False), (3, False)]),
        (("petal_width_cm",), 1, 2, [(1, False), (2, True), (3, False)]),
        (("sepal_width_cm",), 0, 1, [(1, False), (2, True), (3, False)]),
        (("sepal_width_cm",), 2.5, None, [(1, False), (2, True), (3, False)]),
    ],
)
def test_drift_of_the_same_features_at_that_time_is_the_cause(
    service: Service,
    bring: Bring,
    features: tuple[str, ...],
    since: float,
    closed_at: float | None,
    days: list[tuple[float, bool]],
) -> None:
    end = None if closed_at is None else FIRST + closed_at * DAY
    service.store.findings.put(drift(FIRST + since * DAY, end, *features))
    bring(False, True, False)

    assert told(looked(service)) == days


def test_drift_that_is_found_later_takes_the_open_finding_over(service: Service) -> None:
    start = service.clock() // 300 * 300 + 600
    looked(service, now=start)
    sent(service, start, 200, odd=50)
    [burst] = looked(service, now=start + 311)
    ours = replace(
        drift(burst.since, None, *burst.features), id="o1", cause="outliers", kind="outliers",
        updated_at=burst.at,
    )  # fmt: skip
    service.store.findings.put(ours)
    service.store.findings.put(drift(start, None, "petal_width_cm", "sepal_width_cm"))

    [end] = looked(service, now=start + 700)

    assert (end.cause, end.is_present, end.at) == ("outliers", False, burst.at)
    assert end.sentence.startswith("The same features have drifted")
