"""The ports of the product: what the use cases need, whoever provides it.

`service.py` is written against these and nothing else; `bootstrap.py` decides who stands
behind them. A store is eleven drawers in one cabinet: the registry of models and versions, the
traffic that was answered, the feedback on it, its profiles; the jobs that were asked for, what
versions learnt, and what they are tried on (`teaching.py`, with the workshop where estimators are
fitted further); and what monitors saw: checks, oddities, findings and their deliveries
(`watching.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from unrot.core.growth import AliasMove, Policy
from unrot.core.keeping import Tidying
from unrot.core.records import (
    Feedback,
    FeedbackStatus,
    Holdings,
    JudgedPrediction,
    Model,
    Outputs,
    Prediction,
    RemovedModel,
    Row,
    Schema,
    Shipment,
    Stretch,
    Tally,
    UnverifiedFeedback,
    Version,
    Window,
)
from unrot.core.symptoms import Outcome
from unrot.core.teaching import Jobs, Lessons, Trials
from unrot.core.watching import Checks, Deliveries, Findings, Oddities, Profiles

Clock = Callable[[], float]
"""Seconds since 1970, UTC."""

Progress = Callable[[float, str], None]
"""Told how far long work is, 0 to 1, and what it does."""


class Predictor(Protocol):
    """A compiled model in memory."""

    def predict(self, rows: Sequence[Row]) -> Outputs:
        """Score rows that the schema has already checked."""
        ...


PredictorLoader = Callable[[str, bytes, Schema, str], Predictor]
"""Make a predictor from who serves ("onnx", "scikit-learn"), the artefact, the schema and the
form that the artefact takes ("table", "columns")."""


class Registry(Protocol):
    """Models, their immutable versions, and the aliases that point at them."""

    def generation(self) -> str:
        """Return a word that changes with every change of a model, version or alias."""
        ...

    def add_model(self, model: Model) -> Model:
        """Add a model and return it with its number; the one that is there wins."""
        ...

    def models(self) -> list[Model]:
        """List the models, the first trained first."""
        ...

    def add_version(self, version: Version, artefacts: Mapping[str, bytes]) -> Version:
        """Keep a version under the model's next free name (v1, v2, …) and return it so named."""
        ...

    def versions(self, model: str, *, kept_only: bool = False) -> list[Version]:
        """List a model's versions, oldest first; `kept_only` those whose files are kept."""
        ...

    def artefact(self, digest: str) -> bytes:
        """Return an artefact; its bytes have been checked against the digest."""
        ...

    def aliases(self, model: str) -> dict[str, str]:
        """Return alias → version name."""
        ...

    def move_alias(
        self,
        model: str,
        alias: str,
        *,
        to: str | None,
        expected: str | None,
        at: float | None = None,
        by: str = "",
        reason: str = "",
    ) -> bool:
        """Point an alias at a version if it still points at `expected`; tell whether it did.

        `to` None takes the alias away.
        """
        ...

    def moves(self, model: str) -> list[AliasMove]:
        """List all moves of a model's aliases, oldest first."""
        ...

    def pin_version(self, model: str, version: str, *, is_pinned: bool) -> None:
        """Want a version's files to be kept, or no longer."""
        ...

    def policy(self, model: str) -> Policy:
        """Return what a model may do by itself."""
        ...

    def set_policy(self, model: str, policy: Policy) -> None:
        """Change what a model may do by itself."""
        ...

    def rename_model(self, name: str, to: str) -> Model:
        """Give a model another name, at once and whole; Conflict when a model has it.

        What was kept under the old name is found under the new one, and what still arrives
        under it goes there, until another model takes the old name.
        """
        ...

    def describe_model(self, model: Model) -> Model:
        """Write the words for people of a model: title, description, those of its schema.

        Conflict when what versions depend on would change with them.
        """
        ...

    def remove_model(self, name: str) -> RemovedModel:
        """Take a model and its aliases out of the registry; its rows go with `Store.clear`.

        From now on nothing is kept for it, whoever brings it, and its number is never given again.
        """
        ...

    def removed(self) -> list[RemovedModel]:
        """List the models that were removed on purpose, in the order of their numbers."""
        ...


