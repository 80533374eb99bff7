"""Candidates as versions, as a store would keep them: artefacts by their digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from unrot.models.artefacts import digest
from unrot.models.workshop import EstimatorWorkshop
from unrot.records import Candidate, Schema, Serving, Version
from unrot.teaching import Apprentice

INHERITED = ("training", "holdout", "stream")


def ignore(share: float, step: str) -> None:
    """Take progress and say nothing."""


class Kept:
    """A version, its schema and its files."""

    def __init__(
        self, candidate: Candidate, schema: Schema, parent: Kept | None = None, trusted: Any = ()
    ) -> None:
        files = dict(candidate.artefacts)
        if parent is not None:
            files |= {kind: parent.of(kind) for kind in INHERITED if kind in parent.digests}
        self.schema, self.trusted = schema, trusted
        self.digests: Mapping[str, str] = {kind: digest(data) for kind, data in files.items()}
        self.files = {self.digests[kind]: data for kind, data in files.items()}
        self.version = Version(
            model="made",
            name="v1" if parent is None else "v2",
            parent=candidate.parent,
            origin=candidate.origin,
            estimator=candidate.estimator,
            created_at=0.0,
            metrics=candidate.metrics,
            artefacts=self.digests,
            schema_hash="",
            libraries=candidate.libraries,
            serving=Serving(
                candidate.served_by,
                self.digests[candidate.serving_artefact],
                reason=candidate.reason,
                form=candidate.form,
            ),
        )

    def of(self, kind: str) -> bytes:
        return self.files[self.digests[kind]]

    def without(self, kind: str) -> Version:
        rest = {name: held for name, held in self.digests.items() if name != kind}
        return replace(self.version, artefacts=rest)

    def open(self) -> Apprentice:
        shop = EstimatorWorkshop(self.trusted)
        return shop.open(self.version, self.schema, self.files.__getitem__)


def candidate_of(apprentice: Apprentice, holdout: bytes = b"", origin: str = "learn") -> Candidate:
    return apprentice.candidate(
        origin=origin, parent="v1", holdout=holdout, made={"seed": 1}, progress=ignore
    )


def parameters(held: Any, seen: set[int] | None = None) -> list[Any]:
    """List every number and array that an estimator holds, in order."""
    seen = set() if seen is None else seen
    if isinstance(held, np.ndarray):
        return [(held.dtype.str, held.tolist())] if held.dtype != object else held.tolist()
    if isinstance(held, bool | int | float | str | np.generic) or held is None:
        return [held.item() if isinstance(held, np.generic) else held]
    if id(held) in seen:
        return []
    seen.add(id(held))
    if isinstance(held, np.random.RandomState):
        return [held.get_state()[1].tolist()]
    if isinstance(held, dict):
        return [one for key in sorted(held, key=str) for one in [key, *parameters(held[key], seen)]]
    if isinstance(held, list | tuple):
        return [one for part in held for one in parameters(part, seen)]
    if hasattr(held, "__dict__"):
        return parameters(vars(held), seen)
    return []
