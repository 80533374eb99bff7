"""Rows of a good period beside rows of a bad one, by any two features: where does it go wrong?

A period is a stretch of time, or the test set of a version. Of each side the newest
rows are read, as many as can be looked at, and drawn from evenly when they are more than fit into
a chart. Both sides lie on the same axes, and a range of those picks the same corner of both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from math import inf
from typing import Literal, TypeVar

import numpy as np

from unrot.core.errors import NotFound, shown, wrong_field
from unrot.core.records import (
    CHAMPION,
    Finding,
    JudgedPrediction,
    Model,
    ModelKey,
    Row,
    Schema,
    Value,
)
from unrot.core.test_sets import MeasuredOn
from unrot.core.time import HOUR
from unrot.hear.truth import Answer, is_fair_row, is_right, truth_of, was_right
from unrot.serve.service import Service
from unrot.watch import holdout
from unrot.watch.reports import axes
from unrot.watch.reports.axes import Axis

MOST_POINTS = 1_000
"""As many rows of a side are drawn."""
MOST_READ, MOST_CELLS = 4_000, 200_000
"""As many of its newest rows are read; of a wide model fewer."""
SECOND = 1.0

Preset = Literal["holdout", "before", "since", "first", "last", "newest", "times"]
CLASS, PROBABILITY, VALUE = "output.class", "output.probability", "output.value"
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Span:
    """The rows of one side: those of a stretch of time, or the test set."""

    preset: Preset
    since: float = 0.0
    until: float = inf


@dataclass(frozen=True, slots=True)
class ExplorerQuery:
    """What to show; whatever is None is chosen by what is there."""

    x: str | None = None
    y: str | None = None
    left: Span | None = None
    right: Span | None = None
    version: str | None = None
    with_unjudged: bool = False
    finding: str | None = None
    limits: Mapping[str, str] = field(default_factory=dict)
    """x_from, x_to, y_from, y_to as typed: numbers, or choices."""


@dataclass(frozen=True, slots=True)
class ExplorerRow:
    """One row: what was answered, what is true, and whether that was right."""

    id: str | None
    at: float | None
    version: str
    row: Row
    answer: Answer | None
    truth: Answer | None
    is_right: bool | None
    """None where nobody has said."""
    confidence: float | None
    is_asked: bool = False
    """Whether it was judged only because a judge was asked to: it is among the hardest."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two charts."""

    span: Span
    rows: Sequence[ExplorerRow]
    read: int
    """So many rows were looked at to draw these from."""
    is_newest_only: bool
    """True when there are older ones in the period than were looked at."""
    on: MeasuredOn | None = None
    """Which rows the test set is; None of a period."""
    score: float | None = None
    """What the version reaches on all of the test set, as every page says it."""
    chosen: Sequence[ExplorerRow] = ()
    """The rows within the limits of both axes, mistakes first."""

    @property
    def right(self) -> int:
        """How many are known to be right."""
        return sum(one.is_right is True for one in self.rows)

    @property
    def wrong(self) -> int:
        """How many are known to be wrong."""
        return sum(one.is_right is False for one in self.rows)

    @property
    def asked(self) -> int:
        """How many are in no accuracy, because a judge was asked for them."""
        return sum(one.is_asked for one in self.rows)


@dataclass(frozen=True, slots=True)
class Explored:
    """Two sides on the same two axes."""

    model: Model
    x: Axis
    y: Axis
    left: Side
    right: Side
    spans: Mapping[Preset, Span]
    """The periods that can be named."""
    finding: Finding | None
    within: float | None
    """How far off a right number may be."""
    within_of: str = ""
    """The version whose mean error tells that."""

    @property
    def is_limited(self) -> bool:
        """True when a part of the charts is looked at closely."""
        return self.x.is_limited or self.y.is_limited


def explore(service: Service, name: str, asked: ExplorerQuery) -> Explored:
    """Put the rows of two periods side by side."""
    model = service.catalogue().model(name).model
    finding = _finding(service, model, asked.finding)
    spans = _spans(service, model.key, finding)
    x, y = _columns(model.schema, asked, finding)
    within = None if model.schema.is_classifier else _within(service, name)
    left, right = (
        _read(service, model, _span(span, side, spans), asked, within)
        for side, span in (("left", asked.left), ("right", asked.right))
    )
    both = [*left.rows, *right.rows]
    across, up = (
        _axis(model.schema, column, both).limited(
            asked.limits.get(f"{letter}_from", ""), asked.limits.get(f"{letter}_to", "")
        )
        for letter, column in (("x", x), ("y", y))
    )
    return Explored(
        model=model,
        x=across,
        y=up,
        left=_closely(left, across, up, model.schema),
        right=_closely(right, across, up, model.schema),
        spans=spans,
        finding=finding,
        within=within,
        within_of=service.catalogue().model(name).aliases.get(CHAMPION, ""),
    )


def value_of(seen: ExplorerRow, column: str, schema: Schema) -> Value:
    """Return what a row has in a column: a feature, or what was answered."""
    if column in schema.names:
        place = schema.names.index(column)
        return seen.row[place] if place < len(seen.row) else None
    return seen.confidence if column == PROBABILITY else seen.answer


def outputs_of(schema: Schema) -> tuple[str, ...]:
    """Return the columns that a model answers."""
    return (CLASS, PROBABILITY) if schema.is_classifier else (VALUE,)


# ── what is asked ────────────────────────────────────────────────────────────────────────────


