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

What is more than that, surely and by enough, has risen (`watch/statistics/risen_share.py`).

Good, Biometrika 40 (1953) 237-264; McAllester and Schapire, COLT (2000) 1-6; Wilks, Ann. Math.
Stat. 12 (1941) 91-96.

>>> from unrot.watch.statistics.risen_share import Course, Piece, look_at_piece
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

from math import inf, log
from typing import Literal

from unrot.core.records import Distribution
from unrot.watch.profiles.distributions import FAR
from unrot.watch.statistics.usual_share import Usual

What = Literal["missing", "unseen", "outside", "far"]
KINDS: tuple[What, ...] = ("missing", "unseen", "outside", "far")

DELTA = 0.005
"""How likely anything is ever told of columns where all is as usual; so of refused rows."""
HEAVIEST, LIGHTEST = 1.0, 4.0
"""How fast tails fall: never slower than Cauchy's, and never taken to fall faster than this."""
ANOTHER_KIND = 2.0
"""So much more than in the mean of a week may be usual at some of its hours."""


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
        return Usual(part * a, part * b, before.once / rows, least=part)
    if what == "outside":
        return Usual(2.0, max((rows - 1) * known, 1.0), 2 / (rows + 1), least=2.0)
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
