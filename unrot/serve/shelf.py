"""The local folder of versions that are ready to serve, and the pointer file that says which.

The caretaker copies the registry here; web workers read nothing else to predict, so that a
store that is away stops nobody. The pointer is one file that is replaced atomically. A worker
notices a new one by its modification time, loads the new champion beside the old one, checks
its golden rows and then swaps one reference: a request keeps the one that it began with. A
champion that cannot be loaded, or that this app did not sign, leaves the old one in place and
says so; which one answered last is on the shelf too, so that it does so after a restart.

    shelf/pointer.json          models, versions, aliases, generation
    shelf/last-good.json        the champion of each model that was loaded last
    shelf/artefacts/<digest>    what predictors are made from, checked before loading
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from unrot.core import schema
from unrot.core.artefacts import (
    CALIBRATION,
    EXAMPLES,
    EXPLAINER,
    GOLDEN,
    NEIGHBOURS,
    REFERENCE,
    digest_of,
    is_digest,
)
from unrot.core.conformal import Conformal
from unrot.core.conformal import unpack as unpack_conformal
from unrot.core.errors import BadArtefact, NotFound, StoreAway, UnrotError, shown
from unrot.core.memory import hand_back_memory
from unrot.core.plurals import there_are
from unrot.core.ports import Detector, DetectorLoader, Predictor, PredictorLoader, Registry
from unrot.core.records import CHAMPION, Model, ModelKey, Serving, Version
from unrot.core.signatures import Signatures

Predictors = dict[tuple[str, str], Predictor]
PINNED_AT_ONCE = 8
DETECTORS_AT_ONCE = 8
RETRY_SECONDS = 5.0
LAST_GOOD = "last-good.json"


@dataclass(frozen=True, slots=True)
class ShelvedModel:
    """A model as it stands on the shelf."""

    model: Model
    aliases: Mapping[str, str]
    versions: Mapping[str, Version]

    @property
    def champion(self) -> Version | None:
        """The version that answers; None where there is none."""
        return self.versions.get(self.aliases.get(CHAMPION, ""))

    def version(self, name: str | None = None) -> Version:
        """Return a version by its name, or the champion."""
        wanted = name or self.aliases.get(CHAMPION, "")
        if wanted in self.versions:
            return self.versions[wanted]
        if name is None:
            raise NotFound(f"{self.model.name} has no champion yet: promote one of its versions.")
        known = ", ".join(self.versions) or "none"
        raise NotFound(f"{self.model.name} has no version {shown(name)}; it has {known}.")


@dataclass(frozen=True, slots=True)
class Contents:
    """What one worker serves at one moment; never changed, only replaced."""

    generation: str = ""
    models: Mapping[str, ShelvedModel] = field(default_factory=dict)
    predictors: Mapping[tuple[str, str], Predictor] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    one_row: dict[tuple[str, str | None], Any] = field(default_factory=dict)
    """What answers single rows (`serve.one_row`), by the names it was asked by; made when asked."""

    def model(self, name: str) -> ShelvedModel:
        """Return a model by its name, or by one that it had before."""
        if name in self.models:
            return self.models[name]
        for shelved in self.models.values():
            if name in shelved.model.former_names:
                return shelved
        known = there_are(self.models, "none yet: train one with python -m unrot train iris")
        raise NotFound(f"There is no model {shown(name)}; {known}.")

    def by_key(self, key: ModelKey) -> ShelvedModel:
        """Return a model by its key; NotFound for one that was removed."""
        for shelved in self.models.values():
            if shelved.model.key == key:
                return shelved
        raise NotFound(f"There is no model {shown(key)} any more.")

    def name_of(self, key: ModelKey) -> str:
        """Return what a model is called; one that is not there by its first name."""
        called = (one.model.name for one in self.models.values() if one.model.key == key)
        return next(called, str(key))

    def by_number(self, number: int) -> ShelvedModel | None:
        """Return the model that a prediction id speaks of."""
        for shelved in self.models.values():
            if shelved.model.number == number:
                return shelved
        return None


class Shelf:
    """The reading side, one for each process."""

    def __init__(
        self,
        folder: Path,
        *,
        load: PredictorLoader,
        check: Callable[[Predictor, bytes], float],
        signatures: Signatures,
        load_detector: DetectorLoader | None = None,
    ) -> None:
        self.folder = folder
        self._pointer = str(folder / "pointer.json")
        self._load = load
        self._check = check
        self._signatures = signatures
        self._load_detector = load_detector
        self._lock = threading.Lock()
        self._contents = Contents()
        self._seen: tuple[int, int, int] | None = None
        self._looked_at = 0.0
        self._pinned: Predictors = {}
        self._detectors: dict[tuple[str, str], Detector] = {}
        self._conformals: dict[str, Conformal | None] = {}

    def contents(self) -> Contents:
        """Return what is served now, following a new pointer first."""
        if self._is_behind() and self._lock.acquire(blocking=self._seen is None):
            try:
                if self._is_behind():
                    stamp = self._stamp()
                    self._contents = self._follow()
                    self._seen, self._looked_at = stamp, time.monotonic()
                    hand_back_memory()
            finally:
                self._lock.release()
        return self._contents

    def predictor(self, contents: Contents, version: Version) -> Predictor:
        """Return the predictor of a version: a champion's at once, another's loaded when asked."""
        key = _key(version)
        held = contents.predictors.get(key) or self._pinned.get(key)
        if held is not None:
            return held
        with self._lock:
            held = self._pinned.get(key)
            if held is None:
                held = self._make(contents.by_key(version.model).model, version)
                while len(self._pinned) >= PINNED_AT_ONCE:
                    del self._pinned[next(iter(self._pinned))]
                self._pinned[key] = held
                hand_back_memory()
            return held

    def let_go(self, shelved: ShelvedModel) -> None:
        """Hold no version of a model any more but its champion; others come back when asked for."""
        keys = {_key(version) for version in shelved.versions.values()}
        with self._lock:
            for key in keys & self._pinned.keys():
                del self._pinned[key]

    def borrow(self, contents: Contents, version: Version) -> Predictor:
        """Return the predictor of a version; one that is loaded for this is not held afterwards."""
        held = contents.predictors.get(_key(version)) or self._pinned.get(_key(version))
        return held or self._make(contents.by_key(version.model).model, version)

    def size(self, version: Version) -> int | None:
        """Return how many bytes the file has that answers for a version; None where it is gone."""
        if not is_digest(version.serving.digest):
            return None
        try:
            return (self.folder / "artefacts" / version.serving.digest).stat().st_size
        except OSError:
            return None

    def file(self, model: Model, version: Version, kind: str) -> bytes | None:
        """Return a file that a version is kept with on the shelf; None where it has none."""
        digest = version.artefacts.get(kind)
        if digest is None:
            return None
        self._signatures.check(version, model)
        return self._artefact(digest)

    def at_hand(self, name: str = "", version: str | None = None) -> Contents | None:
        """Return what is served, if a model, or every champion, answers in microseconds.

        So does one that is not there: that is said as quickly. None where something is to be
        loaded first, scikit-learn answers, or nothing is known yet and the store is to be asked.
        """
        if self._is_behind() or not self._contents.generation:
            return None
        contents = self._contents
        if not name:
            is_quick = all(_is_quick(held) for held in contents.predictors.values())
            return contents if is_quick else None
        try:
            key = _key(contents.model(name).version(version))
        except NotFound:
            return contents
        held = contents.predictors.get(key) or self._pinned.get(key)
        return contents if _is_quick(held) else None

    def has(self, version: Version) -> bool:
        """Tell whether a version is loaded."""
        return _key(version) in self._contents.predictors

    def detector(self, model: Model, version: Version) -> Detector | None:
        """Return what tells odd rows of a version, loaded when it is first asked; None without."""
        digest = version.artefacts.get(NEIGHBOURS)
        if digest is None or self._load_detector is None:
            return None
        key = version.schema_hash, digest
        held = self._detectors.get(key)
        if held is None:
            self._signatures.check(version, model)
            with self._lock:
                held = self._load_detector(self._artefact(digest), model.schema)
                while len(self._detectors) >= DETECTORS_AT_ONCE:
                    del self._detectors[next(iter(self._detectors))]
                self._detectors[key] = held
        return held

    def conformal(self, model: Model, version: Version) -> Conformal | None:
        """Return how sure a version may be of its answers; None where too few rows tell."""
        digest = version.artefacts.get(CALIBRATION)
        if digest is None:
            return None
        if digest not in self._conformals:
            data = self.file(model, version, CALIBRATION)
            with self._lock:
                while len(self._conformals) >= DETECTORS_AT_ONCE:
                    del self._conformals[next(iter(self._conformals))]
                self._conformals[digest] = unpack_conformal(data or b"{}")
        return self._conformals.get(digest)

    def _is_behind(self) -> bool:
        """Tell whether there is a new pointer, or a champion that may load by now."""
        if self._stamp() != self._seen:
            return True
        is_time = time.monotonic() - self._looked_at > RETRY_SECONDS
        return bool(self._contents.problems) and is_time

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self._pointer)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def _follow(self) -> Contents:
        before = self._contents
        written = _read(Path(self._pointer))
        if written is None:
            return before
        models: dict[str, ShelvedModel] = {}
        predictors: Predictors = {}
        problems: dict[str, str] = {}
        for shelved in written.models.values():
            name = shelved.model.name
            try:
                self._take(shelved, before, predictors)
            except UnrotError as error:
                problems[name] = f"The champion of {name} could not be loaded: {error}"
                shelved = self._keep_the_old(shelved, before, predictors)
            models[name] = shelved
        _note_last_good(self.folder, models, predictors)
        return Contents(written.generation, models, predictors, problems)

    def _take(self, shelved: ShelvedModel, before: Contents, predictors: Predictors) -> None:
        if CHAMPION not in shelved.aliases:
            return
        version = shelved.version()
        self._signatures.check(version, shelved.model)
        key = _key(version)
        held = before.predictors.get(key) or self._pinned.get(key)
        predictors[key] = held or self._make(shelved.model, version)

    def _keep_the_old(
        self, shelved: ShelvedModel, before: Contents, predictors: Predictors
    ) -> ShelvedModel:
        """Let the champion that answers now go on, or the last one before this process began."""
        version = _served(before, shelved.model) or _last_good(self.folder).get(shelved.model.key)
        if version is None:
            return shelved
        try:
            predictors[_key(version)] = before.predictors.get(_key(version)) or self._make(
                shelved.model, version
            )
        except UnrotError:
            return shelved
        aliases = {**shelved.aliases, CHAMPION: version.name}
        return ShelvedModel(shelved.model, aliases, {**shelved.versions, version.name: version})

    def _make(self, model: Model, version: Version) -> Predictor:
        self._signatures.check(version, model)
        try:
            artefact = self._artefact(version.serving.digest)
            predictor = self._load(version.serving.by, artefact, model.schema)
            if GOLDEN in version.artefacts:
                self._check(predictor, self._artefact(version.artefacts[GOLDEN]))
            return predictor
        except UnrotError:
            raise
        except Exception as error:
            # Whatever a library makes of a file: one bad version must not stop the others.
            said = f"{type(error).__name__}: {shown(str(error), 200)}"
            raise BadArtefact(f"{version.name} does not load ({said}).") from error

    def _artefact(self, digest: str) -> bytes:
        try:
            data = (self.folder / "artefacts" / digest).read_bytes()
        except FileNotFoundError as error:
            raise BadArtefact(f"The file {digest[:12]} is missing on the shelf.") from error
        if digest_of(data) != digest:
            raise BadArtefact(f"The file {digest[:12]} on the shelf is not what was written.")
        return data


def _is_quick(held: Predictor | None) -> bool:
    return bool(getattr(held, "is_quick", False))


def _key(version: Version) -> tuple[str, str]:
    """Tell predictors apart: the same bytes under another schema answer otherwise."""
    return version.schema_hash, version.serving.digest


def _served(contents: Contents, model: Model) -> Version | None:
    """Return the champion of a model that answers."""
    held = contents.models.get(model.name)
    version = None if held is None else held.champion
    return version if version is not None and _key(version) in contents.predictors else None


def sync(folder: Path, registry: Registry, *, thoroughly: bool = False) -> bool:
    """Bring the shelf up to the registry; tell whether the pointer was written.

    `thoroughly` looks at every file even when the generation is known, to mend a damaged shelf.
    An empty registry never empties a shelf, because a store that was lost must not stop
    predictions; unless it has the marks of models that were removed on purpose. A file that the
    store has lost, or that is not what was written, is left out: who would load it says so.
    """
    generation = registry.generation()
    pointer = folder / "pointer.json"
    if _generation_of(pointer) == generation and not thoroughly:
        return False
    with _only_one(folder):
        models = [_shelved(registry, model) for model in registry.models()]
        if not models and pointer.exists() and not registry.removed():
            return False
        for shelved in models:
            for version in shelved.versions.values():
                _fetch(folder / "artefacts", registry, version, thoroughly)
        (folder / "artefacts").mkdir(exist_ok=True)
        _replace(pointer, orjson.dumps(_written(generation, models), option=orjson.OPT_INDENT_2))
        _sweep(folder, models)
    return True


def fill_when_empty(folder: Path, registry: Registry) -> None:
    """Fill a shelf on a new disk, before anybody is told that there is no model.

    While the store is away that waits for the caretaker, which tries again.
    """
    if not (folder / "pointer.json").exists():
        with suppress(StoreAway):
            sync(folder, registry)


def is_damaged(folder: Path) -> bool:
    """Tell whether a champion's file is missing or spoilt; a process that has it may not notice."""
    written = _read(folder / "pointer.json")
    models = [] if written is None else written.models.values()
    champions = [one.champion for one in models]
    needed = {digest for version in filter(None, champions) for digest in _needed(version)}
    return not all(_is_as_written(folder / "artefacts" / digest) for digest in needed)