def _finding(service: Service, model: Model, id: str | None) -> Finding | None:
    findings = service.store.findings
    if id:
        found = findings.finding(id)
        if found is None or found.model != model.key:
            raise NotFound(f"{model.name} has no finding {shown(id)}.")
        return found
    return next(iter(findings.open(model.key)), None)


def _spans(service: Service, model: ModelKey, finding: Finding | None) -> dict[Preset, Span]:
    spans: dict[Preset, Span] = {"holdout": Span("holdout"), "newest": Span("newest")}
    if finding is not None:
        until = inf if finding.closed_at is None else finding.closed_at
        spans["before"] = Span("before", 0.0, finding.since)
        spans["since"] = Span("since", finding.since, until)
    ends = service.store.traffic.judged_span(model)
    if ends is not None:
        first, last = ends
        spans["first"] = Span("first", first, first + HOUR)
        spans["last"] = Span("last", last - HOUR, last + SECOND)
    return spans


def _span(asked: Span | None, side: str, spans: Mapping[Preset, Span]) -> Span:
    if asked is not None and asked.preset == "times":
        return asked
    usual: tuple[Preset, ...] = ("before", "holdout") if side == "left" else ("since", "newest")
    wanted = usual if asked is None else (asked.preset,)
    for preset in wanted:
        if preset in spans:
            return spans[preset]
    return Span(wanted[0], 0.0, 0.0)


def _columns(schema: Schema, asked: ExplorerQuery, finding: Finding | None) -> tuple[str, str]:
    known = [*schema.names, *outputs_of(schema)]
    for given in (asked.x, asked.y):
        if given is not None and given not in known:
            near = get_close_matches(given[:200], schema.names, n=1, cutoff=0.5)
            hint = f"; the nearest one is {near[0]}" if near else ""
            raise wrong_field("feature", given, f"a feature of the model{hint}")
    named = finding.features if finding is not None else ()
    numbers = [one.name for one in schema.features if one.kind in ("number", "integer")]
    ranked = [*(one for one in named if one in known), *numbers, *known]
    x = asked.x or next(one for one in ranked if one != asked.y)
    y = asked.y or next((one for one in ranked if one != x), x)
    return x, y


def _within(service: Service, name: str) -> float | None:
    try:
        return holdout.near(service.catalogue().model(name).version())
    except NotFound:
        return None


# ── rows ─────────────────────────────────────────────────────────────────────────────────────


def _read(
    service: Service, model: Model, span: Span, asked: ExplorerQuery, within: float | None
) -> Side:
    if span.preset == "holdout":
        held = holdout.holdout(service, model.name, asked.version)
        if held is None:
            return Side(span, (), 0, is_newest_only=False)
        rows = [_held(one, held.version) for one in held.rows]
        on, reached = held.on, held.score
        return Side(
            span, _sample_rows(rows), held.all_rows, is_newest_only=False, on=on, score=reached
        )
    most = min(MOST_READ, MOST_CELLS // max(1, len(model.schema.features)))
    found = service.store.traffic.of_period(
        model.key,
        since=span.since,
        until=span.until,
        judged_only=not asked.with_unjudged,
        limit=most + 1,
    )
    kept = [one for one in found[:most] if asked.version in (None, one.prediction.version)]
    rows = [_seen(one, model.schema, within) for one in _sample_rows(kept)]
    return Side(span, rows, len(kept), is_newest_only=len(found) > most)


def _sample_rows(rows: Sequence[R]) -> Sequence[R]:
    """Return at most so many rows, evenly from the first to the last."""
    if len(rows) <= MOST_POINTS:
        return rows
    return [rows[place] for place in np.linspace(0, len(rows) - 1, MOST_POINTS).astype(int)]


def _held(one: holdout.Held, version: str) -> ExplorerRow:
    return ExplorerRow(
        None, None, version, one.row, one.answer, one.truth, one.is_right, one.confidence
    )


def _seen(judged: JudgedPrediction, schema: Schema, within: float | None) -> ExplorerRow:
    made, said = judged.prediction, judged.feedback
    answer = made.value if made.label is None else made.label
    truth = None if said is None else truth_of(made.label, said, schema)
    right = was_right(made, said)
    if made.value is not None and truth is not None and within is not None:
        right = is_right(made.value, truth, within)
    confidence = max(made.probabilities) if made.probabilities else None
    return ExplorerRow(
        *(made.id, made.predicted_at, made.version, made.inputs, answer, truth, right, confidence),
        is_asked=said is not None and not is_fair_row(said),
    )


def _closely(side: Side, x: Axis, y: Axis, schema: Schema) -> Side:
    """Choose the rows within the limits, mistakes first and the surest of them before all."""
    chosen = [
        one
        for one in side.rows
        if x.holds(value_of(one, x.column, schema)) and y.holds(value_of(one, y.column, schema))
    ]
    order = {False: 0, True: 1, None: 2}
    return replace(
        side, chosen=sorted(chosen, key=lambda one: (order[one.is_right], -(one.confidence or 0)))
    )


def _axis(schema: Schema, column: str, rows: Sequence[ExplorerRow]) -> Axis:
    values = [value_of(one, column, schema) for one in rows]
    feature = next((one for one in schema.features if one.name == column), None)
    if feature is not None and feature.kind == "category":
        return axes.choices(column, values, feature.choices)
    if feature is not None and feature.kind == "boolean":
        return axes.choices(column, values, (False, True))
    if feature is None and column == CLASS:
        return axes.choices(column, values, schema.classes)
    return axes.numbers(column, values)
