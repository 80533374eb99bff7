"""Two versions side by side: on rows that can be trusted, and a challenger in the shadow.

Both answer the champion's anchor and the judges' verdicts that only judge; of a challenger it is
on record what it would have answered to the very rows that the champion answered. A page can say
then where they differ, and who was right there.

Where they differ, one of them may be right alone: b and c such rows. If both were equally good the
b of b + c rows would be those of a coin, which is McNemar's exact test (Psychometrika 12 (1947)
153-157). For numbers it is the one that comes closer: the sign test. That is good for rows that
stay the same; where they grow and one looks again, the chance is 1 over what betting on either of
the two would have made (`betting.py`): between equals so lopsided a count ever comes up at most so
often.

    >>> from unrot.core.records import Outputs, Schema
    >>> schema = Schema((), "temper", ("hostile", "friendly"))
    >>> truth = ["hostile"] * 6 + ["friendly"] * 4
    >>> first = Answered([[]] * 10, truth, Outputs(classes=[0] * 10))
    >>> second = Answered([[]] * 10, truth, Outputs(classes=[0] * 6 + [1] * 4))
    >>> both = compare_answers(schema, first, second)
    >>> both.first_score, both.second_only_right, both.chance
    (0.6, 4, 0.125)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from unrot.core import lineage
from unrot.core.errors import Conflict
from unrot.core.records import (
    CHALLENGER,
    CHAMPION,
    Answered,
    Example,
    Ground,
    Holds,
    JudgedPrediction,
    Model,
    ModelKey,
    Outputs,
    Row,
    Schema,
    Version,
)
from unrot.core.test_sets import MeasuredOn, measured_on, test_set_digest
from unrot.hear.scores import answers_of, row_errors, score
from unrot.hear.truth import example_of, is_fair_row, judging_verdicts, only_judges
from unrot.learn.gate.betting import log_wealth
from unrot.learn.gate.exact_tests import mcnemar
from unrot.learn.gate.paired_test import discordant
from unrot.learn.scoreboard import Gain, compare_gain
from unrot.serve.service import Service
from unrot.watch import audit
from unrot.watch.worth.leaning import leaning_in
from unrot.watch.worth.one_sided import OneSided, part_told, weighing

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
class ClassRecall:
    """How much of one class each finds, and how many rows are of it."""

    label: str
    rows: int
    first: float
    second: float


@dataclass(frozen=True, slots=True)
class Duel:
    """Two versions on rows with their truth; scores are accuracies, or mean absolute errors."""

    rows: int
    first_score: float | None
    second_score: float | None
    first_only_right: int
    """Rows on which only the first is right; of numbers, on which it comes closer."""
    second_only_right: int
    chance: float
    """How likely so lopsided a count is between equals: on these rows, or ever as they grow."""
    first_confusion: Sequence[Sequence[int]]
    """Rows by true class (down) and answered class (across), in the order of the schema."""
    second_confusion: Sequence[Sequence[int]]
    recalls: Sequence[ClassRecall]
    places: Sequence[int]
    """The rows on which they differ; of numbers the widest first."""
    gain: Gain | None = None
    """By how much the second is better than the first; None of too few rows."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Two versions on the same rows, of some of which the truth is known."""

    rows: int
    agreement: float | None
    """The share of rows that both answer alike."""
    apart: float | None
    """How far their numbers are from each other on average; None for classes."""
    judged: Duel
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
    one_sided: OneSided | None = None
    """Why the verdicts do not tell who is right, where they do not."""


