"""Two versions side by side: on rows that can be trusted, and a challenger in the shadow.

Both answer the champion's anchor and the judges' verdicts that only judge; of a challenger it is
on record what it would have answered to the very rows that the champion answered. A page can say
then where they differ, and who was right there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from unrot.core import lineage
from unrot.core.errors import Conflict
from unrot.core.records import (
    CHALLENGER,
    CHAMPION,
    Answered,
    Example,
    Ground,
    Holds,
    Outputs,
    Row,
    Schema,
    Version,
)
from unrot.core.test_sets import MeasuredOn, measured_on, test_set_digest
from unrot.hear.scores import answers_of
from unrot.hear.truth import example_of, judging_rows
from unrot.learn import side_by_side
from unrot.serve.service import Service
from unrot.watch import audit

MOST_ROWS = 5_000
MOST_VERDICTS = 2_000
MOST_SHADOWS = 5_000
MOST_DIFFERING = 100
MOST_MISTAKES = 20

Answer = str | float
Right = Literal["first", "second"]


@dataclass(frozen=True, slots=True)
class Mistake:
    """How often one class was taken for another."""

    truth: str
    answer: str
    count: int


@dataclass(frozen=True, slots=True)
class Differing:
    """A row that two versions answer differently. For numbers `right` is who was closer."""

    row: Row
    truth: Answer | None
    first: Answer
    second: Answer
    right: Right | None


@dataclass(frozen=True, slots=True)
class Beside:
    """Two versions on the same rows, of some of which the truth is known."""

    rows: int
    agreement: float | None
    """The share of rows that both answer alike."""
    apart: float | None
    """How far their numbers are from each other on average; None for classes."""
    judged: side_by_side.Comparison
    """The rows with a truth."""
    differ: int
    differing: Sequence[Differing]
    """The ones first of which it is known who was right."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions on each ground that there is, with a sentence for each that there is not."""

    first: Version
    second: Version
    grounds: Sequence[tuple[Ground, Beside]]
    missing: Sequence[str]
    on: MeasuredOn | None = None
    """Which rows the anchor is; some of them when there are very many."""
    own: Mapping[str, MeasuredOn] = field(default_factory=dict)
    """Of each version the rows that its own score is of, which may be others."""


@dataclass(frozen=True, slots=True)
class InShadow:
    """What a challenger would have answered, beside what the champion did."""

    champion: str
    challenger: str
    beside: Beside


def compare(service: Service, name: str, first: str, second: str) -> Comparison:
    """Let two versions answer the champion's anchor and the recent verdicts that only judge."""
    contents = service.catalogue()
    shelved = contents.model(name)
    model = shelved.model
    versions = service.store.registry.versions(model.name)
    pair = [_servable(lineage.named(versions, one)) for one in (first, second)]
    if first == second:
        raise Conflict("Choose two different versions: each is equal to itself.")
    predictors = [service.shelf.predictor(contents, one) for one in pair]
    champion = service.store.registry.aliases(model.name).get(CHAMPION)
    holding = lineage.named(versions, champion) if champion else pair[0]
    grounds: list[tuple[Ground, Beside]] = []
    missing: list[str] = []
    anchor = _anchor_rows(service, holding, model.schema)
    recent = _recent_rows(service, model.name, model.schema)
    for ground, (rows, truth), none in (
        ("anchor", anchor, f"{holding.name} names no anchor: nothing trusted was set apart."),
        (
            "recent verdicts",
            recent,
            f"No judge's verdict is held out yet. {audit.room(service, name).sentence}",
        ),
    ):
        if not rows:
            missing.append(none)
            continue
        answers = [answers_of(model.schema, one.predict(rows)) for one in predictors]
        holds: Holds = "fixed rows" if ground == "anchor" else "any time"
        found = beside(model.schema, rows, truth, answers[0], answers[1], holds)
        grounds.append(("anchor" if ground == "anchor" else "recent verdicts", found))
    sets = measured_on(versions)
    return Comparison(pair[0], pair[1], grounds, missing, sets.get(holding.name), sets)


