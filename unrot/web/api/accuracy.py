"""The REST routes of windows and accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Annotated, Any

from unrot.core import confidence, latency
from unrot.core.records import Rewards, Window
from unrot.core.time import DAY, HOUR, MINUTE, WEEK
from unrot.core.windows import total
from unrot.watch.findings import rules
from unrot.watch.reports import accuracy
from unrot.watch.reports.champion import signs_of
from unrot.watch.reports.signals import said_by, signals_in
from unrot.watch.reports.wrong_reasons import count_reasons
from unrot.watch.statistics import accuracy as figures
from unrot.watch.statistics.rewards import mean_reward
from unrot.web import moments
from unrot.web.api.parameters import ModelName
from unrot.web.current import service
from unrot.web.reading import whole
from unrot.web.routes import VIEWER, route
from unrot.web.shape import (
    UNSET,
    Expects,
    From,
    Keywords,
    Moment,
    Shape,
    TextOrNull,
    Unset,
    Written,
)

USUAL_SECONDS = float(DAY)
USUAL_POINTS = 300
STEPS = {"minute": float(MINUTE), "hour": float(HOUR), "day": float(DAY)}
SHOWN_BINS = 20
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


# ── what is asked ────────────────────────────────────────────────────────────────────────────


def step(text: str) -> float:
    """Read how long a step is."""
    given = text.strip()
    seconds = STEPS[given] if given in STEPS else float(given)
    if not isfinite(seconds) or seconds <= 0:
        raise ValueError
    return seconds


class SpanQuery(Shape):
    """A stretch of time, step by step."""

    from_: Annotated[
        moments.Given, "From when on: ISO 8601 or seconds since 1970; a day ago if not given."
    ] = None
    to: Annotated[moments.Given, "Until when; now if not given."] = None
    step: Annotated[
        float | None,
        "minute, hour, day or seconds (60 at least): there are at most 1,000 points.",
        Keywords(type="string"),
        Expects("minute, hour, day, or a number of seconds", step, skips_blank=True),
    ] = None


class AccuracyQuery(SpanQuery):
    """What accuracy is rolled over, and how it is parted."""

    last: Annotated[
        int | None,
        "Over how many verdicts accuracy is rolled; as the rules say.",
        Keywords(minimum=1, maximum=accuracy.MOST_LAST),
        Expects(
            f"how many verdicts, 1 to {accuracy.MOST_LAST:,}",
            whole(1, accuracy.MOST_LAST),
            skips_blank=True,
        ),
    ] = None
    version: Annotated[
        str,
        "Of which version the classes and the newest rolled figure are; all, and the champion.",
    ] = ""
    slice: Annotated[str, "The feature to part the newest judged rows by."] = ""


# ── windows ──────────────────────────────────────────────────────────────────────────────────


class Latency(Shape):
    """How long predictions took."""

    p50: float | None
    p95: float | None
    p99: float | None


def quantiles(counts: Sequence[int]) -> Latency:
    """Return how long predictions took, of how many took how long."""
    return Latency(**{name: latency.quantile(counts, share) for name, share in QUANTILES.items()})


def histogram(counts: Sequence[int]) -> list[int] | None:
    """Return predictions by their largest probability; null where there is none."""
    return list(confidence.coarser(counts, SHOWN_BINS)) if counts else None


class Counted(Shape):
    """What was counted."""

    predictions: int
    verdicts: int
    judged: int
    correct: int
    looked_at: int
    outliers: int
    asked_sure: Annotated[int, "Predictions where “not sure” could be the answer."]
    unsure: Annotated[int, "Those where it was: abstentions."]
    asked: Annotated[int, "Verdicts besides that were asked for: they count for learning alone."]
    rejected: Annotated[dict[str, int], "Rows refused at the door, by reason."]
    latency_seconds: Annotated[
        Latency, "Null: over a second, or not known.", From("latency"), Written(quantiles)
    ]
    confidence: Annotated[
        list[int] | None,
        "Predictions by their largest probability, in 20 bins from 0 to 1.",
        Written(histogram),
    ]


class Stretch(Shape):
    """A stretch of time."""

    starts_at: Moment
    seconds: float


class CountedStretch(Counted, Stretch):
    """What was counted in a stretch of time, of all versions and of each."""

    versions: dict[str, Counted]


class Span(Shape):
    """What was looked at."""

    model: str
    from_: Annotated[Moment, From("since")]
    to: Annotated[Moment, From("until")]
    step: float


class Windows(Span, named=True):
    """What was counted, stretch by stretch."""

    points: list[CountedStretch]


@route("GET", "/models/<model>/windows", needs=VIEWER, tag="accuracy")
def windows(model: ModelName, query: SpanQuery) -> Windows:
    """Sum predictions, verdicts, outliers, refused rows and latency, step by step."""
    found = _over_time(model, query)
    by_start: dict[float, dict[str, Window]] = {}
    for version, points in found.versions.items():
        for one in points:
            by_start.setdefault(one.starts_at, {})[version] = one.window
    stretches = [_counted(one, by_start.get(one.starts_at, {})) for one in found.points]
    return Windows.of(found, points=stretches)


def _counted(point: accuracy.Point, versions: dict[str, Window]) -> CountedStretch:
    by_version = {version: Counted.of(window) for version, window in versions.items()}
    return CountedStretch.of(point, versions=by_version, **vars(Counted.of(point.window)))


# ── accuracy ─────────────────────────────────────────────────────────────────────────────────


class Share(Shape):
    """How often something was right."""

    value: float
    low: float
    high: float
    verdicts: Annotated[int, From("count")]


class Errors(Shape):
    """How far off numbers were."""

    mae: float
    rmse: float
    r2: float | None
    constant_guess_rmse: Annotated[float, From("constant_rmse")]
    verdicts: Annotated[int, From("count")]


def signals_counted(signals: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Show how many predictions have which signal."""
    return {name: sum(row.values()) for name, row in sorted(signals.items())}


