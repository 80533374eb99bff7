"""How often a model was right, how surely that is known, and what a constant guess would reach.

A share of few verdicts says little, so each comes with Wilson's 95 % interval:

    (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n),  z = 1.96

Wilson, Journal of the American Statistical Association 22 (1927) 209-212. A regression has errors
instead, which add up (`records.Errors`).

    >>> nine = share(9, 10)
    >>> nine.value, round(nine.low, 4), round(nine.high, 4)
    (0.9, 0.5958, 0.9821)
    >>> [(one.label, one.precision, one.recall) for one in classes({"a": {"a": 3, "b": 1}})]
    [('a', 0.75, 1.0), ('b', None, 0.0)]
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from unrot.core.records import Errors, Outcome

Z = 1.959963984540054
"""95 % of a normal distribution lie so many standard deviations from its middle."""
UNTOLD = 0.05
"""Of so few verdicts the truth may be unknown where a constant guess is reckoned."""

Confusion = Mapping[str, Mapping[str, int]]
"""What was predicted, what was true, how often."""


@dataclass(frozen=True, slots=True)
class Share:
    """How often something was right, and between which bounds its true share lies (95 %)."""

    right: int
    count: int
    value: float | None
    """None where there is no verdict."""
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True, slots=True)
class Scored:
    """How far off numbers were; None where there is no verdict to tell."""

    count: int
    mae: float | None = None
    rmse: float | None = None
    r2: float | None = None
    constant_rmse: float | None = None
    """What guessing the mean of the true numbers, which nobody knew before, would have reached."""


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How one class is told; None where there is nothing to take a share of."""

    label: str
    support: int
    """How often it was the truth."""
    predicted: int
    precision: float | None
    recall: float | None
    f1: float | None
    specificity: float | None


@dataclass(frozen=True, slots=True)
class Rolled:
    """One verdict, and what the last verdicts up to it come to."""

    at: float
    """When the verdict was given."""
    version: str
    accuracy: Share
    errors: Scored


def share(right: int, count: int, worth: float = 1.0) -> Share:
    """Return a share with its interval, where so many say as much as one (see `worth`)."""
    if not count:
        return Share(0, 0, None)
    value, told = right / count, count / worth
    spread = Z * Z / told
    middle, reach = value + spread / 2, Z * sqrt(value * (1 - value) / told + spread / 4 / told)
    low, high = (middle - reach) / (1 + spread), (middle + reach) / (1 + spread)
    return Share(right, count, value, max(0.0, low), min(1.0, high))


def scored(errors: Errors) -> Scored:
    """Return what sums of errors say."""
    count = errors.count
    if not count:
        return Scored(0)
    squared = errors.squared / count
    variance = max(errors.truth_squared / count - (errors.truth / count) ** 2, 0.0)
    return Scored(
        count,
        mae=errors.absolute / count,
        rmse=sqrt(squared),
        r2=1 - squared / variance if variance > 0 else None,
        constant_rmse=sqrt(variance),
    )


def rolled(
    outcomes: Sequence[Outcome], last: int, most: int, worth: Mapping[str, float] | None = None
) -> list[Rolled]:
    """Roll over the last verdicts: a point for each of the newest `most`, the newest included.

    Each point rolls over verdicts on its own version alone, the first ones of all over as many as
    there are. Outcomes are in the order of verdicts; what those on a version are worth widens its
    intervals.
    """
    points: list[Rolled] = []
    windows: dict[str, deque[Outcome]] = {}
    for place, newest in enumerate(outcomes):
        window = windows.setdefault(newest.version, deque(maxlen=last))
        window.append(newest)
        if place >= len(outcomes) - most:
            told = tuple(window)
            each = (worth or {}).get(newest.version, 1.0)
            right, errors = right_of(told, each), scored(errors_of(told))
            points.append(Rolled(newest.given_at, newest.version, right, errors))
    return points


