"""Champion and candidate on the same rows: by how much they differ, and how sure that is.

    classes   difference = (won − lost) / n        of accuracy
              bound      = the exact one-sided 95 % bound of it (`exact.lowest_gain`)
    numbers   difference = mean(|e| champion − |e| candidate) / mean(|e| champion)
              bound      = the one-sided 95 % t bound of it (Student 1908)

Both are gains: below zero the candidate is worse. It is *surely* worse when McNemar's exact test,
or the t test, excludes at 95 % that it is as good.

    >>> import numpy as np
    >>> from unrot.records import Schema
    >>> schema = Schema((), "temper", ("hostile", "friendly"))
    >>> champion, candidate = np.array([1.0] * 40 + [0.0] * 60), np.array([0.0] * 100)
    >>> pair = compare_errors(schema, champion, candidate)
    >>> pair.difference, pair.bound > 0.3, pair.is_surely_worse
    (0.4, True, False)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unrot.growth import Recall
from unrot.learning.exact import DOUBT, chance_of_so_few, lowest_gain, lowest_mean
from unrot.learning.scores import Errors, score
from unrot.records import Schema


@dataclass(frozen=True, slots=True)
class Pair:
    """Two versions on the same rows, in numbers; None where there are no rows."""

    rows: int
    champion_right: int
    candidate_right: int
    champion_score: float | None
    candidate_score: float | None
    difference: float | None
    bound: float | None
    is_surely_worse: bool


def compare_errors(schema: Schema, champion: Errors, candidate: Errors) -> Pair:
    """Compare two versions by their errors on the same rows."""
    difference, bound, is_surely_worse = None, None, False
    if len(champion):
        compare = _classes if schema.is_classifier else _numbers
        difference, bound, is_surely_worse = compare(champion, candidate)
    return Pair(
        rows=len(champion),
        champion_right=int(np.sum(champion == 0)),
        candidate_right=int(np.sum(candidate == 0)),
        champion_score=score(schema, champion),
        candidate_score=score(schema, candidate),
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
) -> list[Recall]:
    """Return the recall of each class that has rows, and whether it is surely lost.

    Lost is what falls by more than the tolerance and, by McNemar's test on the rows of the class,
    surely: with several classes the doubt is shared among them (Bonferroni).
    """
    labels = np.array([str(label) for label in truth])
    present = [label for label in schema.classes if np.any(labels == label)]
    found: list[Recall] = []
    for label in present:
        before, after = champion[labels == label], candidate[labels == label]
        won, lost = discordant(before, after)
        fall = (lost - won) / len(before)
        is_sure = chance_of_so_few(won, lost) <= DOUBT / len(present)
        recall = 1 - float(np.mean(before)), 1 - float(np.mean(after))
        found.append(Recall(label, len(before), *recall, is_lost=fall > tolerance and is_sure))
    return found


def discordant(first: Errors, second: Errors) -> tuple[int, int]:
    """Count the rows on which only the second does better, and those on which only the first."""
    return int(np.sum(second < first)), int(np.sum(second > first))


def _classes(champion: Errors, candidate: Errors) -> tuple[float, float, bool]:
    won, lost = discordant(champion, candidate)
    rows = len(champion)
    bound = lowest_gain(won=won, lost=lost, rows=rows)
    return (won - lost) / rows, bound, chance_of_so_few(won, lost) <= DOUBT


def _numbers(champion: Errors, candidate: Errors) -> tuple[float, float | None, bool]:
    gains = champion - candidate
    unit = float(np.mean(champion)) or float(np.mean(candidate)) or 1.0
    lowest = lowest_mean(gains) / unit
    bound = lowest if np.isfinite(lowest) else None
    return float(np.mean(gains)) / unit, bound, lowest_mean(-gains) > 0
