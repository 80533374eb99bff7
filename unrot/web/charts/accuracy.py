"""How right a model is over time: the line of the monitor page and of findings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

from unrot.core.plurals import counted
from unrot.core.records import CHAMPION, Schema
from unrot.watch.accuracy import Mark, Point
from unrot.watch.accuracy_line import taken_together
from unrot.watch.monitors.accuracy import Rolled
from unrot.watch.overview import Condition
from unrot.web.charts import Chart, Happening, Level, Reading, Series, brief, lines, share
from unrot.web.wording import percent

SHADOW = "challenger"
RMSE = "Root of the mean squared error (RMSE)"
TONES = ("one", "two", "four", "three")
MOST_ROLLED = 300
NOTHING = "There is no verdict on a prediction of this time, and nothing to estimate from."


def accuracy_chart(
    schema: Schema,
    found: Condition,
    *,
    happened: Sequence[Happening] = (),
    levels: Sequence[Level] = (),
    title: str = "Accuracy",
    nothing: str = NOTHING,
) -> Chart:
    """Draw how right it was, what its confidence made one expect, and what was done to it."""
    happened = [*happenings(found.marks), *happened]
    if not schema.is_classifier:
        return _errors(found, happened, levels)
    points = [point for stint in found.stints for point in stint.points]
    guesses = [
        Reading(end_of(point, found), point.constant.value)
        for point in sorted(points, key=lambda one: end_of(one, found))
        if point.constant.value is not None
    ]
    expected = [
        Reading(end_of(point, found), point.estimated.value)
        for point in taken_together(found.points)
        if point.estimated is not None
    ]
    return lines(
        "accuracy",
        f"{title}{found.of_whom}",
        [
            *_by_version("Accuracy", found, _judged),
            Series("Estimated from its confidence", expected, "estimate", "dashed"),
            Series("A constant guess", guesses, "guess", "dotted"),
        ],
        since=found.span.since,
        until=found.span.until,
        happened=happened,
        levels=levels,
        says=percents,
        high=1.0,
        nothing=nothing,
    )


def _by_version(
    name: str,
    found: Condition,
    read: Callable[[Point, Condition], Reading | None],
    style: Literal["solid", "dashed"] = "solid",
    tones: Sequence[str] = TONES,
) -> list[Series]:
    """Draw a line for each version that answered beside another, else one that pauses between."""
    told = [
        (stint.version, [one for point in stint.points if (one := read(point, found)) is not None])
        for stint in found.stints
    ]
    parts = [(version, readings) for version, readings in told if readings]
    if all(one[1][-1].at < other[1][0].at for one, other in pairwise(parts)):
        return [Series(name, _joined(parts), tones[0], style)]
    versions = dict.fromkeys(version for version, _ in parts)
    return [
        Series(
            f"{name} of {version}",
            _joined([part for part in parts if part[0] == version]),
            tones[number % len(tones)],
            style,
        )
        for number, version in enumerate(versions)
    ]


def _joined(parts: Sequence[tuple[str, Sequence[Reading]]]) -> list[Reading]:
    """Put stints after each other, with a pause in the line where the version changes."""
    joined: list[Reading] = []
    for number, (version, readings) in enumerate(parts):
        if joined and parts[number - 1][0] != version:
            joined.append(Reading(joined[-1].at, None))
        joined += readings
    return joined


def _judged(point: Point, found: Condition) -> Reading | None:
    one = point.accuracy
    if not one.count:
        return None
    said = f"{counted(one.count, 'verdict')} on {point.window.version}"
    return Reading(end_of(point, found), one.value, one.low, one.high, said)


def _off(point: Point, found: Condition) -> Reading | None:
    said = f"{counted(point.errors.count, 'verdict')} on {point.window.version}"
    return (
        Reading(end_of(point, found), point.errors.mae, words=said) if point.errors.count else None
    )


def _squared(point: Point, found: Condition) -> Reading | None:
    return Reading(end_of(point, found), point.errors.rmse) if point.errors.count else None


def _errors(found: Condition, happened: Sequence[Happening], levels: Sequence[Level]) -> Chart:
    guess = found.champion.metrics.get("constant_guess_mae") if found.champion else None
    constant = [] if guess is None else [Level(guess, "A constant guess (MAE, at its making)")]
    return lines(
        "accuracy",
        f"How far off its answers are{found.of_whom}",
        [
            *_by_version("Mean error (MAE)", found, _off),
            *_by_version(RMSE, found, _squared, "dashed", ("three",)),
        ],
        since=found.span.since,
        until=found.span.until,
        happened=happened,
        levels=[*levels, *constant],
        low=0.0,
        nothing="No verdict on a prediction of this time says what was true.",
    )


def verdict_chart(
    schema: Schema,
    points: Sequence[Rolled],
    last: int,
    *,
    until: float,
    happened: Sequence[Happening] = (),
    levels: Sequence[Level] = (),
) -> Chart:
    """Draw how right it was, a point a verdict, when the verdicts were given."""
    thin = -(-len(points) // MOST_ROLLED)
    same = " on the same version" if len({one.version for one in points}) > 1 else ""
    return lines(
        "accuracy",
        f"{_what(schema)} over the last {counted(last, 'verdict')}{same}",
        [Series(_what(schema), _parted([(one.at, one) for one in points[::-thin][::-1]], schema))],
        since=points[0].at,
        until=until,
        happened=happened,
        levels=levels,
        says=percents if schema.is_classifier else brief,
        low=None if schema.is_classifier else 0.0,
        high=1.0 if schema.is_classifier else None,
    )


def lately_chart(schema: Schema, found: Condition) -> Chart:
    """Draw a point a verdict: the line that a fall is seen on first."""
    newest = len(found.lately.points) - 1
    places = [(float(number - newest), one) for number, one in enumerate(found.lately.points)]
    last, version = found.lately.last, found.lately.signs.version
    own = [(where, one) for where, one in places if one.version == version]
    others = [(where, one) for where, one in places if one.version != version]
    return lines(
        "lately",
        f"Verdict by verdict, over the last {last}",
        [
            Series(f"{_what(schema)} of {version or 'the champion'}", _parted(own, schema)),
            Series("Of other versions", _parted(others, schema), "older"),
        ],
        since=min(-10.0, float(-newest)),
        until=0.0,
        says=percents if schema.is_classifier else brief,
        low=None if schema.is_classifier else 0.0,
        high=1.0 if schema.is_classifier else None,
        height="low",
        places=_ago,
        nothing="There is no verdict yet.",
    )


def _parted(points: Sequence[tuple[float, Rolled]], schema: Schema) -> list[Reading]:
    """Draw points as a line that is parted where the version changes."""
    readings: list[Reading] = []
    for (where, one), before in zip(points, [None, *points], strict=False):
        if before is not None and before[1].version != one.version:
            readings.append(Reading((before[0] + where) / 2, None))
        readings.append(_rolled(where, one, schema))
    return readings


def _rolled(where: float, point: Rolled, schema: Schema) -> Reading:
    if not schema.is_classifier:
        return Reading(where, point.errors.mae, words=point.version)
    one = point.accuracy
    return Reading(where, one.value, one.low, one.high, point.version)


def _what(schema: Schema) -> str:
    return "Accuracy" if schema.is_classifier else "Mean error"


def _ago(place: float) -> str:
    """Say which verdict it is.

    >>> _ago(0.0), _ago(-1.0), _ago(-20.0)
    ('the newest', '1 before', '20 before')
    """
    return f"{-place:.0f} before" if place < -0.5 else "the newest"


def happenings(marks: Sequence[Mark]) -> list[Happening]:
    """Mark what was done to a model."""
    made = []
    for mark in marks:
        if mark.kind == CHAMPION:
            made.append(Happening(mark.at, mark.version, mark.sentence))
        else:
            label = f"{mark.version} in the shadow" if mark.kind == SHADOW else mark.kind
            made.append(Happening(mark.at, label, mark.sentence, "job"))
    return made


def end_of(point: Point, found: Condition) -> float:
    """Return when a stretch ended, or the time that is shown."""
    return min(point.starts_at + point.seconds, found.span.until)


def percents(value: float) -> str:
    """Write a share on an axis: whole percents whole.

    >>> percents(0.25), percents(0.99996)
    ('25%', '> 99.9%')
    """
    return share(value) if round(100 * value, 6).is_integer() else percent(value)