def share(of: figures.Share) -> Share | None:
    """Show a share, where there is one."""
    return None if of.value is None else Share.of(of)


def errors(of: figures.Scored) -> Errors | None:
    """Show errors, where there are verdicts that tell."""
    return Errors.of(of) if of.count else None


ShareOrNull = Annotated[
    Share | None, "With its 95 % interval (Wilson); null without verdicts.", Written(share)
]
ErrorsOrNull = Annotated[
    Errors | None,
    "Of a regression; null without verdicts that tell the true number.",
    Written(errors),
]
ConstantGuess = Annotated[float | None, From("constant.value")]


class MeanReward(Shape):
    """How good answers were said to be, from 0 to 1."""

    value: float
    low: float
    high: float
    rewards: Annotated[int, From("count")]


def mean_of(rewards: Rewards) -> MeanReward | None:
    """Show the mean of rewards, where there are some."""
    found = mean_reward(rewards)
    return None if found is None else MeanReward.of(found)


class Signal(Shape):
    """How many predictions have a signal."""

    name: str
    means: Annotated[str, "wrong, right or counted, by the rules.", From("meaning")]
    predictions: Annotated[int, From("count")]
    with_verdict: Annotated[int, "Of them: there the verdict wins.", From("beside")]


class Signals(Shape):
    """What was seen to happen: apart from verdicts, and never trusted."""

    seen: list[Signal]
    right: Annotated[ShareOrNull, "Of those that say right or wrong, without a verdict."]


class LeanedOn(Shape):
    """A feature among the three strongest reasons of some answers."""

    feature: str
    right: Annotated[int, "Right answers that lean on it."]
    wrong: int
    wrong_share: ShareOrNull
    stands_out: Annotated[bool, "Whether wrong answers lean on it more than right ones do."]


class WrongReasons(Shape):
    """What right and wrong answers lean on."""

    right: int
    wrong: int
    leaned_on: Annotated[list[LeanedOn], From("reasons")]


class Estimated(Shape):
    """An accuracy that is estimated."""

    value: float
    error: float
    predictions: Annotated[int, From("rows")]


class Point(Stretch):
    """How right one stretch of time was."""

    predictions: int
    verdicts: int
    accuracy: ShareOrNull
    errors: ErrorsOrNull
    reward: Annotated[
        MeanReward | None,
        "The mean with its 95 % interval; null without rewards.",
        From("window.rewards"),
        Written(mean_of),
    ]
    signals: Annotated[
        dict[str, int],
        "Predictions by what was seen to happen with them.",
        From("window.signals"),
        Written(signals_counted),
    ]
    constant_guess: ConstantGuess
    estimated: Annotated[Estimated | None, "From the confidence of all predictions, judged or not."]


class Rolled(Shape):
    """One verdict, and what the last ones on the same version come to."""

    at: Moment
    version: str
    accuracy: ShareOrNull
    errors: ErrorsOrNull


