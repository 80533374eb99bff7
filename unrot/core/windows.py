"""Windows add up: those of several writers, of several versions, of the minutes of an hour.

>>> first = Window(7, "elves", "v1", "a", predictions=2, latency=(0, 2), rejected={"other": 1})
>>> second = Window(7, "elves", "v1", "b", predictions=1, latency=(1, 0, 0))
>>> whole = added(first, second)
>>> whole.writer, whole.predictions, whole.latency, whole.rejected
('a', 3, (1, 2, 0), {'other': 1})
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import TypeVar

from unrot.core.records import Errors, ModelKey, RefusedFor, Rejection, Rewards, Window

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


def added(first: Window, *others: Window) -> Window:
    """Return what some windows count together, under the minute and names of the first."""
    every = (first, *others)
    return replace(
        first,
        predictions=sum([one.predictions for one in every]),
        verdicts=sum([one.verdicts for one in every]),
        judged=sum([one.judged for one in every]),
        correct=sum([one.correct for one in every]),
        outliers=sum([one.outliers for one in every]),
        looked_at=sum([one.looked_at for one in every]),
        asked_sure=sum([one.asked_sure for one in every]),
        unsure=sum([one.unsure for one in every]),
        asked=sum([one.asked for one in every]),
        latency=_bins([one.latency for one in every]),
        confidence=_bins([one.confidence for one in every]),
        judged_confidence=_bins([one.judged_confidence for one in every]),
        correct_confidence=_bins([one.correct_confidence for one in every]),
        confusion=_confusion([one.confusion for one in every]),
        rejected=_sums([one.rejected for one in every]),
        refused_for=_refused_for([one.refused_for for one in every]),
        errors=_errors([one.errors for one in every]),
        rewards=_rewards([one.rewards for one in every]),
        signals=_confusion([one.signals for one in every]),
        reasons=_confusion([one.reasons for one in every]),
    )


def total(windows: Iterable[Window]) -> Window:
    """Return what all of some windows count together, from the earliest minute on."""
    every = list(windows)
    first = min(every, key=lambda one: one.minute, default=Window(0, ModelKey(""), "", ""))
    return added(Window(first.minute, first.model, "", ""), *every)


def refused(window: Window, rejections: Iterable[Rejection]) -> Window:
    """Return a window with what was refused besides."""
    more = [
        replace(
            Window(window.minute, window.model, window.version, window.writer),
            rejected=one.reasons,
            refused_for=RefusedFor(one.features, one.requests, one.beside),
        )
        for one in rejections
    ]
    return added(window, *more) if more else window


def confidences(windows: Iterable[Window]) -> tuple[int, ...]:
    """Return how sure the predictions of some windows were, as counts by bin."""
    return _bins([one.confidence for one in windows])


def grouped(found: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    """Part what adds up by a key, in the order in which the keys come."""
    parts: dict[K, list[T]] = {}
    for one in found:
        parts.setdefault(key(one), []).append(one)
    return parts


def _bins(histograms: Iterable[Sequence[int]]) -> tuple[int, ...]:
    counted = [one for one in histograms if one]
    return tuple(map(sum, zip_longest(*counted, fillvalue=0)))


def _sums(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for one in counts:
        sums.update(one)
    return dict(sums)


def _refused_for(every: Sequence[RefusedFor]) -> RefusedFor:
    return RefusedFor(
        features=_confusion([one.features for one in every]),
        requests=sum([one.requests for one in every]),
        beside=sum([one.beside for one in every]),
    )


def _confusion(confusions: Iterable[Mapping[str, Mapping[str, int]]]) -> dict[str, dict[str, int]]:
    rows: dict[str, list[Mapping[str, int]]] = {}
    for one in confusions:
        for predicted, row in one.items():
            rows.setdefault(predicted, []).append(row)
    return {predicted: _sums(row) for predicted, row in rows.items()}


def _errors(errors: Iterable[Errors]) -> Errors:
    told = [one for one in errors if one.count]
    return Errors(
        count=sum(one.count for one in told),
        absolute=sum((one.absolute for one in told), 0.0),
        squared=sum((one.squared for one in told), 0.0),
        truth=sum((one.truth for one in told), 0.0),
        truth_squared=sum((one.truth_squared for one in told), 0.0),
    )


def _rewards(rewards: Iterable[Rewards]) -> Rewards:
    told = [one for one in rewards if one.count]
    return Rewards(
        count=sum(one.count for one in told),
        total=sum((one.total for one in told), 0.0),
        squared=sum((one.squared for one in told), 0.0),
    )
