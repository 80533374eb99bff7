"""The feed of outliers: predictions whose inputs look like nothing that training saw."""

from __future__ import annotations

from dataclasses import dataclass

from unrot.core.artefacts import NEIGHBOURS
from unrot.core.errors import NotFound
from unrot.core.records import JudgedPrediction, ModelKey, Oddity, Version
from unrot.core.time import DAY, HOUR
from unrot.serve.service import Service
from unrot.watch.monitors.outliers.rule import MONITOR, Rate, kept_rates, rates_of

ALL_TIME = (0.0, 1e11)


@dataclass(frozen=True, slots=True)
class Feed:
    """Some outliers, newest first, and the id to go on from when there are more."""

    rows: list[tuple[Oddity, JudgedPrediction | None]]
    next_before: str | None


def feed(
    service: Service,
    name: str,
    *,
    limit: int = 50,
    before: str | None = None,
    period: tuple[float, float] = ALL_TIME,
) -> Feed:
    """List a model's outliers of a stretch of time with their verdicts, a page at a time."""
    model = service.catalogue().model(name).model
    since, until = period
    key = (until, "")
    if before:
        last = service.store.oddities.of(before)
        if last is None:
            raise NotFound("The outlier to go on from is not kept any more.")
        key = min(key, (last.predicted_at, before))
    rows = service.store.oddities.recent(model.key, limit=limit, before=key)
    within = [row for row in rows if row[0].predicted_at >= since]
    return Feed(within, within[-1][0].prediction if len(within) == limit else None)


def rates(service: Service, name: str) -> list[Rate]:
    """Return how many rows were odd in the last closed periods, oldest first."""
    model = service.catalogue().model(name).model
    return kept_rates(service.store.findings.standpoint(model.key, MONITOR))


def rates_around(
    service: Service, model: ModelKey, length: int, *, since: float, until: float
) -> list[Rate]:
    """Return how many rows were odd in the periods of a stretch of time, oldest first.

    Where the totals of that time were added up to longer ones, periods are longer.
    """
    windows = service.store.traffic.windows(model, since=since, until=until)
    lengths = (length, *(one for one in (HOUR, DAY) if one > length))
    return rates_of(windows, lengths, after=since, until=until, least=1)


def can_be_told(version: Version) -> bool:
    """Tell whether a version has what outliers are told by."""
    return NEIGHBOURS in version.artefacts
