"""How sure an answer is: the classes that may be true, or between which numbers the true one is.

What is asked of a model (its policy's coverage, and whether "not sure" is an answer), and how far
verdicts have moved what a version may miss, stand in one small file beside the shelf's pointer:
whoever is asked needs no store.

Where "not sure" is an answer, the file also tells what held before, and each change begins a second
after it is written. A worker looks at the file four times a second; so whoever counts later how
often it was not sure, by the file and the time of an answer, finds what the worker has found.
"""

from __future__ import annotations

import fcntl
import os
import time
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import orjson

from unrot.core.conformal import Conformal, coverage_range
from unrot.core.errors import UnrotError
from unrot.core.percent import percent
from unrot.core.policy import Policy
from unrot.core.records import Model, ModelKey, Prediction, Version
from unrot.serve.shelf import Shelf, ShelvedModel

FILE = "sure.json"
SOON_SECONDS = 1.0
"""So long after it is written a change begins."""
LOOK_SECONDS = 0.25
"""So often at most a process looks at the file: well within that."""
KEPT_SECONDS, MOST_KEPT = 3_600.0, 1_000
"""So long it is told what held before: until what was answered then is shipped."""
NEWEST = 8
"""Among so many of the newest is what holds now, and what begins soon."""
OVER_SECONDS = 5.0
"""So long after its successor has begun no process goes by an entry any more."""
TOO_FEW = (
    "{version} cannot say how sure it is at {coverage}: too few rows were held out for it, it "
    "answers without probabilities, or it was made before this was learnt."
)


@dataclass(frozen=True, slots=True)
class SureSettings:
    """What is asked of a model's answers, and what the verdicts have made of it."""

    coverage: float = Policy().coverage
    misses: Mapping[str, float] = field(default_factory=dict)
    """Which share of truths a version may miss now; one that is not here misses as was asked."""
    not_sure: bool = False
    """Whether "not sure" is an answer."""
    since: float = 0.0

    def miss(self, version: str) -> float:
        """Return which share of truths a version may miss now."""
        return self.misses.get(version, 1.0 - self.coverage)


History = Sequence[SureSettings]
"""What is asked of a model now, the last one, and what was before."""


@dataclass(frozen=True, slots=True)
class HowSure:
    """What may be true beside one answer."""

    coverage: float
    classes: tuple[str, ...] | None = None
    """The likeliest first; empty where not even that one is like any truth."""
    between: tuple[float, float] | None = None
    reason: str = ""
    """Why nothing can be said."""
    rows: int = 0
    """So many were held out for its version."""
    truly: tuple[float, float] | None = None
    """Between which shares the truth is truly held; None where verdicts have moved it."""
    is_by_now: bool = False
    """True of a kept answer where nobody knows what was asked when it was given."""

    @property
    def is_sure(self) -> bool | None:
        """True when one class alone may be; None of numbers, and where nothing can be said."""
        return None if self.classes is None else len(self.classes) == 1


def how_sure(
    shelf: Shelf,
    shelved: ShelvedModel,
    version: Version,
    shares: Sequence[float] | None,
    value: float | None,
    at: float | None = None,
) -> HowSure:
    """Say what may be true beside an answer of a version: as of now, or as of a moment."""
    history = read_history(shelf.folder, shelved.model.key)
    asked = history[-1] if at is None else asked_at(history, at)
    known = conformal_of(shelf, shelved, version)
    if known is None or not known.can_say(asked.coverage) or (shares is None and value is None):
        said = TOO_FEW.format(version=version.name, coverage=percent(asked.coverage))
        return HowSure(asked.coverage, reason=said)
    miss = asked.miss(version.name)
    is_moved = version.name in asked.misses and miss != 1.0 - asked.coverage
    truly = None if is_moved else coverage_range(known.rows, asked.coverage)
    if shares is None:
        assert value is not None
        between = known.interval(value, miss)
        return HowSure(asked.coverage, between=between, rows=known.rows, truly=truly)
    classes = shelved.model.schema.classes
    found = tuple(classes[place] for place in known.classes(shares, miss))
    return HowSure(asked.coverage, classes=found, rows=known.rows, truly=truly)


