"""How well odd rows are told, and what it costs, beside scikit-learn: `make bench-outliers`.

Each table is parted into rows to train on and fresh rows. Two kinds of odd rows are made of the
fresh ones: *joint* has its columns shuffled, so that each value is usual and the row is not; *far*
has one number moved by eight standard deviations. All detectors see the same scaled rows, and each
has the threshold that one training row in a hundred is above.

The area is the share of pairs of a fresh and an odd row that are told apart the right way round.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors

from unrot.core.encoding import Encoder
from unrot.core.errors import UnrotError
from unrot.core.records import Feature, Row, Schema
from unrot.make.demos import heart, zombies
from unrot.watch.monitors.outliers import neighbours

HEART = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "heart.csv"
FAR = 8.0
ROUNDS = 15
MOST_FRESH = 2_000

Scorer = Callable[[NDArray[Any]], NDArray[Any]]


@dataclass(frozen=True, slots=True)
class World:
    """A table of one world, parted."""

    name: str
    schema: Schema
    training: list[Row]
    fresh: list[Row]


def worlds() -> Iterator[World]:
    """Make the tables, the same ones every time."""
    population = zombies.population()
    yield World(
        "zombies",
        zombies.load().schema,
        population.rows.tolist(),
        population.traffic_rows[:MOST_FRESH].tolist(),
    )
    if HEART.exists():
        try:
            data = heart.load(HEART)
        except UnrotError as error:
            print(f"heart.csv is left out: {error.message}", file=sys.stderr)
        else:
            yield World("heart", data.schema, *_parted(_rows_of(data.schema, data.rows), 170))
    else:
        print(f"heart is left out: {HEART} is not there", file=sys.stderr)
    measures = tuple(Feature(f"measure {number}", "number") for number in range(4))
    yield World("iris", _schema(measures), *_parted(load_iris().data.tolist(), 100))
    yield World("joint", *numbers(13, informative=6, redundant=5, seed=1))
    yield World("wide", *numbers(200, informative=20, redundant=120, seed=0))
    yield World("mixed", *houses())
    yield World("coarse", *counts())


def numbers(
    width: int, *, informative: int, redundant: int, seed: int
) -> tuple[Schema, list[Row], list[Row]]:
    """Make a table of numbers of which some follow from the others."""
    rows, _ = make_classification(
        6_000, width, n_informative=informative, n_redundant=redundant, random_state=seed
    )
    features = tuple(Feature(f"measure {number}", "number") for number in range(width))
    return _schema(features), rows[:4_000].tolist(), rows[4_000:].tolist()


def houses() -> tuple[Schema, list[Row], list[Row]]:
    """Make houses: the region follows from the town, the price from nearly all, with gaps."""
    chance, count = np.random.default_rng(5), 6_000
    town = chance.choice(30, count, p=np.r_[np.full(10, 0.07), np.full(20, 0.015)])
    region = town % 5
    size = chance.gamma(4, 30, count) * (1 + region * 0.3)
    rooms = np.maximum(1, np.round(size / 25 + chance.normal(0, 0.7, count)))
    price = size * (1_000 + 300 * region) * np.exp(chance.normal(0, 0.15, count))
    has_garden = chance.random(count) < 0.1 + 0.2 * region
    is_unknown = chance.random(count) < 0.05
    features = (
        Feature("town", "category", choices=tuple(f"town {one}" for one in range(30))),
        Feature("region", "category", choices=tuple("abcde")),
        Feature("size", "number", nullable=True),
        Feature("rooms", "integer"),
        Feature("price", "number"),
        Feature("has_garden", "boolean"),
    )
    rows: list[Row] = [
        [
            f"town {town[at]}",
            "abcde"[region[at]],
            None if is_unknown[at] else float(size[at]),
            float(rooms[at]),
            float(price[at]),
            bool(has_garden[at]),
        ]
        for at in range(count)
    ]
    return _schema(features), rows[:4_000], rows[4_000:]


def counts() -> tuple[Schema, list[Row], list[Row]]:
    """Make small whole numbers that rise together: most rows are there many times."""
    chance = np.random.default_rng(3)
    rate = chance.gamma(2, 2, 6_000)[:, None] * np.array([1, 0.5, 2, 0.2, 1])
    rows = chance.poisson(rate).astype(float).tolist()
    features = tuple(Feature(f"count {number}", "integer") for number in range(5))
    return _schema(features), rows[:4_000], rows[4_000:]


def shuffled(rows: Sequence[Row], seed: int = 0) -> list[Row]:
    """Shuffle each column by itself."""
    chance = np.random.default_rng(seed)
    columns = list(zip(*rows, strict=True))
    moved = [[column[at] for at in chance.permutation(len(rows))] for column in columns]
    return [list(row) for row in zip(*moved, strict=True)]


def far_out(world: World, seed: int = 0) -> list[Row]:
    """Move one number of each row by eight standard deviations of the training."""
    chance = np.random.default_rng(seed)
    places = [at for at, one in enumerate(world.schema.features) if one.kind == "number"]
    places = places or [at for at, one in enumerate(world.schema.features) if one.kind == "integer"]
    spread = {
        at: float(np.std([row[at] for row in world.training if row[at] is not None]))
        for at in places
    }
    moved: list[Row] = []
    for row in world.fresh:
        at = int(chance.choice(places))
        value = row[at]
        start = float(value) if isinstance(value, int | float) else 0.0
        away = start + float(chance.choice([-1, 1])) * FAR * spread[at]
        moved.append([*row[:at], away, *row[at + 1 :]])
    return moved


def main() -> None:
    print(f"{'':8} {'':18} {'area':>11} {'found':>11} {'fresh':>6} {'µs a row':>17}")
    print(f"{'table':8} {'detector':18} {'joint':>5} {'far':>5} {'joint':>5} {'far':>5} "
          f"{'odd':>6} {'one':>8} {'in 1,000':>8}")  # fmt: skip
    for world in worlds():
        measure(world)
    print()
    cost()


def measure(world: World) -> None:
    """Print a line for each detector."""
    data = neighbours.fit(world.schema, world.training)
    ours = neighbours.load(data, world.schema)
    kinds = [world.fresh, shuffled(world.fresh), far_out(world)]
    placed = [ours.placed(rows) for rows in kinds]
    _print(world, "ours", [ours.score(rows) for rows in kinds], 1.0, ours.score, world.fresh)
    for name, score, threshold in scikit(ours.rows):
        _print(world, name, [score(rows) for rows in placed], threshold, score, placed[0])


def scikit(training: NDArray[Any]) -> Iterator[tuple[str, Scorer, float]]:
    """Fit scikit-learn's detectors; yield how they score, and the score of the oddest 1 %."""
    k = neighbours.NEIGHBOURS
    factor = LocalOutlierFactor(k, novelty=True, algorithm="brute").fit(training)
    yield (
        "LocalOutlierFactor",
        lambda rows: -factor.score_samples(rows),
        _top(-factor.negative_outlier_factor_),
    )
    near = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(training)
    itself = near.kneighbors(n_neighbors=k)[0].mean(axis=1)
    yield "NearestNeighbors", lambda rows: near.kneighbors(rows)[0].mean(axis=1), _top(itself)
    forest = IsolationForest(random_state=0).fit(training)
    yield (
        "IsolationForest",
        lambda rows: -forest.score_samples(rows),
        _top(-forest.score_samples(training)),
    )


