"""A real SMTP server that takes what it is sent, and refuses as it is told."""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any


@dataclass
class MailServer:
    """What came, and how it is answered."""

    port: int = 0
    tls: ssl.SSLContext | None = None
    """With it STARTTLS is offered."""
    code: int = 250
    """What a message is answered with."""
    refuses: tuple[str, ...] = ()
    """Addresses that nobody here has."""
    password: str = ""
    is_silent: bool = False
    messages: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    to: list[list[str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """Each command, with a mark where it was said in the clear."""


class Door(socketserver.StreamRequestHandler):
    """One client."""

    server: Any
    is_secure = False

    def handle(self) -> None:
        with suppress(OSError):
            self.talk(self.server.state)

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()
        self.connection.close()

    def say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def talk(self, state: MailServer) -> None:
        if state.is_silent:
            self.rfile.readline()
            return
        self.is_secure = isinstance(self.connection, ssl.SSLSocket)
        to: list[str] = []
        self.say("220 here")
        while line := self.rfile.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            state.said.append(verb.upper() + ("" if self.is_secure else " in the clear"))
            match verb.upper():
                case "EHLO":
                    offers = ["AUTH PLAIN"] if state.password else []
                    offers += ["STARTTLS"] if state.tls and not self.is_secure else []
                    self.say("250-here", *(f"250-{one}" for one in offers), "250 8BITMIME")
                case "STARTTLS":
                    assert state.tls is not None
                    self.say("220 go on")
                    self.connection = state.tls.wrap_socket(self.request, server_side=True)
                    self.rfile = self.connection.makefile("rb")
                    self.wfile = self.connection.makefile("wb", buffering=0)
                    self.is_secure = True
                case "AUTH":
                    given = base64.b64decode(rest.split()[1]).split(b"\0")[2].decode()
                    self.say("235 in" if given == state.password else "535 secret out")
                case "RCPT":
                    address = rest.partition("<")[2].partition(">")[0]
                    is_known = address not in state.refuses
                    to += [address] if is_known else []
                    self.say("250 known" if is_known else "550 secret nobody")
                case "DATA":
                    self.say("354 go on")
                    self.take(state, to)
                    to = []
                case "QUIT":
                    self.say("221 bye")
                    return
                case _:
                    self.say("250 well")

    def take(self, state: MailServer, to: list[str]) -> None:
        data = b""
        while (line := self.rfile.readline()) != b".\r\n":
            data += line.removeprefix(b".") if line.startswith(b"..") else line
        self.say(f"{state.code} so")
        if state.code == 250:
            state.raw.append(data)
            read = message_from_bytes(data, policy=policy.default)
            assert isinstance(read, EmailMessage)
            state.messages.append(read)
            state.to.append(to)


@contextmanager
def mail_server(*, implicit: ssl.SSLContext | None = None, **state: Any) -> Iterator[MailServer]:
    """Serve on a free port until the test is over; `implicit` speaks TLS from the beginning."""

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address, daemon_threads = True, True

        def handle_error(self, *_: Any) -> None:
            return

    with Server(("127.0.0.1", 0), Door) as server:
        if implicit is not None:
            server.socket = implicit.wrap_socket(server.socket, server_side=True)
        server.state = MailServer(server.server_address[1], **state)  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.state  # type: ignore[attr-defined]
        server.shutdown()
