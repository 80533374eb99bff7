"""How unlikely a symptom must be at its t-th look, so that all looks together seldom err.

A monitor that looks for ever at five per cent errs for certain. So a budget δ is spent over the
looks, the t-th of them gets

    α(t) = δ / (2.11 · (t + 1) · ln²(t + 1))        Σ α(t) = δ over all t ≥ 1

and by Bonferroni the chance that any look ever errs is at most δ, however the looks depend on each
other. The series falls about as slowly as one can that has a sum.

Foster and Stine, JRSS B 70 (2008) 429-444.

    >>> round(level(1, 0.02), 4), level(240, 0.02) > 1e-6
    (0.0099, True)
    >>> sum(level(look, 0.02) for look in range(1, 10_000)) < 0.02
    True
"""

from __future__ import annotations

import math

SUM = 2.109742801236892
"""Of 1 / (n · ln² n) over all n ≥ 2."""


def level(look: int, budget: float) -> float:
    """Return what of a budget the t-th look may spend."""
    return budget / (SUM * (look + 1) * math.log(look + 1) ** 2)