def in_shadow(service: Service, name: str) -> InShadow | None:
    """Return the challenger beside the champion on the rows that the champion answered."""
    model = service.catalogue().model(name).model
    aliases = service.store.registry.aliases(model.name)
    champion, challenger = aliases.get(CHAMPION), aliases.get(CHALLENGER)
    if champion is None or challenger is None:
        return None
    rows: list[Row] = []
    truth: list[Answer | None] = []
    first: list[Answer] = []
    second: list[Answer] = []
    for shadow, judged in service.store.trials.shadows(model.name, challenger, MOST_SHADOWS):
        made = judged.prediction
        answered = made.value if made.label is None else made.label
        would = shadow.value if shadow.label is None else shadow.label
        if made.version != champion or answered is None or would is None:
            continue
        said = example_of(judged, model.schema) if judged.feedback is not None else None
        rows.append(made.inputs)
        truth.append(said.label if isinstance(said, Example) else None)
        first.append(answered)
        second.append(would)
    return InShadow(champion, challenger, beside(model.schema, rows, truth, first, second))


def beside(
    schema: Schema,
    rows: Sequence[Row],
    truth: Sequence[Answer | None],
    first: Sequence[Answer],
    second: Sequence[Answer],
    holds: Holds = "any time",
) -> Beside:
    """Put the answers of two versions to the same rows side by side."""
    known = [(at, label) for at, label in enumerate(truth) if label is not None]
    sides = [_answered(schema, rows, known, answers) for answers in (first, second)]
    judged = side_by_side.compare(schema, sides[0], sides[1], holds)
    told = [known[place][0] for place in judged.places]
    untold = [at for at, label in enumerate(truth) if label is None and first[at] != second[at]]
    differ = len(told) + len(untold)
    return Beside(
        rows=len(rows),
        agreement=1 - differ / len(rows) if rows else None,
        apart=_apart(schema, first, second),
        judged=judged,
        differ=differ,
        differing=[
            _differing(rows[at], truth[at], first[at], second[at])
            for at in [*told, *untold][:MOST_DIFFERING]
        ],
    )


def mistakes(schema: Schema, confusion: Sequence[Sequence[int]]) -> list[Mistake]:
    """List the commonest mistakes of a version, the commonest first."""
    found = [
        Mistake(schema.classes[down], schema.classes[across], count)
        for down, row in enumerate(confusion)
        for across, count in enumerate(row)
        if count and down != across
    ]
    return sorted(found, key=lambda one: -one.count)[:MOST_MISTAKES]


# ── rows ─────────────────────────────────────────────────────────────────────────────────────


def _servable(version: Version) -> Version:
    if version.is_pruned:
        raise Conflict(
            f"The files of {version.name} were let go by retention: it cannot answer any more."
        )
    return version


def _anchor_rows(
    service: Service, holding: Version, schema: Schema
) -> tuple[list[Row], list[Answer]]:
    digest = test_set_digest(holding)
    if not digest:
        return [], []
    table = service.store.registry.artefact(digest)
    return service.workshop.unpack(table, schema, MOST_ROWS)


def _recent_rows(service: Service, model: str, schema: Schema) -> tuple[list[Row], list[Answer]]:
    judged = service.store.lessons.trusted(model, MOST_VERDICTS)
    share = service.store.registry.policy(model).held_out
    audited = service.store.trials.audited(model)
    found = judging_rows(judged, schema, share, audited=audited)
    return [one.row for one in found], [one.label for one in found]


# ── numbers ──────────────────────────────────────────────────────────────────────────────────


def _answered(
    schema: Schema,
    rows: Sequence[Row],
    known: Sequence[tuple[int, Answer]],
    answers: Sequence[Answer],
) -> Answered:
    chosen = [answers[at] for at, _ in known]
    if schema.is_classifier:
        places = {label: place for place, label in enumerate(schema.classes)}
        outputs = Outputs(classes=[places[str(answer)] for answer in chosen])
    else:
        outputs = Outputs(values=[float(answer) for answer in chosen])
    return Answered([rows[at] for at, _ in known], [label for _, label in known], outputs)


def _differing(row: Row, truth: Answer | None, first: Answer, second: Answer) -> Differing:
    return Differing(row, truth, first, second, _right(truth, first, second))


def _right(truth: Answer | None, first: Answer, second: Answer) -> Right | None:
    """Return who was right about a class, or closer to a number; None for both and neither."""
    if truth is None:
        return None
    if not isinstance(truth, str):
        errors = [abs(float(answer) - truth) for answer in (first, second)]
        return None if errors[0] == errors[1] else "first" if errors[0] < errors[1] else "second"
    if (first == truth) == (second == truth):
        return None
    return "first" if first == truth else "second"


def _apart(schema: Schema, first: Sequence[Answer], second: Sequence[Answer]) -> float | None:
    if schema.is_classifier or not first:
        return None
    pairs = zip(first, second, strict=True)
    return sum(abs(float(one) - float(other)) for one, other in pairs) / len(first)
