"""What each version reaches on the same rows, beside the line of the champion.

Of one version: the two dots of the gate on one scale, each with how far chance may move it, and how
right it is when it is so sure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from unrot.core.percent import points
from unrot.core.plurals import counted
from unrot.core.records import GateVerdict, Schema, Version
from unrot.core.schema import spoken
from unrot.learn.scoreboard import Scoreboard, Scored
from unrot.watch.monitors.estimate.calibration import Calibration
from unrot.watch.statistics.accuracy import Share, share
from unrot.web.charts.axes import Axis, choice_axis, extent, number_axis, plain_axis
from unrot.web.charts.bars import Group, groups
from unrot.web.charts.chart import Chart, Dot, Entry, Spot, Stroke, Table, path
from unrot.web.charts.lines import Level, Measure, Reading, Series, lines
from unrot.web.wording import percent, rough

MOST_TICKS = 8
MOST_REASONS = 8
SURE = 0.9
"""Of which confidence the sentence tells."""


def build_leaning(version: Version, parent: Version | None, schema: Schema) -> Chart | None:
    """Draw what moves a version's answers, beside what moves its parent's; None if nobody knows."""
    leads = dict(list(version.leans_on.items())[:MOST_REASONS])
    if not leads:
        return None
    names = {feature.name: spoken(feature) for feature in schema.features}
    told = [Group(version.name, {names[one]: share for one, share in leads.items()}, "one")]
    if parent is not None and parent.leans_on:
        beside = {names[one]: parent.leans_on.get(one, 0.0) for one in leads}
        told = [Group(parent.name, beside, "reference"), *told]
    first, share = next(iter(leads.items()))
    return groups(
        "leaning",
        "What it leans on",
        told,
        head="Feature",
        sentence=f"Of all that moves its answers {percent(share)} is {names[first]}.",
    )


def build_scores(names: Sequence[str], scores: Scoreboard, *, is_classifier: bool) -> Chart | None:
    """Draw versions, the oldest first; None where fewer than two were scored."""
    found = [scores.entry(name) for name in names]
    on_test_set = _series("On the test set", [one.on_test_set for one in found])
    on_verdicts = replace(
        _series("On the last verdicts", [one.on_verdicts for one in found]),
        tone="two",
        style="dashed",
    )
    drawn = [one for one in (on_test_set, on_verdicts) if len(one.known) > 1]
    if not drawn:
        return None
    says = percent if is_classifier else rough
    champion = scores.entry(scores.champion).on_test_set
    levels = []
    if champion is not None:
        levels.append(Level(champion.score, f"Champion {scores.champion} on the test set"))
    return lines(
        "scores",
        "Accuracy of the versions" if is_classifier else "Mean error of the versions",
        drawn,
        x=_axis(names),
        measure=Measure(says, high=1.0) if is_classifier else Measure(says, low=0.0),
        levels=levels,
        height="low",
        sentence=_sentence(names, drawn[0], is_classifier=is_classifier),
    )


def _series(name: str, scored: Sequence[Scored | None]) -> Series:
    readings = [
        Reading(place, None if one is None else one.score) for place, one in enumerate(scored)
    ]
    return Series(name, readings)


def _axis(names: Sequence[str]) -> Axis:
    every = -(-len(names) // MOST_TICKS)
    axis = replace(choice_axis(names), says=lambda at: names[round(at)], name="Version")
    return axis.marked(range(0, len(names), every))


def _sentence(names: Sequence[str], series: Series, *, is_classifier: bool) -> str:
    """Say which version is best there."""
    of, says = (max, percent) if is_classifier else (min, rough)
    best = of(one.value or 0.0 for one in series.known)
    reach = [names[round(one.at)] for one in series.known if one.value == best]
    where = series.name[0].lower() + series.name[1:]
    *others, last = reach
    told = f"is {last}" if not others else f"are {', '.join(others)} and {last}"
    return f"The best {where} {told}: {says(best)}."


# ── the gate ─────────────────────────────────────────────────────────────────────────────────


def build_gate(gate: GateVerdict, version: str, *, is_classifier: bool) -> Chart | None:
    """Draw champion and candidate on one scale; None where the gate had no rows."""
    if gate.champion_score is None or gate.candidate_score is None or not gate.rows:
        return None
    sides = [
        _side(f"Champion {gate.champion}", gate.champion_score, gate.rows, is_classifier),
        _side(f"Candidate {version}", gate.candidate_score, gate.rows, is_classifier),
    ]
    x = number_axis(
        *extent([end for one in sides for end in (one.low, one.high)]),
        says=percent if is_classifier else rough,
    )
    drawn = list(zip(sides, LANES, TONES, SHAPES, strict=True))
    return Chart(
        "gate",
        "Champion and candidate on the same rows",
        _gate_sentence(gate, sides, x),
        Table(
            ("Version", "Score", *(["95 % interval"] if is_classifier else [])), _cells(sides, x)
        ),
        x,
        Axis(0.0, 1.0, is_upright=True),
        pointing="points",
        height="low",
        strokes=tuple(
            Stroke(path([(x.at(one.low), lane), (x.at(one.high), lane)]), tone)
            for one, lane, tone, _ in drawn
        ),
        dots=tuple(Dot(x.at(one.score), lane, tone, shape) for one, lane, tone, shape in drawn),
        spots=tuple(
            Spot(x.at(one.score), lane, f"{one.name}\n{x.says(one.score)}")
            for one, lane, _, _ in drawn
        ),
        legend=tuple(Entry(one.name, tone, shape) for one, _, tone, shape in drawn),
    )


LANES: tuple[float, float] = (36.0, 64.0)
TONES = ("guess", "one")
SHAPES: tuple[Literal["ring", "circle"], ...] = ("ring", "circle")


@dataclass(frozen=True, slots=True)
class _Side:
    name: str
    score: float
    low: float
    high: float


def _side(name: str, score: float, rows: int, is_classifier: bool) -> _Side:
    """Return a score with its interval (Wilson); of numbers only the score itself is on record."""
    found = share(round(score * rows), rows) if is_classifier else None
    if found is None or found.low is None or found.high is None:
        return _Side(name, score, score, score)
    return _Side(name, score, found.low, found.high)


def _cells(sides: Sequence[_Side], x: Axis) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (one.name, x.says(one.score), f"{x.says(one.low)} to {x.says(one.high)}")
        if one.low < one.high
        else (one.name, x.says(one.score))
        for one in sides
    )


def _gate_sentence(gate: GateVerdict, sides: Sequence[_Side], x: Axis) -> str:
    said = "; ".join(f"{one.name}: {x.says(one.score)}" for one in sides)
    lines = " The lines are their 95 % intervals." if sides[0].low < sides[0].high else ""
    return f"{said}, on {counted(gate.rows, 'row')}.{lines}"


# ── calibration ──────────────────────────────────────────────────────────────────────────────


def _errors(known: Calibration) -> str:
    """Say the two usual numbers of a calibration; nothing of one that was made without."""
    if known.ece is None or known.brier is None:
        return ""
    ece, brier = known.ece, known.brier
    return (
        f" On average it is {points(ece.value)} off being as right as it is sure (expected "
        f"calibration error, 95 % interval {rough(100 * ece.low)} to {points(ece.high)}). "
        f"Brier score {brier.value:.3f} ({brier.low:.3f} to {brier.high:.3f}): 0 is best."
    )


@dataclass(frozen=True, slots=True)
class Tenth:
    """The answers of a test set that were about equally sure: how sure, and how often right."""

    sure: float
    right: Share


def read_tenths(known: Calibration) -> list[Tenth]:
    """Return what a reliability diagram shows, as numbers with their 95 % intervals."""
    return [
        Tenth(sure / count, share(right, count)) for count, sure, right in known.groups if count
    ]


def build_calibration(known: Calibration) -> Chart:
    """Draw how often a version was right on its test set by how sure it was."""
    least, most = known.starts[0], _surest(known)
    ends = [Reading(at, at) for at in (least, 1.0)]
    steps = [Reading(at, right) for at, right in zip(known.starts, known.shares, strict=True)]
    if steps[-1].at < most:
        steps.append(Reading(most, known.shares[-1]))
    return lines(
        "calibration",
        "How right it is when it is so sure",
        [
            Series("Right", steps),
            Series("As right as it is sure", ends, tone="guess", style="dashed"),
        ],
        x=replace(plain_axis(least, 1.0, percent), name="How sure"),
        measure=Measure(percent, high=1.0),
        height="low",
        sentence=f"{_how_right(known, most)}{_errors(known)}",
    )


def _surest(known: Calibration) -> float:
    """Return where the last tenth that has rows ends; 1 where the tenths are not known."""
    filled = [place for place, (rows, _, _) in enumerate(known.groups, 1) if rows]
    return filled[-1] / len(known.groups) if filled else 1.0


def _how_right(known: Calibration, most: float) -> str:
    rows = f"{counted(known.rows, 'row')} of its test set"
    if most <= SURE:
        return f"It was never more than {percent(most)} sure, on {rows}."
    sure, right = percent(SURE), percent(known.share_at(SURE))
    said = f"Where it is {sure} sure it is right {right} of the time."
    if known.groups:
        said += f" It was at least so sure on {known.groups[-1][0]:,} of {rows}."
    return said
