"""What one caretaker of all machines does on what they share, under a lease in the store.

jobs        the learner is started while jobs wait
policy      a model that may learn by itself is taught when enough verdicts wait, and one that may
            goes back when judges find it worse than the version before
shadow      a challenger is scored on what was asked, off the request path
lookout     monitors look at what there is, what they see becomes findings, and those are sent
events      findings, promotions and jobs are told to who wants to hear of them
forgetting  what arrives late of predictions that were to be forgotten is erased
tidying     old rows go and old totals are added up, a bite a round
"""

from __future__ import annotations

import logging
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from unrot.core import lineage
from unrot.core.errors import Conflict, StoreAway, UnrotError
from unrot.core.records import (
    CHALLENGER,
    CHAMPION,
    Forgotten,
    Model,
    ModelKey,
    Outputs,
    Prediction,
    Schema,
    Shadow,
    Version,
)
from unrot.learn import jobs
from unrot.learn.rollback import roll_back_by_itself
from unrot.learn.worker import SILENT_SECONDS, new_holder
from unrot.run import forgetting
from unrot.run.learner import command_of_learner
from unrot.run.retention import Retention
from unrot.serve.service import Service
from unrot.serve.shelf import ShelvedModel
from unrot.watch.event_teller import EventTeller
from unrot.watch.outbox import Outbox
from unrot.watch.round import Lookout

LEASE = "learner"
LEASE_SECONDS = 15.0
RENEW_SECONDS = 5.0
POLICY_SECONDS = 2.0
POLICY_SHARE = 0.2
"""After verdicts policies are followed at once, for at most this share of the time."""
ROLLBACK_SECONDS = 10.0
FORGET_SECONDS, SWEEP_SECONDS = 10.0, 1.0
AWAKE_SECONDS = 60.0
"""So long after the last news all goes on as if there were more."""
ASLEEP_SECONDS = 300.0
"""So often one looks all the same: a monitor may have waited for nothing but time."""
GLANCE_SECONDS = 1.0
"""So long such a look takes, and as long as the monitors need."""
CALM_SECONDS = 1.0
"""So long a learner that died is not started again."""
PATIENCE_SECONDS = 600.0
"""So long a model does not learn by itself again after it failed."""
SHADOWS_AT_ONCE = 500
OVERLAP_SECONDS = 120.0
"""Predictions arrive at the store a little out of order: so far the shadow looks back."""
BY_ITSELF = "policy"

_log = logging.getLogger(__name__)


