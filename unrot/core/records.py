"""The words of the product as frozen dataclasses: what the rooms hand to each other.

Each word of docs/architecture.md is one class here, with the names that also stand in the
database columns, the JSON keys and the pages. Nothing here does I/O or knows a library.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, NewType

ModelKey = NewType("ModelKey", str)
"""What all that is kept of a model is found under: its first name, whatever it is called later.

Doors know models by their names and resolve them once; from there on a model is its key.
"""

# ── watching: what can be seen of a model that goes bad ───────────────────────────────────────────

Gravity = Literal["note", "warning", "grave"]
GRAVEST_FIRST: tuple[Gravity, ...] = ("grave", "warning", "note")
FindingKind = Literal[
    "drift",
    "rot",
    "outliers",
    "quality",
    "estimate",
    "slice",
    "coverage",
    "abstentions",
    "reasons",
    "operations",
]


@dataclass(frozen=True, slots=True)
class KindWords:
    """What people call a kind of findings, and which rule lets it be watched."""

    called: str
    headline: str
    """What it says of a model."""
    rule: str = ""
    """A field of the rules; what has none is always watched."""


FINDING_KINDS: Mapping[FindingKind, KindWords] = {
    "rot": KindWords("rot", "This model is rotting.", "rot"),
    "slice": KindWords(
        "a part of the traffic", "This model goes wrong in a part of what it is asked.", "slices"
    ),
    "quality": KindWords("data quality", "This model gets bad data.", "quality"),
    "drift": KindWords("data drift", "What this model is asked has changed.", "drift"),
    "outliers": KindWords(
        "outliers",
        "This model is asked about rows that look like nothing it was trained on.",
        "outliers",
    ),
    "estimate": KindWords(
        "estimated accuracy", "This model is probably less right than it was.", "estimate"
    ),
    "coverage": KindWords(
        "coverage", "This model is surer of its answers than it should be.", "coverage"
    ),
    "abstentions": KindWords(
        "abstentions", 'This model answers "not sure" more often than it did.', "abstentions"
    ),
    "reasons": KindWords(
        "reasons", "This model leans on other features than it did in training.", "reasons"
    ),
    "operations": KindWords("operations", "Something around this model does not work."),
}
"""Of two findings that are as grave the one that says more about the answers comes first."""

Against = Literal["training", "previous"]
PeriodLength = Literal["auto", "rotation", "hour", "day", "week"]
Unmoved = Literal["", "chance", "usual", "unknown"]
"""Why a column that lies as far as the rules say has not moved: chance makes it so far; it is so
at this time of every day or week; or it may be, and that is not known yet."""

IMPORTED = "imported"
"""The version of answers that no version of ours gave; the champion's reference stands for it."""

