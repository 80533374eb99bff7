"""What one cell of a CSV file says: a gap, a number in either notation, yes or no.

Both the columns that a model is trained on and the rows that it predicts later are read by these
functions, so that a cell means the same in both.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Literal

from unrot.core.records import Feature, Value

Mark = Literal[".", ","]
"""What stands between a number and its fraction."""

HINT = 1e-9
"""The weight of a cell that may be either: all of them together never outweigh one sure cell."""

GAPS = frozenset(
    {"", "na", "n/a", "n.a.", "#n/a", "<na>", "nan", "nat", "null", "none", "?", "-", "--"}
)
PAIRS = (("no", "yes"), ("false", "true"), ("f", "t"), ("n", "y"))
FALSE = frozenset({*(no for no, _ in PAIRS), "0"})
TRUE = frozenset({*(yes for _, yes in PAIRS), "1"})

_SPACES = " \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}'\N{RIGHT SINGLE QUOTATION MARK}"
_OTHER: dict[Mark, Mark] = {".": ",", ",": "."}
_PLAIN = {
    mark: re.compile(rf"[+-]?([0-9]+([{mark}][0-9]*)?|[{mark}][0-9]+)([eE][+-]?[0-9]+)?")
    for mark in _OTHER
}
_GROUPED = {
    mark: re.compile(
        rf"[+-]?[1-9][0-9]{{0,2}}([{other}{_SPACES}])[0-9]{{3}}(\1[0-9]{{3}})*([{mark}][0-9]+)?"
    )
    for mark, other in _OTHER.items()
}
UNITS = re.compile(r"[%\N{PER MILLE SIGN}$\u00a2-\u00a5\u20a0-\u20cf]|\b(CHF|EUR|GBP|JPY|USD)\b")
"""What people write beside a number in its own cell: a share, a currency."""

_EITHER = {mark: re.compile(rf"[+-]?[1-9][0-9]{{0,2}}[{mark}][0-9]{{3}}") for mark in _OTHER}
"""A number that is read as 1.234 or as 1234: alone it does not tell."""
_PLAIN_COLUMN = {mark: re.compile(rf"[0-9{mark}eE+\- \n]*") for mark in _OTHER}
"""Of these characters `float` reads what `_PLAIN` matches, and nothing else."""


def is_gap(text: str) -> bool:
    """Tell a cell that holds nothing, in the words that people and programs have for it."""
    return text.strip().casefold() in GAPS


def number(text: str, mark: Mark = ".", unit: str = "") -> float | None:
    """Read a number with this decimal mark, perhaps grouped by thousands; else None.

    Its unit may stand before or behind it, and what accountants put in brackets is negative.
    """
    text = text.strip().replace("\N{MINUS SIGN}", "-")
    if not _PLAIN[mark].fullmatch(text):
        text = _bare(text, unit)
    if not _PLAIN[mark].fullmatch(text):
        grouped = _GROUPED[mark].fullmatch(text)
        if grouped is None:
            return None
        text = text.replace(grouped[1], "")
    read = float(text.replace(",", "."))
    return read if math.isfinite(read) else None


def either(text: str) -> tuple[float, float] | None:
    """Return both readings of a number that may be a fraction or grouped by thousands; else None.

    >>> either("3,504"), either("3.504"), either("3,5"), either("0,504")
    ((3.504, 3504.0), (3.504, 3504.0), None, None)
    """
    text = text.strip()
    if "," not in text and "." not in text:
        return None
    text = _bare(text, unit_in(text))
    if not any(shape.fullmatch(text) for shape in _EITHER.values()):
        return None
    return float(text.replace(",", ".")), float(text.replace(",", "").replace(".", ""))


def unit_in(text: str) -> str:
    """Return the share or currency sign beside the number in a cell; nothing if it is none."""
    found = UNITS.search(text)
    if found is None or all(number(text, mark, found[0]) is None for mark in _OTHER):
        return ""
    return found[0]


def truth(text: str) -> bool | None:
    """Read yes or no in one of the pairs of words, or as 1 and 0; else None."""
    word = text.strip().casefold()
    return True if word in TRUE else False if word in FALSE else None


def value_of(feature: Feature, text: str, mark: Mark = ".") -> Value:
    """Read a cell as a value of this feature; what cannot be read stays text.

    `schema.parse_row` then refuses the text by name, so that there is one judge of rows.
    """
    text = text.strip()
    if feature.kind == "category" and text in feature.choices:
        return text
    if is_gap(text):
        return None
    if feature.kind == "category":
        return text
    read = truth(text) if feature.kind == "boolean" else number(text, mark, feature.unit)
    return text if read is None else read


def values_of(feature: Feature, texts: Sequence[str], mark: Mark = ".") -> list[Value]:
    """Read the cells of one column, each as `value_of` reads it; plain numbers all at once."""
    if feature.kind in ("number", "integer"):
        numbers = _plain_numbers(texts, mark)
        if numbers is not None:
            return numbers
    read = {text: value_of(feature, text, mark) for text in set(texts)}
    return [read[text] for text in texts]


def _plain_numbers(texts: Sequence[str], mark: Mark) -> list[Value] | None:
    """Return the numbers and gaps of a column that holds nothing else; else None."""
    if not _PLAIN_COLUMN[mark].fullmatch("\n".join(texts)):
        return None
    pointed = texts if mark == "." else [text.replace(",", ".") for text in texts]
    try:
        numbers: list[Value] = [float(text) if text else None for text in pointed]
    except ValueError:
        return None
    return None if math.inf in numbers or -math.inf in numbers else numbers


def weigh_marks(cells: Iterable[str]) -> dict[Mark, float]:
    """Return how many cells can only be read with each mark; one that may be either is a hint."""
    weights: dict[Mark, float] = {".": 0.0, ",": 0.0}
    for cell in cells:
        if "." in cell or "," in cell:
            text = cell.strip()
            if (mark := _mark_of(text)) is None:
                text = _bare(text, unit_in(text))
                mark = _mark_of(text)
            if mark is not None:
                weights[mark] += HINT if _EITHER[mark].fullmatch(text) else 1.0
    return weights


def _bare(text: str, unit: str) -> str:
    """Write (5 €), € -5 and -5 € as -5."""
    sign = ""
    if text.startswith("(") and text.endswith(")"):
        sign, text = "-", text[1:-1].strip()
    elif unit and text[:1] in ("+", "-"):
        sign, text = text[0], text[1:].lstrip()
    return sign + text.removeprefix(unit).removesuffix(unit).strip()


def _mark_of(text: str) -> Mark | None:
    """Return the mark with which this cell is a number: the plain reading before the grouped."""
    for patterns in (_PLAIN, _GROUPED):
        for mark in _OTHER:
            if patterns[mark].fullmatch(text):
                return mark
    return None
