"""What the traffic of a version is compared with: its training, or a profile that was brought.

Each version keeps a reference of its training rows. A whylogs profile that was written elsewhere
can stand in its place, for one version or for all of a model; the traffic stays counted on the
bins of the version's own reference, and the profile is put on these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unrot.core.artefacts import REFERENCE, digest_of
from unrot.core.errors import BadArtefact, Invalid, NotFound
from unrot.core.records import CHAMPION, IMPORTED, ModelKey, Schema, Sketch
from unrot.serve.service import Service
from unrot.watch.profiles import baseline
from unrot.watch.profiles.baseline import Reference
from unrot.watch.profiles.columns import OUTPUTS

MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class BroughtProfile:
    """A profile that was brought to stand in the place of the training."""

    file: str
    since: float
    digest: str
    sketches: Mapping[str, Sketch]


def bins_of(service: Service, model: ModelKey, version: str) -> tuple[str, Reference] | None:
    """Return the reference on whose bins a version's traffic is counted, with its digest.

    It is that of its training; the champion's for answers that no version gave; for a version that
    keeps none, the profile that was brought.
    """
    own = _own(service, model, version)
    if own is not None:
        return own
    standing = standing_for(service, model, version)
    if standing is None:
        return None
    schema = service.catalogue().by_key(model).model.schema
    return standing.digest, baseline.of_sketches(schema, standing.sketches)


def on_bins(service: Service, model: ModelKey, version: str, digest: str) -> Reference | None:
    """Return what traffic that was counted on the bins of `digest` is compared with.

    None when it is not kept any more.
    """
    bins = _read(service, digest)
    standing = standing_for(service, model, version)
    if standing is None:
        return bins
    if bins is None and standing.digest != digest:
        return None
    schema = service.catalogue().by_key(model).model.schema
    return baseline.of_sketches(schema, standing.sketches, bins)


def standing_for(service: Service, model: ModelKey, version: str) -> BroughtProfile | None:
    """Return the profile that stands in the place of a version's training, if any."""
    for place in (_place(version), _place(None)):
        note = service.store.findings.standpoint(model, place)
        if note:
            return _standing(note)
    return None


def stand(
    service: Service, model: str, data: bytes, *, file: str, version: str | None = None
) -> BroughtProfile:
    """Let a whylogs profile be what drift is compared with from now on.

    Invalid when it is damaged, or when its columns are not those of the model.
    """
    shelved = service.catalogue().model(model)
    if version is not None:
        shelved.version(version)
    sketches = dict(_sketches(service, data, file))
    schema = shelved.model.schema
    _check_columns(schema, sketches, file)
    known = {*schema.names, *OUTPUTS}
    kept = {name: one for name, one in sketches.items() if name in known}
    note = {
        "file": file,
        "since": service.clock(),
        "digest": digest_of(data),
        "sketches": kept,
    }
    service.store.findings.stand(shelved.model.key, _place(version), note)
    service.store.tell_news()
    return BroughtProfile(file, service.clock(), digest_of(data), kept)


def reset(service: Service, model: str, *, version: str | None = None) -> bool:
    """Go back to the training; tell whether anything stood in its place."""
    key = service.catalogue().model(model).model.key
    is_there = bool(service.store.findings.standpoint(key, _place(version)))
    service.store.findings.stand(key, _place(version), {})
    service.store.tell_news()
    return is_there


def _place(version: str | None) -> str:
    return "reference" if version is None else f"reference of {version}"


def _standing(note: Mapping[str, Any]) -> BroughtProfile:
    sketches = {name: Sketch(**one) for name, one in note["sketches"].items()}
    return BroughtProfile(note["file"], note["since"], note["digest"], sketches)


def _sketches(service: Service, data: bytes, file: str) -> Mapping[str, Sketch]:
    try:
        return service.profiler.read(data)
    except Invalid as error:
        raise Invalid(f"{file} cannot be read as a whylogs profile. {error.message}") from error


def _check_columns(schema: Schema, sketches: Mapping[str, Sketch], file: str) -> None:
    """Raise Invalid when a feature is missing, or is of another kind than the model's."""
    missing = [name for name in schema.names if name not in sketches]
    if missing:
        strange = [name for name in sketches if name not in {*schema.names, *OUTPUTS}]
        others = f" It has instead: {_listed(strange)}." if strange else ""
        raise Invalid(
            f"{file} is not of this model: it lacks {_listed(missing)}.{others} Write it with a "
            "column for each feature, under the names that the model's page shows."
        )
    wrong = [
        feature.name
        for feature in schema.features
        if feature.kind in ("number", "integer")
        and not sketches[feature.name].points
        and sketches[feature.name].rows > sketches[feature.name].missing
    ]
    if wrong:
        raise Invalid(f"{file} holds no numbers for {_listed(wrong)}: the model reads numbers.")


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _own(service: Service, model: ModelKey, version: str) -> tuple[str, Reference] | None:
    try:
        shelved = service.catalogue().by_key(model)
    except NotFound:
        return None
    name = shelved.aliases.get(CHAMPION, "") if version == IMPORTED else version
    made = shelved.versions.get(name)
    digest = "" if made is None else made.artefacts.get(REFERENCE, "")
    found = _read(service, digest)
    return None if found is None else (digest, found)


def _read(service: Service, digest: str) -> Reference | None:
    """Read a reference; one that is gone or damaged is as none, and profiles go on without."""
    if not digest:
        return None
    try:
        return baseline.unpack(service.store.registry.artefact(digest))
    except (NotFound, BadArtefact):
        return None
