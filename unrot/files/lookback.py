"""A note to the monitors that rows came in with times of their own, so that they look again."""

from __future__ import annotations

from unrot.symptoms import IMPORTED
from unrot.watching import Findings

MOST_RUNS = 50


def look_again(findings: Findings, model: str, since: float, until: float) -> None:
    """Note that an import brought rows of a stretch of time, after those of earlier imports.

    Each monitor remembers in its own standpoint up to which of these runs it has looked.
    """
    runs = list(findings.standpoint(model, IMPORTED).get("runs", ()))
    run = runs[-1][0] + 1 if runs else 1
    findings.stand(model, IMPORTED, {"runs": [*runs, [run, since, until]][-MOST_RUNS:]})
