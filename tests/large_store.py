"""A home folder in which zombies have grown: predictions, verdicts, a second version, its gate.

What the jobs of learning leave behind is put into the store through its drawers, so that pages
and use cases are tried without a fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from tests.newest import newest
from unrot.core.records import (
    Caller,
    Candidate,
    Fate,
    GateVerdict,
    Job,
    JudgedPrediction,
    Recall,
    Version,
)
from unrot.make import demos
from unrot.make.publishing import as_version
from unrot.make.train import train
from unrot.run.caretaker import Caretaker
from unrot.serve.service import Service
from unrot.serve.shelf import sync

ADA = Caller(role="judge", judge="ada")
ANYONE = Caller(subject="here")
ZOMBIES = "zombies"


def predicted(service: Service, count: int, model: str = ZOMBIES) -> list[JudgedPrediction]:
    """Ask a model for so many holdout rows and ship them; return them as they are kept."""
    data = demos.DEMOS[model]()
    names = data.schema.names
    rows = [dict(zip(names, row, strict=True)) for row in data.holdout_rows[:count].tolist()]
    service.predict(model, rows)
    ship(service)
    return newest(service, model, count)


def ship(service: Service) -> None:
    """Bring what was answered to the store; no learner is started."""
    keeper = Caretaker(service, "tests")
    keeper._leader.go_round = lambda **_: None  # type: ignore[method-assign]
    assert keeper.go_round()


def judged(
    service: Service, rows: Sequence[JudgedPrediction], caller: Caller = ADA, **said: Any
) -> None:
    """Judge predictions: each was right unless something else is said."""
    given = said or {"was_correct": True}
    service.judge_many([{"id": row.prediction.id, **given} for row in rows], caller)


def second(
    service: Service,
    *,
    estimator: str = "tree",
    fates: Sequence[Fate] = (),
    gate: GateVerdict | None = None,
    made: Mapping[str, Any] | None = None,
) -> Version:
    """Publish a version that was fitted from v1's own data by another estimator."""
    model = service.catalogue().model(ZOMBIES).model
    candidate = replace(
        _trained(estimator), parent="v1", origin="learnt", made=dict(made or {"seed": 3})
    )
    version, artefacts = as_version(
        model, candidate, profiler=service.profiler, now=service.clock()
    )
    return published(service, version, artefacts, fates=fates, gate=gate)


@cache
def _trained(estimator: str) -> Candidate:
    """Train it on the zombies once a process."""
    return train(demos.DEMOS[ZOMBIES](), estimator, lambda *_: None)


def published(
    service: Service,
    version: Version,
    artefacts: Mapping[str, bytes],
    *,
    fates: Sequence[Fate] = (),
    gate: GateVerdict | None = None,
) -> Version:
    """Publish a version as the learner does, and bring it to the shelf."""
    made = service.store.lessons.publish(
        version,
        artefacts,
        fates=fates,
        gate=gate,
        job=None,
        result={},
        champion=service.aliases(version.model)["champion"],
        promote=False,
    )
    assert made is not None
    sync(service.shelf.folder, service.store.registry)
    return made


def copy_of(
    service: Service, name: str = "v1", *, gate: GateVerdict | None = None, **changes: Any
) -> Version:
    """Publish the same version once more, as a child of it; the cheapest further version."""
    found = service.version(ZOMBIES, name)
    changes = {"parent": name, "origin": "learnt", **changes}
    digests = set(found.artefacts.values())
    kept = {digest: service.store.registry.artefact(digest) for digest in digests}
    return published(service, replace(found, name="", **changes), kept, gate=gate)


def fate_of(row: JudgedPrediction, kind: Any, reason: str = "") -> Fate:
    """Return the fate of the verdict on a prediction."""
    assert row.prediction.id is not None
    return Fate(row.prediction.id, kind, given_at=2e9, reason=reason)


def a_gate(decision: Any = "passed", **more: Any) -> GateVerdict:
    """Return what a gate says that had 400 rows."""
    plain = GateVerdict(
        decision=decision,
        sentence=f"It was {decision}: 92.5 % of 400 anchor rows are right, 90 % were.",
        champion="v1",
        decided_at=1.8e9,
        ground="anchor",
        why="The champion does on the judges' verdicts what it does on its test set.",
        rows=400,
        champion_score=0.9,
        candidate_score=0.925,
        best_score=0.9,
        difference=0.025,
        bound=0.004,
        tolerance=0.02,
        recalls=(Recall("hostile", 200, 0.9, 0.95, False), Recall("friendly", 200, 0.9, 0.9, True)),
        recent_rows=40,
        recent_score=0.875,
        anchor_score=0.9,
        chance=0.3,
        largest_difference=2e-16,
        judged=120,
        predicted=1000,
        voters="Most verdicts came from people who chose what to judge.",
    )
    return replace(plain, **more)


def a_job(service: Service, kind: Any = "learn", **asked: Any) -> Job:
    """Queue a job."""
    job = Job("0a1b2c3d4e5f6071", ZOMBIES, kind, asked, service.clock(), asked_by="operator")
    return service.store.jobs.add(job)
