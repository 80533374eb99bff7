"""What every database promises of its few operations; each is one more parameter of `database`."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.memory_store import MemoryStore
from unrot.core.errors import Conflict
from unrot.store.kinds import (
    AUDIT,
    BATCH,
    CHUNK,
    FACT,
    FEEDBACK,
    GATE,
    JOB,
    KINDS,
    LEASE,
    VERSION,
)
from unrot.store.leases import Fenced, take_lease
from unrot.store.operations import (
    ABSENT,
    ANY,
    MOST_CHANGES,
    Change,
    Changed,
    Delete,
    Document,
    Hold,
    Operations,
    Put,
    place_of,
)


def version(number: int, model: str = "elves") -> Put:
    key = f"{model}/{number:06d}"
    return Put(VERSION, key, {"model": model, "number": number, "body": {"name": f"v{number}"}})


def keys(found: list[Document]) -> list[str]:
    return [document.key for document in found]


def test_document_comes_back_as_it_was_written(database: Operations) -> None:
    fields = {
        "model": "zwölf/elves~7",
        "version": "v1",
        "segment": "",
        "model number": 2**40,
        "first row": 0,
        "span": -1,
        "starts at": 1_700_000_040.123456789,
        "ends at": 0.1 + 0.2,
        "rows": 3,
        "columns": bytes(range(256)) * 3,
    }
    database.commit([Put(BATCH, "a key with 'quotes' and ünicode", fields)])

    [found] = [database.get(BATCH, "a key with 'quotes' and ünicode")]

    assert found is not None
    assert dict(found.fields) == {**fields, "writer": None, "last row": None}
    assert found.revision > 0
    assert isinstance(found["columns"], bytes)


@pytest.mark.parametrize(
    "value", [None, "", "a text", 5, 5.0, -0.5, True, [], {"a": [1, {"b": None}]}, "\u2603" * 2_000]
)
def test_json_comes_back_as_json_has_it(database: Operations, value: Any) -> None:
    database.commit([Put(AUDIT, "a", {"model": "elves", "predictions": value})])

    found = database.get(AUDIT, "a")

    assert found is not None
    assert found["predictions"] == value
    assert type(found["predictions"]) is type(value)


def test_flags_come_back_as_flags_and_nothing_as_nothing(database: Operations) -> None:
    database.commit([Put(FEEDBACK, "p", {"was correct": False, "waits": True, "time": 5})])

    found = database.get(FEEDBACK, "p")

    assert found is not None
    assert (found["was correct"], found["waits"], found["withdrawn"]) == (False, True, None)
    assert (found["time"], type(found["time"])) == (5.0, float)


def test_what_is_not_there_is_not_found(database: Operations) -> None:
    database.commit([version(1)])

    assert database.get(VERSION, "elves/000002") is None
    assert database.get_many(VERSION, []) == {}
    assert list(database.get_many(VERSION, ["elves/000002", "elves/000001"])) == ["elves/000001"]


def test_thousand_documents_are_got_at_once(database: Operations) -> None:
    for start in range(0, 1_200, 400):
        database.commit([version(number) for number in range(start, start + 400)])

    found = database.get_many(VERSION, [f"elves/{number:06d}" for number in range(1_200)])

    assert len(found) == 1_200


def test_scan_goes_in_the_order_of_its_index_and_then_of_keys(database: Operations) -> None:
    at = {"a": (2.0, 1.0), "b": (1.0, 9.0), "c": (2.0, 1.0), "d": (2.0, 0.5)}
    for key, (time, predicted) in at.items():
        fields = {"speaks of": "elves", "time": time, "predicted at": predicted}
        database.commit([Put(FEEDBACK, key, fields)])

    assert keys(database.scan(FEEDBACK, "given", ("elves",), limit=9)) == ["b", "d", "a", "c"]
    newest = database.scan(FEEDBACK, "given", ("elves",), newest_first=True, limit=3)
    assert keys(newest) == ["c", "a", "d"]


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("page", [1, 2, 3, 100])
def test_pages_of_a_scan_have_each_document_once(
    database: Operations, page: int, newest_first: bool
) -> None:
    chance = random.Random(5)
    for number in range(40):
        fields = {
            "speaks of": "elves",
            "time": chance.choice([-1.5, 0.0, 1e-9, 1.0, 2.0**40]),
            "predicted at": chance.choice([0.0, 1.0]),
        }
        database.commit([Put(FEEDBACK, f"{chance.random()}-{number}", fields)])

    seen: list[str] = []
    after = None
    while found := database.scan(
        FEEDBACK, "given", ("elves",), after=after, newest_first=newest_first, limit=page
    ):
        seen += keys(found)
        after = place_of(found[-1], FEEDBACK, "given")

    whole = database.scan(FEEDBACK, "given", ("elves",), newest_first=newest_first, limit=100)
    assert seen == keys(whole)
    assert len(set(seen)) == 40


def test_scan_goes_from_a_value_up_to_and_not_with_another(database: Operations) -> None:
    database.commit([version(number) for number in (1, 2, 3, 10, 100)])

    assert keys(database.scan(VERSION, "of model", ("elves",), since=2, until=100, limit=9)) == [
        "elves/000002",
        "elves/000003",
        "elves/000010",
    ]
    newest = database.scan(
        VERSION, "of model", ("elves",), until=100, newest_first=True, limit=1, since=2
    )
    assert keys(newest) == ["elves/000010"]
    assert database.count(VERSION, "of model", ("elves",), since=2, until=100) == 3


def test_scan_finds_what_is_equal_and_nothing_near_it(database: Operations) -> None:
    for model in ("elves", "elves~2", "elve", "Elves", "elves\u00e9"):
        database.commit([version(1, model)])

    assert keys(database.scan(VERSION, "of model", ("elves",), limit=9)) == ["elves/000001"]
    assert database.count(VERSION, "of model", ("elves",)) == 1
    assert database.count(VERSION, "of model", ("orcs",)) == 0


def test_text_is_ordered_by_its_letters_codes(database: Operations) -> None:
    named = ["B", "a", "Z", "é", "_", "a-", "a.", "aa", "\U0001f600", "\uffee"]
    database.commit([Put(VERSION, key, {"model": "m", "number": 1}) for key in named])

    assert keys(database.scan(VERSION, "of model", ("m",), limit=99)) == sorted(named)


def test_document_without_a_field_of_an_index_is_not_in_it(database: Operations) -> None:
    database.commit(
        [
            Put(FEEDBACK, "new", {"waits": True, "predicted at": 1.0}),
            Put(FEEDBACK, "counted", {"predicted at": 1.0}),
            Put(FEEDBACK, "nowhen", {"waits": True}),
        ]
    )

    assert keys(database.scan(FEEDBACK, "new", (True,), limit=9)) == ["new"]
    assert database.count(FEEDBACK, "new", (True,)) == 1
    database.commit([Put(FEEDBACK, "new", {"predicted at": 1.0})])
    assert keys(database.scan(FEEDBACK, "new", (True,), limit=9)) == []


def test_scan_of_some_fields_has_them_and_its_place(database: Operations) -> None:
    database.commit([version(7)])

    [found] = database.scan(VERSION, "of model", ("elves",), limit=9, only=["model"])

    assert (found.key, found["model"]) == ("elves/000007", "elves")
    assert place_of(found, VERSION, "of model") == (7, "elves/000007")


def test_write_puts_a_whole_document_over_another(database: Operations) -> None:
    database.commit([Put(LEASE, "work", {"holder": "ada", "number": 1})])
    before = database.get(LEASE, "work")
    database.commit([Put(LEASE, "work", {"ends at": 2.0})])

    after = database.get(LEASE, "work")

    assert before is not None and after is not None
    assert dict(after.fields) == {"holder": None, "ends at": 2.0, "number": None}
    assert after.revision != before.revision


def test_document_that_was_changed_is_not_written_over(database: Operations) -> None:
    database.commit([Put(FACT, "a", {"value": "1"}, expect=ABSENT)])
    read = database.get(FACT, "a")
    assert read is not None
    database.commit([Put(FACT, "a", {"value": "2"}, expect=read.revision)])

    for late in (
        Put(FACT, "a", {"value": "3"}, expect=read.revision),
        Put(FACT, "a", {"value": "3"}, expect=ABSENT),
        Put(FACT, "b", {"value": "3"}, expect=read.revision),
        Delete(FACT, "a", expect=read.revision),
        Delete(FACT, "b", expect=read.revision),
    ):
        with pytest.raises(Changed):
            database.commit([Put(FACT, "beside", {"value": "x"}), late])

    found = database.get(FACT, "a")
    assert found is not None and found["value"] == "2"
    assert database.get(FACT, "beside") is None


def test_document_that_went_and_came_again_is_another(database: Operations) -> None:
    database.commit([Put(FACT, "a", {"value": "1"})])
    read = database.get(FACT, "a")
    database.commit([Delete(FACT, "a")])
    database.commit([Put(FACT, "a", {"value": "1"})])

    assert read is not None
    with pytest.raises(Changed):
        database.commit([Put(FACT, "a", {"value": "2"}, expect=read.revision)])


def test_what_is_gone_is_gone_and_may_go_again(database: Operations) -> None:
    database.commit([version(1), version(2)])
    database.commit([Delete(VERSION, "elves/000001")])
    database.commit([Delete(VERSION, "elves/000001")])

    assert keys(database.scan(VERSION, "of model", ("elves",), limit=9)) == ["elves/000002"]


def test_commit_holds_only_while_a_field_has_its_value(database: Operations) -> None:
    database.commit([Put(LEASE, "leader", {"holder": "ada", "number": 7})])
    held = Hold(LEASE, "leader", "number", 7)

    database.commit([held, version(1)])
    database.commit([held, version(1)])
    database.commit([Put(LEASE, "leader", {"holder": "bob", "number": 8})])
    with pytest.raises(Changed):
        database.commit([held, version(2)])
    with pytest.raises(Changed):
        database.commit([Hold(LEASE, "nobody", "number", 7), version(2)])

    assert database.count(VERSION, "of model", ("elves",)) == 1
    leader = database.get(LEASE, "leader")
    assert leader is not None and leader["holder"] == "bob"


def test_commit_of_nothing_changes_nothing(database: Operations) -> None:
    database.commit([])


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ([version(number) for number in range(MOST_CHANGES + 1)], "changes in a commit"),
        ([Put(CHUNK, str(n), {"data": b"x" * 900_000}) for n in range(5)], "bytes in a commit"),
        ([version(1), version(1)], "once"),
    ],
)
def test_commit_that_some_database_would_refuse_is_refused_by_all(
    database: Operations, changes: list[Put], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        database.commit(changes)


@pytest.mark.parametrize(
    "change",
    [
        Put(FACT, "a", {"value": "with \0 in it"}),
        Put(FACT, "a", {"value": "half a \ud83d"}),
        Put(FEEDBACK, "a", {"label": "\0"}),
        Put(FEEDBACK, "a", {"time": float("nan")}),
        Put(LEASE, "a", {"number": 2**63}),
        Put(FACT, "a\0", {"value": "1"}),
        Put(FACT, "a" * 1_501, {"value": "1"}),
        Delete(FACT, "\ud83d"),
        Hold(LEASE, "a\0", "number", 7),
    ],
    ids=repr,
)
def test_value_that_some_database_would_refuse_is_refused_by_all(
    database: Operations, change: Change
) -> None:
    with pytest.raises(ValueError, match="No database keeps"):
        database.commit([Put(FACT, "beside", {"value": "1"}), change])

    assert database.get(FACT, "beside") is None


@pytest.mark.parametrize("text", ["\0", "elves\0", "\ud83d"])
def test_who_asks_for_what_no_database_keeps_finds_nothing(database: Operations, text: str) -> None:
    database.commit([version(1), Put(VERSION, text[:-1] or "x", {"model": "elves", "number": 2})])

    assert database.get(VERSION, text) is None
    assert list(database.get_many(VERSION, [text, "elves/000001"])) == ["elves/000001"]
    assert database.scan(VERSION, "of model", (text,), limit=9) == []
    assert database.count(VERSION, "of model", (text,)) == 0


def test_text_inside_json_may_have_any_sign(database: Operations) -> None:
    database.commit(
        [Put(AUDIT, "a", {"model": "elves", "predictions": {"a\0": ["\0", "%s ? $1"]}})]
    )

    found = database.get(AUDIT, "a")
    assert found is not None and found["predictions"] == {"a\0": ["\0", "%s ? $1"]}


@pytest.mark.parametrize(
    "key", ["%", "%s", "%%s", "?", "$1", ":a", "\\", "'", '"', " a ", "\n", "\x7f", "é" * 200]
)
def test_unusual_key_and_text_are_kept_as_they_are(database: Operations, key: str) -> None:
    database.commit([Put(VERSION, key, {"model": key, "number": 1, "body": key})])

    assert keys(database.scan(VERSION, "of model", (key,), limit=9)) == [key]
    found = database.get(VERSION, key)
    assert found is not None and (found["model"], found["body"]) == (key, key)


def test_changes_of_all_ways_are_made_in_one_commit_or_none_of_them(database: Operations) -> None:
    database.commit([version(number) for number in (1, 2, 3, 4)])
    read = database.get_many(VERSION, [f"elves/{number:06d}" for number in (1, 2, 3, 4)])
    one, two, three, four = (document.revision for document in read.values())
    moved = {"model": "orcs", "number": 1}
    changes = [
        Put(VERSION, "elves/000001", moved, expect=one),
        Put(VERSION, "elves/000002", moved, expect=two),
        Delete(VERSION, "elves/000003", expect=three),
        Delete(VERSION, "elves/000004", expect=four),
        Put(VERSION, "elves/000005", moved, expect=ABSENT),
        Put(VERSION, "elves/000006", moved, expect=ABSENT),
        Delete(VERSION, "elves/000007"),
        Delete(VERSION, "elves/000008"),
    ]
    late = {
        "put": Put(VERSION, "elves/000002", moved, expect=two + 1_000),
        "delete": Delete(VERSION, "elves/000004", expect=four + 1_000),
        "new": Put(VERSION, "elves/000001", moved, expect=ABSENT),
    }

    for change in late.values():
        others = [one for one in changes if one.key != change.key]
        with pytest.raises(Changed):
            database.commit([*others, change])
    assert database.count(VERSION, "of model", ("elves",)) == 4
    database.commit(changes)

    assert database.count(VERSION, "of model", ("elves",)) == 0
    assert database.count(VERSION, "of model", ("orcs",)) == 4


def test_who_waits_for_a_change_has_waited(database: Operations) -> None:
    assert database.wait_for_change(0.01) is False


def test_largest_commit_is_taken(database: Operations) -> None:
    database.commit([version(number) for number in range(MOST_CHANGES)])
    database.commit([Put(CHUNK, str(n), {"data": bytes(900_000)}) for n in range(4)])

    assert database.count(VERSION, "of model", ("elves",)) == MOST_CHANGES
    assert len(database.get_many(CHUNK, ["0", "1", "2", "3"])) == 4


def test_of_many_who_write_on_a_condition_one_wins_each_time(
    open_database: Callable[[], Operations],
) -> None:
    first = open_database()
    first.commit([Put(FACT, "number", {"value": "0"})])

    def count_up(database: Operations) -> None:
        for _ in range(5):
            while True:
                read = database.get(FACT, "number")
                assert read is not None
                value = str(int(read["value"]) + 1)
                try:
                    database.commit([Put(FACT, "number", {"value": value}, expect=read.revision)])
                    break
                except Changed:
                    continue

    others = [threading.Thread(target=count_up, args=(open_database(),)) for _ in range(4)]
    for other in others:
        other.start()
    for other in others:
        other.join()

    counted = first.get(FACT, "number")
    assert counted is not None and counted["value"] == "20"


def test_all_indexes_of_all_kinds_can_be_scanned(database: Operations) -> None:
    samples: dict[str, Any] = {
        "text": "a",
        "number": 1.0,
        "moment": 1.0,
        "integer": 1,
        "flag": True,
        "json": [],
        "bytes": b"",
        "value": "a",
    }
    for kind in KINDS:
        fields = {name: samples[type] for name, type in kind.fields.items()}
        database.commit([Put(kind, "k", fields), *(Delete(kind, key) for key in OWN_FACTS)])
        for name, index in kind.indexes.items():
            equal = [fields[one] for one in index.equal]
            since = fields[index.order[0]] if index.order else None
            assert keys(database.scan(kind, name, equal, since=since, limit=9)) == ["k"]
            assert database.count(kind, name, equal, since=since) == 1


def test_check_returns_when_the_database_answers(database: Operations) -> None:
    database.check()
    database.check(writing=True)


# ── the same operations on every store, by chance ────────────────────────────────────────────

OWN_FACTS = ("format", "store", "generation")
"""What a store notes of itself when it is made."""
CHOSEN = (VERSION, FEEDBACK, JOB, GATE, FACT)
VALUES: dict[str, list[Any]] = {
    "text": [None, "elves", "orcs", "elves~2"],
    "number": [None, 0.0, 1.5, -2.0],
    "moment": [None, 0.0, 1_700_000_040.25, 1_700_000_041.0],
    "integer": [None, 0, 1, 70_000],
    "flag": [None, True, False],
    "json": [None, {"a": 1}, [1.5, "x"]],
    "bytes": [None, b"\0\1"],
    "value": [None, "elf"],
}
NEVER = (2**50, 2**50)
"""Revisions that no document has."""


class Script:
    """Draws operations, makes each on two stores, and compares what came of it."""

    def __init__(self, one: Operations, other: Operations, seed: int) -> None:
        self.stores = (one, other)
        self.chance = random.Random(seed)
        self.read: dict[tuple[str, str], tuple[int, int]] = {}

    def step(self) -> None:
        """Make one operation on both."""
        self.chance.choice([self.commit, self.commit, self.scan, self.get, self.count])()

    def commit(self) -> None:
        chosen = {
            (kind.name, key): (kind, key)
            for kind, key in [self.somewhere() for _ in range(self.chance.randint(1, 4))]
        }
        drawn = [self.change(kind, key) for kind, key in chosen.values()]
        became = []
        for place, store in enumerate(self.stores):
            try:
                store.commit([pair[place] for pair in drawn])
                became.append("kept")
            except Changed:
                became.append("changed")
        assert became[0] == became[1], drawn

    def change(self, kind: Any, key: str) -> tuple[Any, Any]:
        expect: tuple[int, int] = self.chance.choice(
            [(ANY, ANY), (ANY, ANY), (ABSENT, ABSENT), self.read.get((kind.name, key), NEVER)]
        )
        if self.chance.random() < 0.2 and expect[0] != ABSENT:
            return Delete(kind, key, expect[0]), Delete(kind, key, expect[1])
        fields = {name: self.chance.choice(VALUES[type]) for name, type in kind.fields.items()}
        return Put(kind, key, fields, expect[0]), Put(kind, key, fields, expect[1])

    def get(self) -> None:
        kind, key = self.somewhere()
        one, other = (store.get(kind, key) for store in self.stores)
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert dict(one.fields) == dict(other.fields)
            self.read[kind.name, key] = (one.revision, other.revision)

    def scan(self) -> None:
        kind, name, equal, since = self.asked()
        newest_first, limit = self.chance.random() < 0.5, self.chance.randint(1, 6)
        newest_first = newest_first and bool(kind.indexes[name].fields)
        after = None
        for _ in range(3):
            one, other = (
                store.scan(
                    kind,
                    name,
                    equal,
                    since=since,
                    after=after,
                    newest_first=newest_first,
                    limit=limit,
                )
                for store in self.stores
            )
            assert [(d.key, dict(d.fields)) for d in one] == [
                (d.key, dict(d.fields)) for d in other
            ]
            if not one:
                return
            after = place_of(one[-1], kind, name)

    def count(self) -> None:
        kind, name, equal, since = self.asked()
        one, other = (store.count(kind, name, equal, since=since) for store in self.stores)
        assert one == other

    def somewhere(self) -> tuple[Any, str]:
        kind = self.chance.choice(CHOSEN)
        return kind, self.chance.choice(["a", "b", "é", "a/1", "a/2", "Z"])

    def asked(self) -> tuple[Any, str, list[Any], Any]:
        kind = self.chance.choice([kind for kind in CHOSEN if kind is not FACT])
        name = self.chance.choice(list(kind.indexes))
        index = kind.indexes[name]
        equal = [self.chance.choice(VALUES[kind.fields[one]][1:]) for one in index.equal]
        since = None
        if index.order and self.chance.random() < 0.5:
            since = self.chance.choice(VALUES[kind.fields[index.order[0]]][1:])
        return kind, name, equal, since


@pytest.mark.parametrize("seed", range(3))
def test_same_operations_by_chance_come_to_the_same_on_every_store(
    database: Operations, steps: int, seed: int
) -> None:
    script = Script(MemoryStore(), database, seed)

    for _ in range(steps):
        script.step()


class ForgetsCondition(MemoryStore):
    """A store with a fault: it writes over what was changed meanwhile."""

    def commit(self, changes: Any) -> None:
        """Make all changes, whatever was expected."""
        super().commit(
            [Put(one.kind, one.key, one.fields) if isinstance(one, Put) else one for one in changes]
        )


def test_fault_in_one_store_is_found_by_chance() -> None:
    script = Script(MemoryStore(), ForgetsCondition(), 0)

    with pytest.raises(AssertionError):
        for _ in range(300):
            script.step()


# ── leases ───────────────────────────────────────────────────────────────────────────────────


def test_lease_is_held_by_one_and_goes_on_to_another_when_it_has_ended(
    database: Operations,
) -> None:
    first = take_lease(database, "chores", "ada", 100.0, 10.0)
    taken = [
        take_lease(database, "chores", holder, now, 10.0)
        for holder, now in (("bob", 105.0), ("ada", 108.0), ("bob", 117.0), ("bob", 118.0))
    ]

    assert first is not None
    assert taken == [None, first, None, first + 1]


def test_holder_that_was_followed_by_another_keeps_nothing(database: Operations) -> None:
    ours = Fenced(database)
    number = take_lease(database, "chores", "ada", 100.0, 10.0)
    assert number is not None
    with ours.demanding("chores", number):
        ours.commit([version(1)])
        assert take_lease(database, "chores", "ada", 105.0, 10.0) == number
        ours.commit([version(2)])
        take_lease(database, "chores", "bob", 200.0, 10.0)
        with pytest.raises(Conflict, match="Another machine"):
            ours.commit([version(3)])
    ours.commit([version(4)])

    found = database.scan(VERSION, "of model", ("elves",), limit=9)
    assert keys(found) == ["elves/000001", "elves/000002", "elves/000004"]
