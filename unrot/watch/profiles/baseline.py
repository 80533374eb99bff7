"""The reference of a version: how the values lay in what it was trained on, small enough to keep.

Numbers are counted on bins between quantiles, so that each holds about as many rows, with an open
bin below the least and above the largest value: in the reference these two are empty, and what
lies far out falls into them. Up to 1,001 quantiles are kept besides, so that the KS statistic is
right to 0.001. Choices are counted as they are, the rarest together.

What a version answers to rows that it was fitted on is surer than what it will answer later. So
where the answers to held-out rows are there, these are counted; where not, the shape of its
answers (`unfair`) gives the bins, and is compared with nothing.

    >>> from unrot.core.records import Feature
    >>> schema = Schema((Feature("age", "number"),), "ill")
    >>> made = make(schema, [(float(age),) for age in range(100)], Outputs())
    >>> lay = made.summary["age"]
    >>> len(lay.edges), lay.counts[0], lay.counts[1:4], lay.counts[-1]
    (11, 0, (10, 10, 10), 0)
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import orjson

from unrot.core.errors import BadArtefact, shown
from unrot.core.packed import GZIP, unpack_bytes
from unrot.core.records import (
    OUTPUT_PROBABILITY,
    OUTPUT_VALUE,
    Distribution,
    Outputs,
    Row,
    Schema,
    Sketch,
    Summary,
    read_summary,
)
from unrot.watch.profiles.columns import (
    Column,
    Columns,
    Numbers,
    columns_of,
    is_number,
    known_choices,
    output_columns,
)
from unrot.watch.profiles.distributions import counted
from unrot.watch.worth.measures import multiplicity

FEWEST_BINS, MOST_BINS = 10, 30
MOST_CHOICES = 200
MOST_RARE = 20_000
"""So many choices are known besides; those of more are as if training had them once each."""
POINTS = 1_001
LEAST_HELD_OUT = 30
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Reference:
    """What traffic is compared with."""

    summary: Summary
    points: Mapping[str, Numbers] = field(repr=False, default_factory=dict)
    """Quantiles of each column of numbers; all of its values where they are no more than that."""
    unfair: tuple[str, ...] = ()
    """Columns that give bins and are compared with nothing."""
    alike: float = 0.0
    """How likely two of its rows are equal: so often rows come again that are no repeats."""

    @property
    def rows(self) -> int:
        """The rows that most of its columns have."""
        return max((one.rows for one in self.summary.values()), default=0)

    def is_whole(self, column: str) -> bool:
        """Tell whether all values of a column are kept, and not only quantiles."""
        one = self.summary[column]
        return len(self.points.get(column, ())) == one.rows - one.missing


def make(
    schema: Schema, rows: Sequence[Row], outputs: Outputs, held_out: Outputs | None = None
) -> Reference:
    """Make the reference of training rows and what is answered to them, and to held-out ones."""
    columns = dict(columns_of(schema, rows, outputs))
    fresh = {} if held_out is None else output_columns(schema, held_out)
    fresh = {name: one for name, one in fresh.items() if one.rows >= LEAST_HELD_OUT}
    columns |= {name: one for name, one in fresh.items() if name not in schema.names}
    shape = (OUTPUT_PROBABILITY, OUTPUT_VALUE)
    return Reference(
        summary={name: _summed(schema, name, column) for name, column in columns.items()},
        points=_points_of(columns),
        alike=(multiplicity(map(tuple, rows)) - 1) / (len(rows) - 1) if len(rows) > 1 else 0.0,
        unfair=tuple(
            name
            for name in shape
            if name in columns and name not in fresh and name not in schema.names
        ),
    )


def with_types(reference: Reference, schema: Schema, sketches: Mapping[str, Sketch]) -> Reference:
    """Add of which types the features are, as the profile of the same rows has found."""
    summary = {
        name: replace(one, types=sketches[name].types)
        if name in schema.names and name in sketches
        else one
        for name, one in reference.summary.items()
    }
    return replace(reference, summary=summary)


def edges_of(numbers: Numbers) -> tuple[float, ...]:
    """Return the edges of quantile bins, from the least value to just above the largest."""
    if not len(numbers):
        return ()
    values = np.unique(numbers)
    bins = int(np.clip(round(len(numbers) ** 0.5), FEWEST_BINS, MOST_BINS))
    if len(values) > bins:
        shares = np.linspace(0, 1, bins + 1)[:-1]
        values = np.unique(np.quantile(numbers, shares, method="higher"))
    return (*values.tolist(), float(np.nextafter(numbers.max(), np.inf)))


def quantile_points(numbers: Numbers) -> Numbers:
    """Return evenly spaced quantiles that are values themselves, or all where there are few."""
    ordered: Numbers = np.sort(numbers)
    if len(ordered) <= POINTS:
        return ordered
    steps = np.arange(POINTS) * len(ordered) / (POINTS - 1)
    points: Numbers = ordered[np.maximum(np.ceil(steps).astype(int) - 1, 0)]
    return points


def _points_of(columns: Columns) -> dict[str, Numbers]:
    return {
        name: quantile_points(column.numbers)
        for name, column in columns.items()
        if column.numbers is not None
    }


def _summed(schema: Schema, name: str, column: Column) -> Distribution:
    if column.numbers is None:
        return _choices(column, known_choices(schema, name))
    numbers = column.numbers
    one = counted(Distribution("number", edges=edges_of(numbers)), column, ())
    if not len(numbers):
        return one
    found = np.quantile(numbers, QUANTILES).tolist()
    return replace(one, quantiles=dict(zip(map(str, QUANTILES), found, strict=True)))


def _choices(column: Column, named: Collection[str]) -> Distribution:
    """Count choices: the commonest are bins, and the others are known."""
    found = Counter(column.texts)
    ordered = [text for text, _ in found.most_common()]
    common, rare = ordered[:MOST_CHOICES], ordered[MOST_CHOICES:]
    lay = counted(Distribution("choice", choices=tuple(common)), column, {*named, *found})
    times = Counter(found.values())
    return replace(
        lay,
        rare=tuple(sorted(rare[:MOST_RARE])),
        once=times[1] + sum(found[text] for text in rare[MOST_RARE:]),
        twice=times[2],
    )


# ── written down ─────────────────────────────────────────────────────────────────────────────


def pack(reference: Reference) -> bytes:
    """Write a reference so that equal ones are equal bytes."""
    written = orjson.dumps(
        {
            "columns": reference.summary,
            "points": {name: list(points) for name, points in reference.points.items()},
            "unfair": reference.unfair,
            "alike": reference.alike,
        },
        option=orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY,
    )
    packer = zlib.compressobj(6, wbits=GZIP)
    return packer.compress(written) + packer.flush()


@lru_cache(maxsize=16)
def unpack(data: bytes) -> Reference:
    """Read what `pack` wrote; BadArtefact when it is damaged."""
    try:
        read = orjson.loads(unpack_bytes(data, GZIP))
        return Reference(
            summary=read_summary(read["columns"]),
            points={name: np.array(points, float) for name, points in read["points"].items()},
            unfair=tuple(read["unfair"]),
            alike=read.get("alike", 0.0),
        )
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise BadArtefact(f"The reference does not load: {shown(str(error), 200)}.") from error


# ── from a profile that was written elsewhere ────────────────────────────────────────────────


def of_sketches(
    schema: Schema, sketches: Mapping[str, Sketch], own: Reference | None = None
) -> Reference:
    """Make a reference of a profile's sketches, on the bins of a version's own where it has them.

    So traffic that was counted on those bins can be compared with either.
    """
    bins = {} if own is None else own.summary
    columns = {
        name: _from_sketch(schema, name, sketch, bins.get(name))
        for name, sketch in sketches.items()
    }
    return Reference(
        summary=columns,
        points={
            name: np.array(sketches[name].points)
            for name, one in columns.items()
            if one.kind == "number"
        },
    )


def _from_sketch(
    schema: Schema, name: str, sketch: Sketch, bins: Distribution | None
) -> Distribution:
    if is_number(schema, name):
        return _numbers_from_sketch(sketch, bins)
    choices = tuple(list(sketch.frequent)[:MOST_CHOICES]) if bins is None else bins.choices
    counts = [sketch.frequent.get(choice, 0) for choice in choices]
    held = sketch.rows - sketch.missing
    seen = {*choices, *known_choices(schema, name)}
    return Distribution(
        "choice",
        rows=sketch.rows,
        missing=sketch.missing,
        unseen=sum(count for text, count in sketch.frequent.items() if text not in seen),
        choices=choices,
        counts=(*counts, max(0, held - sum(counts))),
        types=sketch.types,
    )


def _numbers_from_sketch(sketch: Sketch, bins: Distribution | None) -> Distribution:
    points, held = np.array(sketch.points), sketch.rows - sketch.missing
    edges = edges_of(points) if bins is None else bins.edges
    below = np.searchsorted(points, np.array(edges), side="left") / max(len(points), 1)
    marks = np.rint(np.array([0.0, *below, 1.0]) * held).astype(int)
    counts = tuple(np.diff(marks).tolist())
    return Distribution(
        "number",
        rows=sketch.rows,
        missing=sketch.missing,
        unseen=counts[0] + counts[-1] if len(counts) > 1 else 0,
        edges=edges,
        counts=counts,
        low=sketch.low,
        high=sketch.high,
        mean=sketch.mean,
        quantiles=sketch.quantiles,
        types=sketch.types,
    )
