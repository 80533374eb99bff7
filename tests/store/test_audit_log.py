"""The audit log on every store: one chain, made by many at once, that shows where it was broken."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.store.test_contract import NOON, a_version, in_use
from tests.store.test_learning_at_once import at_once
from tests.store.test_learning_contract import a_job
from unrot.core.acting import Act, Doing, act_of, acting, going_on
from unrot.core.records import CHAMPION, Caller, LogCheck
from unrot.core.signatures import NOT_SIGNED, Signatures
from unrot.run.audit_log import HEAD, digest_of
from unrot.run.cabinet import Cabinet
from unrot.run.log_memory import LogMemory, memory_of
from unrot.store.kinds import ACTION, DELIVERY, FACT, OUTLIER
from unrot.store.operations import (
    ABSENT,
    MOST_CHANGES,
    Changed,
    Delete,
    Document,
    Operations,
    Put,
    until_kept,
)

Open = Callable[[], Cabinet]
SIGNATURES = Signatures(b"the secret of this app")
ADA = Act("ada", "operator", "promote", "elves", "v1", "203.0.113.7")


def a_change(key: str = "k", expect: int = -1) -> Put:
    return Put(DELIVERY, key, {"model": "elves", "body": {}}, expect)


def told(store: Cabinet) -> list[tuple[str, str, str, str | None, str | None]]:
    found = store.audit_log.all()
    return [(one.who, one.what, one.on, one.moved_from, one.moved_to) for one in found]


@pytest.fixture
def open_store(open_database: Callable[[], Operations]) -> Open:
    """Open the store of an app that has a key."""
    return lambda: Cabinet(open_database(), SIGNATURES)


@pytest.fixture
def database(store: Cabinet) -> Operations:
    """What passes by the log: where somebody would meddle."""
    inner: Operations = store.audit_log._database._database
    return inner


# ── what becomes an entry ────────────────────────────────────────────────────────────────────


@pytest.mark.every_store
def test_change_of_somebody_is_an_entry_of_the_same_commit(store: Cabinet) -> None:
    with acting(ADA):
        store.database.commit([a_change()])
        store.database.commit([a_change("another")])

    [entry] = store.audit_log.newest(10)
    assert replace(entry, at=0.0, digest="") == replace(
        entry,
        **{"number": 1, "at": 0.0, "who": "ada", "role": "operator", "what": "promote"},
        **{"model": "elves", "on": "v1", "where": "203.0.113.7", "digest": ""},
        **{"moved_from": None, "moved_to": None},
    )
    assert store.audit_log.verify() == LogCheck(1, entry.digest)


def test_what_is_refused_leaves_no_entry(store: Cabinet) -> None:
    store.database.commit([a_change()])

    with acting(ADA), pytest.raises(Changed):
        store.database.commit([a_change(expect=ABSENT)])

    assert told(store) == []


def test_act_is_told_once_however_many_parts_it_has(store: Cabinet) -> None:
    doing = Doing(ADA)
    for number in range(3):
        with going_on(doing):
            store.database.commit([a_change(str(number))])

    assert len(told(store)) == 1


def test_nobody_and_who_changes_nothing_are_not_told(store: Cabinet) -> None:
    store.database.commit([a_change()])
    with acting(ADA):
        store.tell_news()
        store.lease("learner", "me", NOON, 60)

    assert told(store) == []


def test_what_changes_nothing_in_the_store_can_be_told_all_the_same(store: Cabinet) -> None:
    store.audit_log.note()
    with acting(replace(ADA, what="try webhook")):
        store.audit_log.note()
        store.audit_log.note()

    assert [what for _, what, *_ in told(store)] == ["try webhook"]


def test_nothing_comes_to_answer_without_an_entry(store: Cabinet) -> None:
    """Whoever moves an alias, by whatever way: here nobody is known."""
    in_use(store)
    store.lessons.publish(
        *(replace(a_version(), parent="v1"), {}),
        **{"fates": [], "gate": None, "job": None, "result": {}},  # type: ignore[arg-type]
        champion="v1",
        promote=True,
    )
    with acting(ADA):
        moved = {"to": "v1", "expected": "v2", "by": "ada"}
        assert store.registry.move_alias("elves", CHAMPION, **moved)  # type: ignore[arg-type]
    moved = {"to": "v2", "expected": "v1", "reason": "rolled back: worse"}
    assert store.registry.move_alias("elves", CHAMPION, **moved)  # type: ignore[arg-type]

    assert told(store)[-3:] == [
        ("Unrot itself", "promote", "v2", "v1", "v2"),
        ("ada", "promote", "v1", "v2", "v1"),
        ("Unrot itself", "rollback", "", "v1", "v2"),
    ]


def test_asking_for_a_job_is_called_as_the_job_is(store: Cabinet) -> None:
    in_use(store)
    store.jobs.cancel("job of elves", NOON)
    with acting(replace(ADA, what="ask", on="")):
        store.jobs.add(a_job("j7"))

    assert told(store)[-1] == ("ada", "learn", "j7", None, None)


def test_caller_without_a_token_does_nothing_that_is_told(store: Cabinet) -> None:
    with acting(act_of(Caller(subject="here"), "judge")):
        store.database.commit([a_change()])

    assert told(store) == []


def test_commit_that_is_full_is_told_right_after_it(store: Cabinet) -> None:
    many = [
        Put(OUTLIER, str(number), {"model": "elves", "predicted at": NOON, "body": {}})
        for number in range(MOST_CHANGES)
    ]
    with acting(ADA):
        store.database.commit(many)

    assert store.database.count(OUTLIER, "of model", ("elves",)) == MOST_CHANGES
    assert len(told(store)) == 1


def test_pages_go_back_from_the_newest(store: Cabinet) -> None:
    for number in range(5):
        with acting(replace(ADA, on=str(number))):
            store.database.commit([a_change(str(number))])

    first = store.audit_log.newest(2)
    rest = store.audit_log.newest(9, first[-1].number)

    assert [one.on for one in (*first, *rest)] == ["4", "3", "2", "1", "0"]


# ── one chain ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.every_store
def test_several_at_once_make_one_chain(open_store: Open) -> None:
    stores = [open_store() for _ in range(4)]

    def write(who: int) -> None:
        for number in range(5):
            with acting(replace(ADA, who=f"person {who}", on=str(number))):
                until_kept(lambda: stores[who].database.commit([a_change(f"{who}/{number}")]))  # noqa: B023

    at_once(*(lambda who=who: write(who) for who in range(4)))  # type: ignore[misc]

    found = open_store().audit_log
    assert found.verify().broken is None
    assert sorted((one.who, one.on) for one in found.all()) == [
        (f"person {who}", str(number)) for who in range(4) for number in range(5)
    ]


def test_who_finds_the_chain_longer_goes_on_behind_it(open_store: Open) -> None:
    """Another writes between the look at the last entry and the commit: nothing of it is lost."""
    here, there = open_store(), open_store()
    inner, done = here.audit_log._database._database, threading.Event()
    look = inner.get

    def get(kind: object, key: str) -> Document | None:
        found: Document | None = look(kind, key)  # type: ignore[arg-type]
        if key == HEAD and not done.is_set():
            done.set()
            with acting(replace(ADA, who="bob")):
                there.database.commit([a_change("of bob")])
        return found

    inner.get = get  # type: ignore[method-assign]
    entry = {"at": 0.0, "who": "ada", "role": "operator", "what": "promote", "model": "elves"}
    entry |= {"on": "", "from": None, "to": None, "where": ""}
    try:
        here.audit_log._database._commit_with([a_change("of ada")], entry)
    finally:
        inner.get = look  # type: ignore[method-assign]

    assert [who for who, *_ in told(there)] == ["bob", "ada"]
    assert there.audit_log.verify().broken is None


# ── what breaks it ───────────────────────────────────────────────────────────────────────────


def changed(database: Operations) -> None:
    second = database.get(ACTION, f"{2:012d}")
    assert second is not None
    line = second["line"].replace('"ada"', '"eve"')
    database.commit([Put(ACTION, second.key, {**second.fields, "line": line})])


def changed_with_its_digest(database: Operations) -> None:
    second = database.get(ACTION, f"{2:012d}")
    assert second is not None
    line = second["line"].replace('"ada"', '"eve"')
    made = {**second.fields, "line": line, "digest": digest_of(second["before"], line)}
    database.commit([Put(ACTION, second.key, made)])


def taken_away(database: Operations) -> None:
    database.commit([Delete(ACTION, f"{2:012d}")])


def last_taken_away(database: Operations) -> None:
    database.commit([Delete(ACTION, f"{4:012d}")])


def swapped(database: Operations) -> None:
    second, third = (database.get(ACTION, f"{number:012d}") for number in (2, 3))
    assert second is not None
    assert third is not None
    database.commit(
        [
            Put(ACTION, second.key, {**third.fields, "number": 2}),
            Put(ACTION, third.key, {**second.fields, "number": 3}),
        ]
    )


def slipped_in(database: Operations) -> None:
    second = database.get(ACTION, f"{2:012d}")
    assert second is not None
    database.commit([Put(ACTION, "000000000002x", second.fields)])


def headless(database: Operations) -> None:
    database.commit([Delete(FACT, HEAD)])


def with_an_old_head(database: Operations) -> None:
    second = database.get(ACTION, f"{2:012d}")
    assert second is not None
    database.commit([Put(FACT, HEAD, {"value": f"2 {second['digest']}"})])


def begun_anew(database: Operations) -> None:
    database.commit([Put(FACT, HEAD, {"value": "4 " + "0" * 64})])


def written_behind_the_last(database: Operations) -> None:
    theirs = Cabinet(database, Signatures(b"another secret"))
    with acting(replace(ADA, who="eve")):
        theirs.database.commit([a_change("of eve")])


def chained_anew(database: Operations) -> None:
    """Let the second tell of another, and all that come after follow it."""
    before = ""
    for number in range(1, 5):
        one = database.get(ACTION, f"{number:012d}")
        assert one is not None
        line = one["line"].replace('"ada"', '"eve"') if number == 2 else one["line"]
        digest = digest_of(before, line)
        told = {**one.fields, "line": line, "before": before, "digest": digest}
        database.commit([Put(ACTION, one.key, told)])
        before = digest
    database.commit([Put(FACT, HEAD, {"value": f"4 {before}"})])


NOT_OURS = f"it is {NOT_SIGNED.format(did='wrote it')}"


@pytest.mark.parametrize(
    ("meddle", "first", "trouble"),
    [
        (changed, 2, "it was changed after it was written"),
        (changed_with_its_digest, 2, NOT_OURS),
        (written_behind_the_last, 5, NOT_OURS),
        (chained_anew, 2, NOT_OURS),
        (taken_away, 2, "entry 3 stands in its place"),
        (last_taken_away, 4, "it is missing, with all after it"),
        (swapped, 2, "it does not follow the one before it"),
        (slipped_in, 3, "entry 2 stands in its place"),
        (begun_anew, 4, "it is not the last that was written"),
        (headless, 1, "the store does not say which entry is the last"),
        (with_an_old_head, 3, "the store says that entry 2 is the last"),
    ],
)
def test_first_broken_entry_is_named(
    store: Cabinet,
    database: Operations,
    meddle: Callable[[Operations], None],
    first: int,
    trouble: str,
) -> None:
    for number in range(4):
        with acting(replace(ADA, on=str(number))):
            store.database.commit([a_change(str(number))])
    assert store.audit_log.verify().broken is None

    meddle(database)

    found = store.audit_log.verify()
    assert (found.entries, found.broken, found.trouble) == (first - 1, first, trouble)


@pytest.mark.every_store
def test_what_others_wrote_counts_as_ours_by_a_word_of_the_operator(
    store: Cabinet, open_database: Callable[[], Operations]
) -> None:
    written_behind_the_last(open_database())
    written_behind_the_last(open_database())
    before = store.audit_log.count_unsigned(), store.audit_log.verify().broken

    store.audit_log.sign()

    assert before == (2, 1)
    assert (store.audit_log.count_unsigned(), store.audit_log.verify().broken) == (0, None)


# ── what a machine remembers ─────────────────────────────────────────────────────────────────


def cut(database: Operations, last: int, entries: int = 4) -> None:
    """Take all behind an entry away, and let the store say that it is the last."""
    found = database.get(ACTION, f"{last:012d}")
    said = [Put(FACT, HEAD, {"value": f"{last} {found['digest']}"})] if found else []
    gone = [Delete(ACTION, f"{number:012d}") for number in range(last + 1, entries + 1)]
    database.commit([Delete(FACT, HEAD)])
    database.commit([*gone, *said])


@pytest.fixture
def remembering(store: Cabinet, tmp_path: Path) -> Cabinet:
    """A store with four entries, of which this machine has a memory."""
    inner: Operations = store.audit_log._database._database
    kept = Cabinet(inner, SIGNATURES, LogMemory(tmp_path / "log"))
    for number in range(4):
        with acting(replace(ADA, on=str(number))):
            kept.database.commit([a_change(str(number))])
    return kept


@pytest.mark.parametrize("last", [0, 2, 3])
def test_log_that_was_cut_from_its_end_is_broken(remembering: Cabinet, last: int) -> None:
    cut(remembering.database, last)

    found = remembering.audit_log.verify()

    assert (found.entries, found.broken) == (last, last + 1)
    assert found.trouble.startswith("it is missing, with all up to 4, which this machine has seen")
    assert "an older backup of the store is in its place" in found.trouble


def test_log_that_was_cut_stays_broken_however_it_goes_on(remembering: Cabinet) -> None:
    cut(remembering.database, 2)
    for number in range(5):
        with acting(replace(ADA, on=f"another {number}")):
            remembering.database.commit([a_change(str(number))])

    found = remembering.audit_log.verify()

    assert (found.entries, found.broken) == (3, 4)
    assert found.trouble.startswith("it is not the one that this machine has seen there.")


def test_what_was_verified_is_remembered_as_what_was_made(
    remembering: Cabinet, tmp_path: Path
) -> None:
    """Another machine, which makes no entry and has none of its own."""
    inner: Operations = remembering.audit_log._database._database
    other = Cabinet(inner, SIGNATURES, LogMemory(tmp_path / "other"))

    before = other.audit_log.verify()
    cut(remembering.database, 3)

    assert (before.broken, other.audit_log.verify().broken) == (None, 4)
    assert stat.S_IMODE((tmp_path / "other").stat().st_mode) == 0o600


def test_memory_follows_what_others_have_written_meanwhile(
    remembering: Cabinet, tmp_path: Path
) -> None:
    inner: Operations = remembering.audit_log._database._database
    other = Cabinet(inner, SIGNATURES, LogMemory(tmp_path / "other"))
    for store in (other, remembering, other):
        with acting(ADA):
            store.database.commit([a_change()])

    ends = [LogMemory(tmp_path / name).end().number for name in ("log", "other")]

    assert ends == [6, 7]
    assert remembering.audit_log.verify().broken is None


@pytest.mark.parametrize("last", [0, 2])
def test_end_is_accepted_by_who_says_so_and_that_is_told(remembering: Cabinet, last: int) -> None:
    cut(remembering.database, last)

    with acting(replace(ADA, what="audit log")):
        accepted = remembering.audit_log.accept()

    assert (accepted.entries, accepted.broken) == (last + 1, None)
    assert told(remembering)[-1][:2] == ("ada", "accept audit log")
    with acting(ADA):
        remembering.database.commit([a_change()])
    assert remembering.audit_log.verify().entries == last + 2


def test_log_without_a_head_goes_on_once_its_end_is_accepted(remembering: Cabinet) -> None:
    headless(remembering.database)

    assert remembering.audit_log.accept().entries == 5


def test_nothing_is_accepted_of_a_chain_that_is_broken_or_whole(remembering: Cabinet) -> None:
    whole = remembering.audit_log.accept()
    changed(remembering.database)

    assert (whole.entries, whole.broken) == (4, None)
    assert remembering.audit_log.accept().broken == 2
    assert len(told(remembering)) == 4


def test_memory_is_of_a_store_wherever_its_home_and_whatever_its_password(tmp_path: Path) -> None:
    def name(home: str, url: str) -> str:
        path = memory_of(tmp_path / home, url.format(home=tmp_path / home))._path
        assert path is not None
        return path.name

    own, moved = (name(home, "sqlite:///{home}/unrot.db") for home in ("a", "b"))
    before, after = (name("a", f"postgresql://me:{word}@host/db") for word in ("one", "two"))

    assert (own, before) == (moved, after)
    assert len({own, before, name("a", "postgresql://me@host/another")}) == 3
