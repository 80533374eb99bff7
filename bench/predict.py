"""What a prediction costs beside an answer that does nothing: `make bench`.

All rows are timed in turn in one process and one run, through the whole WSGI app, so that the
ratios hold on any machine; the absolute times move with it.
"""

from __future__ import annotations

import io
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from unrot.app import create_app
from unrot.core.records import Model
from unrot.core.settings import Settings
from unrot.make import artefacts
from unrot.make.demos import zombies
from unrot.make.publishing import publish
from unrot.make.train import train

ROUNDS = 15
CALLS = 400


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(home=Path(folder)))
        service = app.extensions["unrot"]
        data = zombies.load()
        model = Model(data.name, 0, data.title, data.description, data.schema, time.time())
        version = publish(service, model, train(data, "mlp", lambda _done, _step: None))
        estimator = artefacts.load(service.store.registry.artefact(version.artefacts["skops"]))

        row = dict(zip(data.schema.names, data.rows[0].tolist(), strict=True))
        body = orjson.dumps({"inputs": row})
        table = np.array([list(row.values())])
        head = Head("/api/v1/models/zombies/predict", {"content-type": "application/json"})
        timed: dict[str, Callable[[], Any]] = {
            "GET health (Flask alone)": lambda: ask(app, "GET", "/api/v1/health", b""),
            "POST predict, one row": lambda: ask(
                app, "POST", "/api/v1/models/zombies/predict", body
            ),
            "the same by the fast lane": lambda: by_fast_lane(app, head, body),
            "service.predict, one row": lambda: service.predict("zombies", row),
            "scikit-learn predict_proba": lambda: estimator.predict_proba(table),
        }
        medians = measure(timed)
        service.store.close()
    unit = medians["GET health (Flask alone)"]
    print(f"{'':30} {'µs':>8} {'ratio':>7}")
    for name, seconds in medians.items():
        print(f"{name:30} {seconds * 1e6:8.1f} {seconds / unit:7.2f}")


@dataclass(frozen=True)
class Head:
    """What the fast lane asks of a request before its body."""

    path: str
    headers: dict[str, str]
    method: str = "POST"
    query_string: str = ""
    scheme: str = "http"
    client: str = "127.0.0.1:50000"

    def __post_init__(self) -> None:
        self.headers["host"] = "localhost"


def by_fast_lane(app: Any, head: Head, body: bytes) -> Any:
    """Answer as the server does once the body has arrived."""
    return app.extensions["fast_lane"].find(head).answer_now(body)


def measure(timed: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Time each in turn, round by round; return the median seconds of a call."""
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(ROUNDS):
        for name, call in timed.items():
            started = time.perf_counter()
            for _ in range(CALLS):
                call()
            seconds[name].append((time.perf_counter() - started) / CALLS)
    return {name: statistics.median(found) for name, found in seconds.items()}


def ask(app: Any, method: str, path: str, body: bytes) -> bytes:
    """Call the WSGI app as gunicorn does."""
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "5000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    return b"".join(app(environ, lambda *_: None))


if __name__ == "__main__":
    main()
