"""Retention on a real home folder: what goes, what stays, killed at any place, twice as once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import ROOT, environment
from tests.newest import newest
from tests.shipping import ship_in_parts
from unrot.core.errors import Expired, StoreAway
from unrot.core.records import Audit, Caller, Feedback, Prediction, Shipment
from unrot.core.windows import total
from unrot.run import retention
from unrot.run.leader import Leader
from unrot.run.retention import Retention, limits, sweep
from unrot.run.tidying_store import TidyingStore
from unrot.serve.service import Service
from unrot.watch import audit
from unrot.watch.profiles.keeper import ProfileKeeper
from unrot.watch.reports import accuracy

DAYS = 86_400.0
ROW = [5.1, 3.5, 1.4, 0.2]
ADA = Caller(role="judge", judge="ada")


@pytest.fixture
def kept_days(service: Service) -> Service:
    """Keep unjudged rows for 40 days, judged ones for 100."""
    return replace(service, settings=replace(service.settings, keep_days=40, keep_judged_days=100))


def a_row(id: str, at: float) -> Prediction:
    return Prediction(id, "iris", "v1", at, ROW, "Iris-setosa", [0.9, 0.1, 0.0], None, 0.001)


def brought(service: Service, rows: list[Prediction], segment: str = "s1") -> None:
    ship_in_parts(service.store, Shipment(segment, 0, 1, "me", rows))


def days_of(service: Service, count: int, a_day: int = 4) -> None:
    """Leave some days of traffic; every other prediction is judged, three in four as right."""
    now = service.clock()
    rows = [
        a_row(f"{day:03}-{number}", now - day * DAYS - 600 * number)
        for day in range(count)
        for number in range(a_day)
    ]
    brought(service, rows)
    service.store.verdicts.put(
        [
            Feedback(str(row.id), "iris", row.predicted_at, row.predicted_at + 60, number % 8 != 0)
            for number, row in enumerate(rows)
            if number % 2 == 0
        ]
    )
    while service.store.verdicts.count_new(1_000):
        continue


def swept(service: Service) -> int:
    return sum(sweep(service))


def ids(service: Service) -> list[str]:
    return sorted(str(row.prediction.id) for row in newest(service, "iris", 10_000))


# ── what goes ────────────────────────────────────────────────────────────────────────────────


def test_ages_come_from_the_settings(kept_days: Service) -> None:
    now = kept_days.clock()

    found = limits(replace(kept_days, clock=lambda: now), "iris")

    assert (now - found.unjudged_before, now - found.judged_before) == (40 * DAYS, 100 * DAYS)


def test_what_can_still_be_judged_stays_whatever_the_ages_say(service: Service) -> None:
    now = service.clock()
    hasty = replace(service.settings, keep_days=1, keep_judged_days=1, feedback_days=30)

    found = limits(replace(service, settings=hasty, clock=lambda: now), "iris")

    assert (now - found.unjudged_before, now - found.judged_before) == (30 * DAYS, 32 * DAYS)


def test_newest_rows_limit_how_many_unjudged_ones_are_kept(service: Service) -> None:
    now = service.clock()
    brought(service, [a_row(f"p{number}", now - number) for number in range(9)])
    few = replace(service, settings=replace(service.settings, keep_rows=4), clock=lambda: now)

    swept(few)

    assert ids(few) == ["p0", "p1", "p2", "p3"]


def test_rows_go_by_age_and_windows_keep_what_they_told(kept_days: Service) -> None:
    days_of(kept_days, 120)
    before = total(kept_days.store.traffic.windows("iris", since=0, until=kept_days.clock() + 60))

    swept(kept_days)

    unjudged = [f"{day:03}-{number}" for day in range(40) for number in (1, 3)]
    judged = [f"{day:03}-{number}" for day in range(100) for number in (0, 2)]
    assert ids(kept_days) == sorted(unjudged + judged)
    windows = kept_days.store.traffic.windows("iris", since=0, until=kept_days.clock() + 60)
    assert replace(total(windows), minute=before.minute) == before
    assert (before.predictions, before.verdicts) == (480, 240)
    assert {one.minutes for one in windows} == {1, 60, 1440}


def test_accuracy_by_day_is_the_same_after_rolling(kept_days: Service) -> None:
    now = kept_days.clock() // DAYS * DAYS
    service = replace(kept_days, clock=lambda: now)
    days_of(service, 90)
    span = {"since": now - 90 * DAYS, "until": now, "step": DAYS}

    def course() -> list[accuracy.Point]:
        points = accuracy.over_time(service, "iris", **span).points
        return [replace(one, window=replace(one.window, minute=0)) for one in points]

    before = course()

    swept(service)

    assert course() == before
    assert sum(point.accuracy.count for point in before) == 179


def test_second_round_finds_nothing(kept_days: Service) -> None:
    days_of(kept_days, 60)
    first = swept(kept_days)

    assert first > 0
    assert swept(kept_days) == 0


def test_no_bite_is_large(kept_days: Service) -> None:
    now = kept_days.clock()
    rows = [a_row(f"p{number}", now - 50 * DAYS - number) for number in range(1_700)]
    brought(kept_days, rows)

    bites = list(retention._predictions(kept_days, "iris"))

    assert bites == [300, 300, 300, 300, 300, 200, 0]


def test_rows_of_an_audit_stay_while_they_can_be_judged(service: Service) -> None:
    now = service.clock()
    few = replace(service, settings=replace(service.settings, keep_rows=1), clock=lambda: now)
    brought(few, [a_row(f"p{number}", now - 100 - number) for number in range(3)])
    few.store.trials.add_audit(Audit("a1", "iris", now - DAYS, ("p2",)))

    swept(few)

    assert ids(few) == ["p0", "p2"]
    assert audit.state(few, "a1").left == 1


def test_verdict_on_a_prediction_that_is_not_kept_is_told_kindly(service: Service) -> None:
    now = service.clock()
    few = replace(service, settings=replace(service.settings, keep_rows=1))
    id, segment = "", b"12345"
    for row, age in enumerate((200.0, 100.0)):
        made = few.ids.make(
            at=now - age, segment=segment, row=row, model_number=_number(few), class_index=0
        )
        brought(few, [a_row(made, now - age)], segment=f"s{row}")
        id = id or made
    swept(few)

    with pytest.raises(Expired) as said:
        few.judge({"id": id, "was_correct": True}, ADA)

    assert said.value.message == (
        "The prediction is not kept any more, so it can no longer be judged: the app keeps the "
        "newest ones (UNROT_KEEP_DAYS, UNROT_KEEP_ROWS), and none that it was told to forget."
    )
    assert few.judge_many([{"id": id, "was_correct": True}], ADA) == [(id, "expired")]


def _number(service: Service) -> int:
    return service.catalogue().model("iris").model.number


# ── profiles ─────────────────────────────────────────────────────────────────────────────────


def keeper(service: Service) -> ProfileKeeper:
    from unrot.watch.profiles import references

    return ProfileKeeper(
        store=service.store,
        profiler=service.profiler,
        schema_of=lambda name: service.catalogue().model(name).model.schema,
        writer="me",
        seconds=300,
        folder=None,
        reference_of=lambda name, version: references.bins_of(service, name, version),
    )


def test_profiles_become_hours_and_days_of_the_same_rows(service: Service) -> None:
    midnight = service.clock() // DAYS * DAYS
    old, older = midnight - 5 * DAYS, midnight - 50 * DAYS
    rows = [
        replace(a_row(f"{start}-{number}", start + 450 * number), inputs=[4.0 + number, 3, 1, 0.2])
        for start in (old, older)
        for number in range(15)
    ]
    brought(service, rows)
    profiles = keeper(service)
    profiles.add(rows)
    profiles.write_all()
    whole = sum(one.rows for one in service.store.profiles.of_model("iris"))

    swept(service)

    found = service.store.profiles.of_model("iris")
    lengths = [(one.starts_at, one.ends_at - one.starts_at, one.rows) for one in found]
    assert lengths == [(older, DAYS, 15), (old, 3_600.0, 8), (old + 3_600, 3_600.0, 7)]
    assert whole == 30
    day = service.store.profiles.get(found[0].id)
    assert day is not None
    column = day.summary["sepal_length_cm"]
    assert (column.rows, column.low, column.high, column.mean) == (15, 4.0, 18.0, 11.0)
    sketch = service.profiler.read(day.data)["sepal_length_cm"]
    assert (sketch.rows, sketch.low, sketch.high) == (15, 4.0, 18.0)
    assert swept(service) == 0


def test_hour_with_a_damaged_profile_stays_and_keeps_no_other_from_it(service: Service) -> None:
    old = service.clock() // DAYS * DAYS - 5 * DAYS
    rows = [a_row(f"p{number}", old + 600 * number) for number in range(12)]
    brought(service, rows)
    profiles = keeper(service)
    profiles.add(rows)
    profiles.write_all()
    [first, *_] = service.store.profiles.of_model("iris")
    service.store.profiles.put(replace(first, data=b"nonsense"))

    swept(service)

    lengths = [one.ends_at - one.starts_at for one in service.store.profiles.of_model("iris")]
    assert sorted(lengths) == [*[300.0] * 6, 3_600.0]


def test_rows_that_went_do_not_make_a_profile_incomplete(service: Service) -> None:
    now = service.clock()
    rows = [a_row(f"p{number}", now - 7_200 - number) for number in range(5)]
    brought(service, rows)
    profiles = keeper(service)
    profiles.add(rows)
    profiles.write_all()
    few = replace(service, settings=replace(service.settings, keep_rows=2))

    swept(few)

    assert len(ids(few)) == 2
    assert keeper(few).incomplete(now - DAYS) == []


# ── the caretaker ────────────────────────────────────────────────────────────────────────────


def test_one_caretaker_tidies_a_little_at_each_round(
    kept_days: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "WORK_SECONDS", 0.0)
    days_of(kept_days, 60)
    mine, other = Leader(kept_days, "mine"), Leader(kept_days, "other")

    mine.go_round()
    other.go_round()
    first = len(ids(kept_days))
    while mine._retention.is_due:
        mine.go_round()

    assert other._retention.is_due
    assert first == 60 * 4 - 20 * 2
    assert {one.what for one in kept_days.store.tidying.tidied("iris")} == {
        "predictions",
        "minute totals",
    }


def test_keeper_rests_when_all_is_tidy_and_after_a_trouble(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "WORK_SECONDS", 60.0)
    keeper = Retention(service)
    keeper.work()
    rests = not keeper.is_due

    def away(*_: object, **__: object) -> None:
        raise StoreAway("The database does not answer.")

    monkeypatch.setattr(TidyingStore, "roll_windows", away)
    other = Retention(service)
    with pytest.raises(StoreAway):
        other.work()

    assert (rests, other.is_due) == (True, False)


# ── killed ───────────────────────────────────────────────────────────────────────────────────

SWEEPER = """
import sys
from dataclasses import replace
from unrot.run.bootstrap import open_service
from unrot.core.settings import Settings
from unrot.run import tidying
from pathlib import Path
tidying.ROWS_AT_ONCE = 20
service = open_service(Settings(home=Path(sys.argv[1]), keep_days=40, keep_judged_days=100))
clock = float(sys.argv[2])
for rows in tidying.sweep(replace(service, clock=lambda: clock)):
    print(rows, flush=True)
