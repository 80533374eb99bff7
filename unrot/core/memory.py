"""Memory that was freed goes back to the system, for the other processes on a small machine.

glibc keeps what was freed for the next time. After a large table that is tens of MB which nobody
else has, and a dyno has 512 for all. To hand it over takes a millisecond; other C libraries know
no such thing, and there all stays as it is.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress


def hand_back_memory() -> None:
    """Give the system what was freed."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
