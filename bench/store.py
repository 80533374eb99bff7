"""What the store costs, and the caretaker before it: `make bench-store`, the *now* of
docs/performance.md.

SQLite in a folder that is removed again. All is the processor's time, which a busy machine spares
more than the clock's, and the first quartile of many in one run. A disk that is slow to say that it
has what it was given is not in it.

    python -m bench.store [predictions]
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import make_classification

from unrot.app import create_app
from unrot.cli.terminal import table
from unrot.core.dataset import Dataset, cut
from unrot.core.ids import Ids
from unrot.core.records import Feature, Feedback, Model, Prediction, Schema, Shipment
from unrot.core.settings import Settings
from unrot.core.table import Table
from unrot.make.publishing import publish
from unrot.make.train import train
from unrot.run.cabinet import Cabinet
from unrot.run.caretaker import Caretaker
from unrot.serve import events
from unrot.serve.service import Service
from unrot.store.engine import SqlStore
from unrot.store.sqlite import SqliteDatabase
from unrot.watch.profiles.keeper import BUFFERED_ROWS

FEATURES, START, SEGMENT = 13, 1.7e9, b"12345"
UPTIME = 40_000.0
"""A clock that counts seconds since the machine was started is read to a part of a nanosecond."""

A_SECOND = 500
"""Predictions a second."""
SCHEMA = Schema(tuple(Feature(f"f{at}", "number") for at in range(FEATURES)), "t", ("a", "b"))
IN_A_ROUND, ROUNDS, TURNS = 4_000, BUFFERED_ROWS // 4_000, 3
"""Of so many rounds together one has a profile to write."""


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        shipped(folder / "empty", [], 1)[0].close()
        empty = size_of(folder / "empty")
        lines = [("", "now")]
        for decimals, said in ((None, "full precision"), (2, "two decimals")):
            made = list(predictions(count, decimals))
            store, spent = shipped(folder / said, made, 1_000)
            store.close()  # which puts the log away
            size = (size_of(folder / said) - empty) / count
            lines.append((f"disk, numbers of {said}", f"{size:.0f} bytes a prediction"))
            if decimals is None:
                lines.append(("shipping 1,000 rows a commit", f"{spent:.1f} µs of CPU a row"))
                store.check()
                lines += asked(store, made)
                store.close()
        some = list(predictions(count // 5, None))
        store, spent = shipped(folder / "small", some, 20)
        lines.append(("shipping 20 rows a commit", f"{spent:.1f} µs of CPU a row"))
        store.close()
        lines += looked_after(folder / "home")
    print(table(lines))


def predictions(count: int, decimals: int | None) -> Iterator[Prediction]:
    """Make predictions as a worker does."""
    ids, chance = Ids(b"bench"), np.random.default_rng(0)
    for row in range(count):
        inputs = chance.normal(size=FEATURES)
        likely, at = float(chance.uniform(0.5, 1)), START + row / A_SECOND
        yield Prediction(
            ids.make(at=at, segment=SEGMENT, row=row, model_number=1, class_index=row % 2),
            "m",
            "v1",
            at,
            (inputs if decimals is None else inputs.round(decimals)).tolist(),
            "ab"[row % 2],
            [likely, 1 - likely],
            None,
            UPTIME + float(chance.uniform(1e-5, 1e-4)) - UPTIME,
        )


def shipped(folder: Path, made: Sequence[Prediction], at_once: int) -> tuple[Cabinet, float]:
    """Ship predictions, as the caretaker has them; return the store and microseconds a row."""
    folder.mkdir()
    store = Cabinet(SqlStore(SqliteDatabase(folder / "unrot.db")))
    store.prepare()
    store.registry.add_model(Model("m", 0, "", "", SCHEMA, 0.0))
    parts = [
        events.from_lines(b"".join(map(line_of, made[at : at + at_once]))).predictions
        for at in range(0, len(made), at_once)
    ]
    gc.collect()
    gc.freeze()  # what was made here is not the store's to walk through
    at, took = 0, [0.0]
    for part in parts:
        began = time.process_time()
        store.traffic.ship(Shipment(SEGMENT.hex(), at, at + len(part), "me", part))
        took.append((time.process_time() - began) * 1e6 / len(part))
        at += len(part)
    return store, quartile(took[1:] or took)


def line_of(made: Prediction) -> bytes:
    """Write the line of a request for one row, as a worker does."""
    alike = {name: getattr(made, name) for name in ("model", "version", "predicted_at", "seconds")}
    columns = {
        "ids": [made.id],
        "inputs": Table(np.array([made.inputs])),
        "labels": [made.label],
        "probabilities": Table(np.array([made.probabilities])),
        "values": None,
    }
    return events.to_lines_of_rows(alike, columns)


def quartile(took: Sequence[float]) -> float:
    """Return the first quartile of some times."""
    return sorted(took)[len(took) // 4]


def size_of(folder: Path) -> int:
    """Return how many bytes the files of a store have."""
    return sum(file.stat().st_size for file in folder.iterdir())


def asked(store: Cabinet, made: Sequence[Prediction]) -> list[tuple[str, str]]:
    """Judge a tenth, and ask what pages ask."""
    verdicts = [
        Feedback(one.id or "", "m", int(one.predicted_at), one.predicted_at + 5, was_correct=True)
        for one in made[::10]
    ]
    alone = milliseconds(iter(verdicts[:300]), lambda one: store.verdicts.put([one]))
    for at in range(300, len(verdicts), 100):
        store.verdicts.put(verdicts[at : at + 100])
    began, counted = time.process_time(), 0
    while some := store.verdicts.count_new(1_000):
        counted += some
    each = (time.process_time() - began) * 1e6 / max(1, counted)
    middle = made[len(made) // 2]
    before = (middle.predicted_at, middle.id or "")
    chance = np.random.default_rng(1).integers(len(made), size=300).tolist()
    traffic = store.traffic
    questions: dict[str, float] = {
        "a verdict, committed": alone,
        "the newest 50 predictions": milliseconds(
            range(40), lambda _: traffic.recent("m", limit=50)
        ),
        "50 predictions from the middle": milliseconds(
            range(40), lambda _: traffic.recent("m", limit=50, before=before)
        ),
        "one prediction by its id": milliseconds(
            chance, lambda at: traffic.prediction(made[at].id or "")
        ),
        "5,000 rows for the explorer": milliseconds(
            range(8),
            lambda _: traffic.of_period("m", since=0, until=1e12, judged_only=False, limit=5_000),
        ),
        "2,000 outcomes": milliseconds(range(8), lambda _: traffic.outcomes("m", limit=2_000)),
    }
    told = [(name, f"{took:.2f} ms") for name, took in questions.items()]
    return [*told, ("counting a verdict into its window", f"{each:.0f} µs")]


def milliseconds(given: Any, ask: Callable[[Any], Any]) -> float:
    """Ask with each that is given; return the first quartile of the times."""
    took = []
    for one in given:
        began = time.process_time()
        ask(one)
        took.append((time.process_time() - began) * 1e3)
    return quartile(took)


# ── the caretaker ────────────────────────────────────────────────────────────────────────────


def looked_after(home: Path) -> list[tuple[str, str]]:
    """Let a caretaker bring the journal of a busy worker into the store."""
    rows, numbers = make_classification(
        n_samples=8_000, n_features=FEATURES, n_informative=8, random_state=3
    )
    labels = np.array(SCHEMA.classes)[numbers]
    parts = cut(rows[:4_000], labels[:4_000], holdout=0.3, seed=0)
    data = Dataset("m", "M", "", SCHEMA, *parts)
    service: Service = create_app(Settings(home=home)).extensions["unrot"]
    model = Model("m", 0, "", "", SCHEMA, time.time())
    publish(service, model, train(data, "mlp", lambda _share, _step: None))
    keeper = Caretaker(service, "bench")
    traffic = rows[4_000:]
    one_round(service, keeper, traffic, BUFFERED_ROWS, 100)  # all is imported and used once
    gc.collect()
    gc.freeze()  # as the caretaker does
    lines = []
    for at_once in (1, 200):
        took = [
            sum(one_round(service, keeper, traffic, IN_A_ROUND, at_once) for _ in range(ROUNDS))
            for _ in range(TURNS)
        ]
        each = quartile(took) * 1e6 / IN_A_ROUND / ROUNDS
        lines.append((f"the caretaker, {at_once} a request", f"{each:.1f} µs of CPU a row"))
    service.store.close()
    return lines


def one_round(
    service: Service, keeper: Caretaker, traffic: NDArray[Any], rows: int, at_once: int
) -> float:
    """Answer requests of some rows each and look after them; return what the latter took."""
    for at in range(0, rows, at_once):
        start = at % (len(traffic) - at_once + 1)
        service.score("m", Table(traffic[start : start + at_once]))
    began = time.process_time()
    keeper._go_round_at_home()
    return time.process_time() - began


if __name__ == "__main__":
    main()
