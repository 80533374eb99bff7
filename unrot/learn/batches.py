"""The order in which `learn` takes its rows: shuffled, mixed with rows of before, in mini-batches.

One class at a time makes a model forget the others (300 rows of one class, one by one, took an MLP
from .915 to .744); batches of 50 with as many replayed rows mend it. Of n examples and m replayed
rows the i-th example stands at (i + ½) / n and the j-th replayed one at (j + ½) / m, and they are
taken by place: so every batch has its share of both. What would be left over as a small last batch
joins the one before.

A policy of one row a batch without replay takes the verdicts in their own order: predict, hear the
truth, learn it, as progressive validation has it.

    >>> from unrot.core.records import Example

    >>> from unrot.core.policy import Policy
    >>> examples = [Example(name, [], "yes", 1.0, True, "", 0.0, 0.0) for name in "abcd"]
    >>> replayed = [([], "no")] * 4
    >>> make_lesson(examples, replayed, Policy(batch=4)).batches
    ((0, -1, 1, -2), (2, -3, 3, -4))
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from unrot.core.policy import Policy
from unrot.core.records import Example, Lesson, Row
from unrot.hear.truth import in_order


def rows_to_replay(count: int, policy: Policy) -> int:
    """Return how many rows of before are wanted for so many examples.

    Where all would fit into less than one batch they fill it up, if anything is replayed at all.
    """
    if not count or not policy.replay:
        return 0
    return max(round(policy.replay * count), policy.batch - count)


def make_lesson(
    examples: Sequence[Example], replayed: Sequence[tuple[Row, str | float]], policy: Policy
) -> Lesson:
    """Put examples and replayed rows in the order in which they are learnt."""
    ordered = in_order(examples)
    if policy.batch > 1 or replayed:
        Random(policy.seed).shuffle(ordered)
    return Lesson(
        kind="learn",
        seed=policy.seed,
        examples=tuple(ordered),
        batches=_cut(_mixed(len(ordered), len(replayed)), policy.batch),
        replayed=tuple(replayed),
    )


def _mixed(examples: int, replayed: int) -> list[int]:
    """Return the places of both, spread evenly; replayed ones are negative."""
    places = [((2 * place + 1) * max(replayed, 1), 0, place) for place in range(examples)]
    places += [((2 * place + 1) * max(examples, 1), 1, ~place) for place in range(replayed)]
    return [place for _, _, place in sorted(places, key=lambda one: (one[0], one[1]))]


def _cut(places: Sequence[int], batch: int) -> tuple[tuple[int, ...], ...]:
    batches = [tuple(places[start : start + batch]) for start in range(0, len(places), batch)]
    if len(batches) > 1 and len(batches[-1]) < batch:
        last = batches.pop()
        batches[-1] += last
    return tuple(batches)
