"""What monitors noticed, by which rules, where each stands, and what was sent: as documents.

Of one cause one finding is open at a time: it has a second document under its model and cause,
which only one can have.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, is_dataclass, replace
from itertools import islice
from typing import Any

from unrot.core.errors import Conflict
from unrot.core.ports import FindingState
from unrot.core.records import (
    GRAVEST_FIRST,
    Delivery,
    Finding,
    FindingNote,
    ModelKey,
    Road,
    Snooze,
)
from unrot.core.rules import FeatureRule, Rules
from unrot.hear.signal_names import SignalNames
from unrot.store.kinds import DELIVERY, FINDING, MODEL, OPEN_CAUSE, STANDPOINT, Kind
from unrot.store.names import Models, is_removed, move_generation
from unrot.store.operations import (
    ABSENT,
    MOST_CHANGES,
    Change,
    Delete,
    Document,
    Operations,
    Put,
    scan_all,
    until_kept,
)

_BESIDE = ("id", "model", "cause", "opened_at")
_STAYS = (
    *("cause", "kind", "opened_at", "acknowledged_at", "acknowledged_by", "note"),
    *("assigned_to", "snooze", "notes"),
)
_BODY = [one.name for one in fields(Finding) if one.name not in _BESIDE]


class FindingStore:
    """The findings."""

    def __init__(self, database: Operations, models: Models) -> None:
        self._database = database
        self._models = models

    def put(self, finding: Finding) -> None:
        """Keep a finding; of one with the same id stays what people said of it.

        Conflict while another one of its cause is open.
        """

        def work() -> None:
            known = self._database.get(FINDING, finding.id)
            kept = finding if known is None else _with_words_of_people(finding, known)
            was_open = known is not None and bool(known["open"])
            turned = [] if kept.is_open == was_open else [self._turned(kept)]
            self._database.commit([_put(kept, known), *turned])

        if not self._models.is_removed(finding.model):
            until_kept(work)

    def finding(self, id: str) -> Finding | None:
        """Return a finding."""
        found = self._database.get(FINDING, id)
        return None if found is None else _finding(found)

    def open(self, model: ModelKey | None = None) -> list[Finding]:
        """List the findings of a model, or of all, that are not closed, the gravest first."""
        index, equal = ("open", []) if model is None else ("open of model", [model])
        found = scan_all(self._database, FINDING, index, [*equal, True])
        opened = [_finding(one) for one in found]
        return sorted(opened, key=lambda one: (GRAVEST_FIRST.index(one.gravity), one.since, one.id))

    def last(self, model: ModelKey, cause: str, *, until: float | None = None) -> Finding | None:
        """Return the newest finding of a cause, open or closed, that was opened up to a time."""
        end = None if until is None else math.nextafter(until, math.inf)
        found = self._database.scan(
            FINDING, "of cause", (model, cause), until=end, newest_first=True, limit=1
        )
        return _finding(found[0]) if found else None

    def of_model(
        self,
        model: ModelKey,
        *,
        limit: int,
        before: tuple[float, str] | None = None,
        state: FindingState = "all",
        wanted: Callable[[Finding], bool] = lambda _: True,
    ) -> list[Finding]:
        """List findings by when they were opened, newest first, older than `before`."""
        page = min(limit, MOST_CHANGES)
        index, equal = (
            ("open of model", [model, True])
            if state in ("open", "snoozed")
            else ("of model", [model])
        )
        found = scan_all(
            self._database, FINDING, index, equal, after=before, newest_first=True, page=page
        )
        told = (_finding(one) for one in found if state != "closed" or not one["open"])
        return list(islice(filter(wanted, told), limit))

    def change(self, id: str, change: Callable[[Finding], Finding]) -> Finding | None:
        """Change what people say of a finding; `change` may be asked again."""

        def work() -> Finding | None:
            known = self._database.get(FINDING, id)
            if known is None:
                return None
            before = _finding(known)
            found = change(before)
            if found != before:
                self._database.commit([_put(found, known)])
            return found

        return until_kept(work)

    def rules(self, model: ModelKey) -> Rules:
        """Return what counts as a symptom of a model."""
        found = self._database.get(MODEL, model)
        return Rules() if found is None else _rules(found["body"]["rules"])

    def set_rules(self, model: ModelKey, rules: Rules) -> None:
        """Change what counts as a symptom of a model."""

        def work() -> None:
            found = self._database.get(MODEL, model)
            if found is not None and not is_removed(found):
                body = {**found["body"], "rules": asdict(rules)}
                changed = _over(MODEL, found.key, {**found.fields, "body": body}, found)
                names = SignalNames(self._database, [model])
                names.reserve(model, rules.signals)
                self._database.commit([changed, *names.puts(), move_generation()])

        until_kept(work)

    def standpoint(self, model: ModelKey, monitor: str) -> Mapping[str, Any]:
        """Return what a monitor has noted of where it stands; empty before its first round."""
        found = self._database.get(STANDPOINT, f"{model}/{monitor}")
        noted: Mapping[str, Any] = {} if found is None else found["note"]
        return noted

    def stand(self, model: ModelKey, monitor: str, note: Mapping[str, Any]) -> None:
        """Note where a monitor stands."""
        if not self._models.is_removed(model):
            noted = {"model": model, "note": note}
            self._database.commit([Put(STANDPOINT, f"{model}/{monitor}", noted)])

    def _turned(self, finding: Finding) -> Change:
        """Return the change that takes or frees the one place of a cause for what is open."""
        place = f"{finding.model}/{finding.cause}"
        if not finding.is_open:
            return Delete(OPEN_CAUSE, place)
        taken = self._database.get(OPEN_CAUSE, place)
        if taken is not None:
            raise Conflict(
                f'The finding {taken["finding"]} of "{finding.cause}" is open already: it goes on.'
            )
        return Put(OPEN_CAUSE, place, {"model": finding.model, "finding": finding.id}, ABSENT)


class DeliveryStore:
    """Findings on their way to webhooks and mailboxes, each road by itself."""

    def __init__(self, database: Operations, models: Models, findings: FindingStore) -> None:
        self._database = database
        self._models = models
        self._findings = findings

    def due(self, model: ModelKey, now: float, by: Road = "webhook") -> Finding | None:
        """Return the open finding of a model that is to be sent next by a road, if one is."""
        opened = self._findings.open(model)
        known = self._database.get_many(DELIVERY, [_place(one.id, by) for one in opened])
        tried = {one["body"]["finding"]: one["body"] for one in known.values()}
        due = [one for one in opened if _is_due(tried.get(one.id), now)]
        if not due or self._models.is_removed(model):
            return None
        return min(due, key=lambda one: _turn(one, tried.get(one.id)))

    def begin(
        self, finding: Finding, *, target: str, next_at: float, by: Road = "webhook"
    ) -> Delivery:
        """Note a try before it is made, and when the next one would be."""
        is_removed = self._models.is_removed(finding.model)

        def work() -> Delivery:
            known = self._database.get(DELIVERY, _place(finding.id, by))
            before = _delivery(known) if known else None
            tried = before or Delivery(finding.id, finding.model, target, 0, next_at, by=by)
            tried = replace(tried, target=target, attempts=tried.attempts + 1, next_at=next_at)
            if not is_removed:
                self._database.commit([_sent(tried, known)])
            return tried

        return until_kept(work)

    def end(
        self,
        finding: str,
        *,
        delivered_at: float | None,
        error: str = "",
        by: Road = "webhook",
    ) -> None:
        """Note what came of the last try."""

        def work() -> None:
            known = self._database.get(DELIVERY, _place(finding, by))
            if known is not None:
                tried = replace(_delivery(known), delivered_at=delivered_at, error=error)
                ended = tried if delivered_at is None else replace(tried, next_at=None)
                self._database.commit([_sent(ended, known)])

        until_kept(work)

    def of(self, finding: str, by: Road = "webhook") -> Delivery | None:
        """Return how far a finding is by a road; None when it was never sent."""
        known = self._database.get(DELIVERY, _place(finding, by))
        return None if known is None else _delivery(known)

    def old(self, model: ModelKey, before: float, most: int) -> list[str]:
        """Return what was sent of findings that were closed before a time."""
        sent = [
            one.key for one in scan_all(self._database, DELIVERY, "of model", (model,), only=[])
        ]
        found = self._database.get_many(FINDING, sorted({_sent_of(one) for one in sent}))
        closed = {id: one["body"]["closed_at"] for id, one in found.items()}
        return [one for one in sent if (closed.get(_sent_of(one)) or before) < before][:most]


def _over(kind: Kind, key: str, changed: Mapping[str, Any], known: Document | None) -> Put:
    """Return the change that writes over what was read, and over nothing else."""
    return Put(kind, key, changed, ABSENT if known is None else known.revision)


def _with_words_of_people(finding: Finding, known: Document) -> Finding:
    """Return a finding with what stays of the one that it replaces; a graver one wakes."""
    before = _finding(known)
    kept = replace(finding, **{name: getattr(before, name) for name in _STAYS})
    is_woken = kept.snooze is not None and kept.snooze.is_ended_by(kept.gravity)
    return replace(kept, snooze=None) if is_woken else kept


def _put(finding: Finding, known: Document | None) -> Put:
    changed = {
        "model": finding.model,
        "cause": finding.cause,
        "opened at": finding.opened_at,
        "open": True if finding.is_open else None,
        "body": {name: _plain(getattr(finding, name)) for name in _BODY},
    }
    return _over(FINDING, finding.id, changed, known)


def _plain(value: Any) -> Any:
    """Write what a finding has as JSON does."""
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def _finding(document: Document) -> Finding:
    kept = document["body"]
    body = {name: kept[name] for name in _BODY if name in kept}
    body["features"] = tuple(body["features"])
    body["notes"] = tuple(FindingNote(**one) for one in kept.get("notes", ()))
    body["snooze"] = Snooze(**kept["snooze"]) if kept.get("snooze") else None
    model, cause, opened_at = (document[name] for name in ("model", "cause", "opened at"))
    return Finding(document.key, model, cause, opened_at=opened_at, **body)


def _sent(tried: Delivery, known: Document | None) -> Put:
    return _over(
        DELIVERY,
        _place(tried.finding, tried.by),
        {"model": tried.model, "body": asdict(tried)},
        known,
    )


def _delivery(document: Document) -> Delivery:
    return Delivery(**{**document["body"], "model": document["model"]})


def _place(finding: str, by: Road) -> str:
    """Return the key of a delivery: that to a webhook has the finding's own."""
    return finding if by == "webhook" else f"{finding} {by}"


def _sent_of(place: str) -> str:
    return place.partition(" ")[0]


def _is_due(tried: Mapping[str, Any] | None, now: float) -> bool:
    return tried is None or (tried["delivered_at"] is None and tried["next_at"] <= now)


def _turn(finding: Finding, tried: Mapping[str, Any] | None) -> tuple[float, float, str]:
    """Return when a finding's turn is: what was never tried comes first."""
    return (-math.inf if tried is None else tried["next_at"], finding.opened_at, finding.id)


def _rules(kept: Mapping[str, Any]) -> Rules:
    """Read rules; what a newer release knows besides is left out."""
    known = {name: value for name, value in kept.items() if name in Rules.__dataclass_fields__}
    features = {name: FeatureRule(**one) for name, one in known.pop("features", {}).items()}
    return Rules(**known, features=features)
