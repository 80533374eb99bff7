"""A slider beside a field of numbers, on the range of the training, with its histogram behind it.

It is another handle of the field: without scripts it is not shown, and what is sent is the field's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from unrot.core.records import Feature
from unrot.watch.profiles.histograms import Heights

STEPS = 100
BOX = 1_000


@dataclass(frozen=True, slots=True)
class Slider:
    """What stands under a field of numbers."""

    low: float
    high: float
    step: float
    shape: str
    """The outline of the histogram on a square of 1000 by 1000; empty where there is none."""


def slider(feature: Feature, bars: Heights = ()) -> Slider | None:
    """Make the slider of a feature; None for what is no number or has no range."""
    low, high = feature.low, feature.high
    if feature.kind not in ("number", "integer") or feature.choices:
        return None
    if low is None or high is None or not low < high or not math.isfinite(high - low):
        return None
    step = 1.0 if feature.kind == "integer" else nice_step(high - low)
    return Slider(low, high, step, outline(bars))


def nice_step(width: float) -> float:
    """Return a step that a range has about a hundred or a few hundred of.

    >>> nice_step(3.6), nice_step(119.4), nice_step(250_000)
    (0.01, 1.0, 1000.0)
    """
    return float(10.0 ** math.floor(math.log10(width / STEPS)))


def outline(bars: Heights) -> str:
    """Draw bars that touch as one shape.

    >>> outline([50, 100])
    'M0 1000V500H500V0H1000V1000Z'
    """
    if not bars:
        return ""
    ends = [round(BOX * place / len(bars)) for place in range(1, len(bars) + 1)]
    steps = "".join(f"V{_top(height)}H{end}" for height, end in zip(bars, ends, strict=True))
    return f"M0 {BOX}{steps}V{BOX}Z"


def _top(height: int) -> int:
    return BOX - BOX * height // 100
