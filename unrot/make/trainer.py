"""Where estimators are opened, fitted further and compiled: a door to rooms that are heavy.

A web worker holds a service, and a service holds the trainer; scikit-learn costs a worker 100 MB
and a second. So what needs it is imported when somebody first asks for it, as in `predictors`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from unrot.core.artefacts import SKOPS
from unrot.core.errors import Conflict
from unrot.core.ports import Label, Predictor, Trainable
from unrot.core.records import Answered, Calibrating, Candidate, Lesson, Row, Schema, Version
from unrot.make import lessons_file, predictors, tables


@dataclass(frozen=True, slots=True)
class EstimatorTrainer:
    """Opens versions; `trusted` are the types that owners' files may hold beyond ours."""

    trusted: Collection[str] = field(default_factory=frozenset)

    def open(self, version: Version, schema: Schema, artefact: Callable[[str], bytes]) -> Trainable:
        """Open a version; `artefact` brings the bytes of a digest."""
        if SKOPS not in version.artefacts:
            said = f"{version.name} is served only and cannot learn here. {version.serving.reason}"
            raise Conflict(said.rstrip())
        # Like all below, it brings in scikit-learn.
        from unrot.make import fitted
        from unrot.make.trainable import TrainableEstimator

        held = fitted.load(artefact(version.artefacts[SKOPS]), schema, self.trusted)
        kept = tables.Tables(version.artefacts, schema, artefact)
        trained = version.metrics.get("rows_trained")
        return TrainableEstimator(version, held, kept, trained, trusted=self.trusted)

    def unpack(
        self, table: bytes, schema: Schema, most: int, seed: int = 0
    ) -> tuple[list[Row], list[Label]]:
        """Read a packed table, at most so many rows of it, drawn by the seed, in their order."""
        return tables.unpack(table, schema).sample(most, seed)

    def pack(self, rows: Sequence[Row], labels: Sequence[Label], schema: Schema) -> bytes:
        """Write rows with their truth as a packed table."""
        return tables.pack(rows, labels, schema)

    def measure(self, answered: Answered, schema: Schema) -> dict[str, float]:
        """Measure answers by their truth, beside what guessing would reach."""
        from unrot.make.metrics import measure_answers  # scikit-learn

        truth = np.array(answered.truth)
        return measure_answers(answered.outputs, truth, truth, schema)

    def calibrate(self, answered: Answered, schema: Schema) -> Calibrating:
        """Say of each answer how sure it was, whether it was right and how strange the truth."""
        from unrot.make.metrics import calibrate  # scikit-learn

        return calibrate(answered.outputs, np.array(answered.truth), schema)

    def predictor(self, candidate: Candidate, schema: Schema) -> Predictor:
        """Load what a candidate would serve with."""
        artefact = candidate.artefacts[candidate.serving_artefact]
        return predictors.load(candidate.served_by, artefact, schema, trusted=self.trusted)

    def pack_lessons(self, lessons: Sequence[Lesson]) -> bytes:
        """Write lessons as an artefact."""
        return lessons_file.pack(lessons)

    def unpack_lessons(self, data: bytes) -> list[Lesson]:
        """Read them back."""
        return lessons_file.unpack(data)
