"""The ports of the product: what the use cases need, whoever provides it.

Use cases are written against these and nothing else; `bootstrap.py` decides who stands behind
them. A store is a cabinet of drawers: models and versions, the traffic that was answered, the
feedback on it, its profiles; jobs, lessons and trials; checks, oddities, findings, deliveries.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal, Protocol

from unrot.core.mailboxes import Mailbox
from unrot.core.policy import Policy
from unrot.core.records import (
    Action,
    Against,
    AliasMove,
    Anchor,
    Answered,
    Audit,
    Bite,
    Calibrating,
    Candidate,
    Check,
    CountedStretch,
    Crossed,
    Delivery,
    Fate,
    Fates,
    Feedback,
    FeedbackStatus,
    Finding,
    Forgotten,
    GateVerdict,
    Holdings,
    Hour,
    Job,
    JobKind,
    JobState,
    JudgedPrediction,
    Lesson,
    Limits,
    LogCheck,
    Model,
    ModelKey,
    Oddity,
    Old,
    Outcome,
    Outputs,
    Prediction,
    Profile,
    Reason,
    RemovedModel,
    Road,
    Row,
    Schema,
    Shadow,
    Shipment,
    Sketch,
    Stock,
    Stretch,
    Tally,
    Tidied,
    Token,
    UnverifiedFeedback,
    Version,
    Window,
)
from unrot.core.rules import Rules
from unrot.core.webhooks import Webhook

# ── learning: jobs, lessons and trials, and where estimators are fitted further ───────────────────

Progress = Callable[[float, str], None]
"""Told how far long work is, 0 to 1, and what it does."""

Label = str | float
"""What is true of a row: a class as the schema spells it, or a number."""


class Jobs(Protocol):
    """The long work that was asked for; of one model one job at a time."""

    def add(self, job: Job) -> Job:
        """Queue a job and return it; while another of the model has not ended, return that."""

    def job(self, id: str) -> Job | None:
        """Return a job."""

    def of_model(self, model: ModelKey | None, limit: int) -> list[Job]:
        """List the jobs of a model, or of all, newest first."""

    def counted(self, model: ModelKey, since: float) -> list[tuple[JobKind, JobState, int]]:
        """Count a model's active jobs and those asked for since a time, by kind and state."""

    def waits(self, now: float, silent_after: float) -> bool | None:
        """Tell whether there is a job to take; None where there is none, taken or not."""

    def claim(self, holder: str, now: float, silent_after: float) -> Job | None:
        """Claim the oldest job that is queued, or whose holder has been silent for so long.

        It is running then, under a new attempt: what the attempt before still tells is refused.
        """

    def release(self, holder: str) -> None:
        """Say that whoever held jobs under this name is gone, so that they can be taken."""

    def heartbeat(self, job: Job, progress: float, step: str, now: float) -> Job | None:
        """Note how far a job is and that its holder lives; None when this attempt lost it."""

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

    def cancel(self, id: str, now: float) -> Job | None:
        """Ask that a job ends: a queued one has ended at once, a running one when it looks up."""


