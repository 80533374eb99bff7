"""Around Flask: all that is logged of a request carries its id, and so does the answer.

The answer carries it where the client brought one, where something was logged, and where the
answer comes in parts, of which something may be logged later. The fast lane does the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from unrot.core.request_ids import HEADER, RequestId, in_request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


SILENT = ("204", "304")


class IdentifiedApp:
    """The WSGI app with the ids of its requests."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        id = RequestId(environ.get("HTTP_X_REQUEST_ID"))

        def started(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            names = {name.lower() for name, _ in headers}
            comes_in_parts = "content-length" not in names and not status.startswith(SILENT)
            if (id.known or comes_in_parts) and HEADER.lower() not in names:
                headers = [*headers, (HEADER, id.tell())]
            return start_response(status, headers, *rest)

        with in_request(id):
            parts = self._app(environ, started)
        return _Parts(parts, id) if id.known else parts


class _Parts:
    """An answer in parts, each of which is made under the request's id."""

    def __init__(self, parts: Iterable[bytes], id: RequestId) -> None:
        self._parts, self._iterator, self._id = parts, iter(parts), id

    def __iter__(self) -> _Parts:
        return self

    def __next__(self) -> bytes:
        with in_request(self._id):
            return next(self._iterator)

    def close(self) -> None:
        """Let go of what makes them."""
        close = getattr(self._parts, "close", None)
        if close is not None:
            with in_request(self._id):
                close()
