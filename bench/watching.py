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
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from unrot.app import create_app
from unrot.cli.terminal import Progress, table
from unrot.core.records import Candidate, Feedback, Model, Prediction, Shipment
from unrot.core.rules import Rules
from unrot.core.settings import Settings
from unrot.make.demos import zombies
from unrot.make.publishing import publish
from unrot.make.train import train
from unrot.serve.service import Service
from unrot.watch.monitors.rot import look as rot
from unrot.watch.reports import accuracy, overview
from unrot.watch.visit import Visit
from unrot.web import spans
from unrot.web.masked import masked

FEW, MANY = 10_000, 10_000_000
VERDICTS = 100_000
"""So many of the events are judged at most, unless more are asked for; all of the few are."""
ROWS_AT_ONCE, VERDICTS_AT_ONCE = 1_000, 100
ROUNDS = 25
LIMIT = 1.5
DAY = 86_400
TOKEN = "bench"


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
        csrf = masked(session["csrf"])
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


def filled(
    home: Path, events: int, candidate: Candidate, now: float, verdicts: int = VERDICTS
) -> Flask:
    """Make an app whose store holds so many events of the last day."""
    app = create_app(Settings(home=home, viewer_token=TOKEN))
    service, data = service_of(app), zombies.load()
    model = Model(data.name, 0, data.title, data.description, data.schema, now - DAY)
    publish(service, model, candidate)
    progress = Progress(f"{events:,} events")
    _fill(service, events, now, progress, max(1, events // verdicts))
    progress.close()
    return app


def _fill(service: Service, events: int, now: float, progress: Progress, every: int) -> None:
    """Ship events as a caretaker would, a minute's rows and their verdicts at once.

    One of so many (`every`) is judged.
    """
    first, apart = (now - DAY) // 60 * 60 + 60, (DAY - 120) / events
    for start in range(0, events, ROWS_AT_ONCE):
        rows = [
            _row(service, number, first + number * apart)
            for number in range(start, min(start + ROWS_AT_ONCE, events))
        ]
        told = [
            _verdict(made, number, every)
            for number, made in enumerate(rows, start)
            if number % every == 0
        ]
        for place in range(0, max(len(told), 1), VERDICTS_AT_ONCE):
            brought = rows if place == 0 else []
            some = told[place : place + VERDICTS_AT_ONCE]
            shipment = Shipment(f"{start}-{place}", 0, 1, "bench", brought, some)
            service.store.traffic.ship(shipment)
        progress(0.9 * (start + len(rows)) / events, f"{start + len(rows):,} written")
    while service.store.verdicts.count_new(10_000):
        continue
    # One verdict comes a day late: the newest ones are of predictions of the whole day.
    late = _verdict(_row(service, 0, first), 0, every)
    service.store.verdicts.put([replace(late, given_at=now, was_correct=not late.was_correct)])
    service.store.verdicts.count_new(10)
    list(rot.look(Visit(service, service.catalogue().model("zombies"), Rules(), now)))


def _row(service: Service, number: int, at: float) -> Prediction:
    which = number % 2
    return Prediction(
        id=service.ids.make(at=at, segment=b"bench", row=number, model_number=1, class_index=which),
        model="zombies",
        version="v1",
        predicted_at=at,
        inputs=[(number * 7919 % 2000) / 1000 - 1, 0.1, 0.2, (number * 31 % 500) / 100],
        label=("hostile", "friendly")[which],
        probabilities=[0.75, 0.25],
        value=None,
        seconds=0.0001,
    )


def _verdict(made: Prediction, number: int, every: int) -> Feedback:
    is_right = number // every % 10 != 0
    at = made.predicted_at
    return Feedback(made.id or "", "zombies", float(int(at)), at + 1, is_right, judge="ada")


if __name__ == "__main__":
    main()
