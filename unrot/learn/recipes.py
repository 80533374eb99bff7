"""What a `refit` may be made of, and which way was best.

    training and verdicts   every training row and every verdict, as weighted
    older rows fading       the same, but a row weighs ½ for each half of the verdicts' span that
                            it is older than the newest of them; training rows count as one such
                            half older than the oldest verdict, ⅛
    verdicts alone          the verdicts (since the world moved, where that is known), once there
                            are 50 of them and 5 of every class

None is best everywhere. After the mutation of the zombies the training rows are wrong, and a tree
refitted on 2,000 of them with 500 verdicts reaches .83 on fresh mutants, on the verdicts alone .94;
in a world that stands, leaving 2,000 good rows out costs. So each is tried: the verdicts are parted
into folds, each recipe is fitted without a fold and scored on it. Those rows are set
apart from its learning rows, and none is a row of the gate, which are held out (`cleaning.py`).
Scored are verdicts of judges since the world moved, by their weight:

    score = Σ wᵢ · errorᵢ / Σ wᵢ     (1 − it for classes)

The safest recipe leans least on the new verdicts: training and verdicts; once judges have shown
that the world has moved, older rows fading. It stays unless another leads significantly. With fewer
than 30 verdicts of judges there is no race and it stays too: an anonymous crowd would choose what
suits its own verdicts, poison included.

All recipes have answered the same rows, so they are compared in pairs: for classes by McNemar's
exact test, for numbers by the t test of the difference of absolute errors. After each fold those
that are surely behind the leader drop out. In all of the race one in twenty may be wrong
(Bonferroni): at the end each of two rivals has 1.6 %, at each of the four looks before 0.125 %, and
0.8 % are left for the question whether to recalibrate what won (`recalibration.py`). A
recipe that dropped out keeps the score that it had then. A fit costs seconds where training rows
are many, and where the world has moved the first folds tell.

Stone, Journal of the Royal Statistical Society B 36 (1974) 111-147. Maron and Moore, Hoeffding
races (NIPS 1993), with exact tests in place of their bound.

    >>> from unrot.core.records import Example, Outputs, Schema
    >>> schema = Schema((), "price")
    >>> examples = [Example(str(n), [], 1.0, 1.0, True, "", n, n) for n in range(60)]
    >>> [lesson.recipe for lesson in draft_recipes(examples, schema, seed=0)]
    ['training and verdicts', 'older rows fading', 'verdicts alone']

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

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np

from unrot.core.numbers import rough
from unrot.core.percent import percent, points
from unrot.core.ports import Progress
from unrot.core.records import Answered, Example, Lesson, Outputs, Schema
from unrot.hear.scores import Errors, row_errors
from unrot.hear.truth import WEIGHTS, in_order, is_fair
from unrot.learn.gate.exact_tests import chance_of_so_few, lowest_mean
from unrot.learn.gate.paired_test import discordant

TOGETHER = "training and verdicts"
FADING = "older rows fading"
ALONE = "verdicts alone"

FEWEST_ALONE, FEWEST_OF_CLASS = 50, 5
FEWEST_TRUSTED = 30
FOLDS = 5
FADED = 1 / 8
"""What a training row weighs where older rows fade: three halves of the span."""

DOUBT_ON_THE_WAY, DOUBT_AT_THE_END, DOUBT_OF_RECALIBRATION = 0.01 / (4 * 2), 0.032 / 2, 0.008


@dataclass(frozen=True, slots=True)
class Fold:
    """Verdicts that are set apart, and those among them that are scored."""

    held: frozenset[str]
    scored: Sequence[Example]


@dataclass(frozen=True, slots=True)
class Choice:
    """The recipe that won, said, and the table of all."""

    lesson: Lesson
    sentence: str
    table: Sequence[Mapping[str, Any]]


def draft_recipes(
    examples: Sequence[Example],
    schema: Schema,
    *,
    seed: int,
    training_weight: float = WEIGHTS["training"],
    since: float = 0.0,
) -> list[Lesson]:
    """Return the recipes that these verdicts allow; `since` is when the world moved."""
    ordered = tuple(in_order(examples))
    recent = tuple(one for one in ordered if one.predicted_at >= since)
    together = Lesson("refit", seed, ordered, recipe=TOGETHER, training_weight=training_weight)
    fading = replace(
        together,
        examples=tuple(_faded(ordered)),
        recipe=FADING,
        training_weight=FADED * training_weight,
    )
    if not _is_enough(recent, schema):
        return [together, fading]
    return [
        together,
        fading,
        Lesson("refit", seed, recent, recipe=ALONE, training_weight=0.0),
    ]


def part_into_folds(
    examples: Sequence[Example],
    schema: Schema,
    *,
    seed: int,
    since: float = 0.0,
    folds: int = FOLDS,
) -> list[Fold]:
    """Part verdicts into folds, of each class its share in each; the same for the same seed."""
    count = min(folds, len(examples))
    if count < 2:
        return []
    mixed = in_order(examples)
    Random(seed).shuffle(mixed)
    if schema.is_classifier:
        mixed.sort(key=lambda one: schema.classes.index(str(one.label)))
    scored = {one.prediction for one in scored_verdicts(examples, since)}
    parts = [mixed[start::count] for start in range(count)]
    return [
        Fold(
            frozenset(one.prediction for one in part),
            tuple(one for one in part if one.prediction in scored),
        )
        for part in parts
    ]


def scored_verdicts(examples: Sequence[Example], since: float) -> Sequence[Example]:
    """Return the verdicts that recipes are scored by: of judges, fair, of the present world."""
    recent = [one for one in examples if one.predicted_at >= since]
    trusted = [one for one in recent if one.is_trusted and is_fair(one)]
    return trusted if len(trusted) >= FEWEST_TRUSTED else ()


def leave_out(lesson: Lesson, fold: Fold) -> Lesson:
    """Return a recipe without the verdicts of a fold."""
    kept = tuple(one for one in lesson.examples if one.prediction not in fold.held)
    return replace(lesson, examples=kept)


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


def run_race(
    schema: Schema,
    drafts: Sequence[Lesson],
    folds: Sequence[Fold],
    answer: Callable[[Lesson, Fold], Outputs | None],
    tell: Progress,
) -> Race:
    """Let recipes race over folds; `answer` fits one without a fold and answers it."""
    race = Race(schema, len(drafts))
    for number, fold in enumerate(folds):
        for place in tuple(race.running) if fold.scored else ():
            tell(number / FOLDS, f"trying {drafts[place].recipe}, fold {number + 1} of {FOLDS}")
            race.note(place, fold.scored, answer(drafts[place], fold))
        race.drop_those_behind()
        if len(race.running) == 1:
            break
    race.drop_those_behind(at_the_end=True)
    return race


def choose_recipe(
    schema: Schema,
    drafts: Sequence[Lesson],
    scores: Sequence[float | None],
    *,
    training_rows: int,
    dropped: Collection[int] = (),
    has_moved: bool = False,
) -> Choice:
    """Choose the safest recipe that is still in the race: that none leads significantly."""
    order = sorted(range(len(drafts)), key=lambda place: _is_unsafe(drafts[place], has_moved))
    first = next((place for place in order if place not in dropped), order[0])
    table = [
        {
            "name": drafts[place].recipe,
            "rows": len(drafts[place].examples)
            + (training_rows if drafts[place].training_weight else 0),
            "verdicts": len(drafts[place].examples),
            "training_weight": drafts[place].training_weight,
            "score": scores[place],
            "behind": _behind(schema, scores[first], scores[place]),
            "is_chosen": place == first,
        }
        for place in range(len(drafts))
    ]
    sentence = _sentence(schema, table, is_safest=first == order[0])
    return Choice(drafts[first], sentence, table)


def _faded(examples: Sequence[Example]) -> list[Example]:
    if not examples:
        return []
    newest = max(one.predicted_at for one in examples)
    half = (newest - min(one.predicted_at for one in examples)) / 2
    if not half:
        return list(examples)
    return [
        replace(one, weight=one.weight * 0.5 ** ((newest - one.predicted_at) / half))
        for one in examples
    ]


def _is_enough(examples: Sequence[Example], schema: Schema) -> bool:
    counts = Counter(one.label for one in examples)
    fewest = min((counts[label] for label in schema.classes), default=FEWEST_OF_CLASS)
    return len(examples) >= FEWEST_ALONE and fewest >= FEWEST_OF_CLASS


def _is_unsafe(draft: Lesson, has_moved: bool) -> bool:
    """Order recipes by how safe they are: in a world that has moved, older rows fade first."""
    return has_moved and draft.recipe != FADING


def _behind(schema: Schema, chosen: float | None, score: float | None) -> float | None:
    """Return how far a recipe is behind the one that was chosen; below 0 it leads, not surely."""
    if chosen is None or score is None:
        return None
    return chosen - score if schema.is_classifier else score - chosen


def _sentence(schema: Schema, table: Sequence[Mapping[str, Any]], *, is_safest: bool) -> str:
    [chosen] = [row for row in table if row["is_chosen"]]
    others = [row for row in table if row["behind"] is not None and row is not chosen]
    name = str(chosen["name"]).capitalize()
    if chosen["score"] is None:
        return (
            f"{name}, the safest recipe: fewer than {FEWEST_TRUSTED} verdicts of judges may be "
            "learnt from, and recipes are not chosen by verdicts that nobody trusts."
        )
    said = _said(schema, chosen["score"])
    if not others:
        return f"{name} won with {said}; there was no other."
    next_one = min(others, key=lambda row: float(row["behind"]))
    if next_one["behind"] <= 0:
        kept = "the safest recipe, stays" if is_safest else "the safest of the best, is taken"
        return (
            f"{name}, {kept} with {said}: {next_one['name']} reaches "
            f"{_said(schema, next_one['score'])}, which is no significant lead."
        )
    ahead = points(next_one["behind"]) if schema.is_classifier else rough(next_one["behind"])
    return f"{name} won with {said}, {ahead} ahead of {next_one['name']}."


def _said(schema: Schema, score: float) -> str:
    return f"{percent(score)} right" if schema.is_classifier else f"an error of {rough(score)}"
