"""The ports of learning: the drawers of jobs and lessons, and the workshop of estimators."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from unrot.core.growth import (
    Anchor,
    Answered,
    Audit,
    Fate,
    Fates,
    GateVerdict,
    Job,
    JobKind,
    JobState,
    Lesson,
    Shadow,
)
from unrot.core.records import (
    Candidate,
    JudgedPrediction,
    Outputs,
    Prediction,
    Row,
    Schema,
    Version,
)

Progress = Callable[[float, str], None]
"""Told how far long work is, 0 to 1, and what it does."""

Label = str | float
"""What is true of a row: a class as the schema spells it, or a number."""


class Scorer(Protocol):
    """Answers rows."""

    def predict(self, rows: Sequence[Row]) -> Outputs:
        """Score rows that the schema has already checked."""
        ...


class Jobs(Protocol):
    """The long work that was asked for; of one model one job at a time."""

    def add(self, job: Job) -> Job:
        """Queue a job and return it; while another of the model has not ended, return that."""
        ...

    def job(self, id: str) -> Job | None:
        """Return a job."""
        ...

    def of_model(self, model: str | None, limit: int) -> list[Job]:
        """List the jobs of a model, or of all, newest first."""
        ...

    def counted(self, model: str, since: float) -> list[tuple[JobKind, JobState, int]]:
        """Count a model's active jobs and those asked for since a time, by kind and state."""
        ...

    def waits(self, now: float, silent_after: float) -> bool:
        """Tell whether there is a job to take."""
        ...

    def take(self, holder: str, now: float, silent_after: float) -> Job | None:
        """Take the oldest job that is queued, or whose holder has been silent for so long.

        It is running then, under a new attempt: what the attempt before still tells is refused.
        """
        ...

    def let_go(self, holder: str) -> None:
        """Say that whoever held jobs under this name is gone, so that they can be taken."""
        ...

    def tell(self, job: Job, progress: float, step: str, now: float) -> Job | None:
        """Note how far a job is and that its holder lives; None when this attempt lost it."""
        ...

    def end(
        self,
        job: Job,
        now: float,
        *,
        result: Mapping[str, Any] | None = None,
        error: str = "",
        reason: str = "",
    ) -> bool:
        """End a job as done with a result, or as failed; False when this attempt lost it."""
        ...

    def cancel(self, id: str, now: float) -> Job | None:
        """Ask that a job ends: a queued one has ended at once, a running one when it looks up."""
        ...


class Lessons(Protocol):
    """What versions learnt, what became of each verdict, and what the gate said."""

    def publish(
        self,
        version: Version,
        artefacts: Mapping[str, bytes],
        *,
        fates: Sequence[Fate],
        gate: GateVerdict | None,
        job: Job | None,
        result: Mapping[str, Any],
        champion: str | None,
        promote: bool,
    ) -> Version | None:
        """Keep a version with all that belongs to it and end its job, at once and whole.

        It becomes the champion if `promote`. None, and nothing is kept, when the job's attempt
        has lost it; Conflict when the champion is no longer `champion`. The job's result is
        `result` with the name of the version.
        """
        ...

    def waiting(self, model: str, line: Sequence[str], limit: int) -> list[JudgedPrediction]:
        """List the verdicts that a line of versions has not yet given a fate, oldest first."""
        ...

    def count_waiting(self, model: str, line: Sequence[str]) -> int:
        """Count them, with those whose predictions are still on their way."""
        ...

    def fates(self, model: str, line: Sequence[str]) -> Fates:
        """Count all verdicts by what became of them in a line."""
        ...

    def fates_of(
        self, model: str, version: str, *, limit: int, after: str = ""
    ) -> list[tuple[Fate, JudgedPrediction | None]]:
        """List the fates that one version decided, by prediction id, beside their predictions."""
        ...

    def decide(self, model: str, version: str, fates: Sequence[Fate]) -> None:
        """Note fates that a version decided without learning anything from them."""
        ...

    def learnt(self, model: str, line: Sequence[str]) -> set[str]:
        """Return the predictions whose verdicts a line has learnt."""
        ...

    def trusted(self, model: str, limit: int) -> list[JudgedPrediction]:
        """List the newest verdicts of judges that tell a label or a thumb, oldest first."""
        ...

    def gates(self, model: str, version: str) -> list[GateVerdict]:
        """List what the gate said of a version, oldest first."""
        ...

    def weigh(self, model: str, version: str, verdict: GateVerdict, anchor: Anchor | None) -> None:
        """Keep what the gate said of a version once more, and the anchor that follows from it."""
        ...

    def prune(self, model: str, versions: Sequence[str]) -> None:
        """Let go of the files of versions that no other needs; their records stay."""
        ...


