"""What grows with what is kept: `make bench-growth`.

A real server on homes of growing size: stored events, models, features. Predict, vote, home page,
monitor page and a learn job are timed over HTTP on each, and an exponent is fitted for each: 0
where nothing grows, 1 where twice as much takes twice as long. Nothing on the path of a request may
grow with what is stored by more than 0.1. With the features of a row grows what is sent and scored.

    python -m bench.growth [most events]      a million; ten million take an hour
"""

from __future__ import annotations

import math
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import numpy as np
from sklearn.datasets import make_classification
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import unrot
from bench import watching
from bench.fleet import SECRET, Client, Machine, end_cleanly
from tests.conftest import JUDGE, OPERATOR
from unrot.cli.terminal import table
from unrot.core.ports import Store
from unrot.core.records import Fate, Model
from unrot.core.settings import Settings
from unrot.make.demos import zombies
from unrot.make.publishing import publish
from unrot.make.train import train
from unrot.run.bootstrap import open_service

MOST_EVENTS = 1_000_000
MODELS, FEATURES = (1, 10, 50, 200), (5, 20, 100, 500)
PREDICTED, VOTED, PAGES, LESSONS = 300, 150, 15, 3
LEARNT_BY = 20
"""Versions learnt the history; one a lesson would be as many as there are lessons."""
LIMIT = 0.1
NAME = "zombies"
Seconds = dict[str, float]


def main() -> None:
    end_cleanly()
    most = int(sys.argv[1]) if len(sys.argv) > 1 else MOST_EVENTS
    events = [10**power for power in range(3, round(math.log10(most)) + 1)]
    grown = {
        "stored events": (events, with_events),
        "models": (MODELS, with_models),
        "features": (FEATURES, with_features),
    }
    for what, (sizes, make) in grown.items():
        found = [_measured(make, size) for size in sizes]
        print(f"\n{what}\n\n{_told(sizes, found)}", flush=True)


def _measured(make: Callable[[Path, int], list[dict[str, Any]]], size: int) -> Seconds:
    with tempfile.TemporaryDirectory(prefix="unrot-growth-") as place:
        machine = Machine(Path(place) / "home", "")
        machine.home.mkdir()
        (machine.home / "secret-key").write_text(SECRET)
        rows = make(machine.home, size)
        machine.start()
        try:
            return ask_all(machine, rows)
        finally:
            machine.stop()


def _told(sizes: Sequence[int], found: Sequence[Seconds]) -> str:
    rows = [("ms", *(f"{size:,}" for size in sizes), "exponent")]
    for name in found[0]:
        seconds = [one[name] for one in found]
        times = [f"{one * 1e3:.2f}" for one in seconds]
        rows.append((name, *times, f"{exponent_of(sizes, seconds):+.2f}"))
    return table(rows)


