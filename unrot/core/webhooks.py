"""The address that findings are sent to: read, and shown to people without its secrets.

An address is `https://…` or `http://…`. One of Slack's is sent messages in Slack's shape, and so
is any that begins with `slack+`, because other chats take that shape too. What stands after the
host is a secret: who knows it may post.

>>> hook = read("https://hooks.slack.com/services/T0/B0/secret")
>>> (hook.host, hook.port, hook.is_slack, hook.shown)
('hooks.slack.com', 443, True, 'https://hooks.slack.com/…')
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

EXPECTED = "an address such as https://example.org/hook, or slack+https://… for Slack's shape"
SLACK = "slack+"
SLACK_HOST = "hooks.slack.com"
MOST_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where findings are sent."""

    is_secure: bool
    host: str
    port: int
    path: str
    is_slack: bool

    @property
    def shown(self) -> str:
        """What people and logs may see of it."""
        scheme = "https" if self.is_secure else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _port_of(scheme) else f":{self.port}"
        mark = SLACK if self.is_slack and self.host != SLACK_HOST else ""
        return f"{mark}{scheme}://{host}{port}/{'…' if len(self.path) > 1 else ''}"


def read(text: str) -> Webhook:
    """Read an address; ValueError says what was expected."""
    plain = text.removeprefix(SLACK)
    if len(text) > MOST_CHARACTERS or not text.isprintable() or " " in text:
        raise ValueError(EXPECTED)
    try:
        parts = urlsplit(plain)
        port, host = parts.port, _host_of(parts)
    except ValueError as error:
        raise ValueError(EXPECTED) from error
    if parts.scheme not in ("http", "https") or not host or not plain.isascii() or port == 0:
        raise ValueError(EXPECTED)
    if "@" in parts.netloc:
        raise ValueError("an address without a user name and password")
    return Webhook(
        is_secure=parts.scheme == "https",
        host=host,
        port=port or _port_of(parts.scheme),
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        is_slack=text.startswith(SLACK) or host == SLACK_HOST,
    )


def shown(text: str) -> str:
    """Write an address for people; empty where there is none."""
    if not text:
        return ""
    try:
        return read(text).shown
    except ValueError:
        return "…"


def _host_of(parts: SplitResult) -> str:
    return (parts.hostname or "").rstrip(".")


def _port_of(scheme: str) -> int:
    return 443 if scheme == "https" else 80