class Lessons(Protocol):
    """What versions learnt, what became of each verdict, and what the gate said."""

    def publish(
        self,
        version: Version,
        artefacts: Mapping[str, bytes],
        *,
        examples: Collection[str] = (),
        fates: Sequence[Fate],
        gate: GateVerdict | None,
        job: Job | None,
        result: Mapping[str, Any],
        champion: str | None,
        promote: bool,
    ) -> Version | None:
        """Keep a version with all that belongs to it and end its job, at once and whole.

        It becomes the champion if `promote`. None, and nothing is kept, when the job's attempt
        has lost it; Conflict when the champion is no longer `champion`, or one of its lessons'
        `examples` was to be forgotten meanwhile. The job's result is `result` with the name of
        the version.
        """

    def waiting(self, model: ModelKey, line: Sequence[str], limit: int) -> list[JudgedPrediction]:
        """List the verdicts that a line of versions has not yet given a fate, oldest first."""

    def count_waiting(self, model: ModelKey, line: Sequence[str]) -> int:
        """Count them, with those whose predictions are still on their way."""

    def on_their_way(self, model: ModelKey) -> set[str]:
        """Return the predictions that are judged and have not been shipped, by their ids."""

    def forgotten(self, model: ModelKey, job: Job | None = None) -> set[str]:
        """Return the predictions that were to be forgotten since a job was asked for, or lately."""

    def fates(self, model: ModelKey, line: Sequence[str]) -> Fates:
        """Count all verdicts by what became of them in a line."""

    def fates_of(
        self, model: ModelKey, version: str, *, limit: int, after: str = ""
    ) -> list[tuple[Fate, JudgedPrediction | None]]:
        """List the fates that one version decided, by prediction id, beside their predictions."""

    def erase_reasons(self, model: ModelKey, version: str, ids: Collection[str]) -> list[str]:
        """Keep no value in the reasons of some fates; return digests of files that had one."""

    def decide(self, model: ModelKey, version: str, fates: Sequence[Fate]) -> None:
        """Note fates that a version decided without learning anything from them."""

    def learnt(self, model: ModelKey, line: Sequence[str]) -> set[str]:
        """Return the predictions whose verdicts a line has learnt."""

    def trusted(
        self,
        model: ModelKey,
        limit: int,
        *,
        since: float | None = None,
        where: Callable[[str], bool] | None = None,
    ) -> list[JudgedPrediction]:
        """List verdicts of judges that tell a label or a thumb, oldest first.

        Of the newest so many, on what was predicted since, those `where` the id is asked for.
        """

    def gates(self, model: ModelKey, version: str) -> list[GateVerdict]:
        """List what the gate said of a version, oldest first."""

    def weigh(
        self,
        version: Version,
        verdict: GateVerdict,
        anchor: Anchor | None,
        *,
        job: Job | None,
        result: Mapping[str, Any],
        champion: str | None,
        promote: bool,
    ) -> bool:
        """Keep what the gate said of a version once more and end its job, at once and whole.

        The anchor that follows from it becomes the version's, and the version the champion if
        `promote`. False, and nothing is kept, when the job's attempt has lost it; Conflict when
        the champion is no longer `champion`.
        """

    def prune(self, model: ModelKey, versions: Sequence[str]) -> None:
        """Let go of the files of versions that no other needs; their records stay."""


class Trials(Protocol):
    """Rows on which versions are tried without anybody being served: audits and shadows."""

    def audited(self, model: ModelKey) -> set[str]:
        """Return the predictions that were ever part of an audit."""

    def to_sample(self, model: ModelKey, *, since: float, limit: int) -> list[JudgedPrediction]:
        """List those of the newest predictions that no judge has judged and no audit holds.

        What a judge was asked for is among them.
        """

    def add_audit(self, audit: Audit) -> None:
        """Keep the sample of an audit."""

    def audit(self, id: str) -> Audit | None:
        """Return an audit."""

    def audits(self, model: ModelKey) -> list[Audit]:
        """List the audits of a model, newest first."""

    def to_shadow(
        self, model: ModelKey, version: str, *, since: float, limit: int
    ) -> list[Prediction]:
        """List predictions that a challenger has not been scored on yet, oldest first."""

    def add_shadows(self, shadows: Sequence[Shadow]) -> None:
        """Keep what a challenger would have answered; the same again changes nothing."""

    def shadows(
        self, model: ModelKey, version: str, limit: int
    ) -> list[tuple[Shadow, JudgedPrediction]]:
        """List the newest of them beside what was answered."""


class Trainable(Protocol):
    """One version's fitted estimator in memory, with the rows that it was trained on."""

    @property
    def can_learn(self) -> bool:
        """True when it has `partial_fit`."""

    @property
    def stream_rows(self) -> int:
        """How many rows its training stream has in all; 0 where there is no stream."""

    @property
    def training_rows(self) -> int:
        """How many rows it was trained on at first, as far as they are kept."""

    def replayed(self, count: int, seed: int) -> list[tuple[Row, Label]]:
        """Draw training rows to mix with new ones."""

    def ranges(self) -> Sequence[tuple[float, float] | None]:
        """Return the range of each feature in the training rows; None where it has none."""

    def learn(self, lesson: Lesson, progress: Progress) -> Trainable:
        """Take a copy through the batches of a lesson by `partial_fit`; nothing before it moves."""

    def feed(self, start: int, stop: int, progress: Progress) -> Trainable:
        """Feed a copy the rows of its stream from `start` to `stop`, one at a time."""

    def untrained(self) -> Trainable:
        """Return the same pipeline with its last step new, fed one row of each class."""

    def refit(self, lesson: Lesson, progress: Progress) -> Trainable:
        """Fit the same pipeline afresh on the training rows and the examples, as weighted."""

    def refit_recalibrated(self, lesson: Lesson, progress: Progress) -> tuple[Trainable, Crossed]:
        """Do so, and let a calibration follow; with what that changes on the examples."""

    @property
    def is_recalibrated(self) -> bool:
        """True when a calibration of its probabilities follows it."""

    def uncalibrated(self) -> Trainable:
        """Return the same without the calibration that follows it."""

    def predict(self, rows: Sequence[Row]) -> Outputs:
        """Answer rows with the estimator itself."""

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


