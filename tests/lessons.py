"""Stand-ins for what does jobs: they publish real versions and fit nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from unrot.core.ports import Progress
from unrot.core.records import (
    CHAMPION,
    Caller,
    Example,
    Fate,
    GateVerdict,
    Job,
    JudgedPrediction,
    Schema,
    Version,
)
from unrot.hear.truth import judging_verdicts
from unrot.learn.worker import Doing, Learner
from unrot.serve.service import Service
from unrot.watch.worth.one_sided import part_told

IRIS_ROW = [5.1, 3.5, 1.4, 0.2]
JUDGE = Caller(role="judge", judge="ada")


def judged(service: Service, count: int = 1, model: str = "iris") -> list[str]:
    """Predict, ship by a caretaker of the test, and judge each prediction as right."""
    from unrot.run.caretaker import Caretaker

    answer = service.predict_instances(model, [IRIS_ROW] * count)
    keeper = Caretaker(service, "tests")
    keeper._leader.go_round = lambda **_: None  # type: ignore[method-assign]
    assert keeper.go_round()
    ids = [prediction.id or "" for prediction in answer.predictions]
    for id in ids:
        service.judge({"id": id, "was_correct": True}, JUDGE)
    return ids


def verdict(decision: str = "passed", at: float = 1.0) -> GateVerdict:
    """What the gate might say."""
    return GateVerdict(
        decision,  # type: ignore[arg-type]
        "It was compared on 40 rows.",
        "v1",
        at,
        rows=40,
        champion_score=0.9,
        candidate_score=0.95,
        difference=0.05,
        bound=0.01,
        tolerance=0.02,
    )


def published(
    service: Service,
    model: str = "iris",
    *,
    gate: GateVerdict | None = None,
    fates: list[Fate] | None = None,
    job: Job | None = None,
    promote: bool = False,
) -> Version | None:
    """Publish a child of the champion that answers as its parent does."""
    champion = service.store.registry.aliases(model)[CHAMPION]
    parent = service.version(model, champion)
    child = replace(parent, name="", parent=champion, origin="learnt", created_at=service.clock())
    return service.store.lessons.publish(
        child,
        {},
        fates=fates or [],
        gate=gate,
        job=job,
        result={"learnt": len(fates or [])},
        champion=champion,
        promote=promote,
    )


def learnt(row: JudgedPrediction) -> Fate:
    assert row.feedback is not None
    return Fate(row.feedback.prediction, "learnt", row.feedback.given_at)


def teach(service: Service, job: Job, tell: Progress) -> None:
    """Do a job: all verdicts that wait are learnt by a version that the gate passes."""
    tell(0.5, "learning")
    champion = service.store.registry.aliases(job.model)[CHAMPION]
    rows = service.store.lessons.waiting(job.model, [champion], 100)
    gate = verdict(at=service.clock())
    published(service, job.model, gate=gate, fates=[learnt(row) for row in rows], job=job)


def patient(began: threading.Event) -> Doing:
    """Return what goes on until it is cancelled."""

    def do(_service: Service, _job: Job, tell: Progress) -> None:
        for step in range(10_000):
            tell(0.5, f"step {step}")
            began.set()
            time.sleep(0.01)

    return do


@contextmanager
def working(service: Service, do: Callable[..., None] = teach) -> Iterator[None]:
    """Let a learner do jobs beside the test."""
    learner = Learner(service, do, holder="tests/learner")
    thread = threading.Thread(target=learner.run)
    thread.start()
    try:
        yield
    finally:
        learner.stop()
        thread.join(20)


def judging_rows(
    judged: Iterable[JudgedPrediction], schema: Schema, held_out: float, **more: Any
) -> list[Example]:
    """Return the rows of the verdicts that only judge."""
    return part_told(judging_verdicts(judged, held_out, **more), schema)[0]
