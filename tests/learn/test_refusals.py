"""What refuses a lesson is looked at first: for a job that comes to nothing nobody answers rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.learning_model import CROWD, School, zombies_of
from unrot.core.artefacts import SKOPS, STREAM
from unrot.core.errors import BadArtefact
from unrot.core.policy import Policy
from unrot.core.records import CHAMPION, Audit, Job, JobKind, Version
from unrot.learn import jobs, promote
from unrot.serve.shelf import Contents, Shelf

Open = Callable[[str], School]
Silence = Callable[..., None]


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> Silence:
    """Let some versions, or all, answer nothing any more."""

    def keep_silent(*names: str) -> None:
        real = Shelf.predictor

        def answer(shelf: Shelf, contents: Contents, version: Version) -> Any:
            if not names or version.name in names:
                raise BadArtefact(f"{version.name} cannot be loaded.")
            return real(shelf, contents, version)

        monkeypatch.setattr(Shelf, "predictor", answer)

    return keep_silent


def run_job(school: School, kind: JobKind, **asked: Any) -> Job:
    """Do a job that was asked for while things stood otherwise."""
    made = Job("a job", "zombies", kind, asked, school.service.clock())
    school.service.store.jobs.add(made)
    assert school.learner.do_next()
    return jobs.job(school.service, made.id)


def be_champion(school: School, **changes: Any) -> None:
    """Let a copy of v1 that differs in something answer from now on."""
    registry = school.service.store.registry
    made = registry.add_version(replace(school.service.version("zombies", "v1"), **changes), {})
    assert registry.move_alias("zombies", CHAMPION, to=made.name, expected="v1")


def artefacts_of_first(school: School) -> Mapping[str, str]:
    return school.service.version("zombies", "v1").artefacts


def audit_all(school: School, count: int) -> None:
    """Let verdicts be given that only judge, because an audit asked for them."""
    ids = [one.id or "" for one in school.taught(count)]
    school.service.store.trials.add_audit(Audit("audit", "zombies", 0.0, ids))


def test_estimator_without_partial_fit_is_refused_before_anybody_answers(
    open_school: Open, silence: Silence
) -> None:
    school = open_school("tree")
    school.taught(40)
    silence()

    job = run_job(school, "learn")

    assert (job.state, job.reason) == ("failed", "cannot_learn")
    assert "ask for refit" in job.error


@pytest.mark.parametrize("kind", ["learn", "refit"])
def test_version_that_is_only_served_is_refused_before_anybody_answers(
    open_school: Open, silence: Silence, kind: JobKind
) -> None:
    school = open_school("sgd")
    kept = {name: one for name, one in artefacts_of_first(school).items() if name != SKOPS}
    school.taught(40)
    be_champion(school, artefacts=kept)
    silence()

    job = run_job(school, kind)

    assert (job.state, job.reason) == ("failed", "cannot_learn")
    assert job.error == f"v2 is served only, so {kind} has nothing to go on from."


def test_verdicts_that_all_only_judge_are_noted_before_anybody_answers(
    open_school: Open, silence: Silence
) -> None:
    school = open_school("sgd")
    audit_all(school, 40)
    silence()

    job = run_job(school, "learn")

    assert (job.state, job.reason) == ("failed", "nothing_to_learn")
    assert job.error == "Nothing is left to learn of 40 verdicts: 40 held out."
    assert school.fates("v1").held_out == 40


def test_refit_of_verdicts_that_all_only_judge_is_refused_and_decides_nothing(
    open_school: Open, silence: Silence
) -> None:
    school = open_school("tree")
    audit_all(school, 40)
    silence()

    job = run_job(school, "refit")

    assert (job.state, job.reason) == ("failed", "nothing_to_learn")
    assert school.fates("v1").waiting == 40


def test_rival_that_fails_hides_no_reason_and_no_fate(open_school: Open, silence: Silence) -> None:
    """How far today's world goes is known once the champion has answered: the rivals need not."""
    school = open_school("sgd")
    school.taught(60)
    school.done("learn")
    promote.promote(school.service, "zombies", "v2", force=True, reason="a test")
    far = [{**row, "hunger": 1e6} for row, _ in zombies_of(20, seed=3)]
    school.judged(school.predicted(far), ["hostile"] * 20, CROWD)
    silence("v1")

    job = run_job(school, "learn")

    assert (job.state, job.reason) == ("failed", "nothing_to_learn")
    assert school.fates("v2").set_aside["outside the training range"] == 20


@pytest.mark.parametrize(("estimator", "kind"), [("sgd", "learn"), ("tree", "refit")])
def test_stream_is_not_fetched_by_what_does_not_feed_it(
    open_school: Open, estimator: str, kind: JobKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    school = open_school(estimator)
    registry, first = type(school.service.store.registry), artefacts_of_first(school)
    be_champion(school, artefacts={**first, STREAM: first["holdout"]}, anchor="")
    school.taught(60)
    read: list[str] = []
    real = registry.artefact

    def artefact(self: Any, digest: str) -> bytes:
        read.append(digest)
        return real(self, digest)

    monkeypatch.setattr(registry, "artefact", artefact)

    school.done(kind)

    assert first["holdout"] not in read
    assert first["training"] in read


@pytest.mark.parametrize("gate", [True, False])
def test_champion_is_weighed_by_asking_nobody(
    open_school: Open, silence: Silence, gate: bool
) -> None:
    school = open_school("sgd")
    school.service.store.registry.set_policy("zombies", Policy(gate=gate))
    school.taught(60)
    school.done("learn")
    promote.promote(school.service, "zombies", "v2", force=True, reason="a test")
    silence()

    job = run_job(school, "weigh", version="v2")

    assert (job.state, (job.result or {}).get("is_champion")) == ("done", True)


def test_version_is_weighed_by_asking_nobody_while_the_gate_is_off(
    open_school: Open, silence: Silence
) -> None:
    school = open_school("sgd")
    school.taught(60)
    school.done("learn")
    before = school.service.version("zombies", "v2")
    school.service.store.registry.set_policy("zombies", Policy(gate=False, promote="auto"))
    silence()

    job = run_job(school, "weigh", version="v2")

    assert (job.state, (job.result or {}).get("gate")) == ("done", "off")
    assert school.service.version("zombies", "v2") == before
    assert school.service.aliases("zombies") == {"champion": "v2"}
