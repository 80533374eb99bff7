"""Who goes first where processes and threads share a core.

A thread that wakes usually interrupts the one that runs. In a web worker that would be twice for
each answer, between the thread that reads and writes and the one that answers: half of its time on
one core. As a batch, what has come meanwhile is taken together. The caretaker, whose work nobody
waits for, leaves the better part of a busy core to the answers as well.

Only Linux knows batches, and some containers forbid to ask for them: then all stays as it is.
"""

from __future__ import annotations

import os
from contextlib import suppress

CARETAKER_NICENESS = 5


def interrupt_nobody() -> None:
    """Let this thread, and those that it will start, wait for whoever runs when they wake."""
    if hasattr(os, "SCHED_BATCH"):
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def give_way() -> None:
    """Let answers go first."""
    interrupt_nobody()
    with suppress(OSError):
        os.nice(CARETAKER_NICENESS)
