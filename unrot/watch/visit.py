"""One visit of the round to a model: what every monitor may look at, and where it stood.

A monitor is a function `look(visit)` that yields symptoms in the order of time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from unrot.core.ports import Store
from unrot.core.records import CHAMPION, Model, ModelKey, Symptom
from unrot.core.rules import Rules
from unrot.serve.service import Service
from unrot.serve.shelf import ShelvedModel
from unrot.watch.notes import write_note


@dataclass(frozen=True, slots=True)
class Visit:
    """A model, its rules and the time at which it is looked at."""

    service: Service
    shelved: ShelvedModel
    rules: Rules
    now: float
    has_news: bool = True
    """False where since the last round no verdict was counted, and nothing changed but traffic."""
    remembered: dict[str, Any] = field(default_factory=dict)
    """What monitors remember of this model in this process, so as to ask the store less."""

    @property
    def store(self) -> Store:
        """Where all of it is kept."""
        return self.service.store

    @property
    def model(self) -> Model:
        """The model itself."""
        return self.shelved.model

    @property
    def name(self) -> str:
        """The name of the model."""
        return self.model.name

    @property
    def key(self) -> ModelKey:
        """What the model is kept under."""
        return self.model.key

    @property
    def champion(self) -> str:
        """The version that answers; empty where there is none."""
        return self.shelved.aliases.get(CHAMPION, "")

    def read_note(self, monitor: str) -> Mapping[str, Any]:
        """Return what a monitor noted when it last looked; empty at first."""
        return self.store.findings.standpoint(self.key, monitor)

    def write_note(self, monitor: str, note: Any) -> None:
        """Note how far a monitor has looked, after what it saw is kept."""
        self.store.findings.stand(self.key, monitor, write_note(note))


Look = Callable[[Visit], Iterable[Symptom]]
