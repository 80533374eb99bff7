"""Signals: what is seen to happen with an answer where nobody says whether it was right.

A program that sees a basket abandoned, or an answer copied, tells that by a name of its own. What
the name means for a model, its owner says by a rule: wrong, right, or nothing but a count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Meaning = Literal["wrong", "right", "counted"]
MEANINGS: Mapping[str, str] = {
    "wrong": "counted as wrong",
    "right": "counted as right",
    "counted": "only counted",
}
MOST_LETTERS = 64
MOST_RULES = 20
NAME_EXPECTED = f"a name of at most {MOST_LETTERS} characters without commas, such as abandoned"
RULES_EXPECTED = (
    f"up to {MOST_RULES} names, each with what it means: abandoned: wrong, copied: right, "
    "opened: counted"
)


def is_name(given: Any) -> bool:
    """Tell whether a signal may be called so.

    >>> is_name("abandoned"), is_name(" "), is_name("a, b")
    (True, False, False)
    """
    return (
        isinstance(given, str)
        and 0 < len(given) <= MOST_LETTERS
        and given.isprintable()
        and given == given.strip()
        and "," not in given
        and not any("\ud800" <= letter <= "\udfff" for letter in given)
    )


def read_meanings(given: Any) -> dict[str, Meaning]:
    """Read what names mean, as an object or as people write it; ValueError for what is neither.

    >>> read_meanings("abandoned: wrong, copied: right")
    {'abandoned': 'wrong', 'copied': 'right'}
    """
    pairs = _parted(given) if isinstance(given, str) else given
    if pairs is None:
        return {}
    if not isinstance(pairs, Mapping) or len(pairs) > MOST_RULES:
        raise ValueError
    if not all(is_name(name) for name in pairs):
        raise ValueError
    if not all(isinstance(one, str) and one in MEANINGS for one in pairs.values()):
        raise ValueError
    return dict(pairs)


def _parted(text: str) -> dict[str, str]:
    parts = [part.rpartition(":") for part in text.split(",") if part.strip()]
    pairs = {name.strip(): meaning.strip() for name, _, meaning in parts}
    if len(pairs) < len(parts):
        raise ValueError
    return pairs