class Trials(Protocol):
    """Rows on which versions are tried without anybody being served: audits and shadows."""

    def audited(self, model: str) -> set[str]:
        """Return the predictions that were ever part of an audit."""
        ...

    def to_sample(self, model: str, *, since: float, limit: int) -> list[JudgedPrediction]:
        """List the newest predictions that no judge has judged and no audit holds."""
        ...

    def add_audit(self, audit: Audit) -> None:
        """Keep the sample of an audit."""
        ...

    def audit(self, id: str) -> Audit | None:
        """Return an audit."""
        ...

    def audits(self, model: str) -> list[Audit]:
        """List the audits of a model, newest first."""
        ...

    def to_shadow(self, model: str, version: str, *, since: float, limit: int) -> list[Prediction]:
        """List predictions that a challenger has not been scored on yet, oldest first."""
        ...

    def add_shadows(self, shadows: Sequence[Shadow]) -> None:
        """Keep what a challenger would have answered; the same again changes nothing."""
        ...

    def shadows(
        self, model: str, version: str, limit: int
    ) -> list[tuple[Shadow, JudgedPrediction]]:
        """List the newest of them beside what was answered."""
        ...


class Apprentice(Protocol):
    """One version's fitted estimator in memory, with the rows that it was trained on."""

    @property
    def can_learn(self) -> bool:
        """True when it has `partial_fit`."""
        ...

    @property
    def stream_rows(self) -> int:
        """How many rows its training stream has in all; 0 where there is no stream."""
        ...

    @property
    def training_rows(self) -> int:
        """How many rows it was trained on at first, as far as they are kept."""
        ...

    def replayed(self, count: int, seed: int) -> list[tuple[Row, Label]]:
        """Draw training rows to mix with new ones."""
        ...

    def ranges(self) -> Sequence[tuple[float, float] | None]:
        """Return the range of each feature in the training rows; None where it has none."""
        ...

    def learn(self, lesson: Lesson, progress: Progress) -> Apprentice:
        """Take a copy through the batches of a lesson by `partial_fit`; nothing before it moves."""
        ...

    def feed(self, start: int, stop: int, progress: Progress) -> Apprentice:
        """Feed a copy the rows of its stream from `start` to `stop`, one at a time."""
        ...

    def untrained(self) -> Apprentice:
        """Return the same pipeline with its last step new, fed one row of each class."""
        ...

    def refit(self, lesson: Lesson, progress: Progress) -> Apprentice:
        """Fit the same pipeline afresh on the training rows and the examples, as weighted."""
        ...

    def predict(self, rows: Sequence[Row]) -> Outputs:
        """Answer rows with the estimator itself."""
        ...

    def candidate(
        self,
        *,
        origin: str,
        parent: str,
        holdout: bytes,
        made: Mapping[str, Any],
        progress: Progress,
    ) -> Candidate:
        """Measure on a packed table, compile, and make a candidate of it."""
        ...


class Workshop(Protocol):
    """Where estimators are opened, fitted further and compiled."""

    def open(
        self, version: Version, schema: Schema, artefact: Callable[[str], bytes]
    ) -> Apprentice:
        """Open a version; `artefact` brings the bytes of a digest."""
        ...

    def unpack(
        self, table: bytes, schema: Schema, most: int, seed: int = 0
    ) -> tuple[list[Row], list[Label]]:
        """Read a packed table, at most so many rows of it."""
        ...

    def pack(self, rows: Sequence[Row], labels: Sequence[Label], schema: Schema) -> bytes:
        """Write rows with their truth as a packed table."""
        ...

    def measure(self, answered: Answered, schema: Schema) -> dict[str, float]:
        """Measure answers by their truth, beside what guessing would reach."""
        ...

    def calibrate(self, answered: Answered, schema: Schema) -> list[tuple[float, bool]]:
        """Say of each answer how sure it was and if right; nothing without probabilities."""
        ...

    def predictor(self, candidate: Candidate, schema: Schema) -> Scorer:
        """Load what a candidate would serve with."""
        ...

    def pack_lessons(self, lessons: Sequence[Lesson]) -> bytes:
        """Write lessons as an artefact."""
        ...

    def unpack_lessons(self, data: bytes) -> list[Lesson]:
        """Read them back."""
        ...
