"""What findings, checks, outliers and profiles promise where several machines ask and write."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.memory_store import MemoryStore
from tests.store.test_contract import NOON, a_model, a_prediction
from tests.store.test_watching_contract import CHECK, DRIFT, FINDING
from unrot.core.errors import Conflict
from unrot.core.policy import Policy
from unrot.core.ports import Store
from unrot.core.records import Check, Finding, Profile, Shipment, Stretch
from unrot.core.rules import Rules
from unrot.run.cabinet import Cabinet
from unrot.store.kinds import BATCH, OF_MODELS, PROFILE, Kind
from unrot.store.kinds import CHECK as CHECKS
from unrot.store.kinds import FINDING as FINDINGS
from unrot.store.operations import Change

SHORT = Profile("a", "elves", "v1", "me", NOON, NOON + 300, 3, b"a")


@pytest.fixture
def elves(store: Store) -> Store:
    store.registry.add_model(a_model())
    return store


def at_once(*works: Callable[[], object]) -> list[str]:
    """Do all at the same moment; return what refused some."""
    start, refused = threading.Barrier(len(works)), []

    def do(work: Callable[[], object]) -> None:
        start.wait()
        try:
            work()
        except Conflict as error:
            refused.append(error.message)

    threads = [threading.Thread(target=do, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refused


class Interrupted(MemoryStore):
    """A store where somebody else is a moment faster, once."""

    before_commit: Callable[[], object] | None = None

    def commit(self, changes: Sequence[Change]) -> None:
        """Let the other one go first."""
        first, self.before_commit = self.before_commit, None
        if first is not None:
            first()
        super().commit(changes)


# ── one open finding of a cause ──────────────────────────────────────────────────────────────


def test_one_finding_of_a_cause_is_open_at_a_time(elves: Store) -> None:
    second = replace(FINDING, id="f2", opened_at=NOON + 500)
    elves.findings.put(FINDING)

    with pytest.raises(Conflict, match="f1"):
        elves.findings.put(second)
    elves.findings.put(replace(second, id="past", closed_at=NOON + 501))
    elves.findings.put(replace(second, id="rot", cause="rot"))
    elves.findings.put(replace(FINDING, closed_at=NOON + 99))
    elves.findings.put(second)
    with pytest.raises(Conflict, match="f2"):
        elves.findings.put(FINDING)

    assert [one.id for one in elves.findings.open("elves")] == ["f2", "rot"]
    kept = elves.findings.finding("f1")
    assert kept is not None and kept.closed_at == NOON + 99


def test_finding_closed_and_opened_again_is_the_one_that_is_open(elves: Store) -> None:
    elves.findings.put(replace(FINDING, closed_at=NOON + 99))
    elves.findings.put(replace(FINDING, closed_at=NOON + 99))
    elves.findings.put(FINDING)
    elves.findings.put(FINDING)

    with pytest.raises(Conflict):
        elves.findings.put(replace(FINDING, id="f2"))

    assert elves.findings.open() == [FINDING]


def test_same_cause_may_be_open_for_two_models(elves: Store) -> None:
    elves.registry.add_model(a_model("orcs"))

    elves.findings.put(FINDING)
    elves.findings.put(replace(FINDING, id="o1", model="orcs"))

    assert [one.id for one in elves.findings.open("orcs")] == ["o1"]
    assert len(elves.findings.open()) == 2


@pytest.mark.every_store
def test_of_several_leaders_at_once_one_opens_a_finding(open_store: Callable[[], Store]) -> None:
    stores = [open_store() for _ in range(4)]
    stores[0].registry.add_model(a_model())

    def opening(store: Store, number: int) -> Callable[[], None]:
        return lambda: store.findings.put(replace(FINDING, id=f"f{number}", since=NOON + number))

    refused = at_once(*[opening(store, number) for number, store in enumerate(stores)])

    assert len(refused) == 3
    [found] = stores[0].findings.open("elves")
    assert found == replace(FINDING, id=found.id, since=found.since)
    assert stores[0].findings.of_model("elves", limit=9) == [found]


@pytest.mark.every_store
def test_finding_closed_by_one_leader_is_opened_by_none_of_two_twice(
    open_store: Callable[[], Store],
) -> None:
    one, other = open_store(), open_store()
    one.registry.add_model(a_model())
    for number in range(5):
        first, second = (replace(FINDING, id=f"{name}{number}") for name in ("a", "b"))
        at_once(lambda f=first: one.findings.put(f), lambda f=second: other.findings.put(f))  # type: ignore[misc]
        [found] = one.findings.open("elves")

        closed = replace(found, closed_at=NOON + 99)
        at_once(lambda f=closed: one.findings.put(f), lambda f=closed: other.findings.put(f))  # type: ignore[misc]

        assert one.findings.open("elves") == []


def test_leader_who_is_a_moment_late_opens_nothing() -> None:
    database = Interrupted()
    store = Cabinet(database)
    store.registry.add_model(a_model())
    first = replace(FINDING, id="f2")
    database.before_commit = lambda: store.findings.put(first)

    with pytest.raises(Conflict, match='f2 of "drift" is open already'):
        store.findings.put(FINDING)

    assert store.findings.of_model("elves", limit=9) == [first]


def test_finding_that_was_closed_a_moment_before_is_not_closed_for_the_next_one() -> None:
    database = Interrupted()
    store = Cabinet(database)
    store.registry.add_model(a_model())
    store.findings.put(FINDING)
    closed, following = replace(FINDING, closed_at=NOON + 99), replace(FINDING, id="f2")

    def overtake() -> None:
        store.findings.put(closed)
        store.findings.put(following)

    database.before_commit = overtake
    store.findings.put(closed)

    assert store.findings.open("elves") == [following]
    with pytest.raises(Conflict, match="f2"):
        store.findings.put(FINDING)


# ── nobody's change is lost ──────────────────────────────────────────────────────────────────


def seen_by_ann(found: Finding) -> Finding:
    return replace(found, acknowledged_at=NOON, acknowledged_by="ann")


@pytest.mark.every_store
def test_acknowledgement_beside_a_finding_that_goes_on_stays(
    open_store: Callable[[], Store],
) -> None:
    one, other = open_store(), open_store()
    one.registry.add_model(a_model())
    for number in range(5):
        found = replace(FINDING, id=f"f{number}", cause=f"c{number}")
        one.findings.put(found)

        at_once(
            lambda f=found: one.findings.put(replace(f, gravity="grave")),  # type: ignore[misc]
            lambda f=found: other.findings.change(f.id, seen_by_ann),  # type: ignore[misc]
        )

        kept = one.findings.finding(found.id)
        assert kept is not None and (kept.gravity, kept.acknowledged_by) == ("grave", "ann")


def test_acknowledgement_a_moment_before_stays() -> None:
    database = Interrupted()
    store = Cabinet(database)
    store.registry.add_model(a_model())
    store.findings.put(FINDING)
    database.before_commit = lambda: store.findings.change("f1", seen_by_ann)

    store.findings.put(replace(FINDING, gravity="grave"))

    kept = store.findings.finding("f1")
    assert kept is not None and (kept.gravity, kept.acknowledged_by) == ("grave", "ann")


@pytest.mark.every_store
def test_rules_and_policy_changed_at_once_are_both_changed(
    open_store: Callable[[], Store],
) -> None:
    one, other = open_store(), open_store()
    one.registry.add_model(a_model())
    rules, policy = Rules(distance=0.3), replace(Policy(), learn_every=50)

    at_once(
        lambda: one.findings.set_rules("elves", rules),
        lambda: other.registry.set_policy("elves", policy),
    )

    assert (one.findings.rules("elves"), one.registry.policy("elves")) == (rules, policy)


@pytest.mark.every_store
def test_tries_to_deliver_at_once_are_all_counted(open_store: Callable[[], Store]) -> None:
    stores = [open_store() for _ in range(4)]
    stores[0].registry.add_model(a_model())
    stores[0].findings.put(FINDING)

    def begin(store: Store) -> Callable[[], object]:
        return lambda: store.deliveries.begin(FINDING, target="x", next_at=NOON)

    at_once(*map(begin, stores))

    sent = stores[0].deliveries.of("f1")
    assert sent is not None and sent.attempts == 4


@pytest.mark.parametrize("grown", [SHORT.id, "hour"])
def test_profile_that_grows_while_several_are_put_together_is_not_lost(grown: str) -> None:
    database = Interrupted()
    store = Cabinet(database)
    store.registry.add_model(a_model())
    hour = replace(SHORT, id="hour", ends_at=NOON + 3_600, rows=5, data=b"hour")
    for one in (SHORT, hour):
        store.profiles.put(one)
    whole = replace(hour, rows=8, data=b"whole")
    growing = replace(SHORT if grown == SHORT.id else hour, rows=9, data=b"more")

    # Its blob is there already, so that the profile grows just before the pointers move.
    store.profiles.put(replace(whole, id="elsewhere"))
    database.before_commit = lambda: store.profiles.put(growing)
    is_done = store.tidying.put_together([SHORT, hour], whole, now=NOON)

    assert not is_done
    assert store.profiles.get(growing.id) == growing


# ── removed models ───────────────────────────────────────────────────────────────────────────


def test_nothing_that_monitors_saw_is_kept_for_a_removed_model(elves: Store) -> None:
    elves.findings.put(FINDING)
    elves.deliveries.begin(FINDING, target="x", next_at=NOON)
    elves.profiles.put(SHORT)
    removed = elves.registry.remove_model("elves")
    while elves.clear(removed, 100):
        pass

    elves.findings.put(replace(FINDING, id="f2"))
    elves.findings.stand("elves", "rot", {"at": 1})
    elves.findings.set_rules("elves", Rules(distance=0.3))
    elves.checks.put([CHECK])
    elves.profiles.put(SHORT)
    begun = elves.deliveries.begin(FINDING, target="x", next_at=NOON)

    assert begun.attempts == 1
    assert elves.deliveries.of("f1") is None
    assert (elves.findings.open(), elves.profiles.get("a")) == ([], None)
    assert elves.findings.standpoint("elves", "rot") == {}
    database = elves.database  # type: ignore[attr-defined]
    left = {kind.name: database.scan(kind, "of model", ("elves",), limit=9) for kind in OF_MODELS}
    assert {name for name, found in left.items() if found} <= {"model"}


# ── checks ───────────────────────────────────────────────────────────────────────────────────


def test_many_checks_of_a_wide_model_are_kept_at_once() -> None:
    store = Cabinet(MemoryStore())
    store.registry.add_model(a_model())
    drifts = [replace(DRIFT, column=f"feature {number}") for number in range(150)]
    many = [
        replace(CHECK, starts_at=NOON + 60 * n, ends_at=NOON + 60 * n + 60, drifts=drifts)
        for n in range(120)
    ]

    store.checks.put(many)

    assert len(store.checks.counts("elves", "training")) == 120
    last = store.checks.last("elves", "training")
    assert last is not None and len(last.drifts) == 150


def test_last_check_is_the_one_that_began_last_of_those_that_end_last(elves: Store) -> None:
    long = replace(CHECK, starts_at=NOON - 540, version="v9")
    checks = [
        replace(CHECK, version="v1"),
        replace(CHECK, version="v2"),
        long,
        replace(CHECK, ends_at=NOON + 59, version="v8"),
        replace(CHECK, ends_at=NOON + 600, against="previous"),
    ]
    elves.checks.put(checks)

    assert elves.checks.last("elves", "training") == replace(CHECK, version="v2")
    listed = elves.checks.of_model("elves", against="training", since=NOON + 59, until=NOON + 60)
    assert [one.version for one in listed] == ["v9", "v1", "v2"]


@pytest.mark.every_store
def test_check_given_twice_at_once_is_kept_as_it_is_last(elves: Store) -> None:
    elves.checks.put([CHECK, replace(CHECK, rows=9)])

    assert [one.rows for one in elves.checks.counts("elves", "training")] == [9]


# ── what is asked often is cheap ─────────────────────────────────────────────────────────────


class Watched(MemoryStore):
    """A store that notes what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, int, set[str]]] = []

    def get_many(self, kind: Kind, keys: Sequence[str]) -> Any:
        """Note how many were asked for."""
        self.asked.append((kind.name, len(keys), set(kind.fields)))
        return super().get_many(kind, keys)

    def scan(self, kind: Kind, index: str, *args: Any, **asked: Any) -> Any:
        """Note how many there were, and which fields of them."""
        found = super().scan(kind, index, *args, **asked)
        only = asked.get("only")
        self.asked.append((kind.name, len(found), set(kind.fields if only is None else only)))
        return found


