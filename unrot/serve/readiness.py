"""How each part of the running product is: what `/api/v1/ready` says.

A part that is `down` makes the app not ready: it can then not answer, or could lose a verdict
that it takes. A store that is away is `degraded`: predictions go on and verdicts are queued.
"""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from unrot.core.errors import StoreAway, shown
from unrot.core.numbers import in_bytes
from unrot.core.plurals import counted
from unrot.core.ports import Store
from unrot.core.records import CHAMPION, Component
from unrot.core.time import HOUR
from unrot.serve.journal import Drops, backlog_bytes
from unrot.serve.shelf import Contents

SILENT_SECONDS = 15.0
RECENT_SECONDS = HOUR


NO_MODEL_CAME = "This machine has had no model from the store yet."


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What the caretaker of a machine says of itself now and then."""

    at: float
    shipped_at: float | None = None
    """When all that stood in the journal was in the store; None for one that ships nothing."""
    backlog_bytes: int | None = None
    """What of the journal is not in the store yet."""
    failing: tuple[str, ...] = ()
    """The steps that fail and are tried again."""
    every: int = 1
    """It is behind while more than 1: profiles and outliers are of every so many-th prediction."""


def store(store: Store, *, has_models: bool = True) -> Component:
    """Ask the store."""
    try:
        store.check(writing=True)
    except StoreAway as error:
        goes_on = "Predictions go on; verdicts are kept in the journal."
        said = f"{error.message} {goes_on if has_models else NO_MODEL_CAME}"
        return Component("degraded", said, error.cause)
    return Component("ok", "The store answers.")


def journal(folder: Path, limit: int) -> Component:
    """Look at the journal's size, its room and its drops."""
    backlog, lost = backlog_bytes(folder), Drops(folder)
    drops = lost.count()
    said = f"The journal holds {in_bytes(backlog)}."
    dropped = (
        f" {counted(drops, 'prediction was', 'predictions were')} answered and could not be kept."
        if drops
        else ""
    )
    if backlog >= limit:
        return Component(
            "degraded",
            f"The journal is full ({in_bytes(limit)}): predictions are answered with id null and "
            f"not kept. Bring the store back, or raise UNROT_JOURNAL_MAX.{dropped}",
            is_stuck=True,
        )
    if not _is_writable(folder) or _room(folder) < 2**20:
        return Component(
            "degraded",
            "The disk of the home folder is full or cannot be written: predictions are answered "
            f"with id null and not kept. Make room.{dropped}",
            is_stuck=True,
        )
    is_recent = bool(drops) and lost.seconds_since_last() < RECENT_SECONDS
    return Component("degraded" if is_recent else "ok", said + dropped)


def caretaker(path: Path) -> Component:
    """Look at when the caretaker was last heard of."""
    seconds = seconds_since_heartbeat(path)
    if seconds is None:
        return Component(
            "degraded",
            "The background worker has not run here: predictions wait in the journal. gunicorn "
            "starts one; by hand it is: python -m unrot caretaker",
        )
    if seconds > SILENT_SECONDS:
        return Component(
            "degraded",
            f"The background worker has been silent for {seconds:,.0f} s: look at its log.",
        )
    told = heartbeat(path)
    if told is not None and told.every > 1:
        return Component(
            "ok",
            f"The background worker is {in_bytes(told.backlog_bytes or 0)} behind the journal. "
            f"Until it has caught up it takes profiles and outliers of one prediction in "
            f"{told.every}; every prediction is kept and counted.",
        )
    if told is not None and {"store", "journal"}.intersection(told.failing):
        return Component("ok", "The background worker runs; what is in the journal waits.")
    return Component("ok", "The background worker ships the journal.")


def shelf(contents: Contents, default: str = "", *, is_store_away: bool = False) -> Component:
    """Look at whether every model has a champion that can answer."""
    if is_store_away and not contents.generation:
        return Component("down", NO_MODEL_CAME)
    if not contents.models:
        return Component("down", "There is no model yet: train one with python -m unrot train iris")
    served = [name for name, shelved in contents.models.items() if CHAMPION in shelved.aliases]
    if contents.problems:
        said = " ".join(contents.problems.values())
        return Component("degraded" if contents.predictors else "down", said)
    if not served:
        return Component("down", "No model has a champion yet.")
    if default and default not in contents.models:
        return Component("degraded", f"UNROT_DEFAULT_MODEL names {shown(default)}: no such model.")
    return Component("ok", f"Champions answer for {', '.join(served)}.")


def beat(path: Path, heartbeat: Heartbeat) -> None:
    """Say that the caretaker lives, and how it fares."""
    draft = path.with_name(f".{path.name}")
    draft.write_bytes(orjson.dumps(asdict(heartbeat)))
    draft.replace(path)


def heartbeat(path: Path) -> Heartbeat | None:
    """Return what the caretaker said last; None when it never ran."""
    try:
        told = orjson.loads(path.read_bytes())
        known = {name: told[name] for name in Heartbeat.__dataclass_fields__ if name in told}
        found = Heartbeat(**{**known, "failing": tuple(known.get("failing", ()))})
        return found if isinstance(found.at, int | float) else None
    except (OSError, orjson.JSONDecodeError, TypeError, ValueError):
        return None


def seconds_since_heartbeat(path: Path) -> float | None:
    """Return how long the caretaker has been silent; None when it never ran."""
    found = heartbeat(path)
    return None if found is None else max(0.0, time.time() - found.at)


def _is_writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK)


def _room(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
