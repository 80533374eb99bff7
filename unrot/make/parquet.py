"""Which columns of a Parquet file are cells of a table: texts, numbers, yes or no, times.

Lists and bytes are none, also where they are called decimal numbers, and are refused before they
are read: a few hundred bytes of a file can say that they stand there ten thousand times, or are
gigabytes long. Texts are to stay in their dictionary for the same reason, where a long one is there
once.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from unrot.core.errors import wrong_field

CELLS = ("boolean", "integer", "floating", "decimal", "temporal", "null")
TEXTS = ("string", "large_string", "string_view")
MOST_BYTES = 32
"""So many the longest decimal number takes."""


def texts_among(file: Any, names: Collection[str]) -> list[str]:
    """Return those of some columns that are texts; refuse one that holds no cells."""
    from pyarrow import types

    texts, stored = [], [file.schema.column(place) for place in range(len(file.schema))]
    of_bytes = {one.path for one in stored if _is_of_bytes(one)}
    for name, held in zip(file.schema_arrow.names, file.schema_arrow.types, strict=True):
        kind = held.value_type if types.is_dictionary(held) else held
        if name not in names:
            continue
        if any(getattr(types, f"is_{text}")(kind) for text in TEXTS):
            texts.append(name)
        elif name in of_bytes or not any(getattr(types, f"is_{cell}")(kind) for cell in CELLS):
            raise wrong_field(name, f"{held}", "texts, numbers, times, yes or no")
    return texts


def _is_of_bytes(column: Any) -> bool:
    return bool(column.physical_type == "BYTE_ARRAY" or column.length > MOST_BYTES)
