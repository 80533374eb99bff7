"""The rows on which champion and candidate are compared: the anchor, or recent trusted rows.

The anchor stands while the champion does on recent trusted rows what it does on the anchor. When
it does significantly worse (`world_shift.py`), the rows since then are the ground. They are the
ground as well where no anchor is, or one of fewer than 30 rows while 30 recent ones are there.

An anchor that was itself frozen from recent rows begins small: a move is seen on 30 rows, and 149
are needed to rule out a loss of 2 %. Left so, it would decide nothing for ever, and a half-learnt
new world would stay half learnt. So it grows: once judges went through twice as many rows of its
world, all of these are the ground, and a promotion freezes them. Only doubling, because the best
score begins anew with each anchor: from 30 rows to 5,000 that is seven times, and no way for small
steps down: the first champion of a world stays the one that no candidate may fall behind.

Rows that grow are weighed again and again, so what is said on them holds at any time; the training
holdout is fixed. Where the rows begin at a place that was looked for, the doubt is shared among all
places at which they might have begun (looking for where the champion does worst favours the
candidate, so that only the bound needs it).

    >>> from unrot.core.records import Outputs

    >>> from unrot.core.records import Schema
    >>> schema = Schema((), "temper", ("hostile", "friendly"))
    >>> rows = Answered([[]] * 90, ["hostile"] * 90, Outputs(classes=[0] * 90))
    >>> find_ground(Evidence(schema, "v1", "v2", anchor=Sides(rows, rows))).name
    'anchor'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from unrot.core.numbers import rough
from unrot.core.percent import percent
from unrot.core.plurals import counted
from unrot.core.records import Answered, Ground, Schema
from unrot.core.time import short_time
from unrot.hear.scores import Errors, is_finite, row_errors, score
from unrot.learn.gate.exact_tests import DOUBT
from unrot.learn.gate.paired_test import Doubt
from unrot.learn.gate.spending import share_of_doubt
from unrot.learn.gate.world_shift import FEWEST, Move, find_move
from unrot.watch.worth.one_sided import OneSided

NO_ROWS = np.zeros(0)

GROWTH = 2
"""How many times as many recent rows take the place of an anchor of the same world."""


@dataclass(frozen=True, slots=True)
class Sides:
    """The same rows answered by both."""

    champion: Answered
    candidate: Answered


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the gate looks at.

    `recent` are trusted rows that no version of the line has learnt, from when the anchor's world
    began, in the order in which they were predicted; an anchor that was itself frozen from such
    rows has its own among them, so that it counts as known to stand.
    """

    schema: Schema
    champion: str
    candidate: str
    anchor: Sides | None = None
    recent: Sides | None = None
    recent_at: Sequence[float] = ()
    """When each recent row was predicted, or each that was heard."""
    move: Move | None = None
    """Whether the champion's world has moved, where that is known already."""
    audited: Sequence[bool] = ()
    """Which recent rows an audit asked for; empty when none."""
    best_score: float | None = None
    """The best that any champion reached on this anchor."""
    best: Answered | None = None
    """What that champion answers to the anchor, where it is not the present one."""
    first: Answered | None = None
    """What the first champion of this world answers to the anchor, where it is another one."""
    first_recent: Answered | None = None
    """What it answers to the recent rows."""
    is_fixed: bool = False
    """True when the anchor's rows are fixed and weigh each candidate once; else they may grow."""
    weighed: int = 0
    """How many candidates were weighed in this world before."""
    promoted: int = 0
    """How many of those became champion."""
    can_grow: bool = False
    """True when the anchor was itself frozen from recent rows: its own are then among them."""
    taught_from: float | None = None
    """When the first verdict that the candidate learnt was predicted."""
    served_by: str = "onnx"
    largest_difference: float | None = None
    """ONNX beside scikit-learn, on the reference rows."""
    is_finite: bool = True
    """False when the candidate answers the reference rows with something that is no number."""
    judged: int = 0
    predicted: int = 0
    can_be_audited: bool = True
    """False when no recent prediction is left that a judge could go through."""
    one_sided: OneSided | None = None
    """Why judges' verdicts do not tell who is right; those are not among the recent rows."""
    heard: Errors | None = None
    """How the champion's own answers were judged, where no recent row tells what is right."""

    @property
    def answers_numbers(self) -> bool:
        """True when everything that the candidate answers is finite."""
        sides = [side for side in (self.anchor, self.recent) if side is not None]
        return self.is_finite and all(is_finite(side.candidate.outputs) for side in sides)


@dataclass(frozen=True, slots=True)
class Footing:
    """The ground of a comparison: its rows as errors of both sides, and why it is the ground."""

    name: Ground
    why: str
    truth: Sequence[str | float]
    champion: Errors
    candidate: Errors
    champion_score: float | None
    candidate_score: float | None
    places: Sequence[int]
    """The recent rows that it is made of; empty when it is the anchor."""
    move: Move
    moved_at: float | None
    anchor_score: float | None
    recent_rows: int
    recent_score: float | None
    is_sampled: bool
    """True when an audit asked for some of the recent rows."""
    rivals: Mapping[str, Errors]
    """Who else it may not fall behind on these rows, by what they are to them."""
    doubt: Doubt


