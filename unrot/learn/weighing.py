"""Hold a candidate against the champion, and say which rows it is measured by from then on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from unrot.core import lineage
from unrot.core.artefacts import CALIBRATION, HOLDOUT, digest_of
from unrot.core.errors import Conflict, Invalid
from unrot.core.ports import Label, Scorer
from unrot.core.records import (
    CHAMPION,
    Anchor,
    Answered,
    Example,
    GateVerdict,
    Outputs,
    Row,
    Version,
)
from unrot.hear.scores import row_errors, score
from unrot.learn.gate.gate import Evidence, Judgement, Sides, judge
from unrot.learn.material import Desk, rows_of
from unrot.make.publishing import calibrated
from unrot.watch import audit

CANDIDATE = "The candidate"


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the gate said, and the anchor that the candidate has from then on."""

    verdict: GateVerdict
    anchor: Anchor
    answered: Answered | None = None
    """What it answers to the rows of that anchor, where they are not the champion's."""


def weigh(
    desk: Desk,
    scorer: Scorer,
    *,
    name: str = CANDIDATE,
    served_by: str,
    largest_difference: float | None,
    taught: Sequence[Example] = (),
) -> Weighed:
    """Compare a candidate with the champion on the anchor and on recent trusted verdicts.

    While the gate is off nothing is compared: lessons then cost what they cost.
    """
    if not desk.policy.gate:
        return _unweighed(desk)
    anchor, recent = _sides(desk, scorer)
    judged, predicted = _counted(desk)
    weighed, promoted = desk.weighed_before(name)
    is_holdout = desk.champion.anchor == desk.champion.artefacts.get(HOLDOUT)
    evidence = Evidence(
        schema=desk.schema,
        champion=desk.champion.name,
        candidate=name,
        anchor=anchor,
        recent=recent,
        recent_at=[one.predicted_at for one in desk.recent],
        audited=[one.prediction in desk.audited for one in desk.recent],
        best_score=desk.best_score,
        best=desk.best_on_anchor,
        first=_of_first(desk, *desk.anchor),
        first_recent=_of_first(desk, *rows_of(desk.recent)),
        is_fixed=is_holdout,
        weighed=weighed,
        promoted=promoted,
        can_grow=not is_holdout,
        taught_from=min((one.predicted_at for one in taught), default=None),
        served_by=served_by,
        largest_difference=largest_difference,
        is_finite=(anchor is not None or not desk.anchor[0])
        and (recent is not None or not desk.recent),
        judged=judged,
        predicted=predicted,
        can_be_audited=audit.room(desk.service, desk.model.name).is_there,
    )
    judgement = judge(evidence, desk.policy, desk.service.clock())
    answered = _on_new_anchor(desk, recent, judgement)
    if answered is None:
        return Weighed(judgement.verdict, _same_anchor(desk, anchor))
    return Weighed(judgement.verdict, _new_anchor(desk, answered, judgement), answered)


def weigh_again(desk: Desk) -> None:
    """Do a job of the kind "weigh": what the gate says of a version now, with today's verdicts."""
    version = lineage.named(desk.versions, str(desk.job.asked["version"]))
    if version.name == desk.champion.name:
        _end_as_champion(desk)
        return
    desk.tell(0.1, f"weighing {version.name} against {desk.champion.name}")
    weighed = weigh(
        desk,
        desk.serving(version),
        name=version.name,
        served_by=version.serving.by,
        largest_difference=version.serving.largest_difference,
    )
    store, verdict = desk.service.store, weighed.verdict
    anchor = _measured(desk, version, weighed)
    store.lessons.weigh(desk.model.name, version.name, verdict, anchor)
    is_promoted = desk.policy.promote == "auto" and verdict.decision in ("passed", "off")
    if is_promoted:
        is_promoted = store.registry.move_alias(
            desk.model.name,
            CHAMPION,
            to=version.name,
            expected=desk.champion.name,
            at=desk.service.clock(),
            by=desk.job.asked_by,
            reason="the gate passed it",
        )
    store.jobs.end(
        desk.job,
        desk.service.clock(),
        result={**said(verdict), "version": version.name, "is_champion": is_promoted},
    )