class Trainer(Protocol):
    """Where estimators are opened, fitted further and compiled."""

    def open(self, version: Version, schema: Schema, artefact: Callable[[str], bytes]) -> Trainable:
        """Open a version; `artefact` brings the bytes of a digest."""

    def unpack(
        self, table: bytes, schema: Schema, most: int, seed: int = 0
    ) -> tuple[list[Row], list[Label]]:
        """Read a packed table, at most so many rows of it."""

    def pack(self, rows: Sequence[Row], labels: Sequence[Label], schema: Schema) -> bytes:
        """Write rows with their truth as a packed table."""

    def measure(self, answered: Answered, schema: Schema) -> dict[str, float]:
        """Measure answers by their truth, beside what guessing would reach."""

    def calibrate(self, answered: Answered, schema: Schema) -> Calibrating:
        """Say of each answer how sure it was, whether it was right and how strange the truth."""

    def predictor(self, candidate: Candidate, schema: Schema) -> Predictor:
        """Load what a candidate would serve with."""

    def pack_lessons(self, lessons: Sequence[Lesson]) -> bytes:
        """Write lessons as an artefact."""

    def unpack_lessons(self, data: bytes) -> list[Lesson]:
        """Read them back."""


# ── watching: what profiles traffic, and what monitors saw ────────────────────────────────────────

FindingState = Literal["open", "snoozed", "closed", "all"]


class Checks(Protocol):
    """Closed periods of traffic beside what they are compared with; each is computed once."""

    def put(self, checks: Sequence[Check]) -> None:
        """Keep checks; one of the same version, period and comparison is replaced."""

    def of_model(
        self, model: ModelKey, *, against: Against, since: float, until: float
    ) -> list[Check]:
        """List the checks of the periods that end in a stretch of time, oldest first."""

    def counts(self, model: ModelKey, against: Against) -> list[Check]:
        """List all checks without their columns, oldest first."""

    def last(self, model: ModelKey, against: Against) -> Check | None:
        """Return the check of the newest period."""


class Oddities(Protocol):
    """Predictions that look like nothing that training saw; `Traffic.ship` brings them in."""

    def of(self, prediction: str) -> Oddity | None:
        """Return what is odd about a prediction."""

    def recent(
        self, model: ModelKey, *, limit: int, before: tuple[float, str] | None = None
    ) -> list[tuple[Oddity, JudgedPrediction | None]]:
        """List oddities newest first, those older than `before` (time, id)."""


class Findings(Protocol):
    """What monitors noticed, by which rules, and where each of them stands."""

    def put(self, finding: Finding) -> None:
        """Keep a finding; of one with the same id stays what people said of it."""

    def finding(self, id: str) -> Finding | None:
        """Return a finding."""

    def open(self, model: ModelKey | None = None) -> list[Finding]:
        """List the findings of a model, or of all, that are not closed, the gravest first."""

    def last(self, model: ModelKey, cause: str, *, until: float | None = None) -> Finding | None:
        """Return the newest finding of a cause, open or closed, that was opened up to a time."""

    def of_model(
        self,
        model: ModelKey,
        *,
        limit: int,
        before: tuple[float, str] | None = None,
        state: FindingState = "all",
        wanted: Callable[[Finding], bool] = lambda _: True,
    ) -> list[Finding]:
        """List findings by when they were opened, newest first, older than `before`.

        What is snoozed is among the open ones: `wanted` parts them.
        """

    def change(self, id: str, change: Callable[[Finding], Finding]) -> Finding | None:
        """Change what people say of a finding; `change` may be asked again."""

    def rules(self, model: ModelKey) -> Rules:
        """Return what counts as a symptom of a model."""

    def set_rules(self, model: ModelKey, rules: Rules) -> None:
        """Change what counts as a symptom of a model."""

    def standpoint(self, model: ModelKey, monitor: str) -> Mapping[str, Any]:
        """Return what a monitor has noted of where it stands; empty before its first round."""

    def stand(self, model: ModelKey, monitor: str, note: Mapping[str, Any]) -> None:
        """Note where a monitor stands."""


