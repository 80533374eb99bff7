"""Make a version of what was taught: compiled, weighed, and kept with its lessons and fates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from unrot.core import lineage
from unrot.core.artefacts import (
    ANCHOR,
    CALIBRATION,
    HOLDOUT,
    LESSONS,
    NEIGHBOURS,
    PROFILE,
    REFERENCE,
    STREAM,
    TRAINING,
    digest_of,
)
from unrot.core.ports import Apprentice
from unrot.core.records import Anchor, Candidate, Example, Fate, Lesson, Version
from unrot.learn.material import Desk
from unrot.learn.weighing import Weighed, said, weigh
from unrot.make.publishing import as_version
from unrot.serve.shelf import sync

INHERITED = (TRAINING, HOLDOUT, STREAM, PROFILE, REFERENCE, NEIGHBOURS)
"""What a version keeps of the one that it comes from, where it has none of its own."""

STEPS = ("learn", "train_batch")
"""Small steps from the parent: its reference profile, which takes as long as the rest, stays."""

PASSED = ("passed", "off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a job has made, before it is a version."""

    apprentice: Apprentice
    lessons: Sequence[Lesson]
    parent: Version
    fates: Sequence[Fate] = ()
    is_fresh: bool = False
    """True when it was fitted from nothing."""
    is_gated: bool = True
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What its record tells besides."""

    @property
    def examples(self) -> list[Example]:
        """All verdicts that it learnt."""
        return [one for lesson in self.lessons for one in lesson.examples]


def publish(desk: Desk, work: Work) -> Version | None:
    """Compile, weigh and keep what was made; None when the job is another process's by now."""
    candidate = work.apprentice.candidate(
        origin=desk.job.kind,
        parent=work.parent.name,
        holdout=_holdout(desk),
        made=_facts(desk, work),
        progress=desk.part(0.7, 0.9),
    )
    if desk.job.kind in STEPS:
        candidate = replace(candidate, reference_outputs=None)
    weighed = _weighed(desk, work, candidate) if work.is_gated else None
    candidate = _of_its_world(desk, work, candidate, weighed)
    desk.tell(0.95, "keeping it")
    version, artefacts = _version(desk, work, candidate, weighed)
    is_champion = _is_promoted(desk, weighed)
    made = desk.service.store.lessons.publish(
        version,
        artefacts,
        fates=work.fates,
        gate=None if weighed is None else weighed.verdict,
        job=desk.job,
        result={
            **({} if weighed is None else said(weighed.verdict)),
            **work.facts,
            "is_champion": is_champion,
        },
        champion=desk.champion.name,
        promote=is_champion,
    )
    if made is not None:
        sync(desk.service.shelf.folder, desk.service.store.registry)
    return made


def _weighed(desk: Desk, work: Work, candidate: Candidate) -> Weighed:
    desk.tell(0.9, f"weighing it against {desk.champion.name}")
    return weigh(
        desk,
        desk.service.workshop.predictor(candidate, desk.schema),
        served_by=candidate.served_by,
        largest_difference=candidate.largest_difference,
        taught=work.examples,
    )


def _of_its_world(
    desk: Desk, work: Work, candidate: Candidate, weighed: Weighed | None
) -> Candidate:
    """Let go of what it answers to the champion's anchor where the world is no longer that one.

    What it answers to the rows of a new anchor takes the place; rather none than a wrong one.
    """
    if weighed is not None and weighed.answered is not None:
        return replace(candidate, calibrating=(), held_out_outputs=weighed.answered.outputs)
    if work.is_gated and desk.move.has_moved:
        return replace(candidate, calibrating=(), held_out_outputs=None)
    return candidate


def _is_promoted(desk: Desk, weighed: Weighed | None) -> bool:
    """Tell whether it becomes the champion by itself; a stream moves on without the gate."""
    if weighed is None:
        return True
    return desk.policy.promote == "auto" and weighed.verdict.decision in PASSED


def _version(
    desk: Desk, work: Work, candidate: Candidate, weighed: Weighed | None
) -> tuple[Version, dict[str, bytes]]:
    version, artefacts = as_version(
        desk.model, candidate, profiler=desk.service.profiler, now=desk.service.clock()
    )
    packed = desk.service.workshop.pack_lessons(work.lessons)
    anchor = _same_anchor(desk, version) if weighed is None else weighed.anchor
    artefacts[digest_of(packed)] = packed
    for data in filter(None, (anchor.data, anchor.calibration)):
        artefacts[digest_of(data)] = data
    kept = {
        kind: work.parent.artefacts[kind] for kind in INHERITED if kind in work.parent.artefacts
    }
    own = {LESSONS: digest_of(packed)}
    if anchor.digest and anchor.digest != kept.get(HOLDOUT):
        own[ANCHOR] = anchor.digest
    if anchor.calibration:
        own[CALIBRATION] = digest_of(anchor.calibration)
    return (
        replace(
            version,
            artefacts={**kept, **version.artefacts, **own},
            metrics=anchor.measured(version.metrics),
            anchor=anchor.digest,
            anchor_score=version.anchor_score if anchor.score is None else anchor.score,
            anchor_since=anchor.since,
        ),
        artefacts,
    )


def _same_anchor(desk: Desk, version: Version) -> Anchor:
    return Anchor(desk.champion.anchor, version.anchor_score, desk.champion.anchor_since)


def _holdout(desk: Desk) -> bytes:
    return desk.artefact(desk.champion.anchor) if desk.champion.anchor else b""


def _facts(desk: Desk, work: Work) -> dict[str, Any]:
    return {
        "job": desk.job.kind,
        "by": desk.job.asked_by,
        "verdicts": len(work.examples),
        "replayed": sum(len(lesson.replayed) for lesson in work.lessons),
        "policy": asdict(desk.policy),
        "learns": desk.champion.made.get("learns"),
        **work.facts,
        **({lineage.FRESH: True} if work.is_fresh else {}),
    }
