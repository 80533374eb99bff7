"""The REST route of operations: what the page shows, for programs."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from unrot.core.records import Level, Tidied
from unrot.run import operations
from unrot.run.operations import ModelKept, Operations
from unrot.web import wording
from unrot.web.api import shapes
from unrot.web.api.envelope import success
from unrot.web.current import service
from unrot.web.security import needs

blueprint = Blueprint("operations_api", __name__, url_prefix="/api/v1")


@blueprint.get("/operations")
@needs("viewer")
def look() -> Response:
    """Say how the app is run, what is kept and what was let go."""
    return success(shape(operations.look(service())))


def shape(found: Operations) -> dict[str, Any]:
    """Return it as JSON has it."""
    heartbeat, store = found.caretaker, found.store
    return {
        "at": wording.iso(found.at),
        "components": {name: shapes.component(one) for name, one in found.components.items()},
        "journal": {
            "bytes": found.journal.bytes,
            "limit": found.journal.limit,
            "dropped": found.journal.dropped,
        },
        "caretaker": None
        if heartbeat is None
        else {
            "heard_at": wording.iso(heartbeat.at),
            "shipped_at": _iso(heartbeat.shipped_at),
            "backlog_bytes": heartbeat.backlog_bytes,
            "failing": list(heartbeat.failing),
        },
        "store": None if store is None else {"kind": store.kind, "bytes": store.bytes},
        "models": [] if store is None else [_model(one) for one in store.models],
        "settings": {one.variable: one.value for one in found.settings},
    }


def _model(one: ModelKept) -> dict[str, Any]:
    stock = one.stock
    return {
        "model": one.name,
        "predictions": {
            "answered": stock.answered,
            "kept": stock.kept,
            "since": _iso(stock.kept_since),
        },
        "windows": [_level(level) for level in stock.windows],
        "profiles": [_level(level) for level in stock.profiles],
        "versions": {"all": stock.versions, "pruned": stock.pruned},
        "tidied": [_tidied(each) for each in one.tidied],
        "job": None if one.job is None else {"id": one.job.id, "kind": one.job.kind},
    }


def _level(level: Level) -> dict[str, Any]:
    return {
        "seconds": level.seconds,
        "rows": level.rows,
        "predictions": level.predictions,
        "since": wording.iso(level.since),
    }


def _tidied(one: Tidied) -> dict[str, Any]:
    return {
        "what": one.what,
        "dropped": one.dropped,
        "at": wording.iso(one.at),
        "kept_since": wording.iso(one.kept_since),
    }


def _iso(at: float | None) -> str | None:
    return None if at is None else wording.iso(at)
