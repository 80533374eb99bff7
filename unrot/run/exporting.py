"""What was answered and said of a model, as rows of a table for other programs.

One row is a prediction with the verdict on it, if any; of feedback, a verdict with its prediction.
Rows come newest first and a part at a time, so that a million of them take no more memory than
some thousands. Features stand under their own names; a word of ours that one of them has already
goes out of its way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import Any, Literal

from unrot.core.errors import NotFound, shown
from unrot.core.plurals import counted
from unrot.core.ports import Progress
from unrot.core.records import (
    Feature,
    Feedback,
    JudgedPrediction,
    Model,
    ModelKey,
    Prediction,
    Schema,
)
from unrot.hear.truth import is_fair_row, truth_of, was_right
from unrot.make.csv.batches import COLUMNS
from unrot.make.csv.writing import free_name
from unrot.serve.service import Service

What = Literal["predictions", "feedback"]
CellType = Literal["text", "number", "integer", "flag", "moment"]
Cell = str | float | bool | None
Part = Sequence[Sequence[Cell]]
"""Some rows, column by column."""
Line = tuple[Prediction, Feedback | None, Sequence[str]]
"""A prediction, the verdict on it, and its signals."""
WORDS: Mapping[What, str] = {"predictions": "prediction", "feedback": "verdict"}
"""What one row is."""
END_OF_TIME = 1e11
CELLS_AT_ONCE, MOST_AT_ONCE = 200_000, 10_000
"""How many cells, and rows, a part has at most."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an export."""

    name: str
    type: CellType
    read: Callable[[Line], Cell]
    own_texts: frozenset[str] = frozenset()
    """Texts that the model's owner chose, and no stranger."""


@dataclass(frozen=True, slots=True)
class Export:
    """What is exported of a model."""

    model: Model
    columns: tuple[Column, ...]
    renamed: Mapping[str, str]
    """Words of ours that features are called, and what they are called here."""
    parts: Iterator[Part]


def open_export(
    service: Service,
    name: str,
    progress: Progress,
    *,
    what: What = "predictions",
    since: float | None = None,
    until: float | None = None,
    with_probabilities: bool = False,
) -> Export:
    """Return an export of a model: predictions by when they were made, verdicts by when given."""
    model = find_model(service, name)
    stretch = since or 0.0, END_OF_TIME if until is None else until
    columns, renamed = columns_of(model.schema, with_probabilities=with_probabilities)
    rows = _read(service, model.key, what, *stretch)
    share = _share(service, model.key, what, *stretch)

    def tell(done: int, last: JudgedPrediction) -> None:
        progress(min(share(done, last), 1.0), counted(done, WORDS[what]))

    return Export(model, columns, renamed, parts_of(rows, columns, tell))


def find_model(service: Service, name: str) -> Model:
    """Return a model by its name, or one that it had; raise NotFound with the nearest one."""
    registry = service.store.registry
    models = registry.models()
    for model in models:
        if name == model.name:
            return model
    for model in models:
        if name in model.former_names:
            return model
    if name in {removed.name for removed in registry.removed()}:
        raise NotFound(f"{name} was removed, with all that was kept of it.")
    near = get_close_matches(name[:200], [model.name for model in models], n=1, cutoff=0.0)
    hint = f"the nearest one is {near[0]}" if near else "none is registered yet"
    raise NotFound(f"There is no model {shown(name)}: {hint}.")


# ── rows ─────────────────────────────────────────────────────────────────────────────────────


def _read(
    service: Service, model: ModelKey, what: What, since: float, until: float
) -> Iterator[JudgedPrediction]:
    traffic = service.store.traffic
    if what == "feedback":
        yield from traffic.given_between(model, since, until)
        return
    for judged in traffic.newest(model, (until, "")):
        if judged.prediction.predicted_at < since:
            return
        yield judged


def _share(
    service: Service, model: ModelKey, what: What, since: float, until: float
) -> Callable[[int, JudgedPrediction], float]:
    """Return how to tell the share that is done: of verdicts by number, of predictions by time."""
    traffic = service.store.traffic
    if what == "feedback":
        expected = traffic.count_given(model, since, until)
        return lambda done, _: done / expected
    begins_at, ends_at = max(since, traffic.begins_at(model)), min(until, service.clock())
    return lambda _, last: (ends_at - last.prediction.predicted_at) / max(ends_at - begins_at, 1.0)


