"""How the doubt of a gate is shared among all candidates that the same rows weigh.

An anchor that says "surely no loss beyond the tolerance" at 95 % of each candidate says something
untrue of one in twenty that are just too bad; and since what it lets pass is what the next
candidate is made from, luck on its rows is handed down and adds up. Sixty candidates, each .3
points worse than the champion, lost 3 to 9 points so, where 2 are let pass.

So all that are ever weighed on the same rows share one doubt of 5 %. What a candidate is depends
on the rows only by which of those before it were promoted; of k candidates, p promoted among the
k − 1 before, there are C(k − 1, p) such ways, and each gets its share:

    α(1) = 4.5 %          α(k, p) = 0.5 % / (k²·(k − 1)·C(k − 1, p))

Over all ways and the k values of p these add up to 0.5 % / (k·(k − 1)), and over all k to
5 % with the first. So with 95 % no candidate of the whole line passes that is truly worse than the
first champion of these rows by more than the tolerance, however many are tried: the sixty lose less
than a point in the mean and never the tolerance (`make bench-gate`).

Dwork et al., Science 349 (2015) 636-638; Blum and Hardt, ICML 37 (2015) 1006-1014.

    >>> [round(share_of_doubt(before, 0), 6) for before in (0, 1, 2)]
    [0.045, 0.00125, 0.000278]
    >>> round(share_of_doubt(2, 1), 6)
    0.000139
"""

from __future__ import annotations

from math import exp, log

from unrot.learn.gate.exact_tests import DOUBT
from unrot.watch.statistics.chances import log_choose

OF_THE_FIRST = 0.045
OF_THE_REST = DOUBT - OF_THE_FIRST
LEAST = 1e-300


def share_of_doubt(before: int, promoted: int) -> float:
    """Return the doubt of a candidate: so many were weighed before it, some of them promoted."""
    if not before:
        return OF_THE_FIRST
    among = min(promoted, before)
    share = log(OF_THE_REST) - log(before * (before + 1) ** 2) - log_choose(before, among)
    return max(exp(max(share, log(LEAST))), LEAST)
