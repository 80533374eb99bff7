"""Which stretches of time imports have brought rows of: monitors go through those once more.

Each monitor remembers in its own standpoint up to which of these runs it has looked.
"""

from __future__ import annotations

from collections.abc import Sequence

from unrot.core.ports import Findings
from unrot.core.records import IMPORTED, ModelKey, Outcome

MOST_RUNS = 50
IMPORTED_LOG = "the imported log"
"""What others answered elsewhere, as findings call it."""

Run = tuple[int, float, float]
"""The number of an import, and from when to when its rows are."""


def import_runs(findings: Findings, model: ModelKey) -> Sequence[Run]:
    """Return the imports of a model, the newest last."""
    runs = findings.standpoint(model, IMPORTED).get("runs", ())
    return [(run, since, until) for run, since, until in runs]


def last_import(findings: Findings, model: ModelKey) -> int:
    """Return the number of the newest import, which may have brought verdicts of any time."""
    runs = import_runs(findings, model)
    return int(runs[-1][0]) if runs else 0


def is_imported(outcomes: Sequence[Outcome]) -> bool:
    """Tell whether others gave all of these answers, elsewhere."""
    return bool(outcomes) and all(one.version == IMPORTED for one in outcomes)


def note_import(findings: Findings, model: ModelKey, since: float, until: float) -> None:
    """Note that an import brought rows of a stretch of time, after those of earlier imports."""
    runs = [*import_runs(findings, model), (last_import(findings, model) + 1, since, until)]
    findings.stand(model, IMPORTED, {"runs": [list(run) for run in runs[-MOST_RUNS:]]})