@pytest.fixture
def watched() -> Watched:
    database = Watched()
    store = Cabinet(database)
    for name in ("elves", "orcs"):
        store.registry.add_model(a_model(name))
        for n in range(9):
            closed_at = None if n == 4 else NOON + 500
            found = replace(FINDING, id=f"{name}{n}", model=name, opened_at=NOON + n)
            store.findings.put(replace(found, closed_at=closed_at))
            store.profiles.put(replace(SHORT, id=f"{name}{n}", model=name, starts_at=NOON + n))
            store.checks.put([Check(name, "v1", NOON, NOON + n, "training", 1, 1, (DRIFT,))])
    database.asked.clear()
    return database


def reads(database: Watched, kind: Kind) -> list[tuple[int, set[str]]]:
    return [(count, fields) for name, count, fields in database.asked if name == kind.name]


def test_counts_read_no_bodies(watched: Watched) -> None:
    store = Cabinet(watched)

    counted = store.profiles.total("elves"), len(store.profiles.stretches("elves"))
    checks = store.checks.counts("elves", "training")
    written = store.profiles.written_by("me", NOON)

    assert (counted, len(checks), len(written)) == (((9, 27), 9), 9, 18)
    assert [count for count, _ in reads(watched, PROFILE)] == [9, 18]
    assert not any(fields & {"summary", "data"} for _, fields in reads(watched, PROFILE))
    assert [fields & {"drifts", "before"} for _, fields in reads(watched, CHECKS)] == [set()]


