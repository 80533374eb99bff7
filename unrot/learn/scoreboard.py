"""Every version scored on the same rows, so that their figures can be read down a column.

A version's own score is of its own test set, and scores of different rows cannot be compared. Here
all answer the champion's test set, and the last verdicts, whoever gave them. Each comes with its
gain over the champion, row by row, and the 95 % interval of that. Gains are of accuracy, or of the
mean error in units of the champion's: above zero is better, for numbers too.

Of classes the interval is Agresti and Min's (Statistics in Medicine 24 (2005) 729-740): Wald's of
paired rows with half a row added to each cell. Of numbers it is Student's t, its quantile taken
from the normal one by the first term of Cornish and Fisher.

    >>> from unrot.core.records import Schema
    >>> schema = Schema((), "temper", ("hostile", "friendly"))
    >>> worse, better = np.array([1.0] * 40 + [0.0] * 60), np.zeros(100)
    >>> gain = compare_gain(schema, worse, better)
    >>> round(gain.value, 2), round(gain.low, 2), round(gain.high, 2), gain.is_surely_worse
    (0.4, 0.3, 0.49, False)

What was answered once is remembered by the digests of version and rows, so a second look answers
only what is new. A look that would take too long leaves versions to the next one and says which.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from math import inf, sqrt
from statistics import median

import numpy as np

from unrot.core import lineage
from unrot.core.artefacts import HOLDOUT, digest_of
from unrot.core.errors import UnrotError
from unrot.core.newest import Newest
from unrot.core.ports import Label, Predictor
from unrot.core.records import (
    CHAMPION,
    Answered,
    Example,
    Model,
    Row,
    Schema,
    Version,
)
from unrot.core.test_sets import MeasuredOn, measured_on, test_set_digest
from unrot.hear.scores import Errors, row_errors, score
from unrot.serve.service import Service
from unrot.watch.worth.leaning import leaning_among
from unrot.watch.worth.one_sided import OneSided, Untold, part_told

LAST_VERDICTS = 200
MOST_ROWS = 5_000
FEWEST = 10
"""Verdicts below which no share of them is told."""
TIMED = 9
"""Answers to one row of which the middle one is the speed of a version."""
Z = 1.96
MOST_REMEMBERED = 2_000_000
"""Errors of rows that stay in memory, 8 bytes each."""


@dataclass(frozen=True, slots=True)
class Gain:
    """By how much a version is better than the champion, with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def is_surely_worse(self) -> bool:
        """True where all of the interval is a loss."""
        return self.high < 0

    @property
    def is_surely_better(self) -> bool:
        """True where all of the interval is a gain."""
        return self.low > 0


@dataclass(frozen=True, slots=True)
class Scored:
    """What a version reaches on some rows; no gain is told of the champion, or without one."""

    rows: int
    score: float
    gain: Gain | None = None
    learnt: int = 0
    """So many of these verdicts it, or its line, has learnt."""
    may_know: bool = False
    """True where its training was parted in another way: it may have been fitted on some rows."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One version on the scoreboard."""

    on_test_set: Scored | None = None
    on_verdicts: Scored | None = None
    size: int | None = None
    """Bytes of the file that answers."""
    seconds: float | None = None
    """How long one row takes on this machine."""
    problem: str = ""
    """Why it could not answer."""


@dataclass(frozen=True, slots=True)
class LastVerdicts:
    """The newest verdicts that tell what was true, and who gave them."""

    rows: int = 0
    by_judges: int = 0
    people: int = 0
    """From how many of those who are no judges they come."""
    since: float = 0.0
    one_sided: OneSided | None = None
    """Why they do not tell who is better: then they score nobody."""


@dataclass(frozen=True, slots=True)
class Scoreboard:
    """Versions on the same rows; those that could not be scored in time are not in it."""

    champion: str
    entries: Mapping[str, Entry]
    on: MeasuredOn | None = None
    """The champion's test set."""
    verdicts: LastVerdicts = field(default_factory=LastVerdicts)
    left: Sequence[str] = ()
    """The versions that a further look scores."""

    def entry(self, version: str) -> Entry:
        """Return what is known of a version."""
        return self.entries.get(version, Entry())


@dataclass(frozen=True, slots=True)
class _Ground:
    """Rows with their truth, fetched only where a version has not answered them yet."""

    digest: str
    fetch: Callable[[], tuple[Sequence[Row], Sequence[Label]]]


