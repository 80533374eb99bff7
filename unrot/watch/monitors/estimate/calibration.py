"""The accuracy of predictions that nobody has judged, estimated from how sure they were.

On the holdout it is known how often the model was right when it was so sure: isotonic regression
turns that into a calibration. The estimated accuracy of a stretch of traffic is the mean of the
calibrated confidence (CBPE, confidence-based performance estimation). It sees inputs move to where
the model is less sure; it cannot see that what is right has changed.

A window keeps confidences in bins, so a bin has the mean share of the holdout rows in it: on the
holdout itself both ways give its accuracy exactly.

Barlow, Bartholomew, Bremner, Brunk, Statistical Inference under Order Restrictions, 1972 (pool
adjacent violators); NannyML's documentation of CBPE.

    >>> made = fit([0.6, 0.7, 0.8, 0.9], [True, False, True, True])
    >>> [made.share_at(confidence) for confidence in (0.5, 0.65, 0.95)]
    [0.5, 0.5, 1.0]
    >>> counts = [0] * 100
    >>> counts[60], counts[90] = 1, 3
    >>> estimate(made, counts).value
    0.875
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from math import sqrt
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from unrot.core import confidence
from unrot.core.artefacts import CALIBRATION
from unrot.core.conformal import keep_scores
from unrot.core.errors import BadArtefact, NotFound, shown
from unrot.core.records import Calibrating, Model, Version, Window
from unrot.core.windows import confidences, grouped
from unrot.serve.service import Service
from unrot.serve.shelf import ShelvedModel

FEWEST_ROWS = 50
"""Rows of a holdout below which nothing is estimated: two of them are all of a step."""
FEWEST_TO_SCORE = 30
"""Verdicts of a stretch below which its estimate is not held against them."""
GROUPS, DRAWS, Z = 10, 2_000, 1.96
DIGITS = 4
"""Confidences are told apart so finely: a holdout of any size then has few steps."""


@dataclass(frozen=True, slots=True)
class Between:
    """A number and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How often a version was right on its holdout when it was so sure."""

    rows: int
    right: int
    starts: tuple[float, ...]
    """From which confidence on each step holds."""
    shares: tuple[float, ...]
    """How often it was right there."""
    bins: tuple[float, ...]
    """The same for each bin of a window's confidences."""
    scores: tuple[float, ...] = ()
    """How strange the truth was to it (`core.conformal`)."""
    groups: tuple[tuple[int, float, int], ...] = ()
    """Of each tenth of the confidences the rows, the sum of how sure it was, and the right ones."""
    brier: Between | None = None
    """The mean squared distance of its probabilities from the truth: 0 is best, 2 is worst."""
    ece: Between | None = None
    """By how much it is surer than right, or less sure, on average (expected calibration error)."""
    since: float = 0.0
    """From when on it holds: since the world has moved, where its rows are of after that."""

    @property
    def accuracy(self) -> float:
        """What it reached on the holdout."""
        return self.right / self.rows

    def share_at(self, sure: float) -> float:
        """Return how often it is right when it is so sure."""
        return self.shares[max(0, bisect_right(self.starts, sure) - 1)]


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimated accuracy, of how many predictions, and how far chance alone may move it."""

    value: float
    rows: int
    error: float
    """Its standard error, where the predictions are of the same kind as the holdout."""


def fit(confidences: Sequence[float], was_right: Sequence[bool]) -> Calibration:
    """Calibrate on the rows of a holdout: how sure, and was it right."""
    sure = np.round(np.asarray(confidences, dtype=np.float64), DIGITS)
    right = np.asarray(was_right, dtype=np.float64)
    values, places = np.unique(sure, return_inverse=True)
    counts = np.bincount(places).astype(np.float64)
    steps = _pooled(np.bincount(places, weights=right) / counts, counts)
    starts = np.flatnonzero(np.diff(steps, prepend=-1.0))
    made = Calibration(
        rows=len(sure),
        right=int(right.sum()),
        starts=tuple(values[starts].tolist()),
        shares=tuple(steps[starts].tolist()),
        bins=(),
    )
    return Calibration(made.rows, made.right, made.starts, made.shares, _bins(made, confidences))


def learn(calibrating: Calibrating) -> Calibration:
    """Learn from a holdout how sure a version may be; of numbers only how far off it was."""
    scores = keep_scores([round(score, 9) for score in calibrating.scores])
    if len(calibrating.sure) < FEWEST_ROWS:
        return Calibration(len(calibrating.scores), 0, (), (), (), scores)
    made = fit(calibrating.sure, calibrating.right)
    groups = _grouped(calibrating)
    return replace(
        made,
        scores=scores,
        groups=tuple((count, sure, right) for count, sure, right, _ in groups),
        brier=_mean(np.array(calibrating.squares)),
        ece=_calibration_error(groups),
    )


def _grouped(calibrating: Calibrating) -> list[tuple[int, float, int, float]]:
    """Return of each tenth its rows, the sum of how sure, the right ones, and how gaps vary."""
    sure, right = np.array(calibrating.sure), np.array(calibrating.right, dtype=np.float64)
    places = np.minimum((sure * GROUPS).astype(np.intp), GROUPS - 1)
    found = []
    for place in range(GROUPS):
        inside = places == place
        spread = float(np.var(sure[inside] - right[inside])) if inside.any() else 0.0
        rows = int(inside.sum())
        found.append((rows, float(sure[inside].sum()), int(right[inside].sum()), spread))
    return found


def _mean(of: NDArray[np.float64]) -> Between:
    value, reach = float(of.mean()), Z * float(of.std()) / sqrt(len(of))
    return Between(value, max(0.0, value - reach), value + reach)


def _calibration_error(groups: Sequence[tuple[int, float, int, float]]) -> Between:
    """Return the calibration error; its interval by a bootstrap of the gaps, around twice it less.

    A gap varies by chance, and its size is counted whichever way: so the error of a sample is too
    large, that of a sample of the sample more so by as much, and by that the interval is mended.
    """
    known = np.array([one for one in groups if one[0]], dtype=np.float64)
    count, gaps = known[:, 0], (known[:, 1] - known[:, 2]) / known[:, 0]
    shares = count / count.sum()
    value = float(shares @ np.abs(gaps))
    drawn = np.random.default_rng(0).normal(gaps, np.sqrt(known[:, 3] / count), (DRAWS, len(gaps)))
    low, high = np.quantile(np.abs(drawn) @ shares, (0.025, 0.975))
    return Between(value, max(0.0, 2 * value - float(high)), max(value, 2 * value - float(low)))


def _pooled(shares: NDArray[Any], counts: NDArray[Any]) -> NDArray[np.float64]:
    """Return the nearest shares that never fall: neighbours that do are pooled."""
    blocks: list[tuple[float, float, int]] = []
    for share, count in zip(shares.tolist(), counts.tolist(), strict=True):
        width = 1
        while blocks and blocks[-1][0] >= share:
            before, weight, wide = blocks.pop()
            share = (share * count + before * weight) / (count + weight)
            count, width = count + weight, width + wide
        blocks.append((share, count, width))
    return np.repeat([block[0] for block in blocks], [block[2] for block in blocks])


def _bins(made: Calibration, confidences: Sequence[float]) -> tuple[float, ...]:
    sums, counts = np.zeros(confidence.BINS), np.zeros(confidence.BINS)
    for sure in confidences:
        place = confidence.place(sure)
        sums[place] += made.share_at(round(sure, DIGITS))
        counts[place] += 1
    middles = [(place + 0.5) / confidence.BINS for place in range(confidence.BINS)]
    between = np.array([made.share_at(middle) for middle in middles])
    found = np.where(counts > 0, sums / np.maximum(counts, 1), between)
    return tuple(found.tolist())


def estimate(calibration: Calibration, counts: Sequence[int]) -> Estimate | None:
    """Estimate the accuracy of predictions by how many were how sure; None without any."""
    rows = sum(counts)
    if not rows:
        return None
    shares, weights = np.array(calibration.bins), np.asarray(counts, dtype=np.float64)
    value = float(shares @ weights) / rows
    spread = max(float(shares**2 @ weights) / rows - value * value, 0.0)
    return Estimate(value, rows, sqrt(spread / rows + spread / calibration.rows))


def mean_of(parts: Iterable[Estimate]) -> Estimate | None:
    """Return the estimated accuracy of the predictions of all parts; None without any."""
    known = list(parts)
    rows = sum(one.rows for one in known)
    if not rows:
        return None
    value = sum(one.value * one.rows for one in known) / rows
    return Estimate(value, rows, sqrt(sum((one.error * one.rows / rows) ** 2 for one in known)))


def pack(calibration: Calibration) -> bytes:
    """Write a calibration as an artefact; from when on it holds, its version tells."""
    told = asdict(calibration)
    del told["since"]
    return orjson.dumps(told)


def unpack(data: bytes) -> Calibration | None:
    """Read a calibration; None for one with other bins than ours, BadArtefact for none at all."""
    try:
        read = orjson.loads(data)
        made = Calibration(
            read["rows"],
            read["right"],
            tuple(read["starts"]),
            tuple(read["shares"]),
            tuple(read["bins"]),
            tuple(read.get("scores", ())),
            tuple((int(count), sure, int(right)) for count, sure, right in read.get("groups", ())),
            _between(read.get("brier")),
            _between(read.get("ece")),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadArtefact(f"The calibration does not load: {shown(str(error), 200)}.") from error
    return made if len(made.bins) == confidence.BINS else None


def _between(read: Mapping[str, float] | None) -> Between | None:
    return None if read is None else Between(read["value"], read["low"], read["high"])


# ── what is known of versions ────────────────────────────────────────────────────────────────


def calibrations(
    service: Service, shelved: ShelvedModel, names: Iterable[str]
) -> dict[str, Calibration]:
    """Return how often versions are right when they are so sure, where that is known."""
    found: dict[str, Calibration] = {}
    for name in set(names) & set(shelved.versions):
        made = _calibration(service, shelved.model, shelved.versions[name])
        if made is not None:
            found[name] = replace(made, since=shelved.versions[name].anchor_since)
    return found


_unpacked = lru_cache(maxsize=256)(unpack)


def _calibration(service: Service, model: Model, version: Version) -> Calibration | None:
    """Read what is known of a version; what is gone, or not what we wrote, tells nothing."""
    digest = version.artefacts.get(CALIBRATION)
    if digest is None:
        return None
    try:
        service.signatures.check(version, model)
        return _unpacked(service.store.registry.artefact(digest))
    except (NotFound, BadArtefact):
        return None


def known_windows(windows: Iterable[Window], known: Mapping[str, Calibration]) -> list[Window]:
    """Keep those of whose time it is known: not what lies before a world that has moved."""
    return [
        one
        for one in windows
        if one.version in known and one.minute * 60 >= known[one.version].since
    ]


def estimate_windows(
    windows: Sequence[Window], known: Mapping[str, Calibration]
) -> Estimate | None:
    """Estimate the accuracy of all predictions that some windows count, by their confidence."""
    parts = grouped(known_windows(windows, known), lambda window: window.version).items()
    found = [estimate(known[name], confidences(of)) for name, of in parts]
    return mean_of(one for one in found if one is not None)