class Whose(Shape):
    """Whose the last verdicts are."""

    verdicts: int | Unset = UNSET
    trusted: int | Unset = UNSET
    subjects: int | Unset = UNSET
    largest: int | Unset = UNSET
    judged: int
    predicted: int
    is_sample: bool


class Rolling(Shape):
    """Accuracy over the last verdicts: of one version the newest, each point of its own."""

    last: int
    version: TextOrNull
    whose: Whose
    newest: Rolled | None
    constant_guess: ConstantGuess
    points: list[Rolled]


class ClassScore(Shape):
    """How one class is told."""

    label: str
    support: int
    predicted: int
    precision: float | None
    recall: float | None
    f1: float | None
    specificity: float | None


class Classes(Shape):
    """How each class is told, and what was taken for what."""

    accuracy: ShareOrNull
    constant_guess: ConstantGuess
    unlabelled: int
    scores: list[ClassScore]
    confusion: Annotated[dict[str, dict[str, int]], "What was predicted, what was true, how often."]


class Estimate(Shape):
    """How far estimates were from the truth so far."""

    mean_error: Annotated[float | None, From("estimate_error")]
    stretches: Annotated[int, From("estimate_stretches")]
    none_because: Annotated[TextOrNull, From("no_estimate")]


class Slice(Shape):
    """The judged rows of one part."""

    label: str
    verdicts: Annotated[int, From("count")]
    accuracy: ShareOrNull
    mae: float | None
    is_few: bool


class Slices(Shape):
    """The newest judged rows, parted by one feature."""

    feature: str
    rows: int
    slices: list[Slice]


class Mark(Shape):
    """Something that was done to a model."""

    at: Moment
    kind: str
    version: str
    sentence: str


class Accuracy(Span, named=True):
    """How right a model is."""

    rolling: Rolling
    over_time: Annotated[list[Point], From("points")]
    versions: dict[str, Point]
    classes: Classes | None
    reward: Annotated[MeanReward | None, "Over the whole time; null without rewards."]
    signals: Signals
    reasons: Annotated[
        WrongReasons, "Of the answers that were judged by who had seen their reasons."
    ]
    estimate: Annotated[Estimate, From("")]
    slice: Slices | None
    marks: list[Mark]


@route(
    "GET", "/models/<model>/accuracy", needs=VIEWER, tag="accuracy", name="accuracy", errors=(503,)
)
def accuracy_of(model: ModelName, query: AccuracyQuery) -> Accuracy:
    """Say how right a model is: rolled, over time, by version, class and slice."""
    found, of, version = _over_time(model, query), service(), query.version or None
    span = {"since": found.since, "until": found.until}
    by_version = accuracy.versions(of, model, **span)
    classes = accuracy.classes(of, model, **span, version=version)
    slices = accuracy.slices(of, model, query.slice) if query.slice else None
    whole = total([one.window for one in found.points])
    seen = signals_in(whole.signals, rules(of, model).signals)
    return Accuracy.of(
        found,
        rolling=_rolling(model, query.last, version),
        versions={name: Point.of(one) for name, one in by_version.items()},
        classes=Classes.of(classes) if classes.labels else None,
        reward=mean_of(whole.rewards),
        signals=Signals(seen=[Signal.of(one) for one in seen], right=share(said_by(seen))),
        reasons=WrongReasons.of(count_reasons(whole.reasons)),
        slice=Slices.of(slices) if slices else None,
        marks=[Mark.of(one) for one in accuracy.marks(of, model, **span)],
    )


def _rolling(model: str, last: int | None, version: str | None) -> Rolling:
    rolled = accuracy.rolling(service(), model, last, version=version)
    signs = signs_of(service(), service().catalogue().model(model), rolled)
    judged: dict[str, Any] = {
        "judged": signs.judged_then,
        "predicted": signs.predicted_then,
        "is_sample": not signs.is_chosen,
    }
    whose = Whose.of(signs.whose, **judged) if signs.whose else Whose(**judged)
    return Rolling.of(rolled, whose=whose)


def _over_time(model: str, query: SpanQuery) -> accuracy.OverTime:
    now = service().clock()
    since, until = moments.between(query.from_, query.to, usual=(now - USUAL_SECONDS, now))
    seconds = query.step or _usual_step(until - since)
    return accuracy.over_time(service(), model, since=since, until=until, step=seconds)


def _usual_step(seconds: float) -> float:
    return next((one for one in STEPS.values() if seconds <= one * USUAL_POINTS), float(WEEK))
