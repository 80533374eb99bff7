"""Open findings are sent to webhooks: each once, when it was opened, and again until it is taken.

One at a time, in a thread, so that a slow webhook holds nobody up. A try is noted before it is
made: whoever is killed in between tries again after the pause. `Idempotency-Key` is the finding's
id, by which a receiver can tell a message that comes twice. A finding that is closed before it was
taken is no alarm any more, and is not sent.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from unrot.core import webhooks
from unrot.core.errors import Conflict, StoreAway, Undelivered
from unrot.core.records import Finding, Model, ModelKey
from unrot.core.time import DAY
from unrot.core.webhooks import Webhook
from unrot.serve.service import Service
from unrot.watch.alerts import message, trial_message

LOOK_SECONDS = 2.0
AGAIN_SECONDS = 1.0
"""So soon it is tried again to note what came of a try, while the store is away."""
FIRST_PAUSE_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = DAY
HEADERS = {"Content-Type": "application/json", "User-Agent": "unrot"}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to one webhook about one finding."""

    finding: str
    to: Webhook
    body: bytes


class Postbox:
    """Sends what is due, one letter after the other."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._looked_at = -LOOK_SECONDS
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def go_round(self) -> None:
        """Begin to send what is due next, if nothing is being sent."""
        is_early = time.monotonic() - self._looked_at < LOOK_SECONDS
        if is_early or self.is_sending:
            return
        letter = self._next()
        if letter is None:
            self._looked_at = time.monotonic()
            return
        self._thread = threading.Thread(target=self._send, args=(letter,), daemon=True)
        self._thread.start()

    @property
    def is_sending(self) -> bool:
        """True while a letter is on its way."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """Give the letter that is on its way a moment, so that it need not be sent again."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(1.0)

    def _next(self) -> Letter | None:
        for shelved in self._service.catalogue().models.values():
            to = webhook_of(self._service, shelved.model.key)
            if to is not None and (letter := self._begun(shelved.model, to)):
                return letter
        return None

    def _begun(self, model: Model, to: Webhook) -> Letter | None:
        drawer, now = self._service.store.deliveries, self._service.clock()
        found = drawer.due(model.key, now)
        if found is None:
            return None
        before = drawer.of(found.id)
        pause = pause_after(before.attempts if before else 0)
        drawer.begin(found, target=to.shown, next_at=now + pause)
        link = link_to(self._service, model.name, found)
        return Letter(found.id, to, message(found, model, link, now, is_slack=to.is_slack))

    def _send(self, letter: Letter) -> None:
        error = ""
        try:
            headers = {**HEADERS, "Idempotency-Key": letter.finding}
            self._service.courier.post(letter.to, letter.body, headers)
            _log.info("The finding %s was sent to %s.", letter.finding, letter.to.shown)
        except Undelivered as trouble:
            error = trouble.message
            _log.warning("The finding %s is still to be sent: %s", letter.finding, error)
        except Exception:
            error = "Something went wrong here: see the caretaker's log."
            _log.exception("The finding %s could not be sent.", letter.finding)
        self._note(letter, error)

    def _note(self, letter: Letter, error: str) -> None:
        """Note what came of it, as soon as the store answers."""
        delivered_at = None if error else self._service.clock()
        while True:
            try:
                self._service.store.deliveries.end(
                    letter.finding, delivered_at=delivered_at, error=error
                )
            except StoreAway:
                if not self._stopping.wait(AGAIN_SECONDS):
                    continue
            return


def pause_after(attempts: int) -> float:
    """Return how long to wait after so many tries before this one: 1, 2, 4 … minutes, up to a day.

    >>> [pause_after(attempts) / 60 for attempts in (0, 1, 2, 10, 11, 5000)]
    [1.0, 2.0, 4.0, 1024.0, 1440.0, 1440.0]
    """
    return min(FIRST_PAUSE_SECONDS * 2.0 ** min(attempts, 20), LONGEST_PAUSE_SECONDS)


def webhook_of(service: Service, model: ModelKey) -> Webhook | None:
    """Return where the findings of a model are sent: by its rules, else by the settings."""
    text = service.store.findings.rules(model).webhook or service.settings.webhook
    try:
        return webhooks.read(text) if text else None
    except ValueError:
        return None


def link_to(service: Service, model: str, found: Finding | None = None) -> str:
    """Return the address of a finding's page, or of all of a model; empty where none is set."""
    if not service.settings.url:
        return ""
    end = f"/{found.id}" if found else ""
    return f"{service.settings.url}/models/{model}/findings{end}"


def send_trial(service: Service, name: str) -> Webhook:
    """Send a message that says nothing but that it is a test; raise Undelivered if it fails."""
    model = service.catalogue().model(name).model
    to = webhook_of(service, model.key)
    if to is None:
        raise Conflict("There is no webhook to try: give its address, or set UNROT_WEBHOOK.")
    link = link_to(service, model.name)
    body = trial_message(model.name, model.title or model.name, link, is_slack=to.is_slack)
    service.courier.post(to, body, HEADERS)
    service.store.audit_log.note()
    return to
