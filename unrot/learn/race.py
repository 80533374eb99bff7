"""Recipes race over folds: after each, those that are surely behind the leader drop out.

All recipes have answered the same rows, so they are compared in pairs: for classes by McNemar's
exact test, for numbers by the t test of the difference of absolute errors. In all of the race one
in twenty may be wrong (Bonferroni): at the end each of two rivals has 2 %, at each of the four
looks before 0.125 %. A recipe that dropped out keeps the score that it had then. A fit costs
seconds where training rows are many, and where the world has moved the first folds tell.

Maron and Moore, Hoeffding races (NIPS 1993), with exact tests in place of their bound.

    >>> from unrot.core.records import Example
    >>> from unrot.core.records import Outputs
    >>> from unrot.core.records import Schema
    >>> schema = Schema((), "temper", ("hostile", "friendly"))
    >>> rows = [Example(str(n), [], "hostile", 1.0, True, "", n, n) for n in range(20)]
    >>> race = Race(schema, 2)
    >>> race.note(0, rows, Outputs(classes=[0] * 20))
    >>> race.note(1, rows, Outputs(classes=[0] * 10 + [1] * 10))
    >>> race.drop_those_behind()
    >>> race.running
    [0]
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unrot.core.records import Answered, Example, Outputs, Schema
from unrot.hear.scores import Errors, row_errors
from unrot.learn.gate.exact_tests import chance_of_so_few, lowest_mean
from unrot.learn.gate.paired_test import discordant

DOUBT_ON_THE_WAY, DOUBT_AT_THE_END = 0.01 / (4 * 2), 0.04 / 2


class Race:
    """The errors of each recipe so far, fold by fold."""

    def __init__(self, schema: Schema, recipes: int) -> None:
        self._schema = schema
        self._errors: list[list[Errors]] = [[] for _ in range(recipes)]
        self._weights: list[list[float]] = [[] for _ in range(recipes)]
        self.running = list(range(recipes))
        """The places of the recipes that are still in."""

    @property
    def scores(self) -> list[float | None]:
        """The weighted score of each recipe: accuracy or mean absolute error; None of none."""
        return [self._score(place) for place in range(len(self._errors))]

    @property
    def dropped(self) -> set[int]:
        """The places of the recipes that are out."""
        return set(range(len(self._errors))) - set(self.running)

    def note(self, place: int, rows: Sequence[Example], outputs: Outputs | None) -> None:
        """Take what a recipe answered on a fold; one that could not be fitted is out."""
        if outputs is None:
            self.running.remove(place)
            self._errors[place], self._weights[place] = [], []
            return
        labels = [one.label for one in rows]
        answered = Answered([one.row for one in rows], labels, outputs)
        self._errors[place].append(row_errors(self._schema, answered))
        self._weights[place] += [one.weight for one in rows]

    def drop_those_behind(self, *, at_the_end: bool = False) -> None:
        """Let those drop out that are surely behind the leader."""
        doubt = DOUBT_AT_THE_END if at_the_end else DOUBT_ON_THE_WAY
        measured = [place for place in self.running if self._errors[place]]
        if len(measured) < 2:
            return
        leader = min(measured, key=self._mean)
        self.running = [
            place for place in self.running if not self._is_behind(place, leader, doubt)
        ]

    def _is_behind(self, place: int, leader: int, doubt: float) -> bool:
        if place == leader or not self._errors[place]:
            return False
        best, other = (np.concatenate(self._errors[one]) for one in (leader, place))
        if self._schema.is_classifier:
            won, lost = discordant(best, other)
            return chance_of_so_few(won, lost) <= doubt
        return lowest_mean(other - best, doubt) > 0

    def _mean(self, place: int) -> float:
        return float(np.average(np.concatenate(self._errors[place]), weights=self._weights[place]))

    def _score(self, place: int) -> float | None:
        if not sum(self._weights[place]):
            return None
        mean = self._mean(place)
        return 1 - mean if self._schema.is_classifier else mean
