"""`train_batch` and `reset`: feed a training stream row by row, or begin it anew.

They move the champion without the gate: this is the demo of online learning, and its page says so.
"""

from __future__ import annotations

from typing import Any

from unrot.core.errors import Conflict
from unrot.core.ports import Progress, Trainable
from unrot.core.records import Answered, Lesson, Version
from unrot.hear.scores import row_errors, score
from unrot.learn.material import Material
from unrot.learn.publish import Draft, Unchanged

ROWS_AT_ONCE = 25


def feed_stream(material: Material, trainable: Trainable, tell: Progress) -> Draft | Unchanged:
    """Feed the next rows; at the end of the stream nothing changes."""
    seen = rows_seen(material.champion)
    wanted = int(material.job.asked.get("n", ROWS_AT_ONCE))
    stop = min(seen + wanted, trainable.stream_rows)
    if stop == seen:
        return Unchanged({"version": material.champion.name, **_outcome(material, trainable, seen)})
    fed = trainable.feed(seen, stop, tell)
    lesson = Lesson(kind="train_batch", seed=material.policy.seed, rows_seen=stop)
    return _draft(material, fed, lesson)


def reset_stream(material: Material, trainable: Trainable, _tell: Progress) -> Draft:
    """Begin anew: the same pipeline, its last step fed one row of each class."""
    seen = max(1, len(material.schema.classes))
    lesson = Lesson(kind="reset", seed=material.policy.seed, rows_seen=seen)
    return _draft(material, trainable.untrained(), lesson, is_fresh=True)


def rows_seen(version: Version) -> int:
    """Return how many rows of its stream a version has behind it."""
    return int(version.made.get("rows_seen", version.metrics.get("rows_seen", 0)))


def _draft(
    material: Material, trainable: Trainable, lesson: Lesson, *, is_fresh: bool = False
) -> Draft:
    if not trainable.stream_rows:
        raise Conflict(f"{material.model.name} has no training stream.", reason="no_stream")
    facts = {
        "rows_seen": lesson.rows_seen,
        "stream_rows": trainable.stream_rows,
        **_outcome(material, trainable, lesson.rows_seen),
    }
    return Draft(trainable=trainable, lessons=[lesson], is_fresh=is_fresh, facts=facts)


def _outcome(material: Material, trainable: Trainable, seen: int) -> dict[str, Any]:
    """Return what the contract has a finished batch tell: its score and what remains."""
    reached, (rows, truth) = None, material.anchor
    if rows:
        answered = Answered(rows, truth, trainable.predict(rows))
        reached = score(material.schema, row_errors(material.schema, answered))
    return {"result": reached, "remaining": max(trainable.stream_rows - seen, 0)}
