"""Whether rows are whole: gaps, choices never seen, numbers far out, rows that were refused.

Each share of each column is tested against what is usual for it (`usual_share.py`): what training
and the stream's own past make one expect. With n rows of training,

    missing    x gaps of n: a = x + 1, b = n - x. So for refused rows, of which training has none
    unseen     the mass of the choices that training lacks is about f₁ / n, of those that it has
               once (Good and Turing), give or take √(f₁ + 2 f₂) / n:
               a = s (f₁ + 1), b = s (n - f₁), with s = (f₁ + 1) / (f₁ + 1 + 2 f₂)
    outside    the range from the least to the largest of n values leaves out Beta(2, n - 1)
               of what comes (Wilks), 2 / (n + 1) in the mean
    far        outside by more than three times the width of the range, so at least four times as
               far from the middle as the largest value. Where P(X > x) falls like x^-t, a 4^t-th
               of what lies beyond that value lies there: a = 1, b = 4^t n. As n values reach about
               n^(1/t) interquartile ranges q, t is ln n / ln(range / q), between 1 (Cauchy) and 4

Until a week of the stream is known a moment may be of another kind than the mean of training: so
twice as many gaps and unseen choices are taken for usual, and all that is outside the range in a
week may come at once (b · the part of the week that was seen). From then on the past itself says
how it swings.

A share has risen when it is more than the limit above the usual one (half a point, or what the
rules say; of far numbers a fifth), by at least three independent rows, and that is too unlikely by
chance: the newest piece, or the newest two, four or eight together. It is calm again when a piece
is no longer unlikely and less than half as far above the usual share as it was. While it is raised
it is not learnt as usual.

Good, Biometrika 40 (1953) 237-264; McAllester and Schapire, COLT (2000) 1-6; Wilks, Ann. Math.
Stat. 12 (1941) 91-96.

>>> priors = {"missing:age": prior("missing", Distribution("number", rows=1_000), 1.0)}
>>> course = Course()
>>> for number in range(3):
...     gaps = 50 * (number == 2)
...     piece = Piece(0, 1, 500, {"missing:age": (gaps, min(gaps, 45))})
...     course, risen = look_at_piece(course, piece, priors, {"missing:age": 0.005}, alpha=1e-6)
...     print([(one.key, one.share, one.usual) for one in risen])
[]
[]
[('missing:age', 0.1, 0.0)]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf, log
from typing import Literal

from unrot.core.records import Distribution
from unrot.watch.profiles.distributions import FAR
from unrot.watch.statistics.usual_share import Past, Usual, not_worth

What = Literal["missing", "unseen", "outside", "far"]
KINDS: tuple[What, ...] = ("missing", "unseen", "outside", "far")

DELTA = 0.005
"""How likely anything is ever told of columns where all is as usual; so of refused rows."""
TOGETHER = (1, 2, 4, 8)
"""So many of the newest pieces are taken together."""
CALM, CALM_CHANCE = 0.5, 0.001
LEAST_ROWS = 3
"""So many independent rows more than usual there must be."""
FAR_LEAST = 0.2
"""Of the limit: a number that is a thousand times too large does harm alone."""
HEAVIEST, LIGHTEST = 1.0, 4.0
"""How fast tails fall: never slower than Cauchy's, and never taken to fall faster than this."""
ANOTHER_KIND = 2.0
"""So much more than in the mean of a week may be usual at some of its hours."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of traffic with enough rows, and what of it was not whole."""

    starts_at: float
    ends_at: float
    rows: float
    counts: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """By key: how many rows, in how many runs of neighbours; where there are any."""

    def with_(self, other: Piece) -> Piece:
        """Return both as one."""
        keys = {**self.counts, **other.counts}
        return Piece(
            min(self.starts_at, other.starts_at),
            max(self.ends_at, other.ends_at),
            self.rows + other.rows,
            {
                key: (
                    self.counts.get(key, NONE)[0] + other.counts.get(key, NONE)[0],
                    self.counts.get(key, NONE)[1] + other.counts.get(key, NONE)[1],
                )
                for key in keys
            },
        )

    def held(self, key: str) -> float:
        """Return of how many rows a share is: what is missing is neither seen nor unseen."""
        what, _, column = key.partition(":")
        gaps = 0.0 if what == "missing" else self.counts.get(f"missing:{column}", NONE)[0]
        return self.rows - gaps


NONE = (0.0, 0.0)


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

    @property
    def what(self) -> str:
        """What it is the share of."""
        return self.key.partition(":")[0]

    @property
    def column(self) -> str:
        """The column, empty for whole rows."""
        return self.key.partition(":")[2]


# ── what training makes one expect ───────────────────────────────────────────────────────────


def prior(what: What, before: Distribution, known: float) -> Usual | None:
    """Return what the training of a column makes one expect; `known` is the part of a week seen.

    None where it has no such values.
    """
    another = ANOTHER_KIND if known < 1 else 1.0
    rows = before.rows - (0 if what == "missing" else before.missing)
    is_of_its_kind = what == "missing" or (before.kind == "choice") == (what == "unseen")
    if rows <= 0 or not is_of_its_kind:
        return None
    if what == "missing":
        return Usual(another * before.missing + 1, rows - before.missing, before.missing / rows)
    if what == "unseen":
        part = (before.once + 1) / (before.once + 1 + 2 * before.twice)
        a, b = another * before.once + 1, max(rows - before.once, 1)
        return Usual(part * a, part * b, before.once / rows)
    if what == "outside":
        return Usual(2.0, max((rows - 1) * known, 1.0), 2 / (rows + 1))
    return Usual(1.0, (1 + FAR) ** _tail_of(before, rows) * rows, 0.0)