def exponent_of(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """Return the power of the size that times follow.

    >>> exponent_of([1, 10, 100], [2.0, 20.0, 200.0])
    1.0
    """
    slope, _ = np.polyfit(np.log(sizes), np.log(seconds), 1)
    return round(float(slope), 3)


# ── what is asked ────────────────────────────────────────────────────────────────────────────


def ask_all(machine: Machine, rows: Sequence[dict[str, Any]]) -> Seconds:
    """Time each thing that people ask for."""
    client, judge = Client(machine), Client(machine)
    ids: list[str] = []

    def predict(number: int) -> None:
        code, told = client.ask(f"/models/{NAME}/predict", {"inputs": rows[number % len(rows)]})
        assert code == 200, told
        ids.append(told["id"])

    def vote(number: int) -> None:
        code, told = judge.ask("/feedback", {"id": ids[number], "was_correct": True}, JUDGE)
        assert code == 201, told

    found = {"predict": _timed(predict, PREDICTED), "vote": _timed(vote, VOTED)}
    page = _viewer(machine)
    found["home page"] = _timed(lambda _: page("/"), PAGES)
    found["monitor page"] = _timed(lambda _: page(f"/models/{NAME}/monitor"), PAGES)
    found["learn job"] = statistics.median([_lesson(machine, ids, at) for at in range(LESSONS)])
    return found


def _timed(ask: Callable[[int], object], times: int) -> float:
    """Return the median of the quicker half: what else the machine does only adds."""
    seconds = []
    for number in range(times):
        began = time.perf_counter()
        ask(number)
        seconds.append(time.perf_counter() - began)
    return statistics.median(sorted(seconds)[: (times + 1) // 2])


def _viewer(machine: Machine) -> Callable[[str], str]:
    """Sign in, and return what opens a page."""
    browser = build_opener(HTTPCookieProcessor())

    def opened(path: str, form: dict[str, str] | None = None) -> str:
        sent = None if form is None else urlencode(form).encode()
        with browser.open(machine.url + path, sent, timeout=60) as answer:
            assert answer.url == machine.url + path or form, answer.url
            text: str = answer.read().decode()
        return text

    csrf = re.search(r'name="csrf_token" value="([^"]+)"', opened("/login"))
    assert csrf is not None
    opened("/login", {"token": OPERATOR, "csrf_token": csrf.group(1)})
    return opened


def _lesson(machine: Machine, ids: Sequence[str], number: int) -> float:
    """Say that fifty answers were right or wrong, and let them be learnt."""
    client = Client(machine, 120)
    some = ids[VOTED + number * 50 :][:50]
    client.ask(
        "/feedback", [{"id": id, "correct": at % 2 == 0} for at, id in enumerate(some)], JUDGE
    )
    began = time.perf_counter()
    code, told = client.ask(f"/models/{NAME}/learn?wait=60", {}, OPERATOR)
    assert code == 200 and told["job"]["state"] == "done", (code, told)
    return time.perf_counter() - began


# ── what has grown ───────────────────────────────────────────────────────────────────────────


def with_events(home: Path, count: int) -> list[dict[str, Any]]:
    """Make a home with so many stored predictions of the last day, all judged and learnt."""
    candidate = train(zombies.load(), "sgd", _silent)
    app = watching.filled(home, count, candidate, time.time(), verdicts=count)
    store = watching.service_of(app).store
    _learn_all(store, count // LEARNT_BY + 1)
    store.close()
    return _zombies()


def _learn_all(store: Store, at_once: int) -> None:
    """Publish versions that learnt all, so many verdicts each, each made when it could be."""
    line = ["v1"]
    [first] = store.registry.versions(NAME)
    while waiting := store.lessons.waiting(NAME, line, at_once):
        told = [one.feedback for one in waiting if one.feedback is not None]
        fates = [Fate(one.prediction, "learnt", one.given_at) for one in told]
        version = replace(first, name="", parent=line[0], created_at=told[-1].given_at)
        more = {"gate": None, "job": None, "result": {}, "champion": line[0], "promote": True}
        made = store.lessons.publish(version, {}, fates=fates, **more)
        assert made is not None
        line.insert(0, made.name)


def with_models(home: Path, count: int) -> list[dict[str, Any]]:
    """Make a home with so many models."""
    data, candidate = zombies.load(), train(zombies.load(), "sgd", _silent)
    service = open_service(Settings(home=home))
    for number in range(count):
        name = NAME if number == 0 else f"{NAME}-{number}"
        model = Model(name, 0, data.title, data.description, data.schema, time.time())
        publish(service, model, replace(candidate))
    service.store.close()
    return _zombies()


def with_features(home: Path, count: int) -> list[dict[str, Any]]:
    """Make a home with a model of so many features."""
    rows, labels = make_classification(1_000, count, n_informative=4, n_redundant=0, random_state=1)
    names = [f"f{number}" for number in range(count)]
    named = [dict(zip(names, row, strict=True)) for row in rows.round(4).tolist()]
    estimator = make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss", random_state=1))
    held = (named[800:], labels[800:].tolist())
    estimator.fit(rows[:800], labels[:800])
    kept = Settings(home=home)
    unrot.add(NAME, estimator, named[:800], labels[:800].tolist(), holdout=held, settings=kept)
    return named[:200]


def _zombies() -> list[dict[str, Any]]:
    data = zombies.load()
    return [dict(zip(data.schema.names, row, strict=True)) for row in data.rows[:200].tolist()]


def _silent(_share: float, _step: str) -> None:
    return


if __name__ == "__main__":
    main()
