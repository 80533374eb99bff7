"""An address is a webhook or some mailboxes: who brings what to which."""

from __future__ import annotations

from collections.abc import Mapping

from unrot.core.errors import Undelivered
from unrot.core.mailboxes import read_server
from unrot.core.ports import Address
from unrot.core.settings import Settings
from unrot.core.webhooks import Webhook
from unrot.watch.mail_client import MailClient
from unrot.watch.webhook_client import WebhookClient


class Messengers:
    """Posts to webhooks, and mails where the settings name a server and a sender."""

    def __init__(self, web: WebhookClient, mail: MailClient | None) -> None:
        self._web = web
        self._mail = mail

    def post(self, to: Address, body: bytes, headers: Mapping[str, str]) -> str:
        """Send one message; say what went wrong beside, or raise Undelivered."""
        if isinstance(to, Webhook):
            return self._web.post(to, body, headers)
        if self._mail is None:
            raise Undelivered("No mail can be sent: UNROT_SMTP_URL and UNROT_MAIL_FROM say how.")
        return self._mail.post(to, body, headers)


def messengers_of(settings: Settings) -> Messengers:
    """Return who brings messages, by the settings."""
    mail = MailClient(read_server(settings.smtp), settings.mail_from) if settings.can_mail else None
    return Messengers(WebhookClient(allow_private=settings.webhook_private), mail)