@pytest.mark.every_store
def test_profiles_are_counted_anew_when_another_process_changed_them(
    open_store: Callable[[], Store],
) -> None:
    one, other = open_store(), open_store()
    for name in ("elves", "orcs"):
        one.registry.add_model(a_model(name))
    later = replace(SHORT, id="b", starts_at=NOON + 300, ends_at=NOON + 600)
    for profile in (SHORT, later, replace(SHORT, id="o", model="orcs")):
        one.profiles.put(profile)
    whole = replace(SHORT, id="whole", ends_at=NOON + 600, rows=8)
    told = []

    for change in (
        lambda: None,
        lambda: other.profiles.put(replace(SHORT, rows=5)),
        lambda: other.tidying.put_together([replace(SHORT, rows=5), later], whole, now=NOON),
        lambda: other.profiles.put(replace(SHORT, id="c", starts_at=NOON + 900)),
        lambda: other.tidying.drop_old("elves", "profiles", before=NOON + 1, most=9, now=NOON),
    ):
        change()
        rows = [stretch.rows for stretch in one.profiles.stretches("elves")]
        told.append((one.profiles.total("elves"), rows))

    assert told == [
        ((2, 6), [3, 3]),
        ((2, 8), [5, 3]),
        ((1, 8), [8]),
        ((2, 11), [8, 3]),
        ((1, 3), [3]),
    ]
    assert one.profiles.total("orcs") == (1, 3)


