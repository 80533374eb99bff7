"""Infer from a column what feature it is, or why it can't teach.

Nothing here guesses silently: what is left out is left out with a reason, and the person who
knows better says so with `--drop`, `--categories` or `--numbers`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unrot.core.encoding import UNSEEN
from unrot.core.errors import Invalid, shown
from unrot.core.records import Feature
from unrot.make.csv.cells import GAPS, PAIRS, number, truth
from unrot.make.csv.columns import MOST_TEXTS, Column, Numbers

MOST_CHOICES = 100
MOST_FORCED_CHOICES = 1_000
MOST_NUMBER_CHOICES = 6
FEWEST_FOR_AN_ID = 20
FEWEST_FOR_A_NAME = 10

_UNIT = re.compile(r".*?\S\s*[(\[]([^()\[\]=,;]{1,15})[)\]]")
_NO_UNITS = frozenset({"y/n", "yes/no", "t/f", "true/false", "m/f", "f/m", "target"})
_ID_NAME = re.compile(
    r"(.*[\W_])?(id|ids|uid|uuid|guid|key|index|idx|no|nr|row|rownum|rownames|record)", re.I
)
_ID_ENDING = re.compile(r".*[a-z](Id|ID)|column \d+")
_CODE = re.compile(r"[+-]?0[0-9]+")
_TIME = r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?(\s*[ap]\.?m\.?)?"
_ZONE = r"(\s*(z|utc|gmt|[+-]\d{2}:?\d{2}))?"
_DAY = (
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})"
    r"|\d{4}-\d{2}|(\w{3,9},?\s+)?\d{1,2}\.?[-\s][^\W\d_]{3,9}\.?,?[-\s]\d{2,4}"
    r"|[^\W\d_]{3,9}\.?\s+\d{1,2},?\s+\d{4}"
)
_DATE = re.compile(rf"(({_DAY})([T\s,]+{_TIME}{_ZONE})?|{_TIME}{_ZONE})", re.I)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A column that does not become a feature."""

    name: str
    reason: str


def infer(
    whole: Column,
    learnt: NDArray[np.bool_],
    *,
    is_category: bool = False,
    is_number: bool = False,
) -> Feature | LeftOut:
    """Return the feature that a column is by the rows to learn from, or why it is left out."""
    if is_number:
        return _number_feature(whole, forced_numbers(whole)[learnt])
    if whole.codes is None and whole.numbers is None:
        return LeftOut(whole.name, _too_varied(whole.texts))
    column = whole.part(learnt)
    texts = present_texts(column)
    numbers = numbers_of(column)
    if numbers is None or is_category or any(map(_CODE.fullmatch, texts)):
        return _word_feature(column, texts, is_category=is_category)
    if _is_id(whole):
        return LeftOut(whole.name, "whole numbers, each one once: an id; --numbers would keep it")
    return _number_feature(whole, numbers)


def encode(column: Column, feature: Feature) -> Numbers:
    """Write a column as the numbers that `unrot.core.encoding` makes of such rows."""
    if feature.kind in ("number", "integer"):
        return _looked_up(column, [column.number(text) for text in column.texts])
    if feature.kind == "boolean":
        return _looked_up(column, [truth(text) for text in column.texts])
    places = {choice: float(place) for place, choice in enumerate(feature.choices)}
    return _looked_up(column, [places.get(text, UNSEEN) for text in column.texts])


def numbers_of(column: Column) -> Numbers | None:
    """Return a column as numbers if all that it holds are numbers."""
    if column.numbers is not None:
        return column.numbers
    read = [column.number(text) for text in column.texts]
    return None if None in read else _looked_up(column, read)


def forced_numbers(column: Column) -> Numbers:
    """Return a column of which somebody said that it holds numbers; raise Invalid if not."""
    numbers = numbers_of(column) if column.codes is not None or column.numbers is not None else None
    if numbers is None:
        word = next((text for text in column.texts if column.number(text) is None), "")
        raise Invalid(
            f"--numbers {shown(column.name)}: less than half of what it holds are numbers, such as "
            f"{shown(word, 40)}."
        )
    return numbers


def present_texts(column: Column) -> list[str]:
    """Return the texts that these rows hold."""
    if column.codes is None:
        return []
    return [column.texts[code] for code in np.unique(column.codes) if code >= 0]


