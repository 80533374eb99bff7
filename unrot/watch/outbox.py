"""Open findings are sent out: each once, when it was opened, and again until it is taken.

An address is a webhook or some mailboxes; of both that a model has neither waits for the other. One
message at a time, in a thread, so that a slow receiver holds nobody up. A try is noted before it is
made: whoever is killed in between tries again after the pause. `Idempotency-Key` is the finding's
id, by which a receiver can tell a message that comes twice. A finding that is closed before it was
taken is no alarm any more, and is not sent.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from unrot.core import mailboxes, webhooks
from unrot.core.errors import Conflict, StoreAway, Undelivered
from unrot.core.mailboxes import Mailbox
from unrot.core.ports import Address
from unrot.core.records import Finding, Model, ModelKey, Road
from unrot.core.time import DAY
from unrot.core.webhooks import Webhook
from unrot.serve.service import Service
from unrot.watch.alerts import Message, message, trial_message

LOOK_SECONDS = 2.0
AGAIN_SECONDS = 1.0
"""So soon it is tried again to note what came of a try, while the store is away."""
FIRST_PAUSE_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = DAY

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message to one address about one finding."""

    finding: str
    to: Address
    message: Message


class Outbox:
    """Sends what is due, one message after the other."""

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
        delivery = self._next()
        if delivery is None:
            self._looked_at = time.monotonic()
            return
        self._thread = threading.Thread(target=self._send, args=(delivery,), daemon=True)
        self._thread.start()

    @property
    def is_sending(self) -> bool:
        """True while a message is on its way."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """Give the message that is on its way a moment, so that it need not be sent again."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(1.0)

    def _next(self) -> Delivery | None:
        for shelved in self._service.catalogue().models.values():
            for to in addresses_of(self._service, shelved.model.key):
                if delivery := self._begun(shelved.model, to):
                    return delivery
        return None

    def _begun(self, model: Model, to: Address) -> Delivery | None:
        drawer, now, by = self._service.store.deliveries, self._service.clock(), road_to(to)
        found = drawer.due(model.key, now, by)
        if found is None:
            return None
        before = drawer.of(found.id, by)
        pause = pause_after(before.attempts if before else 0)
        drawer.begin(found, target=to.shown, next_at=now + pause, by=by)
        link = link_to(self._service, model.name, found)
        return Delivery(found.id, to, message(found, model, link, now, to))

    def _send(self, delivery: Delivery) -> None:
        error, is_taken = "", False
        try:
            error = post(self._service, delivery.to, delivery.message)
            is_taken = True
            _log.info("The finding %s was sent to %s.", delivery.finding, delivery.to.shown)
        except Undelivered as trouble:
            error = trouble.message
            _log.warning("The finding %s is still to be sent: %s", delivery.finding, error)
        except Exception:
            error = "Something went wrong here: see the background worker's log."
            _log.exception("The finding %s could not be sent.", delivery.finding)
        self._note(delivery, error, is_taken=is_taken)

    def _note(self, delivery: Delivery, error: str, *, is_taken: bool) -> None:
        """Note what came of it, as soon as the store answers."""
        delivered_at = self._service.clock() if is_taken else None
        while True:
            try:
                self._service.store.deliveries.end(
                    delivery.finding,
                    delivered_at=delivered_at,
                    error=error,
                    by=road_to(delivery.to),
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


def mailbox_of(service: Service, model: ModelKey) -> Mailbox | None:
    """Return whom the findings of a model are mailed to, whether or not mail can be sent."""
    text = service.store.findings.rules(model).mail
    try:
        return mailboxes.read(text) if text else None
    except ValueError:
        return None


def addresses_of(service: Service, model: ModelKey) -> list[Address]:
    """Return all that findings of a model are sent to."""
    mail = mailbox_of(service, model) if service.settings.can_mail else None
    return [to for to in (webhook_of(service, model), mail) if to is not None]


def road_to(to: Address) -> Road:
    """Name the road to an address."""
    return "mail" if isinstance(to, Mailbox) else "webhook"


def post(service: Service, to: Address, said: Message) -> str:
    """Send a message; say what went wrong though it was taken, or raise Undelivered."""
    return service.messenger.post(to, said.body, said.headers)


def link_to(service: Service, model: str, found: Finding | None = None) -> str:
    """Return the address of a finding's page, or of all of a model; empty where none is set."""
    if not service.settings.url:
        return ""
    end = f"/{found.id}" if found else ""
    return f"{service.settings.url}/models/{model}/findings{end}"


def send_trial(service: Service, name: str) -> list[str]:
    """Send a message that says nothing but that it is a test to all addresses of a model.

    Return what came of each; raise Undelivered if any failed, which says the same.
    """
    model = service.catalogue().model(name).model
    addresses = addresses_of(service, model.key)
    if not addresses:
        raise Conflict(_nothing_to_try(service, model.key))
    link, told, has_failed = link_to(service, model.name), list[str](), False
    for to in addresses:
        try:
            beside = post(service, to, trial_message(model, link, to))
            told.append(f"{to.shown} took the test message. {beside}".strip())
        except Undelivered as error:
            told.append(error.message)
            has_failed = True
    service.store.audit_log.note()
    if has_failed:
        raise Undelivered(" ".join(told))
    return told


def _nothing_to_try(service: Service, model: ModelKey) -> str:
    if mailbox_of(service, model) is not None:
        return "No mail can be sent: set UNROT_SMTP_URL and UNROT_MAIL_FROM."
    return "There is no webhook to try: give its address, or set UNROT_WEBHOOK."
