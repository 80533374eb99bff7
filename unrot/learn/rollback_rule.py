"""Whether a champion should give way to the one before it, on trusted verdicts alone.

Both answer the same rows: those that judges went through since the promotion. It gives way once the
one before is surely better on them (`betting.since_when`), and by more than the tolerance. It is
asked again with every verdict, so what is sure is sure at any time: of twenty champions that are as
good as the one before, at most one is ever taken back. It may have begun to fail long after its
promotion, so the rows may begin anywhere.

What the champion promised on its own test set plays no part: a version that was bad from the first
day keeps its promise. What the one before promised on its own does: where it fails by now as well
(`world_shift.py`) the world has moved, and unless it is still surely better, going back mends
nothing.

    >>> from unrot.core.records import Outputs

    >>> from unrot.core.records import Schema
    >>> schema = Schema((), "temper", ("hostile", "friendly"))
    >>> def side(right, rows):
    ...     outputs = Outputs(classes=[0] * right + [1] * (rows - right))
    ...     return Answered([[]] * rows, ["hostile"] * rows, outputs)
    >>> advise(schema, ("v2", "v1"), anchor=side(93, 100), champion=side(3, 40),
    ...        previous=side(36, 40), tolerance=0.02).is_due
    True
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unrot.core.records import Answered, Schema
from unrot.hear.scores import Errors, row_errors
from unrot.learn.gate.betting import since_when
from unrot.learn.gate.ground import NO_ROWS, said_score
from unrot.learn.gate.world_shift import FEWEST, find_move


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

    `anchor` is what the one before answers on its own; the verdicts are in order of time.
    """
    now, before = names
    errors, older = row_errors(schema, champion), row_errors(schema, previous)
    if len(errors) < FEWEST:
        sentence = f"{len(errors)} trusted verdicts on {now} so far; {FEWEST} are needed to tell."
        return RollbackAdvice(False, sentence)
    place = since_when(errors - older, is_classifier=schema.is_classifier)
    found = _compared(schema, names, errors[place or 0 :], older[place or 0 :])
    promised = NO_ROWS if anchor is None else row_errors(schema, anchor)
    if place is not None and _is_more(schema, errors[place:], older[place:], tolerance):
        return RollbackAdvice(True, f"{found}{_promise(schema, promised)} Going back to {before}.")
    if find_move(promised, older, is_classifier=schema.is_classifier).has_moved:
        return RollbackAdvice(False, f"{found} Going back would mend nothing; learning may.")
    return RollbackAdvice(False, f"{found} That is not enough to be sure that {before} is better.")


def _compared(schema: Schema, names: tuple[str, str], errors: Errors, older: Errors) -> str:
    now, before = names
    return (
        f"On the same trusted verdicts {now} is {said_score(schema, errors)} and {before} "
        f"{said_score(schema, older)}."
    )


def _promise(schema: Schema, promised: Errors) -> str:
    """Say what the one before did on its own test set, where it has one."""
    return f" On its test set it was {said_score(schema, promised)}." if len(promised) else ""


def _is_more(schema: Schema, errors: Errors, older: Errors, tolerance: float) -> bool:
    """Tell whether the loss is larger than what is let pass."""
    unit = 1.0 if schema.is_classifier else float(np.mean(older)) or 1.0
    return float(np.mean(errors - older)) / unit > tolerance
