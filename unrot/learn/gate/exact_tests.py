"""The few exact tests that a gate needs: they hold for twenty rows as for twenty thousand.

They hold for rows that are fixed and weighed once; where rows grow and are weighed again,
`betting.py` takes their place.

Two versions answer the same n rows; the candidate alone is right on `won` of them and alone wrong
on `lost`. Whether it is worse at all is McNemar's exact test: of the discordant rows half are won.
Whether it is worse by more than a tolerance is not a question of the discordant rows alone (two
rows lost of 100 and none won look like 2 %, and a candidate that loses 5 % shows that one time in
nine), so `lowest_gain` inverts the exact unconditional test of a loss δ:

    p(δ) = max over q of P( T(won', lost') ≥ T(won, lost) | q, q + δ )
    T    = (won − lost + n·δ) / √(n · (2·q̃ + δ·(1 − δ)))        (Tango's score)

where q is the share won and q + δ the share lost, q̃ its most likely value under the loss. The
least loss that is not excluded at 95 % is the bound. With no discordant row at all that is the
rule of three: n rows exclude a loss of 1 − 0.05^(1/n), so 149 rows are needed to exclude 2 %.

Tango, Statistics in Medicine 17 (1998) 891-908; Hsueh, Liu and Chen, Biometrics 57 (2001) 478-483.

    >>> round(lowest_gain(won=0, lost=0, rows=149), 4)
    -0.0199
    >>> round(lowest_gain(won=90, lost=2, rows=150), 2) > 0.5
    True
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

DOUBT = 0.05
"""What is left of doubt at a bound of 95 %."""

NUISANCES = 40
"""Shares won at which a loss is tried; the chance changes slowly between them."""

REACH = 8.0
"""Standard deviations beyond which a count does not matter."""

STEPS = 14
"""Halvings of the bound: exact to a ten-thousandth."""


def chance_of_so_few(won: int, lost: int) -> float:
    """Return how likely so few wins are when both versions are equally good (one-sided)."""
    from scipy.special import bdtr

    return float(bdtr(won, won + lost, 0.5)) if won + lost else 1.0


def mcnemar(first_only: int, second_only: int) -> float:
    """Return the exact two-sided p that both are equally often alone right."""
    return min(
        1.0, 2 * chance_of_so_few(min(first_only, second_only), max(first_only, second_only))
    )


def lowest_mean(values: NDArray[np.float64], doubt: float = DOUBT) -> float:
    """Return the one-sided bound of a mean (Student's t), at 95 % if nothing else is said."""
    from scipy.special import stdtrit

    rows = len(values)
    if rows < 2:
        return -np.inf
    error = float(np.std(values, ddof=1)) / np.sqrt(rows)
    return float(np.mean(values) - stdtrit(rows - 1, 1 - doubt) * error)


@lru_cache(maxsize=4096)
def lowest_gain(*, won: int, lost: int, rows: int, doubt: float = DOUBT) -> float:
    """Return the one-sided bound of the candidate's gain in accuracy; below 0 is a loss."""
    worst, best = -1.0, (won - lost) / rows
    spread = 5 * np.sqrt(won + lost + 4) / rows
    if best - spread > worst and chance_of_loss(won, lost, rows, spread - best) <= doubt:
        worst = best - spread
    for _ in range(STEPS):
        middle = (worst + best) / 2
        if chance_of_loss(won, lost, rows, -middle) <= doubt:
            worst = middle
        else:
            best = middle
    return float(worst)


def chance_of_loss(won: int, lost: int, rows: int, loss: float) -> float:
    """Return how likely rows as good as these are, at most, when the true loss is `loss`."""
    observed = float(_score(np.array([won]), np.array([lost]), rows, loss)[0])
    needed = _fewest_wins(observed, rows, loss)
    shares = np.linspace(0, 1, NUISANCES) ** 2 * (1 - abs(loss)) / 2
    ways = [(float(share) + max(0.0, -loss), float(share) + max(0.0, loss)) for share in shares]
    return max(_chance(needed, rows, p_won, p_lost) for p_won, p_lost in ways)


def _chance(needed: NDArray[Any], rows: int, p_won: float, p_lost: float) -> float:
    """Return the chance that for its losses a sample has as many wins as are needed."""
    from scipy.special import bdtrc, gammaln, xlog1py, xlogy

    reach = REACH * (np.sqrt(rows * p_lost * (1 - p_lost)) + 1)
    first, last = rows * p_lost - reach, rows * p_lost + reach
    losses = np.arange(max(0, int(first)), min(rows, int(last)) + 1)
    needed, rest = needed[losses], rows - losses
    ways = gammaln(rows + 1) - gammaln(losses + 1) - gammaln(rest + 1)
    weights = np.exp(ways + xlogy(losses, p_lost) + xlog1py(rest, -p_lost))
    share = min(1.0, p_won / (1 - p_lost)) if p_lost < 1 else 0.0
    tails = np.where(needed <= 0, 1.0, bdtrc(needed - 1.0, rest, share))
    return float(np.sum(weights * np.where(needed > rest, 0.0, tails)))


def _fewest_wins(observed: float, rows: int, loss: float) -> NDArray[Any]:
    """Return for each count of losses the fewest wins that score as well, by halving."""
    losses = np.arange(rows + 1)
    low, high = np.zeros_like(losses), rows - losses + 1
    while np.any(low < high):
        middle = (low + high) // 2
        beyond = middle > rows - losses
        scores = _score(np.minimum(middle, rows - losses), losses, rows, loss)
        reached = beyond | (scores >= observed - 1e-9) | (low == high)
        low, high = np.where(reached, low, middle + 1), np.where(reached, middle, high)
    return low


def _score(won: NDArray[Any], lost: NDArray[Any], rows: int, loss: float) -> NDArray[np.float64]:
    """Return Tango's score of a loss: the larger, the less it looks like one."""
    linear = -(won + lost) + (2 * rows + won - lost) * loss
    constant = -won * loss * (1 - loss)
    likely = (np.sqrt(np.maximum(linear**2 - 8 * rows * constant, 0)) - linear) / (4 * rows)
    variance = rows * np.maximum(2 * likely + loss * (1 - loss), 0)
    gain = won - lost + rows * loss
    return np.where(np.abs(gain) < 1e-12, 0.0, gain / np.sqrt(np.maximum(variance, 1e-300)))
