"""How sure predictions were, as counts of their largest probability between fixed edges.

A hundred bins are fine enough that an accuracy estimated from them is that of the probabilities
themselves to a thousandth (`calibration.py`); a chart shows fewer.

    >>> [place(chance) for chance in (0.0, 0.5, 0.999, 1.0)]
    [0, 50, 99, 99]
    >>> coarser([1] * 100, 20)[:3]
    [5, 5, 5]
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BINS = 100


def place(confidence: float) -> int:
    """Return the bin of a probability."""
    return min(max(int(confidence * BINS), 0), BINS - 1)


def places(confidences: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the bins of many probabilities."""
    return np.clip((confidences * BINS).astype(np.intp), 0, BINS - 1)


def coarser(counts: Sequence[int], bins: int) -> list[int]:
    """Return the counts in fewer bins, of which each is several of ours."""
    width = BINS // bins
    return [sum(counts[start : start + width]) for start in range(0, bins * width, width)]
