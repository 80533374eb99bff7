"""A process that another one started ends with it, also where that one was killed."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

LOOK_SECONDS = 0.5


def stop_with_parent(stop: Callable[[], object], parent: int = 0) -> None:
    """Call `stop` when the process that started this one ends, or has ended already."""
    parent = parent or os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_SECONDS)
        stop()

    threading.Thread(target=watch, daemon=True).start()
