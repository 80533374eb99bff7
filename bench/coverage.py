"""How often sets and intervals hold the truth: `make bench-coverage`.

**Tables.** The twelve small tables that are named below, each parted 50 times, by the seeds 0 to
49 (what was fixed before the first run of this): a model is fitted on three fifths, a fifth is held
out, as the product does, and a fifth are fresh rows. What the held-out rows teach
(`core.conformal`) is told beside the answers to the fresh ones, at 90 %. The mean of the 50
coverages should lie within 88 to 92 % for each table. Beside it stand the lowest and the highest of
them, and what the finite sample makes one expect, ⌈0.9 (n + 1)⌉ / (n + 1) of n held-out rows: with
few rows that is more than 90 %, by up to 1 / (n + 1). Beside our score of classes (LAC) stands the
other usual one, as it is without chance: APS adds up the shares of the likelier classes.

**Drift.** A logistic regression answers 10,000 rows of a world whose boundary turns away and comes
back; each truth is known before the next row comes. Of every window of 500 rows in a line, adaptive
sets should hold the truth in 87 to 93 %, while sets that stay as they are fall below 80 %.

    python -m bench.coverage [splits]
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from unrot.core.conformal import Conformal, adapt, keep_scores

COVERAGE, SPLITS, WINDOW = 0.9, 50, 500
Table = tuple[NDArray[Any], NDArray[Any]]


def scaled(estimator: Any) -> Any:
    return make_pipeline(StandardScaler(), estimator)


def noisy(classes: int, seed: int) -> Table:
    return datasets.make_classification(
        *(600, 10), n_informative=6, n_classes=classes, flip_y=0.15, random_state=seed
    )


CLASSES: dict[str, tuple[Callable[[], Table], Callable[[], Any]]] = {
    "iris": (lambda: datasets.load_iris(return_X_y=True), GaussianNB),
    "wine": (lambda: datasets.load_wine(return_X_y=True), lambda: scaled(LogisticRegression())),
    "breast cancer": (lambda: datasets.load_breast_cancer(return_X_y=True), GaussianNB),
    "digits": (
        lambda: datasets.load_digits(return_X_y=True),
        lambda: scaled(LogisticRegression(max_iter=300)),
    ),
    "two classes": (lambda: noisy(2, 1), lambda: scaled(LogisticRegression())),
    "five classes": (lambda: noisy(5, 2), lambda: RandomForestClassifier(100, random_state=0)),
    "moons": (lambda: datasets.make_moons(500, noise=0.35, random_state=3), LogisticRegression),
    "blobs": (
        lambda: datasets.make_blobs(500, centers=6, cluster_std=2.5, random_state=4),
        GaussianNB,
    ),
}
NUMBERS: dict[str, tuple[Callable[[], Table], Callable[[], Any]]] = {
    "diabetes": (lambda: datasets.load_diabetes(return_X_y=True), Ridge),
    "friedman 1": (
        lambda: datasets.make_friedman1(500, noise=1.0, random_state=5),
        lambda: RandomForestRegressor(50, random_state=0),
    ),
    "friedman 2": (
        lambda: datasets.make_friedman2(500, noise=50.0, random_state=6),
        lambda: scaled(Ridge()),
    ),
    "linear": (lambda: datasets.make_regression(400, 8, noise=20.0, random_state=7), Ridge),
}


def parts(table: Table, seed: int) -> Sequence[NDArray[Any]]:
    X, y = table
    fit_x, rest_x, fit_y, rest_y = train_test_split(X, y, test_size=0.4, random_state=seed)
    held_x, new_x, held_y, new_y = train_test_split(
        rest_x, rest_y, test_size=0.5, random_state=seed
    )
    return fit_x, fit_y, held_x, held_y, new_x, new_y


def learnt(scores: NDArray[np.float64]) -> Conformal:
    return Conformal(len(scores), keep_scores(scores.tolist()))


def aps(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return of each class the sum of the shares down to it."""
    order = np.argsort(-shares, axis=1)
    sums = np.cumsum(np.take_along_axis(shares, order, axis=1), axis=1)
    found = np.empty_like(shares)
    np.put_along_axis(found, order, sums, axis=1)
    return found


def of_classes(table: Table, make: Callable[[], Any], seed: int) -> tuple[float, ...]:
    """Return coverage and mean size by LAC, then by APS."""
    fit_x, fit_y, held_x, held_y, new_x, new_y = parts(table, seed)
    model = make().fit(fit_x, fit_y)
    held, new = model.predict_proba(held_x), model.predict_proba(new_x)
    known = learnt(1.0 - held[np.arange(len(held)), held_y])
    sets = [known.classes(row, 1 - COVERAGE) for row in new.tolist()]
    bound = learnt(aps(held)[np.arange(len(held)), held_y]).bound(1 - COVERAGE)
    inside = aps(new) <= bound
    return (
        float(np.mean([truth in one for truth, one in zip(new_y.tolist(), sets, strict=True)])),
        float(np.mean([len(one) for one in sets])),
        float(inside[np.arange(len(new)), new_y].mean()),
        float(inside.sum(axis=1).mean()),
    )


