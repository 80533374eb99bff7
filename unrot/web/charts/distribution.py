"""Up to three distributions laid over each other: how the values of one column lie.

Numbers: the bins differ in width, so the height is the density, share / width, and the area of a
bin is its share; where one narrow bin would hide all others, they are spread over bins of equal
width. The first and the last bin are open; they are drawn as wide as their values
reach, but no wider than other wide bins. Choices: groups of bars, a bar for each distribution.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from unrot.core.plurals import counted
from unrot.core.records import Distribution
from unrot.web.charts.axes import Axis, brief, extent, plain_axis
from unrot.web.charts.bars import Group, groups
from unrot.web.charts.chart import Area, Chart, Entry, Stroke, Style, path
from unrot.web.charts.xy import Column, said_of, spots_of, table_of
from unrot.web.wording import percent

TONES = ("reference", "two", "three")
STYLES: tuple[Style, ...] = ("solid", "solid", "dashed")
OTHER = "never seen"
MOST_CHOICES = 12
FEWEST_BINS = 8
"""So few are not taken together, however few the rows."""
MOST_BINS = 6
"""An open bin is as wide as the mean bin would be if there were at most so many."""
HIGHEST = 15.0
"""A bin so many times as high as if all lay evenly hides the others."""
EVEN_BINS = 30
HEADROOM = 1.08
NO_VALUES = "There are no values to draw."


@dataclass(frozen=True, slots=True)
class Part:
    """One distribution, and how it is called."""

    name: str
    distribution: Distribution

    @property
    def count(self) -> int:
        """How many values it is of."""
        return sum(self.distribution.counts)

    def says(self, what: str) -> str:
        """Say in a sentence how many values there are, and what of them."""
        missing = self.distribution.missing
        gaps = f", {missing:,} missing" if missing else ""
        called = self.name[:1].upper() + self.name[1:]
        return f"{called}: {counted(self.count, 'value')}{what}{gaps}."


@dataclass(frozen=True, slots=True)
class _Bin:
    """A bin as it is drawn, and the share of the values in it."""

    low: float
    high: float
    share: float

    @property
    def density(self) -> float:
        return self.share / (self.high - self.low)


_Bins = Sequence[_Bin]


def distributions(
    name: str, title: str, parts: Sequence[Part], *, unit: str = "", nothing: str = NO_VALUES
) -> Chart:
    """Lay distributions of one column over each other, the one to compare with first."""
    parts = [part for part in parts if part.count][: len(TONES)]
    if not parts:
        return Chart(name, title, nothing, unit=unit)
    draw = _choices if parts[0].distribution.kind == "choice" else _numbers
    return draw(name, title, parts, unit)


def _gaps(parts: Sequence[Part]) -> list[tuple[str, ...]]:
    found = [part.distribution for part in parts]
    if not any(one.missing for one in found):
        return []
    shares = (percent(one.missing / max(1, one.rows)) for one in found)
    return [("missing, of all rows", *shares)]


# ── numbers ──────────────────────────────────────────────────────────────────────────────────


def _numbers(name: str, title: str, parts: Sequence[Part], unit: str) -> Chart:
    edges, binned = _binned(_coarse(parts))
    x = replace(plain_axis(edges[0], edges[-1]), title=unit)
    most = max(one.density for bins in binned for one in bins)
    y = Axis(0.0, most * HEADROOM, is_upright=True, title="density")
    names = [part.name for part in parts]
    columns = [
        _column(names, between, edges, binned, x, y) for between in itertools.pairwise(edges)
    ]
    outlines = [_outline(bins, x, y) for bins in binned]
    return Chart(
        name,
        title,
        " ".join([*(_around(part, unit) for part in parts), *_far_out(parts, x, unit)]),
        table_of(("Value", *names), columns, _gaps(parts)),
        x,
        y,
        unit=unit,
        areas=tuple(
            Area(path(one, is_closed=True), tone)
            for one, tone in zip(outlines, TONES, strict=False)
        ),
        strokes=tuple(
            Stroke(path(one), tone, style)
            for one, tone, style in zip(outlines, TONES, STYLES, strict=False)
        ),
        spots=spots_of(columns),
        legend=tuple(Entry(each, tone, "box") for each, tone in zip(names, TONES, strict=False)),
    )


def _around(part: Part, unit: str) -> str:
    found = part.distribution
    middle = found.quantiles.get("0.5", found.mean)
    return part.says("" if middle is None else f" around {_in(unit, middle)}")


def _far_out(parts: Sequence[Part], x: Axis, unit: str) -> list[str]:
    """Say that an open bin has values from beyond the axis, and how far out they lie."""
    ends = [end for part in parts for end in (part.distribution.low, part.distribution.high)]
    beyond = [end for end in ends if end is not None and not x.low <= end <= x.high]
    if not beyond:
        return []
    told = " and ".join(_in(unit, end) for end in sorted({min(beyond), max(beyond)}))
    return [f"Values far outside all others stand at the edge of the chart: as far as {told}."]


def _in(unit: str, value: float) -> str:
    return f"{brief(value)} {unit}" if unit else brief(value)


def _column(
    names: Sequence[str],
    between: tuple[float, float],
    edges: Sequence[float],
    binned: Sequence[_Bins],
    x: Axis,
    y: Axis,
) -> Column:
    low, high = between
    shares = [_within(bins, low, high) for bins in binned]
    # Adding parts of bins leaves dust that is no share.
    cells = [percent(round(share, 9)) for share in shares]
    top = y.at(max(shares) / (high - low))
    heading = _between(low, high, edges)
    return Column(heading, x.at(low), x.at(high), top, said_of(names, cells), cells)


def _between(low: float, high: float, edges: Sequence[float]) -> str:
    if low == edges[0]:
        return f"below {brief(high)}"
    if high == edges[-1]:
        return f"{brief(low)} and above"
    return f"{brief(low)} to {brief(high)}"


def _outline(bins: _Bins, x: Axis, y: Axis) -> list[tuple[float, float]]:
    tops = [(x.at(end), y.at(one.density)) for one in bins for end in (one.low, one.high)]
    return [(x.at(bins[0].low), 100.0), *tops, (x.at(bins[-1].high), 100.0)]


# ── bins ─────────────────────────────────────────────────────────────────────────────────────


def _binned(parts: Sequence[Part]) -> tuple[list[float], list[_Bins]]:
    """Return the edges of all bins, and the bins of each part."""
    ends = _ends(parts)
    binned: list[_Bins] = [_bins(part.distribution, ends) for part in parts]
    edges = sorted({edge for bins in binned for one in bins for edge in (one.low, one.high)})
    if not _has_peak(binned, edges[-1] - edges[0]):
        return edges, binned
    even = np.linspace(edges[0], edges[-1], EVEN_BINS + 1).tolist()
    return even, [_evened(bins, even) for bins in binned]


def _coarse(parts: Sequence[Part]) -> Sequence[Part]:
    """Take neighbouring bins together where so few rows would only show chance.

    As many bins as the Rice rule has, twice the cube root of the rows, and at least eight.
    """
    edges = parts[0].distribution.edges
    if any(part.distribution.edges != edges for part in parts):
        return parts
    rows = min(part.count for part in parts)
    at_once = -(-len(edges) // max(FEWEST_BINS, round(2 * rows ** (1 / 3))))
    return [_taken_together(part, at_once) for part in parts] if at_once > 1 else parts


def _taken_together(part: Part, at_once: int) -> Part:
    found = part.distribution
    first, *closed = found.counts
    counts = [sum(closed[at : at + at_once]) for at in range(0, len(closed), at_once)]
    edges = found.edges[::at_once]
    return Part(part.name, replace(found, edges=edges, counts=(first, *counts)))


def _bins(found: Distribution, ends: tuple[float, float]) -> list[_Bin]:
    total = sum(found.counts)
    edges = [min(ends[0], *found.edges), *found.edges, max(ends[1], *found.edges)]
    counts = zip(itertools.pairwise(edges), found.counts, strict=False)
    return [_Bin(low, high, count / total) for (low, high), count in counts if high > low]


def _ends(parts: Sequence[Part]) -> tuple[float, float]:
    """Give the open bins an end for all: as far as values reach, but not out of sight."""
    found = [part.distribution for part in parts]
    edges = sorted({edge for one in found for edge in one.edges})
    low, _ = extent([one.low for one in found if one.low is not None] or edges)
    _, high = extent([one.high for one in found if one.high is not None] or edges)
    if len(edges) > 1:
        reach = (edges[-1] - edges[0]) / min(len(edges), MOST_BINS)
        low, high = max(low, edges[0] - reach), min(high, edges[-1] + reach)
    else:
        reach = (high - low) / 2 or 1.0
    first, last = (edges[0], edges[-1]) if edges else (low, high)
    return (low if low < first else first - reach, high if high > last else last + reach)


def _has_peak(binned: Sequence[_Bins], width: float) -> bool:
    """Tell whether one narrow bin would press all others into the ground."""
    return any(one.density * width > HIGHEST for bins in binned for one in bins)


def _evened(bins: _Bins, edges: Sequence[float]) -> list[_Bin]:
    """Put the values onto bins of equal width, where a peak is no higher than its share."""
    return [_Bin(low, high, _within(bins, low, high)) for low, high in itertools.pairwise(edges)]


def _within(bins: _Bins, low: float, high: float) -> float:
    """Return the share of the values between two places, spread evenly within a bin."""
    return sum(one.density * max(0.0, min(high, one.high) - max(low, one.low)) for one in bins)


# ── choices ──────────────────────────────────────────────────────────────────────────────────


def _choices(name: str, title: str, parts: Sequence[Part], unit: str) -> Chart:
    shares = [_shares(part.distribution) for part in parts]
    names = _commonest(shares)
    said = [part.says(_most_often(one)) for part, one in zip(parts, shares, strict=True)]
    return groups(
        name,
        title,
        [
            Group(part.name, {each: one.get(each, 0.0) for each in names}, tone)
            for part, one, tone in zip(parts, shares, TONES, strict=False)
        ],
        head="Choice",
        unit=unit,
        sentence=" ".join(said),
        more=_gaps(parts),
    )


def _shares(found: Distribution) -> dict[str, float]:
    total = sum(found.counts)
    counts = dict(zip(found.choices, found.counts, strict=False))
    if rest := sum(found.counts[len(found.choices) :]):
        counts[OTHER] = rest
    return {choice: count / total for choice, count in counts.items()}


def _commonest(shares: Sequence[Mapping[str, float]]) -> list[str]:
    """Name the commonest choices, in the order in which the first distribution has them."""
    every = list(dict.fromkeys(name for one in shares for name in one))
    commonest = sorted(every, key=lambda name: -max(one.get(name, 0.0) for one in shares))
    kept = set(commonest[:MOST_CHOICES])
    return [name for name in every if name in kept]


def _most_often(shares: Mapping[str, float]) -> str:
    commonest = max(shares, key=lambda name: shares[name])
    return f", most often {commonest} ({percent(shares[commonest])})"