OUTPUT_CLASS, OUTPUT_PROBABILITY, OUTPUT_VALUE = (
    "output.class",
    "output.probability",
    "output.value",
)
"""The columns of what was answered, beside those of the features."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """How the values of one column lie, on the bins of the reference that it is held against.

    Of numbers: `counts[i]` values lie from `edges[i - 1]` up to, not with, `edges[i]`; the first
    and the last bin are open, so there is one count more than edges. Of choices: a count for each
    of `choices`, and one more at the end for all that the reference does not have.
    """

    kind: Literal["number", "choice"]
    rows: int = 0
    """All of them, gaps too."""
    missing: int = 0
    unseen: int = 0
    """Choices that training never saw, or numbers outside its range."""
    far: int = 0
    """Numbers outside its range by more than three times its width."""
    missing_runs: int = 0
    """In how many runs of neighbouring rows the gaps came; so for what was unseen, and far."""
    unseen_runs: int = 0
    far_runs: int = 0
    edges: tuple[float, ...] = ()
    choices: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    quantiles: Mapping[str, float] = field(default_factory=dict)
    """"0.05", "0.25", "0.5", "0.75", "0.95"; of one profile, they do not add up."""
    types: Mapping[str, int] = field(default_factory=dict)
    """How many values are of which type: integral, fractional, boolean, string."""
    rare: tuple[str, ...] = ()
    """Of a reference: choices that it has, beside those that are bins."""
    once: int = 0
    """Of a reference: how many choices it has once, and twice; they tell how many it lacks."""
    twice: int = 0


Summary = Mapping[str, Distribution]
"""The distributions of all columns: features by name, and output.class, output.probability,
output.value."""


def read_summary(written: Mapping[str, Mapping[str, Any]]) -> Summary:
    """Read distributions from JSON; what a newer release knows besides is left out."""
    return {name: _distribution(one) for name, one in written.items()}


def _distribution(written: Mapping[str, Any]) -> Distribution:
    known: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in written.items()
        if name in Distribution.__dataclass_fields__
    }
    return Distribution(**known)


@dataclass(frozen=True, slots=True)
class Sketch:
    """What a whylogs profile tells of one column."""

    rows: int = 0
    missing: int = 0
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    quantiles: Mapping[str, float] = field(default_factory=dict)
    types: Mapping[str, int] = field(default_factory=dict)
    points: tuple[float, ...] = ()
    """Of numbers: 1,001 evenly spaced quantiles, from the least to the largest value."""
    frequent: Mapping[str, int] = field(default_factory=dict)
    """Of texts: how often each value occurs, the frequent ones."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How far one column has moved away from what it is compared with."""

    column: str
    distance: float
    """Hellinger, 0 (the same) to 1 (nothing in common)."""
    test: Literal["ks", "chi-square"]
    statistic: float
    chance: float
    """How likely such a difference is where nothing moved; corrected over the columns."""
    has_moved: bool
    """By the rules: far enough, too unlikely by chance, and not usual at this time."""
    is_calm: bool
    """True when it is well below the rules: what is between the two changes nothing."""
    missing: float = 0.0
    missing_before: float = 0.0
    unseen: float = 0.0
    unseen_before: float = 0.0
    is_exact: bool = True
    """Of a KS statistic: from the rows; else from the bins, and then it may be a little larger."""
    expected: float = 0.0
    """The distance that chance alone makes, of so many rows and bins."""
    worth: float = 0.0
    """As many independent rows its values are worth: repeats and runs of like rows count less."""
    unseen_expected: float = 0.0
    """The share that was never seen where nothing moved."""
    surprise: float = 0.0
    """How likely it is at most where this is usual at this time, or may be a part of training."""
    level: float = 1.0
    """Below this the surprise must be: what this look may spend of the budget of all looks."""
    is_known: bool = False
    """True when enough earlier days of its kind are known to say what is usual."""
    why: Unmoved = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One closed period of one version's traffic beside what it is compared with."""

    model: ModelKey
    version: str
    starts_at: float
    ends_at: float
    against: Against
    rows: int
    rows_before: int
    """0 where it was not compared: its rows were too few, or nothing is there to compare with."""
    drifts: Sequence[Drift] = ()
    reference: str = ""
    """The digest of the reference on whose bins the rows were counted."""
    before_starts_at: float | None = None
    """Of the previous period, where it is what this one is compared with."""
    before_ends_at: float | None = None

    @property
    def moved(self) -> list[Drift]:
        """The columns that moved, the farthest first."""
        return sorted((one for one in self.drifts if one.has_moved), key=lambda one: -one.distance)


@dataclass(frozen=True, slots=True)
class Reason:
    """A feature that made a row odd, and how much of its oddness is by it."""

    feature: str
    share: float


@dataclass(frozen=True, slots=True)
class Oddity:
    """A prediction whose inputs look like nothing that its version was trained on."""

    prediction: str
    model: ModelKey
    version: str
    predicted_at: float
    score: float
    """1 is the threshold of its version; above it is odd."""
    reasons: Sequence[Reason] = ()


