"""Which parts the traffic has: values of choices, stretches of numbers, and each true class.

A choice that is common in training is a part by itself; the rare ones and those that training never
saw are one. Numbers are parted at the quantiles of training, gaps are a part of their own. The rows
of which one class is true are a part too: how often those are right is that class's recall. Where
a verdict does not tell the truth (a thumb down on one of several classes), its row is in none of
these.

    >>> from unrot.core.records import Feature
    >>> features = Feature("smokes", "boolean"), Feature("age", "number")
    >>> parts = parts_of(Schema(features, "ill", ("no", "yes")), None)
    >>> [part.where for part in parts.every]
    ['smokes is no', 'smokes is yes', 'smokes is another value', 'smokes is missing', \
'age is missing', 'age is known', 'the truth is no', 'the truth is yes']
    >>> parts.places([(True, None), (None, 41.0)], ["yes", None]).tolist()
    [[1, 4, 7], [3, 5, 8]]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrot.core.records import Distribution, Feature, Row, Schema, Value
from unrot.watch.profiles.baseline import Reference
from unrot.watch.profiles.columns import text

PIECES = 8
"""So many stretches numbers are parted into."""
RARE = 0.002
"""Choices that are rarer in training are put together."""
MOST_CHOICES, MOST_PARTS = 100, 4_000
"""Of one feature, and of all: of a wide table a feature has fewer choices of its own."""
LEAST_CHOICES = 8

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the rows that a model is asked about."""

    feature: str
    """Empty where it is the rows of which one class is true."""
    where: str
    """Which rows they are, in words."""


@dataclass(frozen=True, slots=True)
class _Split:
    """How one feature, or the truth, parts the rows."""

    parts: tuple[Part, ...]
    known: dict[str, int]
    """Choices by their place."""
    cuts: NDArray[np.float64] | None = None
    """Where numbers are cut."""

    def places(self, values: Sequence[Value]) -> Places:
        """Return in which part each value is; behind the last one what is in none."""
        if self.cuts is not None:
            numbers = np.array(values, dtype=np.float64)
            found = 1 + np.searchsorted(self.cuts, numbers, side="right")
            return np.where(np.isnan(numbers), 0, found)
        gap, other = len(self.known) + 1, len(self.known)
        known = self.known
        return np.array(
            [gap if one is None else known.get(text(one), other) for one in values], np.int64
        )


@dataclass(frozen=True, slots=True)
class Parts:
    """All parts of a model's traffic."""

    every: tuple[Part, ...]
    groups: tuple[int, ...]
    """How many parts each feature has, and the truth."""
    splits: tuple[_Split, ...]

    def places(self, rows: Sequence[Row], truths: Sequence[Value]) -> Places:
        """Return, row by row, its part of each feature and of the truth."""
        columns = [*zip(*rows, strict=True), truths] if rows else [()] * len(self.splits)
        found, start = np.zeros((len(rows), len(self.splits)), np.int64), 0
        for place, (split, values) in enumerate(zip(self.splits, columns, strict=False)):
            found[:, place] = start + split.places(values)
            start += len(split.parts)
        return np.minimum(found, len(self.every))


def parts_of(schema: Schema, reference: Reference | None) -> Parts:
    """Part the traffic of a model as its training lay."""
    most = max(LEAST_CHOICES, min(MOST_CHOICES, MOST_PARTS // max(1, len(schema.features))))
    columns = {} if reference is None else reference.summary
    splits = [_split(one, columns.get(one.name), reference, most) for one in schema.features]
    classes = {text(label): place for place, label in enumerate(schema.classes)}
    truths = tuple(Part("", f"the truth is {label}") for label in schema.classes)
    splits.append(_Split(truths, classes))
    return Parts(
        every=tuple(part for split in splits for part in split.parts),
        groups=tuple(len(split.parts) for split in splits),
        splits=tuple(splits),
    )


def _split(
    feature: Feature, column: Distribution | None, reference: Reference | None, most: int
) -> _Split:
    if feature.kind in ("number", "integer"):
        points = () if reference is None else reference.points.get(feature.name, ())
        return _numbers(feature.name, cuts_of(np.asarray(points, np.float64)))
    return _choices(feature, column, most)


def cuts_of(points: NDArray[Any]) -> NDArray[np.float64]:
    """Return where numbers are cut so that their parts are about equally large.

    >>> cuts_of(np.arange(16.0)).tolist(), cuts_of(np.array([0.0, 0.0, 1.0])).tolist()
    ([2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0], [1.0])
    """
    if not len(points):
        return np.zeros(0)
    shares = np.arange(1, PIECES) / PIECES
    cuts = np.unique(np.quantile(points, shares, method="higher"))
    found: NDArray[np.float64] = cuts[cuts > points.min()]
    return found


def _numbers(name: str, cuts: NDArray[np.float64]) -> _Split:
    said = [f"{cut:,.6g}" for cut in cuts.tolist()]
    words = [f"{name} is from {low} up to {high}" for low, high in pairwise(said)]
    if said:
        words = [f"{name} is below {said[0]}", *words, f"{name} is {said[-1]} or more"]
    words = [f"{name} is missing", *(words or [f"{name} is known"])]
    return _Split(tuple(Part(name, one) for one in words), {}, cuts)


def _choices(feature: Feature, column: Distribution | None, most: int) -> _Split:
    if column is not None and column.choices:
        counted = zip(column.choices, column.counts, strict=False)
        common = [choice for choice, count in counted if count >= RARE * column.rows]
    elif feature.kind == "boolean":
        common = ["false", "true"]
    else:
        common = [text(choice) for choice in feature.choices]
    common = sorted(common[:most])
    words = {"true": "yes", "false": "no"} if feature.kind == "boolean" else {}
    said = [*(words.get(one, one) for one in common), "another value", "missing"]
    parts = tuple(Part(feature.name, f"{feature.name} is {one}") for one in said)
    return _Split(parts, {choice: place for place, choice in enumerate(common)})