class Deliveries(Protocol):
    """Findings on their way to a webhook, and to mailboxes."""

    def due(self, model: ModelKey, now: float, by: Road = "webhook") -> Finding | None:
        """Return the open finding of a model that is to be sent next by a road, if one is."""

    def begin(
        self, finding: Finding, *, target: str, next_at: float, by: Road = "webhook"
    ) -> Delivery:
        """Note a try before it is made, and when the next one would be, should it come to nothing.

        Whoever is killed in between has tried.
        """

    def end(
        self,
        finding: str,
        *,
        delivered_at: float | None,
        error: str = "",
        by: Road = "webhook",
    ) -> None:
        """Note what came of the last try: it is delivered, or it is not and why."""

    def of(self, finding: str, by: Road = "webhook") -> Delivery | None:
        """Return how far a finding is by a road; None when it was never sent."""


Address = Webhook | Mailbox
"""Where messages about findings go."""


class Messenger(Protocol):
    """Brings messages to webhooks and mailboxes."""

    def post(self, to: Address, body: bytes, headers: Mapping[str, str]) -> str:
        """Send one message; say what went wrong though it was taken, else raise Undelivered."""


class Profiles(Protocol):
    """Profiles of traffic."""

    def put(self, profile: Profile) -> None:
        """Keep a profile; one with the same id is replaced."""

    def get(self, id: str) -> Profile | None:
        """Return a profile with its data."""

    def of_model(
        self, model: ModelKey, *, since: float = 0.0, until: float | None = None
    ) -> list[Profile]:
        """List a model's profiles that start in a stretch of time, without their data, oldest
        first."""

    def stretches(self, model: ModelKey) -> list[CountedStretch]:
        """Count the rows of a model's profiles by stretch and reference, oldest first."""

    def total(self, model: ModelKey) -> tuple[int, int]:
        """Count a model's profiles and their rows: neither stays when something is new."""

    def written_by(self, writer: str, since: float) -> list[Profile]:
        """List one writer's profiles of all models without their data."""


class Profiler(Protocol):
    """Makes profiles as whylogs does."""

    def profile(self, schema: Schema, rows: Sequence[Row], outputs: Outputs) -> bytes:
        """Profile inputs and outputs of a whole table at once."""

    def merge(self, first: bytes, second: bytes) -> bytes:
        """Return one profile that stands for the rows of both."""

    def read(self, data: bytes) -> Mapping[str, Sketch]:
        """Say what a profile tells of each column; Invalid when it cannot be read."""


class Detector(Protocol):
    """Tells rows that look like nothing that one version was trained on."""

    def score(self, rows: Sequence[Row]) -> Iterable[float]:
        """Return how odd rows are that the schema has checked: above 1 they are."""

    def explain(self, rows: Sequence[Row]) -> Sequence[Sequence[Reason]]:
        """Return, for each row, the features that make it what it is, the most telling first."""


DetectorLoader = Callable[[bytes, Schema], Detector]
"""Make a detector of its artefact, for rows of a schema."""


# ── keeping: old rows go ──────────────────────────────────────────────────────────────────────────


class Tidying(Protocol):
    """Lets go of rows in small bites; each is one transaction."""

    def newest(self, model: ModelKey, rows: int) -> float:
        """Return from when on the newest predictions are so many; 0 when there are no more."""

    def drop_predictions(
        self, model: ModelKey, limits: Limits, *, after: tuple[float, str], most: int, now: float
    ) -> Bite:
        """Look at so many predictions from a key (time, id) on, and let go of those past limits."""

    def drop_old(self, model: ModelKey, what: Old, *, before: float, most: int, now: float) -> int:
        """Let go of at most so many rows that are older; return how many."""

    def drop_files(self, now: float) -> int:
        """Let go of files that nothing points at any more, but for the newest; return how many."""

    def drop_file(self, digest: str) -> None:
        """Let go of one file at once, unless something points at it."""

    def roll_windows(
        self, model: ModelKey, *, after: int, before: float, minutes: int, now: float
    ) -> int | None:
        """Add the first hour or day of finer totals from a minute on up to one; None if there is
        none, else the minute from which to go on."""

    def short_profiles(
        self, model: ModelKey, *, after: float, before: float, seconds: int, most: int
    ) -> list[Profile]:
        """List profiles that can become one of so many seconds, the first such group, no data."""

    def put_together(self, gone: Sequence[Profile], whole: Profile, *, now: float) -> bool:
        """Put one profile in the place of several; False when one of them has changed."""

    def tidied(self, model: ModelKey) -> list[Tidied]:
        """Say what was let go of a model."""

    def stock(self, model: ModelKey) -> Stock:
        """Say what is kept of a model."""


