"""Linear algebra on one thread.

Sums that threads share come out otherwise each time, so a lesson could not be repeated; and of
small tables threads take three times the work, most of which is to wait for each other.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


def on_one_thread() -> AbstractContextManager[object]:
    """Let linear algebra run on one thread."""
    limited: AbstractContextManager[object] = _controller().limit(limits=1)
    return limited


@cache
def _controller() -> ThreadpoolController:
    """Look once for the libraries that have threads: that takes longer than a small lesson."""
    return ThreadpoolController()
