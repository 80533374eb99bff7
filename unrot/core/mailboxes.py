"""The addresses that findings are mailed to, and the server that takes the mail: read and shown.

The server's password is a secret, and goes over TLS only, but to this machine itself. On port 587,
which is where mail is handed in, TLS is begun by STARTTLS whoever asks.

>>> read("ada@example.org; bob@example.org").addresses
('ada@example.org', 'bob@example.org')
>>> server = read_server("smtp://unrot:se%3Acret@mail.example.org")
>>> (server.port, server.password, server.needs_starttls, server.shown)
(587, 'se:cret', True, 'smtp://mail.example.org')
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

MOST_ADDRESSES = 10
MOST_CHARACTERS = 254
"""Of one address, as RFC 5321 has it."""
EXPECTED = f"at most {MOST_ADDRESSES} addresses such as ada@example.org, with commas between"
SERVER_EXPECTED = "an address such as smtp://user:password@mail.example.org:587, or smtps://…"
PORTS = {"smtp": 587, "smtps": 465}

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ADDRESS = re.compile(
    rf"[a-z0-9!#$%&'*+/=?^_`{{|}}~.-]{{1,64}}@{_LABEL}(?:\.{_LABEL})*", re.ASCII | re.IGNORECASE
)
"""Nothing that parts addresses, quotes or begins a line: what fits can stand in any header."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Those who are sent one message together."""

    addresses: tuple[str, ...]

    @property
    def shown(self) -> str:
        """What people and logs may see of it."""
        return ", ".join(self.addresses)


@dataclass(frozen=True, slots=True)
class MailServer:
    """Who takes mail from us."""

    is_secure: bool
    """TLS from the beginning."""
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def is_here(self) -> bool:
        """True on this very machine."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

    @property
    def needs_starttls(self) -> bool:
        """True where TLS is to be begun before anything is said."""
        is_to_be = self.port == PORTS["smtp"] or bool(self.user and not self.is_here)
        return is_to_be and not self.is_secure

    @property
    def shown(self) -> str:
        """What people and logs may see of it."""
        return f"{'smtps' if self.is_secure else 'smtp'}://{self.host}"


def read(text: str) -> Mailbox:
    """Read addresses with commas or spaces between; ValueError says what was expected."""
    found = tuple(dict.fromkeys(filter(None, re.split(r"[,;\s]+", text))))
    if not 1 <= len(found) <= MOST_ADDRESSES or not all(map(is_address, found)):
        raise ValueError(EXPECTED)
    return Mailbox(found)


def is_address(text: str) -> bool:
    """Tell whether it is an address that mail can be sent to, or from."""
    return len(text) <= MOST_CHARACTERS and _ADDRESS.fullmatch(text) is not None


def read_server(text: str) -> MailServer:
    """Read the address of a server; ValueError says what was expected."""
    try:
        parts = urlsplit(text)
        port, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise ValueError(SERVER_EXPECTED) from error
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    is_plain = (user + password).isprintable() and text.isprintable() and " " not in text
    has_more = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in PORTS or not host or port == 0 or has_more or not is_plain:
        raise ValueError(SERVER_EXPECTED)
    if bool(user) != bool(password):
        raise ValueError(f"both a user and a password, or neither: {SERVER_EXPECTED}")
    return MailServer(parts.scheme == "smtps", host, port or PORTS[parts.scheme], user, password)