def compare(service: Service, name: str, first: str, second: str) -> Comparison:
    """Let two versions answer the champion's anchor and the recent verdicts that only judge."""
    contents = service.catalogue()
    shelved = contents.model(name)
    model = shelved.model
    versions = service.store.registry.versions(model.key)
    pair = [_servable(lineage.named(versions, one)) for one in (first, second)]
    if first == second:
        raise Conflict("Choose two different versions: each is equal to itself.")
    predictors = [service.shelf.predictor(contents, one) for one in pair]
    champion = service.store.registry.aliases(model.key).get(CHAMPION)
    holding = lineage.named(versions, champion) if champion else pair[0]
    grounds: list[tuple[Ground, Beside]] = []
    missing: list[str] = []
    anchor = _anchor_rows(service, model, holding)
    recent, one_sided = _recent_rows(service, model.key, model.schema)
    for ground, (rows, truth), none in (
        ("anchor", anchor, f"{holding.name} has no test set: nothing trusted was set apart."),
        (
            "recent verdicts",
            recent,
            _why_none(one_sided, audit.room(service, name).sentence),
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
    aliases = service.store.registry.aliases(model.key)
    champion, challenger = aliases.get(CHAMPION), aliases.get(CHALLENGER)
    if champion is None or challenger is None:
        return None
    rows: list[Row] = []
    truth: list[Answer | None] = []
    first: list[Answer] = []
    second: list[Answer] = []
    heard: list[JudgedPrediction] = []
    for shadow, judged in service.store.trials.shadows(model.key, challenger, MOST_SHADOWS):
        made = judged.prediction
        answered = made.value if made.label is None else made.label
        would = shadow.value if shadow.label is None else shadow.label
        if made.version != champion or answered is None or would is None:
            continue
        is_heard = judged.feedback is not None and is_fair_row(judged.feedback)
        said = example_of(judged, model.schema) if is_heard else None
        heard += [judged] if is_heard else []
        rows.append(made.inputs)
        truth.append(said.label if isinstance(said, Example) else None)
        first.append(answered)
        second.append(would)
    _, untold = part_told(heard, model.schema)
    one_sided = untold or leaning_in(first, [label is not None for label in truth])
    known = [None] * len(truth) if one_sided else truth
    found = beside(model.schema, rows, known, first, second)
    return InShadow(champion, challenger, found, one_sided)


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
    judged = compare_answers(schema, sides[0], sides[1], holds)
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


def compare_answers(
    schema: Schema, first: Answered, second: Answered, holds: Holds = "fixed rows"
) -> Duel:
    """Compare what two versions answer to the same rows."""
    errors = row_errors(schema, first), row_errors(schema, second)
    second_only, first_only = discordant(*errors)
    confusions = count_confusion(schema, first), count_confusion(schema, second)
    return Duel(
        rows=len(errors[0]),
        first_score=score(schema, errors[0]),
        second_score=score(schema, errors[1]),
        first_only_right=first_only,
        second_only_right=second_only,
        chance=_chance(first_only, second_only, holds),
        first_confusion=confusions[0],
        second_confusion=confusions[1],
        recalls=_recalls(schema, *confusions),
        places=tuple(_places(schema, first, second)),
        gain=compare_gain(schema, *errors) if len(errors[0]) > 1 else None,
    )


# ── rows ─────────────────────────────────────────────────────────────────────────────────────


def _servable(version: Version) -> Version:
    if version.is_pruned:
        raise Conflict(
            f"The files of {version.name} were removed by retention: it cannot answer any more."
        )
    return version


def _anchor_rows(
    service: Service, model: Model, holding: Version
) -> tuple[list[Row], list[Answer]]:
    digest = test_set_digest(holding)
    if not digest:
        return [], []
    service.signatures.check(holding, model)
    table = service.store.registry.artefact(digest)
    return service.trainer.unpack(table, model.schema, MOST_ROWS)


def _recent_rows(
    service: Service, model: ModelKey, schema: Schema
) -> tuple[tuple[list[Row], list[Answer]], OneSided | None]:
    """Return the recent rows that only judge with their truth, and why none may where none may."""
    share = service.store.registry.policy(model).held_out
    audited = service.store.trials.audited(model)
    judged = service.store.lessons.trusted(
        model, MOST_VERDICTS, where=lambda id: only_judges(id, share, audited)
    )
    verdicts = judging_verdicts(judged, share, audited=audited)
    found, one_sided = weighing(service.store, model, verdicts, schema, audited)
    return ([one.row for one in found], [one.label for one in found]), one_sided


def _why_none(one_sided: OneSided | None, room: str) -> str:
    """Say why no recent verdict compares the two, and what would."""
    if one_sided is None:
        return f"No judge's verdict is held out yet. {room}"
    return f"{one_sided.sentence} {one_sided.favours}: {one_sided.remedy}."


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


def _chance(first_only: int, second_only: int, holds: Holds) -> float:
    if holds == "fixed rows":
        return mcnemar(first_only, second_only)
    rows = first_only + second_only
    made = (
        log_wealth(won, lost, rows, 0.0)
        for won, lost in ((first_only, second_only), (second_only, first_only))
    )
    return float(min(1.0, 2 / sum(np.exp(np.minimum(one, 500.0)) for one in made)))


def count_confusion(schema: Schema, answered: Answered) -> tuple[tuple[int, ...], ...]:
    """Count rows by true and by answered class; empty for numbers."""
    places = {label: place for place, label in enumerate(schema.classes)}
    counts = np.zeros((len(places), len(places)), dtype=int)
    if schema.is_classifier:
        for truth, answer in zip(answered.truth, answers_of(schema, answered.outputs), strict=True):
            counts[places[str(truth)], places[str(answer)]] += 1
    return tuple(tuple(row) for row in counts.tolist())


def _recalls(
    schema: Schema, first: Sequence[Sequence[int]], second: Sequence[Sequence[int]]
) -> tuple[ClassRecall, ...]:
    return tuple(
        ClassRecall(
            label,
            sum(first[place]),
            first[place][place] / sum(first[place]),
            second[place][place] / sum(first[place]),
        )
        for place, label in enumerate(schema.classes)
        if sum(first[place])
    )


def _places(schema: Schema, first: Answered, second: Answered) -> list[int]:
    """Return the rows on which they differ; of numbers the widest first."""
    one, two = answers_of(schema, first.outputs), answers_of(schema, second.outputs)
    pairs = list(zip(one, two, strict=True))
    places = [place for place, (here, there) in enumerate(pairs) if here != there]
    if schema.is_classifier:
        return places
    return sorted(places, key=lambda place: -abs(float(one[place]) - float(two[place])))
