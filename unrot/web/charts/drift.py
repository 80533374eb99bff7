"""How far each column had moved in each period: a strip a column, the farthest first.

A tone is a step: calm; close to moving; far, beyond the threshold of its own column, but as chance
or the time of the day makes it; moved; moved by twice the threshold. What is excused has an
outline, and what has moved is underlined.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from unrot.core.plurals import counted
from unrot.core.records import IMPORTED, Check, Drift, Schema, Unmoved
from unrot.core.rules import Rules
from unrot.watch.reports.overview import Closer
from unrot.web.charts.axes import Axis, brief, place, stretch
from unrot.web.charts.chart import Chart, Table
from unrot.web.charts.distribution import NO_VALUES, Part, distributions
from unrot.web.charts.grid import Cell, Grid, Row
from unrot.web.wording import spoken

MOST_STRIPS, MOST_LISTED, MOST_NAMED = 24, 300, 4
FAR = 2.0
"""Times the threshold."""
LEAST_WIDTH = 0.35
FAR_BUT: Mapping[Unmoved, str] = {
    "": "far, but could be chance",
    "chance": "far, but could be chance",
    "usual": "far, but usual then",
    "unknown": "far, perhaps usual then",
}
"""What is said of a column that lies beyond its threshold and has not moved."""
LISTED = (
    "The newest period whole; of those before it what had moved, or lay far but could be chance or "
    "was usual then. Each leads to the distributions."
)
HEAD = ("Period (UTC)", "Column", "Distance", "")
CALLED = {
    "output.class": "answer",
    "output.probability": "confidence of the answer",
    "output.value": "answer",
}
"""How people call the columns of what was answered."""

Step = Literal["calm", "near", "chance", "beyond", "far"]
Linked = Callable[[str, float], str]
"""Return where the period of a column that ends then can be looked at."""


def step_of(drift: Drift, threshold: float) -> Step:
    """Name the step of a column in a period."""
    if drift.has_moved:
        return "far" if drift.distance >= FAR * threshold else "beyond"
    if drift.distance >= threshold:
        return "chance"
    return "calm" if drift.is_calm else "near"


def excuse_of(drift: Drift, threshold: float, rows: int) -> str:
    """Say why so far a column has not moved; empty where nothing needs to be said."""
    if step_of(drift, threshold) != "chance":
        return ""
    if drift.why == "usual":
        return "it lies there on earlier days at this time"
    if drift.why == "unknown":
        return "whether that is usual at this time is not known yet"
    chance = f"chance {'explains' if drift.is_calm else 'could explain'} it"
    independent = max(1, round(drift.worth))
    if drift.worth > 0 and independent < rows:
        worth = counted(independent, "independent one")
        return f"{counted(rows, 'row')} are worth {worth}, so {chance}"
    return f"with {counted(rows, 'row')} {chance}" if rows else chance


def column_names(schema: Schema) -> dict[str, str]:
    """Return how people call each column."""
    return {feature.name: spoken(feature) for feature in schema.features} | CALLED


@dataclass(frozen=True, slots=True)
class _Compared:
    """One column in one period, and how it is called."""

    check: Check
    drift: Drift
    threshold: float
    label: str

    @property
    def column(self) -> str:
        return self.drift.column

    @property
    def ends_at(self) -> float:
        return self.check.ends_at

    @property
    def has_moved(self) -> bool:
        return self.drift.has_moved

    @property
    def time(self) -> str:
        return stretch(self.check.starts_at, self.check.ends_at)

    @property
    def note(self) -> str:
        """What is said of it where it is far and has not moved."""
        is_excused = step_of(self.drift, self.threshold) == "chance"
        return FAR_BUT[self.drift.why] if is_excused else ""

    @property
    def excuse(self) -> str:
        """The same with the reason."""
        why = excuse_of(self.drift, self.threshold, self.check.rows)
        return f"{self.note} ({why})" if why else ""

    @property
    def far(self) -> float:
        """How far it lies, what has moved before all others."""
        times = self.drift.distance / self.threshold if self.threshold > 0 else 0.0
        return times + 1_000 * self.drift.has_moved


def build_drift(
    schema: Schema,
    checks: Sequence[Check],
    rules: Rules,
    *,
    x: Axis,
    linked: Linked,
    chosen: tuple[str, float] | None = None,
) -> Grid:
    """Draw a strip a column; `chosen` is the column and the end of the period looked at."""
    before = "training" if rules.against == "training" else "the period before"
    title = f"How far each column has moved from {before}"
    shown = [one for one in checks if one.ends_at > x.low and one.starts_at < x.high]
    compared = _compared(shown, rules, column_names(schema))
    if not compared:
        return Grid("drift", title, _nothing(before, rules))
    newest = max(one.ends_at for one in compared)
    columns = _farthest_first(compared, newest)
    strips = [
        _strip([one for one in compared if one.column == column], newest, x, linked, chosen)
        for column in columns[:MOST_STRIPS]
    ]
    return Grid(
        "drift",
        title,
        _sentence([one for one in compared if one.ends_at == newest]),
        tuple(strips),
        x.ticks,
        table=_table(compared, newest, linked),
        left_out=len(columns) - len(strips),
    )


def build_period(schema: Schema, found: Closer, *, name: str = "period", title: str = "") -> Chart:
    """Lay a period of one column over what it is compared with."""
    check, column = found.check, found.drift.column
    units = {feature.name: feature.unit for feature in schema.features}
    of = "" if check.version == IMPORTED else f" of {check.version}"
    before = f"training{of}" if check.against == "training" else "before"
    time = stretch(check.starts_at, check.ends_at)
    parts = [Part(side, one) for side, one in ((before, found.before), (time, found.now)) if one]
    return distributions(
        name,
        title or f"{column_names(schema).get(column, column)}, {time}",
        parts,
        unit=units.get(column, ""),
        nothing=NO_VALUES if parts else "Its distributions are not kept any more.",
    )


def _compared(checks: Sequence[Check], rules: Rules, names: Mapping[str, str]) -> list[_Compared]:
    return [
        _Compared(check, one, rules.distance_of(one.column), names.get(one.column, one.column))
        for check in checks
        for one in check.drifts
    ]


def _nothing(before: str, rules: Rules) -> str:
    return (
        f"No period of this time has been compared with {before} yet: a period is compared "
        f"once it is over and has {counted(rules.least_rows, 'row')}."
    )


def _farthest_first(compared: Sequence[_Compared], newest: float) -> list[str]:
    """Order columns: those that moved, by how far in the newest period, then in any."""
    now: dict[str, float] = {}
    ever: dict[str, float] = {}
    for one in compared:
        column, far = one.column, one.far
        now[column] = max(now.get(column, 0.0), far if one.ends_at == newest else 0.0)
        ever[column] = max(ever.get(column, 0.0), far)
    return sorted(ever, key=lambda column: (-now[column], -ever[column], column))


# ── strips ───────────────────────────────────────────────────────────────────────────────────


def _strip(
    compared: Sequence[_Compared],
    newest: float,
    x: Axis,
    linked: Linked,
    chosen: tuple[str, float] | None,
) -> Row:
    # Two versions may have answered in a period: what lies farther is drawn over the other.
    ordered = sorted(
        compared,
        key=lambda one: (one.check.starts_at, one.has_moved, one.drift.distance),
    )
    cells = tuple(_cell(one, x, linked, chosen) for one in ordered)
    now = next((one for one in reversed(ordered) if one.ends_at == newest), None)
    if now is None:
        return Row(ordered[0].label, cells, "–")
    return Row(now.label, cells, brief(now.drift.distance), now.drift.has_moved, now.note)


def _cell(one: _Compared, x: Axis, linked: Linked, chosen: tuple[str, float] | None) -> Cell:
    check, drift = one.check, one.drift
    left, right = max(0.0, x.at(check.starts_at)), min(100.0, x.at(check.ends_at))
    rows = f"{counted(check.rows, 'row')} of {check.version}"
    return Cell(
        "\n".join([f"{one.label}: {_told(one)}", one.time, rows]),
        step_of(drift, one.threshold),
        href=linked(drift.column, check.ends_at),
        x=place(left),
        width=max(LEAST_WIDTH, place(right - left)),
        is_underlined=drift.has_moved,
        is_chosen=chosen == (drift.column, check.ends_at),
    )


# ── words ────────────────────────────────────────────────────────────────────────────────────


def _told(one: _Compared) -> str:
    moved = "moved, " if one.has_moved else ""
    excuse = f". {one.excuse[0].upper()}{one.excuse[1:]}" if one.excuse else ""
    beside = f"distance {brief(one.drift.distance)}, threshold {brief(one.threshold)}"
    return f"{moved}{beside}{excuse}"


def _sentence(now: Sequence[_Compared]) -> str:
    """Tell of the newest period what had moved, or what lies farthest."""
    far_first = sorted(now, key=lambda one: -one.drift.distance)
    columns = counted(len({one.column for one in now}), "column")
    when = far_first[0].time
    moved = [f"{one.label} ({brief(one.drift.distance)})" for one in far_first if one.has_moved]
    if moved:
        named = ", ".join(moved[:MOST_NAMED])
        more = f" and {len(moved) - MOST_NAMED} more" if len(moved) > MOST_NAMED else ""
        return f"In the newest period, {when}, {len(moved)} of {columns} had moved: {named}{more}."
    first = far_first[0]
    excuse = f" of {brief(first.threshold)}: {first.excuse}" if first.excuse else ""
    farthest = f"the farthest is {first.label} at {brief(first.drift.distance)}{excuse}"
    return f"None of {columns} had moved in the newest period, {when}; {farthest}."


def _table(compared: Sequence[_Compared], newest: float, linked: Linked) -> Table:
    """List the newest period whole, and of those before what had moved."""
    told = [one for one in compared if one.ends_at == newest or one.has_moved or one.excuse]
    told.sort(key=lambda one: (-one.ends_at, -one.drift.distance))
    return Table(
        HEAD,
        tuple(
            (
                one.time,
                one.label,
                brief(one.drift.distance),
                "moved" if one.has_moved else one.excuse,
            )
            for one in told[:MOST_LISTED]
        ),
        max(0, len(told) - MOST_LISTED),
        links=tuple(linked(one.column, one.ends_at) for one in told[:MOST_LISTED]),
        about=LISTED,
    )
