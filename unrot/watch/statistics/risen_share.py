"""Whether shares of the rows of a stream have risen above what is usual, piece by piece.

A share has risen when it is more than a limit above the usual one (of far numbers a fifth of it),
by at least three independent rows, and that is too unlikely by chance (`usual_share.py`): the
newest piece, or the newest two, four or eight together. While it is raised it is not learnt as
usual. It looks calm again when a piece is no longer unlikely and less than half as far above the
usual share as it was; and it is, once such pieces in a row are enough to show that surely: who bets
that the share is no longer half way up would have won twentyfold (`many_looks.py`). A few rows
without a gap are no sign that there are none.

>>> stream = Stream(since=0.0)
>>> stream.gather(Piece(0.0, 60.0, 20.0, {}), least=30) is None
True
>>> stream.gather(Piece(60.0, 120.0, 20.0, {}), least=30).rows
40.0
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from unrot.core.time import WEEK
from unrot.watch.statistics.many_looks import evidence_below
from unrot.watch.statistics.usual_share import Past, Usual, not_worth

TOGETHER = (1, 2, 4, 8)
"""So many of the newest pieces are taken together."""
CALM, CALM_CHANCE, CALM_EVIDENCE = 0.5, 0.001, 20.0
LEAST_ROWS = 3
"""So many independent rows more than usual there must be."""
FAR_LEAST = 0.2
"""Of the limit: a number that is a thousand times too large does harm alone."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of traffic with enough rows, and what of it was not whole."""

    starts_at: float
    ends_at: float
    rows: float
    counts: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """By key: how many rows, in how many runs of neighbours; where there are any."""
    is_in_order: bool = False
    """True where a run of rows may go on in the next piece."""
    last: Mapping[str, float] = field(default_factory=dict)
    """The shares of the last of the pieces that it was made of, by key."""

    def with_(self, other: Piece) -> Piece:
        """Return this and the next piece as one."""
        keys = {**self.counts, **other.counts}
        return Piece(
            min(self.starts_at, other.starts_at),
            max(self.ends_at, other.ends_at),
            self.rows + other.rows,
            {key: _together((self, other), key)[::2] for key in keys},
            self.is_in_order,
            {key: other.ending(key) for key in keys},
        )

    def share(self, key: str) -> float:
        """Return the share of its rows that are so."""
        count = self.counts.get(key, NONE)[0]
        return count / self.held(key) if count else 0.0

    def ending(self, key: str) -> float:
        """Return how likely a run goes on from its last row, as far as its shares tell."""
        if not self.is_in_order:
            return 0.0
        return self.last.get(key, 0.0) if self.last else self.share(key)

    def held(self, key: str) -> float:
        """Return of how many rows a share is: what is missing is neither seen nor unseen."""
        what, _, column = key.partition(":")
        gaps = 0.0 if what == "missing" else self.counts.get(f"missing:{column}", NONE)[0]
        return self.rows - gaps


NONE = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A share that is raised: as it was told last, and the rows since it looks calm."""

    share: float
    count: float = 0.0
    rows: float = 0.0


@dataclass(frozen=True, slots=True)
class Course:
    """What is known of the pieces so far."""

    recent: tuple[Piece, ...] = ()
    """The newest, oldest first, which are looked at together; as they are learnt."""
    pieces: int = 0
    rows: float = 0.0
    counts: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Of those before, by key: how many rows, and the sum of squares that tells the spread."""
    raised: Mapping[str, float] = field(default_factory=dict)
    """By key how far above the usual share it was when it was raised, at most."""
    waiting: Mapping[str, Waiting] = field(default_factory=dict)
    """Of what is raised, by key."""

    def past(self, key: str, newest: int) -> Past:
        """Return what is known of a key without the newest pieces."""
        count, squares = self.counts.get(key, NONE)
        past = Past(self.pieces, self.rows, count, squares)
        for piece in self.recent[: len(self.recent) - newest]:
            past = past.after(piece.counts.get(key, NONE)[0], piece.held(key))
        return past


@dataclass(frozen=True, slots=True)
class Risen:
    """A share that is larger than usual."""

    key: str
    share: float
    usual: float
    pieces: int = 1
    """Of how many of the newest pieces it is the share."""
    is_waiting: bool = False
    """True where it looks calm and is not surely so yet: it is the share from when it did not."""

    @property
    def what(self) -> str:
        """What it is the share of."""
        return self.key.partition(":")[0]

    @property
    def column(self) -> str:
        """The column, empty for whole rows."""
        return self.key.partition(":")[2]


@dataclass(slots=True)
class Stream:
    """Rows on their way through time: those on the bins of one reference, or those refused."""

    since: float
    waiting: Piece | None = None
    """What was gathered and has not enough rows yet."""
    course: Course = field(default_factory=Course)

    def gather(self, piece: Piece, least: int) -> Piece | None:
        """Take more rows; return all that was gathered once it is enough."""
        whole = piece if self.waiting is None else self.waiting.with_(piece)
        self.waiting = None if whole.rows >= least else whole
        return whole if self.waiting is None else None

    def known(self, at: float) -> float:
        """Return which part of a week was seen by a moment."""
        return min(1.0, max(0.0, at - self.since) / WEEK)