class Erasing(Protocol):
    """Erases predictions, each wherever it is kept but in the files of versions."""

    def note(self, models: Mapping[str, ModelKey], now: float) -> None:
        """Note ids as forgotten, each of its model; nobody can judge them any more."""

    def waiting(self, most: int, after: Forgotten | None = None) -> list[Forgotten]:
        """List those that may still arrive somewhere, the first noted first, those behind one."""

    def news(self) -> str:
        """Return a word that changes when something is noted; empty before the first."""

    def end(self, forgotten: Forgotten) -> None:
        """Note that one cannot arrive any more."""

    def erase(self, ids: Sequence[str], model: ModelKey, now: float) -> dict[str, list[str]]:
        """Erase what is kept of predictions, each whole; return of each names of what there was."""


# ── serving and hearing, and the store as a whole ─────────────────────────────────────────────────

Clock = Callable[[], float]
"""Seconds since 1970, UTC."""


class Predictor(Protocol):
    """A compiled model in memory."""

    def predict(self, rows: Sequence[Row]) -> Outputs:
        """Score rows that the schema has already checked."""


PredictorLoader = Callable[[str, bytes, Schema], Predictor]
"""Make a predictor from who serves ("onnx", "scikit-learn"), the artefact and the schema."""


class Registry(Protocol):
    """Models, their immutable versions, and the aliases that point at them."""

    def generation(self) -> str:
        """Return a word that changes with every change of a model, version or alias."""

    def add_model(self, model: Model) -> Model:
        """Add a model and return it with its number; the one that is there wins."""

    def models(self) -> list[Model]:
        """List the models, the first trained first."""

    def add_version(self, version: Version, artefacts: Mapping[str, bytes]) -> Version:
        """Keep a version under the model's next free name (v1, v2, …) and return it so named."""

    def versions(self, model: ModelKey, *, kept_only: bool = False) -> list[Version]:
        """List a model's versions, oldest first; `kept_only` those whose files are kept."""

    def artefact(self, digest: str) -> bytes:
        """Return an artefact; its bytes have been checked against the digest."""

    def aliases(self, model: ModelKey) -> dict[str, str]:
        """Return alias → version name."""

    def move_alias(
        self,
        model: ModelKey,
        alias: str,
        *,
        to: str | None,
        expected: str | None,
        at: float | None = None,
        by: str = "",
        reason: str = "",
    ) -> bool:
        """Point an alias at a version if it still points at `expected`; tell whether it did.

        `to` None takes the alias away.
        """

    def moves(self, model: ModelKey) -> list[AliasMove]:
        """List all moves of a model's aliases, oldest first."""

    def pin_version(self, model: ModelKey, version: str, *, is_pinned: bool) -> None:
        """Want a version's files to be kept, or no longer."""

    def sign_version(self, model: ModelKey, version: str) -> None:
        """Sign a version as it stands, whoever wrote it: an operator trusts the store."""

    def replace_file(self, model: ModelKey, version: str, kind: str, data: bytes) -> str:
        """Keep other bytes as a file of a version; return the digest of those before."""

    def policy(self, model: ModelKey) -> Policy:
        """Return what a model may do by itself."""

    def set_policy(self, model: ModelKey, policy: Policy) -> None:
        """Change what a model may do by itself."""

    def rename_model(self, model: ModelKey, to: str) -> Model:
        """Give a model another name, at once and whole; Conflict when a model has it.

        Its key stays, and with it all that is kept of it.
        """

    def describe_model(self, model: Model) -> Model:
        """Write the words for people of a model: title, description, those of its schema.

        Conflict when what versions depend on would change with them.
        """

    def remove_model(self, model: ModelKey, *, undo_until: float | None = None) -> RemovedModel:
        """Take a model and its aliases out of the registry; its rows go with `Store.clear`.

        From now on nothing is kept for it, whoever brings it, and its number is never given again.
        Until the moment that is given, if one is, `bring_back` undoes that.
        """

    def bring_back(self, model: ModelKey, *, now: float) -> Model:
        """Give a removed model its name and aliases again.

        Conflict when that moment is over, its erasing has begun, or its name is another's.
        """

    def removed(self) -> list[RemovedModel]:
        """List the models that were removed on purpose, in the order of their numbers."""


