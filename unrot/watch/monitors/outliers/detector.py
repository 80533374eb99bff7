"""Notice predictions that look like nothing that their version was trained on.

Each is scored by the detector of the version that answered, from the shelf: no store is asked. The
champion's stands for answers that were imported. A version without a detector is not looked at, and
one that cannot be loaded or fails is told of once: nothing that is watched here may stop what is
shipped or answered.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from unrot.core.artefacts import NEIGHBOURS
from unrot.core.errors import NotFound
from unrot.core.ports import Detector
from unrot.core.records import IMPORTED, ModelKey, Oddity, Prediction, Version
from unrot.core.threads import on_one_thread
from unrot.serve.rows import Rows
from unrot.serve.shelf import Contents, Shelf, ShelvedModel

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class FoundOutliers:
    """What was looked at, and what was odd about it."""

    oddities: list[Oddity] = field(default_factory=list)
    looked_at: set[str] = field(default_factory=set)


class OutlierFinder:
    """Looks at predictions; one that cannot look at a version says so once."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._given_up: set[tuple[ModelKey, str]] = set()

    def look(self, contents: Contents, predictions: Sequence[Prediction]) -> FoundOutliers:
        """Score predictions of models that are on the shelf."""
        noticed = FoundOutliers()
        there = {shelved.model.key: shelved for shelved in contents.models.values()}
        for (model, name), rows in Rows.of(predictions).by_version():
            shelved = there.get(model)
            version = None if shelved is None else answered_by(shelved, name)
            if shelved is not None and version is not None:
                self._look(shelved, version, rows, noticed)
        return noticed

    def _look(
        self, shelved: ShelvedModel, version: Version, rows: Rows, noticed: FoundOutliers
    ) -> None:
        key = (shelved.model.key, version.artefacts.get(NEIGHBOURS, ""))
        if key in self._given_up:
            return
        try:
            detector = self._shelf.detector(shelved.model, version)
            if detector is None:
                return
            found = odd_ones(detector, rows)
        except Exception:
            # Whatever it is: rows that were answered go to the store all the same.
            self._given_up.add(key)
            _log.exception(
                "Odd inputs of %s %s cannot be told; shipping goes on.", key[0], version.name
            )
            return
        noticed.oddities += found
        noticed.looked_at |= {id for id in rows.ids if id is not None}


def odd_ones(detector: Detector, predictions: Sequence[Prediction]) -> list[Oddity]:
    """Return what is odd among predictions of one version."""
    rows = Rows.of(predictions)
    with on_one_thread():
        scores = np.asarray(detector.score(rows.inputs))
        odd = [(rows[at], scores[at]) for at in np.flatnonzero(scores > 1).tolist()]
        reasons = detector.explain([one.inputs for one, _ in odd])
    return [
        Oddity(
            prediction=one.id or "",
            model=one.model,
            version=one.version,
            predicted_at=one.predicted_at,
            score=round(float(score), 4),
            reasons=tuple(why),
        )
        for (one, score), why in zip(odd, reasons, strict=True)
    ]


def oddity_of(shelf: Shelf, shelved: ShelvedModel, prediction: Prediction) -> Oddity | None:
    """Return what is odd about one prediction; None too where that cannot be told."""
    try:
        version = answered_by(shelved, prediction.version)
        detector = None if version is None else shelf.detector(shelved.model, version)
        found = [] if detector is None else odd_ones(detector, [prediction])
    except Exception:
        _log.exception(
            "Odd inputs of %s cannot be told; it answers all the same.", prediction.model
        )
        return None
    return found[0] if found else None


def answered_by(shelved: ShelvedModel, version: str) -> Version | None:
    """Return the version whose training a row is held against; None where it is not kept."""
    if version != IMPORTED:
        return shelved.versions.get(version)
    try:
        return shelved.version()
    except NotFound:
        return None
