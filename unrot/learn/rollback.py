"""Go back by itself: a champion that judges find worse than the version before it gives way.

Only where the policy says `rollback: auto`, and on trusted verdicts alone: a crowd cannot undo a
promotion. A champion that came by going back stays: going on from there is for people.
"""

from __future__ import annotations

from collections.abc import Sequence

from unrot.core import lineage
from unrot.core.ports import Label
from unrot.core.records import CHAMPION, Answered, Example, Row, Version
from unrot.hear.truth import example_of
from unrot.learn import promote
from unrot.learn.gate.world_shift import FEWEST
from unrot.learn.rollback_rule import RollbackAdvice, advise
from unrot.serve.service import Service

MOST_VERDICTS = 2_000
MOST_ANCHOR_ROWS = 5_000
BY_ITSELF = "policy"


def roll_back_by_itself(service: Service, model: str) -> RollbackAdvice | None:
    """Go back if the policy allows it and the verdicts ask for it; return what they said."""
    registry = service.store.registry
    if registry.policy(model).rollback != "auto":
        return None
    moves = [move for move in registry.moves(model) if move.alias == CHAMPION]
    before = lineage.before(moves)
    if before is None or moves[-1].reason.startswith(lineage.ROLLED_BACK):
        return None
    versions = {one.name: one for one in registry.versions(model)}
    champion, previous = versions[moves[-1].moved_to or ""], versions[before]
    rows = _judged_since(service, champion, moves[-1].moved_at)
    if len(rows) < FEWEST or previous.is_pruned:
        return None
    advice = _advice(service, champion, previous, rows)
    if advice.is_due:
        promote.rollback(service, model, by=BY_ITSELF, reason=advice.sentence)
    return advice


def _judged_since(service: Service, champion: Version, since: float) -> list[Example]:
    """Return the trusted verdicts on what was predicted since, without those it has learnt."""
    schema = service.catalogue().model(champion.model).model.schema
    versions = service.store.registry.versions(champion.model)
    lessons = service.store.lessons
    known = lessons.learnt(champion.model, lineage.learning_line(versions, champion.name))
    found = [
        example_of(one, schema)
        for one in lessons.trusted(champion.model, MOST_VERDICTS)
        if one.prediction.predicted_at >= since and one.prediction.id not in known
    ]
    return [one for one in found if isinstance(one, Example)]


def _advice(
    service: Service, champion: Version, previous: Version, rows: list[Example]
) -> RollbackAdvice:
    contents = service.catalogue()
    schema = contents.model(champion.model).model.schema

    def answered(version: Version, inputs: Sequence[Row], truth: Sequence[Label]) -> Answered:
        predictor = service.shelf.predictor(contents, version)
        return Answered(inputs, truth, predictor.predict(inputs))

    anchor = None
    if previous.anchor:
        table = service.store.registry.artefact(previous.anchor)
        anchored = service.workshop.unpack(table, schema, MOST_ANCHOR_ROWS)
        anchor = answered(previous, *anchored) if anchored[0] else None
    inputs, truth = [one.row for one in rows], [one.label for one in rows]
    return advise(
        schema,
        (champion.name, previous.name),
        anchor=anchor,
        champion=answered(champion, inputs, truth),
        previous=answered(previous, inputs, truth),
        tolerance=service.store.registry.policy(champion.model).tolerance,
    )
