"""Hands messages to a mail server, and to no other than the one of the settings.

The server was named by whoever runs the app, so its address is not doubted; who is written to was
named by those who operate a model. Every step has an end, and so has all of it. What a server says
is not repeated, but for its number: it may quote what we sent.
"""

from __future__ import annotations

import smtplib
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from unrot.core.errors import Undelivered
from unrot.core.mailboxes import Mailbox, MailServer
from unrot.watch.webhook_client import cut

TIMEOUT_SECONDS = 10.0
"""So long each step may take."""
MOST_SECONDS = 45.0
"""So long all of it may take after the connection is there, however slowly answers drip."""
SUBJECT = "Subject"


class MailClient:
    """Hands mail in over SMTP."""

    def __init__(
        self, server: MailServer, sender: str, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self._server = server
        self._sender = sender
        self._given_tls = tls

    def post(self, to: Mailbox, body: bytes, headers: Mapping[str, str]) -> str:
        """Send one message; say who was refused, and raise Undelivered where nobody took it."""
        message = self._written(to, body, headers)
        try:
            with self._connected() as connection:
                refused = connection.send_message(message, self._sender, to.addresses)
        except (OSError, ValueError) as error:
            # Those of smtplib and ssl are OSErrors as well.
            raise Undelivered(trouble_of(error, self._server.host)) from error
        return f"{self._server.host} refused {_listed(refused)}." if refused else ""

    def _written(self, to: Mailbox, body: bytes, headers: Mapping[str, str]) -> EmailMessage:
        message = EmailMessage()
        domain = self._sender.partition("@")[2]
        message["From"], message["To"] = self._sender, to.shown
        message[SUBJECT] = one_line(headers[SUBJECT])
        message["Date"] = formatdate()
        known = headers.get("Idempotency-Key")
        message["Message-ID"] = f"<{known}@{domain}>" if known else make_msgid(domain=domain)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(body.decode())
        return message

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """Connect and sign in; after a while the connection is cut whatever happens."""
        connection = self._spoken_with()
        timer = threading.Timer(MOST_SECONDS, lambda: cut(connection.sock))
        timer.daemon = True
        timer.start()
        try:
            if self._server.needs_starttls:
                connection.starttls(context=self._tls())
            if self._server.user:
                connection.login(self._server.user, self._server.password)
            yield connection
            with suppress(smtplib.SMTPException, OSError):
                connection.quit()
        finally:
            timer.cancel()
            connection.close()

    def _spoken_with(self) -> smtplib.SMTP:
        server, domain = self._server, self._sender.partition("@")[2]
        where = (server.host, server.port, domain)
        if server.is_secure:
            return smtplib.SMTP_SSL(*where, timeout=TIMEOUT_SECONDS, context=self._tls())
        return smtplib.SMTP(*where, timeout=TIMEOUT_SECONDS)

    def _tls(self) -> ssl.SSLContext:
        return self._given_tls or ssl.create_default_context()


def trouble_of(error: Exception, host: str) -> str:
    """Say what went wrong, without what the server said."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return f"{host} refused {_listed(error.recipients)}."
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"{host} did not take the user and the password ({error.smtp_code})."
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return f"{host} offers no STARTTLS, or no way to sign in that is known here."
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{host} answered {error.smtp_code}."
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return f"{host} did not answer within {TIMEOUT_SECONDS:g} s."
    if isinstance(error, smtplib.SMTPException):
        return f"{host} broke off, or did not answer as SMTP does."
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate of {host} is not to be trusted: {error.verify_message}."
    if isinstance(error, ssl.SSLError):
        return f"{host} does not speak TLS as expected."
    said = getattr(error, "strerror", None) or "the connection broke off"
    return f"{host} could not be reached: {said.lower()}."


def one_line(text: str) -> str:
    """Write a text so that it begins no other header.

    >>> one_line("Plants\\r\\nBcc: eve@example.org")
    'Plants Bcc: eve@example.org'
    """
    plain = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(plain.split())


def _listed(refused: Mapping[str, tuple[int, bytes]]) -> str:
    return ", ".join(f"{address} ({code})" for address, (code, _) in refused.items())
