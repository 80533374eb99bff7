"""The words of watching as frozen dataclasses: what can be seen of a model that goes bad.

    distribution  how the values of one column lie, bin by bin: those of one stretch add up
    check         one closed period of traffic beside what it is compared with
    oddity        a prediction whose inputs look like nothing that training saw
    outcome       how a prediction came out, by the verdict that counts for it
    rejection     rows that were refused at the door, by reason
    symptom       what one monitor sees now, present or gone
    finding       a symptom that was opened, is kept up to date and is closed again
    delivery      how far a finding is on its way to a webhook
    rules         what counts as a symptom of one model; a person may change them

Nothing here does I/O or knows a library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Gravity = Literal["note", "warning", "grave"]
FindingKind = Literal["drift", "rot", "outliers", "quality", "estimate", "slice", "operations"]
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

    model: str
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
    model: str
    version: str
    predicted_at: float
    score: float
    """1 is the threshold of its version; above it is odd."""
    reasons: Sequence[Reason] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
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
    is_trusted: bool = False
    subject: str = ""
    """Who said it, as a hash; nobody is known where it is empty."""
    inputs: Sequence[float | int | str | bool | None] = ()
    """The row that was judged, where it was asked for."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Rows that were refused at the door within a second, by reason."""

    model: str
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
class Finding:
    """Something a monitor noticed, with its evidence and what to do about it."""

    id: str
    model: str
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

    @property
    def is_open(self) -> bool:
        """True until its symptom has gone."""
        return self.closed_at is None


@dataclass(frozen=True, slots=True)
class Delivery:
    """How far a finding is on its way to a webhook; it is sent once, when it was opened."""

    finding: str
    model: str
    target: str
    """Where it is sent, without what is secret of the address."""
    attempts: int
    next_at: float | None
    """When it is tried next; None once it is delivered."""
    delivered_at: float | None = None
    error: str = ""
    """What went wrong the last time."""


@dataclass(frozen=True, slots=True)
class FeatureRule:
    """What is different for one feature; None is as for all."""

    is_watched: bool = True
    distance: float | None = None
    missing: float | None = None
    unseen: float | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts as a symptom of one model."""

    period: PeriodLength = "auto"
    """What is compared: the shortest period that usually has enough rows, or always this one."""
    least_rows: int = 100
    against: Against = "training"
    drift: bool = True
    distance: float = 0.15
    """The Hellinger distance from which on a column has moved, if it is not by chance."""
    chance: float = 0.001
    """And so unlikely must it be where nothing moved."""
    rot: bool = True
    last_verdicts: int = 50
    """Accuracy is rolled over so many."""
    least_accuracy: float | None = None
    """A floor set by a person; None is none."""
    slices: bool = True
    """Whether a part of the traffic that falls alone is a finding."""
    outliers: bool = True
    outlier_share: float = 0.05
    """A burst: so large a share of the predictions of a period is odd."""
    quality: bool = True
    missing: float = 0.005
    """From so much more of a column on that is missing than is usual, it is told of."""
    unseen: float = 0.005
    """So for choices that training never saw, and numbers outside its range."""
    rejected: float = 0.005
    """So for rows that are refused."""
    estimate: bool = True
    estimate_loss: float = 0.1
    """So far below the holdout's the accuracy is estimated to be, while verdicts are few."""
    features: Mapping[str, FeatureRule] = field(default_factory=dict)
    webhook: str = ""
    """Where findings of this model are sent; empty, where the settings say."""

    def distance_of(self, column: str) -> float:
        """Return the distance from which on a column has moved: its own, or that of all."""
        own = self.features.get(column)
        return self.distance if own is None or own.distance is None else own.distance
