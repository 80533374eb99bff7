"""Whether rows are whole: values that are missing, choices never seen, rows that were refused.

A share has risen when it is more than a threshold above what it was in training, and is calm again
at half of that: what lies between changes nothing. Periods with too few rows say nothing.

>>> quality = Drift("age", 0.1, "ks", 0.1, 0.5, False, True, missing=0.25, missing_before=0.01)
>>> check = Check("heart", "v1", 0.0, 60.0, "training", 200, 240, (quality,))
>>> judged([check], "missing", {"age": 0.05}).risen
(Risen(column='age', share=0.25, before=0.01),)
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from unrot.records import Window
from unrot.symptoms import Check, Drift

What = Literal["missing", "unseen"]

CALM = 0.5
"""So much of a threshold is calm."""
LONGEST_SECONDS = 3_600
"""So long rows are gathered until there are enough to judge by."""


@dataclass(frozen=True, slots=True)
class Risen:
    """A column of which a larger share than in training is missing, or was never seen."""

    column: str
    share: float
    before: float


@dataclass(frozen=True, slots=True)
class Judged:
    """What some checks of one period say of one thing."""

    rows: int
    risen: tuple[Risen, ...]
    """The columns that are over their thresholds, the farthest first."""
    is_calm: bool
    """True when all columns are well below them."""


@dataclass(frozen=True, slots=True)
class Refused:
    """What was refused at the door in one stretch of time."""

    starts_at: float
    ends_at: float
    rows: int
    """All that were sent, the refused ones too."""
    reasons: Mapping[str, int]

    @property
    def refused(self) -> int:
        """How many were refused."""
        return sum(self.reasons.values())

    @property
    def share(self) -> float:
        """Which part of all that is."""
        return self.refused / self.rows if self.rows else 0.0


def judged(checks: Sequence[Check], what: What, thresholds: Mapping[str, float]) -> Judged:
    """Judge the checks of one period together, each version by its share of the rows.

    Columns without a threshold are not looked at.
    """
    shares = _shares(checks, what)
    rises = {
        column: (share - before) / max(thresholds[column], 1e-9)
        for column, (share, before) in shares.items()
        if column in thresholds
    }
    over = sorted((column for column in rises if rises[column] > 1), key=lambda one: -rises[one])
    return Judged(
        rows=sum(check.rows for check in checks),
        risen=tuple(Risen(column, *shares[column]) for column in over),
        is_calm=all(rise <= CALM for rise in rises.values()),
    )


def refusals(
    windows: Iterable[Window], *, since: int, until: int, step: int, least: int
) -> tuple[list[Refused], int]:
    """Part a stretch of time into pieces with enough rows; return them and where the next begins.

    Times are minutes since 1970. A piece ends at a whole step once it has `least` rows; what has
    too few after an hour is let go.
    """
    by_minute: defaultdict[int, list[Window]] = defaultdict(list)
    for window in windows:
        by_minute[window.minute].append(window)
    pieces: list[Refused] = []
    begin, rows, reasons = since, 0, Counter[str]()
    for end in range(since + step, until + 1, step):
        for window in (one for minute in range(end - step, end) for one in by_minute[minute]):
            rows += window.predictions + sum(window.rejected.values())
            reasons.update(window.rejected)
        has_enough = rows >= least
        if has_enough:
            pieces.append(Refused(begin * 60.0, end * 60.0, rows, dict(reasons.most_common())))
        if has_enough or not rows or (end - begin) * 60 >= LONGEST_SECONDS:
            begin, rows, reasons = end, 0, Counter()
    return pieces, begin


def _shares(checks: Sequence[Check], what: What) -> dict[str, tuple[float, float]]:
    """Return the share of each column now and before, each check by its rows."""
    parts: defaultdict[str, list[tuple[int, float, float]]] = defaultdict(list)
    for check in checks:
        for drift in check.drifts:
            parts[drift.column].append((check.rows, *_share(drift, what)))
    return {
        column: (_mean((rows, now) for rows, now, _ in found),
                 _mean((rows, before) for rows, _, before in found))
        for column, found in parts.items()
    }  # fmt: skip


def _mean(parts: Iterable[tuple[int, float]]) -> float:
    weighed = list(parts)
    rows = sum(one for one, _ in weighed)
    return sum(one * share for one, share in weighed) / rows if rows else 0.0


def _share(drift: Drift, what: What) -> tuple[float, float]:
    if what == "missing":
        return drift.missing, drift.missing_before
    return drift.unseen, drift.unseen_before
