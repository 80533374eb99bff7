"""What a web worker counts as it goes: requests, predictions, verdicts, a store that is away.

The children of a metric are looked up once and kept: a prediction pays a few microseconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from flask import Request
from prometheus_client import Counter, Histogram

from unrot.core.records import FeedbackStatus
from unrot.web.metrics import catalogue

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"))
UNMATCHED = "unmatched"
MOST_VERSIONS = 2_000
"""Of more than these a process counts no predictions: a label for each would fill its file."""


class WorkerCounts:
    """Counts what the service tells."""

    def __init__(self) -> None:
        self._predicted: dict[tuple[str, str], Counter] = {}
        self._guard = threading.Lock()

    def predicted(self, model: str, version: str, rows: int) -> None:
        """Count rows that were answered."""
        counter = self._predicted.get((model, version)) or self._new(model, version)
        if counter is not None:
            counter.inc(rows)

    def judged(self, model: str, became: FeedbackStatus | Literal["unverified"]) -> None:
        """Count a verdict by what became of it."""
        catalogue.VERDICTS.labels(model, became).inc()

    def store_failed(self) -> None:
        """Count a question or a change that the store did not take."""
        catalogue.STORE_ERRORS.inc()

    def _new(self, model: str, version: str) -> Counter | None:
        with self._guard:
            if len(self._predicted) >= MOST_VERSIONS:
                return None
            counter = catalogue.PREDICTIONS.labels(model, version)
            self._predicted[model, version] = counter
            return counter


class CountedApp:
    """The WSGI app with its requests counted: around Flask, whose own hooks cost twice as much."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, and count it by the template of its address."""
        status, route = "500", UNMATCHED

        def started(said: str, *rest: Any) -> Any:
            nonlocal status, route
            # Flask takes its request away when it has answered: here it still is.
            status, route = said, _route(environ)
            return start_response(said, *rest)

        catalogue.IN_PROGRESS.inc()
        began = time.perf_counter()
        try:
            return self._app(environ, started)
        finally:
            seconds = time.perf_counter() - began
            catalogue.IN_PROGRESS.dec()
            answered, took = _children(route, _method(environ), status[0])
            answered.inc()
            took.observe(seconds)


def _route(environ: WSGIEnvironment) -> str:
    request: Request | None = environ.get("werkzeug.request")
    rule = request.url_rule if request is not None else None
    return rule.rule if rule is not None else UNMATCHED


def _method(environ: WSGIEnvironment) -> str:
    method: str = environ["REQUEST_METHOD"]
    return method if method in METHODS else "other"


@cache
def _children(route: str, method: str, hundreds: str) -> tuple[Counter, Histogram]:
    return catalogue.REQUESTS.labels(route, method, f"{hundreds}xx"), catalogue.SECONDS.labels(
        route
    )