class Leader:
    """The shared work of one caretaker; each round does a little of it."""

    def __init__(self, service: Service, writer: str, teller: EventTeller | None = None) -> None:
        self._service = service
        self._writer = writer
        self._learner: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._renewed_at = 0.0
        self._holds = 0
        """The number of the lease that is held; 0 for none."""
        self._policies_at = self._policies_took = 0.0
        self._has_verdicts = False
        self._shadowed_to: dict[tuple[ModelKey, str], float] = {}
        self._unscored: set[tuple[str, str]] = set()
        self._rollbacks_at = self._forgot_at = 0.0
        self._swept_to: Forgotten | None = None
        self._lookout = Lookout(service)
        self._outbox = Outbox(service)
        self._teller = teller
        self._is_first_round = True
        self._has_news = True
        self._has_job = self._job_is_free = False
        """Whether a job was active when it was last asked for, and could be taken."""
        self._asked_at = -CALM_SECONDS
        self._awake_until = self._looks_at = 0.0
        self._retention = Retention(service)

    def go_round(
        self, *, has_news: bool = True, has_verdicts: bool = False, is_told: bool = True
    ) -> None:
        """Do what there is to do; without news for a while, only look now and then.

        What this machine has shipped is news; somebody else's doing it `is_told` of.
        """
        self._has_news = has_news
        self._has_verdicts |= has_verdicts
        if is_told or has_verdicts:
            self._lookout.hear()
        if has_news or self._has_job or self.is_teaching:
            self._awake_until = time.monotonic() + AWAKE_SECONDS
        if self._is_asleep():
            return
        if self._is_first_round:
            # Whoever held jobs for this home folder died with the caretaker before.
            self._service.store.jobs.release(new_holder(self._writer))
            self._is_first_round = False
        if not self._has_work() or not self._is_ours():
            return
        with self._service.store.demanding(LEASE, self._holds):
            self._start_learner()
            self._follow_policies()
            self._shadow()
            self._lookout.go_round()
            self._outbox.go_round()
            self._tell()
            self._forget()
            self._retention.work()

    @property
    def leads(self) -> bool:
        """True while this one has the lease, as far as it knows."""
        return bool(self._holds)

    def _is_asleep(self) -> bool:
        """Tell whether nothing is to be done: not for long, whatever the news."""
        now = time.monotonic()
        if now >= self._looks_at:
            self._lookout.hear()
            self._awake_until = max(self._awake_until, now + GLANCE_SECONDS)
        if now < self._awake_until:
            self._looks_at = now + ASLEEP_SECONDS
            return False
        return not (self._lookout.is_going or self._retention.is_going)

    @property
    def is_teaching(self) -> bool:
        """True while a learner runs that this one has started."""
        return self._learner is not None and self._learner.poll() is None

    def stop(self) -> None:
        """End the learner and give the lease back; what was begun is taken up by the next one."""
        self._outbox.stop()
        self._stop_learner()
        if self._holds:
            with suppress(StoreAway):  # Then it ends by itself.
                self._service.store.give_back_lease(LEASE, self._writer)
            self._holds = 0

    def _stop_learner(self) -> None:
        if self._learner is not None and self.is_teaching:
            self._learner.terminate()
            try:
                self._learner.wait(2.0)
            except subprocess.TimeoutExpired:
                self._learner.kill()

    def _has_work(self) -> bool:
        return (
            bool(self._holds)
            or self._job_waits()
            or self._is_time_for_policies()
            or self._lookout.is_due()
            or self._retention.is_due
            or self._shadows()
        )

    def _job_waits(self) -> bool:
        if self._has_news or time.monotonic() - self._asked_at >= CALM_SECONDS:
            self._asked_at = time.monotonic()
            waits = self._service.store.jobs.waits(self._service.clock(), SILENT_SECONDS)
            self._has_job, self._job_is_free = waits is not None, bool(waits)
        return self._job_is_free

    def _is_ours(self) -> bool:
        """Hold the lease, renewed now and then and not at every round."""
        is_early = time.monotonic() - self._renewed_at < RENEW_SECONDS
        if is_early and (self._holds or not self._has_news):
            return bool(self._holds)
        now = self._service.clock()
        self._holds = self._service.store.lease(LEASE, self._writer, now, LEASE_SECONDS) or 0
        self._renewed_at = time.monotonic()
        return bool(self._holds)

    def _start_learner(self) -> None:
        if self._learner is not None and (status := self._learner.poll()) is None:
            return
        if self._learner is not None and status:
            # Nobody needs to wait until it has been silent for long enough.
            self._service.store.jobs.release(new_holder(self._writer))
            self._learner = None
        is_calm = time.monotonic() - self._started_at >= CALM_SECONDS
        if not is_calm or not self._job_waits():
            return
        self._started_at = time.monotonic()
        self._learner = subprocess.Popen(
            command_of_learner(os.getpid()),
            env={**os.environ, "UNROT_HOME": str(self._service.settings.home)},
            stdin=subprocess.DEVNULL,
        )

    def _tell(self) -> None:
        if self._teller is not None:
            self._teller.look()

    def _forget(self) -> None:
        is_due = self._has_news or self._swept_to is not None
        if is_due and time.monotonic() - self._forgot_at >= FORGET_SECONDS:
            self._forgot_at = time.monotonic()
            self._swept_to = forgetting.sweep(self._service, self._swept_to)
            while self._swept_to and time.monotonic() - self._forgot_at < SWEEP_SECONDS:
                self._swept_to = forgetting.sweep(self._service, self._swept_to)

    # ── policy ───────────────────────────────────────────────────────────────────────────────

    def _is_time_for_policies(self) -> bool:
        since = time.monotonic() - self._policies_at
        is_soon = self._has_verdicts and since * POLICY_SHARE >= self._policies_took
        return is_soon or since >= POLICY_SECONDS

    def _follow_policies(self) -> None:
        if not self._is_time_for_policies():
            return
        began = time.monotonic()
        self._has_verdicts = False
        for shelved in self._service.catalogue().models.values():
            self._learn_by_itself(shelved)
        self._policies_at = time.monotonic()
        self._policies_took = self._policies_at - began
        if time.monotonic() - self._rollbacks_at >= ROLLBACK_SECONDS:
            self._rollbacks_at = time.monotonic()
            for shelved in self._service.catalogue().models.values():
                self._roll_back_by_itself(shelved.model)

    def _learn_by_itself(self, shelved: ShelvedModel) -> None:
        store, model = self._service.store, shelved.model
        every = store.registry.policy(model.key).learn_every
        champion = shelved.aliases.get(CHAMPION)
        if not every or champion is None:
            return
        versions = store.registry.versions(model.key)
        line = lineage.learning_line(versions, _furthest(versions, champion))
        if store.lessons.count_waiting(model.key, line) < every or self._has_failed(model.key):
            return
        try:
            jobs.ask(self._service, model.name, "learn", {}, by=BY_ITSELF)
        except Conflict as error:
            _log.info("%s does not learn by itself now: %s", model.name, error)

    def _roll_back_by_itself(self, model: Model) -> None:
        advice = roll_back_by_itself(self._service, model.key)
        if advice is not None and advice.is_due:
            _log.warning("%s: %s", model.name, advice.sentence)

    def _has_failed(self, model: ModelKey) -> bool:
        """Tell whether it failed by itself a short while ago: the same again would fail again."""
        last = next(iter(self._service.store.jobs.of_model(model, 1)), None)
        return (
            last is not None
            and (last.asked_by, last.state) == (BY_ITSELF, "failed")
            and self._service.clock() - (last.ended_at or 0.0) < PATIENCE_SECONDS
        )

    # ── shadow ───────────────────────────────────────────────────────────────────────────────

    def _shadows(self) -> bool:
        return any(CHALLENGER in one.aliases for one in self._service.catalogue().models.values())

    def _shadow(self) -> None:
        for shelved in self._service.catalogue().models.values():
            if CHALLENGER in shelved.aliases:
                self._try_to_shadow(shelved, shelved.aliases[CHALLENGER])

    def _try_to_shadow(self, shelved: ShelvedModel, challenger: str) -> None:
        """Let one that cannot be loaded keep no other from being scored; say so once."""
        key = shelved.model.name, challenger
        try:
            self._shadow_one(shelved, challenger)
            self._unscored.discard(key)
        except StoreAway:
            raise
        except UnrotError as error:
            if key not in self._unscored:
                _log.warning("The challenger %s of %s is not scored: %s", *reversed(key), error)
            self._unscored.add(key)

    def _shadow_one(self, shelved: ShelvedModel, challenger: str) -> None:
        trials, model = self._service.store.trials, shelved.model.key
        since = self._shadowed_to.get((model, challenger)) or self._challenged_at(model, challenger)
        rows = trials.to_shadow(model, challenger, since=since, limit=SHADOWS_AT_ONCE)
        if rows:
            trials.add_shadows(_scored(self._predict(shelved, challenger), rows, shelved))
            self._shadowed_to[model, challenger] = max(
                since, rows[-1].predicted_at - OVERLAP_SECONDS
            )

    def _challenged_at(self, model: ModelKey, challenger: str) -> float:
        moves = self._service.store.registry.moves(model)
        return max(
            (
                move.moved_at
                for move in moves
                if (move.alias, move.moved_to) == (CHALLENGER, challenger)
            ),
            default=0.0,
        )

    def _predict(
        self, shelved: ShelvedModel, challenger: str
    ) -> Callable[[list[Prediction]], Outputs]:
        contents = self._service.catalogue()
        predictor = self._service.shelf.predictor(contents, shelved.versions[challenger])
        return lambda rows: predictor.predict([row.inputs for row in rows])


