"""What a verdict says is true, and the row to learn from that it becomes, or why it is none.

    label given                      that label
    thumb up                         the predicted class
    thumb down, two classes          the other class
    thumb down, more classes         tells no class: it counts for accuracy only
    a thumb on a number              tells no number, and neither right nor wrong

A row weighs 1 when a judge said it or when it corrects the answer, and 0.2 when somebody unknown
agrees: agreeing is cheap, and most of it repeats what the model believes already.

    >>> from unrot.core.records import Feedback
    >>> from unrot.core.records import JudgedPrediction
    >>> from unrot.core.records import Prediction
    >>> from unrot.core.records import Schema
    >>> schema = Schema((), "temper", ("hostile", "friendly"))
    >>> said = Prediction("a", "zombies", "v1", 10.0, (), "hostile", None, None)
    >>> verdict = Feedback("a", "zombies", 10.0, 11.0, was_correct=False)
    >>> example_of(JudgedPrediction(said, verdict), schema).label
    'friendly'
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from unrot.core.errors import Invalid, wrong_field
from unrot.core.plurals import counted
from unrot.core.records import Example, Fate, Feedback, JudgedPrediction, Prediction, Schema
from unrot.core.schema import is_number, parse_label, parse_row

WEIGHTS: Mapping[str, float] = {"trusted": 1.0, "corrected": 1.0, "thumb up": 0.2, "training": 1.0}
"""What one row weighs, by where it comes from."""

MOST_WEIGHT = 100.0

ONLY_WRONG = "told only that the answer was wrong"
NO_NUMBER = "a thumb tells no number"
ONLY_REWARD = "told only how good the answer was"
TAKEN_BACK = "taken back"
NO_CLASS = "its prediction named no class"
NOT_IN_SCHEMA = "not in the schema"

Answer = str | float
"""A class by its name, or a number."""


def truth_of(predicted: str | None, verdict: Feedback, schema: Schema) -> Answer | None:
    """Return what a verdict on a predicted class, or on a number (None), says is true, if it does.

    A thumb down tells the other class only where the answer is one of two.
    """
    if verdict.withdrawn:
        return None
    return truth_by(predicted, verdict.was_correct, verdict.label, schema)


def truth_by(
    predicted: str | None, was_correct: bool | None, label: Answer | None, schema: Schema
) -> Answer | None:
    """Return the same by what stands in a verdict that was not taken back."""
    if label is not None:
        return label
    if predicted is None or was_correct is None:
        return None
    return predicted if was_correct else _other(predicted, schema.classes)


def was_right(made: Prediction, verdict: Feedback | None) -> bool | None:
    """Tell whether the class that was answered was right; None where nobody has said.

    A number is off by so much, and neither right nor wrong, whatever a thumb says.
    """
    if verdict is None or verdict.withdrawn:
        return None
    return right_by(made.label, verdict.was_correct, verdict.label)


def right_by(predicted: str | None, was_correct: bool | None, label: Answer | None) -> bool | None:
    """Tell the same by what stands in a verdict that was not taken back."""
    if predicted is None:
        return None
    if was_correct is not None:
        return was_correct
    return None if label is None else is_right(predicted, label)


def is_right(answer: Answer, truth: Answer, within: float = 0.0) -> bool:
    """Tell whether an answer is right where the truth is known: a number when it is near enough."""
    if isinstance(answer, str) or isinstance(truth, str):
        return answer == truth
    return abs(answer - truth) <= within


def example_of(
    judged: JudgedPrediction, schema: Schema, weights: Mapping[str, float] = WEIGHTS
) -> Example | Fate:
    """Turn a verdict into an example, or into the fate that sets it aside."""
    feedback = _feedback(judged)
    label = truth_of(judged.prediction.label, feedback, schema)
    reason = _misfit(judged.prediction, label, schema)
    if label is None:
        reason = _why_none(judged.prediction, feedback, schema)
    if label is None or reason:
        return Fate(feedback.prediction, "set aside", feedback.given_at, reason)
    return Example(
        prediction=feedback.prediction,
        row=judged.prediction.inputs,
        label=label,
        weight=weights[_source(judged.prediction, feedback, label)],
        is_trusted=feedback.is_trusted,
        subject=feedback.subject,
        predicted_at=judged.prediction.predicted_at,
        given_at=feedback.given_at,
        asked=feedback.asked,
    )


def parse_weights(given: Any) -> dict[str, float]:
    """Read weights such as {"thumb up": 0.5}; those that are not given stay as they are."""
    known = ", ".join(WEIGHTS)
    if not isinstance(given, Mapping):
        raise wrong_field("weights", given, f"an object with some of {known}")
    for name, value in given.items():
        if name not in WEIGHTS:
            raise wrong_field(f"weights.{name}"[:80], value, f"only {known}")
        if not is_number(value) or not 0 <= value <= MOST_WEIGHT:
            raise wrong_field(f"weights.{name}", value, f"a number from 0 to {MOST_WEIGHT:g}")
    return {**WEIGHTS, **{name: float(value) for name, value in given.items()}}


def judging_verdicts(
    judged: Iterable[JudgedPrediction],
    held_out: float,
    *,
    audited: Collection[str] = (),
    since: float = 0.0,
) -> list[JudgedPrediction]:
    """Return the verdicts that only judge, in the order in which their rows were predicted.

    They are trusted, are held out, and nobody asked for them.
    """
    found = [
        (one.prediction.predicted_at, verdict.prediction, one)
        for one in judged
        if (verdict := one.feedback) is not None
        and verdict.is_trusted
        and is_fair(verdict)
        and one.prediction.predicted_at >= since
        and only_judges(verdict.prediction, held_out, audited)
    ]
    return [one for *_, one in sorted(found, key=lambda one: one[:2])]


def only_judges(prediction: str, held_out: float, audited: Collection[str] = ()) -> bool:
    """Tell whether a trusted verdict is never learnt: it was asked for, or is held out."""
    return prediction in audited or is_held_out(prediction, held_out)


def is_fair(verdict: Feedback | Example) -> bool:
    """Tell whether a judge's verdict may stand for those on all rows: nobody asked for it.

    Verdicts that were asked for teach, and are of the hardest rows. So they are left out of
    whatever takes verdicts for a sample of the traffic.
    """
    return not verdict.asked


def is_fair_row(verdict: Feedback) -> bool:
    """Tell the same of its row, where everybody's verdicts count: somebody judged it unasked."""
    return is_fair(verdict) or verdict.unasked_too


