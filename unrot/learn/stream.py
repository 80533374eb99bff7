"""`train_batch` and `reset`: feed a training stream row by row, or begin it anew.

They move the champion without the gate: this is the demo of online learning, and its page says so.
"""

from __future__ import annotations

from typing import Any

from unrot.core.errors import Conflict
from unrot.core.ports import Apprentice
from unrot.core.records import Lesson, Version
from unrot.hear.scores import row_errors, score
from unrot.learn.material import Desk
from unrot.learn.publish import Work, publish

ROWS_AT_ONCE = 25


def train_batch(desk: Desk) -> None:
    """Feed the next rows; at the end of the stream nothing changes."""
    apprentice = desk.opened(desk.champion)
    seen = rows_seen(desk.champion)
    stop = min(seen + int(desk.job.asked.get("n", ROWS_AT_ONCE)), apprentice.stream_rows)
    if stop == seen:
        _end_unchanged(desk, apprentice)
        return
    fed = apprentice.feed(seen, stop, desk.part(0.1, 0.7))
    lesson = Lesson(kind="train_batch", seed=desk.policy.seed, rows_seen=stop)
    _publish(desk, fed, lesson, stop)


def reset(desk: Desk) -> None:
    """Begin anew: the same pipeline, its last step fed one row of each class."""
    apprentice = desk.opened(desk.champion)
    seen = max(1, len(desk.schema.classes))
    lesson = Lesson(kind="reset", seed=desk.policy.seed, rows_seen=seen)
    _publish(desk, apprentice.untrained(), lesson, seen, is_fresh=True)


def rows_seen(version: Version) -> int:
    """Return how many rows of its stream a version has behind it."""
    return int(version.made.get("rows_seen", version.metrics.get("rows_seen", 0)))


def _publish(
    desk: Desk, apprentice: Apprentice, lesson: Lesson, seen: int, *, is_fresh: bool = False
) -> None:
    if not apprentice.stream_rows:
        raise Conflict(f"{desk.model.name} has no training stream.", reason="no_stream")
    work = Work(
        apprentice=apprentice,
        lessons=[lesson],
        parent=desk.champion,
        is_fresh=is_fresh,
        is_gated=False,
        facts={
            "rows_seen": seen,
            "stream_rows": apprentice.stream_rows,
            **_told(desk, apprentice, seen),
        },
    )
    publish(desk, work)


def _end_unchanged(desk: Desk, apprentice: Apprentice) -> None:
    seen = rows_seen(desk.champion)
    result = {"version": desk.champion.name, **_told(desk, apprentice, seen)}
    desk.service.store.jobs.end(desk.job, desk.service.clock(), result=result)


def _told(desk: Desk, apprentice: Apprentice, seen: int) -> dict[str, Any]:
    """Return what the contract has a finished batch tell: its score and what remains."""
    answered = desk.answered(apprentice, *desk.anchor)
    reached = None if answered is None else score(desk.schema, row_errors(desk.schema, answered))
    return {"result": reached, "remaining": max(apprentice.stream_rows - seen, 0)}
