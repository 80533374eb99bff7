"""Go back by itself: a champion that judges find worse than the version before it gives way.

Only where the policy says `rollback: auto`, and on trusted verdicts alone: a crowd cannot undo a
promotion. A champion that came by going back stays: going on from there is for people.

Both answer the same rows: those that judges went through since the promotion. It gives way once the
one before is surely better on them (`betting.since_when`), and by more than the tolerance. It is
asked again with every verdict, so what is sure is sure at any time: of twenty champions that are as
good as the one before, at most one is ever taken back. It may have begun to fail long after its
promotion, so the rows may begin anywhere.

What the champion promised on its own test set plays no part: a version that was bad from the first
day keeps its promise. What the one before promised on its own does: where it fails by now as well
(`world_shift.py`) the world has moved, and unless it is still surely better, going back mends
nothing.

    >>> from unrot.core.records import Outputs, Schema
    >>> schema = Schema((), "temper", ("hostile", "friendly"))
    >>> def side(right, rows):
    ...     outputs = Outputs(classes=[0] * right + [1] * (rows - right))
    ...     return Answered([[]] * rows, ["hostile"] * rows, outputs)
    >>> advise_rollback(schema, ("v2", "v1"), anchor=side(93, 100), champion=side(3, 40),
    ...        previous=side(36, 40), tolerance=0.02).is_due
    True
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unrot.core import lineage
from unrot.core.ports import Label
from unrot.core.records import CHAMPION, Answered, Example, ModelKey, Row, Schema, Version
from unrot.hear.scores import Errors, row_errors
from unrot.learn import promote
from unrot.learn.gate.betting import since_when
from unrot.learn.gate.ground import NO_ROWS, said_score
from unrot.learn.gate.world_shift import FEWEST, find_move
from unrot.serve.service import Service
from unrot.watch.worth.one_sided import weighing

MOST_VERDICTS = 2_000
MOST_ANCHOR_ROWS = 5_000
BY_ITSELF = "policy"


@dataclass(frozen=True, slots=True)
class RollbackAdvice:
    """Whether to roll back, and why (not)."""

    is_due: bool
    sentence: str


def roll_back_by_itself(service: Service, model: ModelKey) -> RollbackAdvice | None:
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
    rows = _read_judged_since(service, champion, moves[-1].moved_at)
    if len(rows) < FEWEST or previous.is_pruned:
        return None
    advice = _read_advice(service, champion, previous, rows)
    if advice.is_due:
        promote.rollback(
            service, service.catalogue().name_of(model), by=BY_ITSELF, reason=advice.sentence
        )
    return advice


def _read_judged_since(service: Service, champion: Version, since: float) -> list[Example]:
    """Return the trusted verdicts on what was predicted since, without those it has learnt."""
    schema = service.catalogue().by_key(champion.model).model.schema
    versions = service.store.registry.versions(champion.model)
    lessons = service.store.lessons
    line = lineage.learning_line(versions, champion.name)
    known = lessons.learnt(champion.model, lineage.made_since(versions, line, since))
    trusted = lessons.trusted(
        champion.model, MOST_VERDICTS, since=since, where=lambda id: id not in known
    )
    audited = service.store.trials.audited(champion.model)
    return weighing(service.store, champion.model, trusted, schema, audited)[0]


def _read_advice(
    service: Service, champion: Version, previous: Version, rows: list[Example]
) -> RollbackAdvice:
    contents = service.catalogue()
    model = contents.by_key(champion.model).model
    schema = model.schema

    def answered(version: Version, inputs: Sequence[Row], truth: Sequence[Label]) -> Answered:
        predictor = service.shelf.predictor(contents, version)
        return Answered(inputs, truth, predictor.predict(inputs))

    anchor = None
    if previous.anchor:
        service.signatures.check(previous, model)
        table = service.store.registry.artefact(previous.anchor)
        anchored = service.trainer.unpack(table, schema, MOST_ANCHOR_ROWS)
        anchor = answered(previous, *anchored) if anchored[0] else None
    inputs, truth = [one.row for one in rows], [one.label for one in rows]
    return advise_rollback(
        schema,
        (champion.name, previous.name),
        anchor=anchor,
        champion=answered(champion, inputs, truth),
        previous=answered(previous, inputs, truth),
        tolerance=service.store.registry.policy(champion.model).tolerance,
    )


# ── the rule ─────────────────────────────────────────────────────────────────────────────────


def advise_rollback(
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
    found = _say_both(schema, names, errors[place or 0 :], older[place or 0 :])
    promised = NO_ROWS if anchor is None else row_errors(schema, anchor)
    if place is not None and _is_beyond(schema, errors[place:], older[place:], tolerance):
        return RollbackAdvice(
            True, f"{found}{_say_promise(schema, promised)} Going back to {before}."
        )
    if find_move(promised, older, is_classifier=schema.is_classifier).has_moved:
        return RollbackAdvice(False, f"{found} Going back would mend nothing; learning may.")
    return RollbackAdvice(False, f"{found} That is not enough to be sure that {before} is better.")


def _say_both(schema: Schema, names: tuple[str, str], errors: Errors, older: Errors) -> str:
    now, before = names
    return (
        f"On the same trusted verdicts {now} is {said_score(schema, errors)} and {before} "
        f"{said_score(schema, older)}."
    )


def _say_promise(schema: Schema, promised: Errors) -> str:
    """Say what the one before did on its own test set, where it has one."""
    return f" On its test set it was {said_score(schema, promised)}." if len(promised) else ""


def _is_beyond(schema: Schema, errors: Errors, older: Errors, tolerance: float) -> bool:
    """Tell whether the loss is larger than what is let pass."""
    unit = 1.0 if schema.is_classifier else float(np.mean(older)) or 1.0
    return float(np.mean(errors - older)) / unit > tolerance
