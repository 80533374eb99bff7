"""Remove, rename or describe a model with all that was kept of it.

A removal takes the model out of the registry first, so that every worker stops serving it, and
then deletes its rows some thousand at a time, with a pause after each commit in which others
write. What a killed removal left is deleted by the next one, or by the caretaker. A model that is
put aside is hidden as one that was removed; for ten minutes it can be brought back, then the
caretaker deletes its rows. A rename writes one row, because rows are kept under a word that never
changes.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from unrot.core.descriptions import described
from unrot.core.errors import Conflict, NotFound, shown
from unrot.core.plurals import counted, there_are
from unrot.core.ports import Progress
from unrot.core.records import Holdings, Model, ModelKey, RemovedModel
from unrot.core.schema import check_name
from unrot.core.time import UNDO_SECONDS
from unrot.serve.service import Service
from unrot.serve.shelf import sync

ROWS_AT_ONCE = 2_000
LONGEST_PAUSE_SECONDS = 0.1


def holdings(service: Service, name: str) -> Holdings:
    """Count what would be gone with a model."""
    return service.store.holdings(_known(service, name).key)


def left_behind(service: Service) -> list[RemovedModel]:
    """List the models that are hidden for good and of which rows are left."""
    now, removed = service.clock(), service.store.registry.removed()
    return [one for one in removed if not one.is_cleared and not one.can_be_undone(now)]


def put_aside(service: Service, name: str) -> RemovedModel:
    """Stop serving a model; for a while it can be brought back."""
    registry = service.store.registry
    until = service.clock() + UNDO_SECONDS
    removed = registry.remove_model(_known(service, name).key, undo_until=until)
    sync(service.shelf.folder, registry)
    return removed


def list_undoable(service: Service) -> list[RemovedModel]:
    """List the models that can be brought back, the last that was put aside first."""
    now, removed = service.clock(), service.store.registry.removed()
    return sorted(
        (one for one in removed if one.can_be_undone(now)), key=lambda one: -one.removed_at
    )


def bring_back(service: Service, key: ModelKey) -> Model:
    """Serve a model again that was put aside a moment ago."""
    model = service.store.registry.bring_back(key, now=service.clock())
    sync(service.shelf.folder, service.store.registry)
    return model


def remove(service: Service, name: str, progress: Progress) -> Holdings:
    """Stop serving a model, then delete all that was kept of it; say how much that was."""
    registry = service.store.registry
    removed = registry.remove_model(_known(service, name).key)
    sync(service.shelf.folder, registry)
    return clear(service, removed, progress)


def clear(service: Service, removed: RemovedModel, progress: Progress) -> Holdings:
    """Delete what is still kept of a removed model."""
    held = service.store.holdings(removed.key)
    deleted = 0
    progress(0.0, counted(held.rows, "row"))
    began = time.monotonic()
    while bite := service.store.clear(removed, ROWS_AT_ONCE):
        deleted += bite
        progress(deleted / max(held.rows, deleted), f"{deleted:,} of {counted(held.rows, 'row')}")
        time.sleep(min(time.monotonic() - began, LONGEST_PAUSE_SECONDS))
        began = time.monotonic()
    progress(1.0, "done")
    return held


def check_rename(service: Service, old: str, new: str) -> Model:
    """Return the model if it can have the other name; else say why not."""
    check_name(new)
    if new in {model.name for model in service.store.registry.models()}:
        raise Conflict(f"There is a model {new} already: choose another name.")
    return _known(service, old)


def rename(service: Service, old: str, new: str) -> Model:
    """Give a model another name; its ids, rows and versions stay its own."""
    known = check_rename(service, old, new)
    renamed = service.store.registry.rename_model(known.key, new)
    sync(service.shelf.folder, service.store.registry)
    return renamed


def describe(service: Service, name: str, words: Mapping[str, Any]) -> Model:
    """Give a model other words for people; its versions and its schema's hash stay as they are."""
    model = service.store.registry.describe_model(described(_known(service, name), words))
    sync(service.shelf.folder, service.store.registry)
    return model


def _known(service: Service, name: str) -> Model:
    models = service.store.registry.models()
    for model in models:
        if model.name == name:
            return model
    known = there_are([model.name for model in models])
    raise NotFound(f"There is no model {shown(name)}; {known}.")
