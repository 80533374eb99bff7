"""The score of a model over the rows that it has seen: a point for each version of its stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from unrot.core.records import Version
from unrot.core.test_sets import score_of, test_set_digest

WIDTH, HEIGHT = 640.0, 220.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 16.0, 14.0, 34.0


@dataclass(frozen=True, slots=True)
class Point:
    """One version: what it had seen, what it reached, and where it is drawn."""

    version: str
    seen: int
    score: float
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Curve:
    """The points in the order in which they were reached, and the lines to read them by."""

    points: tuple[Point, ...]
    is_share: bool
    """True when the score is an accuracy, false when it is an error."""
    low: float
    high: float

    @property
    def line(self) -> str:
        """The points as an SVG polyline has them."""
        return " ".join(f"{point.x:.1f},{point.y:.1f}" for point in self.points)


def curve_of(line: Sequence[Version]) -> Curve | None:
    """Draw the line of a version, the version first, back to where its stream began.

    It ends where another test set begins: scores of different rows make no line.
    """
    seen: list[tuple[Version, int, float]] = []
    for version in line:
        rows, score = _rows_seen(version), score_of(version.metrics)
        if rows is None or score is None or (seen and rows >= seen[-1][1]):
            break
        if seen and test_set_digest(version) != test_set_digest(seen[-1][0]):
            break
        seen.append((version, rows, score))
    if len(seen) < 2:
        return None
    seen.reverse()
    scores = [score for _, _, score in seen]
    is_share = "accuracy" in seen[0][0].metrics
    low, high = _limits(scores, is_share)
    first, last = seen[0][1], seen[-1][1]
    points = [
        Point(
            version.name,
            rows,
            score,
            LEFT + (WIDTH - LEFT - RIGHT) * (rows - first) / (last - first),
            TOP + (HEIGHT - TOP - BOTTOM) * (high - score) / (high - low),
        )
        for version, rows, score in seen
    ]
    return Curve(tuple(points), is_share, low, high)


def _limits(scores: Sequence[float], is_share: bool) -> tuple[float, float]:
    """Return the lowest and highest score of the drawing: tenths of an accuracy, else from 0."""
    if not is_share:
        return 0.0, max(scores) or 1.0
    return max(0.0, int(min(scores) * 10) / 10), 1.0 if min(scores) < 1 else 1.1


def _rows_seen(version: Version) -> int | None:
    said: Any = version.made.get("rows_seen", version.metrics.get("rows_seen"))
    return int(said) if isinstance(said, int | float) else None