class Traffic(Protocol):
    """The predictions that were answered, and their totals per minute."""

    def shipped_to(self, segment: str) -> int:
        """Return how many bytes of a journal segment are in the store."""
        ...

    def ship(self, shipment: Shipment) -> int:
        """Take a stretch of a journal exactly once; return the segment's offset afterwards."""
        ...

    def forget_segment(self, segment: str) -> None:
        """Drop the offset of a segment whose file is gone."""
        ...

    def prediction(self, id: str) -> JudgedPrediction | None:
        """Return one prediction with its verdict."""
        ...

    def recent(
        self, model: str, *, limit: int, before: tuple[float, str] | None = None
    ) -> list[JudgedPrediction]:
        """List predictions newest first, those older than `before` (time, id)."""
        ...

    def shipped(self, writer: str, since: float, seconds: int) -> list[tuple[Stretch, int]]:
        """Count the rows that one writer shipped, by stretches of some seconds."""
        ...

    def of_stretch(
        self, stretch: Stretch, writer: str, *, after: tuple[float, str] | None, limit: int
    ) -> list[Prediction]:
        """Return what one writer shipped of a stretch, oldest first, from a key (time, id) on."""
        ...

    def of_period(
        self, model: str, *, since: float, until: float, judged_only: bool, limit: int
    ) -> list[JudgedPrediction]:
        """List the predictions of a period, newest first, `judged_only` those with a verdict."""
        ...

    def judged_span(self, model: str) -> tuple[float, float] | None:
        """Return the second of the first and of the last prediction with a verdict."""
        ...

    def windows(self, model: str, *, since: float, until: float) -> list[Window]:
        """Return the totals of a model per minute, or per hour and day where they were rolled."""
        ...

    def outcomes(
        self,
        model: str,
        *,
        limit: int,
        after: tuple[float, float, str] | None = None,
        versions: Sequence[str] = (),
        with_inputs: bool = False,
    ) -> list[Outcome]:
        """List how judged predictions came out, in the order of their verdicts.

        The newest so many; or from a key (`given_at`, `predicted_at`, id) on the next so many. Of
        some `versions` alone. The inputs of the predictions are there where they are asked for.
        """
        ...

    def last_judged(self, model: str, *, limit: int) -> list[JudgedPrediction]:
        """List the newest judged predictions with their inputs, in the order of their verdicts."""
        ...

    def tally(self, model: str, *, since: float, last: int, version: str | None = None) -> Tally:
        """Sum the windows since a time, and take accuracy and error of the last judged verdicts.

        A verdict counts in the minute of its prediction, once it is counted into the windows. The
        last verdicts are those on one version, where one is named.
        """
        ...

    def judged_of_predicted(
        self, model: str, *, since: float, until: float, version: str | None = None
    ) -> tuple[int, int]:
        """Count the verdicts on the predictions from one moment up to another, and the predictions.

        Verdicts count however late they came, and whether they are in a window yet or not.
        """
        ...


class Verdicts(Protocol):
    """The feedback."""

    def put(self, verdicts: Sequence[Feedback]) -> list[FeedbackStatus]:
        """Commit verdicts, all or none, and say what became of each."""
        ...

    def put_unverified(self, verdicts: Sequence[UnverifiedFeedback]) -> None:
        """Commit verdicts in the older form."""
        ...

    def of(self, prediction: str) -> Feedback | None:
        """Return the verdict that counts for a prediction, withdrawn ones too."""
        ...

    def count_new(self, most: int) -> int:
        """Fold verdicts that no window has counted into their minutes; return how many."""
        ...


class Store(Protocol):
    """Where everything is kept for good."""

    @property
    def registry(self) -> Registry:
        """Models, versions, aliases."""
        ...

    @property
    def traffic(self) -> Traffic:
        """What was answered."""
        ...

    @property
    def verdicts(self) -> Verdicts:
        """What was said of it."""
        ...

    @property
    def profiles(self) -> Profiles:
        """What it looked like."""
        ...

    @property
    def jobs(self) -> Jobs:
        """What was asked for."""
        ...

    @property
    def lessons(self) -> Lessons:
        """What was learnt from it."""
        ...

    @property
    def trials(self) -> Trials:
        """What versions are tried on."""
        ...

    @property
    def checks(self) -> Checks:
        """How far the traffic of each period had moved."""
        ...

    @property
    def oddities(self) -> Oddities:
        """What looked like nothing that training saw."""
        ...

    @property
    def findings(self) -> Findings:
        """What monitors noticed."""
        ...

    @property
    def deliveries(self) -> Deliveries:
        """What of it was sent to webhooks."""
        ...

    @property
    def tidying(self) -> Tidying:
        """What was let go, and what lets go."""
        ...

    @property
    def kind(self) -> str:
        """The database that it is kept in, as people call it."""
        ...

    def size(self) -> int:
        """Return how many bytes it takes, with what is still on its way into it."""
        ...

    def lease(self, name: str, holder: str, now: float, seconds: float) -> bool:
        """Hold, or go on holding, the right to one kind of work on all machines."""
        ...

    def holdings(self, number: int) -> Holdings:
        """Count what is kept of a model, or still kept of a removed one."""
        ...

    def clear(self, removed: RemovedModel, most: int) -> int:
        """Delete at most so many rows of a removed model in one commit; 0 when none is left."""
        ...

    def check(self, *, writing: bool = False) -> None:
        """Return when the store answers, and takes writes if asked; else raise StoreAway."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class Copies(Protocol):
    """Copies of a whole store, for those that are one file."""

    @property
    def path(self) -> Path:
        """Return the file whose place a copy takes; copies must lie in its folder for that."""
        ...

    def write_to(self, target: Path, progress: Progress) -> None:
        """Copy all as it stands at one moment, while others go on writing."""
        ...

    def check(self, copy: Path) -> str:
        """Say what a copy holds; raise Invalid when it is damaged or none of ours."""
        ...

    def describe(self) -> str:
        """Say what the store holds now, nothing when it is empty or not there."""
        ...

    def shrink(self, progress: Progress) -> int:
        """Give the room of what was let go back to the disk; return how many bytes that were.

        Others can read meanwhile; whoever writes waits.
        """
        ...

    def make_way(self) -> None:
        """Return when the store can be replaced; raise Conflict while somebody uses it."""
        ...

    def put_in_place(self, copy: Path, *, keep_as: Path) -> bool:
        """Put a checked copy in the place of the store; tell whether there was one to keep."""
        ...
