"""Hold a candidate against the champion, and say which rows it is measured by from then on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from unrot.core.artefacts import CALIBRATION, digest_of
from unrot.core.errors import Invalid
from unrot.core.ports import Predictor, Trainer
from unrot.core.records import Anchor, Answered, Example, GateVerdict, Outputs
from unrot.hear.scores import row_errors, score
from unrot.learn.gate.gate import Judgement, Sides, judge
from unrot.learn.material import Material
from unrot.make.publishing import calibrated


@dataclass(frozen=True, slots=True)
class Weighing:
    """What the gate said, and the anchor that the candidate has from then on."""

    verdict: GateVerdict
    anchor: Anchor
    answered: Answered | None = None
    """What it answers to the rows of that anchor, where they are not the champion's."""

    @property
    def has_passed(self) -> bool:
        """True when nothing stands against it, be it that the gate is off."""
        return self.verdict.decision in ("passed", "off")


def judge_candidate(
    material: Material,
    scorer: Predictor,
    trainer: Trainer,
    *,
    now: float,
    served_by: str,
    largest_difference: float | None,
    taught: Sequence[Example] = (),
) -> Weighing:
    """Compare a candidate with the champion on the anchor and on recent trusted verdicts."""
    assert material.evidence is not None, "what is judged is read with what it is held against"
    anchor, recent = _side(material.on_anchor, scorer), _side(material.on_recent, scorer)
    evidence = replace(
        material.evidence,
        anchor=anchor,
        recent=recent,
        taught_from=min((example.predicted_at for example in taught), default=None),
        served_by=served_by,
        largest_difference=largest_difference,
        is_finite=_has_answered(material, anchor, recent),
    )
    judgement = judge(evidence, material.policy, now)
    answered = _on_new_anchor(recent, judgement)
    if answered is None:
        return Weighing(judgement.verdict, _same_anchor(material, anchor))
    return Weighing(
        judgement.verdict, _new_anchor(material, answered, judgement, trainer), answered
    )


def leave_unweighed(material: Material, now: float) -> Weighing:
    """Say that the gate is off; a candidate keeps the champion's anchor."""
    sentence = "The gate is off: nothing was compared."
    verdict = GateVerdict("off", sentence, material.champion.name, now)
    return Weighing(verdict, _same_anchor(material, None))


def _side(champion: Answered | None, scorer: Predictor) -> Sides | None:
    """Let the candidate answer the rows that the champion has answered."""
    if champion is None:
        return None
    try:
        outputs = scorer.predict(champion.rows)
    except Invalid:
        return None
    return Sides(champion, Answered(champion.rows, champion.truth, outputs))


def _has_answered(material: Material, anchor: Sides | None, recent: Sides | None) -> bool:
    """Tell whether it answered wherever the champion did."""
    return (anchor is not None or material.on_anchor is None) and (
        recent is not None or material.on_recent is None
    )


def _on_new_anchor(recent: Sides | None, judgement: Judgement) -> Answered | None:
    """Return what the candidate answers to the recent rows that take the anchor's place."""
    places = judgement.new_anchor
    if recent is None or not places:
        return None
    rows, truth = recent.candidate.rows, recent.candidate.truth
    return Answered(
        [rows[place] for place in places],
        [truth[place] for place in places],
        _taken(recent.candidate.outputs, places),
    )


def _new_anchor(
    material: Material, answered: Answered, judgement: Judgement, trainer: Trainer
) -> Anchor:
    schema = material.schema
    data = trainer.pack(answered.rows, answered.truth, schema)
    # Rows that only make an anchor larger, or the first, are of the world that was there.
    since = material.champion.anchor_since
    if judgement.verdict.moved_at is not None:
        since = material.recent[judgement.new_anchor[0]].predicted_at
    return Anchor(
        digest_of(data),
        score(schema, row_errors(schema, answered)),
        since,
        data,
        trainer.measure(answered, schema),
        calibrated(trainer.calibrate(answered, schema)).get(CALIBRATION, b""),
    )


def _same_anchor(material: Material, sides: Sides | None) -> Anchor:
    reached = None
    if sides is not None:
        reached = score(material.schema, row_errors(material.schema, sides.candidate))
    return Anchor(material.champion.anchor, reached, material.champion.anchor_since)


def _taken(outputs: Outputs, places: Sequence[int]) -> Outputs:
    classes, chances, values = outputs.classes, outputs.probabilities, outputs.values
    return Outputs(
        classes=None if classes is None else [classes[place] for place in places],
        probabilities=None if chances is None else [chances[place] for place in places],
        values=None if values is None else [values[place] for place in places],
    )
