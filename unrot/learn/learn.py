"""`learn`: take the champion's estimator further by the verdicts that its line has not learnt.

One class at a time makes a model forget the others (300 rows of one class, one by one, took an MLP
from .915 to .744); batches of 50 with as many replayed rows mend it. Of n examples and m replayed
rows the i-th example stands at (i + ½) / n and the j-th replayed one at (j + ½) / m, and they are
taken by place: so every batch has its share of both. What would be left over as a small last batch
joins the one before.

A policy of one row a batch without replay takes the verdicts in their own order: predict, hear the
truth, learn it, as progressive validation has it.

    >>> from unrot.core.policy import Policy
    >>> from unrot.core.records import Example
    >>> examples = [Example(name, [], "yes", 1.0, True, "", 0.0, 0.0) for name in "abcd"]
    >>> replayed = [([], "no")] * 4
    >>> make_lesson(examples, replayed, Policy(batch=4)).batches
    ((0, -1, 1, -2), (2, -3, 3, -4))
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from unrot.core.policy import Policy
from unrot.core.ports import Label, Progress, Trainable
from unrot.core.records import Example, Fate, Lesson, Row
from unrot.hear.cleaning import Cleaned, Range, clean, ranges_of, robust_range, union
from unrot.hear.truth import in_order
from unrot.learn.material import Material
from unrot.learn.publish import Draft
from unrot.learn.refusals import check_is_left

OF_ANOTHER_WORLD = "from while the world was another one, which is over"


def learn_verdicts(material: Material, trainable: Trainable, tell: Progress) -> Draft:
    """Take the champion through the verdicts that wait."""
    cleaned = clean_verdicts(material, trainable)
    replayed = _replay(material, trainable, len(cleaned.examples))
    lesson = make_lesson(cleaned.examples, replayed, material.policy)
    return Draft(
        trainable=trainable.learn(lesson, tell),
        lessons=[lesson],
        fates=[*cleaned.fates, *learnt_fates(cleaned.examples)],
    )


# ── which verdicts ───────────────────────────────────────────────────────────────────────────


def clean_verdicts(material: Material, trainable: Trainable) -> Cleaned:
    """Part verdicts into what may be learnt and what may not, by the range of today's world."""
    ranges, target = _ranges(material, trainable)
    verdicts = _of_this_world(material)
    cleaned = clean(verdicts, material.schema, material.policy, ranges=ranges, target=target)
    check_is_left(material.parent, material.job.kind, cleaned)
    return cleaned


def _of_this_world(material: Material) -> Cleaned:
    """Set aside what was judged while the world was another one: it would teach what is not."""
    stay: list[Example] = []
    fates = list(material.verdicts.fates)
    for one in material.verdicts.examples:
        if material.is_over(one.predicted_at):
            fates.append(Fate(one.prediction, "set aside", one.given_at, OF_ANOTHER_WORLD))
        else:
            stay.append(one)
    return Cleaned(stay, fates)


def learnt_fates(examples: Sequence[Example]) -> list[Fate]:
    """Return the fates of verdicts that were learnt."""
    return [Fate(one.prediction, "learnt", one.given_at) for one in examples]


def _ranges(material: Material, trainable: Trainable) -> tuple[list[Range], Range]:
    """Return how far features, and the numbers of a regression, go in today's world."""
    schema, since = material.schema, material.since
    if not material.policy.clip:
        return [None] * len(schema.features), None
    ranges, target = list(trainable.ranges()), None
    if not schema.is_classifier:
        target = robust_range([float(label) for label in material.anchor[1]])
    if since:
        # What judges held out since then shows how far the new world goes.
        recent = [example for example in material.recent if example.predicted_at >= since]
        ranges = union(ranges, ranges_of([example.row for example in recent], schema))
        if target is not None:
            labels = [float(example.label) for example in recent]
            target = union([target], [robust_range(labels)])[0]
    return ranges, target


# ── in which order ───────────────────────────────────────────────────────────────────────────


def _replay(material: Material, trainable: Trainable, count: int) -> list[tuple[Row, Label]]:
    """Draw rows of before; in a world that has moved, recent ones that judges vouched for."""
    wanted, seed = rows_to_replay(count, material.policy), material.policy.seed
    if not wanted:
        return []
    if not material.since:
        return trainable.replayed(wanted, seed)
    pool = [(example.row, example.label) for example in material.vouched]
    return Random(seed).choices(pool, k=wanted) if pool else []


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