@dataclass(frozen=True, slots=True)
class _File:
    """What is known of the file that answers for a version."""

    size: int | None = None
    seconds: float | None = None


_ERRORS: Newest[tuple[str, str, str], Errors] = Newest(MOST_REMEMBERED, len)
"""By schema, file and ground."""
_FILES: Newest[tuple[str, str], _File] = Newest(1_000)


def read_scoreboard(
    service: Service, name: str, wanted: Sequence[Version], *, seconds: float = inf
) -> Scoreboard:
    """Let versions answer the champion's test set and the last verdicts, the champion first."""
    model, registry = service.catalogue().model(name).model, service.store.registry
    versions = {one.name: one for one in registry.versions(model.key)}
    champion = versions.get(registry.aliases(model.key).get(CHAMPION, ""))
    examples, untold = _read_examples(service, model)
    one_sided = untold or leaning_among(service.store, model.key, examples)
    look = _Look(service, model, champion, versions, [] if one_sided else examples)
    in_order = dict.fromkeys([*([champion.name] if champion else []), *(v.name for v in wanted)])
    left = look.score_all([versions[one] for one in in_order if one in versions], seconds)
    return Scoreboard(
        champion="" if champion is None else champion.name,
        entries=look.entries,
        on=None if champion is None else measured_on(versions.values()).get(champion.name),
        verdicts=replace(_describe_verdicts(examples), one_sided=one_sided),
        left=left,
    )


class _Look:
    """One look at the versions of a model; the champion is scored before all others."""

    def __init__(
        self,
        service: Service,
        model: Model,
        champion: Version | None,
        versions: Mapping[str, Version],
        examples: list[Example],
    ) -> None:
        self._service, self._model, self._champion = service, model, champion
        self._versions = versions
        self._examples = examples
        self._test_set = _test_set_of(service, model, champion)
        self._verdicts = _ground_of(examples)
        self._beside: dict[str, Errors] = {}
        self.entries: dict[str, Entry] = {}

    def score_all(self, versions: Sequence[Version], seconds: float) -> list[str]:
        """Score versions until the time is up; return the names of those that are left."""
        ends_at, left = time.monotonic() + seconds, []
        for version in versions:
            if version.is_pruned:
                continue
            if self.entries and time.monotonic() >= ends_at and not self._is_known(version):
                left.append(version.name)
                continue
            try:
                self.entries[version.name] = self._score(version)
            except UnrotError as error:
                self.entries[version.name] = Entry(problem=error.message)
        return left

    def _is_known(self, version: Version) -> bool:
        grounds = (self._test_set, self._verdicts)
        return all(
            ground is None or _ERRORS.get((*_key(version), ground.digest)) is not None
            for ground in grounds
        )

    def _score(self, version: Version) -> Entry:
        borrow = cache(lambda: self._service.shelf.borrow(self._service.catalogue(), version))
        on_test_set = self._score_on(version, self._test_set, borrow)
        on_verdicts = self._score_on(version, self._verdicts, borrow)
        if on_test_set is not None:
            on_test_set = replace(on_test_set, may_know=_may_know(version, self._champion))
        if on_verdicts is not None:
            on_verdicts = replace(on_verdicts, learnt=self._count_learnt(version))
        file = _FILES.get(_key(version)) or _File()
        return Entry(on_test_set, on_verdicts, file.size, file.seconds)

    def _score_on(
        self, version: Version, ground: _Ground | None, borrow: Callable[[], Predictor]
    ) -> Scored | None:
        """Score a version on a ground; the champion, which comes first, is what others beat."""
        if ground is None:
            return None
        schema, errors = self._model.schema, self._errors(version, ground, borrow)
        reached = score(schema, errors)
        if reached is None:
            return None
        if self._champion is not None and version.name == self._champion.name:
            self._beside[ground.digest] = errors
            return Scored(len(errors), reached)
        champion = self._beside.get(ground.digest)
        gain = None if champion is None else compare_gain(schema, champion, errors)
        return Scored(len(errors), reached, gain)

    def _errors(self, version: Version, ground: _Ground, borrow: Callable[[], Predictor]) -> Errors:
        known = _ERRORS.get((*_key(version), ground.digest))
        if known is not None:
            return known
        rows, truth = ground.fetch()
        outputs = borrow().predict(rows)
        if rows and _FILES.get(_key(version)) is None:
            size = self._service.shelf.size(version)
            _FILES.keep(_key(version), _File(size, _time_row(borrow(), rows[0])))
        errors = row_errors(self._model.schema, Answered(rows, truth, outputs))
        return _ERRORS.keep((*_key(version), ground.digest), errors)

    def _count_learnt(self, version: Version) -> int:
        """Count the verdicts that a version with a parent has learnt, itself or by its line."""
        if version.parent is None:
            return 0
        line = lineage.learning_line(self._versions.values(), version.name)
        learnt = self._service.store.lessons.learnt(self._model.key, line)
        return sum(one.prediction in learnt for one in self._examples)


