"""The records of the product that many answers have in them, as shapes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from unrot.core import records
from unrot.core.records import JobKind, JudgedPrediction, Schema
from unrot.core.test_sets import MeasuredOn
from unrot.hear.truth import is_fair_row
from unrot.web.current import Called
from unrot.web.shape import UNSET, From, Keywords, Moment, Shape, TextOrNull, Unset

Cell = Annotated[Any, "A number, a text, true, false or null."]
Row = dict[str, Cell]
Anything = Annotated[dict[str, Any], Keywords(additionalProperties=True)]


class Component(Shape, named=True):
    """One part of the running product, and how it is."""

    state: Literal["ok", "degraded", "down"]
    sentence: str


class Job(Shape, named=True):
    """A job as those who may look see it."""

    id: str
    model: Called
    kind: JobKind
    asked: Anything
    asked_by: str
    state: Literal["queued", "running", "done", "failed"]
    progress: Annotated[float, Keywords(minimum=0, maximum=1)]
    step: Annotated[str, "What it does now, in words."]
    result: Annotated[Anything | None, "What it made."]
    error: TextOrNull
    reason: TextOrNull
    created_at: Moment
    started_at: Moment | None
    ended_at: Moment | None
    is_cancelling: bool


class TestSet(Shape):
    """Which rows a score is of."""

    name: Annotated[str, Keywords(example="A")]
    digest: Annotated[str, "The beginning of their SHA-256.", From("short")]
    rows: int
    kind: Literal["held out", "judged"]
    sentence: Annotated[str, Keywords(example="4,000 rows held out when v1 was trained")]


def test_set(on: MeasuredOn | None) -> TestSet | None:
    """Show which rows a score is of."""
    return None if on is None else TestSet.of(on)


TestSetOrNull = Annotated[
    TestSet | None, "The rows that a score is of. Only scores of one test set can be compared."
]


# ── errors ───────────────────────────────────────────────────────────────────────────────────


class Detail(Shape, named=True):
    """What is wrong with one field."""

    row: int | None
    field: str
    value: Cell
    expected: str


class Error(Shape, named=True):
    """What every error answers; `envelope.failure` writes it."""

    data: Annotated[None, "Always null."]
    message: str
    reason: str
    details: list[Detail] | Unset = UNSET
    job: Job | Unset = UNSET


# ── predictions ──────────────────────────────────────────────────────────────────────────────


class Verdict(Shape, named=True):
    """A verdict as the one who gave it sees it."""

    id: Annotated[str, From("prediction")]
    status: Literal["created", "duplicate", "revised", "queued", "overruled", "kept"]
    model: Called
    was_correct: bool | None
    label: Annotated[Any | None, "The true class, or the true number."]
    comment: TextOrNull
    trusted: Annotated[bool, From("is_trusted")]
    reward: Annotated[float | Unset, "How good it was, 0 to 1, where that was said."] = UNSET
    signal: Annotated[str | Unset, "What was seen to happen, where nobody judged."] = UNSET
    implicit: Annotated[bool | Unset, "True of a signal: nobody's word."] = UNSET
    reasons: Annotated[
        list[str] | Unset, "The strongest reasons of the answer, which its judge had seen."
    ] = UNSET
    asked: Annotated[
        bool | Unset, "True of one that counts for learning alone, because it was asked for."
    ] = UNSET
    given_at: Moment | Unset = UNSET


class Prediction(Shape, named=True):
    """One prediction as its client sees it; `predictions.predicted` writes it, to be quick."""

    id: Annotated[str | None, "Judge it with this; null when it was not kept."]
    model: Called
    version: str
    class_: Annotated[str | Unset, "Of a classifier."] = UNSET
    probabilities: dict[str, float] | Unset | None = UNSET
    value: Annotated[float | Unset, "Of a regression."] = UNSET
    sure: Annotated[
        bool | Unset | None,
        "With sure=1, or where “not sure” is an answer: one alone may be true.",
    ] = UNSET
    set: Annotated[
        list[str] | Unset | None, "With it: the classes that may be true, likeliest first."
    ] = UNSET
    low: Annotated[
        float | Unset | None, "With sure=1, of a regression: the true number is no smaller."
    ] = UNSET
    high: Annotated[float | Unset | None, "Nor larger."] = UNSET
    coverage: Annotated[float | Unset, "With sure=1: so often the truth is among it."] = UNSET
    why: Annotated[str | Unset, "With sure=1: why nothing can be said."] = UNSET
    explanation: Annotated[Anything | Unset, "Where `explain=1` asks for it."] = UNSET


UNTOLD = dict.fromkeys(("sure", "set", "low", "high", "coverage", "why"), UNSET)
"""How sure an answer is, where nobody asked."""


class KeptPrediction(Prediction, named=True):
    """A kept prediction beside its verdict."""

    predicted_at: Moment
    inputs: Row
    feedback: Verdict | None
    signals: Annotated[
        list[str] | Unset, "What was seen to happen with it; a verdict wins over that."
    ] = UNSET


def kept_prediction(row: JudgedPrediction, of: Schema) -> KeptPrediction:
    """Show a kept prediction with its inputs and its verdict by name."""
    return KeptPrediction.of(row.prediction, **kept_parts(row, of))


def kept_parts(row: JudgedPrediction, of: Schema) -> dict[str, Any]:
    """Return what is written otherwise than the records have it."""
    made, verdict = row.prediction, row.feedback
    return {
        "inputs": dict(zip(of.names, made.inputs, strict=True)),
        "feedback": None if verdict is None else shown_verdict(verdict, status="kept"),
        "signals": list(row.signals) or UNSET,
        **UNTOLD,
        **_answered(made, of),
    }


def verdict_given(verdict: records.Feedback, status: str, model: str) -> Verdict:
    """Show a verdict to the one who gave it, and what became of it; `model` is called so now."""
    unknown = dict.fromkeys(("given_at", "asked"), UNSET)
    return shown_verdict(verdict, status=status, model=model, **unknown)


def shown_verdict(verdict: records.Feedback, **more: Any) -> Verdict:
    """Show a verdict; a reward and a signal only where there is one."""
    reward = UNSET if verdict.reward is None else verdict.reward
    signal = verdict.signal or UNSET
    implicit = True if verdict.is_implicit else UNSET
    asked = UNSET if is_fair_row(verdict) else True
    shown = {"reward": reward, "signal": signal, "implicit": implicit, "asked": asked}
    return Verdict.of(verdict, reasons=list(verdict.reasons) or UNSET, **{**shown, **more})


def _answered(made: records.Prediction, of: Schema) -> dict[str, Any]:
    if not of.is_classifier:
        return {
            "class_": UNSET,
            "probabilities": UNSET,
            "value": made.value,
            "explanation": UNSET,
        }
    shares = made.probabilities
    named = None if shares is None else dict(zip(of.classes, shares, strict=True))
    return {
        "class_": made.label,
        "probabilities": named,
        "value": UNSET,
        "explanation": UNSET,
    }
