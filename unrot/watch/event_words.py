"""What happened, as CloudEvents: their ids, their types and what they tell.

The id of an event is made of what happened and of nothing else, so that one that is sent twice can
be told: a prediction's own, a verdict's prediction with the moment it was given, a finding with its
state. Private features are left out unless a setting says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from unrot.core.cloud_events import CloudEvent
from unrot.core.records import (
    AliasMove,
    ClientKey,
    Feedback,
    Finding,
    Job,
    Model,
    Prediction,
    Schema,
)
from unrot.core.time import iso_time
from unrot.hear.truth import is_fair_row
from unrot.serve.rows import Rows

PREFIX = "dev.unrot."
PREDICTION, VERDICT = f"{PREFIX}prediction", f"{PREFIX}verdict"
FINDING, PROMOTION, JOB = f"{PREFIX}finding", f"{PREFIX}promotion", f"{PREFIX}job"


def source_of(url: str, model: str) -> str:
    """Return the source of a model's events: its page, relative where no address is set.

    >>> source_of("https://unrot.example.org", "dark elves")
    'https://unrot.example.org/models/dark%20elves'
    """
    return f"{url}/models/{quote(model, safe='')}"


def prediction_events(
    model: Model, rows: Rows, keys: Sequence[ClientKey], *, source: str, has_private: bool
) -> Iterator[CloudEvent]:
    """Tell of predictions by one model."""
    schema = model.schema
    shown = [one.name for one in schema.features if has_private or not one.is_private]
    key_of = {one.prediction: one.key for one in keys}
    for made in rows:
        inputs = dict(zip(schema.names, made.inputs, strict=False))
        told = {
            **prediction_told(schema, model.name, made, key_of.get(made.id or "")),
            "inputs": {name: inputs[name] for name in shown if name in inputs},
        }
        yield CloudEvent(
            *(made.id or "", source, PREDICTION, told),
            subject=made.id or "",
            time=iso_time(made.predicted_at),
        )


def prediction_told(
    schema: Schema, model: str, made: Prediction, key: str | None = None
) -> dict[str, Any]:
    """Say what a prediction answered."""
    told: dict[str, Any] = {
        "id": made.id,
        "model": model,
        "version": made.version,
        "predicted_at": iso_time(made.predicted_at),
    }
    if schema.is_classifier:
        told["class"] = made.label
        if made.probabilities is not None:
            told["probabilities"] = dict(zip(schema.classes, made.probabilities, strict=False))
    else:
        told["value"] = made.value
    return told if key is None else {**told, "key": key}


def verdict_event(model: Model, said: Feedback, *, source: str) -> CloudEvent:
    """Tell of a verdict, or that one was taken back."""
    told: dict[str, Any] = {
        "id": said.prediction,
        "model": model.name,
        "predicted_at": iso_time(said.predicted_at),
        "given_at": iso_time(said.given_at),
        "was_correct": said.was_correct,
        "label": said.label,
        "is_trusted": said.is_trusted,
        "is_withdrawn": said.withdrawn,
    }
    if said.reward is not None:
        told["reward"] = said.reward
    if said.reasons:
        told["reasons"] = list(said.reasons)
    if not is_fair_row(said):
        told["is_asked"] = True
    if said.is_implicit:
        told |= {"signal": said.signal, "is_implicit": True}
    return CloudEvent(
        *(verdict_id(said), source, VERDICT, told),
        subject=said.prediction,
        time=iso_time(said.given_at),
    )


def verdict_id(said: Feedback) -> str:
    """Return the id of what a verdict is told by."""
    of = f"{said.prediction}.{said.given_at:.6f}"
    return f"{of}.{said.signal}" if said.is_implicit else of


def finding_event(model: Model, found: Finding, *, source: str) -> CloudEvent:
    """Tell that a finding was opened or closed."""
    state, at = ("open", found.opened_at) if found.is_open else ("closed", found.closed_at or 0.0)
    told: dict[str, Any] = {
        "id": found.id,
        "model": model.name,
        "state": state,
        "kind": found.kind,
        "gravity": found.gravity,
        "since": iso_time(found.since),
        "opened_at": iso_time(found.opened_at),
        "closed_at": None if found.closed_at is None else iso_time(found.closed_at),
        "sentence": found.sentence,
        "advice": found.advice,
        "features": list(found.features),
    }
    return CloudEvent(
        *(f"{found.id}.{state}", source, FINDING, told), subject=found.id, time=iso_time(at)
    )


def promotion_event(model: Model, move: AliasMove, *, source: str) -> CloudEvent:
    """Tell that an alias points to another version."""
    told: dict[str, Any] = {
        "model": model.name,
        "alias": move.alias,
        "from": move.moved_from,
        "to": move.moved_to,
        "moved_at": iso_time(move.moved_at),
        "moved_by": move.moved_by,
        "reason": move.reason,
    }
    return CloudEvent(
        *(f"{model.key}.{move.alias}.{move.moved_at:.6f}", source, PROMOTION, told),
        subject=move.moved_to or "",
        time=iso_time(move.moved_at),
    )


def job_event(model: Model, job: Job, *, source: str) -> CloudEvent:
    """Tell that a job was asked for, or is at work, or has ended."""
    told: Mapping[str, Any] = {
        "id": job.id,
        "model": model.name,
        "kind": job.kind,
        "state": job.state,
        "asked_by": job.asked_by,
        "created_at": iso_time(job.created_at),
        "ended_at": None if job.ended_at is None else iso_time(job.ended_at),
        "error": job.error,
    }
    return CloudEvent(
        *(f"{job.id}.{job.state}", source, JOB, told),
        subject=job.id,
        time=iso_time(job_moment(job)),
    )


def job_moment(job: Job) -> float:
    """Return when a job came to be as it is."""
    return job.ended_at or job.started_at or job.created_at
