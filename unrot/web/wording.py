"""Numbers, times and names as people read them: the template filters."""

from __future__ import annotations

from collections.abc import Mapping

from unrot.core.numbers import rough as rough
from unrot.core.percent import percent as percent
from unrot.core.records import Feature, Schema, Value, Version
from unrot.core.schema import spoken as spoken
from unrot.core.time import utc


def unbroken(share: float) -> str:
    """Write a share on a page, where no line is to end before its sign.

    >>> unbroken(0.978) == "97.8\N{NO-BREAK SPACE}%"
    True
    """
    return percent(share).replace(" ", "\N{NO-BREAK SPACE}")


def together(text: str) -> str:
    """Let no line of a page end before the sign of a share.

    >>> together("from 85 % to 35 %") == "from 85\N{NO-BREAK SPACE}% to 35\N{NO-BREAK SPACE}%"
    True
    """
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def thousands(count: float) -> str:
    """Write how many there are of something.

    >>> thousands(999), thousands(2635)
    ('999', '2,635')
    """
    return f"{count:,.0f}"


def number(value: Value) -> str:
    """Write a cell: whole numbers without a point (a year without a comma), others with six digits.

    >>> [number(value) for value in (5.0, 5.1, 1962, 12345, 1191.15, 0.1 + 0.2, None, "red")]
    ['5', '5.1', '1962', '12,345', '1,191.15', '0.3', 'unknown', 'red']
    """
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}" if abs(value) >= 10_000 else str(int(value))
    return f"{value:,.6g}"


def valued(value: Value, feature: Feature) -> str:
    """Write a value as the field of its feature does.

    >>> soil = Feature("soil", "choice", choices=("c", "l"), choice_names=("Clay", ""))
    >>> valued("c", soil), valued("l", soil), valued(True, soil), valued(None, soil)
    ('Clay', 'l', 'yes', 'unknown')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    names = dict(zip(feature.choices, feature.choice_names, strict=False))
    return names.get(value, "") or number(value)


ORIGINS = {
    "learn": "learnt from",
    "refit": "refitted from",
    "rebuild": "made again from",
    "train_batch": "fed more rows after",
    "reset": "begun anew after",
    "stream": "trained, with a stream to come",
}
"""How a version was made, where its own word is one of code; its parent follows."""
CALLED = {
    "mae": "mean error (MAE)",
    "rmse": "RMSE",
    "r2": "R²",
    "constant_guess_mae": "constant guess (MAE)",
    "constant_guess_rmse": "constant guess (RMSE)",
}
"""Metrics of numbers, as the other pages call them."""
SHARES = ("accuracy", "balanced accuracy", "constant guess", "recall")
"""Metrics of a classifier that are shares of its rows."""


def origin(version: Version) -> str:
    """Say how a version was made; the name of its parent, if it has one, comes behind."""
    said = ORIGINS.get(version.origin, version.origin)
    return f"{said} from" if version.parent and version.origin not in ORIGINS else said


def metrics(found: Mapping[str, float], schema: Schema) -> dict[str, str]:
    """Write the metrics of a version, by what people call them.

    >>> metrics({"accuracy": 0.91, "log_loss": 0.449426, "recall:0": 1.0, "rows_trained": 400.0},
    ...     Schema((), "left", ("0", "1"), ("stays", "goes")))
    {'accuracy': '91 %', 'log loss': '0.449', 'recall of stays': '100 %', 'rows trained': '400'}
    >>> metrics({"mae": 36.6875, "r2": 0.5}, Schema((), "rent"))
    {'mean error (MAE)': '36.7', 'R²': '0.5'}
    """
    said = {}
    for name, value in found.items():
        what, _, label = name.partition(":")
        what = CALLED.get(what) or what.replace("_", " ")
        is_share = schema.is_classifier and what in SHARES
        writes = percent if is_share else number if float(value).is_integer() else rough
        said[f"{what} of {called(label, schema)}" if label else what] = writes(value)
    return said


def signed(share: float) -> str:
    """Write a gain or a loss in points.

    >>> [signed(share) for share in (0.052, -0.66, 0.0001, -0.0001)]
    ['+5.2', '-66', '0', '0']
    """
    said = f"{100 * share:+.1f}".removesuffix(".0")
    return "0" if said in ("+0", "-0") else said


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
