"""Kept predictions that somebody looks for: newest first, or the surest mistakes first.

A store goes through predictions by time and knows no more of them. So they are looked at one by
one, at most so many, and what was looked at is said with what was found. Where only judged ones,
only outliers, or only what was answered with "not sure", can fit, those alone are gone through.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import nsmallest
from itertools import islice
from operator import itemgetter
from typing import Literal, TypeVar

from unrot.core.errors import NotFound
from unrot.core.records import JudgedPrediction, Model, ModelKey, Prediction, Schema, Value
from unrot.hear.truth import truth_of, was_right
from unrot.serve.service import Service

MOST_LOOKED_AT, MOST_CELLS = 50_000, 2_000_000
"""So many predictions a look goes through; of a wide model fewer."""
SECONDS_A_LOOK = 2.0
END_OF_TIME = 1e11
ODD_AT_ONCE = 200

Verdict = Literal["right", "wrong", "any", "judge", "none"]
Order = Literal["newest", "worst"]
Cursor = tuple[float, str]
"""The time and the id of a prediction."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """A range of numbers, both ends within; None is no end."""

    least: float | None = None
    most: float | None = None

    def hold(self, value: Value) -> bool:
        """Tell whether a value lies within; what is no number lies nowhere."""
        if self.least is None and self.most is None:
            return True
        if isinstance(value, str) or value is None:
            return False
        return (self.least is None or value >= self.least) and (
            self.most is None or value <= self.most
        )


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for; whatever is None, or empty, is not asked for."""

    since: float = 0.0
    until: float = END_OF_TIME
    verdict: Verdict | None = None
    answer: str | None = None
    truth: str | None = None
    confidence: Limits = Limits()
    value: Limits = Limits()
    """Of the number that was answered."""
    is_odd: bool = False
    is_unsure: bool = False
    """Answered with "not sure"."""
    version: str | None = None
    within: Mapping[str, Limits] = field(default_factory=dict)
    """Ranges of features, by name."""
    chosen: Mapping[str, Value] = field(default_factory=dict)
    """Features that must have one value."""
    id: str | None = None
    key: str | None = None
    """The client's own: the newest prediction that it is for."""
    order: Order = "newest"

    @property
    def asks_for_verdict(self) -> bool:
        """True when only what has been judged can fit."""
        is_of_judged = self.verdict not in (None, "none")
        return is_of_judged or self.truth is not None or self.order == "worst"

    @property
    def is_whole(self) -> bool:
        """True when every prediction fits, whenever it was made."""
        return replace(self, since=0.0, until=END_OF_TIME, order="newest") == Sought()