"""


def sweeper(home: Path, clock: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SWEEPER, str(home), str(clock)],
        cwd=ROOT,
        env=environment(home),
        text=True,
        stdout=subprocess.PIPE,
    )


@pytest.mark.parametrize("bites", [5, 90])
def test_killed_sweep_leaves_nothing_half_and_the_next_one_ends_it(
    kept_days: Service, bites: int
) -> None:
    days_of(kept_days, 120)
    clock = kept_days.clock()
    before = total(kept_days.store.traffic.windows("iris", since=0, until=clock + 60))
    process = sweeper(kept_days.settings.home, clock)
    assert process.stdout is not None
    for _ in range(bites):
        process.stdout.readline()

    os.kill(process.pid, signal.SIGKILL)
    process.communicate()

    windows = kept_days.store.traffic.windows("iris", since=0, until=clock + 60)
    assert replace(total(windows), minute=before.minute) == before
    rows = newest(kept_days, "iris", 10_000)
    judged = sum(row.feedback is not None for row in rows)
    assert judged == kept_days.store.holdings("iris").verdicts
    told = {one.what: one.dropped for one in kept_days.store.tidying.tidied("iris")}
    gone = told.get("predictions", 0) + told.get("judged predictions", 0)
    assert len(rows) + gone == 480
    swept(replace(kept_days, clock=lambda: clock))
    assert len(ids(kept_days)) == 40 * 2 + 100 * 2
