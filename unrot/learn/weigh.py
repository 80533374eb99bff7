"""`weigh`: what the gate says of a version now, with the verdicts of today."""

from __future__ import annotations

from dataclasses import replace

from unrot.core import lineage
from unrot.core.artefacts import CALIBRATION
from unrot.core.errors import Conflict
from unrot.core.ports import Progress, Scorer, Workshop
from unrot.core.records import CHAMPION, Anchor, Answered, GateVerdict, Version
from unrot.learn.judge import Weighing, judge_candidate
from unrot.learn.material import Material
from unrot.make.publishing import calibrated
from unrot.serve.service import Service


def weigh_version(service: Service, material: Material, tell: Progress) -> None:
    """Do a job of the kind "weigh"; the version is promoted where the policy has it so."""
    version = lineage.named(material.versions, str(material.job.asked["version"]))
    if version.name == material.champion.name:
        _end_as_champion(service, material)
        return
    tell(0.1, f"weighing {version.name} against {material.champion.name}")
    scorer = service.shelf.predictor(service.catalogue(), version)
    weighing = judge_candidate(
        material,
        scorer,
        service.workshop,
        now=service.clock(),
        served_by=version.serving.by,
        largest_difference=version.serving.largest_difference,
    )
    anchor = _measured_anchor(material, version, weighing, scorer, service.workshop)
    service.store.lessons.weigh(material.model.name, version.name, weighing.verdict, anchor)
    is_promoted = _promote_if_passed(service, material, version, weighing)
    _end(service, material, version, weighing.verdict, is_champion=is_promoted)


def _measured_anchor(
    material: Material, version: Version, weighing: Weighing, scorer: Scorer, workshop: Workshop
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
        metrics=workshop.measure(answered, schema),
        calibration=calibrated(workshop.calibrate(answered, schema)).get(CALIBRATION, b""),
    )


def _promote_if_passed(
    service: Service, material: Material, version: Version, weighing: Weighing
) -> bool:
    if material.policy.promote != "auto" or not weighing.has_passed:
        return False
    return service.store.registry.move_alias(
        material.model.name,
        CHAMPION,
        to=version.name,
        expected=material.champion.name,
        at=service.clock(),
        by=material.job.asked_by,
        reason="the gate passed it",
    )


def _end_as_champion(service: Service, material: Material) -> None:
    """End the job: it was promoted meanwhile, perhaps by a learner that was killed just then."""
    champion = material.champion
    gates = service.store.lessons.gates(material.model.name, champion.name)
    if not gates:
        raise Conflict(f"{champion.name} is the champion: there is nothing to weigh it against.")
    _end(service, material, champion, gates[-1], is_champion=True)


def _end(
    service: Service,
    material: Material,
    version: Version,
    verdict: GateVerdict,
    *,
    is_champion: bool,
) -> None:
    result = {**verdict.summary, "version": version.name, "is_champion": is_champion}
    service.store.jobs.end(material.job, service.clock(), result=result)
