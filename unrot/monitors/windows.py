"""Windows add up: those of several writers, of several versions, of the minutes of an hour.

>>> first = Window(7, "elves", "v1", "a", predictions=2, latency=(0, 2), rejected={"other": 1})
>>> second = Window(7, "elves", "v1", "b", predictions=1, latency=(1, 0, 0))
>>> whole = added(first, second)
>>> whole.predictions, whole.latency, whole.rejected
(3, (1, 2, 0), {'other': 1})
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import TypeVar

from unrot.records import Errors, Window

K = TypeVar("K", bound=Hashable)


def added(first: Window, second: Window) -> Window:
    """Return what two windows count together, as a window of the first."""
    return replace(
        first,
        predictions=first.predictions + second.predictions,
        verdicts=first.verdicts + second.verdicts,
        judged=first.judged + second.judged,
        correct=first.correct + second.correct,
        outliers=first.outliers + second.outliers,
        looked_at=first.looked_at + second.looked_at,
        latency=_counts(first.latency, second.latency),
        confidence=_counts(first.confidence, second.confidence),
        judged_confidence=_counts(first.judged_confidence, second.judged_confidence),
        correct_confidence=_counts(first.correct_confidence, second.correct_confidence),
        confusion=_confusions(first.confusion, second.confusion),
        rejected=_sums(first.rejected, second.rejected),
        errors=_errors(first.errors, second.errors),
    )


def total(windows: Iterable[Window], model: str = "", version: str = "") -> Window:
    """Return what all of some windows count together; its minute is that of the earliest."""
    whole, minute = Window(0, model, version, ""), None
    for window in windows:
        minute = window.minute if minute is None else min(minute, window.minute)
        whole = added(whole, window)
    return replace(whole, minute=minute or 0)


def grouped(windows: Iterable[Window], key: Callable[[Window], K]) -> dict[K, list[Window]]:
    """Part windows by a key, in the order in which the keys come."""
    parts: dict[K, list[Window]] = {}
    for window in windows:
        parts.setdefault(key(window), []).append(window)
    return parts


def _counts(first: Sequence[int], second: Sequence[int]) -> Sequence[int]:
    if not first or not second:
        return tuple(first or second)
    return tuple(one + other for one, other in zip_longest(first, second, fillvalue=0))


def _sums(first: Mapping[str, int], second: Mapping[str, int]) -> Mapping[str, int]:
    if not first or not second:
        return first or second
    return {name: first.get(name, 0) + second.get(name, 0) for name in {**first, **second}}


def _confusions(
    first: Mapping[str, Mapping[str, int]], second: Mapping[str, Mapping[str, int]]
) -> Mapping[str, Mapping[str, int]]:
    if not first or not second:
        return first or second
    return {name: _sums(first.get(name, {}), second.get(name, {})) for name in {**first, **second}}


def _errors(first: Errors, second: Errors) -> Errors:
    if not first.count or not second.count:
        return first if first.count else second
    return Errors(
        count=first.count + second.count,
        absolute=first.absolute + second.absolute,
        squared=first.squared + second.squared,
        truth=first.truth + second.truth,
        truth_squared=first.truth_squared + second.truth_squared,
    )
