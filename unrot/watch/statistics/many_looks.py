"""How sure a monitor must be at its t-th look, so that all looks together seldom err.

A monitor that looks for ever at five per cent errs for certain. So a budget δ is spent over the
looks, the t-th of them gets its part,

    quickly   δ / (t · (t + 1))                    half of it at the first look
    slowly    δ / (2.11 · (t + 1) · ln²(t + 1))    about as slowly as a series falls that has a sum

and by Bonferroni the chance that any look ever errs is at most δ, however the looks depend on each
other. Both begin with half of it; after a year of hours the slow part is fifty times the quick
one. Looks for drift spend slowly, those at outliers, bad data and the estimate quickly.

Foster and Stine, JRSS B 70 (2008) 429-444.

    >>> round(level(1, 0.02), 4), level(240, 0.02) > 1e-6
    (0.0099, True)
    >>> sum(level(look, 0.02) for look in range(1, 10_000)) < 0.02
    True
    >>> sum(allowed(look, 0.01) for look in range(1, 10_000)) < 0.01
    True
"""

from __future__ import annotations

import math

SUM = 2.109742801236892
"""Of 1 / (n · ln² n) over all n ≥ 2."""


def level(look: int, budget: float) -> float:
    """Return what of a budget the t-th look may spend where it is spent slowly."""
    return budget / (SUM * (look + 1) * math.log(look + 1) ** 2)


def allowed(look: int, budget: float) -> float:
    """Return what of a budget the t-th look may spend where it is spent quickly."""
    return budget / (look * (look + 1))
