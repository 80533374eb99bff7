"""Verdicts that come late, so that whoever has read up to a moment can tell if that still holds.

Verdicts are read in the order in which they were given. Nearly all stand in the store within a
second. One whose prediction was long on its way, or that a journal or a log brought, stands among
those that were read already: the commit that brings it leaves a mark of its model behind.

A reader reads the mark first, keeps it, and believes of times before `READ_AGAIN_SECONDS` ago that
nothing comes there while the mark is the same. So a commit may take, and clocks of machines may
differ by, two minutes.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from unrot.core.records import ModelKey
from unrot.hear.feedback_documents import Kept
from unrot.store.kinds import LATE
from unrot.store.operations import Operations, Put

LATE_SECONDS = 60.0
READ_AGAIN_SECONDS = 180.0


def late_puts(kept: Iterable[Kept], now: float) -> list[Put]:
    """Return the marks that go with verdicts which are kept now: one a model, mostly none."""
    late = {
        one.feedback.model
        for one in kept
        if one.prediction is not None and one.feedback.given_at < now - LATE_SECONDS
    }
    return [
        Put(LATE, model, {"model": model, "mark": secrets.token_hex(8)}) for model in sorted(late)
    ]


def late_mark(database: Operations, model: ModelKey) -> str:
    """Return a word that is another as soon as a late verdict on a model was kept."""
    found = database.get(LATE, model)
    return "" if found is None else str(found["mark"])
