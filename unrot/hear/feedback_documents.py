"""A verdict as one document that tells all of itself: what was asked, answered, said and counted.

It is written before the verdict is acknowledged, often before its prediction is in the store; the
prediction is joined to it within a second, and from then on everything that learns or measures
reads these documents and joins nothing. Its plain fields are for people who look there themselves;
`body` has the same to the last digit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from unrot.core.records import Feedback, JudgedPrediction, Prediction, Value
from unrot.hear.truth import is_fair_row, was_right
from unrot.store.operations import Document


class Said(NamedTuple):
    """What of a verdict windows count; the rest does not move them."""

    was_correct: bool | None
    label: str | float | None
    reward: float | None = None
    reasons: Sequence[str] = ()
    asked: bool = False
    """Nobody has judged the row but who was asked: it is counted apart."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a verdict."""

    feedback: Feedback
    prediction: Prediction | None = None
    """None until it has arrived."""
    is_imported: bool = False
    """True of one that was brought in with a log: it stays until its model is removed."""
    first_given_at: float | None = None
    """When anybody first judged it; None of one that was kept by an older release."""
    counted: Said | None = None
    """The verdict as the windows have counted it; None where they have not, or took it back."""
    signals: Mapping[str, float] = field(default_factory=dict)
    """What was seen to happen with the prediction, and when that was first told."""
    counted_signals: tuple[str, ...] = ()
    """Those that the windows have counted, beside the verdict that they have counted."""

    @property
    def is_silent(self) -> bool:
        """True where nobody has ever said anything: there are but signals."""
        return bool(self.signals) and not self.feedback.withdrawn and not self._says_something

    @property
    def is_implicit(self) -> bool:
        """True where nothing stands but signals."""
        return bool(self.signals) and self.said is None

    @property
    def waits(self) -> bool:
        """True where no window has counted it as it stands."""
        return self.said != self.counted or tuple(self.signals) != self.counted_signals

    @property
    def said(self) -> Said | None:
        """What windows are to count of it; None where it was taken back, or nobody said it."""
        if self.feedback.withdrawn or self.is_silent:
            return None
        verdict = self.feedback
        return Said(
            verdict.was_correct,
            verdict.label,
            verdict.reward,
            tuple(verdict.reasons),
            not is_fair_row(verdict),
        )

    @property
    def _says_something(self) -> bool:
        return self.feedback.tells or self.feedback.reward is not None


def to_fields(kept: Kept, names: Sequence[str] = ()) -> dict[str, Any]:
    """Return the fields of a document; `names` those of the features, for people to read."""
    verdict, made = kept.feedback, kept.prediction
    stands = made is not None and not verdict.withdrawn
    is_aside = made is not None and not verdict.tells and (kept.said or kept.signals)
    return {
        "model": verdict.model,
        "version": made.version if made else None,
        "input data": _named(made.inputs, names) if made else None,
        "prediction": None
        if made is None
        else made.label
        if made.label is not None
        else made.value,
        "was correct": _was_correct(kept),
        "label": verdict.label,
        "time": verdict.given_at,
        "predicted at": verdict.predicted_at,
        "comment": verdict.comment.replace("\0", "\ufffd"),
        "judge": verdict.judge,
        "subject": verdict.subject,
        "withdrawn": verdict.withdrawn,
        "reward": verdict.reward,
        "signals": ", ".join(kept.signals) or None,
        "implicit": kept.is_implicit,
        "reasons": ", ".join(verdict.reasons) or None,
        "asked": not is_fair_row(verdict),
        "waits": True if kept.waits else None,
        "speaks of": verdict.model if stands and verdict.tells else None,
        "fair of": verdict.model if stands and verdict.tells and is_fair_row(verdict) else None,
        "trusted of": verdict.model if stands and verdict.is_trusted else None,
        "aside of": verdict.model if is_aside else None,
        "body": {
            "was correct": verdict.was_correct,
            "label": verdict.label,
            "prediction": None if made is None else _answer(made),
            "imported": kept.is_imported,
            "first given": kept.first_given_at,
            "counted": None if kept.counted is None else list(kept.counted),
            "reasons": list(verdict.reasons),
            "asked": verdict.asked,
            "unasked too": verdict.unasked_too,
            "signals": dict(kept.signals),
            "counted signals": list(kept.counted_signals),
        },
    }


def from_document(document: Document) -> Kept:
    """Read what is kept of a verdict."""
    body, counted = document["body"], document["body"]["counted"]
    return Kept(
        feedback_of(document),
        None if body["prediction"] is None else _prediction(document, body["prediction"]),
        body.get("imported", False),
        body.get("first given"),
        None if counted is None else _counted(*counted),
        body.get("signals", {}),
        tuple(body.get("counted signals", ())),
    )


def _counted(
    was_correct: bool | None,
    label: str | float | None,
    reward: float | None = None,
    reasons: Sequence[str] = (),
    asked: bool = False,
) -> Said:
    return Said(was_correct, label, reward, tuple(reasons), asked)


def feedback_of(document: Document, *, is_settled: bool = False) -> Feedback:
    """Read the verdict alone; settled, its label has said whether the answer was right."""
    fields, body = document.fields, document.fields["body"]
    return Feedback(
        document.key,
        fields["model"],
        fields["predicted at"],
        fields["time"],
        fields.get("was correct") if is_settled else body["was correct"],
        body["label"],
        fields.get("comment") or "",
        fields.get("judge"),
        fields.get("subject") or "",
        bool(fields.get("withdrawn")),
        fields.get("reward"),
        reasons=tuple(body.get("reasons", ())),
        asked=body.get("asked", False),
        unasked_too=body.get("unasked too", False),
    )


def judged_of(kept: Kept) -> JudgedPrediction | None:
    """Return a prediction beside its verdict."""
    if kept.prediction is None:
        return None
    verdict = None if kept.said is None else kept.feedback
    return JudgedPrediction(kept.prediction, verdict, tuple(kept.signals))


def signals_of(document: Document) -> tuple[str, ...]:
    """Return the signals alone."""
    return tuple(document["body"].get("signals", ()))


def _was_correct(kept: Kept) -> bool | None:
    verdict, made = kept.feedback, kept.prediction
    if verdict.was_correct is not None or made is None:
        return verdict.was_correct
    return was_right(made, verdict)


def _named(inputs: Sequence[Value], names: Sequence[str]) -> Mapping[str, Value] | Sequence[Value]:
    if len(names) != len(inputs):
        return list(inputs)
    return dict(zip(names, inputs, strict=True))


def _answer(made: Prediction) -> dict[str, Any]:
    return {
        "predicted at": made.predicted_at,
        "label": made.label,
        "probabilities": None if made.probabilities is None else list(made.probabilities),
        "value": made.value,
        "seconds": made.seconds,
    }


def _prediction(document: Document, answer: Mapping[str, Any]) -> Prediction:
    inputs = document["input data"] or ()
    return Prediction(
        id=document.key,
        model=document["model"],
        version=document["version"],
        predicted_at=answer["predicted at"],
        inputs=list(inputs.values()) if isinstance(inputs, Mapping) else inputs,
        label=answer["label"],
        probabilities=answer["probabilities"],
        value=answer["value"],
        seconds=answer["seconds"],
    )