def _measured(desk: Desk, version: Version, weighed: Weighed) -> Anchor | None:
    """Return the anchor with all that the version reaches on it; None where it keeps its own.

    What it had reached on other rows says nothing of these.
    """
    anchor = weighed.anchor
    if anchor.score is None:
        return None
    if anchor.metrics or anchor.digest == version.anchor:
        return anchor
    answered = desk.answered(desk.serving(version), *desk.anchor)
    if answered is None:
        return anchor
    workshop = desk.service.workshop
    return replace(
        anchor,
        metrics=workshop.measure(answered, desk.schema),
        calibration=calibrated(workshop.calibrate(answered, desk.schema)).get(CALIBRATION, b""),
    )


def _end_as_champion(desk: Desk) -> None:
    """End the job: it was promoted meanwhile, perhaps by a learner that was killed just then."""
    name = desk.champion.name
    gates = desk.service.store.lessons.gates(desk.model.name, name)
    if not gates:
        raise Conflict(f"{name} is the champion: there is nothing to weigh it against.")
    result = {**said(gates[-1]), "version": name, "is_champion": True}
    desk.service.store.jobs.end(desk.job, desk.service.clock(), result=result)


def said(verdict: GateVerdict) -> dict[str, object]:
    """Return what a job's result tells of the gate."""
    return {
        "gate": verdict.decision,
        "sentence": verdict.sentence,
        "wants_audit": verdict.wants_audit,
    }


def _unweighed(desk: Desk) -> Weighed:
    champion = desk.champion
    verdict = GateVerdict(
        "off", "The gate is off: nothing was compared.", champion.name, desk.service.clock()
    )
    return Weighed(verdict, Anchor(champion.anchor, None, champion.anchor_since))


def _sides(desk: Desk, scorer: Scorer) -> tuple[Sides | None, Sides | None]:
    return (
        _side(desk, desk.on_anchor, scorer),
        _side(desk, desk.on_recent, scorer),
    )


def _side(desk: Desk, champion: Answered | None, scorer: Scorer) -> Sides | None:
    """Let the candidate answer the rows that the champion has answered."""
    if champion is None:
        return None
    try:
        candidate = desk.answered(scorer, champion.rows, champion.truth)
    except Invalid:
        return None
    return None if candidate is None else Sides(champion, candidate)


def _of_first(desk: Desk, rows: Sequence[Row], truth: Sequence[Label]) -> Answered | None:
    """Let the first champion of this world answer, where it is another one."""
    return None if desk.first is None else desk.answered(desk.serving(desk.first), rows, truth)


def _on_new_anchor(desk: Desk, recent: Sides | None, judgement: Judgement) -> Answered | None:
    """Return what the candidate answers to the recent rows that take the anchor's place."""
    places = judgement.new_anchor
    if recent is None or not places:
        return None
    rows, truth = rows_of([desk.recent[place] for place in places])
    return Answered(rows, truth, _taken(recent.candidate.outputs, places))


def _new_anchor(desk: Desk, answered: Answered, judgement: Judgement) -> Anchor:
    workshop, schema = desk.service.workshop, desk.schema
    data = workshop.pack(answered.rows, answered.truth, schema)
    # Rows that only make an anchor larger, or the first, are of the world that was there.
    since = desk.champion.anchor_since
    if judgement.verdict.moved_at is not None:
        since = desk.recent[judgement.new_anchor[0]].predicted_at
    return Anchor(
        digest_of(data),
        score(schema, row_errors(schema, answered)),
        since,
        data,
        workshop.measure(answered, schema),
        calibrated(workshop.calibrate(answered, schema)).get(CALIBRATION, b""),
    )


def _same_anchor(desk: Desk, anchor: Sides | None) -> Anchor:
    reached = None
    if anchor is not None:
        reached = score(desk.schema, row_errors(desk.schema, anchor.candidate))
    return Anchor(desk.champion.anchor, reached, desk.champion.anchor_since)


def _taken(outputs: Outputs, places: Sequence[int]) -> Outputs:
    classes, chances, values = outputs.classes, outputs.probabilities, outputs.values
    return Outputs(
        classes=None if classes is None else [classes[place] for place in places],
        probabilities=None if chances is None else [chances[place] for place in places],
        values=None if values is None else [values[place] for place in places],
    )


def _counted(desk: Desk) -> tuple[int, int]:
    """Count all verdicts since the first that judges, held out or not, and the predictions."""
    if not desk.recent:
        return 0, 0
    first, traffic = desk.recent[0].predicted_at, desk.service.store.traffic
    until = desk.service.clock()
    return traffic.judged_of_predicted(desk.model.name, since=first, until=until)
