"""The table of versions: who reaches what on the same rows, in the order that somebody asks for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from unrot.core import lineage
from unrot.core.plurals import counted
from unrot.core.records import CHAMPION, GateVerdict, Version
from unrot.core.time import short_time
from unrot.learn.next_step import LEARN, REFIT, NextStep, Situation, advise_next_step
from unrot.learn.promote import last_gate
from unrot.learn.scoreboard import Entry, Scoreboard, Scored, read_scoreboard
from unrot.watch.findings import open_findings
from unrot.web.current import service
from unrot.web.pages.standing import Standing

MOST_COMPARED = 4
SECONDS_A_LOOK = 1.0
"""A page waits no longer for versions to answer; the rest are scored when it is looked at again."""


@dataclass(frozen=True, slots=True)
class Row:
    """A version as the table shows it."""

    version: Version
    entry: Entry
    gate: GateVerdict | None
    served: Sequence[tuple[float, float | None]] = ()
    """From when to when it was champion."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column that can be sorted by."""

    key: str
    label: str
    is_chosen: bool
    is_down: bool
    """True where the largest, or newest, comes first."""


Value = float | None
COLUMNS: Mapping[str, tuple[str, Callable[[Row], Value]]] = {
    "test_set": ("On the test set", lambda row: _score(row.entry.on_test_set)),
    "verdicts": ("On the last verdicts", lambda row: _score(row.entry.on_verdicts)),
    "made": ("Made", lambda row: row.version.created_at),
    "size": ("Size", lambda row: row.entry.size),
    "speed": ("One row", lambda row: row.entry.seconds),
    "served": ("Answered", lambda row: row.served[-1][0] if row.served else None),
}


def _score(scored: Scored | None) -> float | None:
    return None if scored is None else scored.score


def read_rows(stands: Standing, versions: Sequence[Version], scores: Scoreboard) -> list[Row]:
    """Return the rows of some versions."""
    served = lineage.served(service().store.registry.moves(stands.model.key))
    return [
        Row(
            one,
            scores.entry(one.name),
            last_gate(service(), one.model, one.name),
            served.get(one.name, ()),
        )
        for one in versions
    ]


def sort_rows(rows: Sequence[Row], by: str, *, is_down: bool) -> list[Row]:
    """Sort rows by a column; what has no value there comes last, whichever way."""
    if by not in COLUMNS:
        return list(rows)
    value = COLUMNS[by][1]
    known = [row for row in rows if value(row) is not None]
    known.sort(key=lambda row: value(row) or 0, reverse=is_down)
    return known + [row for row in rows if value(row) is None]


def read_heads(by: str, *, is_down: bool) -> list[Head]:
    """Return the heads of the columns that can be sorted by."""
    return [Head(key, label, key == by, is_down) for key, (label, _) in COLUMNS.items()]


def read_next_step(
    stands: Standing, scores: Scoreboard, gates: Mapping[str, GateVerdict | None]
) -> NextStep:
    """Say what to do next with a model."""
    moves = service().store.registry.moves(stands.model.key)
    found = open_findings(service(), stands.model.name)
    now = service().clock()
    has_been = lineage.champions(one for one in moves if one.alias == CHAMPION)
    return advise_next_step(
        Situation(
            champion=stands.champion,
            versions=stands.versions,
            gates=gates,
            scores=scores,
            waiting=stands.waiting,
            rolls_back_to=stands.rolls_back_to,
            has_been=has_been,
            rot=next((one for one in found if one.kind == "rot" and not one.is_snoozed(now)), None),
            learnt_all=_newest_that_learnt_all(stands, has_been),
        )
    )


def _newest_that_learnt_all(stands: Standing, has_been: Collection[str]) -> Version | None:
    """Return the newest version, if it was learnt, never answered, and no verdict waits for it."""
    newest = stands.versions[-1] if stands.versions else None
    if newest is None or newest.is_pruned or newest.name in has_been:
        return None
    if newest.origin not in (LEARN, REFIT):
        return None
    line = lineage.learning_line(stands.versions, newest.name)
    return None if service().store.lessons.count_waiting(stands.model.key, line) else newest


def score(stands: Standing, versions: Sequence[Version]) -> Scoreboard:
    """Let the versions of a page answer the same rows, and the one to roll back to."""
    names = {one.name for one in versions}
    before = [one for one in stands.versions if one.name == stands.rolls_back_to]
    more = [one for one in before if one.name not in names]
    return read_scoreboard(service(), stands.model.name, [*versions, *more], seconds=SECONDS_A_LOOK)


def describe_served(served: Sequence[tuple[float, float | None]]) -> str:
    """Say when a version was champion.

    >>> describe_served([(0.0, 3_600.0), (7_200.0, None)])
    'since 1970-01-01 02:00 UTC, and once before'
    >>> describe_served([(0.0, 3_600.0)])
    '1970-01-01 00:00 UTC to 1970-01-01 01:00 UTC'
    """
    if not served:
        return "–"
    since, until = served[-1]
    said = f"since {short_time(since)}"
    if until is not None:
        said = f"{short_time(since)} to {short_time(until)}"
    before = len(served) - 1
    if not before:
        return said
    return f"{said}, and {'once' if before == 1 else counted(before, 'time')} before"


def describe_time(seconds: float | None) -> str:
    """Write how long a row takes.

    >>> [describe_time(one) for one in (0.000043, 0.0123, 2.5, None)]
    ['0.04 ms', '12 ms', '2,500 ms', '–']
    """
    if seconds is None:
        return "–"
    took = 1_000 * seconds
    return f"{took:.2f} ms" if took < 1 else f"{took:,.0f} ms" if took >= 10 else f"{took:.1f} ms"
