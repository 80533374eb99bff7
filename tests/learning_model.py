"""A small town that learns: models in a home folder, voters, and a learner in this process."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from unrot.core.lineage import learning_line
from unrot.core.records import Caller, Fates, Job, JobKind, Prediction
from unrot.learn import jobs
from unrot.learn.worker import Learner
from unrot.make.demos import zombies
from unrot.run.caretaker import Caretaker
from unrot.serve.service import Service

JUDGE = Caller("operator", "operator", "here")
CROWD = Caller("anyone", None, "somewhere")
OTHER = {"hostile": "friendly", "friendly": "hostile"}

Zombie = tuple[dict[str, float], str]


@dataclass
class School:
    """One service with its caretaker and its learner, all in this process."""

    service: Service
    name: str = "zombies"
    caretaker: Caretaker = field(init=False)
    learner: Learner = field(init=False)

    def __post_init__(self) -> None:
        self.caretaker = Caretaker(self.service, "writer")
        self.caretaker._mend_profiles()
        self.learner = Learner(self.service, holder="school")

    def asked(self, kind: JobKind, **asked: Any) -> Job:
        """Ask for a job, do it and return it as it ended."""
        job = jobs.ask(self.service, self.name, kind, asked, by="operator")
        assert self.learner.do_next()
        return jobs.job(self.service, job.id)

    def done(self, kind: JobKind, **asked: Any) -> Mapping[str, Any]:
        """Ask for a job that has to succeed; return its result."""
        job = self.asked(kind, **asked)
        assert job.state == "done", job.error
        return job.result or {}

    def predicted(
        self, inputs: Sequence[Mapping[str, Any]], *, version: str | None = None
    ) -> list[Prediction]:
        """Predict, and bring what was answered into the store."""
        answer = self.service.predict(self.name, list(inputs), version=version)
        self.caretaker.ship()
        return answer.predictions

    def judged(
        self, predictions: Sequence[Prediction], labels: Sequence[Any], caller: Caller = JUDGE
    ) -> list[str]:
        """Send the truth; return what became of each verdict."""
        given = [
            {"id": one.id, "label": label} for one, label in zip(predictions, labels, strict=True)
        ]
        told = []
        for start in range(0, len(given), 1000):
            part = self.service.judge_many(given[start : start + 1000], caller)
            told += [status for _, status in part]
        return told

    def taught(
        self,
        count: int,
        *,
        seed: int = 1,
        mutated: bool = False,
        wrong: bool = False,
        caller: Caller = JUDGE,
    ) -> list[Prediction]:
        """Let zombies be predicted and judged; return their predictions."""
        drawn = zombies_of(count, seed=seed, mutated=mutated)
        made = self.predicted([row for row, _ in drawn])
        self.judged(made, [OTHER[truth] if wrong else truth for _, truth in drawn], caller)
        return made

    def accuracy(
        self, count: int, *, seed: int, mutated: bool, version: str | None = None
    ) -> float:
        """Return how often fresh zombies are told right."""
        drawn = zombies_of(count, seed=seed, mutated=mutated)
        made = self.predicted([row for row, _ in drawn], version=version)
        right = sum(one.label == truth for one, (_, truth) in zip(made, drawn, strict=True))
        return right / count

    def fates(self, version: str) -> Fates:
        """Return what became of all verdicts in the line of a version."""
        line = learning_line(self.service.versions(self.name), version)
        return self.service.store.lessons.fates(self.name, line)

    def answers(self, version: str | None = None) -> list[Any]:
        """Return what a version answers to some fixed zombies, to the last bit."""
        drawn = [row for row, _ in zombies_of(50, seed=99)]
        return [one.probabilities for one in self.predicted(drawn, version=version)]


def zombies_of(count: int, *, seed: int, mutated: bool = False) -> list[Zombie]:
    """Return zombies that no model was trained on."""
    return list(itertools.islice(zombies.traffic(seed, mutated=mutated), count))
