"""The round of the lookout: every model, every monitor, a little at a time.

Each symptom that a monitor yields is kept before it goes on, so one that notes its standpoint after
it has yielded loses nothing when it is killed. One that fails keeps no other from looking.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

from unrot.core.errors import StoreAway, UnrotError
from unrot.core.records import ModelKey
from unrot.serve.service import Service
from unrot.serve.shelf import ShelvedModel
from unrot.watch.finding_keeper import FindingKeeper
from unrot.watch.monitors import abstentions, leaning, operations
from unrot.watch.monitors.drift import look as drift
from unrot.watch.monitors.estimate import look as estimate
from unrot.watch.monitors.outliers import look as outliers
from unrot.watch.monitors.quality import look as quality
from unrot.watch.monitors.reasons import look as reasons
from unrot.watch.monitors.rot import look as rot
from unrot.watch.monitors.slices import look as slices
from unrot.watch.monitors.sure import look as sure
from unrot.watch.visit import Look, Visit

MONITORS: tuple[tuple[str, Look], ...] = (
    (drift.MONITOR, drift.look),
    (rot.MONITOR, rot.look),
    (leaning.MONITOR, leaning.look),
    (slices.MONITOR, slices.look),
    (estimate.MONITOR, estimate.look),
    (outliers.CAUSE, outliers.look),
    (quality.MONITOR, quality.look),
    (reasons.CAUSE, reasons.look),
    (sure.MONITOR, sure.look),
    (abstentions.MONITOR, abstentions.look),
    (operations.MONITOR, operations.look),
)
"""Each monitor by its name, in the order in which they look: drift comes before outliers and
quality, which leave to it what it names."""

ROUND_SECONDS = 5.0
"""So often every model is looked at; more often where periods are shorter than four rounds."""
AT_ONCE_SECONDS = 0.1
"""So long one go may take; then the caretaker ships again before the round goes on."""

_log = logging.getLogger(__name__)


class Lookout:
    """Goes round all models, some steps at a go."""

    def __init__(self, service: Service, looks: tuple[tuple[str, Look], ...] = MONITORS) -> None:
        self._service = service
        self._looks = looks
        self._seconds = min(ROUND_SECONDS, service.settings.rotation_seconds / 4)
        self._steps: Iterator[None] | None = None
        self._began_at = -self._seconds
        self._remembered: dict[ModelKey, dict[str, Any]] = {}
        self._troubles: dict[tuple[str, str], str] = {}
        self._has_news = True

    def hear(self) -> None:
        """Take note that verdicts were counted, or something was changed: the next round looks."""
        self._has_news = True

    def is_due(self) -> bool:
        """Tell whether a round is under way, or it is time for the next one."""
        return self._steps is not None or time.monotonic() - self._began_at >= self._seconds

    @property
    def is_going(self) -> bool:
        """True while a round is under way."""
        return self._steps is not None

    def go_round(self) -> None:
        """Go on with the round that is under way, or begin one when it is time."""
        if not self.is_due():
            return
        if self._steps is None:
            self._began_at = time.monotonic()
            self._steps = self._round()
        ends_at = time.monotonic() + AT_ONCE_SECONDS
        steps, self._steps = self._steps, None
        for _ in steps:
            if time.monotonic() >= ends_at:
                self._steps = steps
                return

    def look_at_all(self) -> None:
        """Go a whole round at once, as after news."""
        self.hear()
        for _ in self._round():
            pass

    def _round(self) -> Iterator[None]:
        has_news, self._has_news = self._has_news, False
        try:
            for shelved in self._service.catalogue().models.values():
                yield from self._look_at(shelved, has_news=has_news)
        except Exception:
            self._has_news |= has_news
            raise

    def _look_at(self, shelved: ShelvedModel, *, has_news: bool) -> Iterator[None]:
        rules = self._service.store.findings.rules(shelved.model.key)
        remembered = self._remembered.setdefault(shelved.model.key, {})
        now = self._service.clock()
        visit = Visit(self._service, shelved, rules, now, has_news, remembered)
        keeper = FindingKeeper(visit)
        keeper.close_unwatched()
        for name, look in self._looks:
            yield
            yield from self._try(name, look, visit, keeper)

    def _try(self, name: str, look: Look, visit: Visit, keeper: FindingKeeper) -> Iterator[None]:
        """Let a monitor look; a trouble is logged when it begins and when it is over."""
        key = visit.name, name
        try:
            for symptom in look(visit):
                keeper.keep(symptom)
                yield
            keeper.end_past()
        except StoreAway:
            raise
        except Exception as error:
            if self._troubles.get(key) != str(error):
                is_known = isinstance(error, UnrotError | OSError)
                _log.warning(
                    "%s of %s is not watched now: %s", name, key[0], error, exc_info=not is_known
                )
            self._troubles[key] = str(error)
            self._has_news |= visit.has_news
            return
        if self._troubles.pop(key, None):
            _log.warning("%s of %s is watched again.", name, key[0])
