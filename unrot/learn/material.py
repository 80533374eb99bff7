"""What lies on the desk when a job begins: the model, its champion, and the rows that judge it.

Every kind of job begins here, so that each sees the same champion, the same line, the same anchor
and the same held-out verdicts.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from unrot.core import lineage
from unrot.core.errors import Conflict
from unrot.core.plurals import counted
from unrot.core.policy import Policy
from unrot.core.ports import Apprentice, Label, Progress, Scorer
from unrot.core.records import (
    CHAMPION,
    Answered,
    Example,
    Job,
    JudgedPrediction,
    Model,
    Row,
    Schema,
    Version,
)
from unrot.hear.scores import row_errors
from unrot.hear.truth import judging_rows
from unrot.learn.gate.world_shift import Move, find_move
from unrot.serve.service import Service
from unrot.serve.shelf import sync

MOST_ANCHOR_ROWS = 20_000
MOST_RECENT_ROWS = 5_000
"""Of the newest trusted verdicts: what judges said years ago does not speak for today."""

ARRIVAL_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.02

MOST_VERDICTS = 50_000
"""One job learns at most so many; the next one takes the rest."""


@dataclass(frozen=True)
class Desk:
    """All that a job works with; what is not asked for is not read."""

    service: Service
    job: Job
    tell: Progress
    model: Model
    policy: Policy
    versions: Sequence[Version]
    champion: Version

    @property
    def schema(self) -> Schema:
        """The features and classes of the model."""
        return self.model.schema

    @cached_property
    def line(self) -> list[str]:
        """The versions whose verdicts are in the champion."""
        return lineage.learning_line(self.versions, self.champion.name)

    @cached_property
    def audited(self) -> set[str]:
        """The predictions that audits asked for."""
        return self.service.store.trials.audited(self.model.name)

    @cached_property
    def recent(self) -> list[Example]:
        """The trusted verdicts that only judge, in the order of their predictions.

        Those of a world before that of the champion's anchor do not speak for this one.
        """
        lessons = self.service.store.lessons
        return judging_rows(
            lessons.trusted(self.model.name, MOST_RECENT_ROWS),
            self.schema,
            self.policy.held_out,
            audited=self.audited,
            learnt=lessons.learnt(self.model.name, self.line),
            since=self.champion.anchor_since,
        )

    @cached_property
    def anchor(self) -> tuple[list[Row], list[Label]]:
        """The rows that the champion is measured by, with their truth."""
        if not self.champion.anchor:
            return [], []
        table = self.artefact(self.champion.anchor)
        return self.service.workshop.unpack(table, self.schema, MOST_ANCHOR_ROWS)

    @cached_property
    def on_anchor(self) -> Answered | None:
        """What the champion answers on its anchor."""
        rows, truth = self.anchor
        return self.answered(self.serving(self.champion), rows, truth)

    @cached_property
    def on_recent(self) -> Answered | None:
        """What it answers on the verdicts that only judge."""
        return self.answered(self.serving(self.champion), *rows_of(self.recent))

    @cached_property
    def move(self) -> Move:
        """Whether the world is still the one of the anchor."""
        if self.on_anchor is None or self.on_recent is None:
            return Move(can_tell=False)
        return find_move(
            row_errors(self.schema, self.on_anchor),
            row_errors(self.schema, self.on_recent),
            is_classifier=self.schema.is_classifier,
            at=[one.predicted_at for one in self.recent],
        )

    @property
    def since(self) -> float:
        """When the present world began; 0 where it is the one of the training, or not known.

        Once a cure was promoted its anchor is of the new world, so that nothing moves any more
        against it: what to replay, and how far features go, is still of that world.
        """
        if self.move.has_moved:
            return self.recent[self.move.place].predicted_at
        return self.champion.anchor_since

    @cached_property
    def best(self) -> Version | None:
        """The champion that did best on this anchor."""
        moves = self.service.store.registry.moves(self.model.name)
        return lineage.best(
            self.versions, moves, self.champion.anchor, is_classifier=self.schema.is_classifier
        )

    @cached_property
    def first(self) -> Version | None:
        """The first champion of this world, where it is another one and can still answer."""
        moves = self.service.store.registry.moves(self.model.name)
        first = lineage.first(self.versions, moves, self.champion.anchor_since)
        is_other = first is not None and first.name != self.champion.name and not first.is_pruned
        return first if is_other else None

    def weighed_before(self, name: str) -> tuple[int, int]:
        """Count the candidates of this world before one, and those that became champion."""
        moves = self.service.store.registry.moves(self.model.name)
        return lineage.weighed_before(self.versions, moves, name, self.champion.anchor_since)

    @property
    def best_score(self) -> float | None:
        """What that champion reached on it."""
        return None if self.best is None else self.best.anchor_score

    @cached_property
    def best_on_anchor(self) -> Answered | None:
        """What it answers there; None where it is the present one, or its files were let go."""
        best = self.best
        if best is None or best.name == self.champion.name or best.is_pruned:
            return None
        return self.answered(self.serving(best), *self.anchor)

    def waiting(self, line: Sequence[str]) -> list[JudgedPrediction]:
        """Return the verdicts that a line has not decided, once their predictions have arrived.

        A verdict is often given, and learning asked for, before its prediction has been shipped.
        """
        lessons, name = self.service.store.lessons, self.model.name
        ends_at = time.monotonic() + ARRIVAL_SECONDS
        while True:
            expected = min(lessons.count_waiting(name, line), MOST_VERDICTS)
            found = lessons.waiting(name, line, MOST_VERDICTS)
            if len(found) >= expected or time.monotonic() > ends_at:
                return found
            self.tell(
                0.05, f"waiting for {counted(expected - len(found), 'prediction')} to be shipped"
            )
            time.sleep(LOOK_AGAIN_SECONDS)

    def artefact(self, digest: str) -> bytes:
        """Return the bytes of an artefact."""
        return self.service.store.registry.artefact(digest)

    def opened(self, version: Version) -> Apprentice:
        """Open the estimator of a version."""
        self.tell(0.02, f"opening {version.name}")
        return self.service.workshop.open(version, self.schema, self.artefact)

    def serving(self, version: Version) -> Scorer:
        """Return what answers for a version."""
        return self.service.shelf.predictor(self.service.catalogue(), version)

    def answered(
        self, scorer: Scorer, rows: Sequence[Row], truth: Sequence[Label]
    ) -> Answered | None:
        """Let somebody answer rows whose truth is known; None where there are none."""
        if not rows:
            return None
        return Answered(rows, truth, scorer.predict(rows))

    def part(self, start: float, end: float) -> Progress:
        """Return how a part of the work tells how far it is."""
        return lambda done, step: self.tell(start + (end - start) * done, step)


def open_desk(service: Service, job: Job, tell: Progress) -> Desk:
    """Lay out what a job works with, as it stands now."""
    registry = service.store.registry
    sync(service.shelf.folder, registry)
    model = service.catalogue().model(job.model).model
    champion = registry.aliases(model.name).get(CHAMPION)
    versions = registry.versions(model.name)
    if champion is None:
        raise Conflict(f"{model.name} has no champion to go on from: promote a version first.")
    return Desk(
        service=service,
        job=job,
        tell=tell,
        model=model,
        policy=registry.policy(model.name),
        versions=versions,
        champion=lineage.named(versions, champion),
    )


def rows_of(examples: Sequence[Example]) -> tuple[list[Row], list[Label]]:
    """Part examples into rows and labels."""
    return [one.row for one in examples], [one.label for one in examples]
