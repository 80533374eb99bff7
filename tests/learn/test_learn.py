"""Learn from verdicts: what is learnt, what becomes of the others, and what a version keeps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.learning_model import CROWD, School, zombies_of
from unrot.core.errors import Conflict
from unrot.core.policy import Policy
from unrot.core.records import Audit, Caller
from unrot.learn import jobs, promote
from unrot.make import artefacts
from unrot.watch.monitors.estimate import calibration

Open = Callable[[str], School]


@pytest.mark.parametrize("estimator", ["sgd", "mlp"])
def test_lesson_makes_a_version_that_the_gate_weighs(open_school: Open, estimator: str) -> None:
    school = open_school(estimator)
    school.taught(200)

    told = school.done("learn")

    [first, second] = school.service.versions("zombies")
    fates = school.fates("v2")
    assert (told["version"], told["is_champion"]) == ("v2", False)
    assert (second.parent, second.origin, second.made["verdicts"]) == (
        "v1",
        "learn",
        fates.learnt["v2"],
    )
    assert second.anchor == first.anchor == first.artefacts["holdout"]
    assert second.artefacts["calibration"] != first.artefacts["calibration"]
    assert (
        fates.verdicts == 200 == fates.learnt["v2"] + fates.held_out + sum(fates.set_aside.values())
    )
    assert fates.waiting == 0 and 40 <= fates.held_out <= 80
    assert school.fates("v1").waiting == 200
    [gate] = school.service.store.lessons.gates("zombies", "v2")
    assert (gate.decision, gate.rows, gate.ground) == (told["gate"], 1000, "anchor")
    assert gate.candidate_score == second.anchor_score


def test_lesson_equals_partial_fit_by_hand(open_school: Open) -> None:
    school = open_school("sgd")
    school.service.store.registry.set_policy(
        "zombies", Policy(batch=1, replay=0, clip=0, cap=0, held_out=0, promote="auto", gate=False)
    )
    drawn = zombies_of(30, seed=4)
    made = school.predicted([row for row, _ in drawn])
    school.judged(made, [truth for _, truth in drawn])
    first = school.service.version("zombies", "v1")
    pipeline = artefacts.load(school.service.store.registry.artefact(first.artefacts["skops"]))

    school.done("learn")

    # All were judged at the same moment: then their ids decide.
    order = sorted(range(30), key=lambda place: made[place].id or "")
    for place in order:
        row = pipeline[:-1].transform(np.array([list(drawn[place][0].values())]))
        pipeline[-1].partial_fit(row, [drawn[place][1]])
    second = school.service.version("zombies", "v2")
    taught = artefacts.load(school.service.store.registry.artefact(second.artefacts["skops"]))
    assert np.array_equal(taught[-1].coef_, pipeline[-1].coef_)
    assert np.array_equal(taught[-1].intercept_, pipeline[-1].intercept_)
    assert school.service.aliases("zombies") == {"champion": "v2"}


def test_each_lesson_takes_what_its_line_has_not_learnt(open_school: Open) -> None:
    school = open_school("sgd")
    school.taught(60, seed=1)
    school.done("learn")
    promote.promote(school.service, "zombies", "v2", force=True, reason="a test")
    school.taught(60, seed=2)

    school.done("learn")

    fates = school.fates("v3")
    assert set(fates.learnt) == {"v2", "v3"}
    assert (fates.verdicts, fates.waiting) == (120, 0)
    assert school.service.version("zombies", "v3").parent == "v2"


def test_candidate_that_is_not_promoted_consumes_nothing(open_school: Open) -> None:
    school = open_school("sgd")
    school.taught(60)
    school.done("learn")

    school.done("learn")

    assert school.service.version("zombies", "v3").parent == "v1"
    assert school.fates("v3").learnt == {"v3": school.fates("v2").learnt["v2"]}


def test_same_lesson_again_answers_the_same(open_school: Open) -> None:
    school = open_school("mlp")
    school.taught(80)
    school.done("learn")

    school.done("learn")

    assert school.answers("v2") == school.answers("v3")


def test_nothing_that_may_be_learnt_is_noted_and_said(open_school: Open) -> None:
    school = open_school("sgd")
    far = [{**row, "hunger": 1e6} for row, _ in zombies_of(20, seed=3)]
    school.judged(school.predicted(far), ["hostile"] * 20, CROWD)

    job = school.asked("learn")

    assert (job.state, job.reason) == ("failed", "nothing_to_learn")
    assert job.error == ("Nothing is left to learn of 20 verdicts: 20 outside the training range.")
    assert school.fates("v1").set_aside == {"outside the training range": 20}
    with pytest.raises(Conflict, match="nothing waits"):
        school.asked("learn")


def test_audited_rows_only_judge(open_school: Open) -> None:
    school = open_school("sgd")
    made = school.taught(40)
    ids = [one.id or "" for one in made[:25]]
    school.service.store.trials.add_audit(Audit("audit", "zombies", 0.0, ids))

    school.done("learn")

    decided = school.service.store.lessons.fates_of("zombies", "v2", limit=100)
    kinds = {fate.prediction: fate.kind for fate, _ in decided}
    assert {kinds[id] for id in ids} == {"held out"}


def test_estimator_without_partial_fit_is_refused_before_a_job_is_made(open_school: Open) -> None:
    school = open_school("tree")
    school.taught(10)

    with pytest.raises(Conflict, match="ask for refit"):
        school.asked("learn")


def test_model_learns_a_new_world_only_from_those_who_are_trusted(open_school: Open) -> None:
    school = open_school("tree")
    school.taught(400, mutated=True)

    told = school.done("refit")

    [gate] = school.service.store.lessons.gates("zombies", "v2")
    second = school.service.version("zombies", "v2")
    assert (told["gate"], told["recipe"]) == ("passed", "verdicts alone")
    assert (gate.ground, gate.moved_at is not None) == ("recent verdicts", True)
    assert second.anchor == second.artefacts["anchor"] != second.artefacts["holdout"]
    assert second.anchor_score == gate.candidate_score
    sure = school.service.store.registry.artefact(second.artefacts["calibration"])
    assert calibration.unpack(sure).accuracy == pytest.approx(second.metrics["accuracy"])
    assert school.accuracy(2_000, seed=8, mutated=True, version="v2") >= 0.9


def test_crowd_that_lies_makes_nothing_that_is_promoted_without_force(open_school: Open) -> None:
    """Not even the recipe is chosen by what nobody trusts."""
    school = open_school("tree")
    school.service.store.registry.set_policy("zombies", Policy(cap=0))
    for number in range(9):
        school.taught(50, seed=number, wrong=True, caller=Caller("anyone", None, f"no {number}"))

    told = school.done("refit")

    assert (told["recipe"], told["gate"]) == ("training and verdicts", "refused")
    assert [row["score"] for row in told["recipes"]] == [None] * len(told["recipes"])
    with pytest.raises(Conflict, match="The gate refused v2"):
        promote.promote(school.service, "zombies", "v2")
    again = school.done("weigh", version="v2")
    assert again["gate"] == "refused"


def test_candidates_of_an_anchor_share_one_doubt(open_school: Open) -> None:
    school = open_school("sgd")
    school.taught(60)
    for _ in range(2):
        school.done("learn")
    school.done("weigh", version="v2")

    [first, again], [second] = (
        school.service.store.lessons.gates("zombies", name) for name in ("v2", "v3")
    )
    assert (first.weighed, second.weighed, again.weighed) == (1, 2, 1)
    assert (first.holds, first.doubt, again.doubt) == ("fixed rows", 0.045, 0.045)
    assert second.doubt == pytest.approx(0.00125)


def test_version_that_became_champion_before_it_was_weighed_is_moved_no_second_time(
    open_school: Open,
) -> None:
    school = open_school("sgd")
    school.service.store.registry.set_policy("zombies", Policy(promote="auto", tolerance=0.5))
    school.taught(60)
    school.done("learn")
    promote.rollback(school.service, "zombies")
    moves = school.service.store.registry.moves("zombies")
    asked = jobs.ask(school.service, "zombies", "weigh", {"version": "v2"})
    promote.promote(school.service, "zombies", "v2", force=True, reason="a test")

    assert school.learner.do_next()

    told = jobs.job(school.service, asked.id)
    assert (told.state, (told.result or {})["is_champion"]) == ("done", True)
    assert len(school.service.store.registry.moves("zombies")) == len(moves) + 1


def test_cured_model_goes_on_in_the_new_world(open_school: Open) -> None:
    """What is held out goes by ids, which are random: what the gate decides is not asserted."""
    school = open_school("mlp")
    first = school.taught(200, mutated=True)
    school.done("learn")
    promote.promote(school.service, "zombies", "v2", force=True, reason="a test")
    school.taught(500, seed=2, mutated=True)

    school.done("learn")

    cured, third = (school.service.version("zombies", name) for name in ("v2", "v3"))
    [lesson] = school.service.trainer.unpack_lessons(
        school.service.store.registry.artefact(third.artefacts["lessons"])
    )
    [gate] = school.service.store.lessons.gates("zombies", "v3")
    assert {tuple(row) for row, _ in lesson.replayed} <= {tuple(one.inputs) for one in first}
    assert (gate.champion, gate.ground) == ("v2", "recent verdicts")
    assert third.anchor != cured.anchor
    assert third.anchor_since >= cured.anchor_since > 0
