"""How sure an answer is: the classes that may be true, or between which numbers the true one is.

What is asked of a model (its policy's coverage), and how far verdicts have moved what a version
may miss, stand in one small file beside the shelf's pointer: whoever is asked needs no store. It is
looked at when somebody asks how sure an answer is, never by a plain prediction.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path

import orjson

from unrot.core.conformal import Conformal
from unrot.core.errors import UnrotError
from unrot.core.percent import percent
from unrot.core.policy import Policy
from unrot.core.records import ModelKey, Version
from unrot.serve.shelf import Shelf, ShelvedModel

FILE = "sure.json"
TOO_FEW = (
    "{version} cannot say how sure it is at {coverage}: too few rows were held out for it, it "
    "answers without probabilities, or it was made before this was learnt."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a model's answers, and what the verdicts have made of it."""

    coverage: float = Policy().coverage
    misses: Mapping[str, float] = field(default_factory=dict)
    """Which share of truths a version may miss now; one that is not here misses as was asked."""

    def miss(self, version: str) -> float:
        """Return which share of truths a version may miss now."""
        return self.misses.get(version, 1.0 - self.coverage)


@dataclass(frozen=True, slots=True)
class HowSure:
    """What may be true beside one answer."""

    coverage: float
    classes: tuple[str, ...] | None = None
    """The likeliest first; empty where not even that one is like any truth."""
    between: tuple[float, float] | None = None
    reason: str = ""
    """Why nothing can be said."""

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
) -> HowSure:
    """Say what may be true beside an answer of a version."""
    asked = read_asked(shelf.folder).get(shelved.model.key, Asked())
    known = _conformal(shelf, shelved, version)
    if known is None or not known.can_say(asked.coverage) or (shares is None and value is None):
        said = TOO_FEW.format(version=version.name, coverage=percent(asked.coverage))
        return HowSure(asked.coverage, reason=said)
    miss = asked.miss(version.name)
    if shares is None:
        assert value is not None
        return HowSure(asked.coverage, between=known.interval(value, miss))
    classes = shelved.model.schema.classes
    found = tuple(classes[place] for place in known.classes(shares, miss))
    return HowSure(asked.coverage, classes=found)


def _conformal(shelf: Shelf, shelved: ShelvedModel, version: Version) -> Conformal | None:
    try:
        return shelf.conformal(shelved.model, version)
    except UnrotError:  # Its file is not there, or not what was written: the answer stands.
        return None


def read_asked(folder: Path) -> Mapping[ModelKey, Asked]:
    """Return what is asked of each model; nothing before a caretaker has written it."""
    path = folder / FILE
    try:
        found = os.stat(path)
        return _read(path, found.st_mtime_ns, found.st_ino)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def write_asked(folder: Path, asked: Mapping[ModelKey, Asked]) -> None:
    """Write what is asked of each model, where it is other than what stands there."""
    if read_asked(folder) == asked or not folder.is_dir():
        return
    draft = folder / f".{FILE}.{os.getpid()}"
    draft.write_bytes(orjson.dumps({key: asdict(one) for key, one in asked.items()}))
    draft.replace(folder / FILE)


@lru_cache(maxsize=8)
def _read(path: Path, _written_at: int, _inode: int) -> Mapping[ModelKey, Asked]:
    read = orjson.loads(path.read_bytes())
    return {ModelKey(key): Asked(**one) for key, one in read.items()}
