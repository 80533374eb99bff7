"""Who answers, and what decides it: move aliases, say what a model may do by itself.

A promotion is a pointer move. What the gate refused, and what no gate has weighed, needs force and
a reason; what it left undecided a person may decide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from unrot.core import lineage
from unrot.core.errors import Conflict, Detail, Invalid, wrong_field
from unrot.core.policy import Policy, parse_policy
from unrot.core.records import CHALLENGER, CHAMPION, GateVerdict, Model, ModelKey, Version
from unrot.serve.service import Service
from unrot.serve.shelf import sync
from unrot.watch.monitors.sure.look import tell_workers_of_all

ALIASES = (CHAMPION, CHALLENGER)
MOST_REASON = 500


def promote(
    service: Service,
    name: str,
    version: str,
    *,
    alias: str = CHAMPION,
    force: bool = False,
    reason: str = "",
    by: str = "",
) -> dict[str, str]:
    """Point an alias at a version; return the aliases as they now stand."""
    if alias not in ALIASES:
        raise wrong_field("alias", alias, "champion or challenger")
    _check_reason(reason)
    registry = service.store.registry
    model = service.catalogue().model(name).model
    wanted = lineage.named(registry.versions(model.key), version)
    if wanted.is_pruned:
        raise Conflict(f"The files of {version} were removed by retention: it cannot answer.")
    aliases = registry.aliases(model.key)
    if aliases.get(alias) == version:
        return aliases
    if alias == CHAMPION:
        _check_gate(service, wanted, force=force, reason=reason)
    elif aliases.get(CHAMPION) == version:
        raise Conflict(f"{version} is the champion: a challenger is another version.")
    return _moved(service, model, alias, version, aliases, by=by, reason=reason)


def rollback(service: Service, name: str, *, by: str = "", reason: str = "") -> dict[str, str]:
    """Take the champion back to what it was before; return the aliases as they now stand."""
    _check_reason(reason)
    registry = service.store.registry
    model = service.catalogue().model(name).model
    moves = registry.moves(model.key)
    before = lineage.before(moves)
    if before is None:
        raise Conflict(
            f"{model.name} has no champion of before: there is nothing to roll back to.",
            reason="nothing_to_roll_back",
        )
    if lineage.named(registry.versions(model.key), before).is_pruned:
        raise Conflict(f"The files of {before} were removed by retention: it cannot answer.")
    aliases = registry.aliases(model.key)
    return _moved(
        service, model, CHAMPION, before, aliases, by=by, reason=lineage.as_rollback(reason)
    )


def move_champion(
    service: Service, model: Model, to: str, *, expected: str, by: str, reason: str
) -> dict[str, str]:
    """Let a version answer that answered a moment ago, if another still does."""
    return _moved(service, model, CHAMPION, to, {CHAMPION: expected}, by=by, reason=reason)


def dismiss(service: Service, name: str, *, by: str = "") -> dict[str, str]:
    """Take the challenger out of the shadow."""
    registry = service.store.registry
    model = service.catalogue().model(name).model
    aliases = registry.aliases(model.key)
    if CHALLENGER not in aliases:
        raise Conflict(f"{model.name} has no challenger.")
    return _moved(service, model, CHALLENGER, None, aliases, by=by, reason="")


def policy(service: Service, name: str) -> Policy:
    """Return what a model may do by itself."""
    return service.store.registry.policy(service.catalogue().model(name).model.key)


def change_policy(
    service: Service,
    name: str,
    given: Mapping[str, Any],
    *,
    read: Callable[[Mapping[str, Any], Policy], Policy] = parse_policy,
) -> Policy:
    """Change some of what a model may do by itself; return all of it."""
    registry, model = service.store.registry, service.catalogue().model(name).model.key
    changed = read(given, registry.policy(model))
    registry.set_policy(model, changed)
    tell_workers_of_all(service)
    return changed


def pin(service: Service, name: str, version: str, *, is_pinned: bool) -> Version:
    """Want a version's files to be kept whatever retention says, or no longer."""
    registry = service.store.registry
    model = service.catalogue().model(name).model.key
    wanted = lineage.named(registry.versions(model), version)
    if wanted.is_pruned:
        raise Conflict(f"The files of {version} were removed by retention: there is none to keep.")
    registry.pin_version(model, version, is_pinned=is_pinned)
    return lineage.named(registry.versions(model), version)


def last_gate(service: Service, model: ModelKey, version: str) -> GateVerdict | None:
    """Return what the gate said last of a version."""
    said = service.store.lessons.gates(model, version)
    return said[-1] if said else None


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a version is promoted only by force: a word for programs, and a sentence."""

    reason: Literal["gate_refused", "gate_unasked"]
    sentence: str


def objection_to(service: Service, wanted: Version) -> Objection | None:
    """Say what stands against promoting a version; None where a person may decide it.

    The first version of a model, and one of a model without a champion, has nobody to be weighed
    against. While the gate is off nothing is weighed, and every page says so.
    """
    registry, name = service.store.registry, wanted.name
    said = last_gate(service, wanted.model, name)
    if said is not None and said.decision == "refused":
        return Objection("gate_refused", f"The gate refused {name}: {said.sentence}")
    if said is not None and said.decision != "off":
        return None
    champion = registry.aliases(wanted.model).get(CHAMPION)
    is_first = registry.versions(wanted.model)[0].name == name
    if champion is None or is_first or not registry.policy(wanted.model).gate:
        return None
    return Objection(
        "gate_unasked",
        f"No gate has weighed {name}: it may be worse than {champion}. Weigh it first.",
    )


def _check_gate(service: Service, wanted: Version, *, force: bool, reason: str) -> None:
    objection = objection_to(service, wanted)
    if objection is None:
        return
    if not force:
        raise Conflict(
            f'{objection.sentence} To promote it all the same send "force": true with a "reason".',
            reason=objection.reason,
        )
    if not reason.strip():
        raise Invalid(
            "Promoting what the gate did not let pass needs a reason: say why.",
            details=[Detail("reason", reason, "why it is promoted all the same")],
        )


def _check_reason(reason: str) -> None:
    is_text = reason.encode("utf-8", "replace").decode("utf-8") == reason and "\0" not in reason
    if not is_text or len(reason) > MOST_REASON:
        raise wrong_field("reason", reason, f"a text of at most {MOST_REASON} characters")


def _moved(
    service: Service,
    model: Model,
    alias: str,
    to: str | None,
    aliases: dict[str, str],
    *,
    by: str,
    reason: str,
) -> dict[str, str]:
    registry = service.store.registry
    is_moved = registry.move_alias(
        model.key,
        alias,
        to=to,
        expected=aliases.get(alias),
        at=service.clock(),
        by=by,
        reason=reason,
    )
    if not is_moved:
        raise Conflict(
            f"Somebody moved the {alias} of {model.name} at the same moment: look again."
        )
    if alias == CHAMPION and to is not None and registry.aliases(model.key).get(CHALLENGER) == to:
        registry.move_alias(model.key, CHALLENGER, to=None, expected=to, by=by)
    sync(service.shelf.folder, registry)
    return registry.aliases(model.key)
