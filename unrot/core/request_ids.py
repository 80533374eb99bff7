"""The id of a request: in every line that is logged of it, and in its answer where there is one.

A client may bring its own; else one is made when something is logged, so that a request of which
there is nothing to say pays nothing.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

HEADER = "X-Request-Id"
is_sane = re.compile(r"[A-Za-z0-9._-]{1,64}").fullmatch


class RequestId:
    """The id of one request, which is made when it is first asked for."""

    __slots__ = ("known",)

    def __init__(self, given: str | None = None) -> None:
        self.known = given if given is not None and is_sane(given) else None

    def tell(self) -> str:
        """Return the id."""
        if self.known is None:
            self.known = secrets.token_hex(8)
        return self.known


_CURRENT: ContextVar[RequestId | None] = ContextVar("request id", default=None)


@contextmanager
def in_request(id: RequestId) -> Iterator[RequestId]:
    """Let all that is logged meanwhile carry an id."""
    token = _CURRENT.set(id)
    try:
        yield id
    finally:
        _CURRENT.reset(token)


def current() -> RequestId | None:
    """Return the id of the request that is being answered; None where none is."""
    return _CURRENT.get()
