"""The words of learning as frozen dataclasses: what happens to a model after it went online.

    policy     what a model may do by itself, and with which numbers
    job        long work that somebody asked for, with progress that can be watched
    example    a verdict that has become a row to learn from
    lesson     what one version learnt, in which order: enough to learn it again
    fate       what became of a verdict in the line of a version
    gate       a candidate beside the champion, in numbers and in words
    audit      a random sample of recent predictions that a judge goes through

Nothing here does I/O or knows a library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from unrot.core.records import Outputs, Row

JobKind = Literal["learn", "train_batch", "reset", "refit", "rebuild", "weigh"]
JobState = Literal["queued", "running", "done", "failed"]
FateKind = Literal["learnt", "held out", "set aside"]
Decision = Literal["passed", "refused", "undecided", "off"]
Ground = Literal["anchor", "recent verdicts"]
Holds = Literal["fixed rows", "any time"]
"""What a bound is good for: rows that are weighed once, or rows that grow and are weighed again."""

ACTIVE: tuple[JobState, ...] = ("queued", "running")


@dataclass(frozen=True, slots=True)
class Policy:
    """What a model may do by itself: promote, learn, roll back; and with which numbers."""

    promote: Literal["manual", "auto"] = "manual"
    learn_every: int = 0
    """Learn by itself once so many verdicts wait; 0 is by hand."""
    rollback: Literal["manual", "auto"] = "manual"
    gate: bool = True
    batch: int = 50
    """Rows of one step of `partial_fit`."""
    replay: float = 1.0
    """Rows of before for each row that is learnt."""
    clip: float = 1.2
    """How far outside the training range a row may lie, in widths of it; 0 takes all."""
    cap: float = 0.2
    """The largest share of all verdicts that one untrusted subject may give; 0 is no cap."""
    held_out: float = 0.3
    """The share of trusted verdicts that only judge."""
    tolerance: float = 0.02
    """The loss that the gate lets pass: of accuracy, or of the champion's mean absolute error."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """Long work on one model. `attempt` fences: what an older attempt still writes is refused."""

    id: str
    model: str
    kind: JobKind
    asked: Mapping[str, Any]
    created_at: float
    asked_by: str = ""
    state: JobState = "queued"
    progress: float = 0.0
    step: str = "waiting for the caretaker"
    result: Mapping[str, Any] | None = None
    error: str = ""
    reason: str = ""
    started_at: float | None = None
    ended_at: float | None = None
    attempt: int = 0
    is_cancelling: bool = False

    @property
    def is_active(self) -> bool:
        """True until it has ended."""
        return self.state in ACTIVE


@dataclass(frozen=True, slots=True)
class Example:
    """A verdict that has become a row with its label."""

    prediction: str
    row: Row
    label: str | float
    weight: float
    is_trusted: bool
    subject: str
    predicted_at: float
    given_at: float


@dataclass(frozen=True, slots=True)
class Lesson:
    """What was learnt in one go, in full: the same lesson again gives the same parameters.

    `learn`, `train_batch`: `batches` are taken in order by `partial_fit`; each place in them is
    that of an example or, negative, that of a replayed row (~place). `refit`: a fresh fit on the
    training rows with `training_weight` and on the examples. `reset`: a row of each class.
    """

    kind: JobKind
    seed: int
    examples: Sequence[Example] = ()
    batches: Sequence[Sequence[int]] = ()
    replayed: Sequence[tuple[Row, str | float]] = ()
    recipe: str = ""
    training_weight: float = 0.0
    rows_seen: int = 0
    """How much of its stream a `train_batch` has behind it."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a verdict: `given_at` tells which one, if it was changed afterwards."""

    prediction: str
    kind: FateKind
    given_at: float
    reason: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Fates:
    """All verdicts of a model as one version's line sees them; they add up to `verdicts`."""

    verdicts: int
    waiting: int
    learnt: Mapping[str, int]
    """How many, by the version that learnt them."""
    held_out: int
    set_aside: Mapping[str, int]
    """How many, by reason."""


@dataclass(frozen=True, slots=True)
class Recall:
    """How much of one class each version finds."""

    label: str
    rows: int
    champion: float
    candidate: float
    is_lost: bool


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """A candidate beside the champion on rows that can be trusted.

    Scores are accuracies, or mean absolute errors of a regression; `difference` and `bound` are
    gains of the candidate (of accuracy, or of error in units of the champion's).
    """

    decision: Decision
    sentence: str
    champion: str
    decided_at: float
    ground: Ground = "anchor"
    why: str = ""
    """Why this ground."""
    rows: int = 0
    champion_score: float | None = None
    candidate_score: float | None = None
    best_score: float | None = None
    difference: float | None = None
    bound: float | None = None
    holds: Holds = "any time"
    """What the bound is good for."""
    doubt: float = 0.05
    """The chance that a loss beyond the bound goes unseen."""
    weighed: int = 1
    """How many candidates these rows have weighed, with this one: they share one doubt."""
    tolerance: float = 0.0
    recalls: Sequence[Recall] = ()
    recent_rows: int = 0
    recent_score: float | None = None
    anchor_score: float | None = None
    chance: float | None = None
    """How likely the champion's recent score would be had the world not moved."""
    moved_at: float | None = None
    """From when on the rows show another world."""
    largest_difference: float | None = None
    """ONNX beside scikit-learn."""
    judged: int = 0
    predicted: int = 0
    voters: str = ""
    """A word when those who judged chose themselves."""
    wants_audit: bool = False


OF_TRAINING = ("rows_trained", "rows_seen", "rows_to_come", "split", "seed")
"""What metrics tell whatever rows a version is scored on."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """Rows with their truth, frozen, and what a version reached on them."""

    digest: str
    score: float | None
    since: float = 0.0
    """When the world began that the rows are of; 0 where that is the one of the training."""
    data: bytes = field(repr=False, default=b"")
    """The packed rows; empty where the store has them already."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """What the version reaches on new rows, in full."""
    calibration: bytes = field(repr=False, default=b"")
    """How often the version is right on new rows when it is so sure; empty where too few tell."""

    def measured(self, before: Mapping[str, float]) -> dict[str, float]:
        """Return the metrics of a version: what it reached on rows before these is gone."""
        if not self.metrics:
            return dict(before)
        return {**{name: before[name] for name in OF_TRAINING if name in before}, **self.metrics}


@dataclass(frozen=True, slots=True)
class AliasMove:
    """One move of an alias, for the history and the way back."""

    alias: str
    moved_from: str | None
    moved_to: str | None
    moved_at: float
    moved_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Audit:
    """A sample of predictions for judges to go through; what they say of it only judges."""

    id: str
    model: str
    created_at: float
    predictions: Sequence[str]


@dataclass(frozen=True, slots=True)
class Shadow:
    """What a challenger would have answered."""

    prediction: str
    model: str
    version: str
    predicted_at: float
    label: str | None
    value: float | None


@dataclass(frozen=True, slots=True)
class Answered:
    """Rows with their truth, and what a version answers to them."""

    rows: Sequence[Row] = field(repr=False)
    truth: Sequence[str | float] = field(repr=False)
    outputs: Outputs = field(repr=False)