def look_at_piece(
    course: Course,
    piece: Piece,
    priors: Mapping[str, Usual],
    limits: Mapping[str, float],
    *,
    alpha: float,
    alike: Callable[[float], tuple[float, float]] = lambda _until: (1.0, 1.0),
) -> tuple[Course, tuple[Risen, ...]]:
    """Look at one piece more; return what is known then, and the shares that are raised.

    `alpha` is how unlikely all of this look together may be. Keys without a limit are not looked
    at. `alike` says of a moment how often rows come again and how long they stay alike, where
    something looks like a rise.
    """
    course = replace(course, recent=(*course.recent, piece))
    alpha /= max(1, len(limits)) * len(TOGETHER)
    raised: dict[str, float] = {}
    waiting: dict[str, Waiting] = {}
    risen: list[Risen] = []
    for key in sorted(limits.keys() & priors.keys() & (piece.counts.keys() | course.raised.keys())):
        before = course.raised.get(key)
        found = (
            _risen(course, key, priors[key], limits[key], alpha, alike)
            if before is None
            else _still(course, key, priors[key], before)
        )
        if found is not None:
            raised[key] = max(before or 0.0, found.share - found.usual)
            waiting[key] = _waiting(course, key, found)
            risen.append(found)
    return replace(_learnt(course, raised, priors), waiting=waiting), tuple(risen)


def _risen(
    course: Course,
    key: str,
    prior: Usual,
    limit: float,
    alpha: float,
    alike: Callable[[float], tuple[float, float]],
) -> Risen | None:
    """Test the newest pieces together; the fewest that tell are told of."""
    least = FAR_LEAST * limit if key.startswith("far:") else limit
    for newest in TOGETHER:
        if newest > len(course.recent):
            return None
        pieces = course.recent[-newest:]
        count, rows, runs = _together(pieces, key)
        past = course.past(key, newest)
        usual = prior.with_past(past)
        if not rows or count / rows - usual.share <= least:
            continue
        times = max(usual.spread, not_worth(rows, count, runs))
        if _is_sure(count, rows, usual, times, alpha):
            repeats, slowness = alike(pieces[-1].ends_at)
            usual, times = prior.with_past(past, slowness), max(times, repeats, slowness)
            if _is_sure(count, rows, usual, times, alpha):
                return Risen(key, count / rows, usual.share, newest)
    return None


def _is_sure(count: float, rows: float, usual: Usual, times: float, alpha: float) -> bool:
    """Tell whether so many are enough, and too unlikely, where so many rows are worth one."""
    is_enough = (count - usual.share * rows) / times >= LEAST_ROWS
    return is_enough and usual.chance(count, rows, times) <= alpha


def _still(course: Course, key: str, prior: Usual, before: float) -> Risen | None:
    """Return a share that was raised until it is surely usual again, or half way back."""
    count, rows, runs = _together(course.recent[-1:], key)
    usual = prior.with_past(course.past(key, 1))
    share = count / rows if rows else 0.0
    worth = not_worth(rows, count, runs)
    is_back = share - usual.share < CALM * before
    if not is_back or usual.chance(count, rows, worth) <= CALM_CHANCE:
        return Risen(key, share, usual.share)
    waits = course.waiting.get(key, Waiting(share))
    each, half_way = max(usual.spread, worth), usual.share + CALM * before
    evidence = evidence_below((waits.count + count) / each, (waits.rows + rows) / each, half_way)
    if evidence >= CALM_EVIDENCE:
        return None
    return Risen(key, waits.share, usual.share, is_waiting=True)


def _waiting(course: Course, key: str, risen: Risen) -> Waiting:
    if not risen.is_waiting:
        return Waiting(risen.share)
    count, rows, _ = _together(course.recent[-1:], key)
    waits = course.waiting.get(key, Waiting(risen.share))
    return replace(waits, count=waits.count + count, rows=waits.rows + rows)


def _together(pieces: Sequence[Piece], key: str) -> tuple[float, float, float]:
    """Return the count, of how many rows, and the runs.

    Two runs are one where a piece ends as the next begins, which is told by their shares: so of
    rows that come one in a piece the runs are known in full.

    >>> so, other = (Piece(0, 1, 1, counts, is_in_order=True) for counts in ({"far:x": (1, 1)}, {}))
    >>> _together([so, so, so, other, so], "far:x")
    (4.0, 5.0, 2.0)
    """
    count = rows = runs = ending = 0.0
    for piece in pieces:
        more, others = piece.counts.get(key, NONE)
        count, rows = count + more, rows + piece.held(key)
        runs += others - ending * piece.share(key)
        ending = piece.ending(key)
    return count, rows, runs


def _learnt(course: Course, raised: Mapping[str, float], priors: Mapping[str, Usual]) -> Course:
    """Return the course without what is raised, and with its oldest pieces added up."""
    recent = list(course.recent)
    for key in raised:
        usual = priors[key].with_past(course.past(key, len(recent))).share
        recent = [_without(piece, key, usual) for piece in recent]
    old = recent[: max(0, len(recent) - TOGETHER[-1])]
    sums = dict(course.counts)
    for piece in old:
        for key, (count, _) in piece.counts.items():
            held = piece.held(key)
            before, squares = sums.get(key, NONE)
            sums[key] = (before + count, squares + (count * count / held if held else 0.0))
    return Course(
        tuple(recent[len(old) :]),
        course.pieces + len(old),
        course.rows + sum(one.rows for one in old),
        sums,
        dict(raised),
    )


def _without(piece: Piece, key: str, usual: float) -> Piece:
    """Return a piece with no more than the usual share of what was raised."""
    count, runs = piece.counts.get(key, NONE)
    most = usual * piece.held(key)
    if count <= most:
        return piece
    last = {**piece.last, key: min(piece.ending(key), usual)} if piece.last else piece.last
    return replace(piece, counts={**piece.counts, key: (most, min(runs, most))}, last=last)
