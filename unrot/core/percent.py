"""A share of a whole as people read it, everywhere alike, and never surer than it is."""

from __future__ import annotations


def percent(share: float, digits: int = 1) -> str:
    """Write a share for a table.

    >>> [percent(share) for share in (0.978, 1.0, 0.99996, 0.0002, 0.1)]
    ['97.8 %', '100 %', '> 99.9 %', '< 0.1 %', '10 %']
    >>> percent(0.00125, digits=3)
    '0.125 %'
    """
    least = 0.1**digits / 100
    if 0 < share < least / 2:
        return f"< {100 * least:.{digits}f} %"
    if 1 - least / 2 < share < 1:
        return f"> {100 * (1 - least):.{digits}f} %"
    return f"{_bare(f'{100 * share:.{digits}f}')} %"


def roughly(share: float) -> str:
    """Write a share for a sentence.

    >>> [roughly(share) for share in (0.386, 0.9996, 0.0312, 0.00123, 0.0)]
    ['39 %', '> 99 %', '3.1 %', '0.12 %', '0 %']
    """
    if share >= 0.1:
        return percent(share, 0)
    return f"{_bare(f'{100 * share:.2g}')} %" if share >= 0.000_01 or not share else "< 0.001 %"


def points(difference: float) -> str:
    """Write how far two shares lie apart.

    >>> [points(difference) for difference in (0.069, 0.02, 0.01)]
    ['6.9 points', '2 points', '1 point']
    """
    said = _bare(f"{100 * difference:.1f}")
    return f"{said} point" if said == "1" else f"{said} points"


def _bare(digits: str) -> str:
    return digits.rstrip("0").rstrip(".") if "." in digits else digits
