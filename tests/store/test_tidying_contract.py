"""What every store promises of retention: small bites, nothing half, and totals that stay."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import get_args

import pytest

from tests.memory_store import MemoryStore
from tests.store.test_contract import NOON, a_model, a_prediction, a_verdict, shipped
from tests.store.test_watching_contract import FINDING
from unrot.core.ports import Store
from unrot.core.records import (
    Check,
    Fate,
    Feedback,
    Limits,
    Oddity,
    Prediction,
    Profile,
    Road,
    Shadow,
    Shipment,
    Tidied,
    UnverifiedFeedback,
    Window,
)
from unrot.core.time import MINUTES_A_DAY, MINUTES_AN_HOUR
from unrot.core.windows import total
from unrot.run.cabinet import Cabinet

DAYS = 86_400.0
MIDNIGHT = NOON // DAYS * DAYS
NOTHING_BEFORE = (0.0, "")
LATER = NOON + 500 * DAYS


@pytest.fixture
def elves(store: Store) -> Store:
    store.registry.add_model(a_model())
    return store


def tidied(store: Store) -> dict[str, tuple[int, float]]:
    return {one.what: (one.dropped, one.kept_since) for one in store.tidying.tidied("elves")}


def dropped(store: Store, limits: Limits, *, most: int = 100) -> int:
    """Go through all predictions; return how many went in all bites."""
    after: tuple[float, str] | None = NOTHING_BEFORE
    gone = 0
    while after is not None:
        bite = store.tidying.drop_predictions("elves", limits, after=after, most=most, now=LATER)
        gone += bite.done
        after = bite.next
    return gone


def kept(store: Store) -> list[str | None]:
    return [row.prediction.id for row in store.traffic.recent("elves", limit=100)]


# ── predictions ──────────────────────────────────────────────────────────────────────────────


def test_unjudged_go_by_age_and_judged_far_later(elves: Store) -> None:
    old, older = NOON, NOON - 90 * DAYS
    rows = [("a", older), ("b", older), ("c", old), ("d", old), ("new", NOON + DAYS)]
    shipped(elves, *[a_prediction(id, at=at) for id, at in rows])
    for id, at in (("a", older), ("c", old)):
        elves.verdicts.put([a_verdict(id, predicted_at=at)])

    gone = dropped(elves, Limits(NOON + 1, older + 1))

    assert gone == 3
    assert kept(elves) == ["new", "c"]
    assert tidied(elves) == {
        "predictions": (2, NOON + 1),
        "judged predictions": (1, older + 1),
    }


@pytest.mark.every_store
def test_what_belongs_to_a_prediction_goes_with_it_and_fates_stay(elves: Store) -> None:
    odd = Oddity("a", "elves", "v1", NOON, 2.0)
    elves.traffic.ship(Shipment("s", 0, 1, "me", [a_prediction("a")], oddities=[odd]))
    elves.verdicts.put([a_verdict("a", judge="ada")])
    elves.verdicts.put([a_verdict("a", was_correct=False)])
    elves.trials.add_shadows([Shadow("a", "elves", "v2", NOON, "orc", None)])
    elves.lessons.decide("elves", "v1", [Fate("a", "learnt", NOON)])

    dropped(elves, Limits(NOON + 1, NOON + 1))

    assert elves.traffic.prediction("a") is None
    assert elves.verdicts.of("a") is None
    assert elves.oddities.of("a") is None
    assert elves.trials.shadows("elves", "v2", 10) == []
    assert elves.holdings("elves").verdicts == 0
    assert elves.lessons.fates("elves", ["v1"]).verdicts == 0
    assert [fate.prediction for fate, _ in elves.lessons.fates_of("elves", "v1", limit=9)] == ["a"]


def test_a_withdrawn_verdict_is_as_good_as_any_to_keep_its_prediction(elves: Store) -> None:
    shipped(elves, a_prediction("a"))
    elves.verdicts.put([a_verdict("a"), a_verdict("a", given_at=NOON + 2, withdrawn=True)])

    assert dropped(elves, Limits(NOON + 1, 0.0)) == 0


def test_protected_and_imported_predictions_stay(elves: Store) -> None:
    elves.traffic.ship(Shipment("s1", 0, 1, "import-0123", [a_prediction("logged")]))
    elves.traffic.ship(Shipment("s2", 0, 1, "me", [a_prediction("audited"), a_prediction("b")]))

    gone = dropped(elves, Limits(NOON + 1, NOON + 1, frozenset(["audited"])))

    assert gone == 1
    assert kept(elves) == ["logged", "audited"]


def test_bites_are_of_so_many_rows_and_begin_where_the_last_one_ended(elves: Store) -> None:
    shipped(elves, *[a_prediction(f"p{number}", at=NOON + number) for number in range(7)])
    elves.verdicts.put([a_verdict("p1", predicted_at=NOON + 1)])

    first = elves.tidying.drop_predictions(
        "elves", Limits(NOON + 5, 0.0), after=NOTHING_BEFORE, most=2, now=LATER
    )
    gone = dropped(elves, Limits(NOON + 5, 0.0), most=2)

    assert first.done == 1
    assert first.next is not None
    assert gone == 3
    assert kept(elves) == ["p6", "p5", "p1"]
    assert tidied(elves) == {"predictions": (4, NOON + 5)}


@pytest.mark.every_store
def test_newest_tells_from_when_on_so_many_are_kept(elves: Store) -> None:
    shipped(elves, *[a_prediction(f"p{number}", at=NOON + number) for number in range(5)])

    found = [elves.tidying.newest("elves", rows) for rows in (1, 3, 5, 6)]

    assert found == [NOON + 4, NOON + 2, NOON, 0.0]


def test_verdict_on_what_was_let_go_is_refused(elves: Store) -> None:
    shipped(elves, a_prediction("a"), a_prediction("b", at=NOON + 10))
    dropped(elves, Limits(NOON + 5, 0.0))

    statuses = elves.verdicts.put(
        [
            a_verdict("a"),
            a_verdict("b", predicted_at=NOON + 10),
            a_verdict("on its way", predicted_at=NOON + 20),
        ]
    )

    assert statuses == ["forgotten", "created", "created"]
    assert elves.lessons.count_waiting("elves", ["v1"]) == 2


def test_acknowledged_verdict_on_what_was_let_go_is_kept_apart(elves: Store) -> None:
    shipped(elves, a_prediction("a"))
    dropped(elves, Limits(NOON + 5, 0.0))

    elves.traffic.ship(Shipment("s9", 0, 1, "me", feedback=[a_verdict("a")]))

    assert elves.verdicts.of("a") is None
    assert elves.lessons.count_waiting("elves", ["v1"]) == 0
    assert elves.holdings("elves").verdicts == 1


# ── windows ──────────────────────────────────────────────────────────────────────────────────


def rolled(store: Store, before: float, minutes: int) -> int:
    """Roll all there is; return in how many bites."""
    after: int | None = 0
    bites = -1
    while after is not None:
        after = store.tidying.roll_windows(
            "elves", after=after, before=before, minutes=minutes, now=LATER
        )
        bites += 1
    return bites


def windows(store: Store) -> list[Window]:
    return store.traffic.windows("elves", since=0, until=NOON + 600 * DAYS)


def without_names(window: Window) -> Window:
    return replace(window, minute=0, minutes=1, model="", version="", writer="")


def sums(store: Store, seconds: float) -> dict[float, Window]:
    """Sum what stands of each stretch of so many seconds, as pages do."""
    found: dict[float, list[Window]] = {}
    for one in windows(store):
        found.setdefault(one.minute * 60 // seconds, []).append(one)
    return {stretch: without_names(total(those)) for stretch, those in found.items()}


def some_traffic(store: Store, seed: int, segment: str, count: int = 120) -> list[Feedback]:
    """Ship predictions of three days by several writers and versions, and verdicts on some."""
    chance = random.Random(seed)
    verdicts = []
    for writer in ("me", "you"):
        rows = []
        for number in range(count):
            at = MIDNIGHT + chance.randrange(3 * 86_400)
            id = f"{segment}-{writer}-{number}"
            sure = chance.randrange(50, 100) / 100
            row: Prediction = a_prediction(id, at=at, label=chance.choice(["elf", "orc"]))
            rows.append(
                replace(
                    row,
                    version=chance.choice(["v1", "v2"]),
                    probabilities=[sure, 1 - sure],
                    seconds=chance.choice([0.001, 0.1, 3.0]),
                )
            )
            if chance.random() < 0.4:
                said = chance.random() < 0.7
                verdicts.append(a_verdict(id, predicted_at=at, was_correct=said))
        store.traffic.ship(Shipment(f"{segment}-{writer}", 0, 1, writer, rows))
    return verdicts


@pytest.mark.every_store
def test_sums_over_aligned_stretches_stay_on_every_store(store: Store) -> None:
    assert_sums_stay(store, 0)


@pytest.mark.parametrize("seed", range(1, 4))
def test_sums_over_aligned_stretches_stay_whatever_is_rolled_when(seed: int) -> None:
    assert_sums_stay(Cabinet(MemoryStore()), seed)


def assert_sums_stay(store: Store, seed: int) -> None:
    store.registry.add_model(a_model())
    chance = random.Random(seed)
    store.verdicts.put(some_traffic(store, seed, "early"))
    store.verdicts.count_new(1_000)
    hourly, daily = sums(store, 3_600), sums(store, 86_400)

    rolled(store, MIDNIGHT + chance.randrange(4 * 86_400), MINUTES_AN_HOUR)
    after_hours = sums(store, 3_600)
    rolled(store, MIDNIGHT + chance.randrange(4 * 86_400), MINUTES_A_DAY)

    assert after_hours == hourly
    assert sums(store, 86_400) == daily

    late = some_traffic(store, seed + 100, "late", 60)
    store.verdicts.put(late)
    store.verdicts.count_new(1_000)
    with_late = sums(store, 86_400)
    rolled(store, MIDNIGHT + 4 * DAYS, MINUTES_AN_HOUR)
    rolled(store, MIDNIGHT + 4 * DAYS, MINUTES_A_DAY)

    assert sums(store, 86_400) == with_late
    assert {one.minutes for one in windows(store)} == {MINUTES_A_DAY}
    assert len(windows(store)) == len({(w.minute, w.version, w.writer) for w in windows(store)})
    whole = total(windows(store))
    assert (whole.predictions, whole.verdicts) == (360, store.holdings("elves").verdicts)


def test_verdict_that_comes_after_its_minute_was_rolled_counts_in_the_hour(elves: Store) -> None:
    shipped(elves, a_prediction("a"), a_prediction("b", at=NOON + 300))
    elves.verdicts.put([a_verdict("a")])
    elves.verdicts.count_new(10)
    rolled(elves, NOON + DAYS, MINUTES_AN_HOUR)

    elves.verdicts.put([a_verdict("b", predicted_at=NOON + 300, was_correct=False)])
    elves.verdicts.put([a_verdict("a", given_at=NOON + 9, was_correct=False)])
    elves.verdicts.count_new(10)

    hour = int(NOON) // 3_600 * 60
    [traffic, verdicts] = windows(elves)
    assert (traffic.minute, traffic.minutes, traffic.predictions) == (hour, 60, 2)
    assert (verdicts.minute, verdicts.minutes) == (hour, 60)
    assert (verdicts.verdicts, verdicts.judged, verdicts.correct) == (2, 2, 0)


def test_late_shipment_at_the_start_of_a_rolled_day_is_added_to_the_day(elves: Store) -> None:
    shipped(elves, a_prediction("a", at=MIDNIGHT + 7_200))
    rolled(elves, NOON + 2 * DAYS, MINUTES_AN_HOUR)
    rolled(elves, NOON + 2 * DAYS, MINUTES_A_DAY)
    late = [a_prediction("b", at=MIDNIGHT), a_prediction("c", at=MIDNIGHT + 600)]
    shipped(elves, *late, segment="s2")

    rolled(elves, NOON + 2 * DAYS, MINUTES_AN_HOUR)

    [day] = windows(elves)
    assert (day.minute, day.minutes, day.predictions) == (int(MIDNIGHT) // 60, MINUTES_A_DAY, 3)


def test_hours_and_days_that_are_not_over_are_left(elves: Store) -> None:
    shipped(elves, a_prediction("a", at=MIDNIGHT), a_prediction("b", at=MIDNIGHT + 3_600))

    bites = rolled(elves, MIDNIGHT + 3_600 + 3_599, MINUTES_AN_HOUR)

    assert bites == 1
    assert [one.minutes for one in windows(elves)] == [60, 1]


@pytest.mark.every_store
def test_rolling_again_does_nothing(elves: Store) -> None:
    shipped(elves, *[a_prediction(f"p{n}", at=MIDNIGHT + 600 * n) for n in range(12)])
    rolled(elves, NOON + DAYS, MINUTES_AN_HOUR)
    once, told = windows(elves), elves.tidying.tidied("elves")

    bites = rolled(elves, NOON + DAYS, MINUTES_AN_HOUR)

    assert bites == 0
    assert windows(elves) == once
    assert told == [Tidied("elves", "minute totals", LATER, 10, NOON + DAYS)]
    assert elves.tidying.tidied("elves") == told


# ── profiles and what is only old ────────────────────────────────────────────────────────────


def a_profile(minute: int, *, rows: int = 1, writer: str = "me", minutes: int = 5) -> Profile:
    starts_at = MIDNIGHT + 60 * minute
    ends_at = starts_at + 60 * minutes
    id = f"elves.{minute}.{minutes}.{writer}"
    return Profile(id, "elves", "v1", writer, starts_at, ends_at, rows, b"p")


def group(store: Store, *, after: float = 0.0, seconds: int = 3_600) -> list[str]:
    found = store.tidying.short_profiles(
        "elves", after=after, before=NOON + DAYS, seconds=seconds, most=12
    )
    return [one.id for one in found]


def test_short_profiles_are_found_hour_by_hour_and_writer_by_writer(elves: Store) -> None:
    for minute, writer in ((0, "me"), (5, "you"), (55, "me"), (60, "me"), (58, "me")):
        elves.profiles.put(a_profile(minute, writer=writer))
    elves.profiles.put(a_profile(10, writer="import-01"))

    found = [group(elves), group(elves, after=MIDNIGHT + 300), group(elves, after=MIDNIGHT + 3_500)]

    assert found[0] == ["elves.0.5.me", "elves.55.5.me"]
    assert found[1] == ["elves.5.5.you"]
    assert found[2] == ["elves.60.5.me"]


@pytest.mark.every_store
def test_profiles_of_the_hour_are_found_with_the_hour_they_go_into_first(elves: Store) -> None:
    for profile in (a_profile(5), a_profile(0, minutes=60, rows=9)):
        elves.profiles.put(profile)

    assert group(elves) == ["elves.0.60.me", "elves.5.5.me"]


def test_one_profile_takes_the_place_of_several(elves: Store) -> None:
    short = [a_profile(0, rows=2), a_profile(5, rows=3)]
    for one in short:
        elves.profiles.put(one)
    whole = replace(a_profile(0, minutes=60, rows=5), data=b"pp")

    is_done = elves.tidying.put_together(short, whole, now=LATER)

    assert is_done
    assert [one.id for one in elves.profiles.of_model("elves")] == [whole.id]
    assert elves.profiles.get(whole.id) == whole
    assert tidied(elves) == {"short profiles": (1, whole.ends_at)}


def test_profile_that_has_grown_meanwhile_is_not_replaced(elves: Store) -> None:
    short = [a_profile(0), a_profile(5)]
    for one in short:
        elves.profiles.put(one)
    elves.profiles.put(replace(short[1], rows=2))

    is_done = elves.tidying.put_together(short, a_profile(0, minutes=60, rows=2), now=LATER)

    assert not is_done
    assert [one.rows for one in elves.profiles.of_model("elves")] == [1, 2]


def test_profile_of_others_is_not_overwritten(elves: Store) -> None:
    taken, short = a_profile(0, minutes=60, rows=9), a_profile(5)
    for one in (taken, short):
        elves.profiles.put(one)

    is_done = elves.tidying.put_together([short], replace(taken, rows=1), now=LATER)

    assert not is_done
    assert sum(one.rows for one in elves.profiles.of_model("elves")) == 10


def test_what_is_only_old_goes_some_at_a_time(elves: Store) -> None:
    shipped(elves, a_prediction("kept"))
    elves.verdicts.put([a_verdict(id) for id in ("kept", "never came", "nor this")])
    older = [UnverifiedFeedback(f"u{n}", "elves", [1], "elf", True, NOON) for n in range(3)]
    elves.verdicts.put_unverified(older)
    elves.profiles.put(a_profile(0))
    elves.profiles.put(a_profile(0, writer="import-01"))
    elves.checks.put([Check("elves", "v1", NOON - 60, NOON, "training", 1, 1)])

    def drop(what: str, most: int = 2) -> int:
        before = NOON + DAYS
        return elves.tidying.drop_old("elves", what, before=before, most=most, now=LATER)  # type: ignore[arg-type]

    assert [drop("unverified verdicts"), drop("unverified verdicts")] == [2, 1]
    assert [drop("verdicts without a prediction"), drop("verdicts without a prediction")] == [2, 0]
    assert [drop("profiles"), drop("checks"), drop("checks")] == [1, 1, 0]
    assert [one.writer for one in elves.profiles.of_model("elves")] == ["import-01"]
    assert elves.verdicts.of("kept") == a_verdict("kept")
    assert elves.checks.last("elves", "training") is None


@pytest.mark.every_store
def test_what_was_sent_is_let_go_long_after_its_finding_was_closed(elves: Store) -> None:
    closed = replace(FINDING, id="closed", cause="old", closed_at=NOON + 9)
    for one in (FINDING, closed):
        elves.findings.put(one)
        elves.deliveries.begin(one, target="https://x/…", next_at=NOON)
        elves.deliveries.begin(one, target="ada@example.org", next_at=NOON, by="mail")

    def drop(before: float) -> int:
        return elves.tidying.drop_old("elves", "deliveries", before=before, most=9, now=LATER)

    assert [drop(NOON + 9), drop(LATER), drop(LATER)] == [0, 2, 0]
    for by in get_args(Road):
        assert elves.deliveries.of("closed", by) is None
        assert elves.deliveries.of(FINDING.id, by) is not None