class Keys(Protocol):
    """Predictions by their clients' own keys."""

    def find(self, model: ModelKey, keys: Sequence[str]) -> Mapping[str, str]:
        """Return the ids of the predictions that some keys are for, as far as they have come."""

    def of(self, prediction: str) -> list[str]:
        """Return what clients called a prediction."""


class Traffic(Protocol):
    """The predictions that were answered, and their totals per minute."""

    def shipped_to(self, segment: str) -> int:
        """Return how many bytes of a journal segment are in the store."""

    def ship(self, shipment: Shipment) -> int:
        """Take a stretch of a journal exactly once; return the segment's offset afterwards."""

    def forget_segment(self, segment: str) -> None:
        """Drop the offset of a segment whose file is gone."""

    def prediction(self, id: str) -> JudgedPrediction | None:
        """Return one prediction with its verdict."""

    def recent(
        self, model: ModelKey, *, limit: int, before: tuple[float, str] | None = None
    ) -> list[JudgedPrediction]:
        """List predictions newest first, those older than `before` (time, id)."""

    def newest(
        self, model: ModelKey, before: tuple[float, str] | None = None
    ) -> Iterator[JudgedPrediction]:
        """Return all predictions newest first, those older than `before`, as they are asked for."""

    def made(
        self, model: ModelKey, before: tuple[float, str] | None = None
    ) -> Iterator[Prediction]:
        """Return the same without their verdicts."""

    def beside(self, made: Sequence[Prediction]) -> list[JudgedPrediction]:
        """Put the verdicts beside predictions."""

    def unsure(self, model: ModelKey, before: tuple[float, str]) -> Iterator[Prediction]:
        """Return predictions that were answered with "not sure" and are kept, newest first."""

    def judged(
        self, model: ModelKey, *, since: float, before: tuple[float, str]
    ) -> Iterator[JudgedPrediction]:
        """Return predictions with a verdict, newest first: of a moment on, older than a cursor."""

    def begins_at(self, model: ModelKey) -> float:
        """Return when the first prediction was made that is kept; 0 where there is none."""

    def given_between(
        self, model: ModelKey, since: float, until: float
    ) -> Iterator[JudgedPrediction]:
        """Return verdicts with their predictions by when they were given, newest first.

        A verdict is among them once its prediction has arrived, and unless it was taken back.
        """

    def count_given(self, model: ModelKey, since: float, until: float) -> int:
        """Count the verdicts that were given in a stretch of time."""

    def shipped(self, writer: str, since: float, seconds: int) -> list[tuple[Stretch, int]]:
        """Count the rows that one writer shipped, by stretches of some seconds."""

    def of_stretch(
        self, stretch: Stretch, writer: str, *, after: tuple[float, str] | None, limit: int
    ) -> list[Prediction]:
        """Return what one writer shipped of a stretch, oldest first, from a key (time, id) on."""

    def of_period(
        self, model: ModelKey, *, since: float, until: float, judged_only: bool, limit: int
    ) -> list[JudgedPrediction]:
        """List the predictions of a period, newest first, `judged_only` those with a verdict."""

    def judged_span(self, model: ModelKey) -> tuple[float, float] | None:
        """Return the second of the first and of the last prediction with a verdict."""

    def windows(self, model: ModelKey, *, since: float, until: float) -> list[Window]:
        """Return the totals of a model per minute, or per hour and day where they were rolled."""

    def hourly_predictions(self, since: float, model: ModelKey | None = None) -> list[Hour]:
        """Return how many predictions of a model, or of all, each hour had."""

    def marks_of_all(self, since: float) -> dict[str, int]:
        """Return numbers of the hours of all models that move with what is counted in them."""

    def outcomes(
        self,
        model: ModelKey,
        *,
        limit: int,
        after: tuple[float, float, str] | None = None,
        versions: Sequence[str] = (),
        with_inputs: bool = False,
    ) -> list[Outcome]:
        """List how judged predictions came out, in the order of their verdicts.

        The newest so many; or from a key (`given_at`, `predicted_at`, id) on the next so many. Of
        some `versions` alone. The inputs of the predictions are there where they are asked for.
        """

    def judged_after(
        self, model: ModelKey, after: tuple[float, float, str], *, limit: int
    ) -> list[JudgedPrediction]:
        """List judged predictions in the order of their verdicts, the next so many, no inputs.

        Those that only who was asked has judged are left out, as of all outcomes.
        """

    def late_mark(self, model: ModelKey) -> str:
        """Return a word that is another as soon as a late verdict was kept (`hear/late.py`)."""

    def last_judged(self, model: ModelKey, *, limit: int) -> list[JudgedPrediction]:
        """List the newest judged predictions with their inputs, in the order of their verdicts."""

    def tally(
        self, model: ModelKey, *, since: float, last: int, version: str | None = None
    ) -> Tally:
        """Sum the windows since a time, and take accuracy and error of the last judged verdicts.

        A verdict counts in the minute of its prediction, once it is counted into the windows. The
        last verdicts are those on one version, where one is named.
        """

    def judged_of_predicted(
        self, model: ModelKey, *, since: float, until: float, version: str | None = None
    ) -> tuple[int, int]:
        """Count the fair verdicts on the predictions of a stretch of time, and the predictions.

        Verdicts count however late they came, and whether they are in a window yet or not.
        """


