"""Measured numbers as people read them, everywhere alike."""

from __future__ import annotations

UNITS = ("bytes", "kB", "MB", "GB", "TB")


def rough(value: float) -> str:
    """Write a measured number with the three digits that mean something.

    >>> [rough(value) for value in (52.4259, 0.012345, 1234.5, 7.0)]
    ['52.4', '0.0123', '1,234', '7']
    """
    if abs(value) >= 1_000:
        return f"{value:,.0f}"
    digits = f"{value:.3g}"
    return f"{float(digits):.10f}".rstrip("0").rstrip(".") if "e" in digits else digits


def in_bytes(count: float) -> str:
    """Write how many bytes.

    >>> [in_bytes(count) for count in (0, 999, 1_000, 256 * 2**20)]
    ['0 bytes', '999 bytes', '1.0 kB', '268.4 MB']
    """
    unit = 0
    while count >= 1_000 and unit + 1 < len(UNITS):
        count, unit = count / 1_000, unit + 1
    return f"{count:.1f} {UNITS[unit]}" if unit else f"{int(count)} bytes"
