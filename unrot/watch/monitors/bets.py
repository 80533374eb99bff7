"""How much speaks against "right at least so often", however often one looks.

Bet on each verdict of a coin that is said to come up right with a share of `level` or more: at
shares q below the level, the stake grows by q / level with each right one and by
(1 - q) / (1 - level) with each wrong one. Whoever bets so wins nothing on average while the level
is kept, and much once it is not. The evidence is the mean over ten shares q spread below it:

    E = mean over q of  (q / level)^right · ((1 - q) / (1 - level))^wrong

A page looks after each verdict, at the last ones. Of all such looks evidence of c comes at most
once in c verdicts on average while the level is kept: a steady model is called worse by mistake at
most once in `PATIENCE` verdicts.

Ramdas, Grünwald, Vovk, Shafer, Statistical Science 38 (2023) 576-601; Shin, Ramdas, Rinaldo, New
England Journal of Statistics in Data Science 2 (2024) 229-260, for looks without an end.

    >>> round(evidence_below(45, 50, 0.9), 2), evidence_below(25, 50, 0.9) > PATIENCE
    (0.07, True)
"""

from __future__ import annotations

from math import exp, log

PATIENCE = 100_000
SHARES = 10
MOST = 700.0
"""Beyond e to this a float has no more to say."""


def evidence_below(right: float, count: float, level: float) -> float:
    """Return how much speaks against a share of rights of at least a level; 1 is nothing."""
    if not level > 0 or not count:
        return 1.0
    level, wrong = min(level, 1 - 1e-6), count - right
    shares = [level * (place + 0.5) / SHARES for place in range(SHARES)]
    bets = [right * log(q / level) + wrong * log((1 - q) / (1 - level)) for q in shares]
    return sum(exp(min(bet, MOST)) for bet in bets) / SHARES