def _is_as_written(path: Path) -> bool:
    try:
        found = path.stat()
        return _has_its_digest(path, found.st_mtime_ns, found.st_size)
    except OSError:
        return False


@lru_cache(maxsize=10_000)
def _has_its_digest(path: Path, _written_at: int, _size: int) -> bool:
    """Tell whether a file is what its name says; read again only once it was written again."""
    return digest_of(path.read_bytes()) == path.name


def _shelved(registry: Registry, model: Model) -> ShelvedModel:
    # The aliases first: a version that is promoted meanwhile is then one of the next pointer.
    aliases = registry.aliases(model.key)
    kept = registry.versions(model.key, kept_only=True)
    return ShelvedModel(model, aliases, {version.name: version for version in kept})


def _needed(version: Version) -> set[str]:
    kinds = (GOLDEN, NEIGHBOURS, REFERENCE, CALIBRATION, EXPLAINER, EXAMPLES)
    beside = [version.artefacts.get(kind, "") for kind in kinds]
    # Nobody has looked at the signature yet: what is no digest may be the path of anything.
    return {name for name in (version.serving.digest, *beside) if is_digest(name)}


def _fetch(folder: Path, registry: Registry, version: Version, thoroughly: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for digest in _needed(version):
        path = folder / digest
        is_there = path.exists()
        if is_there and thoroughly:
            is_there = digest_of(path.read_bytes()) == digest
        if not is_there:
            with suppress(BadArtefact, NotFound):
                _replace(path, registry.artefact(digest))


def _sweep(folder: Path, models: list[ShelvedModel]) -> None:
    versions = [version for shelved in models for version in shelved.versions.values()]
    good = _last_good(folder)
    versions += [good[one.model.key] for one in models if one.model.key in good]
    needed = {digest for version in versions for digest in _needed(version)}
    for path in (folder / "artefacts").iterdir():
        if path.name not in needed:
            path.unlink(missing_ok=True)


def _replace(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _written(generation: str, models: list[ShelvedModel]) -> dict[str, Any]:
    return {
        "generation": generation,
        "models": [
            {
                "model": {**_plain(shelved.model), "schema": schema.to_json(shelved.model.schema)},
                "aliases": shelved.aliases,
                "versions": list(shelved.versions.values()),
            }
            for shelved in models
        ],
    }


def _plain(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "number": model.number,
        "title": model.title,
        "description": model.description,
        "created_at": model.created_at,
        "key": model.key,
        "former_names": model.former_names,
        "tags": model.tags,
    }


def _generation_of(pointer: Path) -> str | None:
    try:
        return str(orjson.loads(pointer.read_bytes())["generation"])
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
        return None


def _read(pointer: Path) -> Contents | None:
    try:
        data = orjson.loads(pointer.read_bytes())
        models = [_from_plain(entry) for entry in data["models"]]
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return Contents(data["generation"], {shelved.model.name: shelved for shelved in models})


def _from_plain(entry: dict[str, Any]) -> ShelvedModel:
    plain = entry["model"]
    lists = {name: tuple(plain.get(name, ())) for name in ("former_names", "tags")}
    known = schema.from_json(plain["schema"])
    model = Model(**{**plain, "schema": known, **lists})
    versions = [_version(version) for version in entry["versions"]]
    return ShelvedModel(model, entry["aliases"], {version.name: version for version in versions})


def _version(plain: Mapping[str, Any]) -> Version:
    return Version(**{**plain, "serving": Serving(**plain["serving"])})


# ── what answered last ───────────────────────────────────────────────────────────────────────


def _last_good(folder: Path) -> dict[str, Version]:
    """Return the champion of each model that was loaded last, by the model's key."""
    try:
        written = orjson.loads((folder / LAST_GOOD).read_bytes())
        return {key: _version(version) for key, version in written.items()}
    except (OSError, orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
        return {}


def _note_last_good(
    folder: Path, models: Mapping[str, ShelvedModel], predictors: Predictors
) -> None:
    """Note the champions that answer now; a disk that is full keeps nobody from answering."""
    before = _last_good(folder)
    there = {one.model.key for one in models.values()}
    now = {key: version for key, version in before.items() if key in there}
    for shelved in models.values():
        version = shelved.champion
        if version is not None and _key(version) in predictors:
            now[shelved.model.key] = version
    if now != before:
        with suppress(OSError):
            _replace(folder / LAST_GOOD, orjson.dumps(now))
