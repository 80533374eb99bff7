"""A heat strip: how far each column had moved in each period, a strip a column.

A colour is a step: calm; close to moving; beyond the threshold of its own column, but as chance or
the time of the day makes it; moved; moved by twice the threshold. What is excused has an outline,
and what has moved is underlined, so that nobody needs the colours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unrot.core.plurals import counted
from unrot.core.records import Unmoved
from unrot.web.charts.drawing import Tick, place
from unrot.web.charts.scales import Scale, brief, stretch, time_axis

MOST_STRIPS = 24
FAR = 2.0
"""Times the threshold."""
LEAST_WIDTH = 0.35
EXCUSES: Mapping[Unmoved, str] = {
    "": "by chance",
    "chance": "by chance",
    "usual": "as usual",
    "unknown": "not known yet",
}


@dataclass(frozen=True, slots=True)
class Moved:
    """One column in one period."""

    column: str
    starts_at: float
    ends_at: float
    distance: float
    threshold: float
    has_moved: bool
    is_calm: bool = False
    """Well below the threshold, or by chance."""
    words: str = ""
    href: str = ""
    rows: int = 0
    """As many were compared; 0 where that is not known."""
    why: Unmoved = ""
    """Why it has not moved, where it lies far."""

    @property
    def excuse(self) -> str:
        """Say why so far a column has not moved; empty where nothing needs to be said."""
        if step_of(self) != "chance":
            return ""
        if self.why == "usual":
            return "it lies there on earlier days at this time"
        if self.why == "unknown":
            return "whether that is usual at this time is not known yet"
        of = f"with {counted(self.rows, 'row')} " if self.rows else ""
        return f"{of}chance {'explains' if self.is_calm else 'could explain'} it"


@dataclass(frozen=True, slots=True)
class Cell:
    """A period of a strip."""

    x: float
    width: float
    step: str
    has_moved: bool
    text: str
    href: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Strip:
    """A column: its periods, and where it stands now."""

    column: str
    label: str
    cells: tuple[Cell, ...]
    newest: str
    """How far it lies in the newest period of all; a dash where it was not compared."""
    has_moved: bool
    """In that period."""
    excuse: str = ""
    """Why it has not, in two words, where it lies beyond the threshold."""
    row: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table: a period of one column."""

    column: str
    when: str
    distance: str
    said: str
    href: str


@dataclass(frozen=True, slots=True)
class Heat:
    """Strips, the farthest first, ready to be drawn by templates/charts/_heat.html."""

    name: str
    title: str
    sentence: str
    strips: tuple[Strip, ...] = ()
    x_ticks: tuple[Tick, ...] = ()
    lines: tuple[Line, ...] = ()
    left_out: int = 0
    """Columns that were calmer than those drawn."""

    @property
    def is_empty(self) -> bool:
        """True when there is nothing to draw."""
        return not self.strips


def heat(
    name: str,
    title: str,
    moved: Sequence[Moved],
    *,
    since: float,
    until: float,
    labels: Mapping[str, str] | None = None,
    chosen: tuple[str, float] | None = None,
    nothing: str = "No period has been compared in this time.",
) -> Heat:
    """Draw a strip a column; `chosen` is the column and the end of the period that is looked at."""
    shown = [one for one in moved if one.ends_at > since and one.starts_at < until]
    if not shown:
        return Heat(name, title, nothing)
    labels = labels or {}
    across, x_ticks = time_axis(since, until)
    columns = _farthest_first(shown)
    drawn = columns[:MOST_STRIPS]
    strips = [
        _strip(
            number,
            [one for one in shown if one.column == column],
            max(one.ends_at for one in shown),
            across,
            labels,
            chosen,
        )
        for number, column in enumerate(drawn)
    ]
    return Heat(
        name,
        title,
        _sentence(shown, labels),
        tuple(strips),
        x_ticks,
        _lines(shown, labels),
        len(columns) - len(drawn),
    )


def step_of(moved: Moved) -> str:
    """Name the step of a period.

    >>> step_of(Moved("x", 0, 60, 0.4, 0.2, has_moved=True))
    'far'
    >>> step_of(Moved("x", 0, 60, 0.3, 0.2, has_moved=True))
    'beyond'
    >>> step_of(Moved("x", 0, 60, 0.18, 0.2, has_moved=False))
    'near'
    >>> step_of(Moved("x", 0, 60, 0.1, 0.2, has_moved=False, is_calm=True))
    'calm'
    >>> far = Moved("x", 0, 60, 0.3, 0.2, has_moved=False, is_calm=True, rows=60)
    >>> step_of(far), far.excuse
    ('chance', 'with 60 rows chance explains it')
    """
    if moved.has_moved:
        return "far" if moved.distance >= FAR * moved.threshold else "beyond"
    if moved.distance >= moved.threshold:
        return "chance"
    return "calm" if moved.is_calm else "near"