def of_numbers(table: Table, make: Callable[[], Any], seed: int) -> tuple[float, ...]:
    """Return coverage, and how wide the interval is in spreads of the truth."""
    fit_x, fit_y, held_x, held_y, new_x, new_y = parts(table, seed)
    model = make().fit(fit_x, fit_y)
    low, high = learnt(np.abs(model.predict(held_x) - held_y)).interval(0.0, 1 - COVERAGE)
    off = new_y - model.predict(new_x)
    return float(np.mean((low <= off) & (off <= high))), (high - low) / float(np.std(table[1]))


def turning(rng: np.random.Generator, rows: int = 10_000) -> Table:
    """Return rows of a world whose boundary turns by a right angle and more, and comes back."""
    X = rng.normal(size=(rows, 2))
    angle = np.concatenate([np.zeros(rows // 5), np.linspace(0, 2, 2 * rows // 5)])
    angle = np.concatenate([angle, angle[::-1][: rows - len(angle)]])
    side = np.cos(angle) * X[:, 0] + np.sin(angle) * X[:, 1]
    chance = 1 / (1 + np.exp(-3 * side))
    return X, (rng.random(rows) < chance).astype(int)


def drift(seed: int) -> tuple[float, float, float]:
    """Return the lowest and highest window of adaptive sets, and the lowest of static ones."""
    rng = np.random.default_rng(seed)
    X, y = turning(rng)
    past = rng.normal(size=(2_000, 2))
    truth = (rng.random(2_000) < 1 / (1 + np.exp(-3 * past[:, 0]))).astype(int)
    model = LogisticRegression().fit(past[:1_000], truth[:1_000])
    held = model.predict_proba(past[1_000:])
    known = learnt(1.0 - held[np.arange(1_000), truth[1_000:]])
    miss, adaptive, static = 1 - COVERAGE, [], []
    for shares, label in zip(model.predict_proba(X).tolist(), y.tolist(), strict=True):
        is_held = label in known.classes(shares, miss)
        adaptive.append(is_held)
        static.append(label in known.classes(shares, 1 - COVERAGE))
        miss = adapt(miss, coverage=COVERAGE, missed=not is_held)
    moving, still = windows(adaptive), windows(static)
    return float(moving.min()), float(moving.max()), float(still.min())


def windows(held: Sequence[bool]) -> NDArray[np.float64]:
    return np.convolve(np.asarray(held, dtype=np.float64), np.ones(WINDOW) / WINDOW, mode="valid")


def expected(table: Table) -> float:
    """Return what the finite sample makes one expect of a table."""
    rows = len(parts(table, 0)[3])
    return ceil((rows + 1) * COVERAGE - 1e-9) / (rows + 1)


def told(name: str, table: Table, found: NDArray[np.float64]) -> bool:
    """Print what came of a table; tell whether the mean is where it should be."""
    mean, size, *aps_too = found.mean(axis=0)
    low, high = found[:, 0].min(), found[:, 0].max()
    others = f"{aps_too[0]:.1%} | {aps_too[1]:.2f}" if aps_too else "|"
    print(
        f"| {name} | {mean:.1%} | {low:.0%} to {high:.0%} | {expected(table):.1%} | {size:.2f} "
        f"| {others} |",
        flush=True,
    )
    return bool(0.88 <= mean <= 0.92)


def main() -> None:
    """Print both tables."""
    warnings.simplefilter("ignore")
    splits = int(sys.argv[1]) if len(sys.argv) > 1 else SPLITS
    print("| table | coverage | of one parting | expected | size or width | APS: coverage | size |")
    print("|---|---|---|---|---|---|---|")
    is_well = True
    for of, tables in ((of_classes, CLASSES), (of_numbers, NUMBERS)):
        for name, (load, make) in tables.items():
            table = load()
            found = np.array([of(table, make, seed) for seed in range(splits)])
            is_well &= told(name, table, found)
    runs = [drift(seed) for seed in range(10)]
    lows, highs, stills = zip(*runs, strict=True)
    low, high, still = min(lows), max(highs), max(stills)
    is_well &= low >= 0.87 and high <= 0.93 and still < 0.8
    print(
        f"\nDrift, every window of {WINDOW} in {len(runs)} streams: adaptive {low:.1%} to "
        f"{high:.1%}; static falls to {still:.1%} or lower in each."
    )
    sys.exit(0 if is_well else 1)


if __name__ == "__main__":
    main()
