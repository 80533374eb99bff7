"""Hold what the champion leans on, day by day, against what it leaned on in training.

Of a closed day some rows are taken that it has answered, spread over the day, and explained as they
are for people. That is done where explanations are exact: these need no model, and the caretaker
loads none. A day is looked at once, and only the newest one: what a version leaned on in days that
were imported afterwards tells nothing that is to be done now.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from unrot.core.percent import roughly
from unrot.core.plurals import counted
from unrot.core.records import Row, Symptom, Version
from unrot.core.schema import spoken
from unrot.core.time import DAY, HOUR
from unrot.explain.explaining import read_kept
from unrot.explain.importance import Amounts, amounts_by_sums, shares_of, spread
from unrot.watch.monitors.reasons.note import MONITOR, Day, Note
from unrot.watch.monitors.reasons.rule import FEWEST, Change, changed_places
from unrot.watch.notes import read_note
from unrot.watch.statistics.many_looks import allowed
from unrot.watch.visit import Visit
from unrot.watch.worth.rows import not_worth

CAUSE = MONITOR
DELTA = 0.01
LATE_SECONDS = HOUR
"""So long after its end a day is looked at: all of it is shipped by then."""
STRETCH = int(3 * HOUR)
ROWS_OF_STRETCH, MOST_ROWS = 15, 120
SECONDS = 1.0
"""So long the rows of a day, and those of the training, may take; else no day is looked at."""
KEPT_DAYS = 30
MOST_NAMED = 3
ADVICE = (
    "Look at the features that are named: at their distributions beside training, and at whether "
    "rows that lean on them are judged right. If the world has changed, judge rows of it and refit."
)


def look(visit: Visit) -> Iterator[Symptom]:
    """Look at the day that has closed last, once."""
    until = (visit.now - LATE_SECONDS) // DAY * DAY
    version = visit.shelved.versions.get(visit.champion)
    seen = until, visit.champion
    if not visit.rules.reasons or version is None or visit.remembered.get(MONITOR) == seen:
        return
    note = read_note(Note, visit.read_note(MONITOR))
    if note.version != version.name:
        if note.is_open:
            yield _gone(until, "Another version answers.")
        note = Note(version.name)
    if note.to < until:
        yield from _look_at_day(visit, version, note, until)
        note.to = until
        visit.write_note(MONITOR, note)
    visit.remembered[MONITOR] = seen


def _look_at_day(visit: Visit, version: Version, note: Note, until: float) -> Iterator[Symptom]:
    kept = read_kept(visit.service.shelf, visit.shelved, version)
    many = kept.sums.rows_within(SECONDS, MOST_ROWS) if kept.sums else 0
    rows = _rows_of(visit, version, until - DAY, until) if many >= FEWEST else []
    if kept.sums is None or not rows:
        return
    before = amounts_by_sums(kept.sums, spread(kept.rows, many))
    now = amounts_by_sums(kept.sums, spread(rows, many))
    note.looks += 1
    names = visit.model.schema.names
    shares = dict(zip(names, shares_of(now).tolist(), strict=True))
    note.days = [*note.days, Day(until - DAY, len(now), shares)][-KEPT_DAYS:]
    found = _changes(visit, note, before, now, until)
    if found:
        note.since = note.since if note.is_open else until - DAY
        note.is_open = True
        yield _turned(visit, found, before, now, note, until)
    elif note.is_open and not changed_places(before, now, chance=0.5):
        note.is_open = False
        yield _gone(until, "It leans on what it leaned on in training again.")


def _changes(visit: Visit, note: Note, before: Amounts, now: Amounts, until: float) -> list[Change]:
    """Return the pairs that have changed places; where some seem so, rows tell their worth."""
    look = partial(
        changed_places,
        *(before, now),
        chance=allowed(note.looks, DELTA),
        least_share=visit.rules.reason_share,
    )
    return look(worth=not_worth(visit, until)) if look() else []


def _rows_of(visit: Visit, version: Version, since: float, until: float) -> list[Row]:
    """Return some rows of a day that a version answered, a few of each part of it."""
    found: list[Row] = []
    for start in range(int(since), int(until), STRETCH):
        part = visit.store.traffic.of_period(
            visit.key,
            since=start,
            until=start + STRETCH,
            judged_only=False,
            limit=ROWS_OF_STRETCH,
        )
        found += [one.prediction.inputs for one in part if one.prediction.version == version.name]
    return found


def _turned(
    visit: Visit, found: list[Change], before: Amounts, now: Amounts, note: Note, until: float
) -> Symptom:
    features, was, has = visit.model.schema.features, shares_of(before), shares_of(now)
    first = found[0]
    up, down = features[first.up], features[first.down]
    named = list(dict.fromkeys(place for one in found for place in (one.up, one.down)))
    return Symptom(
        cause=CAUSE,
        kind="reasons",
        is_present=True,
        at=until,
        since=note.since,
        sentence=(
            f"{spoken(up)[:1].upper()}{spoken(up)[1:]} moves its answers more than {spoken(down)} "
            f"does: {roughly(float(has[first.up]))} of all that moved them in "
            f"{counted(len(now), 'row')} of the last day, against "
            f"{roughly(float(has[first.down]))}. In training it was "
            f"{roughly(float(was[first.up]))} against {roughly(float(was[first.down]))}."
        ),
        advice=ADVICE,
        features=tuple(features[place].name for place in named[:MOST_NAMED]),
        evidence={
            "rows": len(now),
            "features": [
                {
                    "feature": features[place].name,
                    "share": float(has[place]),
                    "usual": float(was[place]),
                }
                for place in np.argsort(-np.maximum(was, has), kind="stable")[:10].tolist()
            ],
        },
    )


def _gone(at: float, sentence: str) -> Symptom:
    return Symptom(CAUSE, "reasons", is_present=False, at=at, sentence=sentence)