@dataclass
class Look:
    """How much was looked at, and whether there is more than a look goes through."""

    most: int
    ends_at: float
    """By the clock of this process."""
    count: int = 0
    last: Cursor | None = None
    """The last one that was looked at."""
    is_cut: bool = False

    def through(self, made: Iterable[T], since: float, place: Callable[[T], Cursor]) -> Iterator[T]:
        """Hand on what is not older than a moment, until enough was looked at."""
        for one in made:
            at = place(one)
            if at[0] < since:
                return
            if self.count >= self.most or time.monotonic() > self.ends_at:
                self.is_cut = True
                return
            self.count += 1
            self.last = at
            yield one


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what fits."""

    rows: Sequence[JudgedPrediction]
    looked_at: int
    looked_back_to: float | None
    """When the last one was made that was looked at."""
    is_cut: bool
    """True when what was made before that was not looked at."""
    next_before: str | None
    """Go on before this one."""


def find_predictions(
    service: Service, name: str, sought: Sought, *, limit: int, before: str | None = None
) -> Found:
    """Return a page of the predictions that fit; `before` is the `next_before` of the last one."""
    model = service.catalogue().model(name).model
    if sought.id is not None:
        return _one(service, model, sought.id)
    if sought.key is not None:
        return _by_key(service, model, sought.key)
    look = open_look(model.schema)
    if sought.order == "worst":
        return _worst(service, model, sought, look, limit, before)
    cursor = _place_of(service, before)
    rows = list(islice(matching(service, model, sought, look, before=cursor, size=limit), limit))
    is_full = len(rows) == limit
    last = look.last[1] if look.is_cut and look.last else None
    return _found(rows, look, rows[-1].prediction.id if is_full else last, is_cut=not is_full)


def matching(
    service: Service,
    model: Model,
    sought: Sought,
    look: Look,
    *,
    before: Cursor | None = None,
    size: int = 400,
) -> Iterator[JudgedPrediction]:
    """Return what fits, newest first, as it is asked for; verdicts are read so many at once."""
    schema, traffic = model.schema, service.store.traffic
    cursor = (sought.until, "") if before is None else min(before, (sought.until, ""))
    if sought.is_unsure:
        unsure = look.through(traffic.unsure(model.key, cursor), sought.since, _place)
        fitting = (one for one in unsure if fits(one, sought, schema))
        judged = _of_outliers(service, _beside(traffic.beside, fitting, size), sought)
    elif sought.is_odd:
        judged = look.through(_odd(service, model.key, cursor), sought.since, _place_of_judged)
    elif sought.asks_for_verdict:
        told = traffic.judged(model.key, since=sought.since, before=cursor)
        judged = look.through(told, sought.since, _place_of_judged)
    else:
        made = look.through(traffic.made(model.key, cursor), sought.since, _place)
        fitting = (one for one in made if fits(one, sought, schema))
        judged = _beside(traffic.beside, fitting, size)
    for one in judged:
        if fits(one.prediction, sought, schema) and fits_verdict(one, sought, schema):
            yield _as_it_counts(one)


def worst_first(
    rows: Iterable[JudgedPrediction], limit: int, behind: JudgedPrediction | None = None
) -> list[JudgedPrediction]:
    """Order mistakes by how sure they were, or by how far off; at most so many, behind one."""
    after = None if behind is None else _rank(behind)
    ranked = ((_rank(one), one) for one in rows if badness(one) is not None)
    left = (pair for pair in ranked if after is None or pair[0] > after)
    return [one for _, one in nsmallest(limit, left, key=itemgetter(0))]


def badness(judged: JudgedPrediction) -> float | None:
    """Return how sure a wrong class was, or how far off a number; None where neither is known."""
    made, said = judged.prediction, judged.feedback
    if said is None:
        return None
    if made.value is not None:
        return abs(made.value - said.label) if isinstance(said.label, int | float) else None
    return confidence_of(made) or 0.0 if was_right(made, said) is False else None


def confidence_of(made: Prediction) -> float | None:
    """Return the largest probability."""
    return max(made.probabilities) if made.probabilities else None


def open_look(schema: Schema, times: float = 1.0) -> Look:
    """Return a look, or one that goes through so many times as much."""
    most = min(MOST_LOOKED_AT, MOST_CELLS // max(1, len(schema.features)))
    return Look(max(1, int(most * times)), time.monotonic() + SECONDS_A_LOOK * times)


# ── what fits ────────────────────────────────────────────────────────────────────────────────


def fits(made: Prediction, sought: Sought, schema: Schema) -> bool:
    """Tell whether a prediction fits, as far as it tells by itself."""
    if sought.version not in (None, made.version) or sought.answer not in (None, made.label):
        return False
    if not sought.confidence.hold(confidence_of(made)) or not sought.value.hold(made.value):
        return False
    return all(
        limits.hold(value_of(made, name, schema)) for name, limits in sought.within.items()
    ) and all(value_of(made, name, schema) == value for name, value in sought.chosen.items())


def fits_verdict(judged: JudgedPrediction, sought: Sought, schema: Schema) -> bool:
    """Tell whether what was said of a prediction fits."""
    made, said = judged.prediction, judged.feedback
    if sought.truth is not None and (
        said is None or truth_of(made.label, said, schema) != sought.truth
    ):
        return False
    if sought.verdict == "none":
        return said is None
    if sought.verdict == "judge":
        return said is not None and said.is_trusted
    if sought.verdict in ("right", "wrong"):
        return was_right(made, said) is (sought.verdict == "right")
    return said is not None or sought.verdict is None


def value_of(made: Prediction, feature: str, schema: Schema) -> Value:
    """Return what a prediction had in a feature."""
    place = schema.names.index(feature)
    return made.inputs[place] if place < len(made.inputs) else None


# ── inside ───────────────────────────────────────────────────────────────────────────────────


def _one(service: Service, model: Model, id: str) -> Found:
    judged = service.store.traffic.prediction(id)
    is_there = judged is not None and judged.prediction.model == model.key
    rows = [_as_it_counts(judged)] if judged is not None and is_there else []
    return Found(rows, 1, None, is_cut=False, next_before=None)


def _by_key(service: Service, model: Model, key: str) -> Found:
    id = service.store.keys.find(model.key, [key]).get(key)
    if id is None:
        return Found([], 0, None, is_cut=False, next_before=None)
    return _one(service, model, id)


def _worst(
    service: Service, model: Model, sought: Sought, look: Look, limit: int, before: str | None
) -> Found:
    behind = None
    if before:
        behind = service.store.traffic.prediction(before)
        if behind is None or badness(behind) is None:
            raise NotFound("The mistake to go on from is not kept any more: begin at the first.")
    rows = worst_first(matching(service, model, sought, look), limit, behind)
    next_before = rows[-1].prediction.id if len(rows) == limit else None
    return _found(rows, look, next_before, is_cut=True)


def _found(
    rows: Sequence[JudgedPrediction], look: Look, next_before: str | None, *, is_cut: bool
) -> Found:
    back_to = None if look.last is None else look.last[0]
    return Found(rows, look.count, back_to, look.is_cut and is_cut, next_before)


def _odd(service: Service, model: ModelKey, before: Cursor) -> Iterator[JudgedPrediction]:
    """Return the predictions of outliers that are still kept, newest first."""
    oddities = service.store.oddities
    while some := oddities.recent(model, limit=ODD_AT_ONCE, before=before):
        yield from (judged for _, judged in some if judged is not None)
        before = some[-1][0].predicted_at, some[-1][0].prediction


def _of_outliers(
    service: Service, judged: Iterator[JudgedPrediction], sought: Sought
) -> Iterator[JudgedPrediction]:
    """Return those that are outliers, where only they are looked for."""
    is_odd = service.store.oddities.of
    return (one for one in judged if not sought.is_odd or is_odd(one.prediction.id or ""))


def _beside(
    beside: Callable[[Sequence[Prediction]], list[JudgedPrediction]],
    made: Iterator[Prediction],
    size: int,
) -> Iterator[JudgedPrediction]:
    while page := list(islice(made, size)):
        yield from beside(page)


def _as_it_counts(judged: JudgedPrediction) -> JudgedPrediction:
    """Say of a verdict that names the truth alone whether the answer was right."""
    made, said = judged.prediction, judged.feedback
    if said is None or said.was_correct is not None:
        return judged
    return replace(judged, feedback=replace(said, was_correct=was_right(made, said)))


def _rank(judged: JudgedPrediction) -> tuple[float, float, str]:
    made = judged.prediction
    return -(badness(judged) or 0.0), -made.predicted_at, made.id or ""


def _place_of(service: Service, before: str | None) -> Cursor | None:
    """Return where a page begins that goes on before a prediction; None is the newest."""
    if not before:
        return None
    judged = service.store.traffic.prediction(before)
    if judged is None:
        raise NotFound("The prediction to go on from is not kept any more.")
    return judged.prediction.predicted_at, before


def _place(made: Prediction) -> Cursor:
    return made.predicted_at, made.id or ""


def _place_of_judged(judged: JudgedPrediction) -> Cursor:
    return _place(judged.prediction)
