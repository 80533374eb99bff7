"""What every store promises about jobs, lessons, audits and shadows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.store.test_contract import (
    DIGEST,
    LATER,
    NOON,
    a_prediction,
    a_verdict,
    a_version,
    in_use,
    shipped,
)
from unrot.core.errors import Conflict, NotFound
from unrot.core.policy import Policy
from unrot.core.ports import Store
from unrot.core.records import (
    AliasMove,
    Anchor,
    Audit,
    Fate,
    Fates,
    GateVerdict,
    Job,
    Model,
    Recall,
    Shadow,
    Version,
)

PATIENCE = 10.0


@pytest.fixture
def elves(store: Store) -> Model:
    model = in_use(store)
    store.jobs.cancel("job of elves", NOON)
    return model


def a_job(id: str = "j1", model: str = "elves", at: float = NOON) -> Job:
    return Job(id, model, "learn", {"n": 25}, at, asked_by="ada")


def taken(store: Store, id: str = "j1", holder: str = "me") -> Job:
    """Add a job and take it."""
    store.jobs.add(a_job(id))
    found = store.jobs.claim(holder, NOON, PATIENCE)
    assert found is not None
    return found


def child_of(parent: str = "v1") -> Version:
    return replace(a_version(), parent=parent, origin="learnt", made={"seed": 3}, anchor=DIGEST)


def published(store: Store, *fates: Fate, parent: str = "v1", promote: bool = False) -> Version:
    made = store.lessons.publish(
        child_of(parent),
        {},
        fates=fates,
        gate=None,
        job=None,
        result={},
        champion="v1",
        promote=promote,
    )
    assert made is not None
    return made


def weighed(
    store: Store,
    verdict: GateVerdict,
    anchor: Anchor | None = None,
    *,
    name: str = "v1",
    job: Job | None = None,
    champion: str = "v1",
    promote: bool = False,
) -> bool:
    [version] = [one for one in store.registry.versions("elves") if one.name == name]
    return store.lessons.weigh(
        version,
        verdict,
        anchor,
        job=job,
        result={"version": name},
        champion=champion,
        promote=promote,
    )


def judged(store: Store, *ids: str) -> None:
    """Ship predictions with these ids and judge each, a second apart."""
    start = store.traffic.shipped_to("judged")
    shipped(store, *(a_prediction(id) for id in ids), segment="judged", start=start)
    store.verdicts.put(
        [a_verdict(id, given_at=NOON + place) for place, id in enumerate(ids, start=2)]
    )


# ── jobs ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("elves")
@pytest.mark.every_store
def test_job_is_read_back_and_listed_newest_first(store: Store) -> None:
    first = store.jobs.add(a_job())
    store.jobs.cancel("j1", NOON + 1)
    second = store.jobs.add(a_job("j2", at=NOON + 2))

    assert first == a_job()
    assert store.jobs.job("j2") == second == a_job("j2", at=NOON + 2)
    assert [job.id for job in store.jobs.of_model("elves", 2)] == ["j2", "j1"]
    assert [job.id for job in store.jobs.of_model(None, 1)] == ["j2"]
    assert store.jobs.job("j3") is None


@pytest.mark.usefixtures("elves")
def test_one_model_has_one_active_job(store: Store) -> None:
    in_use(store, "orcs", b"another graph")
    store.jobs.cancel("job of orcs", NOON)
    store.jobs.add(a_job())

    assert store.jobs.add(a_job("j2")).id == "j1"
    assert store.jobs.add(a_job("j3", "orcs")).id == "j3"


def test_job_of_a_removed_model_is_refused(store: Store, elves: Model) -> None:
    store.registry.remove_model(elves.name)

    with pytest.raises(NotFound, match="elves"):
        store.jobs.add(a_job())


@pytest.mark.usefixtures("elves")
@pytest.mark.every_store
def test_jobs_are_taken_oldest_first_and_once(open_store: Callable[[], Store]) -> None:
    one, other = open_store(), open_store()
    one.jobs.add(a_job())

    assert one.jobs.waits(NOON, PATIENCE)
    first, second = (each.jobs.claim("me", NOON, PATIENCE) for each in (one, other))

    assert first is not None and second is None
    assert (first.state, first.attempt, first.started_at) == ("running", 1, NOON)
    assert not one.jobs.waits(NOON, PATIENCE)


@pytest.mark.usefixtures("elves")
@pytest.mark.every_store
def test_silent_holder_loses_its_job_and_what_it_still_says(store: Store) -> None:
    lost = taken(store)

    assert store.jobs.heartbeat(lost, 0.5, "half way", NOON + 5) is not None
    assert store.jobs.claim("other", NOON + 14, PATIENCE) is None
    again = store.jobs.claim("other", NOON + 15, PATIENCE)

    assert again is not None and again.attempt == 2
    assert store.jobs.heartbeat(lost, 0.9, "nearly", NOON + 16) is None
    assert store.jobs.end(lost, NOON + 16, result={}) is False
    assert store.jobs.end(again, NOON + 16, result={"version": "v2"}) is True
    assert store.jobs.job("j1") == replace(
        again,
        state="done",
        progress=1.0,
        step="done",
        result={"version": "v2"},
        ended_at=NOON + 16,
    )


@pytest.mark.usefixtures("elves")
def test_job_let_go_is_taken_up_without_waiting(store: Store) -> None:
    taken(store)
    store.jobs.release("me")

    again = store.jobs.claim("me too", NOON + 1, PATIENCE)

    assert again is not None and again.attempt == 2


@pytest.mark.usefixtures("elves")
def test_job_that_kills_its_process_each_time_fails_with_a_sentence(store: Store) -> None:
    taken(store)
    for _ in range(2):
        store.jobs.release("me")
        store.jobs.claim("me", NOON, PATIENCE)
    store.jobs.release("me")

    assert store.jobs.claim("me", NOON, PATIENCE) is None
    ended = store.jobs.job("j1")
    assert ended is not None
    assert (ended.state, ended.reason) == ("failed", "gave_up")
    assert "begun 3 times" in ended.error


@pytest.mark.usefixtures("elves")
@pytest.mark.every_store
def test_queued_job_is_cancelled_at_once_and_a_running_one_is_told(store: Store) -> None:
    store.jobs.add(a_job())

    cancelled = store.jobs.cancel("j1", NOON + 1)
    running = taken(store, "j2")
    store.jobs.cancel("j2", NOON + 2)

    assert cancelled is not None
    assert (cancelled.state, cancelled.reason) == ("failed", "cancelled")
    told = store.jobs.heartbeat(running, 0.5, "half way", NOON + 3)
    assert told is not None and told.is_cancelling
    assert store.jobs.cancel("nothing", NOON) is None


@pytest.mark.usefixtures("elves")
@pytest.mark.every_store
def test_cancelled_job_whose_holder_died_ends(store: Store) -> None:
    taken(store)
    store.jobs.cancel("j1", NOON + 1)
    store.jobs.release("me")

    assert store.jobs.claim("other", NOON + 2, PATIENCE) is None
    ended = store.jobs.job("j1")
    assert ended is not None and ended.reason == "cancelled"


# ── policy, aliases, leases ──────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("elves")
def test_policy_is_the_default_until_it_is_set(store: Store) -> None:
    assert store.registry.policy("elves") == Policy()

    store.registry.set_policy("elves", Policy(promote="auto", learn_every=50, gate=False))

    assert store.registry.policy("elves") == Policy(promote="auto", learn_every=50, gate=False)
    with pytest.raises(NotFound, match="trolls"):
        store.registry.policy("trolls")


@pytest.mark.usefixtures("elves")
def test_moves_of_aliases_are_on_record(store: Store) -> None:
    store.registry.add_version(a_version(), {})
    move = store.registry.move_alias
    assert move("elves", "champion", to="v2", expected="v1", by="ada", reason="the gate passed it")
    assert move("elves", "challenger", to="v1", expected=None)
    assert move("elves", "challenger", to=None, expected="v1")

    kept = [replace(one, moved_at=0.0) for one in store.registry.moves("elves")]

    assert store.registry.aliases("elves") == {"champion": "v2"}
    assert kept == [
        AliasMove("champion", None, "v1", 0.0),
        AliasMove("champion", "v1", "v2", 0.0, "ada", "the gate passed it"),
        AliasMove("challenger", None, "v1", 0.0),
        AliasMove("challenger", "v1", None, 0.0),
    ]


@pytest.mark.every_store
def test_lease_is_held_by_one_until_it_ends(open_store: Callable[[], Store]) -> None:
    one, other = open_store(), open_store()

    assert one.lease("learner", "one", NOON, 5.0)
    assert not other.lease("learner", "other", NOON + 4, 5.0)
    assert one.lease("learner", "one", NOON + 4, 5.0)
    assert not other.lease("learner", "other", NOON + 8, 5.0)
    assert other.lease("learner", "other", NOON + 9, 5.0)
    assert not one.lease("learner", "one", NOON + 9, 5.0)


@pytest.mark.every_store
def test_lease_that_is_given_back_can_be_held_at_once(open_store: Callable[[], Store]) -> None:
    one, other = open_store(), open_store()
    number = one.lease("learner", "one", NOON, 5.0)
    assert number is not None

    other.give_back_lease("learner", "other")
    still_held = other.lease("learner", "other", NOON, 5.0)
    one.give_back_lease("learner", "one")

    assert still_held is None
    assert other.lease("learner", "other", NOON, 5.0) == number + 1


# ── lessons ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("elves")
@pytest.mark.every_store
def test_version_is_published_with_its_fates_gate_and_job_at_once(store: Store) -> None:
    job = taken(store)
    verdict = GateVerdict(
        "passed", "It is better.", "v1", NOON, recalls=(Recall("elf", 40, 0.5, 0.75, False),)
    )

    made = store.lessons.publish(
        child_of(),
        {hashlib.sha256(b"lesson").hexdigest(): b"lesson"},
        fates=[Fate("elves-1", "learnt", NOON + 1)],
        gate=verdict,
        job=job,
        result={"rows": 1},
        champion="v1",
        promote=True,
    )

    assert made == replace(child_of(), name="v2")
    assert store.registry.versions("elves")[1] == made
    assert store.registry.aliases("elves") == {"champion": "v2"}
    assert store.registry.moves("elves")[-1].moved_by == "ada"
    assert store.lessons.gates("elves", "v2") == [verdict]
    [(fate, row)] = store.lessons.fates_of("elves", "v2", limit=10)
    assert fate == Fate("elves-1", "learnt", NOON + 1, version="v2")
    assert row is not None and row.prediction.id == "elves-1"
    ended = store.jobs.job("j1")
    assert ended is not None
    assert (ended.state, ended.result) == ("done", {"version": "v2", "rows": 1})


@pytest.mark.usefixtures("elves")
def test_nothing_is_published_for_a_lost_job_or_beside_another_champion(store: Store) -> None:
    lost = taken(store)
    store.jobs.release("me")
    store.jobs.claim("other", NOON, PATIENCE)
    wanted = {"fates": [Fate("elves-1", "learnt", NOON)], "gate": None, "result": {}}
    before = store.registry.generation()

    kept = store.lessons.publish(child_of(), {}, **wanted, job=lost, champion="v1", promote=True)
    with pytest.raises(Conflict, match="champion changed"):
        store.lessons.publish(child_of(), {}, **wanted, job=None, champion="v7", promote=True)

    assert kept is None
    assert [one.name for one in store.registry.versions("elves")] == ["v1"]
    assert store.lessons.fates_of("elves", "v2", limit=10) == []
    assert store.registry.generation() == before


@pytest.mark.usefixtures("elves")
@pytest.mark.every_store
def test_verdicts_wait_until_their_line_has_decided(store: Store) -> None:
    judged(store, "a", "b", "c")
    told = [row.prediction.id for row in store.lessons.waiting("elves", ["v1"], 10)]

    published(store, Fate("a", "learnt", NOON + 2), Fate("b", "held out", NOON + 3))

    left = [row.prediction.id for row in store.lessons.waiting("elves", ["v1", "v2"], 10)]
    other = [row.prediction.id for row in store.lessons.waiting("elves", ["v1"], 10)]
    assert told == ["elves-1", "a", "b", "c"]
    assert left == ["elves-1", "c"]
    assert other == told
    assert store.lessons.count_waiting("elves", ["v1", "v2"]) == 2
    assert store.lessons.count_waiting("elves", []) == 4
    assert len(store.lessons.waiting("elves", ["v1"], 2)) == 2


@pytest.mark.usefixtures("elves")
def test_changed_verdict_waits_again_unless_it_was_learnt(store: Store) -> None:
    judged(store, "a", "b")
    published(store, Fate("a", "learnt", NOON + 2), Fate("b", "set aside", NOON + 3, "no label"))

    store.verdicts.put(
        [a_verdict(id, given_at=NOON + 9, was_correct=False, label="orc") for id in ("a", "b")]
    )

    waiting = store.lessons.waiting("elves", ["v1", "v2"], 10)
    assert [row.prediction.id for row in waiting] == ["elves-1", "b"]


@pytest.mark.usefixtures("elves")
def test_fates_of_a_line_add_up(store: Store) -> None:
    judged(store, "a", "b", "c", "d", "e", "f")
    published(
        store,
        Fate("a", "learnt", NOON + 2),
        Fate("b", "held out", NOON + 3),
        Fate("c", "set aside", NOON + 4, "outside the training range: height 99"),
        Fate("d", "set aside", NOON + 5, "outside the training range: height 98"),
        Fate("e", "set aside", NOON + 6, "says only that it was wrong"),
    )
    store.verdicts.put(
        [
            a_verdict("e", given_at=NOON + 20, was_correct=False, label="orc"),
            replace(a_verdict("a"), given_at=NOON + 21, was_correct=None, withdrawn=True),
            replace(a_verdict("f"), given_at=NOON + 22, was_correct=None, withdrawn=True),
        ]
    )
    published(store, Fate("e", "learnt", NOON + 20), parent="v2")

    found = store.lessons.fates("elves", ["v1", "v2", "v3"])

    assert found == Fates(
        verdicts=6,
        waiting=1,
        learnt={"v2": 1, "v3": 1},
        held_out=1,
        set_aside={"outside the training range": 2},
    )
    assert store.lessons.fates("elves", ["v1"]) == Fates(5, 5, {}, 0, {})


@pytest.mark.usefixtures("elves")
@pytest.mark.every_store
def test_fates_that_taught_nothing_are_noted_at_the_version_they_were_decided_at(
    store: Store,
) -> None:
    judged(store, "a", "b")
    store.lessons.decide("elves", "v1", [Fate("a", "held out", NOON + 2)])
    published(store, Fate("b", "learnt", NOON + 3))

    assert store.lessons.learnt("elves", ["v1", "v2"]) == {"b"}
    assert store.lessons.learnt("elves", ["v1"]) == set()
    assert store.lessons.fates("elves", ["v2", "v1"]) == Fates(3, 1, {"v2": 1}, 1, {})


@pytest.mark.usefixtures("elves")
def test_version_weighed_again_keeps_both_verdicts_and_gets_another_anchor(store: Store) -> None:
    passed = GateVerdict("passed", "It is better.", "v1", NOON + 1, ground="recent verdicts")
    data = b"recent rows"
    digest = hashlib.sha256(data).hexdigest()
    anchor = Anchor(digest, 0.75, NOON, data, calibration=b"how sure")

    weighed(store, passed, anchor)

    [version] = store.registry.versions("elves")
    assert [one.decided_at for one in store.lessons.gates("elves", "v1")] == [NOON, NOON + 1]
    assert (version.anchor, version.anchor_score) == (anchor.digest, 0.75)
    assert version.anchor_since == NOON
    assert store.registry.artefact(version.artefacts["anchor"]) == data
    assert store.registry.artefact(version.artefacts["calibration"]) == b"how sure"

    weighed(store, passed, replace(anchor, calibration=b""))

    [version] = store.registry.versions("elves")
    assert "calibration" not in version.artefacts


@pytest.mark.usefixtures("elves")
@pytest.mark.every_store
def test_weighed_version_its_alias_and_the_end_of_the_job_are_kept_at_once(store: Store) -> None:
    published(store)
    job = taken(store)
    passed = GateVerdict("passed", "It is better.", "v1", NOON + 5)

    is_kept = weighed(store, passed, name="v2", job=job, promote=True)

    ended = store.jobs.job("j1")
    assert is_kept and ended is not None
    assert (ended.state, ended.result, ended.ended_at) == ("done", {"version": "v2"}, NOON + 5)
    assert store.lessons.gates("elves", "v2") == [passed]
    assert store.registry.moves("elves")[-1] == AliasMove(
        "champion", "v1", "v2", NOON + 5, "ada", "the gate passed it"
    )


@pytest.mark.usefixtures("elves")
def test_nothing_is_weighed_for_a_lost_job_or_beside_another_champion(store: Store) -> None:
    published(store)
    lost = taken(store)
    store.jobs.release("me")
    again = store.jobs.claim("other", NOON, PATIENCE)
    passed = GateVerdict("passed", "It is better.", "v1", NOON + 5)
    anchor = Anchor(hashlib.sha256(b"rows").hexdigest(), 0.75, NOON, b"rows")
    before = store.registry.generation()

    is_kept = weighed(store, passed, anchor, name="v2", job=lost, promote=True)
    with pytest.raises(Conflict, match="champion changed") as caught:
        weighed(store, passed, anchor, name="v2", job=again, champion="v7", promote=True)

    assert (is_kept, caught.value.reason) == (False, "champion_moved")
    assert store.lessons.gates("elves", "v2") == []
    assert store.registry.generation() == before
    assert store.registry.aliases("elves") == {"champion": "v1"}
    assert store.jobs.job("j1") == again


@pytest.mark.usefixtures("elves")
@pytest.mark.every_store
def test_trusted_verdicts_are_the_newest_in_the_order_of_their_predictions(store: Store) -> None:
    rows = [a_prediction(id, at=NOON + place) for place, id in enumerate("abc", start=1)]
    shipped(store, *rows, segment="three")
    store.verdicts.put(
        [
            a_verdict(id, judge=judge, predicted_at=NOON + place)
            for place, id, judge in ((1, "a", "ada"), (2, "b", None), (3, "c", "bob"))
        ]
    )

    found = store.lessons.trusted("elves", 2)

    assert [row.prediction.id for row in found] == ["a", "c"]


@pytest.mark.usefixtures("elves")
@pytest.mark.every_store
def test_pruned_version_keeps_its_record_and_lets_go_of_files(store: Store) -> None:
    data = b"of v2 alone"
    digest = hashlib.sha256(data).hexdigest()
    store.registry.add_version(
        replace(a_version(), artefacts={"onnx": DIGEST, "skops": digest}), {digest: data}
    )

    store.lessons.prune("elves", ["v2"])
    store.tidying.drop_files(LATER)

    pruned = store.registry.versions("elves")[1]
    assert (pruned.is_pruned, dict(pruned.artefacts), pruned.name) == (True, {}, "v2")
    with pytest.raises(NotFound):
        store.registry.artefact(digest)
    assert store.registry.artefact(DIGEST)
    assert [one.name for one in store.registry.versions("elves", kept_only=True)] == ["v1"]


@pytest.mark.usefixtures("elves")
@pytest.mark.every_store
def test_version_is_pinned_and_let_loose(store: Store) -> None:
    pinned = []
    for is_pinned in (True, False):
        store.registry.pin_version("elves", "v1", is_pinned=is_pinned)
        pinned += [one.is_pinned for one in store.registry.versions("elves")]

    assert pinned == [True, False]


# ── trials ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("elves")
@pytest.mark.every_store
def test_audits_are_listed_newest_first_and_their_rows_not_sampled_again(store: Store) -> None:
    judged(store, "a", "b")
    audit = Audit("second", "elves", NOON + 5, ("a", "b"))
    store.trials.add_audit(audit)

    assert store.trials.audits("elves")[0] == audit
    assert store.trials.audit("second") == audit
    assert store.trials.audit("third") is None
    assert store.trials.audited("elves") == {"a", "b", "elves-1"}
    sampled = store.trials.to_sample("elves", since=NOON, limit=10)
    assert [row.prediction.id for row in sampled] == ["elves-2"]
    assert store.trials.to_sample("elves", since=NOON + 1, limit=10) == []


@pytest.mark.usefixtures("elves")
@pytest.mark.every_store
def test_shadows_are_kept_once_and_read_beside_what_was_answered(store: Store) -> None:
    waiting = store.trials.to_shadow("elves", "v2", since=NOON, limit=10)
    shadow = Shadow("elves-1", "elves", "v2", NOON, "orc", None)
    store.trials.add_shadows([shadow])
    store.trials.add_shadows([replace(shadow, label="elf")])

    assert [row.id for row in waiting] == ["elves-1", "elves-2"]
    left = store.trials.to_shadow("elves", "v2", since=NOON, limit=10)
    assert [row.id for row in left] == ["elves-2"]
    [(kept, row)] = store.trials.shadows("elves", "v2", 10)
    assert kept == shadow
    assert (row.prediction.id, row.prediction.label) == ("elves-1", "elf")
    assert row.feedback is not None and row.feedback.judge == "ada"
