"""The records of the product as the JSON of the API."""

from __future__ import annotations

from typing import Any

from unrot.core import schema
from unrot.core.records import (
    CHAMPION,
    Component,
    Feedback,
    JudgedPrediction,
    Prediction,
    Schema,
    Version,
)
from unrot.core.time import iso_time
from unrot.serve.service import Answer
from unrot.serve.shelf import ShelvedModel


def prediction(made: Prediction, of: Schema) -> dict[str, Any]:
    """One prediction as its client sees it."""
    shape: dict[str, Any] = {"id": made.id, "model": made.model, "version": made.version}
    if not of.is_classifier:
        return {**shape, "value": made.value}
    probabilities = made.probabilities
    named = None if probabilities is None else dict(zip(of.classes, probabilities, strict=True))
    return {**shape, "class": made.label, "probabilities": named}


def predictions(answer: Answer, *, is_one: bool) -> dict[str, Any]:
    """The answer to one row, or to many."""
    of = answer.shelved.model.schema
    shapes = [prediction(made, of) for made in answer.predictions]
    return shapes[0] if is_one else {"predictions": shapes}


def instances(answer: Answer) -> dict[str, Any]:
    """The older answer: class indices in the order of the schema, or values."""
    of = answer.shelved.model.schema
    made = answer.predictions
    index = {name: number for number, name in enumerate(of.classes)}
    return {
        "predictions": [index[one.label] if one.label is not None else one.value for one in made],
        "ids": [one.id for one in made],
        "model": answer.version.model,
        "version": answer.version.name,
    }


def model(shelved: ShelvedModel) -> dict[str, Any]:
    """A model as anybody may see it."""
    described = shelved.model
    return {
        "name": described.name,
        "title": described.title,
        "description": described.description,
        "schema": schema.describe(described.schema),
        "classes": list(described.schema.classes) or None,
        "champion": shelved.aliases.get(CHAMPION),
        "aliases": dict(shelved.aliases),
        "versions": list(shelved.versions),
        "created_at": moment(described.created_at),
    }


def version(made: Version) -> dict[str, Any]:
    """A version as those who may look see it."""
    return {
        "model": made.model,
        "version": made.name,
        "parent": made.parent,
        "origin": made.origin,
        "estimator": made.estimator,
        "created_at": moment(made.created_at),
        "metrics": dict(made.metrics),
        "artefacts": dict(made.artefacts),
        "schema_hash": made.schema_hash,
        "libraries": dict(made.libraries),
        "served_by": made.serving.by,
        "largest_difference": made.serving.largest_difference,
        "compared_rows": made.serving.compared_rows,
        "reason": made.serving.reason or None,
    }


def feedback(verdict: Feedback, status: str) -> dict[str, Any]:
    """A verdict as the one who gave it sees it."""
    return {
        "id": verdict.prediction,
        "status": status,
        "model": verdict.model,
        "was_correct": verdict.was_correct,
        "label": verdict.label,
        "comment": verdict.comment or None,
        "trusted": verdict.is_trusted,
    }


def judged(row: JudgedPrediction, of: Schema) -> dict[str, Any]:
    """A kept prediction beside its verdict."""
    made, verdict = row.prediction, row.feedback
    return {
        **prediction(made, of),
        "predicted_at": moment(made.predicted_at),
        "inputs": dict(zip(of.names, made.inputs, strict=True)),
        "feedback": None
        if verdict is None
        else {**feedback(verdict, "kept"), "given_at": moment(verdict.given_at)},
    }


def component(part: Component) -> dict[str, str]:
    """How a component is."""
    return {"state": part.state, "sentence": part.sentence}


def moment(seconds: float) -> str:
    """Write a time as ISO 8601, UTC, to the millisecond."""
    return iso_time(seconds)