def right_of(outcomes: Sequence[Outcome], worth: float = 1.0) -> Share:
    """Return how often outcomes were right, where so many say as much as one."""
    told = [one.was_correct for one in outcomes if one.was_correct is not None]
    return share(sum(told), len(told), worth)


def scores_of(outcomes: Sequence[Outcome]) -> list[float]:
    """Return how far off numbers were, else what was right (1) and wrong (0)."""
    off = [abs(one.error) for one in outcomes if one.error is not None]
    return off or [float(one.was_correct) for one in outcomes if one.was_correct is not None]


def beside_guess(outcomes: Sequence[Outcome]) -> tuple[int, int]:
    """Return on how many outcomes the best constant guess alone was right, and the model alone."""
    told = [one for one in outcomes if isinstance(one.truth, str) and one.was_correct is not None]
    guess = max(Counter(one.truth for one in told).items(), key=lambda kind: kind[1], default=("",))
    return (
        sum(one.truth == guess[0] and not one.was_correct for one in told),
        sum(one.truth != guess[0] and one.was_correct is True for one in told),
    )


def errors_of(outcomes: Sequence[Outcome]) -> Errors:
    """Return the sums of what outcomes were off by."""
    pairs = [
        (one.error, float(one.truth))
        for one in outcomes
        if one.error is not None and one.truth is not None
    ]
    return Errors(
        count=len(pairs),
        absolute=sum(abs(error) for error, _ in pairs),
        squared=sum(error * error for error, _ in pairs),
        truth=sum(truth for _, truth in pairs),
        truth_squared=sum(truth * truth for _, truth in pairs),
    )


def constant_of(outcomes: Sequence[Outcome]) -> Share:
    """Return how often the best constant guess would have been right on these outcomes."""
    truths = Counter(one.truth for one in outcomes if isinstance(one.truth, str))
    return _best_guess(truths, sum(one.was_correct is not None for one in outcomes))


def constant(confusion: Confusion, judged: int = 0) -> Share:
    """Return how often the best constant guess would have been right on so many that were judged.

    Nothing is returned where many only say "wrong": what was true of those is not known.

    >>> told = {"a": {"a": 6, "b": 3}}
    >>> constant(told, 9).value, constant(told, 12).value
    (0.6666666666666666, None)
    """
    return _best_guess(_truths(confusion), judged)


def classes(confusion: Confusion, labels: Sequence[str] = ()) -> list[ClassScore]:
    """Return how each class is told, in the order of `labels` and then by name."""
    truths = _truths(confusion)
    predicted = {label: sum(row.values()) for label, row in confusion.items()}
    strangers = sorted({*truths, *predicted} - set(labels))
    every = sum(predicted.values())
    found: list[ClassScore] = []
    for label in (*labels, *strangers):
        hits = confusion.get(label, {}).get(label, 0)
        named, true = predicted.get(label, 0), truths.get(label, 0)
        found.append(
            ClassScore(
                label,
                support=true,
                predicted=named,
                precision=_part(hits, named),
                recall=_part(hits, true),
                f1=_part(2 * hits, named + true),
                specificity=_part(every - named - true + hits, every - true),
            )
        )
    return found


def unlabelled(confusion: Confusion, judged: int) -> int:
    """Return how many of so many verdicts say wrong and not what is right.

    >>> unlabelled({"a": {"a": 6, "b": 3}}, 12)
    3
    """
    return max(judged - _truths(confusion).total(), 0)


def _truths(confusion: Confusion) -> Counter[str]:
    truths: Counter[str] = Counter()
    for row in confusion.values():
        truths.update(row)
    return truths


def _best_guess(truths: Counter[str], judged: int) -> Share:
    told = truths.total()
    if judged - told > UNTOLD * judged:
        return share(0, 0)
    return share(max(truths.values(), default=0), told)


def _part(some: int, every: int) -> float | None:
    return some / every if every else None
