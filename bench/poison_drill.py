"""One drill: a model goes online, people judge it batch by batch, it learns, and the gate decides.

All through the real service, with its caretaker and its learner in this process, and with
`promote: auto`. After each batch a job is asked for, as `learn: every N verdicts` would. The same
drill again gives the same figures: the clock stands until people come, and ids are not random.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.attacks import Said, say
from bench.worlds import Rows, World, world
from unrot.core.ids import Ids
from unrot.core.policy import Policy
from unrot.core.records import Caller, JobKind, Model
from unrot.core.settings import Settings
from unrot.learn import jobs
from unrot.learn.worker import Learner
from unrot.make.publishing import publish
from unrot.make.train import train
from unrot.run.bootstrap import open_service
from unrot.run.caretaker import Caretaker
from unrot.serve.service import Service

BATCHES = 5
SENDERS = 20
STARTS_AT, SECONDS_OF_A_VISIT = 1_800_000_000.0, 600.0

JOBS: dict[str, JobKind] = {"mlp": "learn", "sgd": "learn", "tree": "refit"}
"""What each estimator is taught by: a tree has no partial_fit."""


@dataclass(frozen=True, slots=True)
class Drill:
    """Who says what in each batch."""

    world: str
    estimator: str
    seed: int
    attack: str = "flip"
    share: float = 0.0
    """Of bad verdicts, among the anonymous ones or, where there are none, the trusted ones."""
    anonymous: int = 200
    trusted: int = 20
    """A batch; five batches are 1,000 anonymous verdicts beside 100 trusted ones."""
    has_moved: bool = False
    gate: bool = True
    job: JobKind | None = None

    @property
    def kind(self) -> JobKind:
        """The job that is asked for after each batch."""
        return self.job or JOBS[self.estimator]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a drill; accuracies on thousands of fresh rows."""

    drill: Drill
    before: float
    after: float
    decisions: tuple[str, ...]
    """What the gate said after each batch; "nothing" where nothing was left to learn."""
    promoted: int
    seconds: float

    @property
    def loss(self) -> float:
        """What was lost of accuracy, in points; negative is a gain."""
        return 100 * (self.before - self.after)


def prepare(home: Path, name: str, estimator: str) -> None:
    """Train a model into a home folder."""
    service = open_service(Settings(home=home))
    data = world(name).dataset
    model = Model(data.name, 0, data.title, data.description, data.schema, time.time())
    publish(service, model, train(data, estimator, lambda *_: None))
    service.store.close()


def run(prepared: Path, drill: Drill) -> Outcome:
    """Drill a model on a copy of its home folder."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        shutil.copytree(prepared, home)
        service = open_service(Settings(home=home))
        try:
            town = Town(service, drill)
            before = town.accuracy()
            told = [town.next_batch() for _ in range(BATCHES)]
            after = town.accuracy()
        finally:
            service.store.close()
    return Outcome(
        drill=drill,
        before=before,
        after=after,
        decisions=tuple(decision for decision, _ in told),
        promoted=sum(is_promoted for _, is_promoted in told),
        seconds=time.perf_counter() - started,
    )


class SameIds(Ids):
    """Makes the same ids for the same rows: what is held out goes by the id."""

    def make(self, **told: Any) -> str:
        """Return an id from a segment that is always the same."""
        return super().make(**{**told, "segment": b"drill"})

    def make_many(self, count: int, **told: Any) -> list[str]:
        """Return ids from a segment that is always the same."""
        return super().make_many(count, **{**told, "segment": b"drill"})


class Town:
    """The people around one model."""

    def __init__(self, service: Service, drill: Drill) -> None:
        self._now = STARTS_AT
        service = replace(service, ids=SameIds(b"drill"), clock=lambda: self._now)
        self._service, self._drill = service, drill
        self._world: World = world(drill.world)
        self._chance = np.random.default_rng([drill.seed, round(100 * drill.share)])
        self._caretaker = Caretaker(service, "writer")
        self._caretaker.go_round()
        self._learner = Learner(service, holder="drill")
        policy = Policy(promote="auto", gate=drill.gate, seed=drill.seed)
        service.store.registry.set_policy(drill.world, policy)

    def next_batch(self) -> tuple[str, bool]:
        """Let people judge, and the model learn; return what the gate said, and if it promoted."""
        drill = self._drill
        anonymous, trusted = drill.anonymous, drill.trusted
        bad = round(drill.share * (anonymous or trusted))
        if anonymous:
            self._judge(self._said(anonymous, bad), is_trusted=False)
        if trusted:
            self._judge(self._said(trusted, 0 if anonymous else bad), is_trusted=True)
        job = jobs.ask(self._service, drill.world, drill.kind, {}, by="operator")
        self._learner.do_next()
        job = jobs.job(self._service, job.id)
        if job.result is None:
            if job.reason != "nothing_to_learn":
                raise RuntimeError(f"{drill}: {job.error}")
            return "nothing", False
        return str(job.result["gate"]), bool(job.result["is_champion"])

    def accuracy(self) -> float:
        """Return how often the champion is right on rows that nobody has seen."""
        fresh = self._world.moved_fresh if self._drill.has_moved else self._world.fresh
        contents = self._service.catalogue()
        shelved = contents.model(self._drill.world)
        predictor = self._service.shelf.predictor(contents, shelved.version(None))
        places = predictor.predict(fresh.rows.tolist()).classes
        said = np.array(shelved.model.schema.classes)[list(places or ())]
        return float(np.mean(said == fresh.labels))

    def _said(self, count: int, bad: int) -> Said:
        drill, here = self._drill, self._world
        traffic: Rows = here.moved_traffic if drill.has_moved else here.traffic
        return say(
            traffic,
            here.dataset.schema.classes,
            count=count,
            bad=bad,
            attack=drill.attack,
            seed=drill.seed,
            chance=self._chance,
        )

    def _judge(self, said: Said, *, is_trusted: bool) -> None:
        """Predict, and let everybody send what they say of it."""
        self._now += SECONDS_OF_A_VISIT
        names = self._world.dataset.schema.names
        # The bad ones are not the first to speak.
        order = self._chance.permutation(len(said.rows))
        rows = [dict(zip(names, row, strict=True)) for row in said.rows[order].tolist()]
        answer = self._service.predict(self._drill.world, rows)
        self._caretaker.ship()
        senders = _senders(said, self._drill.share)[order]
        for sender in range(SENDERS):
            given: list[Any] = [
                {"id": answer.predictions[place].id, "label": str(said.labels[order[place]])}
                for place in np.flatnonzero(senders == sender).tolist()
            ]
            if given:
                self._keep(given, _caller(sender, is_trusted=is_trusted))

    def _keep(self, given: Sequence[Any], caller: Caller) -> None:
        told = self._service.judge_many(list(given), caller)
        if any(status != "created" for _, status in told):
            raise RuntimeError(f"A verdict was not taken: {told}")


def _senders(said: Said, share: float) -> NDArray[np.intp]:
    """Return who says what: the bad verdicts come from their share of all senders."""
    liars = round(SENDERS * share) if said.bad else 0
    honest = len(said.rows) - said.bad
    return np.concatenate(
        [
            np.arange(said.bad) % max(liars, 1),
            liars + np.arange(honest) % (SENDERS - liars),
        ]
    )


def _caller(sender: int, *, is_trusted: bool) -> Caller:
    if is_trusted:
        return Caller("judge", f"judge {sender}", f"judge {sender}")
    return Caller("anyone", None, f"address {sender}")