class Outcome(NamedTuple):
    """How one prediction came out: right or wrong, or how far off."""

    prediction: str
    version: str
    predicted_at: float
    given_at: float
    was_correct: bool | None = None
    error: float | None = None
    """How much larger the number was than the true one."""
    confidence: float | None = None
    """Its largest probability."""
    truth: str | float | None = None
    """What was true, where the verdict tells."""
    answer: str | None = None
    """The class that was answered."""
    is_trusted: bool = False
    subject: str = ""
    """Who said it, as a hash; nobody is known where it is empty."""
    inputs: Sequence[float | int | str | bool | None] = ()
    """The row that was judged, where it was asked for."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Rows that were refused at the door within a second, by reason."""

    model: ModelKey
    version: str
    at: float
    reasons: Mapping[str, int]
    features: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Those that were refused because of one feature: its name, the reason, how many."""
    requests: int = 0
    """In how many requests; rows of one are not independent."""
    beside: int = 0
    """Rows that nothing was wrong with, or that were not looked at, in the same requests."""


@dataclass(frozen=True, slots=True)
class RefusedFor:
    """More of the rows that were refused in a minute; it adds up."""

    features: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """The feature that was wrong, the reason, how many rows."""
    requests: int = 0
    beside: int = 0
    """Rows that were refused with them: nothing was wrong with those themselves."""


@dataclass(frozen=True, slots=True)
class Symptom:
    """What one monitor sees of a model at a moment: there, or gone.

    Symptoms with the same `cause` are of one finding.
    """

    cause: str
    kind: FindingKind
    is_present: bool
    at: float
    """The moment that the evidence is of; not when it was looked at."""
    since: float = 0.0
    gravity: Gravity = "warning"
    sentence: str = ""
    advice: str = ""
    features: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """The numbers, JSON."""


@dataclass(frozen=True, slots=True)
class FindingNote:
    """What a person wrote beside a finding."""

    at: float
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class Snooze:
    """Somebody wants to hear no more of an open finding for a while."""

    by: str
    at: float
    until: float | None
    """None until it gets graver, which ends any snooze."""
    gravity: Gravity
    """How grave it was."""

    def is_ended_by(self, gravity: Gravity) -> bool:
        """Tell whether that is graver than it was."""
        return GRAVEST_FIRST.index(gravity) < GRAVEST_FIRST.index(self.gravity)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a monitor noticed, with its evidence and what to do about it."""

    id: str
    model: ModelKey
    cause: str
    kind: FindingKind
    gravity: Gravity
    since: float
    opened_at: float
    updated_at: float
    sentence: str
    advice: str
    features: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    closed_at: float | None = None
    acknowledged_at: float | None = None
    acknowledged_by: str = ""
    note: str = ""
    """What the person who acknowledged it wrote."""
    assigned_to: str = ""
    snooze: Snooze | None = None
    notes: tuple[FindingNote, ...] = ()
    """What was written since."""

    @property
    def is_open(self) -> bool:
        """True until its symptom has gone."""
        return self.closed_at is None

    @property
    def thread(self) -> tuple[FindingNote, ...]:
        """All notes, the oldest first, with the one of who has seen it first."""
        first = FindingNote(self.acknowledged_at or 0.0, self.acknowledged_by, self.note)
        return tuple(sorted([*([first] if self.note else ()), *self.notes], key=lambda it: it.at))

    def is_snoozed(self, now: float) -> bool:
        """Tell whether it is open and nobody is to be bothered with it."""
        snooze = self.snooze
        return self.is_open and snooze is not None and (snooze.until is None or now < snooze.until)


