"""The commands that are more than a few lines: each reads its arguments, calls a use case, prints.

    add         serve an estimator that its owner has fitted
    batch       predict a file, send true labels
    kafka       predict what comes by Kafka
    learn       learn, refit, rebuild, promote and their like; jobs, policy
    demo        see a model rot and recover
    compare     two versions side by side
    history     bring in traffic that was logged elsewhere
    reference   compare drift with a whylogs profile of elsewhere
    watch       what counts as a symptom of a model
    report      how a model did over a period, as one file
    upkeep      remove, rename, describe, tidy, forget, backup, restore, sign
    moving      copy a store into another, export rows to a file
    access      tokens of persons; the audit log

`hands` does a job from the terminal, `outcomes` says what came of it, `shipping` keeps a caretaker
for as long as a command runs, and `stage` a whole server on a home folder that is then removed.
"""

from __future__ import annotations

from typing import Any

from unrot.cli import (
    access,
    add,
    batch,
    compare,
    demo,
    history,
    kafka,
    learn,
    moving,
    reference,
    report,
    upkeep,
    watch,
)


def add_to(subparsers: Any) -> None:
    """Add all of these commands to the parser's subparsers."""
    groups = (
        *(add, batch, kafka, learn, compare, history, reference, watch, report),
        *(upkeep, moving, access, demo),
    )
    for group in groups:
        group.add_to(subparsers)
