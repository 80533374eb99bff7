"""The REST routes of versions: their list, and how one of them came about."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from unrot.core import records
from unrot.core.records import Decision, FateKind, JudgedPrediction, Schema
from unrot.core.test_sets import MeasuredOn, score
from unrot.learn.lineage import Listed, list_versions, read_origin
from unrot.web.api.parameters import Limit, ModelName, VersionName
from unrot.web.api.records import (
    Anything,
    KeptPrediction,
    TestSetOrNull,
    kept_prediction,
    test_set,
)
from unrot.web.current import Called, service
from unrot.web.routes import VIEWER, route
from unrot.web.shape import From, Moment, Shape, TextOrNull


class Described(Shape):
    """What every view of a version shows."""

    model: Called
    version: Annotated[str, From("name")]
    parent: str | None
    origin: str
    estimator: str
    created_at: Moment
    metrics: dict[str, float]
    artefacts: Annotated[dict[str, str], "SHA-256 by kind."]
    schema_hash: str
    libraries: dict[str, str]
    served_by: Annotated[Literal["onnx", "scikit-learn"], From("serving.by")]
    largest_difference: Annotated[float | None, From("serving.largest_difference")]
    compared_rows: Annotated[int, From("serving.compared_rows")]
    reason: Annotated[TextOrNull, From("serving.reason")]
    aliases: list[str]
    made: Anything
    anchor: Annotated[TextOrNull, "SHA-256 of the rows that it is measured by."]
    anchor_score: float | None
    test_set: TestSetOrNull
    is_pruned: bool
    leans_on: Annotated[
        dict[str, float],
        "Of all that moves its answers, the share of each feature; empty where nobody knows.",
    ]


class Version(Described, named=True):
    """A version in the list of all."""

    gate: Decision | None


class Versions(Shape, named=True):
    """All versions of a model, and who points at them."""

    versions: list[Version]
    aliases: dict[str, str]


class Recall(Shape, named=True, like=records.Recall):
    """How much of one class each version finds."""


class GateVerdict(Shape, named=True, like=records.GateVerdict):
    """What the gate said, in words and numbers."""

    decided_at: Moment
    moved_at: Moment | None
    recalls: list[Recall]


class Fates(Shape, named=True):
    """What became of all verdicts."""

    verdicts: Annotated[int, "All; the others add up to it."]
    learnt: Annotated[dict[str, int], "By the version that learnt them."]
    held_out: int
    set_aside: Annotated[dict[str, int], "By reason."]
    waiting: int


class Lesson(Shape, named=True):
    """One verdict and what this version made of it; its prediction may be gone by now."""

    id: Annotated[str, From("prediction")]
    fate: Annotated[FateKind, From("kind")]
    reason: TextOrNull
    given_at: Moment
    prediction: KeptPrediction | None


class Origin(Described, named=True):
    """A version with its line, the gate's words and what became of the verdicts."""

    gate: GateVerdict | None
    gates: list[GateVerdict]
    line: Annotated[list[str], "Whose verdicts are in it, itself first."]
    fates: Fates
    learnt_from: list[Lesson]
    next: str | None


class OriginQuery(Shape):
    """Which of the verdicts that it learnt from."""

    limit: Limit = 50
    after: Annotated[str, "The `next` of the page before."] = ""


@route("GET", "/models/<model>/versions", needs=VIEWER, tag="learning")
def versions(model: ModelName) -> Versions:
    """List a model's versions."""
    found = [_listed(one) for one in list_versions(service(), model)]
    key = service().catalogue().model(model).model.key
    return Versions(versions=found, aliases=service().aliases(key))


@route("GET", "/models/<model>/versions/<version>", needs=VIEWER, tag="learning")
def version(model: ModelName, version: VersionName, query: OriginQuery) -> Origin:
    """Tell how one version came about: its line, its metrics, what the gate said of it, what
    became of all verdicts, and a page of those that it learnt from.
    """
    found = read_origin(service(), model, version, limit=query.limit, after=query.after)
    of = service().catalogue().model(model).model.schema
    gates = [GateVerdict.of(one) for one in found.gates]
    return Origin.of(
        found,
        gate=gates[-1] if gates else None,
        gates=gates,
        learnt_from=[_lesson(fate, judged, of) for fate, judged in found.lessons],
        next=found.next_after,
        **_described(found.version, found.aliases, found.on),
    )


def _listed(known: Listed) -> Version:
    gate = None if known.gate is None else known.gate.decision
    return Version(**_described(known.version, known.aliases, known.on), gate=gate)


def _described(
    made: records.Version, aliases: tuple[str, ...], on: MeasuredOn | None
) -> dict[str, Any]:
    more = {"aliases": list(aliases), "anchor_score": score(made), "test_set": test_set(on)}
    return vars(Described.of(made, **more))


def _lesson(fate: records.Fate, row: JudgedPrediction | None, of: Schema) -> Lesson:
    return Lesson.of(fate, prediction=None if row is None else kept_prediction(row, of))
