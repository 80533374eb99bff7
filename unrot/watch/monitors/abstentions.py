"""Whether the champion answers "not sure" more often than it did.

Minutes are gathered until there are rows enough, and each such piece is looked at once, as pieces
of broken rows are (`watch/statistics/risen_share.py`): a share has risen when it lies above the
usual one by what the rules say and by more than chance, in the newest piece, or the newest two,
four or eight together. What is usual the stream says itself: before it has begun anything may be.
Another champion, or another coverage, makes other sets, and begins anew.

Whether "not sure" is an answer stands in the small file of this machine (`serve/sure.py`), so that
nothing is read of models where it is not, once what was found is closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from unrot.core.percent import roughly
from unrot.core.records import Symptom
from unrot.core.windows import grouped, total
from unrot.serve.sure import SureSettings, read_asked
from unrot.watch.notes import read_note
from unrot.watch.statistics.accuracy import share
from unrot.watch.statistics.many_looks import allowed
from unrot.watch.statistics.risen_share import Piece, Risen, Stream, look_at_piece
from unrot.watch.statistics.usual_share import Usual
from unrot.watch.visit import Visit
from unrot.watch.worth.rows import alike_of

MONITOR = CAUSE = "abstentions"
KEY = "unsure:"
NOT_KNOWN = Usual(1.0, 1.0, 0.5)
"""Before anything was seen each share is as likely."""
DELTA = 0.005
LATE_SECONDS = 10.0
"""So long after its end a minute waits for what is still on its way."""
LONGEST_SECONDS = 86_400.0
"""So far back it goes at most, after a pause."""
ADVICE = (
    "Look at what it was not sure of; judge what would teach most, and refit it with that. Where "
    "verdicts have made its sets larger, its coverage says so."
)
AGAIN = "It is as sure as usual again."
OVER = "“Not sure” is no answer any more."


@dataclass(slots=True)
class Note:
    """Where this monitor stands."""

    version: str = ""
    coverage: float = 0.0
    to: float = 0.0
    looks: int = 0
    stream: Stream = field(default_factory=lambda: Stream(0.0))


def look(visit: Visit) -> Iterator[Symptom]:
    """Look at the minutes that have closed since the last look."""
    asked = read_asked(visit.service.shelf.folder).get(visit.key)
    if asked is None or not visit.champion:
        return
    until = (visit.now - LATE_SECONDS) // 60 * 60
    if not asked.not_sure or not visit.rules.abstentions:
        yield from _ended(visit, until)
        return
    visit.remembered.pop(MONITOR, None)
    note = read_note(Note, visit.read_note(MONITOR))
    if (note.version, note.coverage) != (visit.champion, asked.coverage):
        if note.stream.course.raised:
            yield _gone(until, AGAIN)
        visit.write_note(MONITOR, _begun(visit, asked, until))
    elif until > note.to:
        yield from _go_on(visit, note, until)
        note.to = until
        visit.write_note(MONITOR, note)


def _ended(visit: Visit, until: float) -> Iterator[Symptom]:
    """Begin anew once "not sure" is an answer again, and say that what was found is gone."""
    if visit.remembered.get(MONITOR) == OVER:
        return
    note = read_note(Note, visit.read_note(MONITOR))
    if note.version:
        if note.stream.course.raised:
            yield _gone(until, OVER)
        visit.write_note(MONITOR, Note())
    visit.remembered[MONITOR] = OVER


def _begun(visit: Visit, asked: SureSettings, until: float) -> Note:
    return Note(visit.champion, asked.coverage, until, 0, Stream(until))


def _go_on(visit: Visit, note: Note, until: float) -> Iterator[Symptom]:
    since = max(note.to, until - LONGEST_SECONDS)
    windows = visit.store.traffic.windows(visit.key, since=since, until=until)
    own = [one for one in windows if one.version == note.version and one.asked_sure]
    for minute, some in sorted(grouped(own, lambda one: one.minute).items()):
        whole = total(some)
        counts = {KEY: (float(whole.unsure), float(whole.unsure))} if whole.unsure else {}
        piece = note.stream.gather(
            Piece(minute * 60.0, minute * 60.0 + 60.0, whole.asked_sure, counts),
            visit.rules.least_rows,
        )
        if piece is not None:
            yield _looked_at(visit, note, piece)


def _looked_at(visit: Visit, note: Note, piece: Piece) -> Symptom:
    note.looks += 1
    note.stream.course, risen = look_at_piece(
        note.stream.course,
        piece,
        {KEY: NOT_KNOWN},
        {KEY: visit.rules.unsure_rise},
        alpha=allowed(note.looks, DELTA),
        alike=lambda until: alike_of(visit, until),
    )
    return _risen(note.version, piece, risen[0]) if risen else _gone(piece.ends_at, AGAIN)


def _risen(version: str, piece: Piece, risen: Risen) -> Symptom:
    count = piece.counts.get(KEY, (0.0, 0.0))[0]
    now = share(int(count), int(piece.rows))
    return Symptom(
        cause=CAUSE,
        kind="abstentions",
        is_present=True,
        at=piece.ends_at,
        since=piece.starts_at,
        sentence=(
            f"{version} was not sure of {roughly(risen.share)} of its answers, where "
            f"{roughly(risen.usual)} were usual."
        ),
        advice=ADVICE,
        evidence={
            "share": risen.share,
            "usual": risen.usual,
            "newest": [now.value, now.low, now.high],
            "predictions": int(piece.rows),
            "starts_at": piece.starts_at,
            "ends_at": piece.ends_at,
        },
    )


def _gone(at: float, sentence: str) -> Symptom:
    return Symptom(CAUSE, "abstentions", is_present=False, at=at, sentence=sentence)
