"""What the data of the monitor page costs over many events: `make bench-watching`.

Two stores are filled with the predictions of one day, ten thousand in one and ten million in the
other (some four gigabytes in a folder that is removed again), with verdicts and windows. Then
each question that pages and API ask is timed on both in turn, in one process and one run, so that
the ratio holds on any machine; it has to be at most 1.5 for each of them.

    python -m bench.watching [events] [folder]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from unrot.app import create_app
from unrot.cli.terminal import Progress, table
from unrot.core import confidence, latency
from unrot.core.records import Candidate, Model, Window
from unrot.core.rules import Rules
from unrot.core.settings import Settings
from unrot.make.demos import zombies
from unrot.make.publishing import publish
from unrot.make.train import train
from unrot.serve.service import Service
from unrot.store.sql import SqlStore, windows
from unrot.store.sql.database import Transaction
from unrot.watch.monitors.rot import look as rot
from unrot.watch.reports import accuracy, overview
from unrot.watch.visit import Visit
from unrot.web import spans

FEW, MANY = 10_000, 10_000_000
VERDICTS = 100_000
"""So many of the events are judged at most; all of the few are."""
ROWS_AT_ONCE = 250_000
ROUNDS = 25
LIMIT = 1.5
DAY, MINUTES = 86_400, 1_440
TOKEN = "bench"

_PREDICTIONS = """
    WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
    INSERT INTO predictions (id, model, version, predicted_at, inputs, label, probabilities, value,
        seconds, confidence, writer)
    SELECT printf('%032d', i), 'zombies', 'v1', ? + i * ?,
        printf('[%.3f,0.1,0.2,%.3f]', (i * 7919 % 2000) / 1000.0 - 1, (i * 31 % 500) / 100.0),
        CASE i % 2 WHEN 0 THEN 'hostile' ELSE 'friendly' END, '[0.75,0.25]', NULL, 0.0001, 0.75,
        'bench'
    FROM n
"""
_VERDICTS = """
    WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + ? FROM n WHERE i + ? < ?)
    INSERT INTO feedback (prediction, model, predicted_at, given_at, was_correct, label, value,
        comment, judge, subject, withdrawn, counted)
    SELECT printf('%032d', i), 'zombies', ? + i * ?, ? + i * ? + 1,
        i / ? % 10 <> 0, NULL, NULL, '', 'ada', '',
        0, 0
    FROM n
