"""Rows that were refused at the door, in pieces with enough rows, as `rule.py` looks at them.

Rows of one request come and are refused together: a request is a run of theirs.

>>> from unrot.core.records import RefusedFor
>>> window = Window(7, "heart", "v1", "me", predictions=90, rejected={"missing": 10},
...     refused_for=RefusedFor({"age": {"missing": 10}}, requests=10))
>>> found = piece_of([window], 420.0, 480.0)
>>> found.rows, found.counts["refused:"], found.counts["lacks:age"]
(100, (10, 10), (10, 10))
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from unrot.core.records import Window
from unrot.core.windows import grouped, total
from unrot.watch.statistics.risen_share import Piece, Risen
from unrot.watch.statistics.usual_share import Usual

LACKING = ("missing", "null")
"""The reasons that say that a value was not there."""


def prior_of_refused(rows: int) -> Usual:
    """Return what is usual where nothing is known but training: none of its rows was refused."""
    return Usual(1.0, float(max(rows, 1)), 0.0)


def keys_of(features: Iterable[str]) -> list[str]:
    """Return what is tested: all that is refused, and what is because of each feature."""
    return ["refused:", *(f"refused:{name}" for name in features)]


def with_feature(risen: Sequence[Risen], whole: Piece) -> list[Risen]:
    """Return what has risen, the worst first, with the feature that most of it is because of.

    All that is refused may tell where no feature does by itself.
    """
    ordered = sorted(risen, key=lambda one: one.usual - one.share)
    wrong = sum(count for key, (count, _) in whole.counts.items() if key.startswith("reason:"))
    by_feature = {
        key: count
        for key, (count, _) in whole.counts.items()
        if key.startswith("refused:") and key != "refused:"
    }
    most = max(by_feature, key=lambda key: by_feature[key], default="")
    if any(one.column for one in ordered) or 2 * by_feature.get(most, 0) < wrong or not most:
        return ordered
    return [Risen(most, by_feature[most] / whole.rows, ordered[0].usual), *ordered]


def pieces_of(windows: Iterable[Window], *, since: int, until: int, step: int) -> Iterator[Piece]:
    """Part minutes since 1970 into steps; yield those in which anything was sent."""
    steps = grouped(windows, lambda one: max(0, one.minute - since) // step)
    for number in sorted(steps):
        starts_at = since + number * step
        longest = max(one.minutes for one in steps[number])
        ends_at = min(max(starts_at + step, starts_at + longest), max(until, starts_at + 1))
        yield piece_of(steps[number], starts_at * 60.0, ends_at * 60.0)


def piece_of(windows: Iterable[Window], starts_at: float, ends_at: float) -> Piece:
    """Count what was sent and what of it was refused."""
    whole = total(windows)
    of = whole.refused_for
    wrong = sum(whole.rejected.values())
    refused = wrong + of.beside
    # What older workers wrote says nothing of requests: each row is as one.
    requests = of.requests or wrong
    counts = {"refused:": refused, "beside:": of.beside}
    counts |= {f"reason:{reason}": rows for reason, rows in whole.rejected.items()}
    for name, reasons in of.features.items():
        counts[f"refused:{name}"] = sum(reasons.values())
        counts[f"lacks:{name}"] = sum(reasons.get(reason, 0) for reason in LACKING)
    rows = whole.predictions + refused
    return Piece(
        starts_at,
        ends_at,
        rows,
        {key: (count, min(count, requests)) for key, count in counts.items() if count},
    )
