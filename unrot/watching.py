"""The ports of watching: the drawers of what monitors saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from unrot.records import JudgedPrediction
from unrot.symptoms import Against, Check, Finding, Oddity, Rules


class Checks(Protocol):
    """Closed periods of traffic beside what they are compared with; each is computed once."""

    def put(self, checks: Sequence[Check]) -> None:
        """Keep checks; one of the same version, period and comparison is replaced."""
        ...

    def of_model(self, model: str, *, against: Against, since: float, until: float) -> list[Check]:
        """List the checks of the periods that end in a stretch of time, oldest first."""
        ...

    def counts(self, model: str, against: Against) -> list[Check]:
        """List all checks without their columns, oldest first."""
        ...

    def last(self, model: str, against: Against) -> Check | None:
        """Return the check of the newest period."""
        ...


class Oddities(Protocol):
    """Predictions that look like nothing that training saw; `Traffic.ship` brings them in."""

    def of(self, prediction: str) -> Oddity | None:
        """Return what is odd about a prediction."""
        ...

    def recent(
        self, model: str, *, limit: int, before: tuple[float, str] | None = None
    ) -> list[tuple[Oddity, JudgedPrediction | None]]:
        """List oddities newest first, those older than `before` (time, id)."""
        ...


class Findings(Protocol):
    """What monitors noticed, by which rules, and where each of them stands."""

    def put(self, finding: Finding) -> None:
        """Keep a finding; one with the same id is replaced, but for its acknowledgement."""
        ...

    def finding(self, id: str) -> Finding | None:
        """Return a finding."""
        ...

    def open(self, model: str | None = None) -> list[Finding]:
        """List the findings of a model, or of all, that are not closed, the gravest first."""
        ...

    def of_model(
        self, model: str, *, limit: int, before: tuple[float, str] | None = None
    ) -> list[Finding]:
        """List findings by when they were opened, newest first, older than `before`."""
        ...

    def acknowledge(self, id: str, *, at: float, by: str, note: str) -> Finding | None:
        """Note that a person has seen a finding; the first one stays."""
        ...

    def rules(self, model: str) -> Rules:
        """Return what counts as a symptom of a model."""
        ...

    def set_rules(self, model: str, rules: Rules) -> None:
        """Change what counts as a symptom of a model."""
        ...

    def standpoint(self, model: str, monitor: str) -> Mapping[str, Any]:
        """Return what a monitor has noted of where it stands; empty before its first round."""
        ...

    def stand(self, model: str, monitor: str, note: Mapping[str, Any]) -> None:
        """Note where a monitor stands."""
        ...
