"""The words of the product as frozen dataclasses: what the layers hand to each other.

Each word of docs/architecture.md is one class here, with the names that also stand in the
database columns, the JSON keys and the pages. Nothing here does I/O or knows a library.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from unrot.core.symptoms import Oddity, RefusedFor, Rejection, Summary

Value = float | int | str | bool | None
"""One cell of a row, as JSON has it."""

Row = Sequence[Value]
"""The features of one row, in the order of the schema."""

Kind = Literal["number", "integer", "category", "boolean"]

Form = Literal["table", "columns"]
"""What a serving artefact takes: one table of numbers, or the columns of an owner's estimator."""

CHAMPION = "champion"
CHALLENGER = "challenger"


@dataclass(frozen=True, slots=True)
class Feature:
    """One column that a model reads."""

    name: str
    kind: Kind
    low: float | None = None
    high: float | None = None
    choices: tuple[Value, ...] = ()
    choice_names: tuple[str, ...] = ()
    unit: str = ""
    description: str = ""
    example: Value = None
    nullable: bool = False
    label: str = ""
    """What people call it; empty, its name in words."""
    group: str = ""
    """The heading that it stands under in a long form."""


@dataclass(frozen=True, slots=True)
class Schema:
    """What a model reads and what it answers: features, and classes or a numeric target."""

    features: tuple[Feature, ...]
    target: str
    classes: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    """What people call the classes, in the same order; empty where a class speaks for itself."""

    @property
    def is_classifier(self) -> bool:
        """True when the answer is a class, false when it is a number."""
        return bool(self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """The feature names, in order."""
        return tuple(feature.name for feature in self.features)


@dataclass(frozen=True, slots=True)
class Model:
    """A named task. `number` stands for it inside prediction ids and is never given again."""

    name: str
    number: int
    title: str
    description: str
    schema: Schema
    created_at: float
    kept_as: str = ""
    """The name that its rows carry in the store: its first one, whatever it is called later."""
    former_names: tuple[str, ...] = ()
    """The names it had before and that no other model has taken."""


@dataclass(frozen=True, slots=True)
class RemovedModel:
    """What stays of a model that was removed on purpose."""

    name: str
    number: int
    removed_at: float
    is_cleared: bool
    """True once none of its rows is left."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """How much the store keeps of one model."""

    versions: int = 0
    predictions: int = 0
    verdicts: int = 0
    profiles: int = 0
    windows: int = 0

    @property
    def rows(self) -> int:
        """All of it."""
        return self.versions + self.predictions + self.verdicts + self.profiles + self.windows


@dataclass(frozen=True, slots=True)
class Serving:
    """Who answers for a version, and how closely that was compared with scikit-learn."""

    by: Literal["onnx", "scikit-learn"]
    digest: str
    largest_difference: float | None = None
    compared_rows: int = 0
    reason: str = ""
    form: Form = "table"


@dataclass(frozen=True, slots=True)
class Version:
    """One immutable fitted estimator of a model."""

    model: str
    name: str
    parent: str | None
    origin: str
    estimator: str
    created_at: float
    metrics: Mapping[str, float]
    artefacts: Mapping[str, str]
    schema_hash: str
    libraries: Mapping[str, str]
    serving: Serving
    made: Mapping[str, Any] = field(default_factory=dict)
    """How it was made, in numbers and words: seed, order, recipe, policy."""
    anchor: str = ""
    """The digest of the rows that it is measured by; empty where nothing trusted is there."""
    anchor_score: float | None = None
    """What it reached on them: accuracy, or mean absolute error."""
    anchor_since: float = 0.0
    """When the world began that they are of; 0 where that is the one of the training."""
    is_pinned: bool = False
    """True when somebody wants its files kept."""
    is_pruned: bool = False
    """True when retention has let its files go."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A freshly fitted estimator with all that a version keeps of it, not yet registered."""

    estimator: str
    origin: str
    metrics: Mapping[str, float]
    artefacts: Mapping[str, bytes]
    libraries: Mapping[str, str]
    served_by: Literal["onnx", "scikit-learn"]
    serving_artefact: str
    largest_difference: float | None
    compared_rows: int
    reason: str
    form: Form = "table"
    reference_rows: Sequence[Row] = field(repr=False, default=())
    reference_outputs: Outputs | None = field(repr=False, default=None)
    calibrating: Sequence[tuple[float, bool]] = field(repr=False, default=())
    """Of each row of the holdout how sure it was, and whether it was right."""
    held_out_outputs: Outputs | None = field(repr=False, default=None)
    """What it answers to rows of the same kind that it was not fitted on."""
    parent: str | None = None
    made: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a predictor answers for some rows, column by column.

    A classifier fills `classes` (indices in the order of the schema) and, where the estimator
    has them, `probabilities`; a regressor fills `values`.
    """

    classes: Sequence[int] | None = None
    probabilities: Sequence[Sequence[float]] | None = None
    values: Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """One row scored for somebody."""

    id: str | None
    model: str
    version: str
    predicted_at: float
    inputs: Row
    label: str | None
    probabilities: Sequence[float] | None
    value: float | None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Feedback:
    """A verdict on one prediction. A withdrawn one stays as a mark that it was taken back."""

    prediction: str
    model: str
    predicted_at: float
    given_at: float
    was_correct: bool | None = None
    label: str | float | None = None
    comment: str = ""
    judge: str | None = None
    subject: str = ""
    withdrawn: bool = False

    @property
    def is_trusted(self) -> bool:
        """True when a judge or the operator said it."""
        return self.judge is not None

    def says_the_same_as(self, other: Feedback) -> bool:
        """Tell whether both are the same verdict, whoever gave it and whenever."""
        return (
            self.was_correct == other.was_correct
            and self.label == other.label
            and self.comment == other.comment
            and self.withdrawn == other.withdrawn
            and self.is_trusted == other.is_trusted
        )


@dataclass(frozen=True, slots=True)
class UnverifiedFeedback:
    """A verdict in the older form, on a prediction that nothing proves: shown, never learnt."""

    id: str
    model: str
    inputs: Value | Sequence[Value] | Mapping[str, Value]
    prediction: Value
    was_correct: bool
    given_at: float
    subject: str = ""


FeedbackStatus = Literal[
    "created", "duplicate", "revised", "queued", "overruled", "withdrawn", "missing", "forgotten"
]


@dataclass(frozen=True, slots=True)
class JudgedPrediction:
    """A prediction beside the verdict that it got, if any."""

    prediction: Prediction
    feedback: Feedback | None


@dataclass(frozen=True, slots=True)
class Errors:
    """What the mean error of numbers, and how much they explain, is made of; it adds up."""

    count: int = 0
    absolute: float = 0.0
    squared: float = 0.0
    truth: float = 0.0
    truth_squared: float = 0.0


@dataclass(frozen=True, slots=True)
class Window:
    """Totals over a minute of one version's traffic, counted by one writer; all of it adds up.

    Retention rolls minutes into hours and hours into days: then it stands for more `minutes`.
    """

    minute: int
    model: str
    version: str
    writer: str
    predictions: int = 0
    verdicts: int = 0
    judged: int = 0
    correct: int = 0
    minutes: int = 1
    outliers: int = 0
    looked_at: int = 0
    """Predictions that an outlier detector has scored."""
    latency: Sequence[int] = ()
    """Predictions by how long they took; the bins are `monitors.latency.EDGES`."""
    confidence: Sequence[int] = ()
    """Predictions by their largest probability; the bins are `monitors.confidence.BINS`."""
    judged_confidence: Sequence[int] = ()
    correct_confidence: Sequence[int] = ()
    confusion: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Verdicts with a label: what was predicted, what was true, how often."""
    rejected: Mapping[str, int] = field(default_factory=dict)
    """Rows refused at the door, by reason."""
    refused_for: RefusedFor = RefusedFor()
    errors: Errors = Errors()


@dataclass(frozen=True, slots=True)
class Profile:
    """A whylogs profile of one stretch of traffic of one version."""

    id: str
    model: str
    version: str
    writer: str
    starts_at: float
    ends_at: float
    rows: int
    data: bytes = field(repr=False, default=b"")
    summary: Summary = field(repr=False, default_factory=dict)
    """The same in numbers that a page can show without whylogs, on the bins of its reference."""
    reference: str = ""
    """The digest of the reference whose bins these are; without one there is no summary."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """One version's traffic during one rotation period: what one profile is of."""

    model: str
    version: str
    starts_at: int
    ends_at: int


@dataclass(frozen=True, slots=True)
class CountedStretch:
    """The rows of the profiles of one stretch, whoever wrote them, that are on the same bins."""

    version: str
    starts_at: float
    ends_at: float
    reference: str
    rows: int


@dataclass(frozen=True, slots=True)
class Shipment:
    """One stretch of one journal segment on its way into the store.

    It counts only if the store's offset for the segment still is `starts_at`; afterwards the
    offset is `ends_at`. Rows and offset move in one transaction: that is the exactly-once.
    """

    segment: str
    starts_at: int
    ends_at: int
    writer: str
    predictions: Sequence[Prediction] = ()
    feedback: Sequence[Feedback] = ()
    unverified: Sequence[UnverifiedFeedback] = ()
    rejections: Sequence[Rejection] = ()
    oddities: Sequence[Oddity] = ()
    looked_at: Collection[str] = ()
    """The ids of the predictions that an outlier detector has scored."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What a model's card says of today."""

    predictions: int = 0
    verdicts: int = 0
    """On predictions of today: a verdict counts in the minute of its prediction."""
    unverified: int = 0
    last_accuracy: float | None = None
    last_accuracy_verdicts: int = 0
    last_error: float | None = None
    """For numbers, the mean distance from the true ones that the last verdicts brought."""
    last_error_verdicts: int = 0


@dataclass(frozen=True, slots=True)
class Component:
    """One part of the running product, and how it is."""

    state: Literal["ok", "degraded", "down"]
    sentence: str
    is_stuck: bool = False
    """True when it takes nothing more in."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a role, for a judge a name, and a hashed address for shares to be capped by."""

    role: Literal["anyone", "viewer", "judge", "operator"] = "anyone"
    judge: str | None = None
    subject: str = ""
