"""How good answers were said to be over time, and what was seen to happen with them."""

from __future__ import annotations

from collections import Counter

from unrot.core.plurals import counted
from unrot.watch.reports.accuracy import Point
from unrot.watch.reports.accuracy_line import taken_together
from unrot.watch.reports.overview import Condition
from unrot.watch.statistics.rewards import mean_reward
from unrot.web.charts.accuracy import end_of
from unrot.web.charts.axes import Axis, brief
from unrot.web.charts.bars import Bucket, bars
from unrot.web.charts.chart import Chart
from unrot.web.charts.lines import Measure, Reading, Series, lines

MOST_NAMES = 4
OTHERS = "all others"


def build_rewards(found: Condition, x: Axis) -> Chart:
    """Draw the mean reward, a point for thirty rewards where there are so many."""
    told = [point for point in found.points if _rewards_of(point)]
    readings = [_reading(point, found) for point in taken_together(told, count=_rewards_of)]
    return lines(
        "rewards",
        f"Mean reward{found.of_whom}",
        [Series("Mean reward", readings, "three")],
        x=x,
        measure=Measure(brief, 0.0, 1.0),
        height="low",
        nothing="Nobody gave a reward in this time.",
    )


def build_signals(found: Condition, x: Axis) -> Chart:
    """Draw how many signals there were, the most frequent by name."""
    counts = Counter[str]()
    for name, row in found.whole.signals.items():
        counts[name] += sum(row.values())
    names = [name for name, _ in counts.most_common(MOST_NAMES)]
    return bars(
        "signals",
        f"Signals{found.of_whom}",
        [_bucket(point, names) for point in found.points if point.window.signals],
        x=x,
        parts=[*([OTHERS] if len(counts) > len(names) else []), *reversed(names)],
        what="signal",
        nothing="No signal in this time.",
    )


def _rewards_of(point: Point) -> int:
    return point.window.rewards.count


def _reading(point: Point, found: Condition) -> Reading:
    mean, at = mean_reward(point.window.rewards), end_of(point, found)
    if mean is None:
        return Reading(at, None)
    return Reading(at, mean.value, mean.low, mean.high, counted(mean.count, "reward"))


def _bucket(point: Point, names: list[str]) -> Bucket:
    parts = Counter[str]()
    for name, row in point.window.signals.items():
        parts[name if name in names else OTHERS] += sum(row.values())
    return Bucket(point.starts_at, point.starts_at + point.seconds, dict(parts))
