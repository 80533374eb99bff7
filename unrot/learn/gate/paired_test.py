"""Champion and candidate on the same rows: by how much they differ, and how sure that is.

    classes   difference = (won − lost) / n        of accuracy
    numbers   difference = mean(|e| champion − |e| candidate) / mean(|e| champion)

Both are gains: below zero the candidate is worse. Each has a one-sided bound, of one of two kinds:

    fixed rows   weighed once: the exact bound (`exact.lowest_gain`), or Student's t of numbers
    any time     rows that grow and are weighed again: `betting.lowest_gain`, `betting.lowest_mean`

It is *surely* worse when the same kind of bound, at 95 %, leaves it no gain: on fixed rows that is
McNemar's exact test, or the t test.

    >>> import numpy as np
    >>> from unrot.core.records import Schema
    >>> schema = Schema((), "temper", ("hostile", "friendly"))
    >>> champion, candidate = np.array([1.0] * 40 + [0.0] * 60), np.array([0.0] * 100)
    >>> pair = compare_errors(schema, champion, candidate, Doubt())
    >>> pair.difference, pair.bound > 0.25, pair.is_surely_worse
    (0.4, True, False)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unrot.core.records import Holds, Recall, Schema
from unrot.hear.scores import Errors
from unrot.learn.gate import betting, exact_tests
from unrot.learn.gate.exact_tests import DOUBT, chance_of_so_few


@dataclass(frozen=True, slots=True)
class Doubt:
    """How sure a comparison has to be, and against how many looks."""

    holds: Holds = "any time"
    of_bound: float = DOUBT
    """The chance that the bound is wrong."""
    of_loss: float = DOUBT
    """The chance that it is called surely worse and is not."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two versions on the same rows, in numbers; None where there are no rows."""

    rows: int
    champion_right: int
    candidate_right: int
    difference: float | None
    bound: float | None
    is_surely_worse: bool


def compare_errors(schema: Schema, champion: Errors, candidate: Errors, doubt: Doubt) -> Pair:
    """Compare two versions by their errors on the same rows."""
    difference, bound, is_surely_worse = None, None, False
    if len(champion):
        compare = _classes if schema.is_classifier else _numbers
        difference, bound, is_surely_worse = compare(champion, candidate, doubt)
    return Pair(
        rows=len(champion),
        champion_right=int(np.sum(champion == 0)),
        candidate_right=int(np.sum(candidate == 0)),
        difference=difference,
        bound=bound,
        is_surely_worse=is_surely_worse,
    )


def recalls(
    schema: Schema,
    truth: Sequence[str | float],
    champion: Errors,
    candidate: Errors,
    tolerance: float,
    doubt: Doubt,
) -> list[Recall]:
    """Return the recall of each class that has rows, and whether it is surely lost.

    Lost is what falls by more than the tolerance and, on the rows of the class, surely: with
    several classes the doubt is shared among them (Bonferroni).
    """
    labels = np.array([str(label) for label in truth])
    present = [label for label in schema.classes if np.any(labels == label)]
    found: list[Recall] = []
    for label in present:
        before, after = champion[labels == label], candidate[labels == label]
        won, lost = discordant(before, after)
        fall = (lost - won) / len(before)
        is_sure = _is_surely_worse(won, lost, doubt.holds, doubt.of_loss / len(present))
        recall = 1 - float(np.mean(before)), 1 - float(np.mean(after))
        found.append(Recall(label, len(before), *recall, is_lost=fall > tolerance and is_sure))
    return found


def discordant(first: Errors, second: Errors) -> tuple[int, int]:
    """Count the rows on which only the second does better, and those on which only the first."""
    return int(np.sum(second < first)), int(np.sum(second > first))


def _classes(champion: Errors, candidate: Errors, doubt: Doubt) -> tuple[float, float, bool]:
    won, lost = discordant(champion, candidate)
    rows = len(champion)
    bounded = exact_tests.lowest_gain if doubt.holds == "fixed rows" else betting.lowest_gain
    bound = bounded(won=won, lost=lost, rows=rows, doubt=doubt.of_bound)
    return (won - lost) / rows, bound, _is_surely_worse(won, lost, doubt.holds, doubt.of_loss)


def _is_surely_worse(won: int, lost: int, holds: Holds, doubt: float) -> bool:
    """Tell whether so many wins and losses exclude that the second is as good."""
    if holds == "fixed rows":
        return chance_of_so_few(won, lost) <= doubt
    return bool(betting.log_wealth(lost, won, won + lost, 0.0) >= -np.log(doubt))


def _numbers(champion: Errors, candidate: Errors, doubt: Doubt) -> tuple[float, float | None, bool]:
    gains = champion - candidate
    unit = float(np.mean(champion)) or float(np.mean(candidate)) or 1.0
    bounded = exact_tests.lowest_mean if doubt.holds == "fixed rows" else betting.lowest_mean
    lowest = bounded(gains, doubt.of_bound) / unit
    bound = lowest if np.isfinite(lowest) else None
    return float(np.mean(gains)) / unit, bound, bounded(-gains, doubt.of_loss) > 0