def test_last_ones_and_open_ones_are_read_alone(watched: Watched) -> None:
    store = Cabinet(watched)

    check = store.checks.last("elves", "training")
    last = store.findings.last("elves", "drift", until=NOON + 2)
    opened = store.findings.open("elves")
    listed = store.findings.of_model("elves", limit=5, state="open")

    assert check is not None and check.ends_at == NOON + 8
    assert last is not None and last.id == "elves2"
    assert [one.id for one in opened] == [one.id for one in listed] == ["elves4"]
    assert [count for count, _ in reads(watched, CHECKS)] == [1]
    assert [count for count, _ in reads(watched, FINDINGS)] == [1, 1, 1]


def test_nobody_asks_who_is_called_what_for_a_list(watched: Watched) -> None:
    store = Cabinet(watched)

    for ask in (
        lambda: store.findings.open(),
        lambda: store.findings.of_model("elves", limit=9),
        lambda: store.profiles.of_model("elves"),
        lambda: store.profiles.written_by("me", NOON),
        lambda: store.checks.counts("elves", "training"),
    ):
        watched.asked.clear()
        assert len(ask()) > 1
        assert len([name for name, _, _ in watched.asked if name == "fact"]) == 0


class Unpacking(MemoryStore):
    """A store that notes which batches were read whole."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    def get(self, kind: Kind, key: str) -> Any:
        """Note the key of a batch."""
        if kind is BATCH:
            self.read.append(key)
        return super().get(kind, key)


def test_rows_of_a_stretch_leave_the_batches_behind_them_unread() -> None:
    database = Unpacking()
    store = Cabinet(database)
    store.registry.add_model(a_model())
    made = [a_prediction(f"p{second:02}", at=NOON + second) for second in range(20)]
    for place, one in enumerate(made):  # each is a batch
        store.traffic.ship(Shipment(f"s{place}", 0, 1, "me", [one]))
    stretch, held, after = Stretch("elves", "v1", int(NOON), int(NOON) + 60), list[str](), None

    first = store.traffic.of_stretch(stretch, "me", after=None, limit=4)
    was_read = len(database.read)
    while bite := store.traffic.of_stretch(stretch, "me", after=after, limit=4):
        held += [one.id or "" for one in bite]
        after = bite[-1].predicted_at, bite[-1].id or ""

    assert [one.id for one in first] == ["p00", "p01", "p02", "p03"]
    assert was_read == 4  # of twenty batches
    assert held == [one.id for one in made]
