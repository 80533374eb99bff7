"""Verdicts for the tests of learning, a line each."""

from __future__ import annotations

from typing import Any

from unrot.core.records import Example, Feature, Feedback, JudgedPrediction, Prediction, Schema

TWO = Schema(
    (Feature("age", "number"), Feature("town", "category", choices=("Rome", "Oslo"))),
    "ill",
    ("no", "yes"),
)
THREE = Schema(TWO.features, "ill", ("no", "perhaps", "yes"))
NUMBERS = Schema((Feature("age", "number"),), "price")


def verdict(
    id: str,
    said: str | float = "no",
    *,
    inputs: tuple[Any, ...] = (50.0, "Rome"),
    was_correct: bool | None = None,
    label: str | float | None = None,
    judge: str | None = None,
    subject: str = "",
    at: float = 100.0,
    given_at: float | None = None,
    withdrawn: bool = False,
    asked: bool = False,
) -> JudgedPrediction:
    word = said if isinstance(said, str) else None
    number = None if isinstance(said, str) else said
    prediction = Prediction(id, "ills", "v1", at, inputs, word, None, number)
    feedback = Feedback(
        id,
        "ills",
        at,
        at + 1 if given_at is None else given_at,
        was_correct,
        label,
        "",
        judge,
        subject,
        withdrawn,
        asked=asked,
    )
    return JudgedPrediction(prediction, feedback)


def example(
    id: str,
    label: str | float = "no",
    *,
    row: tuple[Any, ...] = (50.0, "Rome"),
    weight: float = 1.0,
    is_trusted: bool = False,
    subject: str = "",
    at: float = 0.0,
    given_at: float = 0.0,
    asked: bool = False,
) -> Example:
    return Example(id, row, label, weight, is_trusted, subject, at, given_at, asked)
