"""What a web worker counts as it goes: requests, predictions, verdicts, a store that is away.

The children of a metric are looked up once and kept, and what happens often is gathered first: a
prediction pays less than a microsecond.
"""

from __future__ import annotations

import atexit
import threading
import time
from bisect import bisect_left
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
FLUSH_SECONDS = 0.5
BOUNDS = catalogue.SECOND_BOUNDS


class Gathered:
    """Counts in plain numbers what happens thousands of times a second.

    A counter of prometheus_client costs more than the whole of this; so they are told twice a
    second, and before a scrape. A worker that is killed loses the last half of a second of counts.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._amounts: dict[Counter, float] = {}
        self._requests: dict[tuple[str, str, int], list[float]] = {}
        self._is_due = False

    def add(self, counter: Counter, amount: float) -> None:
        """Count some more."""
        with self._guard:
            self._amounts[counter] = self._amounts.get(counter, 0.0) + amount
            self._wake()

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answer: its number among those as quick, and how long it took."""
        key = route, method, status // 100
        with self._guard:
            counts = self._requests.get(key)
            if counts is None:
                counts = self._requests[key] = [0.0] * (len(BOUNDS) + 2)
            counts[bisect_left(BOUNDS, seconds)] += 1.0
            counts[-1] += seconds
            self._wake()

    def flush(self) -> None:
        """Tell the metrics."""
        with self._guard:
            amounts, self._amounts = self._amounts, {}
            requests, self._requests = self._requests, {}
            self._is_due = False
        for counter, amount in amounts.items():
            counter.inc(amount)
        for (route, method, hundreds), counts in requests.items():
            answered, took = _children(route, method, str(hundreds))
            answered.inc(sum(counts[:-1]))
            _observe(took, counts)

    def _wake(self) -> None:
        if not self._is_due:
            self._is_due = True
            timer = threading.Timer(FLUSH_SECONDS, self.flush)
            timer.daemon = True
            timer.start()


def _observe(took: Any, counts: list[float]) -> None:
    """Add many observations at once, which prometheus_client has no call for."""
    for bucket, count in zip(took._buckets, counts[:-1], strict=True):
        if count:
            bucket.inc(count)
    took._sum.inc(counts[-1])


class WorkerCounts:
    """Counts what the service tells."""

    def __init__(self) -> None:
        self._predicted: dict[tuple[str, str], Counter] = {}
        self._guard = threading.Lock()

    def predicted(self, model: str, version: str, rows: int) -> None:
        """Count rows that were answered."""
        counter = self._predicted.get((model, version)) or self._new(model, version)
        if counter is not None:
            GATHERED.add(counter, rows)

    def judged(self, model: str, became: FeedbackStatus | Literal["unverified", "signal"]) -> None:
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


GATHERED = Gathered()
"""One for each process, as the metrics are."""
atexit.register(GATHERED.flush)
