"""Up to three portraits side by side, column by column: training, periods, single profiles.

A portrait is named by a word: `training`, `training:v2`, the id of a profile, or a stretch of
time in seconds since 1970, `1767312000..1767315600`. The first one is what the others are compared
with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from unrot.core.errors import NotFound
from unrot.core.records import Distribution, Drift
from unrot.serve.service import Service
from unrot.watch.monitors.drift.rule import Before, compare
from unrot.watch.profiles.distributions import has_same_bins
from unrot.watch.reports import periods
from unrot.watch.reports.periods import Portrait

MOST = 3
TRAINING = "training"
OTHER_BINS = (
    "Some columns were counted on other bins, because the versions were trained on other data: "
    "they are drawn, and have no distance. Each can be compared with its own training."
)

_STRETCH = re.compile(r"([0-9]{1,11}(?:\.[0-9]{1,6})?)\.\.([0-9]{1,11}(?:\.[0-9]{1,6})?)")


@dataclass(frozen=True, slots=True)
class Column:
    """One column in each of the portraits; None where one does not have it."""

    name: str
    distributions: Sequence[Distribution | None]
    drifts: Sequence[Drift | None]
    """How far each lies from the first; None for the first itself."""

    @property
    def distance(self) -> float:
        """The largest of them."""
        return max((one.distance for one in self.drifts if one is not None), default=0.0)


@dataclass(frozen=True, slots=True)
class Beside:
    """Portraits side by side, the columns that lie farthest apart first."""

    words: Sequence[str]
    portraits: Sequence[Portrait]
    columns: Sequence[Column]
    problems: Sequence[str]


def beside(service: Service, model: str, words: Sequence[str]) -> Beside:
    """Put portraits side by side; what cannot be shown is said and left out."""
    problems: list[str] = []
    if len(words) > MOST:
        problems.append(f"At most {MOST} stand side by side: the first {MOST} are shown.")
    found: list[tuple[str, Portrait]] = []
    for word in dict.fromkeys(words[:MOST]):
        try:
            first = found[0][1].reference if found else None
            found.append((word, _portrait(service, model, word, first)))
        except NotFound as error:
            problems.append(error.message)
    portraits = [portrait for _, portrait in found]
    drifts = _drifts(service, model, portraits, problems)
    names = dict.fromkeys(name for one in portraits for name in one.summary)
    columns = [
        Column(
            name,
            [one.summary.get(name) for one in portraits],
            [apart.get(name) for apart in drifts],
        )
        for name in names
    ]
    order = service.catalogue().model(model).model.schema.names
    columns.sort(key=lambda one: order.index(one.name) if one.name in order else len(order))
    columns.sort(key=lambda one: -one.distance)
    return Beside([word for word, _ in found], portraits, columns, list(dict.fromkeys(problems)))


def word_of(starts_at: float, ends_at: float) -> str:
    """Return the word that names a stretch of time.

    >>> word_of(60.0, 3_600.5)
    '60..3600.5'
    """
    ends = (f"{at:.6f}".rstrip("0").rstrip(".") for at in (starts_at, ends_at))
    return "..".join(ends)


def stretch_of(word: str) -> tuple[float, float] | None:
    """Return the stretch of time that a word names, if it names one."""
    found = _STRETCH.fullmatch(word)
    return None if found is None else (float(found[1]), float(found[2]))


def _portrait(service: Service, model: str, word: str, reference: str | None) -> Portrait:
    kind, _, version = word.partition(":")
    if kind == TRAINING:
        return periods.training(service, model, version=version or None)
    stretch = stretch_of(word)
    if stretch is None:
        return periods.of_profile(service, model, word)
    since, until = stretch
    if reference is not None:
        try:
            return periods.portrait(service, model, since=since, until=until, reference=reference)
        except NotFound:
            pass
    return periods.portrait(service, model, since=since, until=until)


def _drifts(
    service: Service, model: str, portraits: Sequence[Portrait], problems: list[str]
) -> list[dict[str, Drift]]:
    """Return how far each lies from the first, by column.

    Two versions that were trained on the same rows share the bins of their inputs.
    """
    rules = service.store.findings.rules(service.catalogue().model(model).model.key)
    found: list[dict[str, Drift]] = [{} for _ in portraits]
    for place, one in enumerate(portraits[1:], 1):
        first = portraits[0]
        before = Before(first.summary, unfair=(*first.unfair, *one.unfair))
        apart = compare(one.summary, before, rules)
        found[place] = {each.column: each for each in apart}
        if any(_has_other_bins(one, first, name) for name in one.summary):
            problems.append(OTHER_BINS)
    return found


def _has_other_bins(one: Portrait, first: Portrait, name: str) -> bool:
    is_there = name in first.summary
    return is_there and not has_same_bins(one.summary[name], first.summary[name])
