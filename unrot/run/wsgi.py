"""A request that has been read whole, handed to a WSGI app, and what the app answers.

The environment is the one that gunicorn's own workers make: the same trust in what proxies say
of the scheme, the same headers dropped whose names a client could make look like others.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import IO, TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Header = tuple[str, str]
WHOLE_BYTES = 2**20
"""An answer of at most so many bytes is sent in one piece."""
SILENT = (204, 304)
ONE_OF_A_KIND = ("CONTENT_TYPE", "CONTENT_LENGTH", "HTTP_HOST")
"""The first of these counts, on both lanes."""


class Headers(Protocol):
    """What a client sent, by names in small letters."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return the first of a name."""

    def get_all(self, key: str) -> list[str]:
        """Return all of a name."""

    def items(self) -> list[Header]:
        """List all, those of one name too."""


class Head(Protocol):
    """Everything of a request but its body."""

    @property
    def method(self) -> str:
        """GET, POST …"""

    @property
    def path(self) -> str:
        """Without the query, decoded."""

    @property
    def query_string(self) -> str:
        """As it was sent."""

    @property
    def http_version(self) -> str:
        """1 or 1.1."""

    @property
    def client(self) -> str:
        """Address and port; of a unix socket neither."""

    @property
    def server(self) -> str:
        """Address and port."""

    @property
    def headers(self) -> Headers:
        """What the client sent before the body."""


class Sink(Protocol):
    """Where an answer goes."""

    def send(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        """Answer in one piece."""

    def stream(self, status: int, headers: Sequence[Header], parts: Iterable[bytes]) -> None:
        """Answer piece by piece, as fast as the client takes it."""


@dataclass(frozen=True)
class Trust:
    """What proxies may say of a request, from gunicorn's settings."""

    proxies: frozenset[str]
    secure: Mapping[str, str]
    """The headers that say that the client came by https, each with the value that says so."""

    def scheme(self, address: str, environ: Mapping[str, Any]) -> str:
        """Return whether the client came by http or https."""
        if "*" not in self.proxies and address not in self.proxies and address:
            return "http"
        said = [
            environ.get(name) == value for name, value in self.secure.items() if name in environ
        ]
        return "https" if said and all(said) else "http"


def environ_of(head: Head, body: IO[bytes], trust: Trust) -> dict[str, Any]:
    """Write a request as PEP 3333 wants it."""
    address, port = parted(head.client)
    server, server_port = parted(head.server)
    script = os.environ.get("SCRIPT_NAME", "")
    path = head.path.encode("utf-8").decode("latin-1")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": head.method,
        "SCRIPT_NAME": script,
        "PATH_INFO": path.removeprefix(script),
        "QUERY_STRING": head.query_string,
        "SERVER_NAME": server or "localhost",
        "SERVER_PORT": server_port or "80",
        "SERVER_PROTOCOL": f"HTTP/{head.http_version}",
        "REMOTE_ADDR": address,
        "REMOTE_PORT": port,
        "wsgi.version": (1, 0),
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **_of_headers(head.headers.items()),
    }
    environ["wsgi.url_scheme"] = trust.scheme(address, environ)
    return environ


def parted(place: str) -> tuple[str, str]:
    """Part an address from its port; both are empty for a unix socket.

    >>> parted("[::1]:80"), parted("10.0.0.7:5000"), parted("unix:/run/app")
    (('::1', '80'), ('10.0.0.7', '5000'), ('', ''))
    """
    address, _, port = place.rpartition(":")
    if not port.isdecimal():
        return "", ""
    return address.strip("[]"), port


def _of_headers(headers: Iterable[Header]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers:
        if "_" in name:
            continue  # It would look like the header with - for _, which a proxy may have set.
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        if key not in found:
            found[key] = value
        elif key not in ONE_OF_A_KIND:
            found[key] += f",{value}"
    return found


def call_app(
    app: WSGIApplication, environ: dict[str, Any], sink: Sink, get_on: Callable[[], None]
) -> None:
    """Let the app answer; `get_on` is called with each part of an answer that comes in parts."""
    begun: list[Any] = []

    def start_response(status: str, headers: list[Header], _error: Any = None) -> Any:
        begun[:] = [int(status[:3]), [_plain(header) for header in headers]]
        return _no_write

    parts = app(environ, start_response)
    try:
        pieces = iter(parts)
        # An app may begin its answer when the first piece is asked for.
        first = next(pieces, b"")
        status, headers = begun
        pieces = chain((first,), pieces)
        if _is_small(environ, status, headers):
            sink.send(status, headers, b"".join(pieces))
        else:
            sink.stream(status, headers, _noted(pieces, get_on))
    finally:
        with suppress(AttributeError):
            parts.close()  # type: ignore[attr-defined]


def _noted(parts: Iterable[bytes], get_on: Callable[[], None]) -> Iterator[bytes]:
    for part in parts:
        get_on()
        yield part


def _is_small(environ: Mapping[str, Any], status: int, headers: Sequence[Header]) -> bool:
    if environ["REQUEST_METHOD"] == "HEAD" or status in SILENT:
        return True
    lengths = [value for name, value in headers if name.lower() == "content-length"]
    return bool(lengths) and int(lengths[0]) <= WHOLE_BYTES


def _plain(header: Header) -> Header:
    """Write a header in the letters that HTTP has: a server would end for any other."""
    name, value = header
    return name, value if value.isascii() else value.encode("ascii", "replace").decode()


def _no_write(_data: bytes) -> None:
    raise NotImplementedError("This server takes an answer only as what the app returns.")
