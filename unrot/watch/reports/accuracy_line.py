"""The line of accuracy: stretches with verdicts enough, in none of which a fall can hide.

A point of the line has 30 verdicts where there are so many: fewer would only show chance. More
than it needs would hide what is short, so where a stretch has many and all of them are known one by
one, it is parted into runs of 30. Verdicts of two versions are never taken together, nor those
from before and after a moment at which another version became champion, or something was found to
have begun or ended.

    >>> told = Window(0, "iris", "v1", "me"), share(9, 10), scored(errors_of([])), share(5, 10)
    >>> hours = [Point(hour * 3_600, 3_600, *told) for hour in range(6)]
    >>> [point.seconds for point in taken_together(hours)]
    [10800, 10800]
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor

from unrot.core.records import ModelKey, Outcome, Window
from unrot.core.windows import total
from unrot.watch.monitors.estimate.calibration import mean_of
from unrot.watch.reports.accuracy import Point
from unrot.watch.statistics.accuracy import (
    constant,
    constant_of,
    errors_of,
    right_of,
    scored,
    share,
)

FEWEST_VERDICTS = 30
"""A point of the line has so many verdicts, where there are so many."""
KNOWN = 2_000
"""So many of the newest verdicts are looked at one by one."""


@dataclass(frozen=True, slots=True)
class Stint:
    """What one version did between two cuts, no other answering in its place meanwhile."""

    version: str
    points: Sequence[Point]


def stints(
    versions: Mapping[str, Sequence[Point]],
    known: Sequence[Outcome] = (),
    cuts: Sequence[float] = (),
    moves: Sequence[tuple[float, str]] = (),
    fewest: int = FEWEST_VERDICTS,
) -> list[Stint]:
    """Return the lines of all versions, each stint by itself, in the order in which they began.

    `known` are verdicts one by one; `cuts` are moments that no point reaches over, `moves` those at
    which a version became champion.
    """
    made = []
    for name, run in _runs(versions):
        apart = sorted([*cuts, *(_move(at, to == name) for at, to in moves)])
        parts = _parts(_finer(run, name, known, apart, fewest), apart)
        made += [Stint(name, taken_together(part, fewest)) for part in parts]
    return sorted(made, key=lambda one: one.points[0].starts_at)


def has_many(versions: Mapping[str, Sequence[Point]], fewest: int = FEWEST_VERDICTS) -> bool:
    """Tell whether a stretch has so many verdicts that something could hide in it."""
    return any(verdicts(point) >= 2 * fewest for points in versions.values() for point in points)


def taken_together(
    points: Sequence[Point],
    fewest: int = FEWEST_VERDICTS,
    count: Callable[[Point], int] | None = None,
) -> list[Point]:
    """Take neighbouring stretches together until they have verdicts enough; the newest stays.

    A line of stretches with two verdicts each would only show chance. `count` counts others.
    """
    counts = count or verdicts
    groups: list[list[Point]] = []
    for point in points:
        if not groups or sum(map(counts, groups[-1])) >= fewest:
            groups.append([])
        groups[-1].append(point)
    return [group[0] if len(group) == 1 else _together(group) for group in groups]


def verdicts(point: Point) -> int:
    """Return how many verdicts say how right a stretch was."""
    return point.accuracy.count or point.errors.count


def _move(at: float, is_coming: bool) -> float:
    """Return where a move of the champion parts a version: predictions are known by the second.

    What the coming one answered within that second is after the move, all others' before.
    """
    return floor(at) + (0 if is_coming else 1)


def _runs(versions: Mapping[str, Sequence[Point]]) -> list[tuple[str, list[Point]]]:
    """Part the points of each version where another answered and it did not."""
    busy = sorted({point.starts_at for points in versions.values() for point in points})
    runs: list[tuple[str, list[Point]]] = []
    for name, points in versions.items():
        for number, point in enumerate(points):
            before = points[number - 1] if number else None
            if before is None or _is_between(busy, before.starts_at, point.starts_at):
                runs.append((name, []))
            runs[-1][1].append(point)
    return runs


def _is_between(busy: Sequence[float], first: float, second: float) -> bool:
    after = bisect_right(busy, first)
    return after < len(busy) and busy[after] < second


def _finer(
    points: Sequence[Point],
    version: str,
    known: Sequence[Outcome],
    cuts: Sequence[float],
    fewest: int,
) -> list[Point]:
    """Put runs of verdicts in the place of a stretch that has many, or reaches over a cut."""
    mine = sorted((one for one in known if one.version == version), key=_predicted_at)
    finer: list[Point] = []
    for point in points:
        ends_at = point.starts_at + point.seconds
        inside = [one for one in mine if point.starts_at <= one.predicted_at < ends_at]
        is_large = verdicts(point) >= 2 * fewest
        is_cut = any(point.starts_at < cut < ends_at for cut in cuts)
        if (is_large or is_cut) and inside and len(inside) >= verdicts(point):
            finer += [_of_outcomes(run) for run in _in_runs(inside, cuts, fewest)]
        else:
            finer.append(replace(point, window=replace(point.window, version=version)))
    return finer


def _in_runs(
    outcomes: Sequence[Outcome], cuts: Sequence[float], fewest: int
) -> list[list[Outcome]]:
    """Part verdicts into runs; predictions of one moment stay together, a cut parts."""
    runs: list[list[Outcome]] = [[]]
    for one in outcomes:
        last = runs[-1][-1] if runs[-1] else one
        is_cut = bisect_right(cuts, last.predicted_at) < bisect_right(cuts, one.predicted_at)
        is_full = len(runs[-1]) >= fewest and one.predicted_at > last.predicted_at
        if is_cut or is_full:
            runs.append([])
        runs[-1].append(one)
    return runs


def _parts(points: Sequence[Point], cuts: Sequence[float]) -> list[list[Point]]:
    """Part points at the cuts between them."""
    parts: list[list[Point]] = []
    for point in points:
        place = bisect_right(cuts, point.starts_at)
        if not parts or place > bisect_right(cuts, parts[-1][-1].starts_at):
            parts.append([])
        parts[-1].append(point)
    return parts


def _of_outcomes(outcomes: Sequence[Outcome]) -> Point:
    first, last = outcomes[0], outcomes[-1]
    right, errors = right_of(outcomes), errors_of(outcomes)
    truths = Counter(one.truth for one in outcomes if isinstance(one.truth, str))
    window = Window(
        int(first.predicted_at) // 60,
        ModelKey(""),
        first.version,
        "",
        verdicts=len(outcomes),
        judged=right.count,
        correct=right.right,
        errors=errors,
        confusion={"": dict(truths)} if truths else {},
    )
    seconds = last.predicted_at - first.predicted_at
    return Point(first.predicted_at, seconds, window, right, scored(errors), constant_of(outcomes))


def _together(points: Sequence[Point]) -> Point:
    whole = total([point.window for point in points])
    ends_at = max(point.starts_at + point.seconds for point in points)
    return Point(
        points[0].starts_at,
        ends_at - points[0].starts_at,
        replace(whole, version=points[0].window.version),
        share(whole.correct, whole.judged),
        scored(whole.errors),
        constant(whole.confusion, whole.judged),
        mean_of(point.estimated for point in points if point.estimated),
    )


def _predicted_at(one: Outcome) -> float:
    return one.predicted_at
