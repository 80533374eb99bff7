"""Symptoms of one model become its findings, one after the other, each kept before the next.

A log that is imported brings symptoms of a time before the findings that are there. They make
findings of their own, which are kept once they are over: what is open now is neither changed by
them nor joined by another one of its cause.

What becomes of the last finding of a cause:

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
>>> opened = follow_symptom(seen, None, model="iris", number=1, now=900.0, pause=300.0)
>>> (opened.is_open, opened.opened_at)
(True, 100.0)
>>> gone = Symptom("drift", "drift", is_present=False, at=160.0)
>>> closed = follow_symptom(gone, opened, model="iris", number=1, now=900.0, pause=300.0)
>>> closed.closed_at
160.0
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from unrot.core.records import FINDING_KINDS, Finding, FindingKind, ModelKey, Symptom
from unrot.core.rules import Rules
from unrot.watch.visit import Visit


class FindingKeeper:
    """The open findings of one model during one round."""

    def __init__(self, visit: Visit) -> None:
        self._drawer = visit.store.findings
        self._model = visit.model
        self._rules = visit.rules
        self._now = visit.now
        self._pause = float(visit.service.settings.rotation_seconds)
        self._open = {one.cause: one for one in self._drawer.open(self._model.key)}
        self._past: dict[str, Finding] = {}

    def keep(self, symptom: Symptom) -> None:
        """Open, update or close the finding of a symptom; those of other causes stay."""
        if not is_watched(symptom.kind, self._rules):
            return
        last = self._open.get(symptom.cause)
        if last is None and (symptom.is_present or symptom.cause in self._past):
            last = self._drawer.last(self._model.key, symptom.cause)
        if last is not None and symptom.at < last.opened_at:
            self._keep_past(symptom)
        elif found := self._follow(symptom, last):
            self._put(found)

    def close_unwatched(self) -> None:
        """Close what the rules do not want to be watched any more."""
        for last in list(self._open.values()):
            gone = Symptom(last.cause, last.kind, is_present=False, at=self._now)
            if not is_watched(last.kind, self._rules) and (found := self._follow(gone, last)):
                self._put(found)

    def end_past(self) -> None:
        """Keep what was still there where the history of before ends."""
        for found in self._past.values():
            self._drawer.put(replace(found, closed_at=found.updated_at))
        self._past.clear()

    def _keep_past(self, symptom: Symptom) -> None:
        last = self._past.get(symptom.cause)
        if last is None and symptom.is_present:
            known = self._drawer.last(self._model.key, symptom.cause, until=symptom.at)
            if known is not None and symptom.at <= (known.closed_at or self._now):
                return
        found = self._follow(symptom, last)
        if found is None:
            return
        self._past[found.cause] = found
        if not found.is_open:
            self._drawer.put(self._past.pop(found.cause))

    def _follow(self, symptom: Symptom, last: Finding | None) -> Finding | None:
        model = self._model
        return follow_symptom(
            symptom, last, model=model.key, number=model.number, now=self._now, pause=self._pause
        )

    def _put(self, found: Finding) -> None:
        self._drawer.put(found)
        self._open.pop(found.cause, None)
        if found.is_open:
            self._open[found.cause] = found


def follow_symptom(
    symptom: Symptom,
    last: Finding | None,
    *,
    model: ModelKey,
    number: int,
    now: float,
    pause: float,
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


def is_watched(kind: FindingKind, rules: Rules) -> bool:
    """Tell whether the rules of a model want findings of a kind; operations always are."""
    rule = FINDING_KINDS[kind].rule
    return not rule or bool(getattr(rules, rule))


def _known_to(finding: Finding) -> float:
    return max(finding.updated_at, finding.closed_at or 0.0)


def _since(symptom: Symptom, at: float) -> float:
    return min(symptom.since or at, at)


def _closed(symptom: Symptom, last: Finding, at: float) -> Finding:
    """Close a finding; it goes on to say what it said, and then by what it is over."""
    said = f"{last.sentence} {symptom.sentence}".strip()
    return replace(last, closed_at=at, sentence=said)


def _opened(symptom: Symptom, at: float, model: ModelKey, number: int) -> Finding:
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
