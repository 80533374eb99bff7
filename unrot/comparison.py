"""Two versions side by side: on rows that can be trusted, and a challenger in the shadow.

Both answer the champion's anchor and the judges' verdicts that only judge; of a challenger it is
on record what it would have answered to the very rows that the champion answered. A page can say
then where they differ, and who was right there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from unrot import lineage
from unrot.errors import Conflict
from unrot.growth import Example, Ground
from unrot.learning.labels import example_of, judging_rows
from unrot.records import CHALLENGER, CHAMPION, Outputs, Row, Schema, Version
from unrot.service import Service

MOST_ROWS = 5_000
MOST_VERDICTS = 2_000
MOST_SHADOWS = 5_000
MOST_DIFFERING = 100
MATRIX_CLASSES = 12
"""With more classes than these a matrix cannot be read, and the commonest mistakes are listed."""
MOST_MISTAKES = 20

Answer = str | float
Right = Literal["first", "second", "both", "neither"]


@dataclass(frozen=True, slots=True)
class Mistake:
    """How often one class was taken for another."""

    truth: str
    answer: str
    count: int


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often each class (a row) was answered with each class (a column)."""

    counts: Sequence[Sequence[int]]
    mistakes: Sequence[Mistake]
    """The commonest first."""


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
    """Two versions on the same rows. Scores are accuracies, or mean absolute errors."""

    rows: int
    judged: int
    """How many of the rows have a truth."""
    agreement: float | None
    """The share of equal answers; of numbers the mean distance between the answers."""
    first_score: float | None
    second_score: float | None
    only_first: int
    only_second: int
    both: int
    neither: int
    first_confusion: Confusion | None
    second_confusion: Confusion | None
    differ: int
    differing: Sequence[Differing]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions on each ground that there is, with a sentence for each that there is not."""

    first: Version
    second: Version
    grounds: Sequence[tuple[Ground, Beside]]
    missing: Sequence[str]


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
        ("recent verdicts", recent, "No judge's verdict is held out yet; an audit makes some."),
    ):
        if not rows:
            missing.append(none)
            continue
        answers = [_answers(one.predict(rows), model.schema) for one in predictors]
        found = beside(model.schema, rows, truth, answers[0], answers[1])
        grounds.append(("anchor" if ground == "anchor" else "recent verdicts", found))
    return Comparison(pair[0], pair[1], grounds, missing)


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
) -> Beside:
    """Put the answers of two versions to the same rows side by side."""
    known = [place for place, label in enumerate(truth) if label is not None]
    right = [_right(schema, truth[at], first[at], second[at]) for at in range(len(rows))]
    counted = Counter(right[place] for place in known)
    differing = _differing(schema, first, second)
    return Beside(
        rows=len(rows),
        judged=len(known),
        agreement=_agreement(schema, first, second),
        first_score=_score(schema, [(truth[at], first[at]) for at in known]),
        second_score=_score(schema, [(truth[at], second[at]) for at in known]),
        only_first=counted["first"],
        only_second=counted["second"],
        both=counted["both"],
        neither=counted["neither"],
        first_confusion=_confusion(schema, [(truth[at], first[at]) for at in known]),
        second_confusion=_confusion(schema, [(truth[at], second[at]) for at in known]),
        differ=len(differing),
        differing=[
            Differing(rows[at], truth[at], first[at], second[at], right[at])
            for at in _telling_first(differing, right)[:MOST_DIFFERING]
        ],
    )


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
    digest = holding.anchor or holding.artefacts.get("holdout", "")
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


def _answers(outputs: Outputs, schema: Schema) -> list[Answer]:
    if schema.is_classifier:
        return [schema.classes[place] for place in outputs.classes or ()]
    return [float(value) for value in outputs.values or ()]


# ── numbers ──────────────────────────────────────────────────────────────────────────────────


def _right(schema: Schema, truth: Answer | None, first: Answer, second: Answer) -> Right | None:
    """Return who was right about a class, or closer to a number."""
    if truth is None:
        return None
    if not schema.is_classifier:
        errors = [abs(float(answer) - float(truth)) for answer in (first, second)]
        if errors[0] == errors[1]:
            return "both" if errors[0] == 0 else "neither"
        return "first" if errors[0] < errors[1] else "second"
    if first == truth:
        return "both" if second == truth else "first"
    return "second" if second == truth else "neither"


def _score(schema: Schema, pairs: Sequence[tuple[Answer | None, Answer]]) -> float | None:
    if not pairs:
        return None
    if schema.is_classifier:
        return sum(truth == answer for truth, answer in pairs) / len(pairs)
    return sum(abs(float(answer) - float(truth or 0)) for truth, answer in pairs) / len(pairs)


def _agreement(schema: Schema, first: Sequence[Answer], second: Sequence[Answer]) -> float | None:
    if not first:
        return None
    pairs = list(zip(first, second, strict=True))
    if schema.is_classifier:
        return sum(one == other for one, other in pairs) / len(pairs)
    return sum(abs(float(one) - float(other)) for one, other in pairs) / len(pairs)


def _differing(schema: Schema, first: Sequence[Answer], second: Sequence[Answer]) -> list[int]:
    """Return the places that are answered differently, of numbers the farthest apart first."""
    places = [at for at in range(len(first)) if first[at] != second[at]]
    if schema.is_classifier:
        return places
    return sorted(places, key=lambda at: -abs(float(first[at]) - float(second[at])))


def _telling_first(places: Sequence[int], right: Sequence[Right | None]) -> list[int]:
    """Put the rows first of which it is known who was right."""
    return sorted(places, key=lambda at: right[at] not in ("first", "second"))


def _confusion(schema: Schema, pairs: Sequence[tuple[Answer | None, Answer]]) -> Confusion | None:
    if not schema.is_classifier or not pairs:
        return None
    counted = Counter((str(truth), str(answer)) for truth, answer in pairs)
    wrong = [
        Mistake(truth, answer, count)
        for (truth, answer), count in counted.most_common()
        if truth != answer
    ]
    classes = schema.classes if len(schema.classes) <= MATRIX_CLASSES else ()
    counts = [[counted[truth, answer] for answer in classes] for truth in classes]
    return Confusion(counts, wrong[:MOST_MISTAKES])
