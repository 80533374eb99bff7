"""A store in memory, for tests: the plainest thing that keeps the promises of a store."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from unrot.store.kinds import Kind
from unrot.store.operations import ABSENT, ANY, Change, Changed, Delete, Document, Hold, checked


class MemoryStore:
    """Documents in dictionaries, one a kind."""

    name = "memory"

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, Document]] = {}
        self._revision = 0
        self._turn = threading.RLock()

    def prepare(self) -> None:
        """Nothing is to be made."""

    def get(self, kind: Kind, key: str) -> Document | None:
        """Return a document."""
        with self._turn:
            return self._of(kind).get(key)

    def get_many(self, kind: Kind, keys: Sequence[str]) -> dict[str, Document]:
        """Return those that are there."""
        with self._turn:
            known = self._of(kind)
            return {key: known[key] for key in keys if key in known}

    def scan(
        self,
        kind: Kind,
        index: str,
        equal: Sequence[Any] = (),
        *,
        since: Any = None,
        until: Any = None,
        after: Sequence[Any] | None = None,
        newest_first: bool = False,
        limit: int,
        only: Sequence[str] | None = None,
    ) -> list[Document]:
        """Return documents in the order of an index."""
        order = kind.indexes[index].order
        places = [
            ((*(document.fields[name] for name in order), document.key), document)
            for document in self._found(kind, index, equal, since, until)
        ]
        places.sort(key=lambda one: one[0], reverse=newest_first)
        if after is not None:
            last = tuple(after)
            places = [one for one in places if (one[0] < last if newest_first else one[0] > last)]
        names = (*(kind.fields if only is None else only), *order)
        return [
            replace(document, fields={name: document.fields[name] for name in names})
            for _, document in places[:limit]
        ]

    def count(
        self,
        kind: Kind,
        index: str,
        equal: Sequence[Any] = (),
        *,
        since: Any = None,
        until: Any = None,
    ) -> int:
        """Count what a scan without limit would return."""
        return len(self._found(kind, index, equal, since, until))

    def commit(self, changes: Sequence[Change]) -> None:
        """Make all changes or none."""
        with self._turn:
            for change in checked(changes):
                self._check(change)
            self._revision += 1
            for change in changes:
                self._make(change)

    def size(self) -> int | None:
        """Nobody can tell."""
        return None

    def check(self, *, writing: bool = False) -> None:
        """It is always there."""

    def wait_for_change(self, seconds: float) -> bool:
        """Wait: nobody tells."""
        time.sleep(seconds)
        return False

    def close(self) -> None:
        """Nothing is held."""

    def _of(self, kind: Kind) -> dict[str, Document]:
        return self._kinds.setdefault(kind.name, {})

    def _found(
        self, kind: Kind, index: str, equal: Sequence[Any], since: Any, until: Any
    ) -> list[Document]:
        chosen = kind.indexes[index]
        first = chosen.order[0] if chosen.order else None
        with self._turn:
            return [
                document
                for document in self._of(kind).values()
                if all(document[name] is not None for name in chosen.fields)
                and [document[name] for name in chosen.equal] == list(equal)
                and (since is None or document[first or ""] >= since)
                and (until is None or document[first or ""] < until)
            ]

    def _check(self, change: Change) -> None:
        found = self._of(change.kind).get(change.key)
        if isinstance(change, Hold):
            if found is None or found[change.name] != change.value:
                raise Changed(change)
        elif change.expect != ANY and (found.revision if found else ABSENT) != change.expect:
            raise Changed(change)

    def _make(self, change: Change) -> None:
        if isinstance(change, Delete):
            self._of(change.kind).pop(change.key, None)
        elif not isinstance(change, Hold):
            kept = {
                name: _as_written(change.fields.get(name), type)
                for name, type in change.kind.fields.items()
            }
            self._of(change.kind)[change.key] = Document(change.key, kept, self._revision)


def _as_written(value: Any, type: str) -> Any:
    """Return a value as a database would give it back."""
    if type == "json" and value is not None:
        return orjson.loads(orjson.dumps(value))
    if type in ("number", "moment") and value is not None:
        return float(value)
    if type == "value" and value is not None:
        return str(value)
    return dict(value) if isinstance(value, Mapping) else value