def in_order(
    texts: Sequence[str], as_number: Callable[[str], float | None] = number
) -> tuple[str, ...]:
    """Sort numbers by size and words by the alphabet, numbers first."""

    def place(text: str) -> tuple[bool, float, str, str]:
        read = as_number(text)
        return read is None, read or 0.0, text.casefold(), text

    return tuple(sorted(texts, key=place))


def unit_of(name: str) -> str:
    """Return the unit that a header such as `Height (cm)` ends in."""
    found = _UNIT.fullmatch(name)
    if found is None or found[1].strip().isdigit() or found[1].strip().casefold() in _NO_UNITS:
        return ""
    return found[1].strip()


def _word_feature(column: Column, texts: Sequence[str], *, is_category: bool) -> Feature | LeftOut:
    name, codes = column.name, column.codes
    if codes is None or (is_category and len(texts) > MOST_FORCED_CHOICES):
        raise Invalid(
            f"{name} holds more than {MOST_FORCED_CHOICES:,} different values, too many for a "
            "category: leave it out with --drop."
        )
    if len(texts) < 2:
        return LeftOut(name, f"always {shown(texts[0], 40)}" if texts else "holds nothing")
    nullable = bool((codes < 0).any())
    if is_category:
        return Feature(name, "category", choices=in_order(texts), nullable=nullable)
    reason = _unfit_words(texts, int((codes >= 0).sum()))
    if reason:
        return LeftOut(name, reason)
    if {text.casefold() for text in texts} in map(set, PAIRS):
        return Feature(name, "boolean", nullable=nullable)
    return Feature(name, "category", choices=in_order(texts), nullable=nullable)


def _number_feature(column: Column, numbers: Numbers) -> Feature | LeftOut:
    name, seen = column.name, numbers[~np.isnan(numbers)]
    if not len(seen):
        return LeftOut(name, "holds nothing")
    low, high = float(seen.min()), float(seen.max())
    if low == high:
        return LeftOut(name, f"always {low:g}")
    is_whole = bool((seen == np.floor(seen)).all())
    return Feature(
        name,
        "integer" if is_whole else "number",
        low=low,
        high=high,
        choices=_few(seen) if is_whole else (),
        unit=column.unit or unit_of(name),
        nullable=len(seen) < len(numbers),
    )


def _few(seen: Numbers) -> tuple[int, ...]:
    values = np.unique(seen)
    if len(values) > MOST_NUMBER_CHOICES or len(values) * 2 > len(seen):
        return ()
    return tuple(int(value) for value in values)


def _is_id(whole: Column) -> bool:
    """Tell whole numbers that only count or name the rows."""
    numbers = numbers_of(whole)
    seen = np.array([]) if numbers is None else numbers[~np.isnan(numbers)]
    values = np.unique(seen)
    if not len(seen) or len(values) < len(seen) or (values != np.floor(values)).any():
        return False
    is_named = bool(_ID_NAME.fullmatch(whole.name) or _ID_ENDING.fullmatch(whole.name))
    counts_rows = values[-1] - values[0] == len(values) - 1
    return is_named or bool(counts_rows and len(seen) >= FEWEST_FOR_AN_ID)


def _unfit_words(texts: Sequence[str], rows: int) -> str:
    """Say why these texts can't teach, or nothing."""
    if _are_dates(texts):
        return f"dates or times, such as {shown(texts[0], 40)}"
    if len(texts) == rows and rows >= FEWEST_FOR_A_NAME:
        return f"every row has another text, such as {shown(texts[0], 40)}: an id or a name"
    if len(texts) > MOST_CHOICES or (rows >= FEWEST_FOR_AN_ID and len(texts) * 2 > rows):
        return f"{len(texts):,} different texts in {rows:,} rows: free text"
    return ""


def _too_varied(sample: Sequence[str]) -> str:
    told = [text for text in sample if text.casefold() not in GAPS]
    if _are_dates(told):
        return f"dates or times, such as {shown(told[0], 40)}"
    return f"more than {MOST_TEXTS:,} different texts: an id or free text"


def _are_dates(texts: Sequence[str]) -> bool:
    found = sum(bool(_DATE.fullmatch(text)) for text in texts)
    return bool(texts) and found >= 0.9 * len(texts)


def _looked_up(column: Column, values: Sequence[float | None]) -> Numbers:
    """Put the value of each text where its code stands, NaN for gaps."""
    if column.numbers is not None:
        return column.numbers
    if column.codes is None:
        return np.full(column.rows, np.nan)
    # The last place stands for code -1.
    table = np.array([*values, None], dtype=np.float64)
    return table[column.codes]
