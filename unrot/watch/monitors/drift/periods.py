"""Which stretches of traffic are compared as one: hours, days, weeks, whichever has enough rows.

Periods lie on the calendar of UTC: hours and days begin where clocks say so, weeks on a Thursday,
as 1970 did. A profile that is longer than the period is a period by itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from statistics import median

from unrot.core.records import Check, CountedStretch
from unrot.core.rules import Rules
from unrot.core.time import DAY, HOUR, WEEK

SECONDS = {"hour": HOUR, "day": DAY, "week": WEEK}
LONGER = tuple(WEEK * many for many in (2, 4, 8, 16, 32))
"""Where a week has too few rows, two weeks, four, and so on up to 32 are a period."""
RECENT = 30
"""Of so many periods the usual number of rows is taken; of more when more are new."""

GRACE_SECONDS = 5.0
"""So long after its end the profiles of a period still come in."""

Key = tuple[str, float, float]
"""The reference on whose bins its rows are counted, the start and the end."""


@dataclass(frozen=True, slots=True)
class Period:
    """Some stretches of traffic that were counted on the same bins."""

    reference: str
    starts_at: float
    ends_at: float
    rows: int = 0
    stretches: Sequence[CountedStretch] = field(repr=False, default=())

    @property
    def key(self) -> Key:
        """What tells it from other periods."""
        return self.reference, self.starts_at, self.ends_at

    @property
    def version(self) -> str:
        """The version that answered most of it."""
        rows: dict[str, int] = defaultdict(int)
        for one in self.stretches:
            rows[one.version] += one.rows
        return max(rows, key=lambda name: (rows[name], name))

    def is_closed(self, now: float) -> bool:
        """Tell whether all of its profiles should be in."""
        return self.ends_at + GRACE_SECONDS <= now


def parted(stretches: Iterable[CountedStretch], seconds: int) -> list[Period]:
    """Part stretches into periods of some seconds, in the order of their ends.

    >>> hours = [CountedStretch("v1", at, at + 3_600, "d", 60) for at in (0, 3_600, 86_400)]
    >>> [(one.starts_at, one.rows) for one in parted(hours, 86_400)]
    [(0, 120), (86400, 60)]
    """
    found: dict[Key, list[CountedStretch]] = defaultdict(list)
    for one in stretches:
        length = one.ends_at - one.starts_at
        starts_at = one.starts_at if length > seconds else one.starts_at // seconds * seconds
        found[one.reference, starts_at, starts_at + max(length, seconds)].append(one)
    periods = [Period(*key, sum(one.rows for one in of), of) for key, of in found.items()]
    return sorted(periods, key=lambda one: (one.ends_at, one.starts_at, one.reference))


def rungs(rotation: int) -> list[int]:
    """Return the lengths that periods may have, the shortest first."""
    return [rotation, *(seconds for seconds in SECONDS.values() if seconds > rotation)]


def length_of(
    stretches: Sequence[CountedStretch],
    rules: Rules,
    *,
    rotation: int,
    now: float,
    new: int = 0,
    worth: Callable[[int, float], float] = lambda rows, _seconds: rows,
) -> int:
    """Return how long periods are: as the rules say, else the shortest that has enough rows.

    That is the one in which the median period with rows at all is worth as many as the rules ask
    for, of the last ones, and of all that hold the `new` newest stretches.
    """
    if rules.period != "auto":
        return rotation if rules.period == "rotation" else SECONDS[rules.period]
    ladder = rungs(rotation)
    for seconds in (*ladder, *LONGER):
        rows = [one.rows for one in parted(stretches, seconds) if one.is_closed(now)]
        usual = int(median(rows[-max(RECENT, new) :])) if rows else 0
        if worth(usual, seconds) >= rules.least_rows:
            return seconds
    return ladder[-1]


def uncovered(stretches: Sequence[CountedStretch], checks: Sequence[Check]) -> list[CountedStretch]:
    """Return the stretches that no check has compared, whatever its length."""
    spans: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for check in checks:
        if check.rows_before:
            spans[check.reference].append((check.starts_at, check.ends_at))
    reach = {reference: _reach(sorted(found)) for reference, found in spans.items()}
    return [
        one
        for one in stretches
        if one.reference not in reach or not _is_covered(one, *reach[one.reference])
    ]


def due(
    stretches: Sequence[CountedStretch],
    checks: Sequence[Check],
    rules: Rules,
    *,
    seconds: int,
    now: float,
) -> list[Period]:
    """Return the closed periods that were not checked, or have more rows since; oldest first."""
    known = {(one.reference, one.starts_at, one.ends_at): one for one in checks}
    lengths = {int(one.ends_at - one.starts_at) for one in checks} - {seconds}
    fresh = {id(one) for one in uncovered(stretches, checks)}
    found: dict[Key, Period] = {}
    for period in parted(stretches, seconds):
        if period.key in known:
            is_due = _has_grown(period, known[period.key], rules)
        else:
            is_due = any(id(one) in fresh for one in period.stretches)
        if is_due:
            found[period.key] = period
    for length in lengths:
        for period in parted(stretches, length):
            if period.key in known and _has_grown(period, known[period.key], rules):
                found[period.key] = period
    closed = [one for one in found.values() if one.is_closed(now)]
    return sorted(closed, key=lambda one: (one.ends_at, one.starts_at, one.reference))


def next_end(stretches: Sequence[CountedStretch], seconds: int, now: float) -> float | None:
    """Return when the next period is closed, None where all are."""
    open_ends = [one.ends_at for one in parted(stretches, seconds) if not one.is_closed(now)]
    return min(open_ends) + GRACE_SECONDS if open_ends else None


def previous(period: Period, stretches: Sequence[CountedStretch], least_rows: int) -> Period | None:
    """Return the nearest earlier period of the same length and bins that has enough rows."""
    seconds = int(period.ends_at - period.starts_at)
    earlier = [
        one
        for one in parted(stretches, seconds)
        if one.reference == period.reference
        and one.ends_at <= period.starts_at
        and one.rows >= least_rows
    ]
    return earlier[-1] if earlier else None


def _has_grown(period: Period, check: Check, rules: Rules) -> bool:
    is_enough_now = not check.rows_before and period.rows >= rules.least_rows > check.rows
    return period.rows > check.rows or is_enough_now


def _reach(spans: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """Return starts, and how far the spans up to each of them reach."""
    return [start for start, _ in spans], list(accumulate((end for _, end in spans), max))


def _is_covered(one: CountedStretch, starts: list[float], ends: list[float]) -> bool:
    place = bisect_right(starts, one.starts_at)
    return bool(place) and ends[place - 1] >= one.ends_at


def rows_by_reference(stretches: Iterable[CountedStretch]) -> Mapping[str, int]:
    """Count rows by the reference on whose bins they lie; empty for those on none."""
    rows: dict[str, int] = defaultdict(int)
    for one in stretches:
        rows[one.reference] += one.rows
    return rows
