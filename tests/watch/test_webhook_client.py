"""Messages go to the address that was checked and nowhere else; who says no is told of."""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import free_port
from tests.receiver import Receiver, receiving
from unrot.core import webhooks
from unrot.core.errors import Undelivered
from unrot.watch import webhook_client
from unrot.watch.webhook_client import WebhookClient, is_public, meant

HEADERS = {"Content-Type": "application/json"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def post(url: str, *, private: bool = True) -> None:
    WebhookClient(allow_private=private).post(webhooks.read(url), b'{"a":1}', HEADERS)


def refused(url: str, *, private: bool = False) -> str:
    with pytest.raises(Undelivered) as caught:
        post(url, private=private)
    return caught.value.message


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let every name stand for these addresses; return the names that are looked up."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *more: Any, **others: Any) -> list[Any]:
        if host in addresses:
            return list(real(host, port, *more, **others))
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def test_message_arrives_as_it_was_sent(receiver: Receiver) -> None:
    post(f"{receiver.url}/hook?token=x")

    [headers] = receiver.headers
    assert (receiver.paths, receiver.bodies) == (["/hook?token=x"], [{"a": 1}])
    assert headers["Content-Type"] == "application/json"
    assert headers["Host"] == receiver.url.removeprefix("http://")


PRIVATE = [
    "127.0.0.1", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "10.0.0.5", "172.16.0.1",
    "192.168.1.1", "100.64.0.1", "198.18.0.1", "192.0.2.1", "240.0.0.1", "255.255.255.255",
    "[::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[fd00::1]", "[fec0::1]",
    "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[2001:db8::1]", "localhost",
]  # fmt: skip
NO_WEBHOOK = ["169.254.169.254", "0.0.0.0", "224.0.0.1", "[fe80::1]", "[ff02::1]", "[::]",
              "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::a9fe:a9fe]",
              "168.63.129.16", "[64:ff9b::a83f:8110]", "100.100.100.200", "192.0.0.192",
              "[fd00:ec2::254]", "[fd00:ec2::23]", "[fd20:ce::254]", "[fd00:c1::a9fe:a9fe]",
              "[fd00:42::42]"]  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE)
def test_private_addresses_are_refused(host: str) -> None:
    assert "is a private address: if anything is to be sent there" in refused(f"http://{host}/x")


@pytest.mark.parametrize("host", NO_WEBHOOK)
@pytest.mark.parametrize("private", [False, True])
def test_some_addresses_are_refused_even_where_private_ones_are_allowed(
    host: str, private: bool
) -> None:
    assert "is no address that a webhook can have" in refused(f"http://{host}/x", private=private)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(meant(ipaddress.ip_address(address)))


def test_name_is_refused_when_any_of_its_addresses_is_private(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolve_to(monkeypatch, "8.8.8.8", "10.0.0.5")

    said = refused("http://hooks.example/x")

    assert said == (
        "hooks.example (10.0.0.5) is a private address: if anything is to be sent there, set "
        "UNROT_WEBHOOK_PRIVATE=yes."
    )


def test_name_is_looked_up_once_and_the_checked_address_is_connected_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks a second time is sent to a private address: so nobody may look twice."""
    asked = resolve_to(monkeypatch, "127.0.0.1")
    connected: list[str] = []
    connect = socket.create_connection

    def note(address: tuple[str, int], *more: Any) -> socket.socket:
        connected.append(address[0])
        monkeypatch.undo()
        return connect(address, *more)

    monkeypatch.setattr(socket, "create_connection", note)
    port = receiver.url.rpartition(":")[2]

    post(f"http://hooks.example:{port}/x")

    assert (asked, connected) == (["hooks.example"], ["127.0.0.1"])
    assert receiver.headers[0]["Host"] == f"hooks.example:{port}"


def test_redirects_are_not_followed(receiver: Receiver) -> None:
    with receiving() as private:
        receiver.codes, receiver.location = [302], f"{private.url}/secret"

        said = refused(f"{receiver.url}/x", private=True)

        assert said == (
            "127.0.0.1 answered 302; redirects are not followed: give the address that it leads to."
        )
        assert private.paths == []


@pytest.mark.parametrize("code", [400, 404, 500, 503])
def test_answer_that_is_no_success_is_told(receiver: Receiver, code: int) -> None:
    receiver.codes = [code]

    assert refused(f"{receiver.url}/secret", private=True) == f"127.0.0.1 answered {code}."


def test_refused_connection_is_told() -> None:
    said = refused(f"http://127.0.0.1:{free_port()}/x", private=True)

    assert said == "127.0.0.1 could not be reached: connection refused."


def test_name_that_is_not_known_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    assert refused("https://no.example/x") == "The name no.example was not found."
    monkeypatch.undo()
    assert refused(f"https://{'x' * 70}.example/x").endswith("was not found.")


def test_proxies_of_the_environment_are_not_asked(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)

        post(f"{receiver.url}/x")

        assert (len(receiver.paths), proxy.paths) == (1, [])


def answering(said: bytes, *, closes: bool = True) -> str:
    """Listen once, say something that need not be HTTP, and return the address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        request = b""
        while not request.endswith(b'{"a":1}'):
            request += connection.recv(4096)
        connection.sendall(said)
        if not closes:
            connection.recv(1)
        connection.close()
        listener.close()

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}/x"


@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        (b"SSH-2.0-nonsense\r\n", "did not answer as HTTP does"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "did not answer as HTTP does"),
        (b"", "could not be reached"),
    ],
)
def test_answer_that_is_no_http_is_told(said: bytes, trouble: str) -> None:
    assert trouble in refused(answering(said), private=True)


def test_silent_receiver_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_client, "TIMEOUT_SECONDS", 0.05)

    said = refused(answering(b"HTTP/1.1 ", closes=False), private=True)

    assert said == "127.0.0.1 did not answer within 0.05 s."


def test_receiver_that_drips_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_client, "MOST_SECONDS", 0.05)

    assert "127.0.0.1" in refused(answering(b"HTTP/1.1 ", closes=False), private=True)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for hooks.example that nobody has signed."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=hooks.example",
         "-addext", "subjectAltName=DNS:hooks.example", "-keyout", "-", "-out", "-"],
        capture_output=True, check=True,
    )  # fmt: skip
    path.write_bytes(made.stdout)
    return path


@pytest.fixture
def secure(certificate: Path) -> Iterator[Receiver]:
    """A receiver that speaks TLS as hooks.example."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with receiving(tls=context) as receiver:
        yield receiver


def test_certificate_is_checked_for_the_name_of_the_address(
    secure: Receiver, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    port = secure.url.rpartition(":")[2]

    post(f"https://hooks.example:{port}/x")
    said = refused(f"https://other.example:{port}/x", private=True)

    assert secure.paths == ["/x"]
    assert re.match("The certificate of other.example is not to be trusted: Hostname mism", said)


def test_certificate_that_nobody_signed_is_refused(
    secure: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, "127.0.0.1")
    port = secure.url.rpartition(":")[2]

    said = refused(f"https://hooks.example:{port}/x", private=True)

    assert said.startswith("The certificate of hooks.example is not to be trusted: self")
    assert secure.paths == []
