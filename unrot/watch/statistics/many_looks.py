"""How sure one must be who looks again and again: looks that are taken alone, and bets.

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

A page looks after each verdict, at the last ones. How much speaks there against "right at least so
often" is what a bet would win: on each verdict of a coin that is said to come up right with a share
of `level` or more, at shares q below the level, the stake grows by q / level with each right one
and by (1 - q) / (1 - level) with each wrong one. Whoever bets so wins nothing on average while the
level is kept, and much once it is not. The evidence is the mean over ten shares q spread below it:

    E = mean over q of  (q / level)^right · ((1 - q) / (1 - level))^wrong

Of all such looks evidence of c comes at most once in c verdicts on average while the level is kept:
a steady model is called worse by mistake at most once in `PATIENCE` verdicts.

Ramdas, Grünwald, Vovk, Shafer, Statistical Science 38 (2023) 576-601; Shin, Ramdas, Rinaldo, New
England Journal of Statistics in Data Science 2 (2024) 229-260, for looks without an end.

    >>> round(evidence_below(45, 50, 0.9), 2), evidence_below(25, 50, 0.9) > PATIENCE
    (0.07, True)
"""

from __future__ import annotations

from math import exp, log

SUM = 2.109742801236892
"""Of 1 / (n · ln² n) over all n ≥ 2."""
PATIENCE = 100_000
SHARES = 10
MOST = 700.0
"""Beyond e to this a float has no more to say."""


def level(look: int, budget: float) -> float:
    """Return what of a budget the t-th look may spend where it is spent slowly."""
    return budget / (SUM * (look + 1) * log(look + 1) ** 2)


def allowed(look: int, budget: float) -> float:
    """Return what of a budget the t-th look may spend where it is spent quickly."""
    return budget / (look * (look + 1))


def evidence_below(right: float, count: float, level: float) -> float:
    """Return how much speaks against a share of rights of at least a level; 1 is nothing."""
    if not level > 0 or not count:
        return 1.0
    level, wrong = min(level, 1 - 1e-6), count - right
    shares = [level * (place + 0.5) / SHARES for place in range(SHARES)]
    bets = [right * log(q / level) + wrong * log((1 - q) / (1 - level)) for q in shares]
    return sum(exp(min(bet, MOST)) for bet in bets) / SHARES
