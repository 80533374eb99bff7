"""Which verdicts may be learnt from, and what becomes of the others.

In this order: a verdict must tell a label that the schema knows; a share of the judges' verdicts,
of those that nobody asked for, and all of an audit only judge; a row may lie at most `clip` times
the half-width of a feature's range from its centre (facts of one bad row: a feature of 1e6 took a
linear model from .905 to .131); and of what remains one untrusted subject gives at most the share
`cap`.

The cap is counted of all rows that came: of n rows an untrusted subject keeps ⌊cap · n⌋, its oldest
ones, however many others were set aside. So a crowd behind one address, which is what clients of
an app behind a proxy look like until `UNROT_TRUSTED_PROXIES` is set, still teaches something; what
it teaches the gate weighs.

    >>> from unrot.core.records import Example
    >>> rows = [Example(str(n), [], "yes", 1.0, False, "a", n, n) for n in range(10)]
    >>> kept, over = cap_subjects(rows, 0.2)
    >>> len(kept), len(over)
    (2, 8)
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from unrot.core.policy import Policy
from unrot.core.records import Example, Fate, Feature, JudgedPrediction, Row, Schema, Value
from unrot.core.schema import is_number
from unrot.hear.truth import WEIGHTS, example_of, in_order, is_fair, is_held_out

Range = tuple[float, float] | None
"""From where to where a feature goes; None where it has no such thing, or none is known."""

JUDGES_SHARE = "a share of the judges' verdicts only judges"
IN_AN_AUDIT = "an audit asked for it"
OUTSIDE = "outside the training range"
SHARE_USED_UP = "its sender's share was used up"

WIDENED = 1.5
"""What `ranges_of` widens by: with a clip of 1.2 a normal feature is taken as far as four
standard deviations, which is how far the range of some thousand training rows goes."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Verdicts parted: examples to learn from, in the order given, and fates of all others."""

    examples: Sequence[Example]
    fates: Sequence[Fate]


def part_verdicts(
    judged: Iterable[JudgedPrediction],
    schema: Schema,
    policy: Policy,
    *,
    audited: Collection[str] = (),
    weights: Mapping[str, float] = WEIGHTS,
) -> Cleaned:
    """Part verdicts by what needs no rows of before: they tell a label, and do not only judge."""
    return _parted(
        [example_of(one, schema, weights) for one in judged],
        lambda example: _held_out(example, policy, audited),
    )


def clean(
    parted: Cleaned,
    schema: Schema,
    policy: Policy,
    *,
    ranges: Sequence[Range],
    target: Range = None,
) -> Cleaned:
    """Part what was left by how far it lies and who sent it; together they are as many as before.

    `ranges` is of the features, in the order of the schema; `target` of a regression's labels.
    """
    near = _parted(
        parted.examples, lambda example: _set_aside(example, schema, policy.clip, ranges, target)
    )
    kept, over = cap_subjects(near.examples, policy.cap)
    return Cleaned(kept, [*parted.fates, *near.fates, *over])


def cap_subjects(examples: Sequence[Example], cap: float) -> tuple[list[Example], list[Fate]]:
    """Keep at most the share `cap` of each untrusted subject, its oldest verdicts first."""
    ordered = in_order(examples)
    if not cap:
        return ordered, []
    most = math.floor(cap * len(ordered) + 1e-9)
    kept: list[Example] = []
    over: list[Fate] = []
    taken: Counter[str] = Counter()
    for one in ordered:
        if not one.is_trusted:
            taken[one.subject] += 1
        if one.is_trusted or taken[one.subject] <= most:
            kept.append(one)
        else:
            over.append(Fate(one.prediction, "set aside", one.given_at, SHARE_USED_UP))
    return kept, over


def ranges_of(rows: Sequence[Row], schema: Schema) -> list[Range]:
    """Return robust ranges of rows: from the 1st to the 99th percentile, widened by half.

    A few absurd rows among them move it little. A feature without numbers has none.
    """
    return [
        robust_range([row[column] for row in rows]) if _has_range(feature) else None
        for column, feature in enumerate(schema.features)
    ]


def robust_range(values: Sequence[Value]) -> Range:
    """Return the range of some values, gaps left out; None where no number is left."""
    numbers = sorted(value for value in map(_number, values) if value is not None)
    if not numbers:
        return None
    low, high = _percentile(numbers, 0.01), _percentile(numbers, 0.99)
    return _widened((low, high), WIDENED)


def union(first: Sequence[Range], second: Sequence[Range]) -> list[Range]:
    """Return ranges that hold both; where one knows nothing it is the other's."""
    return [
        (min(one[0], other[0]), max(one[1], other[1])) if one and other else one or other
        for one, other in zip(first, second, strict=True)
    ]


def _parted(
    verdicts: Iterable[Example | Fate], find_fate: Callable[[Example], Fate | None]
) -> Cleaned:
    """Part what has no fate yet from what has one, or is given one."""
    found = [(find_fate(one) if isinstance(one, Example) else one) or one for one in verdicts]
    return Cleaned(
        [one for one in found if isinstance(one, Example)],
        [one for one in found if isinstance(one, Fate)],
    )


def _held_out(example: Example, policy: Policy, audited: Collection[str]) -> Fate | None:
    if example.prediction in audited:
        return Fate(example.prediction, "held out", example.given_at, IN_AN_AUDIT)
    if example.is_trusted and is_fair(example) and is_held_out(example.prediction, policy.held_out):
        return Fate(example.prediction, "held out", example.given_at, JUDGES_SHARE)
    return None


def _set_aside(
    example: Example, schema: Schema, clip: float, ranges: Sequence[Range], target: Range
) -> Fate | None:
    outside = _outside(example, schema, clip, ranges, target)
    if not outside:
        return None
    return Fate(example.prediction, "set aside", example.given_at, f"{OUTSIDE}: {outside}")


def _outside(
    example: Example, schema: Schema, clip: float, ranges: Sequence[Range], target: Range
) -> str:
    if not clip:
        return ""
    cells = list(zip(schema.names, example.row, ranges, strict=True))
    if not schema.is_classifier:
        cells.append((schema.target, example.label, target))
    for name, value, known in cells:
        number = _number(value)
        if known is None or number is None:
            continue
        low, high = _widened(known, clip)
        if not low <= number <= high:
            return f"{name} {number:g}"
    return ""


def _widened(known: tuple[float, float], times: float) -> tuple[float, float]:
    more = (known[1] - known[0]) / 2 * (times - 1)
    return known[0] - more, known[1] + more


def _has_range(feature: Feature) -> bool:
    return feature.kind in ("number", "integer")


def _number(value: Value) -> float | None:
    if not is_number(value) or value != value:
        return None
    return float(value)


def _percentile(numbers: Sequence[float], share: float) -> float:
    """Return a percentile between its neighbours, as numpy does by default."""
    place = share * (len(numbers) - 1)
    below = int(place)
    above = min(below + 1, len(numbers) - 1)
    return numbers[below] + (place - below) * (numbers[above] - numbers[below])
