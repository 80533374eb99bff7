"""`learn`: take the champion's estimator further by the verdicts that its line has not learnt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

from unrot.core.errors import Conflict
from unrot.core.plurals import counted
from unrot.core.ports import Apprentice, Label
from unrot.core.records import Example, Fate, JudgedPrediction, Row
from unrot.hear.cleaning import Cleaned, Range, clean, ranges_of, robust_range, union
from unrot.hear.truth import example_of
from unrot.learn.batches import make_lesson, rows_to_replay
from unrot.learn.material import MOST_VERDICTS, Desk
from unrot.learn.publish import Work, publish


def learn(desk: Desk) -> None:
    """Do a job of the kind "learn"."""
    apprentice = desk.opened(desk.champion)
    if not apprentice.can_learn:
        raise Conflict(
            f"{desk.champion.estimator} has no partial_fit, so it cannot learn on: ask for refit, "
            "which fits it afresh.",
            reason="cannot_learn",
        )
    desk.tell(0.05, "reading the verdicts that wait")
    cleaned = cleaned_of(desk, apprentice, desk.waiting(desk.line))
    if not cleaned.examples:
        desk.service.store.lessons.decide(desk.model.name, desk.champion.name, cleaned.fates)
        raise Conflict(_nothing_left(cleaned.fates), reason="nothing_to_learn")
    replayed = _replayed(desk, apprentice, rows_to_replay(len(cleaned.examples), desk.policy))
    lesson = make_lesson(cleaned.examples, replayed, desk.policy)
    taught = apprentice.learn(lesson, desk.part(0.1, 0.7))
    work = Work(
        apprentice=taught,
        lessons=[lesson],
        parent=desk.champion,
        fates=[*cleaned.fates, *learnt(cleaned.examples)],
    )
    publish(desk, work)


def cleaned_of(
    desk: Desk,
    apprentice: Apprentice,
    judged: Sequence[JudgedPrediction],
    weights: dict[str, float] | None = None,
) -> Cleaned:
    """Part verdicts into what may be learnt and what may not, by the range of today's world."""
    ranges, target = _ranges(desk, apprentice)
    more = {} if weights is None else {"weights": weights}
    return clean(
        judged,
        desk.schema,
        desk.policy,
        ranges=ranges,
        target=target,
        audited=desk.audited,
        **more,
    )


def _ranges(desk: Desk, apprentice: Apprentice) -> tuple[list[Range], Range]:
    """Return how far features, and the numbers of a regression, go in today's world."""
    if not desk.policy.clip:
        return [None] * len(desk.schema.features), None
    ranges, target = list(apprentice.ranges()), None
    if not desk.schema.is_classifier:
        target = robust_range([float(label) for label in desk.anchor[1]])
    if desk.since:
        # What judges held out since then shows how far the new world goes.
        rows = [one for one in desk.recent if one.predicted_at >= desk.since]
        ranges = union(ranges, ranges_of([one.row for one in rows], desk.schema))
        if target is not None:
            target = union([target], [robust_range([float(one.label) for one in rows])])[0]
    return ranges, target


def learnt(examples: Sequence[Example]) -> list[Fate]:
    """Return the fates of verdicts that were learnt."""
    return [Fate(one.prediction, "learnt", one.given_at) for one in examples]


def _replayed(desk: Desk, apprentice: Apprentice, count: int) -> list[tuple[Row, Label]]:
    """Draw the rows of before; in a world that has moved, recent ones that judges vouched for."""
    if not count:
        return []
    if not desk.since:
        return apprentice.replayed(count, desk.policy.seed)
    return _of_new_world(desk, count)


def _of_new_world(desk: Desk, count: int) -> list[tuple[Row, Label]]:
    """Draw trusted rows of the new world that the line has learnt already, if there are any."""
    lessons = desk.service.store.lessons
    known = lessons.learnt(desk.model.name, desk.line)
    found = [
        example_of(one, desk.schema)
        for one in lessons.trusted(desk.model.name, MOST_VERDICTS)
        if one.prediction.id in known and one.prediction.predicted_at >= desk.since
    ]
    pool = [(one.row, one.label) for one in found if isinstance(one, Example)]
    return Random(desk.policy.seed).choices(pool, k=count) if pool else []


def _nothing_left(fates: Sequence[Fate]) -> str:
    if not fates:
        return "The predictions that were judged have not arrived in the store yet: ask again."
    reasons = Counter(
        fate.kind if fate.kind == "held out" else fate.reason.partition(": ")[0] for fate in fates
    )
    listed = ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common())
    return f"Nothing is left to learn of {counted(len(fates), 'verdict')}: {listed}."
