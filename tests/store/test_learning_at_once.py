"""What several machines do at once to jobs, versions and names: one wins, nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.store.test_contract import NOON, a_model, a_version, in_use
from tests.store.test_learning_contract import PATIENCE, a_job, child_of, taken
from unrot.core.errors import Conflict
from unrot.core.ports import Store
from unrot.core.records import Fate, Job, Version
from unrot.store.kinds import ACTIVE_JOB

Open = Callable[[], Store]
NOTHING: dict[str, Any] = {"fates": [], "gate": None, "job": None, "result": {}}


@pytest.fixture
def store(store: Store) -> Store:
    """One with elves in use, whose champion is v1, and no job that waits."""
    in_use(store)
    store.jobs.cancel("job of elves", NOON)
    return store


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Do works at the same moment, each in a thread; return what they returned or raised."""
    begin = threading.Barrier(len(works))
    found: list[Any] = [None] * len(works)

    def run(place: int, work: Callable[[], Any]) -> None:
        begin.wait()
        try:
            found[place] = work()
        except Exception as error:
            found[place] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def before_commit(store: Any, work: Callable[[], Any]) -> None:
    """Let others do something between what is looked at next and the commit that follows."""
    commit = store.database.commit

    def interrupted(changes: Any) -> None:
        store.database.commit = commit
        work()
        commit(changes)

    store.database.commit = interrupted


def test_one_of_several_promotes_at_once_is_made(store: Store, open_store: Open) -> None:
    for _ in range(3):
        store.registry.add_version(a_version(), {})
    machines = [open_store().registry for _ in range(3)]

    made = at_once(
        *(
            lambda machine=machine, to=to: machine.move_alias(  # type: ignore[misc]
                "elves", "champion", to=to, expected="v1"
            )
            for machine, to in zip(machines, ("v2", "v3", "v4"), strict=True)
        )
    )

    assert sorted(made) == [False, False, True]
    assert store.registry.aliases("elves") == {"champion": f"v{2 + made.index(True)}"}
    assert len(store.registry.moves("elves")) == 2


def test_each_job_is_taken_once_by_those_who_ask_at_once(store: Store, open_store: Open) -> None:
    for number in range(2):
        store.registry.add_model(a_model(f"model-{number}"))
        store.jobs.add(a_job(f"j{number}", f"model-{number}"))
    machines = [open_store().jobs for _ in range(4)]

    found = at_once(
        *(
            lambda jobs=jobs, name=f"holder {number}": jobs.claim(name, NOON, PATIENCE)  # type: ignore[misc]
            for number, jobs in enumerate(machines)
        )
    )

    assert sorted(job.id for job in found if job is not None) == ["j0", "j1"]
    assert not store.jobs.waits(NOON, PATIENCE)


def test_those_who_ask_at_once_are_given_one_job(store: Store, open_store: Open) -> None:
    machines = [open_store().jobs for _ in range(3)]

    found = at_once(
        *(
            lambda jobs=jobs, id=f"j{number}": jobs.add(a_job(id, at=NOON + 1))  # type: ignore[misc]
            for number, jobs in enumerate(machines)
        )
    )

    assert len({job.id for job in found}) == 1
    assert [job.id for job in store.jobs.of_model("elves", 9)] == [found[0].id, "job of elves"]


def test_job_cancelled_while_it_ends_has_ended_once(store: Any, open_store: Open) -> None:
    job, other = taken(store), open_store().jobs

    has_ended, told = at_once(
        lambda: store.jobs.end(job, NOON + 1, result={}),
        lambda: other.cancel(job.id, NOON + 1),
    )

    ended: Job = store.jobs.job(job.id)
    assert has_ended is True and told is not None
    assert (ended.state, ended.ended_at) == ("done", NOON + 1)
    assert store.database.get(ACTIVE_JOB, "elves") is None


def test_one_of_two_lessons_learnt_from_one_champion_is_promoted(
    store: Store, open_store: Open
) -> None:
    def publish(name: str) -> Callable[[], Version | None]:
        lessons = open_store().lessons
        fates = {**NOTHING, "fates": [Fate(name, "learnt", NOON)]}
        return lambda: lessons.publish(child_of(), {}, **fates, champion="v1", promote=True)

    made = at_once(publish("a"), publish("b"))

    [refused] = [one for one in made if isinstance(one, Conflict)]
    assert refused.reason == "champion_moved"
    assert [one.name for one in store.registry.versions("elves")] == ["v1", "v2"]
    assert store.registry.aliases("elves") == {"champion": "v2"}
    assert len(store.lessons.learnt("elves", ["v2"])) == 1


def test_job_taken_by_another_meanwhile_keeps_its_lesson_out(
    store: Store, open_store: Open
) -> None:
    """The job is lost between being looked at and the commit."""
    job, other = taken(store), open_store().jobs

    def take_over() -> None:
        other.release("me")
        other.claim("other", NOON + 1, PATIENCE)

    before_commit(store, take_over)
    asked = {**NOTHING, "job": job, "champion": "v1", "promote": True}
    kept = store.lessons.publish(child_of(), {}, **asked)

    assert kept is None
    assert [one.name for one in store.registry.versions("elves")] == ["v1"]
    assert store.registry.aliases("elves") == {"champion": "v1"}


def test_alias_never_points_at_a_version_that_was_pruned(store: Store, open_store: Open) -> None:
    other = open_store().registry
    name = store.registry.add_version(a_version(), {}).name

    pruned, moved = at_once(
        lambda: store.lessons.prune("elves", [name]),
        lambda: other.move_alias("elves", "challenger", to=name, expected=None),
    )

    assert pruned is None
    is_pruned = store.registry.versions("elves")[-1].is_pruned
    assert isinstance(moved, Conflict) if is_pruned else moved is True


def test_one_name_goes_to_one_of_those_who_want_it_at_once(store: Store, open_store: Open) -> None:
    for name in ("dwarves", "trolls"):
        store.registry.add_model(a_model(name))
    first, second, third = (open_store().registry for _ in range(3))

    at_once(
        lambda: first.rename_model("dwarves", "giants"),
        lambda: second.rename_model("trolls", "giants"),
        lambda: third.add_model(a_model("giants")),
    )

    names = [model.name for model in store.registry.models()]
    assert names.count("giants") == 1
    assert len({model.number for model in store.registry.models()}) == len(names)


@pytest.mark.parametrize("way", ["add", "rename"])
def test_name_that_is_taken_between_two_reads_is_not_taken_twice(
    store: Any, open_store: Open, way: str
) -> None:
    """Whoever reads the names, and then what was given out, may hold names of before."""
    store.registry.add_model(a_model("dwarves"))
    other, get = open_store().registry, store.database.get

    def interrupted(kind: Any, key: str) -> Any:
        if key == "numbers":
            store.database.get = get
            other.add_model(a_model("giants"))
        return get(kind, key)

    store.database.get = interrupted
    if way == "add":
        store.registry.add_model(a_model("giants"))
    else:
        with pytest.raises(Conflict, match="giants already"):
            store.registry.rename_model("dwarves", "giants")

    assert [one.name for one in store.registry.models()].count("giants") == 1


def test_fates_decided_at_once_are_all_kept(store: Store, open_store: Open) -> None:
    def decide(id: str) -> Callable[[], None]:
        lessons = open_store().lessons
        return lambda: lessons.decide("elves", "v1", [Fate(id, "held out", NOON)])

    at_once(*(decide(id) for id in "abc"))

    found = [fate.prediction for fate, _ in store.lessons.fates_of("elves", "v1", limit=9)]
    assert {"a", "b", "c"} <= set(found)
    assert len(found) == len(set(found))
