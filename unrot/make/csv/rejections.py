"""Which rows of a log are none, as monitors count those that are refused at the door."""

from __future__ import annotations

from collections.abc import Iterable

from unrot.core.records import Model, Rejection
from unrot.make.csv.log import LoggedRow
from unrot.serve.rejected import rejection_of


def rejections_of(
    model: Model, version: str, rows: Iterable[LoggedRow], timeless_at: float | None
) -> list[Rejection]:
    """Count rows that are none in the minute of their own.

    One without a time that can be read counts at `timeless_at`, or in no minute.
    """
    times = (
        (row, timeless_at if row.moment is None else row.moment.at) for row in rows if row.is_no_row
    )
    return [rejection_of(model, version, row.details, at) for row, at in times if at is not None]
