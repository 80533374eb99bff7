"""The mean of rewards between 0 and 1, and how surely it is known.

The interval (95 %) is that of Agresti and Coull, for numbers instead of yes and no: as if z²
further rewards had come, half of them 0 and half of them 1. So it is as wide as it must be for one
reward, lies within 0 and 1, and is that of shares where all rewards are 0 or 1.

    m' = (Σr + z²/2) / (n + z²),  s'² = (Σr² + z²/2) / (n + z²) - m'²,  m' ± z s' / √(n + z²)

Agresti and Coull, The American Statistician 52 (1998) 119-126.

    >>> three = mean_reward(Rewards(3, 2.1, 1.47))
    >>> three.count, round(three.value, 2), round(three.low, 2), round(three.high, 2)
    (3, 0.7, 0.3, 0.88)
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from unrot.core.records import Rewards
from unrot.watch.statistics.accuracy import Z


@dataclass(frozen=True, slots=True)
class MeanReward:
    """How good answers were said to be, and between which bounds the true mean lies (95 %)."""

    count: int
    value: float
    low: float
    high: float


def mean_reward(rewards: Rewards) -> MeanReward | None:
    """Return what sums of rewards say; None without any."""
    if rewards.count <= 0:
        return None
    added, count = Z * Z / 2, rewards.count + Z * Z
    middle = (rewards.total + added) / count
    variance = max((rewards.squared + added) / count - middle * middle, 0.0)
    reach = Z * sqrt(variance / count)
    value = min(max(rewards.total / rewards.count, 0.0), 1.0)
    return MeanReward(
        rewards.count,
        value,
        max(0.0, min(middle - reach, value)),
        min(1.0, max(middle + reach, value)),
    )
