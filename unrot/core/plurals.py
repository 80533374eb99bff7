"""A number with its noun, as every sentence says it: 1 row, 2 rows, 3,504 entries.

>>> counted(1, "row"), counted(2, "row"), counted(3504, "entry")
('1 row', '2 rows', '3,504 entries')
"""

from __future__ import annotations

from collections.abc import Collection


def counted(count: float, noun: str, nouns: str = "") -> str:
    """Write so many of something; a plural that no rule tells is given."""
    return f"{count:,.0f} {plural(count, noun, nouns)}"


def plural(count: float, noun: str, nouns: str = "") -> str:
    """Return the word, or the words, that stand with a number: of 1 one, else several.

    >>> [plural(count, "row") for count in (0, 1, 2)]
    ['rows', 'row', 'rows']
    >>> plural(3, "row is", "rows are"), plural(2, "class"), plural(2, "try"), plural(2, "day")
    ('rows are', 'classes', 'tries', 'days')
    """
    if count == 1:
        return noun
    return nouns or _several(noun)


def there_are(names: Collection[str], none: str = "none") -> str:
    """Say which there are, where another was asked for.

    >>> there_are(["v1"]), there_are(["v1", "v2"]), there_are([])
    ('there is v1', 'there are v1, v2', 'there is none')
    """
    return f"there {'are' if len(names) > 1 else 'is'} {', '.join(names) or none}"


def _several(noun: str) -> str:
    if noun.endswith(("s", "x", "ch", "sh")):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"
