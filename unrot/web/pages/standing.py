"""How a model stands: what every page of learning shows above its own part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, flash, redirect

from unrot.core import lineage
from unrot.core.artefacts import SKOPS, STREAM
from unrot.core.errors import NotFound, UnrotError
from unrot.core.policy import Policy
from unrot.core.records import CHAMPION, Job, Model, Version
from unrot.learn.consequences import Undo, find_undo
from unrot.web.current import service


@dataclass(frozen=True, slots=True)
class Standing:
    """A model with its versions, aliases, policy, waiting verdicts and running job."""

    model: Model
    versions: tuple[Version, ...]
    aliases: Mapping[str, str]
    policy: Policy
    waiting: int
    last_job: Job | None
    rolls_back_to: str | None
    undo: Undo | None = None
    """The last move of the champion, while it can be undone."""

    @property
    def champion(self) -> Version | None:
        """Who answers, if anybody does."""
        return self.version(self.aliases.get(CHAMPION, ""))

    @property
    def job(self) -> Job | None:
        """The job that is not over yet."""
        return self.last_job if self.last_job is not None and self.last_job.is_active else None

    @property
    def has_stream(self) -> bool:
        """True when the champion is fed from a training stream."""
        return self.champion is not None and STREAM in self.champion.artefacts

    @property
    def rows_to_come(self) -> int | None:
        """How many rows of its stream the champion has not seen, where that is known."""
        if self.champion is None:
            return None
        told = self.champion.made.get("remaining", self.champion.metrics.get("rows_to_come"))
        return int(told) if isinstance(told, int | float) else None

    @property
    def can_be_taught(self) -> bool:
        """True when the champion's estimator is kept, so that something can go on from it."""
        return self.champion is not None and SKOPS in self.champion.artefacts

    @property
    def learns_afresh_only(self) -> bool:
        """True when the champion has no `partial_fit`."""
        return self.champion is not None and self.champion.made.get("learns") == "afresh"

    def version(self, name: str) -> Version | None:
        """Return a version by its name, None if there is none."""
        return next((one for one in self.versions if one.name == name), None)

    def named(self, name: str) -> Version:
        """Return a version by its name; NotFound says which there are."""
        found = self.version(name)
        if found is None:
            known = ", ".join(one.name for one in self.versions[-20:]) or "none"
            raise NotFound(f'{self.model.name} has no version "{name[:80]}"; it has {known}.')
        return found

    def called(self, version: str) -> list[str]:
        """Return the aliases of a version."""
        return [alias for alias, pointed in self.aliases.items() if pointed == version]


def standing(name: str) -> Standing:
    """Ask the store how a model stands."""
    model = service().catalogue().model(name).model
    store = service().store
    versions = store.registry.versions(model.key)
    aliases = store.registry.aliases(model.key)
    champion = aliases.get(CHAMPION)
    line = lineage.learning_line(versions, champion) if champion else []
    moves = store.registry.moves(model.key)
    return Standing(
        model=model,
        versions=tuple(versions),
        aliases=aliases,
        policy=store.registry.policy(model.key),
        waiting=store.lessons.count_waiting(model.key, line),
        last_job=next(iter(store.jobs.of_model(model.key, 1)), None),
        rolls_back_to=lineage.before(moves),
        undo=find_undo(moves, versions, service().clock()),
    )


def shown(stands: Standing, **more: Any) -> dict[str, Any]:
    """Return what a template needs to show how a model stands."""
    return {"model": stands.model, "stands": stands, **more}


def tell(sentence: str) -> None:
    """Say something on the next page that is shown."""
    flash(sentence, "good")


def refuse(error: UnrotError) -> None:
    """Say on the next page what could not be done."""
    flash(error.message, "bad")


def go(address: str) -> Response:
    """Lead on to a page after a form was sent."""
    led: Response = redirect(address, 303)  # type: ignore[assignment]
    return led
