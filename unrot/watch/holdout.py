"""A version on its test set, the rows that its score is of: what it gets wrong, how surely.

These were held out of training; since the world has moved, perhaps judges went through them.

Only the serving form answers, as in a request, so that a web worker needs nothing of training.
Neither the rows nor the version can ever change, so an answer is kept in the process by the
digests of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from unrot.core import lineage
from unrot.core.errors import Conflict
from unrot.core.newest import Newest
from unrot.core.records import CHAMPION, Outputs, Row, Schema, Version
from unrot.core.test_sets import MeasuredOn, measured_on, score, test_set_digest
from unrot.hear.scores import answers_of
from unrot.hear.truth import Answer, is_right
from unrot.serve.service import Service
from unrot.watch.statistics import class_report
from unrot.watch.statistics.class_report import ClassReport, NumberReport

MOST_ROWS, MOST_CELLS = 5_000, 300_000
"""As many rows are answered and kept in memory; of a wide model fewer."""
NEAR = 2.0
"""A number is right when it is no farther off than so many mean errors on the test set."""


@dataclass(frozen=True, slots=True)
class Held:
    """One row of the test set, and what the version makes of it."""

    row: Row
    truth: Answer
    answer: Answer
    confidence: float | None
    """The probability of the answered class."""
    is_right: bool

    @property
    def residual(self) -> float | None:
        """Answer minus truth, of numbers."""
        if isinstance(self.truth, str) or isinstance(self.answer, str):
            return None
        return self.answer - self.truth


@dataclass(frozen=True, slots=True)
class Holdout:
    """A version on its test set."""

    version: str
    on: MeasuredOn | None
    """Which rows these are."""
    rows: Sequence[Held]
    """Mistakes first, the surest or the widest before all."""
    all_rows: int
    """As many are in the test set; those above were drawn from them."""
    score: float | None
    """What the version reaches on all of them, as every page says it."""
    report: ClassReport | NumberReport
    within: float | None
    """How far off a right number may be."""

    @property
    def wrong(self) -> Sequence[Held]:
        """The mistakes."""
        return [one for one in self.rows if not one.is_right]


KEPT_AT_ONCE = 3
_KEPT: Newest[tuple[str, ...], Holdout] = Newest(KEPT_AT_ONCE)


def holdout(service: Service, name: str, version: str | None = None) -> Holdout | None:
    """Let a version, or the champion, answer the rows its score is of; None when it has none."""
    contents = service.catalogue()
    model = contents.model(name).model
    registry = service.store.registry
    wanted = version or registry.aliases(model.key).get(CHAMPION)
    if wanted is None:
        raise Conflict(f"{model.name} has no champion yet: promote one of its versions.")
    versions = registry.versions(model.key)
    found = lineage.named(versions, wanted)
    if found.is_pruned:
        raise Conflict(
            f"The files of {found.name} were removed by retention: it cannot answer any more."
        )
    digest = test_set_digest(found)
    if not digest:
        return None
    service.signatures.check(found, model)
    key = (found.name, found.schema_hash, found.serving.digest, digest)
    known = _KEPT.get(key)
    if known is None:
        rows, truth = service.trainer.unpack(
            registry.artefact(digest), model.schema, most_rows(model.schema)
        )
        if not rows:
            return None
        outputs = service.shelf.predictor(contents, found).predict(rows)
        on = measured_on(versions).get(found.name)
        known = _KEPT.keep(key, _answered(found, on, model.schema, rows, truth, outputs))
    return known


def near(version: Version) -> float | None:
    """Return how far off a right number may be; None where nothing was measured."""
    mae = version.metrics.get("mae")
    return None if mae is None else NEAR * mae


def most_rows(schema: Schema) -> int:
    """Return how many rows are answered at most."""
    return min(MOST_ROWS, MOST_CELLS // max(1, len(schema.features)))


def _answered(
    version: Version,
    on: MeasuredOn | None,
    schema: Schema,
    rows: Sequence[Row],
    truth: Sequence[Answer],
    outputs: Outputs,
) -> Holdout:
    answers = answers_of(schema, outputs)
    within = near(version) if not schema.is_classifier else None
    held = [
        Held(row, true, answer, sure, is_right(answer, true, within or 0.0))
        for row, true, answer, sure in zip(
            rows, truth, answers, _confidence(outputs, len(rows)), strict=True
        )
    ]
    return Holdout(
        version=version.name,
        on=on,
        rows=sorted(held, key=_how_bad, reverse=True),
        all_rows=int(version.metrics.get("rows_held_out", len(rows))),
        score=score(version),
        report=_report(version, schema, truth, outputs),
        within=within,
    )


def _report(
    version: Version, schema: Schema, truth: Sequence[Answer], outputs: Outputs
) -> ClassReport | NumberReport:
    """Report on the rows; the constant guess is that of the training, where it is known."""
    known = version.metrics
    if not schema.is_classifier:
        told = class_report.of_numbers([float(one) for one in truth], outputs.values or ())
        guess = known.get("constant_guess_mae", told.constant_guess_mae)
        return replace(told, constant_guess_mae=guess)
    places = {label: place for place, label in enumerate(schema.classes)}
    true = [places[str(label)] for label in truth]
    found = class_report.of_classes(
        schema.classes, true, outputs.classes or (), outputs.probabilities
    )
    return replace(found, constant_guess=known.get("constant_guess", found.constant_guess))


def _confidence(outputs: Outputs, rows: int) -> Sequence[float | None]:
    if outputs.probabilities is None or outputs.classes is None:
        return [None] * rows
    pairs = zip(outputs.probabilities, outputs.classes, strict=True)
    return [chances[place] for chances, place in pairs]


def _how_bad(one: Held) -> tuple[bool, float]:
    """Order mistakes first: the surest of classes, the widest of numbers."""
    size = one.confidence if one.residual is None else abs(one.residual)
    return not one.is_right, size or 0.0
