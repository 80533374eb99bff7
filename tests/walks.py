"""Long walks by chance through what the product can do, with what must hold after every step.

A walk is a state machine of Hypothesis: its rules are the steps, its invariants what must hold. It
opens a service over an empty store of its own, in memory or in SQLite, and plays the same steps in
each run. That it would see a fault is shown by walking with one planted.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import hypothesis
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.clock import Clock
from tests.memory_store import MemoryStore
from tests.web.hazards import SHARE
from unrot.core.errors import UnrotError
from unrot.core.records import Feature, Model, Outputs, Row, Schema
from unrot.core.settings import Settings
from unrot.run.bootstrap import open_service
from unrot.run.cabinet import Cabinet
from unrot.serve.service import Service
from unrot.serve.shelf import Shelf

STORES = ("memory", "sqlite")
STEPS = 25
WALKS = 600
CLASSES = ("elf", "orc", "ent")
SCHEMA = Schema((Feature("height", "number", 0.0, 9.0),), "kind", CLASSES)

Planted = tuple[object, str, object]
"""A fault: the owner, the name, and what stands there in place of what is right."""


class _Nobody:
    """Stands for the model: nothing is predicted on a walk."""

    def predict(self, rows: Sequence[Row]) -> Outputs:
        raise NotImplementedError


_NOBODY = _Nobody()


class Walk(RuleBasedStateMachine):
    """A service with one model, over a store of its own; each look at the clock is a second on."""

    store_name = STORES[0]

    def __init__(self) -> None:
        super().__init__()
        self._lent = ExitStack()
        home = self._lent.enter_context(tempfile.TemporaryDirectory())
        settings = Settings(home=Path(home), keep_versions=1, most_verdicts=10**9)
        self.clock = Clock()
        service = open_service(settings)
        shelf = Shelf(
            service.shelf.folder,
            load=lambda *_: _NOBODY,
            check=lambda *_: 0.0,
            signatures=service.signatures,
        )
        service = replace(service, shelf=shelf, clock=self._later)
        if self.store_name == "memory":
            memory = MemoryStore()
            memory.prepare()
            service = replace(service, store=Cabinet(memory, service.signatures))
        self.service: Service = service
        self.model = service.store.registry.add_model(
            Model("elves", 0, "Elves", "", SCHEMA, self.clock.now)
        )

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.service.store.close()
        self._lent.close()

    def _later(self) -> float:
        self.clock.now += 1
        return self.clock.now


def walk(machine: type[Walk], store_name: str) -> None:
    """Walk so often, the same ways each time; raise what did not hold."""
    made = type(machine.__name__, (machine,), {"store_name": store_name})
    run_state_machine_as_test(
        made,
        settings=hypothesis.settings(
            max_examples=max(1, round(WALKS * SHARE)),
            stateful_step_count=STEPS,
            derandomize=True,
            database=None,
            deadline=None,
            print_blob=False,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=[*hypothesis.HealthCheck],
        ),
    )


def finds(machine: type[Walk], planted: Planted) -> bool:
    """Tell whether a walk sees a fault that was planted."""
    owner, name, fault = planted
    with patch.object(owner, name, fault):
        try:
            walk(machine, STORES[0])
        except (AssertionError, UnrotError):
            return True
    return False
