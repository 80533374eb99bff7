"""A measured number as people read it, everywhere alike."""

from __future__ import annotations


def rough(value: float) -> str:
    """Write a measured number with the three digits that mean something.

    >>> [rough(value) for value in (52.4259, 0.012345, 1234.5, 7.0)]
    ['52.4', '0.0123', '1,234', '7']
    """
    if abs(value) >= 1_000:
        return f"{value:,.0f}"
    digits = f"{value:.3g}"
    return f"{float(digits):.10f}".rstrip("0").rstrip(".") if "e" in digits else digits
