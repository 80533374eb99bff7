"""How models are at a glance: all of them, the worst first, or one beside each of its pages.

Of the traffic of all models one scan tells, of the open findings another; what is asked of each
model is its champion's last verdicts alone. That is less than its monitor page reads, so less is
said: a word, and nothing of a model that few, or one visitor alone, have judged.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from unrot.core.errors import StoreAway
from unrot.core.records import CHAMPION, Finding, Hour, ModelKey, Outcome, Version
from unrot.core.time import HOUR
from unrot.hear.judges import whose
from unrot.serve.service import LAST_VERDICTS, Service
from unrot.serve.shelf import ShelvedModel
from unrot.watch.reports.champion import promised, silence
from unrot.watch.reports.health import State, health, part_snoozed
from unrot.watch.reports.signs import FEWEST_VERDICTS, Signs
from unrot.watch.statistics.accuracy import errors_of, right_of, scored, scores_of
from unrot.watch.worth.leaning import noted_leaning
from unrot.watch.worth.verdicts import worth_of_last

HOURS = 24
"""So far back goes the line of traffic."""
WORST_FIRST: Sequence[State] = ("ill", "look", "unknown", "well")


@dataclass(frozen=True, slots=True)
class Glance:
    """A model at a glance."""

    shelved: ShelvedModel
    champion: Version | None
    state: State = "unknown"
    findings: Sequence[Finding] = ()
    """The open ones that are not snoozed, where they may be seen."""
    snoozed: int = 0
    """How many more are open, and snoozed."""
    hours: Sequence[int] = ()
    """How often it was asked, hour by hour; empty while the store is away."""
    since: float = 0.0
    """When the first of these hours began."""
    signs: Signs = Signs()
    last_verdicts: Sequence[float] = ()
    """What its last verdicts say one by one: right (1) or wrong (0), or how far it was off."""
    last_verdict_at: float | None = None

    @property
    def predictions(self) -> int:
        """How often it was asked in all these hours."""
        return sum(self.hours)

    @property
    def curve(self) -> Sequence[float]:
        """The mean of each ten verdicts in a row: fewer are no line."""
        return rolled_means(self.last_verdicts, FEWEST_VERDICTS)

    @property
    def mean(self) -> float | None:
        """How right the last verdicts say that it is, or how far off; None where they are few."""
        few = len(self.last_verdicts) < FEWEST_VERDICTS
        return None if few else sum(self.last_verdicts) / len(self.last_verdicts)


def fleet(
    service: Service, models: Collection[ShelvedModel], *, shows_findings: bool
) -> list[Glance]:
    """Look at models, the worst first; no more than their names while the store is away."""
    try:
        glances = _look(service, models, shows_findings=shows_findings)
    except StoreAway:
        return [Glance(shelved, shelved.champion) for shelved in models]
    return sorted(glances, key=_worst_first)


def look_at(service: Service, shelved: ShelvedModel) -> Glance:
    """Look at one model."""
    key, first = shelved.model.key, _first_hour(service)
    traffic = service.store.traffic.hourly_predictions(first * float(HOUR), key)
    return _glance(service, shelved, traffic, service.store.findings.open(key), first)


def rolled_means(values: Sequence[float], width: int) -> list[float]:
    """Return the mean of each so many values in a row.

    >>> rolled_means([1.0, 0.0, 1.0, 1.0], 2), rolled_means([1.0], 2)
    ([0.5, 0.5, 1.0], [])
    """
    return [sum(values[at : at + width]) / width for at in range(len(values) - width + 1)]


def _look(
    service: Service, models: Collection[ShelvedModel], *, shows_findings: bool
) -> list[Glance]:
    first = _first_hour(service)
    traffic = _by_model(service.store.traffic.hourly_predictions(first * float(HOUR)))
    opened: dict[ModelKey, list[Finding]] = {}
    for found in service.store.findings.open() if shows_findings else ():
        opened.setdefault(found.model, []).append(found)
    return [
        _glance(
            service,
            shelved,
            traffic.get(shelved.model.key, ()),
            opened.get(shelved.model.key, ()),
            first,
        )
        for shelved in models
    ]


def _first_hour(service: Service) -> int:
    """Return which hour since 1970 the line of traffic begins with."""
    return int(service.clock() // HOUR) - HOURS + 1


def _glance(
    service: Service,
    shelved: ShelvedModel,
    hours: Sequence[Hour],
    findings: Sequence[Finding],
    first: int,
) -> Glance:
    champion, key = shelved.champion, shelved.model.key
    findings, snoozed = part_snoozed(findings, service.clock())
    own: Sequence[Outcome] = ()
    if champion is not None:
        own = service.store.traffic.outcomes(key, limit=LAST_VERDICTS, versions=(champion.name,))
    signs = _signs(champion, own, hours)
    if signs.is_chosen and not signs.is_of_crowd:
        signs = replace(signs, leaning=noted_leaning(service.store, key, signs.version))
    signs = replace(
        signs,
        silent_for=silence(own, service.clock()),
        findings=findings,
        snoozed=len(snoozed),
        reigns_since=_reigns_since(service, key, findings),
    )
    return Glance(
        shelved,
        champion,
        state_of(signs),
        findings,
        len(snoozed),
        hours_of(hours, first),
        first * float(HOUR),
        signs,
        scores_of(own),
        max((one.given_at for one in own), default=None),
    )


def state_of(signs: Signs) -> State:
    """Return how a model is: what one visitor alone says is no reason to look at it."""
    if signs.is_one_voice and signs.has_champion and not signs.findings:
        return "unknown"
    return health(signs).state


def hours_of(hours: Sequence[Hour], first: int) -> list[int]:
    """Count predictions by the hour, from the first one on."""
    counts = [0] * HOURS
    for one in hours:
        if 0 <= (at := int(one.starts_at // HOUR) - first) < HOURS:
            counts[at] += one.predictions
    return counts


def _signs(
    champion: Version | None,
    own: Sequence[Outcome],
    hours: Sequence[Hour],
) -> Signs:
    right, errors = right_of(own), scored(errors_of(own))
    judged, predicted = _of_that_time(champion, own, hours)
    return replace(
        promised(champion),
        version=champion.name if champion else "",
        has_champion=champion is not None,
        predictions=sum(one.predictions for one in hours),
        right=right.right,
        judged=right.count or errors.count,
        worth=worth_of_last(own, LAST_VERDICTS),
        whose=whose(own),
        judged_then=judged,
        predicted_then=predicted,
        error=errors.mae,
        spread=max((errors.rmse or 0.0) ** 2 - (errors.mae or 0.0) ** 2, 0.0) ** 0.5 or None,
    )


def _of_that_time(
    champion: Version | None, own: Sequence[Outcome], hours: Sequence[Hour]
) -> tuple[int, int]:
    """Count what was judged, of what was asked, in whole hours since the first of these verdicts.

    What lies farther back than the traffic that is looked at is left out of both.
    """
    if champion is None or not own:
        return 0, 0
    begins = min((one.starts_at for one in hours), default=0.0)
    since = max(min(one.predicted_at for one in own) // HOUR * HOUR, begins)
    of = [one for one in hours if one.version == champion.name and one.starts_at >= since]
    judged = sum(one.predicted_at >= since for one in own)
    return judged, sum(one.predictions for one in of)


def _reigns_since(service: Service, model: ModelKey, findings: Sequence[Finding]) -> float:
    """Return since when its champion answers, where a finding of rot may be of one before it."""
    if all(found.kind != "rot" for found in findings):
        return 0.0
    moves = [one for one in service.store.registry.moves(model) if one.alias == CHAMPION]
    return moves[-1].moved_at if len(moves) > 1 else 0.0


def _by_model(hours: Sequence[Hour]) -> Mapping[ModelKey, Sequence[Hour]]:
    found: dict[ModelKey, list[Hour]] = {}
    for one in hours:
        found.setdefault(one.model, []).append(one)
    return found


def _worst_first(glance: Glance) -> tuple[int, int, str]:
    return WORST_FIRST.index(glance.state), -len(glance.findings), glance.shelved.model.name
