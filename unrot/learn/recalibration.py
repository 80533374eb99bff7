"""Whether what a refit made is better recalibrated: answered by a proper score.

A calibration changes few answers, so that a race of accuracies (`recipes.py`) can hardly tell.
The recipe that won is therefore fitted once more without each of five parts of its rows, and the
verdicts of a part are answered as fitted so, and by curves that follow the answers to the other
parts: of the fits that the calibration itself is made of, nothing is fitted twice. Of each row the
Brier score is

    b = Σₖ (pₖ − 1[k is true])²     0 is best, 2 is worst

Recalibrated is taken where the mean of b falls significantly (Student's t in pairs) and the answers
are not significantly worse (McNemar's exact test), both at 0.8 %. A champion that is recalibrated
already stays so unless the same tests speak against it. Its score beside the other recipes is that
of the race, moved by how many more or fewer are right in these pairs. No curve has seen the part
that it answers (`make/recalibrated.py`), and no row is one of the gate.

Brier, Monthly Weather Review 78 (1950) 1-3.

    >>> from unrot.core.records import Example, Outputs, Schema
    >>> schema = Schema((), "temper", ("hostile", "friendly"))
    >>> rows = [Example("a", [], "hostile", 1.0, True, "", 0.0, 0.0)]
    >>> squares(schema, rows, Outputs([0], [[0.75, 0.25]])).tolist()
    [0.125]
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unrot.core.records import Answered, Crossed, Example, Lesson, Outputs, Schema
from unrot.hear.scores import Errors, row_errors
from unrot.learn.gate.exact_tests import chance_of_so_few, lowest_mean
from unrot.learn.gate.paired_test import discordant
from unrot.learn.recipes import DOUBT_OF_RECALIBRATION, Choice

IMPOSSIBLE = "It cannot be recalibrated: a class has too few rows."


def recalibrating(lesson: Lesson) -> Lesson:
    """Return a recipe that is followed by a calibration."""
    return replace(lesson, recipe=f"{lesson.recipe}, recalibrated", recalibrates=True)


def stay_recalibrated(choice: Choice) -> Choice:
    """Stay with the calibration: there is nobody whose verdicts may speak against it."""
    lesson = recalibrating(choice.lesson)
    table = [{**row, "name": lesson.recipe} if row["is_chosen"] else row for row in choice.table]
    said = f"{choice.sentence} It stays recalibrated, as the champion is."
    return Choice(lesson, said, table)


def weigh_recalibration(
    schema: Schema, choice: Choice, crossed: Crossed, scored: Collection[str], *, stays: bool
) -> Choice:
    """Return the recipe that was chosen, recalibrated where that is better.

    `scored` are the predictions whose verdicts tell; `stays` is true where the champion is
    recalibrated already.
    """
    rows = [one for one in crossed.examples if one.prediction in scored]
    places = [place for place, one in enumerate(crossed.examples) if one.prediction in scored]
    before = _worth(schema, rows, _at(crossed.plain, places))
    after = _worth(schema, rows, _at(crossed.recalibrated, places))
    return _decided(choice, before, after, stays=stays)


@dataclass(frozen=True, slots=True)
class OnRows:
    """What some answers are worth, row by row."""

    errors: Errors
    squares: Errors


def squares(schema: Schema, rows: Sequence[Example], outputs: Outputs) -> Errors:
    """Return the Brier score of each row."""
    truth = np.array([str(one.label) for one in rows])
    is_true = np.array(schema.classes) == truth[:, None]
    chances = np.array(outputs.probabilities, dtype=np.float64)
    return np.array(np.sum((chances - is_true) ** 2, axis=1))


def _worth(schema: Schema, rows: Sequence[Example], outputs: Outputs) -> OnRows:
    answered = Answered([one.row for one in rows], [one.label for one in rows], outputs)
    return OnRows(row_errors(schema, answered), squares(schema, rows, outputs))


def _at(outputs: Outputs, places: Sequence[int]) -> Outputs:
    classes, chances = outputs.classes or (), outputs.probabilities or ()
    return Outputs([classes[place] for place in places], [chances[place] for place in places])


def _is_better(one: OnRows, other: OnRows) -> bool:
    """Tell whether the first is surely nearer to the truth, and not surely wrong more often."""
    more, fewer = discordant(one.errors, other.errors)
    is_wrong = chance_of_so_few(fewer, more) <= DOUBT_OF_RECALIBRATION
    return lowest_mean(other.squares - one.squares, DOUBT_OF_RECALIBRATION) > 0 and not is_wrong


def _decided(choice: Choice, before: OnRows, after: OnRows, *, stays: bool) -> Choice:
    lesson = recalibrating(choice.lesson)
    is_taken = not _is_better(before, after) if stays else _is_better(after, before)
    briers = float(before.squares.mean()), float(after.squares.mean())
    table = []
    for row in choice.table:
        is_plain = bool(row["is_chosen"])
        table.append(
            {
                **_with_brier(row, briers[0] if is_plain else None),
                "is_chosen": is_plain and not is_taken,
            }
        )
        if is_plain:
            behind = float(after.errors.mean() - before.errors.mean())
            score = None if row["score"] is None else row["score"] - behind
            named = {**row, "name": lesson.recipe, "score": score, "behind": behind}
            table.append({**_with_brier(named, briers[1]), "is_chosen": is_taken})
    said = f"{choice.sentence} {_sentence(briers, is_taken=is_taken, stays=stays)}"
    return Choice(lesson if is_taken else choice.lesson, said, table)


def _with_brier(row: Mapping[str, Any], brier: float | None) -> dict[str, Any]:
    """Put the Brier score after the score."""
    kept: dict[str, Any] = {}
    for name, value in row.items():
        kept[name] = value
        if name == "score":
            kept["brier_score"] = brier
    return kept


def _sentence(briers: tuple[float, float], *, is_taken: bool, stays: bool) -> str:
    said = f"a Brier score of {briers[1]:.3f} recalibrated, {briers[0]:.3f} as it was fitted"
    if is_taken:
        return f"It {'stays' if stays else 'is'} recalibrated: {said}."
    why = "is surely better so" if stays else "is no significant lead"
    return f"It is not recalibrated: {said}, which {why}."
