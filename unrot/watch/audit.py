"""A small random sample of recent predictions that a judge goes through.

Voters choose themselves; a sample does not. It is drawn by chance that nobody can foresee, so that
nobody can be good on the audited rows alone, and what is said of it only judges: `hear/truth`
holds it out. What judges were asked for because it would teach most is drawn like all else, and
judged anew: that makes it count. One audit at a time: as long as one has rows left, beginning again
goes on with it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from unrot.core.errors import Conflict, NotAllowed, NotFound, shown, wrong_field
from unrot.core.plurals import counted, plural
from unrot.core.records import (
    CHAMPION,
    Audit,
    Caller,
    Feedback,
    FeedbackStatus,
    JudgedPrediction,
    ModelKey,
)
from unrot.core.time import DAY
from unrot.hear.truth import is_judged, was_right
from unrot.hear.verdicts import ASKED
from unrot.serve.service import Service

ROWS = 60
FEWEST, MOST = 10, 1_000
DAYS = 7
SAMPLED_FROM = 5_000
"""The newest predictions that a sample is drawn from."""

RowState = Literal["left", "judged", "gone"]


@dataclass(frozen=True, slots=True)
class AuditState:
    """How far an audit is; `gone` are rows that can no longer be judged."""

    audit: Audit
    rows: Mapping[str, RowState]
    right: int
    """How many of the judged answers were right, where a thumb tells."""
    next: JudgedPrediction | None

    @property
    def judged(self) -> int:
        """How many rows a judge has judged."""
        return self._count("judged")

    @property
    def left(self) -> int:
        """How many rows wait for a judge."""
        return self._count("left")

    @property
    def gone(self) -> int:
        """How many rows can no longer be judged."""
        return self._count("gone")

    def _count(self, wanted: RowState) -> int:
        return sum(state == wanted for state in self.rows.values())


@dataclass(frozen=True, slots=True)
class Room:
    """What can be audited now: rows of the open audit, else predictions to draw from."""

    left: int
    free: int
    """At most as many as an audit may have; there may be more."""

    @property
    def is_there(self) -> bool:
        """True when an audit can go on or begin."""
        return self.left > 0 or self.free >= FEWEST

    @property
    def sentence(self) -> str:
        """Say how many rows a judge could go through now, or what would help where there are none.

        >>> Room(0, 1).sentence
        'An audit has nothing to ask: 1 recent prediction has no judge yet, and it needs 10. More \
predictions would help.'
        """
        if self.left:
            return f"An audit is open: {counted(self.left, 'row is', 'rows are')} left to judge."
        if self.is_there:
            more = " or more" if self.free >= MOST else ""
            return f"{self.free:,}{more} predictions can be audited now."
        has = counted(self.free, "recent prediction has", "recent predictions have")
        return (
            f"An audit has nothing to ask: {has} no judge yet, and it needs {FEWEST}. More "
            "predictions would help."
        )


def room(service: Service, name: str, most: int = MOST) -> Room:
    """Say how many rows can be audited now; of those that are free, count at most so many."""
    model = service.catalogue().model(name).model.key
    going_on = open_audit(service, model)
    if going_on is not None:
        return Room(going_on.left, 0)
    found = service.store.trials.to_sample(model, since=_oldest(service), limit=most)
    return Room(0, len(found))


def begin(service: Service, name: str, rows: int | str = ROWS) -> tuple[Audit, bool]:
    """Draw a sample and keep it; an audit that has rows left goes on. Tell whether it is new."""
    if isinstance(rows, bool) or not isinstance(rows, int) or not FEWEST <= rows <= MOST:
        raise wrong_field("rows", rows, f"a whole number from {FEWEST} to {MOST:,}")
    model = service.catalogue().model(name).model.key
    going_on = open_audit(service, model)
    if going_on is not None:
        return going_on.audit, False
    drawn = _draw_rows(service, model, rows)
    audit = Audit(secrets.token_hex(8), model, service.clock(), drawn)
    service.store.trials.add_audit(audit)
    return audit, True


def open_audit(service: Service, model: ModelKey) -> AuditState | None:
    """Return the newest audit of a model if it has rows left."""
    for audit in service.store.trials.audits(model)[:1]:
        found = state_of(service, audit)
        if found.left:
            return found
    return None


def listed(service: Service, name: str) -> list[Audit]:
    """List the audits of a model, newest first."""
    return service.store.trials.audits(service.catalogue().model(name).model.key)


def state(
    service: Service, id: str, *, after: str | None = None, row: str | None = None
) -> AuditState:
    """Say how far an audit is and which row comes next.

    The next row is `row` if it can be judged; else the first that is left behind `after`, the
    ones before it when there is none.
    """
    audit = service.store.trials.audit(id)
    if audit is None:
        raise NotFound(f"There is no audit {shown(id)}.")
    return state_of(service, audit, after=after, row=row)


def state_of(
    service: Service, audit: Audit, *, after: str | None = None, row: str | None = None
) -> AuditState:
    """Say how far an audit is."""
    oldest = service.clock() - service.settings.feedback_days * DAY
    kept = {id: service.store.traffic.prediction(id) for id in audit.predictions}
    rows = {id: _row_state(found, oldest) for id, found in kept.items()}
    right = sum(
        rows[id] == "judged" and was_right(found.prediction, found.feedback) is True
        for id, found in kept.items()
        if found is not None
    )
    wanted = row if row in rows and rows[row] != "gone" else _next(audit, rows, after)
    return AuditState(audit, rows, right, kept[wanted] if wanted is not None else None)


def verdict(
    service: Service, id: str, given: Mapping[str, Any], caller: Caller
) -> tuple[Feedback, FeedbackStatus]:
    """Keep a judge's verdict on a row of an audit."""
    _check_row(service, id, given.get("id"), caller)
    return service.judge({**given, ASKED: None}, caller)


