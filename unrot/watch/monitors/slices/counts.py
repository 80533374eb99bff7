"""What is kept of each part of the traffic between two looks: counts, block by block.

`parts.py` says which parts there are, `rule.py` what is made of the counts.

    >>> places, rights = np.array([[[0], [0], [1], [1]]]), np.array([[1.0, 0.0, 1.0, 1.0]])
    >>> [column.tolist() for column in count_stretches(places, rights, 2)]
    [[[2, 2]], [[1.0, 2.0]], [[2.0, 1.0]], [[4.0, 4.0]]]
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrot.core.packed import unpack_bytes
from unrot.watch.notes import read_note, write_note
from unrot.watch.worth.repeats import Repeats

Numbers = NDArray[Any]

BLOCKS = 16
"""So many of the newest blocks are kept apart; the one that is open stands behind them."""
COUNT, RIGHT, REST, WEIGHT, BEGUN = range(5)
"""What is kept of a block: verdicts, right ones, how many the rest had right of as many, how
much they vary (the rest is counted too), and when it began."""
SQUARES, FOLDED = 4, 5
"""Of all older blocks besides: the sum of their squared deviations, and how many they are."""


@dataclass(frozen=True, slots=True)
class Fallen:
    """A part that has fallen and is not back."""

    since: float
    """When the first verdict after it was given."""
    before: float
    before_count: int
    before_rest: float
    is_promised: bool
    """True where what was before is told by the test set."""
    then: float
    """How right it was when the fall was found."""
    count: int
    right: int
    rest: float
    """Of the verdicts since: how many, right ones, and how right the rest was meanwhile."""
    ratio: float

    @property
    def now(self) -> float:
        """How right it is since."""
        return self.right / self.count if self.count else self.then


@dataclass(slots=True)
class Book:
    """What has to be remembered of all parts between two looks."""

    groups: Numbers
    """Of which feature each part is."""
    cells: Numbers
    past: Numbers
    promised: Numbers
    """The same of the test set, but for when it began."""
    looks: Numbers
    spread: Numbers
    """Of each part's rows in a stretch: their sum and the sum of their squares."""
    coarse: Numbers
    """The same of longer stretches, and those of the one that is not over."""
    stretches: int = 0
    fallen: dict[int, Fallen] = field(default_factory=dict)
    repeats: Repeats = field(default_factory=Repeats)
    dispersion: tuple[float, float] = (0.0, 0.0)
    multiplicity: float = 1.0

    @property
    def size(self) -> int:
        """How many parts there are."""
        return len(self.groups)


def new_book(sizes: Sequence[int], promised: Numbers | None = None) -> Book:
    """Begin a book of parts: so many of each feature."""
    groups = np.repeat(np.arange(len(sizes)), sizes)
    parts = len(groups)
    return Book(
        groups=groups,
        cells=np.zeros((parts, BLOCKS + 1, 5)),
        past=np.zeros((parts, 6)),
        promised=np.zeros((parts, 4)) if promised is None else promised,
        looks=np.zeros(parts),
        spread=np.zeros((parts, 2)),
        coarse=np.zeros((parts, 3)),
    )


def promise(places: Numbers, rights: Numbers, parts: int) -> Numbers:
    """Count a test set: of each part its rows, the right ones, and what the rest had right."""
    counted = count_stretches(places[None], np.asarray(rights)[None], parts)
    return np.stack([column[0] for column in counted], axis=1)


def count_stretches(places: Numbers, rights: Numbers, parts: int) -> tuple[Numbers, ...]:
    """Count stretch by stretch, of each part, what is kept of a block."""
    whole, length, features = places.shape
    flat = (places + (np.arange(whole) * (parts + 1))[:, None, None]).ravel()
    size = (whole, parts + 1)
    counts = np.bincount(flat, minlength=whole * (parts + 1)).reshape(size)[:, :parts]
    ones = np.repeat(rights.ravel(), features)
    right = np.bincount(flat, ones, minlength=whole * (parts + 1)).reshape(size)[:, :parts]
    others = length - counts
    all_right = rights.sum(axis=1)[:, None]
    share = np.where(others > 0, (all_right - right) / np.maximum(others, 1), all_right / length)
    return counts, right, share * counts, counts * length / np.maximum(others, 1)


def squares_of(cells: Numbers) -> Numbers:
    """Return how far blocks are from what the rest did, squared, by what they vary."""
    found: Numbers = (cells[..., RIGHT] - cells[..., REST]) ** 2 / np.maximum(
        cells[..., WEIGHT], 1e-9
    )
    return found


# ── written down ─────────────────────────────────────────────────────────────────────────────

ARRAYS = ("cells", "past", "promised", "looks", "spread", "coarse")


def to_note(book: Book) -> dict[str, Any]:
    """Write a book as JSON has it."""
    return {
        **{name: _written(getattr(book, name)) for name in ARRAYS},
        "sizes": np.bincount(book.groups).tolist(),
        "stretches": book.stretches,
        "dispersion": list(book.dispersion),
        "repeats": write_note(book.repeats),
        "fallen": write_note(book.fallen),
    }


def from_note(note: Mapping[str, Any]) -> Book:
    """Read what `to_note` wrote."""
    book = new_book(note["sizes"])
    for name in ARRAYS:
        setattr(book, name, _read(note[name], getattr(book, name).shape))
    book.stretches, book.dispersion = note["stretches"], tuple(note["dispersion"])
    book.repeats = read_note(Repeats, note["repeats"])
    book.fallen = {int(part): Fallen(**one) for part, one in note["fallen"].items()}
    return book


def _written(numbers: Numbers) -> str:
    return base64.b64encode(zlib.compress(numbers.astype("<f8").tobytes(), 1)).decode()


def _read(text: str, shape: tuple[int, ...]) -> Numbers:
    found = np.frombuffer(unpack_bytes(base64.b64decode(text)), "<f8")
    return found.reshape(shape).copy()
