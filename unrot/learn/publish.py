"""Make a version of what was taught: compiled, judged, and kept with its lessons and fates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from unrot.core import lineage
from unrot.core.artefacts import (
    ANCHOR,
    CALIBRATION,
    EXAMPLES,
    HOLDOUT,
    LESSONS,
    NEIGHBOURS,
    PROFILE,
    REFERENCE,
    STREAM,
    TRAINING,
    digest_of,
)
from unrot.core.memory import hand_back_memory
from unrot.core.ports import Progress, Trainable
from unrot.core.records import Anchor, Calibrating, Candidate, Example, Fate, Lesson, Version
from unrot.learn.judge import Weighing, judge_candidate, leave_unweighed
from unrot.learn.material import Material, part_of
from unrot.make.publishing import as_version
from unrot.serve.service import Service
from unrot.serve.shelf import sync

INHERITED = (TRAINING, HOLDOUT, STREAM, PROFILE, REFERENCE, NEIGHBOURS, EXAMPLES)
"""What a version keeps of the one that it comes from, where it has none of its own."""
OF_TRAINED_ROWS = (NEIGHBOURS, EXAMPLES)
"""What tells rows like those that it was trained on: none of its own where it saw none of them."""

STEPS = ("learn", "train_batch")
"""Small steps from the parent: its reference profile, which takes as long as the rest, stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a job has taught, before it is a version."""

    trainable: Trainable
    lessons: Sequence[Lesson]
    fates: Sequence[Fate] = ()
    is_fresh: bool = False
    """True when it was fitted from nothing."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What its record tells besides."""

    @property
    def examples(self) -> list[Example]:
        """All verdicts that it learnt."""
        return [example for lesson in self.lessons for example in lesson.examples]

    @property
    def knows_training(self) -> bool:
        """False when it was fitted afresh and on verdicts alone."""
        return not any(one.kind == "refit" and not one.training_weight for one in self.lessons)


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A job that had nothing to teach, and what it says of that."""

    result: Mapping[str, Any]


def publish_draft(
    service: Service, material: Material, draft: Draft, tell: Progress
) -> Version | None:
    """Compile what was taught, let the gate weigh it, and keep it."""
    candidate = _compile(material, draft, part_of(tell, 0.0, 2 / 3))
    hand_back_memory()
    weighing = None
    if material.job.kind not in lineage.STREAMED:
        tell(2 / 3, f"weighing it against {material.champion.name}")
        weighing = _judge(service, material, draft, candidate)
    tell(5 / 6, "keeping it")
    return _keep(service, material, draft, candidate, weighing)


def _compile(material: Material, draft: Draft, tell: Progress) -> Candidate:
    """Measure and compile what was taught."""
    candidate = draft.trainable.candidate(
        origin=material.job.kind,
        parent=material.parent.name,
        holdout=material.anchor_table,
        made=_facts(material, draft),
        progress=tell,
    )
    if material.job.kind in STEPS:
        return replace(candidate, reference_outputs=None)
    return candidate


def _judge(service: Service, material: Material, draft: Draft, candidate: Candidate) -> Weighing:
    trainer = service.trainer
    if material.evidence is None:
        return leave_unweighed(material, service.clock())
    return judge_candidate(
        material,
        trainer.predictor(candidate, material.schema),
        trainer,
        now=service.clock(),
        served_by=candidate.served_by,
        largest_difference=candidate.largest_difference,
        taught=draft.examples,
    )


def _keep(
    service: Service,
    material: Material,
    draft: Draft,
    candidate: Candidate,
    weighing: Weighing | None,
) -> Version | None:
    """Keep it as a version and end the job; None when the job is another process's by now."""
    candidate = _of_its_world(material, candidate, weighing)
    version, artefacts = as_version(
        material.model, candidate, profiler=service.profiler, now=service.clock()
    )
    lessons = service.trainer.pack_lessons(draft.lessons)
    anchor = _same_anchor(material, version) if weighing is None else weighing.anchor
    own = [lessons, *filter(None, (anchor.data, anchor.calibration))]
    verdict = None if weighing is None else weighing.verdict
    is_champion = _is_promoted(material, weighing)
    made = service.store.lessons.publish(
        _with_anchor(material, draft, version, anchor, digest_of(lessons)),
        {**artefacts, **{digest_of(data): data for data in own}},
        examples={one.prediction for one in draft.examples if not one.is_erased},
        fates=draft.fates,
        gate=verdict,
        job=material.job,
        result={
            **({} if verdict is None else verdict.summary),
            **draft.facts,
            "is_champion": is_champion,
        },
        champion=material.champion.name,
        promote=is_champion,
    )
    if made is not None:
        sync(service.shelf.folder, service.store.registry)
    return made


def _of_its_world(material: Material, candidate: Candidate, weighing: Weighing | None) -> Candidate:
    """Let go of what it answers to the champion's anchor where the world is no longer that one.

    What it answers to the rows of a new anchor takes the place; rather none than a wrong one.
    """
    if weighing is not None and weighing.answered is not None:
        outputs = weighing.answered.outputs
        return replace(candidate, calibrating=Calibrating(), held_out_outputs=outputs)
    if weighing is not None and material.move.has_moved:
        return replace(candidate, calibrating=Calibrating(), held_out_outputs=None)
    return candidate


def _is_promoted(material: Material, weighing: Weighing | None) -> bool:
    """Tell whether it becomes the champion by itself; a stream moves on without the gate."""
    if weighing is None:
        return True
    return material.policy.promote == "auto" and weighing.has_passed


def _with_anchor(
    material: Material, draft: Draft, version: Version, anchor: Anchor, lessons: str
) -> Version:
    """Give a version its lessons, its anchor, and what it keeps of its parent."""
    parent = material.parent.artefacts
    foreign = () if draft.knows_training else OF_TRAINED_ROWS
    kept = {kind: parent[kind] for kind in INHERITED if kind in parent and kind not in foreign}
    own = {LESSONS: lessons}
    if anchor.digest and anchor.digest != kept.get(HOLDOUT):
        own[ANCHOR] = anchor.digest
    if anchor.calibration:
        own[CALIBRATION] = digest_of(anchor.calibration)
    return replace(
        version,
        artefacts={**kept, **version.artefacts, **own},
        metrics=anchor.measured(version.metrics),
        anchor=anchor.digest,
        anchor_score=version.anchor_score if anchor.score is None else anchor.score,
        anchor_since=anchor.since,
    )


def _same_anchor(material: Material, version: Version) -> Anchor:
    return Anchor(material.champion.anchor, version.anchor_score, material.champion.anchor_since)


def _facts(material: Material, draft: Draft) -> dict[str, Any]:
    return {
        "job": material.job.kind,
        "by": material.job.asked_by,
        "verdicts": len(draft.examples),
        "replayed": sum(len(lesson.replayed) for lesson in draft.lessons),
        "policy": asdict(material.policy),
        "learns": material.champion.made.get("learns"),
        **draft.facts,
        **({lineage.FRESH: True} if draft.is_fresh else {}),
    }