def find_ground(evidence: Evidence) -> Footing:
    """Choose the ground and say why."""
    anchor, recent = _errors(evidence, evidence.anchor), _errors(evidence, evidence.recent)
    is_classifier = evidence.schema.is_classifier
    move = evidence.move or find_move(
        anchor[0], recent[0], is_classifier=is_classifier, at=evidence.recent_at
    )
    place = move.place
    heard = recent[0] if evidence.heard is None else evidence.heard
    shown, told = recent[0][place:], heard[place:]
    enough_recent = len(shown) >= FEWEST > len(anchor[0]) or _has_outgrown(
        evidence, anchor[0], shown
    )
    is_recent = move.has_moved or enough_recent or not len(anchor[0])
    side = evidence.recent if is_recent else evidence.anchor
    truth = side.champion.truth if side else ()
    sides = (shown, recent[1][place:]) if is_recent else anchor
    return Footing(
        name="recent verdicts" if is_recent else "anchor",
        why=_why(evidence, move, anchor[0], heard),
        truth=truth[place:] if is_recent else truth,
        champion=sides[0],
        candidate=sides[1],
        champion_score=score(evidence.schema, sides[0]),
        candidate_score=score(evidence.schema, sides[1]),
        places=tuple(range(place, len(recent[0]))) if is_recent else (),
        move=move,
        moved_at=_at(evidence, place) if move.has_moved else None,
        anchor_score=score(evidence.schema, anchor[0]),
        recent_rows=len(told),
        recent_score=score(evidence.schema, told),
        is_sampled=any(evidence.audited[place:]),
        rivals=_rivals(evidence, is_recent=is_recent, has_moved=move.has_moved),
        doubt=_doubt(evidence, move, is_recent=is_recent),
    )


def said_score(schema: Schema, errors: Errors) -> str:
    """Say how well some rows were answered."""
    if schema.is_classifier:
        share = percent(float(np.mean(errors == 0)))
        return f"right on {share} ({int(np.sum(errors == 0)):,} of {len(errors):,})"
    return f"off by {rough(float(np.mean(errors)))} on average ({counted(len(errors), 'row')})"


def _errors(evidence: Evidence, sides: Sides | None) -> tuple[Errors, Errors]:
    if sides is None or not len(sides.champion.rows):
        return NO_ROWS, NO_ROWS
    schema = evidence.schema
    return row_errors(schema, sides.champion), row_errors(schema, sides.candidate)


def _rivals(evidence: Evidence, *, is_recent: bool, has_moved: bool) -> dict[str, Errors]:
    """Return the champions of before in this world; another world has none."""
    first = evidence.first_recent if is_recent else evidence.first
    best = None if is_recent else evidence.best
    found = {} if has_moved else {"first": first, "best": best}
    return {
        name: row_errors(evidence.schema, answered)
        for name, answered in found.items()
        if answered is not None
    }


def _doubt(evidence: Evidence, move: Move, *, is_recent: bool) -> Doubt:
    """Share the doubt among all candidates, and among the places where the rows might begin."""
    places = move.places if move.has_moved else 1
    return Doubt(
        "fixed rows" if evidence.is_fixed and not is_recent else "any time",
        share_of_doubt(evidence.weighed, evidence.promoted) / places,
        DOUBT,
    )


def _has_outgrown(evidence: Evidence, anchor: Errors, recent: Errors) -> bool:
    return evidence.can_grow and len(recent) >= max(GROWTH * len(anchor), FEWEST)


def _at(evidence: Evidence, place: int) -> float | None:
    return evidence.recent_at[place] if place < len(evidence.recent_at) else None


def _why(evidence: Evidence, move: Move, anchor: Errors, recent: Errors) -> str:
    """Say why this is the ground, with numbers."""
    now = _why_now(evidence, move, anchor, recent[move.place :])
    if move.has_moved or not move.over:
        return now
    went, back = (_at(evidence, place) for place in move.over[-1])
    if went is None or back is None:
        return f"The world moved, and is what it was again. {now}"
    return f"The world moved at {short_time(went)} and was back at {short_time(back)}. {now}"


def _why_now(evidence: Evidence, move: Move, anchor: Errors, recent: Errors) -> str:
    """Say it of the present world."""
    champion, schema = evidence.champion, evidence.schema
    if not len(anchor):
        return f"{champion} has no test set: recent rows that judges went through stand for it."
    before = f"{champion} was {said_score(schema, anchor)} on its test set"
    if move.has_moved:
        at = _at(evidence, move.place)
        since = f"since {short_time(at)}" if at is not None else "lately"
        after = said_score(schema, recent)
        return f"The world has moved {since}: {before} and is {after} since then."
    if move.can_tell and len(anchor) < FEWEST:
        return (
            f"The test set has only {counted(len(anchor), 'row')}; judges went through "
            f"{len(recent)} recent."
        )
    if _has_outgrown(evidence, anchor, recent):
        return (
            f"The test set of {counted(len(anchor), 'row')} has been outgrown: judges went through "
            f"{len(recent)} of its "
            "world by now."
        )
    if move.can_tell:
        after = f"{said_score(schema, recent)} on recent verdicts"
        return f"The test set still holds: {before} and {after}."
    return (
        f"The test set is what there is: {counted(len(recent), 'recent row')} that judges went "
        "through cannot "
        f"tell whether the world has moved; {FEWEST} could."
    )