Road = Literal["webhook", "mail"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """How far a finding is on its way by one road; it is sent once, when it was opened."""

    finding: str
    model: ModelKey
    target: str
    """Where it is sent, without what is secret of the address."""
    attempts: int
    next_at: float | None
    """When it is tried next; None once it is delivered."""
    delivered_at: float | None = None
    error: str = ""
    """What went wrong the last time, or beside: one of several addresses may be refused."""
    by: Road = "webhook"


# ── serving and hearing: models, versions, predictions, feedback ──────────────────────────────────

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
    is_fixed: bool = False
    """Nobody can change it, as an age: who explains an answer proposes no other value of it."""
    is_private: bool = False
    """What training saw of it is told to viewers alone."""

    @property
    def may_vary(self) -> bool:
        """Whether an explanation may try it with other values, for everybody to see."""
        return not self.is_private and not self.is_fixed


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
    key: ModelKey = ModelKey("")
    """What all that is kept of it is found under; its name, unless the registry says otherwise."""
    former_names: tuple[str, ...] = ()
    """The names it had before and that no other model has taken."""
    tags: tuple[str, ...] = ()
    """Words to find it by among others."""

    def __post_init__(self) -> None:
        if not self.key:
            object.__setattr__(self, "key", ModelKey(self.name))


@dataclass(frozen=True, slots=True)
class RemovedModel:
    """What stays of a model that was removed on purpose."""

    key: ModelKey
    name: str
    number: int
    removed_at: float
    is_cleared: bool
    """True once none of its rows is left."""
    undo_until: float | None = None
    """Until then it can be brought back; None where nobody wanted that, or it is being erased."""

    def can_be_undone(self, now: float) -> bool:
        """Tell whether it is only hidden."""
        return self.undo_until is not None and now < self.undo_until


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

    model: ModelKey
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
    signature: str = field(default="", repr=False)
    """By which this app knows it again (`core.signatures`)."""
    leans_on: Mapping[str, float] = field(default_factory=dict)
    """Of all that moves its answers, the share of each feature; empty where nobody knows."""


@dataclass(frozen=True, slots=True)
class Calibrating:
    """What each row of a holdout tells of how sure a version may be; as long as there are rows."""

    sure: Sequence[float] = ()
    """The largest probability; empty where there are none."""
    right: Sequence[bool] = ()
    squares: Sequence[float] = ()
    """The squared distance of all probabilities from the truth, by Brier."""
    scores: Sequence[float] = ()
    """How strange the truth was to it (`core.conformal`)."""


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
    calibrating: Calibrating = field(repr=False, default=Calibrating())
    held_out_outputs: Outputs | None = field(repr=False, default=None)
    """What it answers to rows of the same kind that it was not fitted on."""
    parent: str | None = None
    made: Mapping[str, Any] = field(default_factory=dict)
    sampled_because: str = ""
    """Why its answers are explained by sampling; empty where they are explained exactly."""
    leans_on: Mapping[str, float] = field(default_factory=dict)


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
    model: ModelKey
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
    model: ModelKey
    predicted_at: float
    given_at: float
    was_correct: bool | None = None
    label: str | float | None = None
    comment: str = ""
    judge: str | None = None
    subject: str = ""
    withdrawn: bool = False
    reward: float | None = None
    """How good the answer was, from 0 to 1, where that was said."""
    signal: str = ""
    """What was seen to happen; then nobody said anything, and the verdict is an implicit one."""
    reasons: Sequence[str] = ()
    """The features that were shown as reasons of the answer, the strongest first."""
    by_judge: bool = False
    """Of a signal: a judge or the operator sent it. It is nobody's word all the same, and this is
    not kept: it tells whether the signal may have a name of its own."""
    asked: bool = False
    """It was given because the list of what would teach most asked for it."""
    unasked_too: bool = False
    """Of one that was asked for: somebody whom nobody had asked has judged the row as well."""

    @property
    def is_trusted(self) -> bool:
        """True when a judge or the operator said it."""
        return self.judge is not None

    @property
    def is_implicit(self) -> bool:
        """True when nobody said it: it is a signal."""
        return bool(self.signal)

    @property
    def tells(self) -> bool:
        """True when it says right, wrong, or what is true."""
        return self.was_correct is not None or self.label is not None

    @property
    def is_judgement(self) -> bool:
        """True when a judge or the operator says right, wrong, or what is true."""
        return self.is_trusted and self.tells and not self.withdrawn

    def says_the_same_as(self, other: Feedback) -> bool:
        """Tell whether both are the same verdict, whoever gave it and whenever.

        One that brings reasons which the other lacks is more than that, and so is one that nobody
        asked for where the other was asked for.
        """
        return (
            self.was_correct == other.was_correct
            and self.label == other.label
            and self.comment == other.comment
            and self.withdrawn == other.withdrawn
            and self.reward == other.reward
            and self.is_trusted == other.is_trusted
            and (not self.reasons or tuple(self.reasons) == tuple(other.reasons))
            and (self.asked or not other.asked)
        )


@dataclass(frozen=True, slots=True)
class ClientKey:
    """What a client calls a prediction: an order's number, by which its outcome comes back."""

    model: ModelKey
    key: str
    prediction: str
    predicted_at: float


@dataclass(frozen=True, slots=True)
class UnverifiedFeedback:
    """A verdict in the older form, on a prediction that nothing proves: shown, never learnt."""

    id: str
    model: ModelKey
    inputs: Value | Sequence[Value] | Mapping[str, Value]
    prediction: Value
    was_correct: bool | None
    given_at: float
    subject: str = ""
    reward: float | None = None
    signal: str = ""


FeedbackStatus = Literal[
    "created", "duplicate", "revised", "queued", "overruled", "withdrawn", "missing", "forgotten"
]


@dataclass(frozen=True, slots=True)
class JudgedPrediction:
    """A prediction beside the verdict that it got, if any."""

    prediction: Prediction
    feedback: Feedback | None
    signals: tuple[str, ...] = ()
    """What was seen to happen with it; a verdict wins over them."""


@dataclass(frozen=True, slots=True)
class Errors:
    """What the mean error of numbers, and how much they explain, is made of; it adds up."""

    count: int = 0
    absolute: float = 0.0
    squared: float = 0.0
    truth: float = 0.0
    truth_squared: float = 0.0


@dataclass(frozen=True, slots=True)
class Rewards:
    """What the mean of rewards, and how sure it is, are made of; it adds up."""

    count: int = 0
    total: float = 0.0
    squared: float = 0.0


@dataclass(frozen=True, slots=True)
class Window:
    """Totals over a minute of one version's traffic, counted by one writer; all of it adds up.

    Retention rolls minutes into hours and hours into days: then it stands for more `minutes`.
    """

    minute: int
    model: ModelKey
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
    asked_sure: int = 0
    """Predictions where "not sure" could be the answer."""
    unsure: int = 0
    """Those where it was."""
    asked: int = 0
    """Verdicts besides that were asked for: nothing else counts them (`hear/truth.py`)."""
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
    rewards: Rewards = Rewards()
    signals: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Predictions with a signal, by its name: how many with it alone, how many with a verdict
    beside it, which wins."""
    reasons: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Right and wrong answers that were judged by who had seen their reasons, by feature; under
    no name all of them."""


class Hour(NamedTuple):
    """How many predictions of one version a writer counted in an hour."""

    starts_at: float
    model: ModelKey
    version: str
    predictions: int


@dataclass(frozen=True, slots=True)
class Profile:
    """A whylogs profile of one stretch of traffic of one version."""

    id: str
    model: ModelKey
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
    passed_over: int = 0
    """Rows besides that were not looked at, because the background worker was behind."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """One version's traffic during one rotation period: what one profile is of."""

    model: ModelKey
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
    passed_over: int = 0


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
    keys: Sequence[ClientKey] = ()
    oddities: Sequence[Oddity] = ()
    looked_at: Collection[str] = ()
    """The ids of the predictions that an outlier detector has scored."""
    asked_sure: Collection[str] = ()
    """The ids of those where "not sure" could be the answer."""
    unsure: Collection[str] = ()
    """The ids of those where it was."""


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
    cause: str = ""
    """Why, with hosts and paths: for those who operate."""
    is_stuck: bool = False
    """True when it takes nothing more in."""

    def with_cause(self) -> Component:
        """Return it as those who operate may read it."""
        return replace(self, sentence=f"{self.sentence} {self.cause}".rstrip(), cause="")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a role, for a judge a name, and a hashed address for shares to be capped by."""

    role: Literal["anyone", "viewer", "judge", "operator"] = "anyone"
    judge: str | None = None
    subject: str = ""
    name: str = ""
    """Of a person with a token of their own, a viewer too."""
    address: str = ""
    """Where they came from, for the audit log alone; of who holds no token it is kept nowhere."""
    is_guess: bool = False
    """Whether a token was sent that nobody knows, to a place where none is needed."""

    @property
    def called(self) -> str:
        """Who it is, as pages and records have it."""
        return self.name or self.judge or self.role


THIS_MACHINE = Caller()
"""Who has no address: a command, or a test."""


# ── who may, and who did ──────────────────────────────────────────────────────────────────────────

TokenRole = Literal["viewer", "judge", "operator"]


@dataclass(frozen=True, slots=True)
class Token:
    """A person's token, of which only the digest is kept."""

    name: str
    role: TokenRole
    digest: str
    made_at: float
    made_by: str
    expires_at: float | None = None
    revoked_at: float | None = None
    used_at: float | None = None
    """When it was used last, to a minute."""
    is_signed: bool = True
    """Whether this app has written it as it stands."""

    def is_good(self, now: float) -> bool:
        """Tell whether it still lets in."""
        is_over = self.expires_at is not None and now >= self.expires_at
        return self.is_signed and self.revoked_at is None and not is_over


@dataclass(frozen=True, slots=True)
class Action:
    """An entry of the audit log: who did what, when, from where."""

    number: int
    at: float
    who: str
    role: str
    what: str
    model: str
    on: str
    moved_from: str | None
    moved_to: str | None
    """The versions between which an alias moved."""
    where: str
    digest: str
    """Of this entry and of the digest before it."""


@dataclass(frozen=True, slots=True)
class LogCheck:
    """What came of following the audit log from its first entry to its last."""

    entries: int
    digest: str
    """Of the last entry."""
    broken: int | None = None
    """The first entry that is not as it was written."""
    trouble: str = ""


# ── learning: what happens to a model after it went online ────────────────────────────────────────

JobKind = Literal["learn", "train_batch", "reset", "refit", "rebuild", "weigh"]
JobState = Literal["queued", "running", "done", "failed"]
FateKind = Literal["learnt", "held out", "set aside"]
Decision = Literal["passed", "refused", "undecided", "off"]
Ground = Literal["anchor", "recent verdicts"]
Holds = Literal["fixed rows", "any time"]
"""What a bound is good for: rows that are weighed once, or rows that grow and are weighed again."""

JOB_WORDS: Mapping[JobKind, str] = {
    "learn": "Learn from the verdicts that wait",
    "train_batch": "Feed the next rows of the stream",
    "reset": "Begin the stream anew",
    "refit": "Fit afresh on training data and verdicts",
    "rebuild": "Make a version again",
    "weigh": "Weigh a version at the gate",
}
ACTIVE: tuple[JobState, ...] = ("queued", "running")


@dataclass(frozen=True, slots=True)
class Job:
    """Long work on one model. `attempt` fences: what an older attempt still writes is refused."""

    id: str
    model: ModelKey
    kind: JobKind
    asked: Mapping[str, Any]
    created_at: float
    asked_by: str = ""
    state: JobState = "queued"
    progress: float = 0.0
    step: str = "waiting for the background worker"
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
    asked: bool = False
    """The verdict was asked for because the row is a hard one."""

    @property
    def is_erased(self) -> bool:
        """True of one of which only the id is left: somebody wanted it forgotten."""
        return not self.row


@dataclass(frozen=True, slots=True)
class Lesson:
    """What was learnt in one go, in full: the same lesson again gives the same parameters.

    `learn`, `train_batch`: `batches` are taken in order by `partial_fit`; each place in them is
    that of an example or, negative, that of a replayed row (~place). `refit`: a fresh fit on the
    training rows with `training_weight` and on the examples; where it `recalibrates`, a
    calibration follows it. `reset`: a row of each class.
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
    recalibrates: bool = False
    """Whether a refit puts its probabilities right by rows that it was not fitted on."""


@dataclass(frozen=True, slots=True)
class Crossed:
    """Examples as fits answered them that had not seen them: as fitted, and recalibrated."""

    examples: Sequence[Example]
    plain: Outputs
    recalibrated: Outputs


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A prediction that is to be forgotten, as it was noted."""

    id: str
    model: ModelKey
    noted_at: float
    was_found: bool


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

    @property
    def summary(self) -> dict[str, object]:
        """What the result of a job tells of it."""
        return {"gate": self.decision, "sentence": self.sentence, "wants_audit": self.wants_audit}


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
    model: ModelKey
    created_at: float
    predictions: Sequence[str]


@dataclass(frozen=True, slots=True)
class Shadow:
    """What a challenger would have answered."""

    prediction: str
    model: ModelKey
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


# ── keeping: what is let go, what is added up, what stays ─────────────────────────────────────────

Tidiable = Literal[
    "predictions",
    "judged predictions",
    "forgotten predictions",
    "verdicts without a prediction",
    "verdicts kept apart",
    "unverified verdicts",
    "client keys",
    "profiles",
    "checks",
    "deliveries",
    "minute totals",
    "hour totals",
    "short profiles",
    "hour profiles",
]
"""What is let go; totals and short profiles are added up to longer ones, so nothing is lost."""

Old = Literal[
    "verdicts without a prediction",
    "verdicts kept apart",
    "unverified verdicts",
    "client keys",
    "profiles",
    "checks",
    "deliveries",
]

IMPORTING = "import-"
"""How writers are called that bring logs in; what they brought stays until it is removed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Which predictions are let go."""

    unjudged_before: float
    judged_before: float
    protected: Collection[str] = field(default=frozenset())
    """Predictions that somebody still goes through."""


@dataclass(frozen=True, slots=True)
class Bite:
    """What one small step did."""

    done: int
    """Rows that went."""
    next: tuple[float, str] | None
    """Where the next step begins; None when the round is over."""


@dataclass(frozen=True, slots=True)
class Tidied:
    """What was let go of a model so far."""

    model: ModelKey
    what: Tidiable
    at: float
    dropped: int
    kept_since: float | None


@dataclass(frozen=True, slots=True)
class Level:
    """Totals or profiles of one length."""

    seconds: int
    rows: int
    """How many of them there are."""
    predictions: int
    """What they stand for."""
    since: float


@dataclass(frozen=True, slots=True)
class Stock:
    """What is kept of a model; it is read from totals and costs the same however much there is."""

    answered: int
    """Predictions that were ever counted."""
    kept: int
    kept_since: float | None
    windows: Sequence[Level]
    profiles: Sequence[Level]
    versions: int
    pruned: int
    """Versions whose files were let go; their records stay."""
