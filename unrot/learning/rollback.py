"""Whether a champion should give way to the one before it, on trusted verdicts alone.

Two things must hold on the verdicts that judges gave since it was promoted, 30 or more: it does
worse than on its anchor (`moved.py`, at a level of 0.001 because it is asked again and again), and
the champion before it is surely better on the same rows (McNemar's exact test, or the t test) by
more than the tolerance. If the old one fails on them too, the world has moved: going back mends
nothing, learning does.

    >>> from unrot.records import Outputs, Schema
    >>> schema = Schema((), "temper", ("hostile", "friendly"))
    >>> def side(right, rows):
    ...     outputs = Outputs(classes=[0] * right + [1] * (rows - right))
    ...     return Answered([[]] * rows, ["hostile"] * rows, outputs)
    >>> advise(schema, ("v2", "v1"), anchor=side(93, 100), champion=side(20, 60),
    ...        previous=side(55, 60), tolerance=0.02).is_due
    True
"""

from __future__ import annotations

from dataclasses import dataclass

from unrot.growth import Answered
from unrot.learning.ground import NO_ROWS, said_score
from unrot.learning.moved import FEWEST, find_move
from unrot.learning.paired import compare_errors
from unrot.learning.scores import row_errors
from unrot.records import Schema


@dataclass(frozen=True, slots=True)
class RollbackAdvice:
    """Whether to roll back, and why (not)."""

    is_due: bool
    sentence: str


def advise(
    schema: Schema,
    names: tuple[str, str],
    *,
    anchor: Answered | None,
    champion: Answered,
    previous: Answered,
    tolerance: float,
) -> RollbackAdvice:
    """Weigh a champion and the one before it, `names`, on trusted verdicts since the promotion.

    `anchor` is what the champion answers on its own; the verdicts are in order of time.
    """
    now, before = names
    errors, older = row_errors(schema, champion), row_errors(schema, previous)
    if len(errors) < FEWEST:
        sentence = f"{len(errors)} trusted verdicts on {now} so far; {FEWEST} are needed to tell."
        return RollbackAdvice(False, sentence)
    promised = NO_ROWS if anchor is None else row_errors(schema, anchor)
    move = find_move(promised, errors, is_classifier=schema.is_classifier)
    if move.can_tell and not move.has_moved:
        return RollbackAdvice(False, f"{now} does what its anchor promised.")
    recent, older = errors[move.place :], older[move.place :]
    pair = compare_errors(schema, older, recent)
    found = (
        f"On the same trusted verdicts {now} is {said_score(schema, recent)} and {before} "
        f"{said_score(schema, older)}."
    )
    is_loss = pair.difference is not None and pair.difference < -tolerance
    if is_loss and pair.is_surely_worse:
        return RollbackAdvice(True, f"{found} Going back to {before}.")
    if move.has_moved:
        return RollbackAdvice(False, f"{found} Going back would mend nothing; learning may.")
    return RollbackAdvice(False, found)
