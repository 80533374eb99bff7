"""Find the predictions that clients' keys are for, those on their way to the store as well.

An outcome may follow its prediction at once. Where a key is not in the store, whoever asks waits
until all that stood in this machine's journal has come there: then it is known, or nobody's.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unrot.core.ports import Store
from unrot.core.records import ModelKey
from unrot.serve.journal import Journal, follow

LONGEST_SECONDS, LOOK_SECONDS = 1.2, 0.05


@dataclass(frozen=True, slots=True)
class KeyFinder:
    """Finds them."""

    store: Store
    journal: Journal

    def find(self, model: ModelKey, keys: Sequence[str]) -> Mapping[str, str]:
        """Return the ids that some keys are for."""
        found = self.store.keys.find(model, keys)
        if len(found) == len(set(keys)) or not self._wait():
            return found
        return self.store.keys.find(model, keys)

    def _wait(self) -> bool:
        """Wait for the journal as it is now to be in the store; tell whether there was any."""
        ends_at, left = time.monotonic() + LONGEST_SECONDS, self._left(self._written())
        had_some = bool(left)
        if left:
            self.journal.ring()
        while left and time.monotonic() < ends_at:
            time.sleep(LOOK_SECONDS)
            left = self._left(left)
        return had_some

    def _written(self) -> dict[str, int]:
        """Return how long each segment is."""
        found: dict[str, int] = {}
        for segment in follow(self.journal.folder):
            try:
                found[segment.name] = segment.size()
            except FileNotFoundError:
                continue
        return found

    def _left(self, written: Mapping[str, int]) -> dict[str, int]:
        """Return the segments that are not in the store as far as they were written."""
        there = {segment.name for segment in follow(self.journal.folder)}
        return {
            name: size
            for name, size in written.items()
            if name in there and self.store.traffic.shipped_to(name) < size
        }
