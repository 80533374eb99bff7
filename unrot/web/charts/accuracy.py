"""How right a model is, over time and verdict by verdict: on the monitor page and of findings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from unrot.core.plurals import counted
from unrot.core.records import CHAMPION, Schema
from unrot.watch.reports.accuracy import Mark, Point
from unrot.watch.reports.accuracy_line import taken_together
from unrot.watch.reports.overview import Condition
from unrot.watch.reports.signs import FEWEST_VERDICTS
from unrot.watch.statistics.accuracy import Rolled
from unrot.web.charts.axes import plain_axis, time_axis
from unrot.web.charts.chart import Chart
from unrot.web.charts.lines import Level, Measure, Reading, Series, lines, parted
from unrot.web.charts.xy import Happening
from unrot.web.wording import percent

SHADOW = "challenger"
RMSE = "Root of the mean squared error (RMSE)"
TONES = ("one", "two", "four", "three")
MOST_ROLLED = 300
FEWEST_LATELY = 10.0
NOTHING = "There is no verdict on a prediction of this time, and nothing to estimate from."
RIGHT, OFF = Measure(percent, high=1.0), Measure(low=0.0)
"""How the share of right answers is drawn, and how far off numbers are."""

Told = Callable[[Point, Condition], Reading]
"""Read something off a stretch of time."""


def build_accuracy(
    schema: Schema,
    found: Condition,
    *,
    happened: Sequence[Happening] = (),
    levels: Sequence[Level] = (),
    title: str = "Accuracy",
    nothing: str = NOTHING,
) -> Chart:
    """Draw how right it was, what its confidence made one expect, and what was done to it."""
    counts = [_judged(point, schema) for one in found.stints for point in one.points]
    few = "" if any(map(_is_enough, counts)) else _too_few(sum(counts), "in this time")
    if not schema.is_classifier:
        return _build_errors(found, happened, levels, few)
    judged = () if few else _by_version(Series("Accuracy", ()), found, _accuracy)
    drawn = lines(
        "accuracy",
        f"{title}{found.of_whom}",
        [
            *judged,
            Series("Estimated from its confidence", _estimates(found), "estimate", "dashed"),
            *([] if few else [Series("A constant guess", _guesses(found), "guess", "dotted")]),
        ],
        x=time_axis(found.span.since, found.span.until),
        measure=RIGHT,
        happened=[*happenings(found.marks), *happened],
        levels=levels,
        nothing=few or nothing,
    )
    is_told = not few or drawn.is_empty
    return drawn if is_told else replace(drawn, sentence=f"{few} {drawn.sentence}")


def _build_errors(
    found: Condition, happened: Sequence[Happening], levels: Sequence[Level], few: str
) -> Chart:
    guess = found.champion.metrics.get("constant_guess_mae") if found.champion else None
    constant = [] if guess is None else [Level(guess, "A constant guess (MAE, at its making)")]
    return lines(
        "accuracy",
        f"How far off its answers are{found.of_whom}",
        []
        if few
        else [
            *_by_version(Series("Mean error (MAE)", ()), found, _error),
            *_by_version(Series(RMSE, (), "three", "dashed"), found, _squared_error),
        ],
        x=time_axis(found.span.since, found.span.until),
        measure=OFF,
        happened=[*happenings(found.marks), *happened],
        levels=[*levels, *constant],
        nothing=few or "No verdict on a prediction of this time says what was true.",
    )


def build_verdicts(
    schema: Schema,
    points: Sequence[Rolled],
    last: int,
    *,
    until: float,
    happened: Sequence[Happening] = (),
    levels: Sequence[Level] = (),
) -> Chart:
    """Draw how right it was, a point a verdict, when the verdicts were given."""
    thin, what = -(-len(points) // MOST_ROLLED), _what(schema)
    same = " on the same version" if len({one.version for one in points}) > 1 else ""
    return lines(
        "accuracy",
        f"{what} over the last {counted(last, 'verdict')}{same}",
        [Series(what, _rolled([(one.at, one) for one in points[::-thin][::-1]], schema))],
        x=time_axis(points[0].at, until),
        measure=_measure(schema),
        happened=happened,
        levels=levels,
    )


def build_lately(schema: Schema, found: Condition) -> Chart:
    """Draw a point a verdict: the line that a fall is seen on first."""
    count = len(found.lately.points)
    few = "" if _is_enough(count) else _too_few(count, "so far")
    newest = len(found.lately.points) - 1
    places = [(float(number - newest), one) for number, one in enumerate(found.lately.points)]
    version = found.lately.signs.version
    own = [(where, replace(one, version="")) for where, one in places if one.version == version]
    others = [(where, one) for where, one in places if one.version != version]
    return lines(
        "lately",
        f"Verdict by verdict, over the last {found.lately.last}",
        []
        if few
        else [
            Series(f"{_what(schema)} of {version or 'the champion'}", _rolled(own, schema)),
            Series("Of other versions", _rolled(others, schema), "older"),
        ],
        x=plain_axis(min(-FEWEST_LATELY, float(-newest)), 0.0, _ago),
        measure=_measure(schema),
        height="low",
        nothing=few or "There is no verdict yet.",
        stretch="in these",
    )


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


def _judged(point: Point, schema: Schema) -> int:
    return point.accuracy.count if schema.is_classifier else point.errors.count


def _is_enough(verdicts: int) -> bool:
    """Tell whether verdicts, or answers, are enough for a point: one alone tells nothing."""
    return verdicts >= FEWEST_VERDICTS


def _too_few(verdicts: int, when: str) -> str:
    """Say that some verdicts are too few to draw; nothing of none.

    >>> _too_few(1, "so far"), _too_few(0, "so far")
    ('1 verdict so far: too few to say how good it is.', '')
    """
    if not verdicts:
        return ""
    return f"{counted(verdicts, 'verdict')} {when}: too few to say how good it is."


def end_of(point: Point, found: Condition) -> float:
    """Return when a stretch ended, or the time that is shown; of one that goes on, now."""
    return min(point.starts_at + point.seconds, found.span.until, found.now)


# ── by stretches of time ─────────────────────────────────────────────────────────────────────


def _estimates(found: Condition) -> list[Reading]:
    return [
        Reading(end_of(point, found), point.estimated.value)
        for point in taken_together(found.points, count=_estimated)
        if point.estimated is not None and _is_enough(point.estimated.rows)
    ]


def _estimated(point: Point) -> int:
    return 0 if point.estimated is None else point.estimated.rows


def _guesses(found: Condition) -> list[Reading]:
    points = [point for stint in found.stints for point in stint.points]
    read = [
        Reading(end_of(point, found), point.constant.value)
        for point in points
        if _is_enough(point.constant.count)
    ]
    return sorted(read, key=lambda one: one.at)


def _accuracy(point: Point, found: Condition) -> Reading:
    one = point.accuracy
    value = one.value if _is_enough(one.count) else None
    return Reading(end_of(point, found), value, one.low, one.high, _verdicts(one.count, point))


def _error(point: Point, found: Condition) -> Reading:
    value = point.errors.mae if _is_enough(point.errors.count) else None
    return Reading(end_of(point, found), value, words=_verdicts(point.errors.count, point))


def _squared_error(point: Point, found: Condition) -> Reading:
    return Reading(
        end_of(point, found), point.errors.rmse if _is_enough(point.errors.count) else None
    )


def _verdicts(count: int, point: Point) -> str:
    return f"{counted(count, 'verdict')} on {point.window.version}"


def _by_version(line: Series, found: Condition, told: Told) -> list[Series]:
    """Draw a line for each version that answered beside another, else one that pauses between."""
    parts = []
    for stint in found.stints:
        read = [told(point, found) for point in stint.points]
        if known := [one for one in read if one.value is not None]:
            parts.append((stint.version, known))
    if all(one[-1].at < other[0].at for (_, one), (_, other) in pairwise(parts)):
        return [replace(line, readings=_in_turn(parts))]
    versions = dict.fromkeys(version for version, _ in parts)
    tones = TONES if line.style == "solid" else (line.tone,)
    return [
        Series(
            f"{line.name} of {version}",
            _in_turn([part for part in parts if part[0] == version]),
            tones[number % len(tones)],
            line.style,
        )
        for number, version in enumerate(versions)
    ]


def _in_turn(parts: Sequence[tuple[str, Sequence[Reading]]]) -> list[Reading]:
    """Put stints after each other, with a pause in the line where the version changes."""
    of_version = groupby(parts, key=lambda part: part[0])
    return parted([one for _, read in stints for one in read] for _, stints in of_version)


# ── verdict by verdict ───────────────────────────────────────────────────────────────────────


def _rolled(points: Sequence[tuple[float, Rolled]], schema: Schema) -> list[Reading]:
    """Draw points as a line that pauses where the version changes, each of verdicts enough."""
    enough = [one for one in points if _is_enough(one[1].accuracy.count or one[1].errors.count)]
    of_version = groupby(enough, key=lambda point: point[1].version)
    return parted([_rolled_at(where, one, schema) for where, one in run] for _, run in of_version)


def _rolled_at(where: float, point: Rolled, schema: Schema) -> Reading:
    if not schema.is_classifier:
        return Reading(where, point.errors.mae, words=point.version)
    one = point.accuracy
    return Reading(where, one.value, one.low, one.high, point.version)


def _what(schema: Schema) -> str:
    return "Accuracy" if schema.is_classifier else "Mean error"


def _measure(schema: Schema) -> Measure:
    return RIGHT if schema.is_classifier else OFF


def _ago(place: float) -> str:
    """Say which verdict it is.

    >>> _ago(0.0), _ago(-1.0), _ago(-20.0)
    ('the newest', '1 before', '20 before')
    """
    return f"{-place:.0f} before" if place < -0.5 else "the newest"