"""

_LATE = "UPDATE feedback SET given_at = ? WHERE prediction = ?"


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    folder = sys.argv[2] if len(sys.argv) > 2 else None
    candidate = train(zombies.load(), "tree", lambda _share, _step: None)
    now = time.time()
    with tempfile.TemporaryDirectory(dir=folder) as place:
        apps = [filled(Path(place) / str(events), events, candidate, now) for events in (FEW, many)]
        rows = [("question", f"{FEW:,}", f"{many:,}", "ratio")]
        for name, question in QUESTIONS.items():
            few, lots = measured([partial(question, app, now) for app in apps])
            mark = "" if lots / few <= LIMIT else f" over {LIMIT}"
            times = (f"{few * 1e3:.2f} ms", f"{lots * 1e3:.2f} ms")
            rows.append((name, *times, f"{lots / few:.2f}{mark}"))
        for app in apps:
            service_of(app).store.close()
    print(table(rows))


# ── what is asked ────────────────────────────────────────────────────────────────────────────


def service_of(app: Flask) -> Service:
    """Return the service of an app."""
    service: Service = app.extensions["unrot"]
    return service


def over_time(app: Flask, now: float) -> Any:
    """The day in steps of ten minutes."""
    return accuracy.over_time(service_of(app), "zombies", since=now - DAY, until=now, step=600)


def rolling(app: Flask, now: float) -> Any:
    """Accuracy over the last 50 verdicts."""
    del now
    return accuracy.rolling(service_of(app), "zombies")


def by_version(app: Flask, now: float) -> Any:
    """The day, version by version."""
    return accuracy.versions(service_of(app), "zombies", since=now - DAY, until=now)


def classes(app: Flask, now: float) -> Any:
    """The confusion of the day."""
    return accuracy.classes(service_of(app), "zombies", since=now - DAY, until=now)


def slices(app: Flask, now: float) -> Any:
    """The newest judged rows by one feature."""
    del now
    return accuracy.slices(service_of(app), "zombies", "decay")


def marks(app: Flask, now: float) -> Any:
    """What was done to the model."""
    return accuracy.marks(service_of(app), "zombies", since=now - DAY, until=now)


def look_for_rot(app: Flask, now: float) -> Any:
    """A look of the lookout after a new verdict; all before were gone through once."""
    service = service_of(app)
    stood = service.store.findings.standpoint("zombies", rot.MONITOR)
    service.store.findings.stand("zombies", rot.MONITOR, {**stood, "mark": []})
    return list(rot.look(Visit(service, service.catalogue().model("zombies"), Rules(), now)))


def condition_of_day(app: Flask, now: float) -> Any:
    """All that the monitor page shows of a day."""
    asked = spans.of_range(spans.DEFAULT, now)
    return overview.condition(service_of(app), "zombies", asked.span)


def today(app: Flask, now: float) -> Any:
    """What the card of a model says."""
    del now
    return service_of(app).today("zombies")


def page(path: str, **headers: str) -> Callable[[Flask, float], Any]:
    """A page as a viewer sees it who has signed in, whole."""

    def ask(app: Flask, now: float) -> Any:
        del now
        answer = viewer(app).get(path, headers=headers)
        assert answer.status_code == 200, (path, answer.status)
        return answer.data

    return ask


@cache
def viewer(app: Flask) -> FlaskClient:
    """Sign in, once for each app."""
    client = app.test_client()
    client.get("/login")
    with client.session_transaction() as session:
        csrf = session["csrf"]
    answer = client.post("/login", data={"token": TOKEN, "csrf_token": csrf})
    assert answer.status_code == 303, answer.text
    return client


def api(path: str) -> Callable[[Flask, float], Any]:
    """An answer of the API, whole."""

    def ask(app: Flask, now: float) -> Any:
        del now
        answer = app.test_client().get(
            f"/api/v1/models/zombies/{path}", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        assert answer.status_code == 200, answer.json
        return answer.data

    return ask


QUESTIONS: dict[str, Callable[[Flask, float], Any]] = {
    "over time": over_time,
    "rolling": rolling,
    "by version": by_version,
    "classes": classes,
    "slices": slices,
    "marks": marks,
    "look for rot": look_for_rot,
    "condition": condition_of_day,
    "today": today,
    "GET accuracy": api("accuracy?slice=decay"),
    "GET windows": api("windows"),
    "GET monitor page": page("/models/zombies/monitor?range=day"),
    "its fragments": page("/models/zombies/monitor?range=day", **{"X-Fragment": "1"}),
    "GET home page": page("/"),
    "GET model page": page("/models/zombies"),
}


def measured(questions: list[Callable[[], Any]], rounds: int = ROUNDS) -> list[float]:
    """Time questions round by round, each the first one in its turn; return the seconds of each.

    What else the machine does only ever adds time, some milliseconds at once. So it is the median
    of the quicker half of the rounds.
    """
    seconds: list[list[float]] = [[] for _ in questions]
    pairs = list(zip(questions, seconds, strict=True))
    for round in range(rounds):
        for question, told in pairs if round % 2 else reversed(pairs):
            started = time.perf_counter()
            question()
            told.append(time.perf_counter() - started)
    return [statistics.median(sorted(told)[: (rounds + 1) // 2]) for told in seconds]


# ── what is filled ───────────────────────────────────────────────────────────────────────────


def filled(home: Path, events: int, candidate: Candidate, now: float) -> Flask:
    """Make an app whose store holds so many events of the last day."""
    app = create_app(Settings(home=home, viewer_token=TOKEN))
    service, data = service_of(app), zombies.load()
    model = Model(data.name, 0, data.title, data.description, data.schema, now - DAY)
    publish(service, model, candidate)
    progress = Progress(f"{events:,} events")
    _fill(service, events, now, progress)
    progress.close()
    return app


def _fill(service: Service, events: int, now: float, progress: Progress) -> None:
    store, first, apart = service.store, (now - DAY) // 60 * 60 + 60, (DAY - 120) / events
    assert isinstance(store, SqlStore)
    every = max(1, events // VERDICTS)
    for start in range(0, events, ROWS_AT_ONCE):
        end = min(start + ROWS_AT_ONCE, events)
        store._database.write(lambda tx: _insert(tx, start, end, every, first, apart))  # noqa: B023
        progress(0.9 * end / events, f"{end:,} written")
    store._database.write(lambda tx: windows.put(tx, _windows(events, int(first) // 60)))
    # One verdict comes a day late: the newest ones are of predictions of the whole day.
    store._database.write(lambda tx: tx.execute(_LATE, (now, "0" * 32)))
    counted = 0
    while bite := store.verdicts.count_new(100_000):
        counted += bite
        progress(0.9 + 0.1 * counted / (events / every), f"{counted:,} verdicts counted")
    list(rot.look(Visit(service, service.catalogue().model("zombies"), Rules(), now)))


def _insert(tx: Transaction, start: int, end: int, every: int, first: float, apart: float) -> None:
    tx.execute(_PREDICTIONS, (start, end, first, apart))
    judged = -(-start // every) * every
    if judged < end:
        tx.execute(_VERDICTS, (judged, every, every, end, first, apart, first, apart, every))


def _windows(events: int, first: int) -> list[Window]:
    a_minute = events // MINUTES
    took, sure = [0] * latency.BINS, [0] * confidence.BINS
    took[latency.place(0.0001)] = sure[confidence.place(0.75)] = a_minute
    return [
        Window(
            minute,
            "zombies",
            "v1",
            "bench",
            predictions=a_minute,
            latency=tuple(took),
            confidence=tuple(sure),
        )
        for minute in range(first, first + MINUTES - 2)
    ]


if __name__ == "__main__":
    main()
