"""What learning leaves behind as the JSON of the API: jobs, versions, verdicts of the gate."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from unrot.core.records import Fate, Fates, GateVerdict, Job, JudgedPrediction, Schema
from unrot.core.test_sets import MeasuredOn, score
from unrot.learn.origins import Listed, Origin
from unrot.web.api import shapes


def job(asked: Job) -> dict[str, Any]:
    """A job as those who may look see it."""
    return {
        "id": asked.id,
        "model": asked.model,
        "kind": asked.kind,
        "asked": dict(asked.asked),
        "asked_by": asked.asked_by,
        "state": asked.state,
        "progress": asked.progress,
        "step": asked.step,
        "result": None if asked.result is None else dict(asked.result),
        "error": asked.error or None,
        "reason": asked.reason or None,
        "created_at": shapes.moment(asked.created_at),
        "started_at": _moment(asked.started_at),
        "ended_at": _moment(asked.ended_at),
        "is_cancelling": asked.is_cancelling,
    }


def listed(known: Listed) -> dict[str, Any]:
    """A version in the list of all."""
    return {
        **shapes.version(known.version),
        "aliases": list(known.aliases),
        "gate": None if known.gate is None else known.gate.decision,
        "made": dict(known.version.made),
        "anchor": known.version.anchor or None,
        "anchor_score": score(known.version),
        "test_set": test_set(known.on),
        "is_pruned": known.version.is_pruned,
    }


def test_set(on: MeasuredOn | None) -> dict[str, Any] | None:
    """Which rows a score is of; only scores of one set may be held side by side."""
    if on is None:
        return None
    return {
        "name": on.name,
        "digest": on.short,
        "rows": on.rows,
        "kind": on.kind,
        "sentence": on.sentence,
    }


def origin(known: Origin, of: Schema) -> dict[str, Any]:
    """A version with its line, the gate's words and what became of the verdicts."""
    last = known.gates[-1] if known.gates else None
    return {
        **listed(Listed(known.version, known.aliases, last, known.on)),
        "gate": None if last is None else gate(last),
        "gates": [gate(said) for said in known.gates],
        "line": list(known.line),
        "fates": fates(known.fates),
        "learnt_from": [lesson(fate, judged, of) for fate, judged in known.lessons],
        "next": known.next_after,
    }


def gate(said: GateVerdict) -> dict[str, Any]:
    """What the gate said, in words and numbers."""
    moved_at = None if said.moved_at is None else shapes.moment(said.moved_at)
    return {
        **asdict(said),
        "decided_at": shapes.moment(said.decided_at),
        "moved_at": moved_at,
        "recalls": [asdict(recall) for recall in said.recalls],
    }


def fates(counted: Fates) -> dict[str, Any]:
    """What became of all verdicts; the parts add up to `verdicts`."""
    return {
        "verdicts": counted.verdicts,
        "learnt": dict(counted.learnt),
        "held_out": counted.held_out,
        "set_aside": dict(counted.set_aside),
        "waiting": counted.waiting,
    }


def lesson(fate: Fate, row: JudgedPrediction | None, of: Schema) -> dict[str, Any]:
    """One verdict and what this version made of it; its prediction may be gone by now."""
    return {
        "id": fate.prediction,
        "fate": fate.kind,
        "reason": fate.reason or None,
        "given_at": shapes.moment(fate.given_at),
        "prediction": None if row is None else shapes.judged(row, of),
    }


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else shapes.moment(seconds)
