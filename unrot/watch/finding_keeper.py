"""Symptoms of one model become its findings, one after the other, each kept before the next.

A log that is imported brings symptoms of a time before the findings that are there. They make
findings of their own, which are kept once they are over: what is open now is neither changed by
them nor joined by another one of its cause.
"""

from __future__ import annotations

from dataclasses import replace

from unrot.core.records import Finding, Symptom
from unrot.core.rules import Rules
from unrot.serve.service import Service
from unrot.serve.shelf import ShelvedModel
from unrot.watch.monitors.findings import followed, is_watched


class FindingKeeper:
    """The open findings of one model during one round."""

    def __init__(self, service: Service, shelved: ShelvedModel, rules: Rules, now: float) -> None:
        self._drawer = service.store.findings
        self._model = shelved.model
        self._rules = rules
        self._now = now
        self._pause = float(service.settings.rotation_seconds)
        self._open = {one.cause: one for one in self._drawer.open(self._model.name)}
        self._past: dict[str, Finding] = {}

    def keep(self, symptom: Symptom) -> None:
        """Open, update or close the finding of a symptom; those of other causes stay."""
        if not is_watched(symptom.kind, self._rules):
            return
        last = self._open.get(symptom.cause)
        if last is None and (symptom.is_present or symptom.cause in self._past):
            last = self._drawer.last(self._model.name, symptom.cause)
        if last is not None and symptom.at < last.opened_at:
            self._keep_past(symptom)
        elif found := self._followed(symptom, last):
            self._put(found)

    def close_unwatched(self) -> None:
        """Close what the rules do not want to be watched any more."""
        for last in list(self._open.values()):
            gone = Symptom(last.cause, last.kind, is_present=False, at=self._now)
            if not is_watched(last.kind, self._rules) and (found := self._followed(gone, last)):
                self._put(found)

    def end_past(self) -> None:
        """Keep what was still there where the history of before ends."""
        for found in self._past.values():
            self._drawer.put(replace(found, closed_at=found.updated_at))
        self._past.clear()

    def _keep_past(self, symptom: Symptom) -> None:
        last = self._past.get(symptom.cause)
        if last is None and symptom.is_present:
            known = self._drawer.last(self._model.name, symptom.cause, until=symptom.at)
            if known is not None and symptom.at <= (known.closed_at or self._now):
                return
        found = self._followed(symptom, last)
        if found is None:
            return
        self._past[found.cause] = found
        if not found.is_open:
            self._drawer.put(self._past.pop(found.cause))

    def _followed(self, symptom: Symptom, last: Finding | None) -> Finding | None:
        model = self._model
        return followed(
            symptom, last, model=model.name, number=model.number, now=self._now, pause=self._pause
        )

    def _put(self, found: Finding) -> None:
        self._drawer.put(found)
        self._open.pop(found.cause, None)
        if found.is_open:
            self._open[found.cause] = found
