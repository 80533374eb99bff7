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

from unrot import retention
from unrot.growth import Job, JobKind
from unrot.interfaces import Progress
from unrot.schooling.desk import Desk, open_desk
from unrot.schooling.learning import learn
from unrot.schooling.rebuilding import rebuild
from unrot.schooling.refitting import refit
from unrot.schooling.stream import reset, train_batch
from unrot.schooling.weighing import weigh_again
from unrot.service import Service

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