def _top(scores: NDArray[Any]) -> float:
    return float(np.quantile(scores, 1 - neighbours.EXPECTED_SHARE))


def _print(
    world: World,
    name: str,
    scores: Sequence[NDArray[Any]],
    threshold: float,
    score: Callable[[Any], Any],
    rows: Any,
) -> None:
    fresh, joint, far = scores
    truth = np.r_[np.zeros(len(fresh)), np.ones(len(fresh))]
    area = [roc_auc_score(truth, np.r_[fresh, odd]) for odd in (joint, far)]
    found = [float((one > threshold).mean()) for one in (joint, far, fresh)]
    one = _median(lambda: score(rows[:1]))
    thousand = _median(lambda: score(rows[:1000])) / min(1000, len(rows))
    print(f"{world.name:8} {name:18} {area[0]:5.2f} {area[1]:5.2f} {found[0]:5.0%} {found[1]:5.0%} "
          f"{found[2]:6.1%} {one * 1e6:8.0f} {thousand * 1e6:8.1f}", flush=True)  # fmt: skip


def _median(call: Callable[[], Any]) -> float:
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds))


def cost() -> None:
    """Print what a detector costs when a version is made, and in bytes."""
    print(f"{'features':>8} {'fit ms':>8} {'load ms':>8} {'kB':>8}")
    for width in (4, 13, 60, 200):
        schema, training, _ = numbers(width, informative=4, redundant=0, seed=0)
        data = neighbours.fit(schema, training)
        fit = _median(lambda: neighbours.fit(schema, training))  # noqa: B023
        load = _median(lambda: neighbours.load(data, schema))  # noqa: B023
        print(f"{width:8} {fit * 1e3:8.0f} {load * 1e3:8.1f} {len(data) / 1e3:8.0f}")


def _schema(features: tuple[Feature, ...]) -> Schema:
    return Schema(features, "kind", ("a", "b"))


def _rows_of(schema: Schema, table: NDArray[Any]) -> list[Row]:
    return Encoder(schema).decode(table)


def _parted(rows: Sequence[Row], training: int) -> tuple[list[Row], list[Row]]:
    order = np.random.default_rng(0).permutation(len(rows)).tolist()
    return [rows[at] for at in order[:training]], [rows[at] for at in order[training:]]


if __name__ == "__main__":
    main()
