"""Mail is handed to a real server: with TLS where it is due, ends, and errors without secrets."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

from tests.conftest import free_port
from tests.mail_server import mail_server
from unrot.core.errors import Undelivered
from unrot.core.mailboxes import PORTS, Mailbox, read_server
from unrot.watch import mail_client
from unrot.watch.mail_client import MailClient

TO = Mailbox(("ada@example.org", "bob@example.org"))
SENDER = "unrot@example.net"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that nobody has signed."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", "-", "-out", "-"],
        capture_output=True, check=True,
    )  # fmt: skip
    path.write_bytes(made.stdout)
    return path


@pytest.fixture
def serving(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


def send(
    address: str,
    tls: ssl.SSLContext | None = None,
    *,
    to: Mailbox = TO,
    subject: str = "Plants: Inputs drifted",
    body: str = "It moved.",
) -> str:
    messenger = MailClient(read_server(address), SENDER, tls=tls)
    return messenger.post(to, body.encode(), {"Subject": subject, "Idempotency-Key": "f1"})


def refused(address: str, tls: ssl.SSLContext | None = None) -> str:
    with pytest.raises(Undelivered) as caught:
        send(address, tls)
    return caught.value.message


def test_message_arrives_as_it_was_written() -> None:
    body = "Größe moved.\n\n.\n.. far.\n" + "x" * 2_000

    with mail_server() as server:
        beside = send(f"smtp://127.0.0.1:{server.port}", subject="Pflänzchen ☘: moved", body=body)

    [message], [to] = server.messages, server.to
    assert beside == ""
    assert to == list(TO.addresses)
    assert message["Subject"] == "Pflänzchen ☘: moved"
    assert (message["From"], message["To"]) == (SENDER, "ada@example.org, bob@example.org")
    assert message["Message-ID"] == "<f1@example.net>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().splitlines() == body.splitlines()


def test_no_text_begins_a_header() -> None:
    with mail_server() as server:
        send(
            f"smtp://127.0.0.1:{server.port}",
            subject="Plants\r\nBcc: eve@example.org\n\nbuy",
            body="It moved.\r\n.\r\nMAIL FROM:<eve@example.org>",
        )

    [message], [to] = server.messages, server.to
    assert message["Bcc"] is None and to == list(TO.addresses)
    assert message["Subject"] == "Plants Bcc: eve@example.org buy"
    assert "MAIL FROM:<eve@example.org>" in message.get_content()


def test_password_goes_over_tls_that_is_begun_first(
    monkeypatch: pytest.MonkeyPatch, serving: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    with mail_server(tls=serving, password="open sesame") as server:
        monkeypatch.setitem(PORTS, "smtp", server.port)
        send("smtp://unrot:open%20sesame@localhost", trusting)

    assert server.said[:4] == ["EHLO in the clear", "STARTTLS in the clear", "EHLO", "AUTH"]
    assert len(server.messages) == 1


def test_tls_from_the_beginning(serving: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    with mail_server(implicit=serving, password="p") as server:
        send(f"smtps://unrot:p@localhost:{server.port}", trusting)

    assert server.said[:2] == ["EHLO", "AUTH"]
    assert len(server.messages) == 1


def test_server_that_offers_no_tls_is_told_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server(password="p") as server:
        monkeypatch.setitem(PORTS, "smtp", server.port)
        said = refused("smtp://unrot:p@localhost")

    assert said == "localhost offers no STARTTLS, or no way to sign in that is known here."
    assert not any(one.startswith("AUTH") for one in server.said)


def test_certificate_that_nobody_signed_is_refused(
    monkeypatch: pytest.MonkeyPatch, serving: ssl.SSLContext
) -> None:
    with mail_server(tls=serving) as server:
        monkeypatch.setitem(PORTS, "smtp", server.port)
        said = refused("smtp://localhost")

    assert said.startswith("The certificate of localhost is not to be trusted: self")
    assert server.messages == []


def test_wrong_password_is_told_and_not_repeated() -> None:
    with mail_server(password="right") as server:
        said = refused(f"smtp://unrot:wrong-secret@127.0.0.1:{server.port}")

    assert said == "127.0.0.1 did not take the user and the password (535)."


def test_one_address_that_is_refused_holds_the_others_up_for_nothing() -> None:
    with mail_server(refuses=("bob@example.org",)) as server:
        beside = send(f"smtp://127.0.0.1:{server.port}")

    assert server.to == [["ada@example.org"]]
    assert beside == "127.0.0.1 refused bob@example.org (550)."


def test_message_that_nobody_takes_is_undelivered() -> None:
    with mail_server(refuses=TO.addresses) as server:
        nobody = refused(f"smtp://127.0.0.1:{server.port}")
    with mail_server(code=451) as server:
        later = refused(f"smtp://127.0.0.1:{server.port}")

    assert nobody == "127.0.0.1 refused ada@example.org (550), bob@example.org (550)."
    assert later == "127.0.0.1 answered 451."


def test_server_that_is_away_or_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    away = refused(f"smtp://127.0.0.1:{free_port()}")
    monkeypatch.setattr(mail_client, "TIMEOUT_SECONDS", 0.05)
    with mail_server(is_silent=True) as server:
        silent = refused(f"smtp://127.0.0.1:{server.port}")

    assert away == "127.0.0.1 could not be reached: connection refused."
    assert silent == "127.0.0.1 did not answer within 0.05 s."
