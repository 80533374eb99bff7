"""Symptoms of one model become its findings, one after the other, each kept before the next."""

from __future__ import annotations

from unrot.monitors.findings import followed, is_watched
from unrot.service import Service
from unrot.shelf import ShelvedModel
from unrot.symptoms import Finding, Rules, Symptom


class FindingKeeper:
    """The open findings of one model during one round."""

    def __init__(self, service: Service, shelved: ShelvedModel, rules: Rules, now: float) -> None:
        self._drawer = service.store.findings
        self._model = shelved.model
        self._rules = rules
        self._now = now
        self._pause = float(service.settings.rotation_seconds)
        self._open = {one.cause: one for one in self._drawer.open(self._model.name)}

    def keep(self, symptom: Symptom) -> None:
        """Open, update or close the finding of a symptom; those of other causes stay."""
        if not is_watched(symptom.kind, self._rules):
            return
        last = self._open.get(symptom.cause)
        if last is None and symptom.is_present:
            last = self._drawer.last(self._model.name, symptom.cause)
        self._put(symptom, last)

    def close_unwatched(self) -> None:
        """Close what the rules do not want to be watched any more."""
        for found in list(self._open.values()):
            if not is_watched(found.kind, self._rules):
                self._put(Symptom(found.cause, found.kind, False, at=self._now), found)

    def _put(self, symptom: Symptom, last: Finding | None) -> None:
        found = followed(
            symptom,
            last,
            model=self._model.name,
            number=self._model.number,
            now=self._now,
            pause=self._pause,
        )
        if found is None:
            return
        self._drawer.put(found)
        self._open.pop(found.cause, None)
        if found.is_open:
            self._open[found.cause] = found
