"""Quantiles of numbers that are only counted on bins: read off the line through the bins.

Within a bin the values are taken to lie evenly; the open bins end at the least and the largest
value. Sums of profiles lose their exact quantiles, and this is what can still be said of them.

    >>> of = Distribution("number", 4, edges=(0.0, 10.0), counts=(0, 4, 0), low=0.0, high=8.0)
    >>> from_bins(of)["0.5"]
    4.0
"""

from __future__ import annotations

from itertools import accumulate

import numpy as np

from unrot.core.records import Distribution

SHARES = ("0.05", "0.25", "0.5", "0.75", "0.95")


def of(distribution: Distribution) -> tuple[dict[str, float], bool]:
    """Return quantiles, and whether they are exact."""
    if distribution.quantiles:
        return dict(distribution.quantiles), True
    return from_bins(distribution), False


def from_bins(distribution: Distribution) -> dict[str, float]:
    """Return quantiles as the bins have them; none where there are no numbers."""
    low, high, count = distribution.low, distribution.high, sum(distribution.counts)
    if distribution.kind != "number" or low is None or high is None or not count:
        return {}
    ends = np.clip([low, *distribution.edges, high], low, high)
    below = np.array([0, *accumulate(distribution.counts)]) / count
    return {share: float(np.interp(float(share), below, ends)) for share in SHARES}
