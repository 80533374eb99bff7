"""Rot: a model is right less often than it was, or than its holdout promised.

The newest verdicts on what the champion's line has answered are followed one by one
(`monitors/course.py`). A fresh version, or a rollback, begins anew; small steps of learning go on
with the same stream. Whether other rows came, broken ones, or what is right has changed is asked of
the rows themselves (`cause.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unrot import lineage
from unrot.growth import AliasMove
from unrot.lookout.cause import Span, explain_fall
from unrot.monitors import accuracy, course
from unrot.monitors.cause import Explanation
from unrot.monitors.course import Expected, Fallen, Step
from unrot.records import CHAMPION, Version
from unrot.service import Service
from unrot.shelf import ShelvedModel
from unrot.symptoms import IMPORTED, Outcome, Rules, Symptom

MONITOR = CAUSE = "rot"
FLOOR = "rot-floor"
MOST_VERDICTS = 2_000
FEW_JUDGED = 0.2
"""So small a share of the predictions is judged that who votes may matter."""
ADVICE = (
    "Refit it with the new verdicts; look at what was judged wrong on the page of predictions; if "
    "you doubt the voters, let a judge go through an audit."
)


@dataclass(frozen=True, slots=True)
class Era:
    """A fresh version and what it learnt since: one stream of verdicts."""

    name: str
    line: frozenset[str]
    champion: str
    starts_at: float
    """When it became champion; 0 for the first one."""
    before: frozenset[str]
    """Versions of it that had been champion earlier: what they answered then is not of it."""

    def holds(self, outcome: Outcome) -> bool:
        """Tell whether a judged prediction is of this era."""
        if outcome.version in self.line:
            return outcome.version not in self.before or outcome.predicted_at >= self.starts_at
        return outcome.version == IMPORTED and outcome.predicted_at >= self.starts_at


def look(service: Service, shelved: ShelvedModel, rules: Rules, now: float) -> Iterator[Symptom]:
    """Go on through the verdicts that are new since the last look."""
    del now  # The evidence tells its own time.
    name, store = shelved.model.name, service.store
    if not rules.rot or CHAMPION not in shelved.aliases:
        return
    note, mark = store.findings.standpoint(name, MONITOR), _mark(service, shelved, rules)
    if not mark or note.get("mark") == mark:
        return
    era = era_of(service.versions(name), store.registry.moves(name), shelved.aliases[CHAMPION])
    every = store.traffic.outcomes(name, limit=MOST_VERDICTS)
    outcomes = [one for one in every if era.holds(one)]
    standing, steps = course.follow(
        outcomes,
        course.from_note(note.get("course")),
        era=era.name,
        expected=_expected(shelved.versions, outcomes),
        last=rules.last_verdicts,
    )
    teller = _Teller(service, shelved, rules, era)
    yield from (teller.symptom(step) for step in steps)
    if standing.fallen and outcomes and not (steps and _is_told(steps[-1], outcomes)):
        yield from teller.still_fallen(standing.fallen, outcomes)
    is_below = bool(note.get("is_below_floor"))
    floor = _floor(era, rules, outcomes, is_below)
    if floor is not None:
        is_below = floor.is_present
        yield floor
    kept = {"mark": mark, "course": course.to_note(standing), "is_below_floor": is_below}
    store.findings.stand(name, MONITOR, kept)


def _is_told(step: Step, outcomes: Sequence[Outcome]) -> bool:
    """Tell whether a step is a fall that was seen at the newest verdict, and not long before it."""
    return step.what == "fallen" and step.after[-1] == outcomes[-1]


def _mark(service: Service, shelved: ShelvedModel, rules: Rules) -> list[Any]:
    """Return what changes when there is something new to look at; nothing without verdicts."""
    store, name = service.store, shelved.model.name
    newest = store.traffic.outcomes(name, limit=1)
    if not newest:
        return []
    check = store.checks.last(name, rules.against)
    return [
        *course.key_of(newest[0]),
        shelved.aliases[CHAMPION],
        0.0 if check is None else check.ends_at,
        rules.last_verdicts,
        rules.least_accuracy,
    ]


def era_of(versions: Sequence[Version], moves: Sequence[AliasMove], champion: str) -> Era:
    """Return the era of a champion: since when its fresh ancestor or a rollback has answered."""
    roots: dict[str, str] = {}
    for one in versions:
        is_root = one.parent is None or one.made.get(lineage.FRESH)
        roots[one.name] = one.name if is_root else roots.get(str(one.parent), one.name)
    root = roots.get(champion, champion)
    starts_at, name, earlier = 0.0, root, set[str]()
    seen: list[str] = []
    for move in moves:
        if move.alias != CHAMPION or move.moved_to is None:
            continue
        is_back = move.reason.startswith(lineage.ROLLED_BACK)
        if seen and (is_back or roots.get(move.moved_to) != roots.get(seen[-1])):
            starts_at, earlier = move.moved_at, set(seen)
            name = f"{roots.get(move.moved_to, move.moved_to)} since {move.moved_at}"
        seen.append(move.moved_to)
    line = frozenset(one for one, of in roots.items() if of == root) | {champion}
    return Era(name, line, champion, starts_at, frozenset(earlier))


def _expected(versions: Mapping[str, Version], outcomes: Sequence[Outcome]) -> Expected:
    """Return what the versions of verdicts reached on their holdouts, each by its verdicts."""
    made = [versions[one.version] for one in outcomes if one.version in versions]
    held = [
        (one.metrics, one.metrics["rows_held_out"])
        for one in made
        if one.metrics.get("rows_held_out", 0) > 0
    ]
    if len(held) < len(outcomes) or not held:
        return Expected()

    def mean(metric: str) -> float | None:
        found = [metrics[metric] for metrics, _ in held if metric in metrics]
        return sum(found) / len(found) if len(found) == len(held) else None

    rows = min(count for _, count in held)
    return Expected(mean("accuracy"), mean("mae"), mean("rmse") or 0.0, rows)


# ── said to people ───────────────────────────────────────────────────────────────────────────


class _Teller:
    """Makes symptoms of steps."""

    def __init__(self, service: Service, shelved: ShelvedModel, rules: Rules, era: Era) -> None:
        self._service = service
        self._name = shelved.model.name
        self._shelved = shelved
        self._rules = rules
        self._era = era

    def symptom(self, step: Step) -> Symptom:
        """Say that it has fallen, or that it is well again."""
        if step.what == "fallen":
            return self._fallen(step.fallen, step.after, step.at)
        said = _reached(step.after)
        return Symptom(
            cause=CAUSE,
            kind="rot",
            is_present=False,
            at=step.at,
            since=step.fallen.since,
            sentence=f"{self._era.champion} is well again: {said}.",
            evidence={"after": _numbers(step.after)},
        )

    def still_fallen(self, fallen: Fallen, outcomes: Sequence[Outcome]) -> Iterator[Symptom]:
        """Bring the numbers of a fall that is not over up to date.

        A fresh version that may be as good as it was before is not said to have fallen.
        """
        if fallen.era == self._era.name:
            after = course.after_fall(outcomes, fallen) or outcomes
            yield self._fallen(fallen, after, outcomes[-1].given_at)
        elif _is_surely_below(outcomes, fallen.before):
            yield self._fallen(fallen, outcomes, outcomes[-1].given_at)

    def _fallen(self, fallen: Fallen, after: Sequence[Outcome], at: float) -> Symptom:
        why = self._why(fallen, at, len(after))
        predicted = self._service.store.traffic.tally(
            self._name, since=min(fallen.since, at), last=1
        ).predictions
        sentence = " ".join(
            [
                _sentence(self._era.champion, fallen, after),
                why.sentence,
                *_who(after, predicted),
            ]
        )
        return Symptom(
            cause=CAUSE,
            kind="rot",
            is_present=True,
            at=at,
            since=fallen.since,
            gravity="grave" if course.is_grave(fallen, after) else "warning",
            sentence=sentence,
            advice=ADVICE,
            features=why.features,
            evidence={
                "before": {"value": fallen.before, "verdicts": fallen.before_verdicts},
                "after": _numbers(after),
                "is_from_start": fallen.is_from_start,
                "statistic": fallen.statistic,
                "threshold": fallen.threshold,
                "predicted": predicted,
                "constant": accuracy.constant_of(after).value,
                "kind": why.kind,
            },
        )

    def _why(self, fallen: Fallen, at: float, verdicts: int) -> Explanation:
        """Ask what it comes from; one that was never right is held against its holdout."""
        since = min(fallen.since, at)
        begins_at = self._era.starts_at if self._era.starts_at < since else 0.0
        span = Span(
            begins_at=since if fallen.is_from_start else begins_at,
            fallen_at=since,
            until=at,
            line=self._era.line | {IMPORTED},
            verdicts=verdicts,
        )
        return explain_fall(self._service, self._shelved, self._rules, span)


def _is_surely_below(outcomes: Sequence[Outcome], before: float) -> bool:
    if course.is_of_numbers(outcomes):
        return (accuracy.scored(accuracy.errors_of(outcomes)).mae or 0.0) > before
    return accuracy.right_of(outcomes).high < before


def _sentence(champion: str, fallen: Fallen, after: Sequence[Outcome]) -> str:
    said, count = _reached(after), fallen.before_verdicts
    if course.is_of_numbers(after):
        before = f"{fallen.before:.4g}"
        where = (
            f"its holdout promised {before}"
            if fallen.is_from_start
            else f"it was {before} over the {count:,} verdicts before"
        )
        return f"The answers of {champion} are farther off: {said}; {where}."
    before = f"{fallen.before:.0%}"
    where = (
        f"its holdout promised {before}"
        if fallen.is_from_start
        else f"before it was right in {before} of {count:,}"
    )
    return f"{champion} is wrong more often: {said}; {where}."


def _reached(outcomes: Sequence[Outcome]) -> str:
    if course.is_of_numbers(outcomes):
        errors = accuracy.scored(accuracy.errors_of(outcomes))
        return f"by {errors.mae or 0.0:.4g} on average in {errors.count:,} verdicts"
    right = accuracy.right_of(outcomes)
    return (
        f"right in {right.value or 0.0:.0%} of {right.count:,} verdicts "
        f"(surely between {right.low:.0%} and {right.high:.0%})"
    )


def _who(after: Sequence[Outcome], predicted: int) -> list[str]:
    trusted = sum(one.is_trusted for one in after)
    if not predicted or len(after) >= FEW_JUDGED * predicted or 2 * trusted >= len(after):
        return []
    return [
        f"Only {len(after):,} of {predicted:,} predictions were judged, by people who chose what "
        "to judge: they may see more faults than there are."
    ]


def _numbers(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    right, errors = accuracy.right_of(outcomes), accuracy.scored(accuracy.errors_of(outcomes))
    if errors.count:
        return {"value": errors.mae, "rmse": errors.rmse, "verdicts": errors.count}
    return {
        "value": right.value,
        "low": right.low,
        "high": right.high,
        "verdicts": right.count,
    }


def _floor(era: Era, rules: Rules, outcomes: Sequence[Outcome], was_below: bool) -> Symptom | None:
    """Hold the last verdicts against the floor that a person has set."""
    told = [one for one in outcomes if one.was_correct is not None][-rules.last_verdicts :]
    right, floor = accuracy.right_of(told), rules.least_accuracy
    if floor is None or right.value is None:
        return _off_floor(told, was_below)
    if right.high < floor or (was_below and right.value < floor):
        return Symptom(
            cause=FLOOR,
            kind="rot",
            is_present=True,
            at=told[-1].given_at,
            since=told[0].predicted_at,
            gravity="grave",
            sentence=f"{era.champion} is below its floor of {floor:.0%}: {_reached(told)}.",
            advice=ADVICE,
            evidence={"floor": floor, "after": _numbers(told)},
        )
    return _off_floor(told, was_below)


def _off_floor(told: Sequence[Outcome], was_below: bool) -> Symptom | None:
    if not was_below or not told:
        return None
    return Symptom(FLOOR, "rot", is_present=False, at=told[-1].given_at)
