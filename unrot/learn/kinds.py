"""What the learner does: each kind of job, from what lies on the desk to a version that is kept.

desk          the model, its champion, the rows that judge it
learning      learn: `partial_fit` on the verdicts that wait
refitting     refit: a fresh fit by the best recipe
rebuilding    rebuild: a version again from its lessons
stream        train_batch, reset: the demo of online learning
weighing      weigh: the gate
publication   compiled, weighed and kept at once
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from unrot.core.ports import Progress
from unrot.core.records import Job, JobKind
from unrot.learn import retention
from unrot.learn.learn import learn
from unrot.learn.material import Desk, open_desk
from unrot.learn.rebuild import rebuild
from unrot.learn.refit import refit
from unrot.learn.stream import reset, train_batch
from unrot.learn.weighing import weigh_again
from unrot.serve.service import Service

__all__ = ["do"]

KINDS: Mapping[JobKind, Callable[[Desk], None]] = {
    "learn": learn,
    "refit": refit,
    "rebuild": rebuild,
    "train_batch": train_batch,
    "reset": reset,
    "weigh": weigh_again,
}


def do(service: Service, job: Job, tell: Progress) -> None:
    """Do a job to its end."""
    tell(0.01, "looking at the champion")
    KINDS[job.kind](open_desk(service, job, tell))
    retention.tidy(service, job.model)