def take_back(service: Service, id: str, prediction: str, caller: Caller) -> FeedbackStatus:
    """Take a judge's verdict on a row of an audit back."""
    _check_row(service, id, prediction, caller)
    return service.withdraw(prediction, caller)


def _check_row(service: Service, id: str, prediction: Any, caller: Caller) -> None:
    if caller.judge is None:
        raise NotAllowed("Only a judge can judge the rows of an audit: sign in as one.")
    audit = service.store.trials.audit(id)
    if audit is None:
        raise NotFound(f"There is no audit {shown(id)}.")
    if prediction not in audit.predictions:
        raise NotFound("This prediction is not part of the audit.")


def _draw_rows(service: Service, model: ModelKey, rows: int) -> tuple[str, ...]:
    """Draw from what no version can have learnt, else from the stretch that the champion answers.

    From all that can be judged if need be: a version is too good on rows that it learnt itself.
    """
    now, found = service.clock(), []
    oldest = _oldest(service)
    recently = max(_recently(service, model, now), oldest)
    for since in (max(_newest_made_at(service, model), recently), recently, oldest):
        found = service.store.trials.to_sample(model, since=since, limit=SAMPLED_FROM)
        if len(found) >= rows:
            break
    ids = [one.prediction.id for one in found if one.prediction.id is not None]
    if len(ids) < FEWEST:
        raise Conflict(
            f"There {plural(len(ids), 'is', 'are')} only {counted(len(ids), 'recent prediction')} "
            f"that no judge has judged, and an audit needs {FEWEST}: let the model answer some "
            "more, then begin again.",
            reason="too_few_predictions",
        )
    return tuple(secrets.SystemRandom().sample(ids, min(rows, len(ids))))


def _oldest(service: Service) -> float:
    """Return from when on a prediction can be judged, with an hour to spare."""
    return service.clock() - (service.settings.feedback_days * DAY - DAY / 24)


def _newest_made_at(service: Service, model: ModelKey) -> float:
    return max(version.created_at for version in service.versions(model))


def _recently(service: Service, model: ModelKey, now: float) -> float:
    moves = service.store.registry.moves(model)
    moved_at = [move.moved_at for move in moves if move.alias == CHAMPION]
    return max([now - DAYS * DAY, *moved_at[-1:]])


def _row_state(found: JudgedPrediction | None, oldest: float) -> RowState:
    if found is None:
        return "gone"
    if is_judged(found.feedback):
        return "judged"
    return "left" if found.prediction.predicted_at > oldest else "gone"


def _next(audit: Audit, rows: Mapping[str, RowState], after: str | None) -> str | None:
    order = list(audit.predictions)
    start = order.index(after) + 1 if after in order else 0
    return next((id for id in order[start:] + order[:start] if rows[id] == "left"), None)
