"""Accuracy by the values of one feature: where a model is wrong more often than elsewhere.

A choice is a slice; numbers are parted at their quintiles, so that slices are about equally large.
What is too small to tell is marked, not hidden.

    >>> [(one.label, one.count) for one in sliced(range(10), [True] * 10, parts=2)]
    [('up to 4.5', 5), ('above 4.5', 5)]
    >>> [one.label for one in sliced(["a", "b", None, "a"], [True] * 4)]
    ['a', 'b', 'missing']
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from unrot.core.records import Value
from unrot.core.schema import is_number
from unrot.watch.statistics.accuracy import Share, share

PARTS = 5
MOST_CHOICES = 20
FEWEST = 30
"""Verdicts below which a slice says too little."""
MISSING, OTHER = "missing", "all others"


@dataclass(frozen=True, slots=True)
class Slice:
    """The judged rows with one value, or in one stretch, of a feature."""

    label: str
    count: int
    accuracy: Share
    mae: float | None
    """For numbers, the mean distance from the true ones."""
    is_few: bool
    """True when it has too few verdicts to tell."""


def sliced(
    values: Sequence[Value], outcomes: Sequence[bool | float], *, parts: int = PARTS
) -> list[Slice]:
    """Part judged rows by a feature; an outcome is right or wrong, or an absolute error."""
    numbers = [value for value in values if is_number(value)]
    is_numeric = len(numbers) > 0 and len(set(numbers)) > parts
    label_of = _stretches(numbers, parts) if is_numeric else _choices(values)
    found: dict[tuple[int, str], list[bool | float]] = {}
    for value, outcome in zip(values, outcomes, strict=True):
        found.setdefault(label_of(value), []).append(outcome)
    return [_slice(label, found[place, label]) for place, label in sorted(found)]


def _slice(label: str, outcomes: Sequence[bool | float]) -> Slice:
    told = [one for one in outcomes if isinstance(one, bool)]
    errors = [one for one in outcomes if not isinstance(one, bool)]
    mae = sum(errors) / len(errors) if errors else None
    return Slice(label, len(outcomes), share(sum(told), len(told)), mae, len(outcomes) < FEWEST)


def _stretches(numbers: Sequence[Value], parts: int) -> Callable[[Value], tuple[int, str]]:
    """Return which stretch a number lies in, parted at quantiles."""
    shares = np.linspace(0, 1, parts + 1)[1:-1]
    cuts = sorted(set(np.quantile(np.array(numbers, np.float64), shares).tolist()))
    said = [f"{cut:.6g}" for cut in cuts]
    labels = [f"up to {said[0]}"]
    labels += [f"{low} to {high}" for low, high in pairwise(said)]
    labels.append(f"above {said[-1]}")

    def label_of(value: Value) -> tuple[int, str]:
        if not is_number(value):
            return len(labels), MISSING
        place = bisect_left(cuts, float(value or 0.0))
        return place, labels[place]

    return label_of


def _choices(values: Sequence[Value]) -> Callable[[Value], tuple[int, str]]:
    """Return which slice a choice is: itself where it is common, the commonest first."""
    common = Counter(_said(value) for value in values if value is not None)
    places = {label: place for place, (label, _) in enumerate(common.most_common(MOST_CHOICES))}

    def label_of(value: Value) -> tuple[int, str]:
        if value is None:
            return MOST_CHOICES + 1, MISSING
        label = _said(value)
        return (places[label], label) if label in places else (MOST_CHOICES, OTHER)

    return label_of


def _said(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
