"""Numbers, times and names as people read them: the template filters."""

from __future__ import annotations

from unrot.core.percent import percent as percent
from unrot.core.records import Schema, Value
from unrot.core.schema import spoken as spoken
from unrot.core.time import utc


def unbroken(share: float) -> str:
    """Write a share on a page, where no line is to end before its sign.

    >>> unbroken(0.978) == "97.8\N{NO-BREAK SPACE}%"
    True
    """
    return together(percent(share))


def together(text: str) -> str:
    """Let no line of a page end before the sign of a share.

    >>> together("from 85 % to 35 %") == "from 85\N{NO-BREAK SPACE}% to 35\N{NO-BREAK SPACE}%"
    True
    """
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def number(value: Value) -> str:
    """Write a cell: whole numbers without a point (a year without a comma), others with six digits.

    >>> [number(value) for value in (5.0, 5.1, 1962, 12345, 12345.5, 0.1 + 0.2, None, "red")]
    ['5', '5.1', '1962', '12,345', '12,345.5', '0.3', 'unknown', 'red']
    """
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}" if abs(value) >= 10_000 else str(int(value))
    return f"{value:,.6g}" if abs(value) >= 10_000 else f"{value:.6g}"


def rough(value: float) -> str:
    """Write a measured number with the three digits that mean something.

    >>> [rough(value) for value in (52.4259, 0.012345, 1234.5, 7.0)]
    ['52.4', '0.0123', '1,234', '7']
    """
    if abs(value) >= 1_000:
        return f"{value:,.0f}"
    digits = f"{value:.3g}"
    return f"{float(digits):.10f}".rstrip("0").rstrip(".") if "e" in digits else digits


def iso(seconds: float) -> str:
    """Write a time for machines."""
    return utc(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def called(label: Value, schema: Schema) -> str:
    """Write an answer as people call it.

    >>> called("0", Schema((), "left", ("0", "1"), ("stays", "")))
    'stays'
    """
    names = dict(zip(schema.classes, schema.class_names, strict=False))
    return (names.get(label) if isinstance(label, str) else "") or number(label)