def is_judged(verdict: Feedback | None) -> bool:
    """Tell whether a judge has judged it whom nobody had asked: an audit asks no more."""
    return verdict is not None and verdict.is_judgement and is_fair(verdict)


def heard_beside(verdict: Feedback, other: Feedback) -> Feedback:
    """Return the verdict that stands, marked by another one on its row, of before or since.

    A judge whom nobody had asked makes it count as any, if he says as much; a voter makes the row
    count, and the judge's word on it still was asked for.
    """
    if not verdict.asked or other.withdrawn or other.tells < verdict.tells:
        return verdict
    if other.is_trusted and is_fair(other):
        return replace(verdict, asked=False, unasked_too=False)
    return replace(verdict, unasked_too=verdict.unasked_too or is_fair_row(other))


def is_held_out(prediction: str, share: float) -> bool:
    """Tell by its id alone whether a trusted verdict only judges: the same answer for ever."""
    first = hashlib.sha256(prediction.encode()).digest()[:8]
    return int.from_bytes(first, "big") < share * 2**64


def in_order(examples: Iterable[Example]) -> list[Example]:
    """Return examples in the order in which their verdicts were given."""
    return sorted(examples, key=lambda one: (one.given_at, one.prediction))


def _feedback(judged: JudgedPrediction) -> Feedback:
    if judged.feedback is None:
        raise ValueError(f"Prediction {judged.prediction.id} has no verdict to learn from.")
    return judged.feedback


def _why_none(prediction: Prediction, feedback: Feedback, schema: Schema) -> str:
    """Say why a verdict tells no label."""
    if feedback.withdrawn:
        return TAKEN_BACK
    if not feedback.tells:
        return ONLY_REWARD
    if not schema.is_classifier:
        return NO_NUMBER
    return NO_CLASS if prediction.label is None else ONLY_WRONG


def _other(label: str, classes: Sequence[str]) -> str | None:
    others = [name for name in classes if name != label]
    return others[0] if len(classes) == 2 and len(others) == 1 else None


def _misfit(prediction: Prediction, label: str | float | None, schema: Schema) -> str:
    """Say how a verdict does not fit the schema as it is now; empty when it does."""
    if label is None:
        return ""
    if len(prediction.inputs) != len(schema.features):
        found, expected = len(prediction.inputs), len(schema.features)
        return f"{NOT_IN_SCHEMA}: {counted(found, 'feature')} instead of {expected}"
    try:
        parse_label(schema, label)
        parse_row(schema, dict(zip(schema.names, prediction.inputs, strict=True)))
    except Invalid as error:
        return f"{NOT_IN_SCHEMA}: {error.details[0].sentence}"
    return ""


def _source(prediction: Prediction, feedback: Feedback, label: str | float) -> str:
    if feedback.is_trusted:
        return "trusted"
    said = prediction.value if prediction.label is None else prediction.label
    return "thumb up" if label == said else "corrected"