# ── rows ─────────────────────────────────────────────────────────────────────────────────────


def _test_set_of(service: Service, model: Model, champion: Version | None) -> _Ground | None:
    if champion is None or not (digest := test_set_digest(champion)):
        return None

    @cache
    def fetch() -> tuple[Sequence[Row], Sequence[Label]]:
        service.signatures.check(champion, model)
        table = service.store.registry.artefact(digest)
        return service.trainer.unpack(table, model.schema, MOST_ROWS)

    return _Ground(digest, fetch)


def _read_examples(service: Service, model: Model) -> tuple[list[Example], Untold | None]:
    """Read the last verdicts; where others than judges make them one-sided, those of judges."""
    judged = service.store.traffic.last_judged(model.key, limit=LAST_VERDICTS)
    found, untold = part_told(judged, model.schema)
    if untold:
        trusted = [one for one in judged if one.feedback is not None and one.feedback.is_trusted]
        by_judges, their_own = part_told(trusted, model.schema)
        if by_judges and their_own is None:
            found, untold = by_judges, None
    return [one for one in found if not one.is_erased], untold


def _ground_of(examples: Sequence[Example]) -> _Ground | None:
    """Return the rows of verdicts; None where they are too few to tell anything."""
    if len(examples) < FEWEST:
        return None
    said = "\n".join(f"{one.prediction} {one.label!r}" for one in examples)
    rows, truth = [one.row for one in examples], [one.label for one in examples]
    return _Ground(digest_of(said.encode()), lambda: (rows, truth))


def _describe_verdicts(examples: Sequence[Example]) -> LastVerdicts:
    others = [one for one in examples if not one.is_trusted]
    return LastVerdicts(
        rows=len(examples),
        by_judges=len(examples) - len(others),
        people=len({one.subject for one in others}),
        since=min((one.predicted_at for one in examples), default=0.0),
    )


def _key(version: Version) -> tuple[str, str]:
    return version.schema_hash, version.serving.digest


def _may_know(version: Version, champion: Version | None) -> bool:
    """Tell whether a version held out other rows when it was trained than the champion did."""
    held_out = [one.artefacts.get(HOLDOUT) for one in (version, champion) if one is not None]
    return len(set(held_out)) > 1


# ── numbers ──────────────────────────────────────────────────────────────────────────────────


def compare_gain(schema: Schema, champion: Errors, version: Errors) -> Gain:
    """Compare two versions on the same rows; both need at least two."""
    better = champion - version
    if not schema.is_classifier:
        unit = float(np.mean(champion)) or 1.0
        return _interval_of_numbers(better / unit)
    won, lost = int(np.sum(better > 0)), int(np.sum(better < 0))
    rows, more, fewer = len(better) + 2, won + 0.5, lost + 0.5
    middle = (more - fewer) / rows
    reach = Z * sqrt(more + fewer - (more - fewer) ** 2 / rows) / rows
    return Gain((won - lost) / len(better), max(-1.0, middle - reach), min(1.0, middle + reach))


def _interval_of_numbers(gains: Errors) -> Gain:
    value, free = float(np.mean(gains)), max(1, len(gains) - 1)
    quantile = Z + (Z**3 + Z) / (4 * free)
    reach = quantile * float(np.std(gains)) / sqrt(free)
    return Gain(value, value - reach, value + reach)


def _time_row(predictor: Predictor, row: Row) -> float:
    """Return how long a row takes: the middle of some, so that a hiccup counts for nothing."""
    took: list[float] = []
    for _ in range(TIMED):
        began = time.perf_counter()
        predictor.predict([row])
        took.append(time.perf_counter() - began)
    return median(took)
