"""A version again from its lessons: the same, without some verdicts, with changed ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.learning_model import JUDGE, School
from unrot.core.errors import Conflict, NotFound
from unrot.learn import promote
from unrot.make import artefacts

Open = Callable[[str], School]


def parameters(school: School, version: str) -> list[np.ndarray]:
    made = school.service.version("zombies", version)
    pipeline = artefacts.load(school.service.store.registry.artefact(made.artefacts["skops"]))
    last = pipeline[-1]
    if hasattr(last, "coefs_"):
        return [*last.coefs_, *last.intercepts_]
    if hasattr(last, "coef_"):
        return [last.coef_, last.intercept_]
    return [last.tree_.threshold, last.tree_.value]


def are_equal(school: School, one: str, other: str) -> bool:
    pairs = zip(parameters(school, one), parameters(school, other), strict=True)
    is_alike = all(np.array_equal(*pair) for pair in pairs)
    return is_alike and school.answers(one) == school.answers(other)


def promoted(school: School, kind: str, **asked: object) -> str:
    version = school.done(kind, **asked)["version"]  # type: ignore[arg-type]
    promote.promote(school.service, "zombies", version, force=True, reason="a test")
    return str(version)


def learnt_by(school: School, version: str) -> list[str]:
    decided = school.service.store.lessons.fates_of("zombies", version, limit=1000)
    return [fate.prediction for fate, _ in decided if fate.kind == "learnt"]


@pytest.mark.parametrize(
    ("estimator", "kind"), [("sgd", "learn"), ("mlp", "learn"), ("tree", "refit")]
)
def test_rebuilt_with_nothing_left_out_is_equal(
    open_school: Open, estimator: str, kind: str
) -> None:
    school = open_school(estimator)
    school.taught(120)
    promoted(school, kind)

    told = school.done("rebuild", version="v2")

    assert (told["version"], told["left_out"], told["note"]) == ("v3", 0, "")
    assert are_equal(school, "v2", "v3")
    assert school.service.version("zombies", "v3").parent == "v1"
    counts = school.fates("v3")
    assert counts.learnt == {"v3": len(learnt_by(school, "v2"))}
    assert counts.verdicts == 120 and counts.waiting == 0


def test_struck_out_verdict_is_not_in_it_and_not_learnt_again(open_school: Open) -> None:
    school = open_school("sgd")
    school.taught(60)
    promoted(school, "learn")
    bad = learnt_by(school, "v2")[:3]

    told = school.done("rebuild", version="v2", without=bad)
    promote.promote(school.service, "zombies", "v3", force=True, reason="a test")

    assert told["left_out"] == 3
    assert not set(bad) & set(learnt_by(school, "v3"))
    assert not are_equal(school, "v2", "v3")
    assert school.fates("v3").set_aside["was struck out"] == 3
    with pytest.raises(Conflict, match="nothing waits"):
        school.asked("learn")


def test_rebuild_of_a_grandchild_begins_before_what_is_left_out(open_school: Open) -> None:
    school = open_school("sgd")
    school.taught(60, seed=1)
    promoted(school, "learn")
    school.taught(60, seed=2)
    promoted(school, "learn")
    [early] = learnt_by(school, "v2")[:1]
    [late] = learnt_by(school, "v3")[:1]

    school.done("rebuild", version="v3")
    school.done("rebuild", version="v3", without=[late])
    school.done("rebuild", version="v3", without=[early])

    parents = {one.name: one.parent for one in school.service.versions("zombies")}
    assert parents == {"v1": None, "v2": "v1", "v3": "v2", "v4": "v2", "v5": "v2", "v6": "v1"}
    assert are_equal(school, "v3", "v4")
    assert (
        len(learnt_by(school, "v6"))
        == len(learnt_by(school, "v2")) + len(learnt_by(school, "v3")) - 1
    )
    assert school.fates("v6").verdicts == 120


def test_rebuild_takes_corrections_and_leaves_out_what_was_taken_back(open_school: Open) -> None:
    school = open_school("sgd")
    made = {one.id or "": one for one in school.taught(60)}
    promoted(school, "learn")
    changed, gone, *_ = learnt_by(school, "v2")
    before = school.service.store.verdicts.of(changed)
    assert before is not None
    other = {"hostile": "friendly", "friendly": "hostile"}[str(before.label)]
    school.judged([made[changed]], [other])
    school.service.withdraw(gone, JUDGE)

    told = school.done("rebuild", version="v2")

    assert (told["corrected"], told["left_out"]) == (1, 1)
    assert gone not in learnt_by(school, "v3")
    assert not are_equal(school, "v2", "v3")


def test_version_that_learnt_nothing_is_not_rebuilt(open_school: Open) -> None:
    school = open_school("sgd")

    assert "train it again" in school.asked("rebuild", version="v1").error
    with pytest.raises(NotFound, match="v9"):
        school.asked("rebuild", version="v9")
