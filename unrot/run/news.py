"""What caretakers notice of each other, for at most one read a poll.

A promotion, a policy, a job that is asked for: whatever others are to act on moves one small
document in the commit that makes it. What a machine ships and counts moves it now and then, so that
the one that leads looks at it. Where the database tells of a change it is read at once, and else
when it is time: a store that bills each read is asked once every `UNROT_STORE_POLL_SECONDS`.
"""

from __future__ import annotations

import time

from unrot.core.ports import Store

TELL_SECONDS = 5.0
"""Traffic is told of at most so often: as often as monitors look."""


class News:
    """The word that changes when somebody does something."""

    def __init__(self, store: Store, seconds: float) -> None:
        self._store = store
        self._seconds = seconds
        self._word: str | None = None
        self._looked_at = -seconds
        self._told_at = -TELL_SECONDS

    def look(self, *, told: bool) -> bool:
        """Tell whether something is other than at the last look: one read, if it is time."""
        now = time.monotonic()
        if not told and now - self._looked_at < self._seconds:
            return False
        self._looked_at = now
        word = self._store.news()
        is_new, self._word = word != self._word, word
        return is_new

    def tell(self) -> None:
        """Let the others look: here was something to ship or to count."""
        if time.monotonic() - self._told_at >= TELL_SECONDS:
            self._told_at = time.monotonic()
            self._store.tell_news()
