"""One answer may take several calls: all together get no longer than one alone would.

A verdict is read and then committed. Each call of a database has its time; without this a slow one
could take that time twice, and who waits for the answer would wait longer than was promised.

>>> seconds_left(5.0)
5.0
>>> with one_answer():
...     seconds_left(5.0) < 5.0
True
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_began: ContextVar[float | None] = ContextVar("began", default=None)


@contextmanager
def one_answer() -> Iterator[None]:
    """Let all calls of this thread in here share the time of one."""
    token = _began.set(time.monotonic())
    try:
        yield
    finally:
        _began.reset(token)


def seconds_left(seconds: float) -> float:
    """Return what is left of the time of a call."""
    began = _began.get()
    return seconds if began is None else max(0.0, began + seconds - time.monotonic())
