"""Up to three distributions laid over each other: how the values of one column lie.

Numbers: the bins differ in width, so the height is the density, share / width, and the area of a
bin is its share; where one narrow bin would hide all others, they are spread over bins of equal
width. The first and the last bin are open; they are drawn as wide as their values
reach, but no wider than other wide bins. Choices: groups of bars, a bar for each distribution.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from unrot.core.plurals import counted
from unrot.core.records import Distribution
from unrot.web.charts.drawing import Area, Chart, Entry, Spot, Stroke, Table, path, place
from unrot.web.charts.groups import Group, groups
from unrot.web.charts.scales import Scale, brief, extent, plain_axis, share

TONES = ("reference", "two", "three")
STYLES: tuple[Literal["solid", "dashed"], ...] = ("solid", "solid", "dashed")
OTHER = "never seen"
MOST_CHOICES = 12
FEWEST_BINS = 8
"""So few are not taken together, however few the rows."""
MOST_BINS = 6
"""An open bin is as wide as the mean bin would be if there were at most so many."""
HIGHEST = 15.0
"""A bin so many times as high as if all lay evenly hides the others."""
EVEN_BINS = 30


@dataclass(frozen=True, slots=True)
class Part:
    """One distribution, and how it is called."""

    name: str
    distribution: Distribution


@dataclass(frozen=True, slots=True)
class _Bin:
    """A bin as it is drawn, and the share of the values in it."""

    low: float
    high: float
    share: float

    @property
    def density(self) -> float:
        return self.share / (self.high - self.low)


def distributions(
    name: str, title: str, parts: Sequence[Part], *, unit: str = "", sentence: str | None = None
) -> Chart:
    """Lay distributions of one column over each other, the one to compare with first."""
    parts = [part for part in parts if sum(part.distribution.counts)][: len(TONES)]
    if not parts:
        nothing = sentence or "There are no values to draw."
        return Chart(name, title, nothing, Table((), ()), unit=unit, is_empty=True)
    if parts[0].distribution.kind == "choice":
        return _choices(name, title, parts, unit, sentence)
    return _numbers(name, title, parts, unit, sentence)


# ── numbers ──────────────────────────────────────────────────────────────────────────────────


def _numbers(
    name: str, title: str, parts: Sequence[Part], unit: str, sentence: str | None
) -> Chart:
    parts = _coarse(parts)
    ends = _ends(parts)
    binned = [_bins(part.distribution, ends) for part in parts]
    edges = sorted({edge for bins in binned for one in bins for edge in (one.low, one.high)})
    if _has_peak(binned, edges[-1] - edges[0]):
        edges = np.linspace(edges[0], edges[-1], EVEN_BINS + 1).tolist()
        binned = [_evened(bins, edges) for bins in binned]
    across, x_ticks = plain_axis(edges[0], edges[-1])
    most = max(one.density for bins in binned for one in bins)
    upward = Scale(0.0, most * 1.08)
    return Chart(
        name,
        title,
        sentence or _number_sentence(parts, unit),
        _number_table(parts, edges, binned),
        unit=unit,
        x_ticks=x_ticks,
        x_title=unit,
        y_title="density",
        areas=tuple(
            Area(path(_outline(bins, across, upward), is_closed=True), tone)
            for bins, tone in zip(binned, TONES, strict=False)
        ),
        strokes=tuple(
            Stroke(path(_outline(bins, across, upward)), tone, style)
            for bins, tone, style in zip(binned, TONES, STYLES, strict=False)
        ),
        spots=_number_spots(parts, edges, binned, across, upward),
        legend=_legend(parts),
    )


def _coarse(parts: Sequence[Part]) -> Sequence[Part]:
    """Take neighbouring bins together where so few rows would only show chance.

    As many bins as the Rice rule has, twice the cube root of the rows, and at least eight.
    """
    edges = parts[0].distribution.edges
    if any(part.distribution.edges != edges for part in parts):
        return parts
    rows = min(sum(part.distribution.counts) for part in parts)
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
    counted = zip(itertools.pairwise(edges), found.counts, strict=False)
    return [_Bin(low, high, count / total) for (low, high), count in counted if high > low]


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


def _has_peak(binned: Sequence[Sequence[_Bin]], width: float) -> bool:
    """Tell whether one narrow bin would press all others into the ground."""
    return any(one.density * width > HIGHEST for bins in binned for one in bins)


def _evened(bins: Sequence[_Bin], edges: Sequence[float]) -> list[_Bin]:
    """Put the values onto bins of equal width, where a peak is no higher than its share."""
    return [_Bin(low, high, _within(bins, low, high)) for low, high in itertools.pairwise(edges)]


def _outline(bins: Sequence[_Bin], across: Scale, upward: Scale) -> list[tuple[float, float]]:
    points = [(across.along(bins[0].low), 100.0)]
    for one in bins:
        y = upward.up(one.density)
        points += [(across.along(one.low), y), (across.along(one.high), y)]
    return [*points, (across.along(bins[-1].high), 100.0)]


def _within(bins: Sequence[_Bin], low: float, high: float) -> float:
    """Return the share of the values between two places, spread evenly within a bin."""
    return sum(one.density * max(0.0, min(high, one.high) - max(low, one.low)) for one in bins)


def _number_spots(
    parts: Sequence[Part],
    edges: Sequence[float],
    binned: Sequence[Sequence[_Bin]],
    across: Scale,
    upward: Scale,
) -> tuple[Spot, ...]:
    spots = []
    for low, high in itertools.pairwise(edges):
        shares = [_within(bins, low, high) for bins in binned]
        said = [
            f"{part.name}: {share(round(one, 4))}" for part, one in zip(parts, shares, strict=True)
        ]
        left, right = across.along(low), across.along(high)
        y = upward.up(max(shares) / (high - low))
        text = "\n".join([_between(low, high, edges), *said])
        middle, width = place((left + right) / 2), place(right - left)
        spots.append(Spot(middle, y, text, left, 0.0, width, 100.0))
    return tuple(spots)


def _between(low: float, high: float, edges: Sequence[float]) -> str:
    if low == edges[0]:
        return f"below {brief(high)}"
    if high == edges[-1]:
        return f"{brief(low)} and above"
    return f"{brief(low)} to {brief(high)}"


def _number_table(
    parts: Sequence[Part], edges: Sequence[float], binned: Sequence[Sequence[_Bin]]
) -> Table:
    rows = [
        (
            _between(low, high, edges),
            *(share(round(_within(bins, low, high), 4)) for bins in binned),
        )
        for low, high in itertools.pairwise(edges)
    ]
    return Table(("Value", *(part.name for part in parts)), (*rows, *_gaps(parts)))


def _number_sentence(parts: Sequence[Part], unit: str) -> str:
    said = []
    for part in parts:
        found = part.distribution
        middle = found.quantiles.get("0.5", found.mean)
        of = f" around {brief(middle)}{' ' + unit if unit else ''}" if middle is not None else ""
        said.append(
            f"{_begun(part.name)}: {counted(sum(found.counts), 'value')}{of}{_missing(found)}."
        )
    return " ".join(said)


# ── choices ──────────────────────────────────────────────────────────────────────────────────


def _choices(
    name: str, title: str, parts: Sequence[Part], unit: str, sentence: str | None
) -> Chart:
    shares = [_shares(part.distribution) for part in parts]
    names = _names(shares)
    return groups(
        name,
        title,
        [
            Group(part.name, {each: one.get(each, 0.0) for each in names}, tone)
            for part, one, tone in zip(parts, shares, TONES, strict=False)
        ],
        head="Choice",
        unit=unit,
        sentence=sentence or _choice_sentence(parts, shares),
        more=_gaps(parts),
    )


def _shares(found: Distribution) -> dict[str, float]:
    total = sum(found.counts)
    shares = {
        choice: count / total for choice, count in zip(found.choices, found.counts, strict=False)
    }
    rest = found.counts[len(found.choices) :]
    return {**shares, OTHER: sum(rest) / total} if sum(rest) else shares


def _names(shares: Sequence[dict[str, float]]) -> list[str]:
    """Name the commonest choices, in the order in which the first distribution has them."""
    every = list(dict.fromkeys(name for one in shares for name in one))
    commonest = sorted(every, key=lambda name: -max(one.get(name, 0.0) for one in shares))
    kept = set(commonest[:MOST_CHOICES])
    return [name for name in every if name in kept]


def _choice_sentence(parts: Sequence[Part], shares: Sequence[dict[str, float]]) -> str:
    said = []
    for part, one in zip(parts, shares, strict=True):
        commonest = max(one, key=lambda name: one[name])
        values = sum(part.distribution.counts)
        said.append(
            f"{_begun(part.name)}: {counted(values, 'value')}, most often {commonest} "
            f"({share(round(one[commonest], 3))}){_missing(part.distribution)}."
        )
    return " ".join(said)


# ── both ─────────────────────────────────────────────────────────────────────────────────────


def _gaps(parts: Sequence[Part]) -> list[tuple[str, ...]]:
    if not any(part.distribution.missing for part in parts):
        return []
    gaps = [part.distribution.missing / max(1, part.distribution.rows) for part in parts]
    return [("missing, of all rows", *(share(round(gap, 4)) for gap in gaps))]


def _begun(name: str) -> str:
    return name[:1].upper() + name[1:]


def _missing(found: Distribution) -> str:
    return f", {found.missing:,} missing" if found.missing else ""


def _legend(parts: Sequence[Part]) -> tuple[Entry, ...]:
    return tuple(Entry(part.name, tone, "box") for part, tone in zip(parts, TONES, strict=False))
