"""What a lesson is refused for, each as early as it can be told.

Whoever asks is told what the records know; the job itself looks at the estimator and at the
verdicts before anybody answers a row. So nothing that fails later hides the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from unrot.core.artefacts import SKOPS
from unrot.core.errors import Conflict
from unrot.core.plurals import counted
from unrot.core.records import Fate, JobKind, Version
from unrot.hear.cleaning import Cleaned


class NothingLeft(Conflict):
    """All verdicts that waited only judge or were set aside; what became of them goes with it."""

    reason = "nothing_to_learn"

    def __init__(self, version: Version, fates: Sequence[Fate]) -> None:
        super().__init__(_say_what_is_left(fates))
        self.version, self.fates = version, fates


def check_is_kept(version: Version, kind: JobKind) -> None:
    """Refuse to go on from a version whose estimator is not kept."""
    if SKOPS not in version.artefacts:
        why = f" {version.serving.reason}" if version.serving.reason else ""
        raise Conflict(
            f"{version.name} is served only, so {kind} has nothing to go on from.{why}",
            reason="cannot_learn",
        )


def check_can_learn(version: Version, *, can_learn: bool) -> None:
    """Refuse to take an estimator further that can only be fitted whole."""
    if not can_learn:
        raise Conflict(
            f"{version.estimator} has no partial_fit, so it cannot learn on: ask for refit, which "
            "fits it afresh.",
            reason="cannot_learn",
        )


def check_is_left(version: Version, kind: JobKind, cleaned: Cleaned) -> None:
    """Refuse where no verdict may be learnt; `learn` then notes what became of them.

    A refit notes nothing: it reads what the line has learnt already as well.
    """
    if cleaned.examples:
        return
    if kind == "learn":
        raise NothingLeft(version, cleaned.fates)
    raise Conflict(
        "No verdict may be learnt from: all only judge, or were set aside.",
        reason="nothing_to_learn",
    )


def _say_what_is_left(fates: Sequence[Fate]) -> str:
    if not fates:
        return "The predictions that were judged have not arrived in the store yet: ask again."
    reasons = Counter(
        fate.kind if fate.kind == "held out" else fate.reason.partition(": ")[0] for fate in fates
    )
    listed = ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common())
    return f"Nothing is left to learn of {counted(len(fates), 'verdict')}: {listed}."
