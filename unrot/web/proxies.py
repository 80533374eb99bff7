"""What the proxies before us say of a request: each writes behind what it was told itself.

So what counts is read from the end, by commas alone. A quote that a client opens is no quote here:
it would swallow what the proxies wrote behind it, and whoever has no address would be this machine.

>>> said_by("203.0.113.9", 1), said_by('"203.0.113.9, 198.51.100.7', 1), said_by("", 1)
('203.0.113.9', '198.51.100.7', None)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.middleware.proxy_fix import ProxyFix

from unrot.core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication

NOBODY_KNOWS = "unknown"
"""The address of whoever comes over a socket of this machine, and no proxy says from where."""


def said_by(value: str | None, proxies: int) -> str | None:
    """Return what the outermost of so many proxies wrote into a header."""
    parts = [part.strip() for part in (value or "").split(",")]
    return (parts[-proxies] or None) if len(parts) >= proxies else None


class Proxies(ProxyFix):
    """Takes the word of so many proxies, read as above."""

    def _get_real_value(self, trusted: int, value: str | None) -> str | None:
        return said_by(value, trusted) if trusted else None

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Go on with who asks, by which scheme and host."""
        environ["REMOTE_ADDR"] = environ.get("REMOTE_ADDR") or NOBODY_KNOWS
        return super().__call__(environ, start_response)


def behind_proxies(app: WSGIApplication, settings: Settings) -> Proxies:
    """Put an app behind the proxies that are trusted.

    What they say of the address and scheme is believed; of the host where a setting says that they
    say it; of a port or a prefix of paths never.
    """
    count = settings.trusted_proxies
    host = count if settings.forwarded_host else 0
    return Proxies(app, x_for=count, x_proto=count, x_host=host, x_port=0, x_prefix=0)
