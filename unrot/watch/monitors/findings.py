"""What becomes of the findings of a model when a symptom is seen: opened, updated, closed.

    last finding of the cause     symptom     what becomes of it
    none, or closed long ago      present     a new one is opened
    closed a short while ago      present     the same one is open again: nobody is told twice
    open                          present     it says what is known now
    open                          gone        it is closed, at the moment of the evidence, and says
                                              by what it is over
    any                           older than what it knows, or gone and not open: nothing

All moments are those of the evidence, so that imported history opens and closes findings in the
past. Between present and gone a monitor says nothing, and nothing changes: that is the hysteresis.

>>> seen = Symptom("drift", "drift", is_present=True, at=100.0, sentence="It moved.")
>>> opened = followed(seen, None, model="iris", number=1, now=900.0, pause=300.0)
>>> (opened.is_open, opened.opened_at)
(True, 100.0)
>>> gone = Symptom("drift", "drift", is_present=False, at=160.0)
>>> closed = followed(gone, opened, model="iris", number=1, now=900.0, pause=300.0)
>>> closed.closed_at
160.0
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from unrot.core.records import Finding, Symptom
from unrot.core.rules import Rules


def followed(
    symptom: Symptom, last: Finding | None, *, model: str, number: int, now: float, pause: float
) -> Finding | None:
    """Return the finding that is to be kept after a symptom; None when nothing changes.

    `last` is the newest finding of its cause. `number` is that of the model, which no other model
    ever gets: the same evidence makes the same finding, whoever looks at it and however often.
    """
    at = min(symptom.at, now)
    if last is not None and at < _known_to(last):
        return None
    if not symptom.is_present:
        return _closed(symptom, last, at) if last is not None and last.is_open else None
    if last is None or (last.closed_at is not None and at - last.closed_at > pause):
        return _opened(symptom, at, model, number)
    found = replace(
        last,
        gravity=symptom.gravity,
        since=min(last.since, _since(symptom, at)),
        updated_at=at,
        sentence=symptom.sentence,
        advice=symptom.advice,
        features=tuple(symptom.features),
        evidence=dict(symptom.evidence),
        closed_at=None,
    )
    return None if found == last else found


def is_watched(kind: str, rules: Rules) -> bool:
    """Tell whether the rules of a model want findings of a kind; operations always are."""
    return bool(getattr(rules, _SWITCHES[kind])) if kind in _SWITCHES else True


_SWITCHES = {
    "drift": "drift",
    "rot": "rot",
    "outliers": "outliers",
    "quality": "quality",
    "estimate": "estimate",
    "slice": "slices",
}


def _known_to(finding: Finding) -> float:
    return max(finding.updated_at, finding.closed_at or 0.0)


def _since(symptom: Symptom, at: float) -> float:
    return min(symptom.since or at, at)


def _closed(symptom: Symptom, last: Finding, at: float) -> Finding:
    """Close a finding; it goes on to say what it said, and then by what it is over."""
    said = f"{last.sentence} {symptom.sentence}".strip()
    return replace(last, closed_at=at, sentence=said)


def _opened(symptom: Symptom, at: float, model: str, number: int) -> Finding:
    return Finding(
        id=_id(number, symptom.cause, at),
        model=model,
        cause=symptom.cause,
        kind=symptom.kind,
        gravity=symptom.gravity,
        since=_since(symptom, at),
        opened_at=at,
        updated_at=at,
        sentence=symptom.sentence,
        advice=symptom.advice,
        features=tuple(symptom.features),
        evidence=dict(symptom.evidence),
    )


def _id(number: int, cause: str, at: float) -> str:
    return hashlib.sha256(f"{number} {cause} {at!r}".encode()).hexdigest()[:16]
