"""Answer at addresses that a platform chooses: each stands for one of ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class ReroutedApp:
    """An app behind some more addresses."""

    def __init__(self, app: WSGIApplication, routes: Mapping[str, str]) -> None:
        self._app, self._routes = app, routes

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        path = environ.get("PATH_INFO", "")
        return self._app({**environ, "PATH_INFO": self._routes.get(path, path)}, start_response)
