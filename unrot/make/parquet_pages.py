"""How many bytes the pages of a Parquet file unpack to, by what each page says itself.

The foot of a file says so too, and is not held to it: twelve kilobytes whose foot promises ten
bytes unpack to half a gigabyte. What unpacks a page makes room for as many bytes as the page's own
head says, so these are added up before any page is unpacked. pyarrow shows no heads. They are
Thrift's compact protocol, of which a head needs little: numbers, texts, flags and structs. Whatever
else stands there is refused, since another reader may take it for something else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

MOST_PAGES, MOST_FIELDS = 50_000, 32
"""Of a file, and of a page's head: each takes its time, however few bytes it has."""
DEEPEST = 8
"""A head has a struct in a struct."""
STOP, FLAGS, BYTE, WHOLE, NUMBERS, DOUBLE, TEXT, STRUCT = 0, (1, 2), 3, 5, (4, 5, 6), 7, 8, 12
UNPACKED, PACKED, LAST = 2, 3, 15
"""The fields of a head that say how large its page is, and the last that there may be."""
MOST_NUMBER = 2**31 - 1


class BrokenPage(ValueError):
    """It is no head of a page."""


def unpacked_bytes(data: Any, metadata: Any, names: Collection[str]) -> list[int]:
    """Return to how many bytes each group of rows unpacks in some columns; raise BrokenPage.

    `data` are the bytes of the file, `metadata` what its foot says.
    """
    found, pages, wanted, rows = [], 0, {*names}, 0
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        columns = [group.column(place) for place in range(group.num_columns)]
        read = [one for one in columns if wanted & _names_of(one.path_in_schema)]
        if any(one.num_values != group.num_rows for one in read):
            raise BrokenPage("A column has more values than rows, or fewer.")
        whole, rows = 0, rows + group.num_rows
        for unpacked in (size for one in read for size in _pages(data, one)):
            whole += unpacked
            pages += 1
            if pages > MOST_PAGES:
                raise BrokenPage("There are too many pages.")
        found.append(max(whole, sum(one.total_uncompressed_size for one in read)))
    if rows != metadata.num_rows:
        raise BrokenPage("The groups have more rows than the file, or fewer.")
    return found


def _names_of(path: str) -> set[str]:
    """Return the names that the column of a path may have: one with a dot, or the first part."""
    return {path, path.partition(".")[0]}


def _pages(data: Any, column: Any) -> Iterator[int]:
    """Return to how many bytes each page of a column unpacks."""
    at = column.data_page_offset
    if column.dictionary_page_offset:
        at = min(at, column.dictionary_page_offset)
    ends_at = at + column.total_compressed_size
    if not 0 <= at <= ends_at <= len(data):
        raise BrokenPage("A column lies outside of its file.")
    while at < ends_at:
        head = Head(data, at)
        yield head.sizes.get(UNPACKED, 0)
        at = head.at + head.sizes.get(PACKED, 0)
    if at != ends_at:
        raise BrokenPage("The last page of a column ends elsewhere.")


class Head:
    """The head of a page: the numbers in it by their fields, and where it ends."""

    def __init__(self, data: Any, at: int) -> None:
        self._data, self.at = data, at
        self._left = MOST_FIELDS
        self.sizes: dict[int, int] = {}
        try:
            for field, kind in self._fields():
                if kind == WHOLE:
                    self.sizes[field] = self._number()
                else:
                    self._pass_over(kind, 0)
        except IndexError:
            raise BrokenPage("A page ends in its head.") from None
        if any(not 0 <= size <= MOST_NUMBER for size in self.sizes.values()):
            raise BrokenPage("A page has less than no bytes, or more than there can be.")

    def _fields(self) -> Iterator[tuple[int, int]]:
        """Return the number and the kind of each field of a struct."""
        last = 0
        while (byte := self._byte()) & 15 != STOP:
            step, kind = byte >> 4, byte & 15
            field = last + step if step else self._number()
            self._left -= 1
            if not last < field <= LAST or self._left < 0:
                raise BrokenPage("A head has other fields, or too many.")
            yield field, kind
            last = field

    def _pass_over(self, kind: int, depth: int) -> None:
        if kind in NUMBERS:
            self._number()
        elif kind == TEXT:
            length = self._bits()
            self.at += length
        elif kind == STRUCT and depth < DEEPEST:
            for _, inner in self._fields():
                self._pass_over(inner, depth + 1)
        elif kind in (BYTE, DOUBLE):
            self.at += 1 if kind == BYTE else 8
        elif kind not in FLAGS:
            raise BrokenPage("No head of a page has that.")

    def _number(self) -> int:
        bits = self._bits()
        return bits >> 1 ^ -(bits & 1)

    def _bits(self) -> int:
        bits = shift = 0
        while (byte := self._byte()) & 128:
            bits |= (byte & 127) << shift
            shift += 7
            if shift > 63:
                raise BrokenPage("A number has no end.")
        return bits | byte << shift

    def _byte(self) -> int:
        byte: int = self._data[self.at]
        self.at += 1
        return byte
