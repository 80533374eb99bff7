"""A candidate as the version that it becomes: digests, a reference and its profile, its anchor."""

from __future__ import annotations

from unrot.core import schema
from unrot.core.artefacts import CALIBRATION, HOLDOUT, NEIGHBOURS, PROFILE, REFERENCE, digest_of
from unrot.core.errors import Conflict
from unrot.core.ports import Profiler
from unrot.core.records import CHAMPION, Calibrating, Candidate, Model, Serving, Version
from unrot.core.test_sets import score_of
from unrot.serve.service import Service
from unrot.serve.shelf import sync
from unrot.watch.monitors.estimate import calibration
from unrot.watch.monitors.outliers import neighbours
from unrot.watch.profiles import baseline


def publish(service: Service, model: Model, candidate: Candidate) -> Version:
    """Register a candidate as the model's next version and bring it to the shelf.

    The first version of a model becomes its champion.
    """
    schema.check_name(model.name)
    registry = service.store.registry
    known = registry.add_model(model)
    if schema.schema_hash(known.schema) != schema.schema_hash(model.schema):
        raise Conflict(
            f"{model.name} is registered with other features or classes: give the new model "
            "a name of its own."
        )
    profiler, now = service.profiler, service.clock()
    version, artefacts = as_version(known, candidate, profiler=profiler, now=now)
    version = registry.add_version(version, artefacts)
    registry.move_alias(known.key, CHAMPION, to=version.name, expected=None)
    sync(service.shelf.folder, registry)
    return version


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
        model=model.key,
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
        made={**candidate.made, **_explained(candidate)},
        anchor=digests.get(HOLDOUT, ""),
        anchor_score=score_of(candidate.metrics),
        leans_on=candidate.leans_on,
    )
    return version, {digests[kind]: data for kind, data in artefacts.items()}


def _explained(candidate: Candidate) -> dict[str, str]:
    """Say on the record of a version why its answers are not explained exactly."""
    because = candidate.sampled_because
    return {"answers_explained": f"by sampling: {because}"} if because else {}


def _profiled(model: Model, candidate: Candidate, profiler: Profiler) -> dict[str, bytes]:
    if candidate.reference_outputs is None:
        return {}
    rows, outputs = candidate.reference_rows, candidate.reference_outputs
    profile = profiler.profile(model.schema, rows, outputs)
    made = baseline.make(model.schema, rows, outputs, candidate.held_out_outputs)
    made = baseline.with_types(made, model.schema, profiler.read(profile))
    return {PROFILE: profile, REFERENCE: baseline.pack(made)}


def calibrated(calibrating: Calibrating) -> dict[str, bytes]:
    """Return how sure a version may be of its answers, where enough held-out rows tell."""
    if not calibrating.scores:
        return {}
    return {CALIBRATION: calibration.pack(calibration.learn(calibrating))}


def _neighbours(model: Model, candidate: Candidate) -> dict[str, bytes]:
    """Return what tells odd rows; nothing where too few rows are known."""
    if candidate.reference_outputs is None:
        return {}
    data = neighbours.fit(model.schema, candidate.reference_rows)
    return {NEIGHBOURS: data} if data else {}
