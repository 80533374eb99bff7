"""How versions came about: their line, what the gate said of them, what they learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unrot.core import lineage
from unrot.core.records import Fate, Fates, GateVerdict, JudgedPrediction, Version
from unrot.core.test_sets import MeasuredOn, measured_on
from unrot.serve.service import Service


@dataclass(frozen=True, slots=True)
class Listed:
    """A version, the aliases that point at it, and what the gate said of it last."""

    version: Version
    aliases: tuple[str, ...]
    gate: GateVerdict | None
    on: MeasuredOn | None = None
    """The rows that its score is of."""


@dataclass(frozen=True, slots=True)
class Origin:
    """One version with all that is known of how it came about."""

    version: Version
    aliases: tuple[str, ...]
    line: tuple[str, ...]
    """The versions whose verdicts are in it, itself first."""
    gates: Sequence[GateVerdict]
    """What the gate said of it, oldest first."""
    fates: Fates
    """All verdicts of the model as its line sees them."""
    lessons: Sequence[tuple[Fate, JudgedPrediction | None]]
    """Some of the verdicts that it decided on itself."""
    next_after: str | None
    """The prediction to go on from when there are more."""
    on: MeasuredOn | None = None
    """The rows that its score is of."""


def list_versions(service: Service, name: str) -> list[Listed]:
    """List the versions of a model, oldest first."""
    model = service.catalogue().model(name).model.key
    aliases = service.aliases(model)
    lessons, versions = service.store.lessons, service.versions(model)
    sets = measured_on(versions)
    return [
        Listed(
            made,
            _pointing(aliases, made.name),
            _last(lessons.gates(model, made.name)),
            sets.get(made.name),
        )
        for made in versions
    ]


def read_origin(
    service: Service, name: str, version: str, *, limit: int, after: str = ""
) -> Origin:
    """Tell how one version came about, with so many of its verdicts."""
    model = service.catalogue().model(name).model.key
    versions, lessons = service.versions(model), service.store.lessons
    made = lineage.named(versions, version)
    line = lineage.learning_line(versions, version)
    decided = lessons.fates_of(model, version, limit=limit, after=after)
    return Origin(
        version=made,
        aliases=_pointing(service.aliases(model), version),
        line=tuple(line),
        gates=lessons.gates(model, version),
        fates=lessons.fates(model, line),
        lessons=decided,
        next_after=decided[-1][0].prediction if len(decided) == limit else None,
        on=measured_on(versions).get(version),
    )


def _pointing(aliases: dict[str, str], version: str) -> tuple[str, ...]:
    return tuple(sorted(alias for alias, name in aliases.items() if name == version))


def _last(said: Sequence[GateVerdict]) -> GateVerdict | None:
    return said[-1] if said else None
