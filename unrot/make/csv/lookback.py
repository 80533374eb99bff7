"""What monitors are told of an import: when its rows are of, and which of them were refused."""

from __future__ import annotations

from collections.abc import Iterable

from unrot.core.ports import Findings
from unrot.core.records import IMPORTED, Model, Rejection
from unrot.make.csv.log import LoggedRow
from unrot.serve.rejected import rejection_of

MOST_RUNS = 50


def look_again(findings: Findings, model: str, since: float, until: float) -> None:
    """Note that an import brought rows of a stretch of time, after those of earlier imports.

    Each monitor remembers in its own standpoint up to which of these runs it has looked.
    """
    runs = list(findings.standpoint(model, IMPORTED).get("runs", ()))
    run = runs[-1][0] + 1 if runs else 1
    findings.stand(model, IMPORTED, {"runs": [*runs, [run, since, until]][-MOST_RUNS:]})


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
