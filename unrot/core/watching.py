"""The ports of watching: what profiles traffic and tells odd rows, and the drawers of it all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

from unrot.core.records import CountedStretch, JudgedPrediction, Outputs, Profile, Row, Schema
from unrot.core.symptoms import Against, Check, Delivery, Finding, Oddity, Reason, Rules, Sketch
from unrot.core.webhooks import Webhook

FindingState = Literal["open", "closed", "all"]


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

    def last(self, model: str, cause: str, *, until: float | None = None) -> Finding | None:
        """Return the newest finding of a cause, open or closed, that was opened up to a time."""
        ...

    def of_model(
        self,
        model: str,
        *,
        limit: int,
        before: tuple[float, str] | None = None,
        state: FindingState = "all",
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


class Deliveries(Protocol):
    """Findings on their way to a webhook."""

    def due(self, model: str, now: float) -> Finding | None:
        """Return the open finding of a model that is to be sent next, if one is."""
        ...

    def begin(self, finding: Finding, *, target: str, next_at: float) -> Delivery:
        """Note a try before it is made, and when the next one would be, should it come to nothing.

        Whoever is killed in between has tried.
        """
        ...

    def end(self, finding: str, *, delivered_at: float | None, error: str = "") -> None:
        """Note what came of the last try: it is delivered, or it is not and why."""
        ...

    def of(self, finding: str) -> Delivery | None:
        """Return how far a finding is; None when it was never sent."""
        ...


class Courier(Protocol):
    """Brings messages to webhooks."""

    def post(self, to: Webhook, body: bytes, headers: Mapping[str, str]) -> None:
        """Send one message and return when it was taken; else raise Undelivered."""
        ...


class Profiles(Protocol):
    """Profiles of traffic."""

    def put(self, profile: Profile) -> None:
        """Keep a profile; one with the same id is replaced."""
        ...

    def get(self, id: str) -> Profile | None:
        """Return a profile with its data."""
        ...

    def of_model(
        self, model: str, *, since: float = 0.0, until: float | None = None
    ) -> list[Profile]:
        """List a model's profiles that start in a stretch of time, without their data, oldest
        first."""
        ...

    def stretches(self, model: str) -> list[CountedStretch]:
        """Count the rows of a model's profiles by stretch and reference, oldest first."""
        ...

    def total(self, model: str) -> tuple[int, int]:
        """Count a model's profiles and their rows: neither stays when something is new."""
        ...

    def written_by(self, writer: str, since: float) -> list[Profile]:
        """List one writer's profiles of all models without their data."""
        ...


class Profiler(Protocol):
    """Makes whylogs profiles; only ever used by one thread."""

    def profile(self, schema: Schema, rows: Sequence[Row], outputs: Outputs) -> bytes:
        """Profile inputs and outputs of a whole table at once."""
        ...

    def merge(self, first: bytes, second: bytes) -> bytes:
        """Return one profile that stands for the rows of both."""
        ...

    def read(self, data: bytes) -> Mapping[str, Sketch]:
        """Say what a profile tells of each column; Invalid when it cannot be read."""
        ...


class Detector(Protocol):
    """Tells rows that look like nothing that one version was trained on."""

    def score(self, rows: Sequence[Row]) -> Iterable[float]:
        """Return how odd rows are that the schema has checked: above 1 they are."""
        ...

    def explain(self, rows: Sequence[Row]) -> Sequence[Sequence[Reason]]:
        """Return, for each row, the features that make it what it is, the most telling first."""
        ...


DetectorLoader = Callable[[bytes, Schema], Detector]
"""Make a detector of its artefact, for rows of a schema."""
