"""The commands that are more than a few lines: each reads its arguments, calls a use case, prints.

    add         serve an estimator that its owner has fitted
    batch       predict a file, send true labels
    learn       learn, refit, rebuild, promote and their like; jobs, policy
    compare     two versions side by side
    history     bring in traffic that was logged elsewhere
    reference   compare drift with a whylogs profile of elsewhere
    upkeep      remove, rename, describe, tidy, backup, restore

`hands` does a job from the terminal, `outcomes` says what came of it, and `shipping` keeps a
caretaker for as long as a command runs.
"""

from __future__ import annotations

from typing import Any

from unrot.commands import add, batch, compare, history, learn, reference, upkeep


def add_to(subparsers: Any) -> None:
    """Add all of these commands to the parser's subparsers."""
    for group in (add, batch, learn, compare, history, reference, upkeep):
        group.add_to(subparsers)