def how_sure_then(
    shelf: Shelf, shelved: ShelvedModel, version: Version, made: Prediction
) -> HowSure:
    """Say what might be true beside a kept answer: as of its time, or as of now if none knows."""
    at = made.predicted_at
    is_known = 0.0 < asked_at(read_history(shelf.folder, shelved.model.key), at).since <= at
    as_of = at if is_known else None
    how = how_sure(shelf, shelved, version, made.probabilities, made.value, as_of)
    return replace(how, is_by_now=not is_known)


def conformal_of(shelf: Shelf, shelved: ShelvedModel, version: Version) -> Conformal | None:
    """Return what a version's holdout tells; None where that is not known."""
    try:
        return shelf.conformal(shelved.model, version)
    except UnrotError:  # Its file is not there, or not what was written: the answer stands.
        return None


# ── the file ─────────────────────────────────────────────────────────────────────────────────


def read_asked(folder: Path) -> Mapping[ModelKey, SureSettings]:
    """Return what is asked of each model now; nothing before a caretaker has written it."""
    return {model: history[-1] for model, history in _look(folder).items()}


def read_history(folder: Path, model: ModelKey) -> History:
    """Return what is asked of a model, and what was."""
    return _look(folder).get(model) or (SureSettings(),)


def asked_at(history: History, at: float) -> SureSettings:
    """Return what was asked at a moment."""
    return history[max(0, bisect_right(history, at, key=lambda one: one.since) - 1)]


def is_not_sure_asked(shelf: Shelf, model: Model, at: float) -> bool:
    """Tell whether "not sure" could be an answer of a model at a moment."""
    return asked_at(read_history(shelf.folder, model.key), at).not_sure


def may_be_unsure(folder: Path, model: ModelKey, clock: Callable[[], float]) -> bool:
    """Tell whether "not sure" may be an answer of a model; each plain prediction asks that."""
    history = _look(folder).get(model, ())
    if len(history) < 2 or history[-1].not_sure:  # It was never asked, or it is now.
        return bool(history) and history[-1].not_sure
    ends = [after.since for one, after in pairwise(history[-NEWEST:]) if one.not_sure]
    return bool(ends) and max(ends) > clock() - OVER_SECONDS


Askeds = Mapping[ModelKey, SureSettings]
"""What is asked of each model."""


def write_asked(folder: Path, find: Callable[[Askeds], Askeds], clock: Callable[[], float]) -> None:
    """Write what is asked of each model from a second on, where it is other than before.

    It is found when nobody else writes, from what stands there: so no change is lost.
    """
    if not folder.is_dir():
        return
    with (folder / f".{FILE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = _read_now(folder)
        asked, now = find({key: one[-1] for key, one in before.items()}), clock()
        histories = {key: _with(before.get(key, ()), one, now) for key, one in asked.items()}
        if histories == before:
            return
        draft = folder / f".{FILE}.{os.getpid()}"
        told = {key: [asdict(one) for one in history] for key, history in histories.items()}
        draft.write_bytes(orjson.dumps(told))
        draft.replace(folder / FILE)
    _LOOKED.pop(folder, None)


def _with(history: History, asked: SureSettings, now: float) -> History:
    """Return what was asked with what is asked now; the past where it may be counted by."""
    last = history[-1] if history else None
    if last is not None and replace(asked, since=last.since) == last:
        return history
    if not asked.not_sure and not any(one.not_sure for one in history):
        return (replace(asked, since=0.0),)
    begins = replace(asked, since=now + SOON_SECONDS)
    old = bisect_right(history, now - KEPT_SECONDS, key=lambda one: one.since) - 1
    return (*history[max(0, old) :][-MOST_KEPT:], begins) if history else (SureSettings(), begins)


Histories = Mapping[ModelKey, History]
_LOOKED: dict[Path, tuple[float, Histories]] = {}
"""When this process last looked at a file, and what it found."""


def _look(folder: Path) -> Histories:
    now, known = time.monotonic(), _LOOKED.get(folder)
    if known is not None and now - known[0] < LOOK_SECONDS:
        return known[1]
    found = _read_now(folder)
    _LOOKED[folder] = now, found
    return found


def _read_now(folder: Path) -> Histories:
    path = folder / FILE
    try:
        found = os.stat(path)
        return _read(path, found.st_mtime_ns, found.st_ino)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


@lru_cache(maxsize=8)
def _read(path: Path, _written_at: int, _inode: int) -> Histories:
    read = orjson.loads(path.read_bytes())
    return {
        ModelKey(key): tuple(SureSettings(**one) for one in history)
        for key, history in read.items()
        if history
    }
