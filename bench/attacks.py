"""What those say who want a model to be wrong, beside what honest people say.

    flip     any row, any other class
    class    everything is said to be one class, of rows that are not
    chosen   rows in a corner of the world, the highest sixth of one feature, and there each class
             is said to be the next one: the same lie about the same place, again and again

A bad verdict is always a wrong one: a lie that happens to be true would only water the poison down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.worlds import Rows

ATTACKS = ("flip", "class", "chosen")
CORNER = 1 / 6


@dataclass(frozen=True, slots=True)
class Said:
    """Rows, and what is said of each; the bad ones come first."""

    rows: NDArray[np.float64]
    labels: NDArray[Any]
    bad: int


def say(
    traffic: Rows,
    classes: tuple[str, ...],
    *,
    count: int,
    bad: int = 0,
    attack: str = "flip",
    seed: int,
    chance: np.random.Generator,
) -> Said:
    """Draw `count` rows and say the truth of all but `bad`; the seed chooses class and corner."""
    honest = chance.choice(len(traffic.rows), count - bad, replace=False)
    said = traffic.labels[honest]
    target = classes[seed % len(classes)]
    lies = chance.choice(_within_reach(traffic, attack, seed, target), bad, replace=False)
    lied = _lie(traffic.labels[lies], classes, attack, target, chance)
    places = np.concatenate([lies, honest])
    return Said(traffic.rows[places], np.concatenate([lied, said]), bad)


def _within_reach(traffic: Rows, attack: str, seed: int, target: str) -> NDArray[np.intp]:
    if attack == "class":
        return np.flatnonzero(traffic.labels != target)
    if attack == "chosen":
        feature = traffic.rows[:, seed % traffic.rows.shape[1]]
        return np.flatnonzero(feature > np.quantile(feature, 1 - CORNER))
    return np.arange(len(traffic.rows))


def _lie(
    truth: NDArray[Any],
    classes: tuple[str, ...],
    attack: str,
    target: str,
    chance: np.random.Generator,
) -> NDArray[Any]:
    if attack == "class":
        return np.full(len(truth), target, dtype=truth.dtype)
    places = {label: place for place, label in enumerate(classes)}
    steps = np.ones(len(truth), dtype=int)
    if attack == "flip":
        steps = chance.integers(1, len(classes), len(truth))
    moved = [
        classes[(places[str(label)] + int(step)) % len(classes)]
        for label, step in zip(truth, steps, strict=True)
    ]
    return np.array(moved, dtype=truth.dtype)