class Verdicts(Protocol):
    """The feedback."""

    def model_of_unverified(self, id: str) -> ModelKey:
        """Return the model that a verdict in the older form is of; NotFound where it has gone."""

    def put(self, verdicts: Sequence[Feedback]) -> list[FeedbackStatus]:
        """Commit verdicts and say what became of each; a hundred are kept all or none."""

    def put_unverified(self, verdicts: Sequence[UnverifiedFeedback]) -> None:
        """Commit verdicts in the older form."""

    def of(self, prediction: str) -> Feedback | None:
        """Return the verdict that counts for a prediction, withdrawn ones too."""

    def count_new(self, most: int, tell: Callable[[Sequence[Feedback]], None] | None = None) -> int:
        """Fold verdicts that no window has counted into their minutes; return how many.

        `tell` hears of them before they are counted, and again where that is tried again.
        """


# ── who may, and who did ──────────────────────────────────────────────────────────────────────────


class AuditLog(Protocol):
    """What was done, entry by entry; a change of the store makes its entry in the same commit."""

    def note(self) -> None:
        """Tell of what somebody is at where it changes nothing in the store itself."""

    def newest(self, limit: int, before: int | None = None) -> list[Action]:
        """List entries, newest first, those before a number."""

    def all(self) -> Iterator[Action]:
        """List all entries, oldest first."""

    def count_unsigned(self) -> int:
        """Count the entries that this app's key did not sign."""

    def sign(self) -> None:
        """Sign those as they stand, by a word of the operator."""

    def verify(self) -> LogCheck:
        """Follow the chain from its beginning; it may be made longer meanwhile."""

    def accept(self) -> LogCheck:
        """Let the log end where it does, though more was remembered, and tell who said so."""

    def forget_end(self) -> None:
        """Forget which entry was the last that this machine has seen: another store is put here."""


class Tokens(Protocol):
    """The tokens of persons, and the sessions that were ended before their time."""

    def all(self) -> list[Token]:
        """List the tokens by name, the revoked and expired ones too."""

    def add(self, token: Token) -> None:
        """Keep a token; Conflict where a good one of that name is there."""

    def revoke(self, name: str, at: float) -> Token:
        """Let a token be good no longer; NotFound where none of that name is."""

    def sign(self, name: str) -> None:
        """Sign a token as it stands, by a word of the operator."""

    def note_use(self, name: str, at: float) -> None:
        """Note when a token was used; of several that note it at once one is enough."""

    def end_session(self, id: str, at: float) -> None:
        """Let the cookie of a session be good no longer."""

    def is_ended(self, id: str) -> bool:
        """Tell whether a session was ended."""


