"""Let go of old rows and add old totals up, a small bite at a time.

    removed        what is left of models that were removed, and that nobody brought back
    predictions    nobody judged them and they are old, or beyond the newest; judged ones far later
    windows        minutes become hours, hours become days: no total is lost
    profiles       short ones become one an hour, those one a day
    the rest       verdicts and checks that are as old as judged predictions, what was sent of
                   findings that were closed so long ago, and clients' keys of what can be judged no
                   more

Each bite is one short transaction, so it can be killed at any place and the same again changes
nothing. What is needed stays: a verdict that may still come finds its prediction unless that is
beyond the newest `UNROT_KEEP_ROWS`, a minute whose verdicts are counted afresh has all of them,
and what was imported stays until its model is removed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

from unrot.core.errors import NotFound, StoreAway
from unrot.core.records import Limits, ModelKey, Old
from unrot.core.time import DAY, HOUR, MINUTES_A_DAY, MINUTES_AN_HOUR
from unrot.make.models import left_behind
from unrot.serve.service import Service
from unrot.watch.profiles.keeper import merged

ROWS_AT_ONCE = 300
PROFILES_AT_ONCE = 12
PROFILE_SLACK_SECONDS = 8 * DAY
"""A check goes so much later than the profiles that it is of, or it would be made again."""

WORK_SECONDS = 0.03
"""So long, and a bite, others may wait at each round."""

REST_SECONDS = 600.0
"""So long after a round in which all was tidy nothing is looked at."""

_log = logging.getLogger(__name__)


class Retention:
    """Goes through all models, bite by bite."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._round: Iterator[int] | None = None
        self._rests_until = 0.0
        self._files_at = 0.0

    @property
    def is_going(self) -> bool:
        """True while a round is under way."""
        return self._round is not None

    @property
    def is_due(self) -> bool:
        """True when there may be something to do."""
        return self._round is not None or time.monotonic() >= self._rests_until

    def work(self) -> None:
        """Take bites for a moment, if it is time."""
        if not self.is_due:
            return
        if self._round is None:
            with_files = time.monotonic() >= self._files_at
            self._round = sweep(self._service, with_files=with_files)
            self._files_at = time.monotonic() + DAY if with_files else self._files_at
        ends_at = time.monotonic() + WORK_SECONDS
        try:
            for _ in self._round:
                if time.monotonic() >= ends_at:
                    return
        except BaseException:
            # A generator that raised has ended; the next round begins anew.
            self._rest()
            raise
        self._rest()

    def _rest(self) -> None:
        self._round = None
        self._rests_until = time.monotonic() + REST_SECONDS


def sweep(service: Service, *, with_files: bool = True) -> Iterator[int]:
    """Go through all models once; yield after each bite how many rows went or were added up.

    `with_files` that nothing points at any more go as well: all that does is read for that.
    """
    for _, done in sweep_with_share(service):
        yield done
    if with_files:
        service.store.tidying.drop_files(service.clock())
        yield 0


def sweep_with_share(service: Service) -> Iterator[tuple[float, int]]:
    """Do so and tell as well which share of the kinds of all models is behind."""
    for removed in left_behind(service):
        while done := service.store.clear(removed, ROWS_AT_ONCE):
            yield 0.0, done
    models = [shelved.model.key for shelved in service.catalogue().models.values()]
    kinds = (_predictions, _windows, _profiles, _old)
    for place, (model, kind) in enumerate((model, kind) for model in models for kind in kinds):
        try:
            for done in kind(service, model):
                yield place / (len(models) * len(kinds)), done
        except NotFound:
            # Removed meanwhile.
            continue


def limits(service: Service, model: ModelKey) -> Limits:
    """Return which predictions of a model go now.

    Judged ones stay for as long as a verdict may still come to any of the same hour or day, and
    those of an audit as long as they can be judged.
    """
    settings, now = service.settings, service.clock()
    oldest = now - settings.feedback_days * DAY
    by_age = min(now - settings.keep_days * DAY, oldest)
    judged = min(now - settings.keep_judged_days * DAY, oldest - 2 * DAY)
    by_count = service.store.tidying.newest(model, settings.keep_rows)
    audits = service.store.trials.audits(model)
    protected = {id for one in audits if one.created_at > oldest for id in one.predictions}
    return Limits(max(by_age, by_count), judged, protected)


def _predictions(service: Service, model: ModelKey) -> Iterator[int]:
    found, after = limits(service, model), (0.0, "")
    while True:
        bite = service.store.tidying.drop_predictions(
            model, found, after=after, most=ROWS_AT_ONCE, now=service.clock()
        )
        yield bite.done
        if bite.next is None:
            return
        after = bite.next


def _windows(service: Service, model: ModelKey) -> Iterator[int]:
    settings = service.settings
    for minutes, days in (
        (MINUTES_AN_HOUR, settings.minutes_days),
        (MINUTES_A_DAY, settings.hours_days),
    ):
        after: int | None = 0
        while after is not None:
            now = service.clock()
            after = service.store.tidying.roll_windows(
                model, after=after, before=now - days * DAY, minutes=minutes, now=now
            )
            yield 0 if after is None else 1


def _profiles(service: Service, model: ModelKey) -> Iterator[int]:
    settings = service.settings
    for seconds, days in ((HOUR, settings.minutes_days), (DAY, settings.hours_days / 2)):
        after = 0.0
        while True:
            before = service.clock() - days * DAY
            group = service.store.tidying.short_profiles(
                model, after=after, before=before, seconds=seconds, most=PROFILES_AT_ONCE
            )
            if not group:
                yield 0
                break
            is_done = _put_together(service, [one.id for one in group], seconds)
            # One that cannot be added up, or has just grown, is left to the next round.
            after = group[0].starts_at // seconds * seconds
            after = after if is_done else max(one.starts_at for one in group) + 1e-3
            yield len(group) - 1


def _put_together(service: Service, ids: list[str], seconds: int) -> bool:
    profiles = [found for id in ids if (found := service.store.profiles.get(id)) is not None]
    if len(profiles) < len(ids):
        return False
    try:
        whole = merged(service.profiler, profiles, seconds)
    except (StoreAway, NotFound):
        raise
    except Exception as error:
        # Whatever whylogs makes of bytes that somebody damaged.
        _log.warning("The profiles %s to %s stay as they are: %s", ids[0], ids[-1], error)
        return False
    return service.store.tidying.put_together(profiles, whole, now=service.clock())


def _old(service: Service, model: ModelKey) -> Iterator[int]:
    before = limits(service, model).judged_before
    kinds: tuple[tuple[Old, float], ...] = (
        ("verdicts without a prediction", before),
        ("verdicts kept apart", before),
        ("unverified verdicts", before),
        ("client keys", service.clock() - service.settings.feedback_days * DAY),
        ("profiles", before),
        ("checks", before - PROFILE_SLACK_SECONDS),
        ("deliveries", before),
    )
    for what, earlier in kinds:
        done = ROWS_AT_ONCE
        while done == ROWS_AT_ONCE:
            done = service.store.tidying.drop_old(
                model, what, before=earlier, most=ROWS_AT_ONCE, now=service.clock()
            )
            yield done
