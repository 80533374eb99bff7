"""`weigh`: what the gate says of a version now, with the verdicts of today."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from unrot.core import lineage
from unrot.core.artefacts import CALIBRATION
from unrot.core.errors import Conflict
from unrot.core.ports import Predictor, Progress, Trainer
from unrot.core.records import Anchor, Answered, GateVerdict, Job, Version
from unrot.learn.judge import Weighing, judge_candidate, leave_unweighed
from unrot.learn.material import Material, read_champion, read_evidence, read_judges
from unrot.make.publishing import calibrated
from unrot.serve.service import Service
from unrot.serve.shelf import sync


def weigh_version(service: Service, job: Job, tell: Progress) -> None:
    """Do a job of the kind "weigh"; the version is promoted where the policy has it so.

    Nobody answers for the champion itself, or while the gate is off.
    """
    material = read_champion(service, job)
    version = lineage.named(material.versions, str(job.asked["version"]))
    if version.name == material.champion.name:
        _end_as_champion(service, material)
    elif not material.policy.gate:
        _keep(service, material, version, leave_unweighed(material, service.clock()), None)
    else:
        tell(0.1, f"weighing {version.name} against {material.champion.name}")
        _weigh(service, read_evidence(service, read_judges(service, material)), version)


def _weigh(service: Service, material: Material, version: Version) -> None:
    scorer = service.shelf.predictor(service.catalogue(), version)
    weighing = judge_candidate(
        material,
        scorer,
        service.trainer,
        now=service.clock(),
        served_by=version.serving.by,
        largest_difference=version.serving.largest_difference,
    )
    anchor = _measured_anchor(material, version, weighing, scorer, service.trainer)
    _keep(service, material, version, weighing, anchor)


def _measured_anchor(
    material: Material, version: Version, weighing: Weighing, scorer: Predictor, trainer: Trainer
) -> Anchor | None:
    """Return the anchor with all that the version reaches on it; None where it keeps its own.

    What it had reached on other rows says nothing of these.
    """
    anchor, schema = weighing.anchor, material.schema
    if anchor.score is None:
        return None
    if anchor.metrics or anchor.digest == version.anchor:
        return anchor
    rows, truth = material.anchor
    answered = Answered(rows, truth, scorer.predict(rows))
    return replace(
        anchor,
        metrics=trainer.measure(answered, schema),
        calibration=calibrated(trainer.calibrate(answered, schema)).get(CALIBRATION, b""),
    )


def _keep(
    service: Service,
    material: Material,
    version: Version,
    weighing: Weighing,
    anchor: Anchor | None,
) -> None:
    """Keep what the gate said and end the job; nothing when the job is another process's by now."""
    is_champion = material.policy.promote == "auto" and weighing.has_passed
    is_kept = service.store.lessons.weigh(
        version,
        weighing.verdict,
        anchor,
        job=material.job,
        result=_result(version, weighing.verdict, is_champion=is_champion),
        champion=material.champion.name,
        promote=is_champion,
    )
    if is_kept:
        sync(service.shelf.folder, service.store.registry)


def _end_as_champion(service: Service, material: Material) -> None:
    """End the job: it was promoted meanwhile, perhaps by a learner that was killed just then."""
    champion = material.champion
    gates = service.store.lessons.gates(material.model.key, champion.name)
    if not gates:
        raise Conflict(f"{champion.name} is the champion: there is nothing to weigh it against.")
    result = _result(champion, gates[-1], is_champion=True)
    service.store.jobs.end(material.job, service.clock(), result=result)


def _result(version: Version, verdict: GateVerdict, *, is_champion: bool) -> dict[str, Any]:
    return {**verdict.summary, "version": version.name, "is_champion": is_champion}