class Store(Protocol):
    """Where everything is kept for good."""

    @property
    def registry(self) -> Registry:
        """Models, versions, aliases."""

    @property
    def traffic(self) -> Traffic:
        """What was answered."""

    @property
    def verdicts(self) -> Verdicts:
        """What was said of it."""

    @property
    def keys(self) -> Keys:
        """What clients call it."""

    @property
    def profiles(self) -> Profiles:
        """What it looked like."""

    @property
    def jobs(self) -> Jobs:
        """What was asked for."""

    @property
    def lessons(self) -> Lessons:
        """What was learnt from it."""

    @property
    def trials(self) -> Trials:
        """What versions are tried on."""

    @property
    def checks(self) -> Checks:
        """How far the traffic of each period had moved."""

    @property
    def oddities(self) -> Oddities:
        """What looked like nothing that training saw."""

    @property
    def findings(self) -> Findings:
        """What monitors noticed."""

    @property
    def deliveries(self) -> Deliveries:
        """What of it was sent to webhooks."""

    @property
    def erasing(self) -> Erasing:
        """What erases predictions."""

    @property
    def tidying(self) -> Tidying:
        """What was let go, and what lets go."""

    @property
    def audit_log(self) -> AuditLog:
        """Who did what."""

    @property
    def tokens(self) -> Tokens:
        """Who may."""

    @property
    def kind(self) -> str:
        """The database that it is kept in, as people call it."""

    def size(self) -> int | None:
        """Return how many bytes it takes; None where nobody can tell."""

    def lease(self, name: str, holder: str, now: float, seconds: float) -> int | None:
        """Hold, or go on holding, the right to one kind of work on all machines.

        Return its number, another for each holder; None where another holds it.
        """

    def give_back_lease(self, name: str, holder: str) -> None:
        """Hold it no longer, so that another need not wait for its end."""

    def demanding(self, name: str, number: int) -> AbstractContextManager[None]:
        """Let all that this thread writes demand that a lease still has a number, else Conflict."""

    def news(self) -> str:
        """Return a word that changes when there is something that caretakers are to look at."""

    def tell_news(self) -> None:
        """Change that word, but not the generation of the registry."""

    def wait_for_change(self, seconds: float) -> bool:
        """Wait; return True, at once if it can be, when the store tells that it has changed."""

    def holdings(self, model: ModelKey) -> Holdings:
        """Count what is kept of a model, or still kept of a removed one."""

    def clear(self, removed: RemovedModel, most: int) -> int:
        """Delete at most so many rows of a removed model in one commit; 0 when none is left."""

    def check(self, *, writing: bool = False) -> None:
        """Return when the store answers, and takes writes if asked; else raise StoreAway."""

    def close(self) -> None:
        """Let go of connections."""


class Copies(Protocol):
    """Copies of a whole store, for those that are one file."""

    @property
    def path(self) -> Path:
        """Return the file whose place a copy takes; copies must lie in its folder for that."""

    def write_to(self, target: Path, progress: Progress) -> None:
        """Copy all as it stands at one moment, while others go on writing."""

    def check(self, copy: Path) -> str:
        """Say what a copy holds; raise Invalid when it is damaged or none of ours."""

    def describe(self) -> str:
        """Say what the store holds now, nothing when it is empty or not there."""

    def shrink(self, progress: Progress) -> int:
        """Give the room of what was let go back to the disk; return how many bytes that were.

        Others can read meanwhile; whoever writes waits.
        """

    def make_way(self) -> None:
        """Return when the store can be replaced; raise Conflict while somebody uses it."""

    def put_in_place(self, copy: Path, *, keep_as: Path) -> bool:
        """Put a checked copy in the place of the store; tell whether there was one to keep."""


# ── counting ──────────────────────────────────────────────────────────────────────────────────────


class Counts(Protocol):
    """Told of what this process does, so that it can be counted; quick, and never fails."""

    def predicted(self, model: str, version: str, rows: int) -> None:
        """Count rows that were answered."""

    def judged(self, model: str, became: FeedbackStatus | Literal["unverified", "signal"]) -> None:
        """Count a verdict by what became of it."""

    def store_failed(self) -> None:
        """Count a question or a change that the store did not take."""


class NoCounts:
    """For doors where nobody counts."""

    def predicted(self, model: str, version: str, rows: int) -> None:
        """Count nothing."""

    def judged(self, model: str, became: FeedbackStatus | Literal["unverified", "signal"]) -> None:
        """Count nothing."""

    def store_failed(self) -> None:
        """Count nothing."""