def _furthest(versions: Sequence[Version], champion: str) -> str:
    """Return the newest version that went on from the champion, else the champion.

    What it has learnt is no reason to learn again while nobody has promoted it.
    """
    children = [one.name for one in versions if one.parent == champion]
    return children[-1] if children else champion


def _scored(
    predict: Callable[[list[Prediction]], Outputs], rows: list[Prediction], shelved: ShelvedModel
) -> list[Shadow]:
    """Score rows; one that the challenger cannot score is kept as unanswered."""
    try:
        return _shadows_of(predict(rows), rows, shelved)
    except UnrotError:
        if len(rows) > 1:
            return [shadow for row in rows for shadow in _scored(predict, [row], shelved)]
        return _shadows_of(Outputs(), rows, shelved)


def _shadows_of(outputs: Outputs, rows: list[Prediction], shelved: ShelvedModel) -> list[Shadow]:
    schema: Schema = shelved.model.schema
    challenger = shelved.aliases[CHALLENGER]
    return [
        Shadow(
            prediction=row.id or "",
            model=row.model,
            version=challenger,
            predicted_at=row.predicted_at,
            label=None if outputs.classes is None else schema.classes[outputs.classes[place]],
            value=None if outputs.values is None else outputs.values[place],
        )
        for place, row in enumerate(rows)
    ]
