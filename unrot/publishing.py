"""A candidate as the version that it becomes: digests, a reference and its profile, its anchor."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from unrot import schema
from unrot.measured import HOLDOUT, score_of
from unrot.monitors import estimates, neighbours, reference
from unrot.records import Candidate, Model, Serving, Version
from unrot.watching import Profiler

PROFILE = "profile"
CALIBRATION = "calibration"
REFERENCE = "reference"


def as_version(
    model: Model, candidate: Candidate, *, profiler: Profiler, now: float
) -> tuple[Version, dict[str, bytes]]:
    """Return a candidate as a version without a name yet, and its artefacts by digest.

    It is measured by its holdout: that is its anchor until a promotion gives it another.
    """
    artefacts = {
        **candidate.artefacts,
        **_profiled(model, candidate, profiler),
        **calibrated(candidate.calibrating),
        **_neighbours(model, candidate),
    }
    digests = {kind: digest_of(data) for kind, data in artefacts.items()}
    version = Version(
        model=model.name,
        name="",
        parent=candidate.parent,
        origin=candidate.origin,
        estimator=candidate.estimator,
        created_at=now,
        metrics=candidate.metrics,
        artefacts=digests,
        schema_hash=schema.schema_hash(model.schema),
        libraries=candidate.libraries,
        serving=Serving(
            by=candidate.served_by,
            digest=digests[candidate.serving_artefact],
            largest_difference=candidate.largest_difference,
            compared_rows=candidate.compared_rows,
            reason=candidate.reason,
            form=candidate.form,
        ),
        made=candidate.made,
        anchor=digests.get(HOLDOUT, ""),
        anchor_score=score_of(candidate.metrics),
    )
    return version, {digests[kind]: data for kind, data in artefacts.items()}


def digest_of(data: bytes) -> str:
    """Return the name under which bytes are kept."""
    return hashlib.sha256(data).hexdigest()


def _profiled(model: Model, candidate: Candidate, profiler: Profiler) -> dict[str, bytes]:
    if candidate.reference_outputs is None:
        return {}
    rows, outputs = candidate.reference_rows, candidate.reference_outputs
    profile = profiler.profile(model.schema, rows, outputs)
    made = reference.make(model.schema, rows, outputs, candidate.held_out_outputs)
    made = reference.with_types(made, model.schema, profiler.read(profile))
    return {PROFILE: profile, REFERENCE: reference.pack(made)}


def calibrated(calibrating: Sequence[tuple[float, bool]]) -> dict[str, bytes]:
    """Return how often a version is right when it is so sure, where enough held-out rows tell."""
    if len(calibrating) < estimates.FEWEST_ROWS:
        return {}
    sure, right = zip(*calibrating, strict=True)
    return {CALIBRATION: estimates.pack(estimates.fit(sure, right))}


def _neighbours(model: Model, candidate: Candidate) -> dict[str, bytes]:
    """Return what tells odd rows; nothing where too few rows are known."""
    if candidate.reference_outputs is None:
        return {}
    data = neighbours.fit(model.schema, candidate.reference_rows)
    return {neighbours.ARTEFACT: data} if data else {}