def _tail_of(before: Distribution, rows: int) -> float:
    """Return how fast the tails of a column fall, from how far its values reach.

    >>> spread = {"0.25": -0.67, "0.75": 0.67}
    >>> normal = Distribution("number", low=-3.3, high=3.3, quantiles=spread)
    >>> cauchy = Distribution("number", low=-700, high=700, quantiles={"0.25": -1, "0.75": 1})
    >>> _tail_of(normal, 2_000), round(_tail_of(cauchy, 2_000), 2)
    (4.0, 1.16)
    """
    if before.low is None or before.high is None or not {"0.25", "0.75"} <= set(before.quantiles):
        return HEAVIEST
    quarter = before.quantiles["0.75"] - before.quantiles["0.25"]
    reach = (before.high - before.low) / quarter if quarter > 0 else inf
    tail = log(max(rows, 2)) / log(reach) if reach > 1 else LIGHTEST
    return min(max(tail, HEAVIEST), LIGHTEST)


def counts_of(column: str, lay: Distribution) -> dict[str, tuple[float, float]]:
    """Return how many rows of a column are not whole, and in how many runs, by key."""
    found = {"missing": (lay.missing, lay.missing_runs)}
    if lay.kind == "choice":
        found["unseen"] = (lay.unseen, lay.unseen_runs)
    else:
        found["outside"] = (lay.unseen, lay.unseen_runs)
        found["far"] = (lay.far, lay.far_runs)
    return {f"{what}:{column}": counts for what, counts in found.items() if counts[0]}


# ── piece by piece ───────────────────────────────────────────────────────────────────────────


def look_at_piece(
    course: Course,
    piece: Piece,
    priors: Mapping[str, Usual],
    limits: Mapping[str, float],
    *,
    alpha: float,
    worth: Callable[[float], float] = lambda _until: 1.0,
) -> tuple[Course, tuple[Risen, ...]]:
    """Look at one piece more; return what is known then, and the shares that are raised.

    `alpha` is how unlikely all of this look together may be. Keys without a limit are not looked
    at. `worth` says how many rows are worth one at a moment, for what looks like a rise.
    """
    course = replace(course, recent=(*course.recent, piece))
    alpha /= max(1, len(limits)) * len(TOGETHER)
    raised: dict[str, float] = {}
    risen: list[Risen] = []
    for key in sorted(limits.keys() & priors.keys() & (piece.counts.keys() | course.raised.keys())):
        before = course.raised.get(key)
        found = (
            _risen(course, key, priors[key], limits[key], alpha, worth)
            if before is None
            else _still(course, key, priors[key], before)
        )
        if found is not None:
            raised[key] = max(before or 0.0, found.share - found.usual)
            risen.append(found)
    return _learnt(course, raised, priors), tuple(risen)


def _risen(
    course: Course,
    key: str,
    prior: Usual,
    limit: float,
    alpha: float,
    worth: Callable[[float], float],
) -> Risen | None:
    """Test the newest pieces together; the fewest that tell are told of."""
    least = FAR_LEAST * limit if key.startswith("far:") else limit
    for newest in TOGETHER:
        if newest > len(course.recent):
            return None
        pieces = course.recent[-newest:]
        count, rows, runs = _together(pieces, key)
        usual = prior.with_past(course.past(key, newest))
        if not rows or count / rows - usual.share <= least:
            continue
        times = max(usual.spread, not_worth(rows, count, runs))
        if _is_sure(count, rows, usual, times, alpha):
            times = max(times, worth(pieces[-1].ends_at))
            if _is_sure(count, rows, usual, times, alpha):
                return Risen(key, count / rows, usual.share, newest)
    return None


def _is_sure(count: float, rows: float, usual: Usual, times: float, alpha: float) -> bool:
    """Tell whether so many are enough, and too unlikely, where so many rows are worth one."""
    is_enough = (count - usual.share * rows) / times >= LEAST_ROWS
    return is_enough and usual.chance(count, rows, times) <= alpha


def _still(course: Course, key: str, prior: Usual, before: float) -> Risen | None:
    """Return a share that was raised while it is neither usual again nor half way back."""
    count, rows, runs = _together(course.recent[-1:], key)
    usual = prior.with_past(course.past(key, 1))
    share = count / rows if rows else 0.0
    is_back = share - usual.share < CALM * before
    if is_back and usual.chance(count, rows, not_worth(rows, count, runs)) > CALM_CHANCE:
        return None
    return Risen(key, share, usual.share)


def _together(pieces: Sequence[Piece], key: str) -> tuple[float, float, float]:
    """Return the count, of how many rows, and the runs."""
    counts = [one.counts.get(key, NONE) for one in pieces]
    held = sum(one.held(key) for one in pieces)
    return sum(one[0] for one in counts), held, sum(one[1] for one in counts)


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
    return replace(piece, counts={**piece.counts, key: (most, min(runs, most))})


# ── written down ─────────────────────────────────────────────────────────────────────────────