def _farthest_first(moved: Sequence[Moved]) -> list[str]:
    """Order columns: those that moved, by how far in the newest period, then in any."""
    newest = max(one.ends_at for one in moved)
    rank: dict[str, tuple[float, float]] = {}
    for one in moved:
        times = one.distance / one.threshold if one.threshold > 0 else 0.0
        times += 1_000 if one.has_moved else 0
        now, ever = rank.get(one.column, (0.0, 0.0))
        rank[one.column] = (max(now, times if one.ends_at == newest else 0.0), max(ever, times))
    return sorted(rank, key=lambda column: (-rank[column][0], -rank[column][1], column))


def _strip(
    row: int,
    moved: Sequence[Moved],
    newest: float,
    across: Scale,
    labels: Mapping[str, str],
    chosen: tuple[str, float] | None,
) -> Strip:
    column = moved[0].column
    label = labels.get(column, column)
    # Two versions may have answered in a period: what lies farther is drawn over the other.
    ordered = sorted(moved, key=lambda one: (one.starts_at, one.has_moved, one.distance))
    cells = tuple(_cell(one, label, across, chosen) for one in ordered)
    now = next((one for one in reversed(ordered) if one.ends_at == newest), None)
    said = brief(now.distance) if now else "–"
    excuse = EXCUSES[now.why] if now is not None and now.excuse else ""
    return Strip(column, label, cells, said, now is not None and now.has_moved, excuse, row)


def _cell(one: Moved, label: str, across: Scale, chosen: tuple[str, float] | None) -> Cell:
    left, right = max(0.0, across.along(one.starts_at)), min(100.0, across.along(one.ends_at))
    width = max(LEAST_WIDTH, place(right - left))
    text = "\n".join([f"{label}: {_said(one)}", stretch(one.starts_at, one.ends_at)])
    text = f"{text}\n{one.words}" if one.words else text
    step = step_of(one)
    is_chosen = chosen == (one.column, one.ends_at)
    return Cell(place(left), width, step, one.has_moved, text, one.href, is_chosen)


def _said(one: Moved) -> str:
    beside = f"distance {brief(one.distance)}, threshold {brief(one.threshold)}"
    excuse = f": beyond it, but {one.excuse}" if one.excuse else ""
    return f"{'moved, ' if one.has_moved else ''}{beside}{excuse}"


def _sentence(moved: Sequence[Moved], labels: Mapping[str, str]) -> str:
    newest = max(one.ends_at for one in moved)
    now = sorted((one for one in moved if one.ends_at == newest), key=lambda one: -one.distance)
    columns = len({one.column for one in now})
    when = stretch(now[0].starts_at, newest)
    gone = [one for one in now if one.has_moved]
    if gone:
        named = ", ".join(
            f"{labels.get(one.column, one.column)} ({brief(one.distance)})" for one in gone[:4]
        )
        more = f" and {len(gone) - 4} more" if len(gone) > 4 else ""
        count = f"{len(gone)} of {counted(columns, 'column')} had moved"
        return f"In the newest period, {when}, {count}: {named}{more}."
    farthest, one = labels.get(now[0].column, now[0].column), now[0]
    said = f"None of {counted(columns, 'column')} had moved in the newest period, {when}"
    far = f"{brief(one.distance)} of {brief(one.threshold)}, but {one.excuse}"
    return f"{said}; the farthest is {farthest} at {far if one.excuse else brief(one.distance)}."


def _lines(moved: Sequence[Moved], labels: Mapping[str, str]) -> tuple[Line, ...]:
    """List the newest period whole, and of those before what had moved."""
    newest = max(one.ends_at for one in moved)
    told = [one for one in moved if one.ends_at == newest or one.has_moved or one.excuse]
    told.sort(key=lambda one: (-one.ends_at, -one.distance))
    return tuple(
        Line(
            labels.get(one.column, one.column),
            stretch(one.starts_at, one.ends_at),
            brief(one.distance),
            "moved" if one.has_moved else one.excuse,
            one.href,
        )
        for one in told[:300]
    )