def parts_of(
    rows: Iterator[JudgedPrediction],
    columns: Sequence[Column],
    tell: Callable[[int, JudgedPrediction], None] = lambda *_: None,
) -> Iterator[Part]:
    """Write rows column by column, a part at a time; `tell` hears how many are done."""
    most = max(1, min(MOST_AT_ONCE, CELLS_AT_ONCE // len(columns)))
    done = 0
    while some := list(islice(rows, most)):
        lines = [(judged.prediction, judged.feedback, judged.signals) for judged in some]
        yield [list(map(column.read, lines)) for column in columns]
        done += len(some)
        tell(done, some[-1])


# ── columns ──────────────────────────────────────────────────────────────────────────────────


def columns_of(
    schema: Schema, *, with_probabilities: bool
) -> tuple[tuple[Column, ...], dict[str, str]]:
    """Return the columns in their order, and those of ours that had to go out of the way."""
    taken = set(schema.names)
    renamed: dict[str, str] = {}

    def placed(columns: Iterable[Column]) -> Iterator[Column]:
        for column in columns:
            name = free_name(column.name, COLUMNS.get(column.name, f"unrot_{column.name}"), taken)
            taken.add(name)
            if name != column.name:
                renamed[column.name] = name
            yield Column(name, column.type, column.read, column.own_texts)

    answer = tuple(placed([*_of_answers(schema), *_of_classes(schema, with_probabilities)]))
    features = tuple(_feature(place, one) for place, one in enumerate(schema.features))
    return (*answer, *features, *placed(_of_verdicts(schema))), renamed


def _of_answers(schema: Schema) -> Iterator[Column]:
    own = frozenset(schema.classes)
    yield Column("id", "text", lambda line: line[0].id)
    yield Column("predicted_at", "moment", lambda line: line[0].predicted_at)
    yield Column("version", "text", lambda line: line[0].version)
    if schema.is_classifier:
        yield Column("prediction", "text", lambda line: line[0].label, own)
        yield Column("probability", "number", lambda line: _probability(line[0]))
    else:
        yield Column("prediction", "number", lambda line: line[0].value)


def _probability(made: Prediction) -> float | None:
    return max(made.probabilities) if made.probabilities else None


def _of_classes(schema: Schema, is_wanted: bool) -> Iterator[Column]:
    for place, name in enumerate(schema.classes if is_wanted else ()):
        yield Column(
            f"probability of {name}",
            "number",
            lambda line, place=place: _at(line[0].probabilities or (), place),  # type: ignore[misc]
        )


def _feature(place: int, feature: Feature) -> Column:
    types: Mapping[str, CellType] = {
        "number": "number",
        "integer": "integer",
        "category": "text",
        "boolean": "flag",
    }
    own = frozenset(str(choice) for choice in feature.choices)
    return Column(feature.name, types[feature.kind], lambda line: _at(line[0].inputs, place), own)


def _of_verdicts(schema: Schema) -> Iterator[Column]:
    answer: CellType = "text" if schema.is_classifier else "number"
    own = frozenset(schema.classes)
    yield Column("was_correct", "flag", _was_correct)
    yield Column("label", answer, _of_verdict(lambda verdict: verdict.label), own)
    yield Column("truth", answer, lambda line: _truth(line, schema), own)
    if not schema.is_classifier:
        yield Column("error", "number", _error)
    yield Column("given_at", "moment", _of_verdict(lambda verdict: verdict.given_at))
    yield Column("judge", "text", _of_verdict(lambda verdict: verdict.judge))
    yield Column("comment", "text", _of_verdict(lambda verdict: verdict.comment or None))
    yield Column("reward", "number", _of_verdict(lambda verdict: verdict.reward))
    yield Column("signals", "text", lambda line: ", ".join(line[2]) or None)
    yield Column("implicit", "flag", _is_implicit)
    yield Column("reasons", "text", _of_verdict(lambda verdict: ", ".join(verdict.reasons) or None))
    yield Column("asked", "flag", _of_verdict(lambda verdict: not is_fair_row(verdict)))


def _of_verdict(read: Callable[[Feedback], Cell]) -> Callable[[Line], Cell]:
    return lambda line: None if line[1] is None else read(line[1])


def _at(row: Sequence[Any], place: int) -> Cell:
    return row[place] if place < len(row) else None


def _is_implicit(line: Line) -> bool | None:
    """Tell whether nothing but signals tells of it; None where nothing does."""
    _, verdict, signals = line
    return verdict is None if verdict is not None or signals else None


def _was_correct(line: Line) -> bool | None:
    made, verdict, _ = line
    said = None if verdict is None else verdict.was_correct
    return was_right(made, verdict) if said is None else said


def _truth(line: Line, schema: Schema) -> Cell:
    made, verdict, _ = line
    return None if verdict is None else truth_of(made.label, verdict, schema)


def _error(line: Line) -> float | None:
    made, verdict, _ = line
    if verdict is None or made.value is None or not isinstance(verdict.label, int | float):
        return None
    return made.value - verdict.label
