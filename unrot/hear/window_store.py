"""Windows as documents: a document holds the minutes of an hour, of one version and one writer.

Retention adds minutes up to hours, of which a document holds a day, and hours to days, of which it
holds a month. What is counted later goes where its minute went: there is one window for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from unrot.core.records import Errors, Hour, ModelKey, RefusedFor, Rewards, Window
from unrot.core.time import MINUTES_A_DAY, MINUTES_AN_HOUR
from unrot.core.windows import added, grouped
from unrot.store.kinds import WINDOWS
from unrot.store.operations import ABSENT, Delete, Document, Operations, Put, scan_all

MINUTES_A_MONTH = 30 * MINUTES_A_DAY
HELD_IN = {1: MINUTES_AN_HOUR, MINUTES_AN_HOUR: MINUTES_A_DAY, MINUTES_A_DAY: MINUTES_A_MONTH}
"""How many minutes a document holds, by the length of its windows."""

LARGE_PAGE = 5_000
"""Of documents without their bodies so many are read at once."""

VERDICT_WRITER = "verdicts"
"""The writer of the windows in which verdicts are counted."""

Plain = dict[str, Any]
"""A window in its document: its minute, for how many it stands, and what of it is not nothing."""

EMPTY = 2
_PLAIN = (
    *("predictions", "verdicts", "judged", "correct", "outliers", "looked_at"),
    *("asked_sure", "unsure", "asked"),
)
_HISTOGRAMS = ("latency", "confidence", "judged_confidence", "correct_confidence")
_TABLES = ("confusion", "signals", "reasons")


@dataclass(frozen=True, slots=True)
class Place:
    """A document: of which windows, and from which minute on."""

    model: ModelKey
    minutes: int
    start: int
    version: str
    writer: str

    @property
    def key(self) -> str:
        """Its key in the store."""
        return f"{self.model}/{self.minutes}/{self.start:010d}/{self.writer}/{self.version}"


def place_for(window: Window, minutes: int = 1) -> Place:
    """Return the document that a window of so many minutes is in."""
    held = HELD_IN[minutes]
    start = window.minute // held * held
    return Place(window.model, minutes, start, window.version, window.writer)


def count_in(database: Operations, windows: Iterable[Window]) -> list[Put | Delete]:
    """Return the changes that add windows of a minute to what is counted.

    Of each writer one process counts at a time; where another was first, the commit is refused.
    """
    parts = grouped(
        windows, lambda one: (one.model, one.version, one.writer, one.minute // MINUTES_AN_HOUR)
    )
    candidates = {
        part: [place_for(some[0], minutes) for minutes in HELD_IN] for part, some in parts.items()
    }
    keys = sorted({place.key for places in candidates.values() for place in places})
    known = database.get_many(WINDOWS, keys)
    held = {key: {one["minute"]: one for one in known[key]["body"]} for key in known}
    more: dict[tuple[Place, int], list[Window]] = {}
    for part, some in parts.items():
        for window in some:
            more.setdefault(_bucket(held, candidates[part], window), []).append(window)
    for (place, minute), some in more.items():
        bucket = held.setdefault(place.key, {})
        first = Window(minute, place.model, place.version, place.writer, minutes=place.minutes)
        before = _window(bucket[minute], place) if minute in bucket else first
        bucket[minute] = _plain(added(before, *some))
    changed = {place.key: place for place, _ in more}
    return [_written(place, held[key].values(), known.get(key)) for key, place in changed.items()]


def windows_between(database: Operations, model: ModelKey, first: int, end: int) -> list[Window]:
    """Return the windows of a model that hold minutes from the first up to the end."""
    found: list[Window] = []
    for minutes, held in HELD_IN.items():
        since = first // held * held * 60.0
        for document in _documents(database, model, minutes, since, end * 60.0):
            found += [
                one
                for one in windows_of(document)
                if one.minute < end and one.minute + one.minutes > first
            ]
    return sorted(found, key=lambda one: (one.minute, one.version, one.writer))


def hourly_predictions(
    database: Operations, since: float, model: ModelKey | None = None
) -> list[Hour]:
    """Return how many predictions each hour had that is kept by minutes: one scan.

    They are those of a model, or of all. What else a window holds is not even read.
    """
    first = int(since) // 60 // MINUTES_AN_HOUR * MINUTES_AN_HOUR * 60.0
    only = ("model", "version", "predictions")
    index, equal = ("of length", (model, 1)) if model else ("of all", (1,))
    found = scan_all(database, WINDOWS, index, equal, since=first, only=only, page=LARGE_PAGE)
    return [
        Hour(told["starts at"], told["model"], told["version"], predictions)
        for told in (document.fields for document in found)
        if (predictions := told["predictions"])
    ]


def marks_of_all(database: Operations, since: float) -> dict[str, int]:
    """Return numbers of the hours of all models that move with what is counted in them."""
    first = int(since) // 60 // MINUTES_AN_HOUR * MINUTES_AN_HOUR * 60.0
    found = scan_all(
        database, WINDOWS, "of all", (1,), since=first, only=("predictions",), page=LARGE_PAGE
    )
    return {document.key: document.revision for document in found}


def roll_up(
    database: Operations, model: ModelKey, *, after: int, end: int, minutes: int
) -> tuple[list[Put | Delete], int, int] | None:
    """Return what adds the first hour or day of finer windows up, where to go on, how many went.

    None where there is nothing from a minute on up to the end.
    """
    first = _first_finer(database, model, after, end, minutes)
    if first is None:
        return None
    start = first // minutes * minutes
    finer = [
        document
        for length, held in HELD_IN.items()
        if length < minutes
        for document in _documents(
            database, model, length, start // held * held * 60.0, (start + minutes) * 60.0
        )
    ]
    changes: list[Put | Delete] = []
    gone: list[Window] = []
    for document in finer:
        inside = [one for one in windows_of(document) if start <= one.minute < start + minutes]
        rest = [one for one in windows_of(document) if not start <= one.minute < start + minutes]
        if inside:
            gone += inside
            changes.append(_change(_place_of(document), rest, document))
    parts = grouped(gone, lambda one: (one.version, one.writer))
    changes += _longer(database, [_whole(part, start, minutes) for part in parts.values()])
    return changes, start + minutes, len(gone) - len(parts)


def windows_of(document: Document) -> list[Window]:
    """Read the windows of a document; what a newer release knows besides is left out."""
    place = _place_of(document)
    return [_window(one, place) for one in document["body"]]


def negative(window: Window) -> Window:
    """Return what takes a window away again when it is added.

    >>> negative(Window(7, "elves", "v1", "me", verdicts=2, latency=(0, 1))).latency
    (0, -1)
    """
    numbers: dict[str, Any] = {name: -getattr(window, name) for name in _PLAIN}
    bins: dict[str, Any] = {
        name: tuple(-one for one in getattr(window, name)) for name in _HISTOGRAMS
    }
    numbers |= {
        name: {one: {two: -count for two, count in row.items()} for one, row in table.items()}
        for name in _TABLES
        if (table := getattr(window, name))
    }
    errors = Errors(*(-value for value in asdict(window.errors).values()))
    rewards = Rewards(*(-value for value in asdict(window.rewards).values()))
    return replace(window, **numbers, **bins, errors=errors, rewards=rewards)


# ── inside ───────────────────────────────────────────────────────────────────────────────────


def _documents(
    database: Operations, model: ModelKey, minutes: int, since: float, until: float
) -> list[Document]:
    equal = (model, minutes)
    return list(scan_all(database, WINDOWS, "of length", equal, since=since, until=until))


def _bucket(
    held: Mapping[str, Mapping[int, Any]], places: Sequence[Place], window: Window
) -> tuple[Place, int]:
    """Return where a minute is counted: in the longest window that holds it already."""
    for place in reversed(places[1:]):
        start = window.minute // place.minutes * place.minutes
        if start in held.get(place.key, {}):
            return place, start
    return places[0], window.minute


def _first_finer(
    database: Operations, model: ModelKey, after: int, end: int, minutes: int
) -> int | None:
    firsts: list[int] = []
    for length, held in HELD_IN.items():
        if length >= minutes:
            continue
        since = after // held * held * 60.0
        for document in _documents(database, model, length, since, end * 60.0):
            inside = [one.minute for one in windows_of(document) if after <= one.minute < end]
            if inside:
                firsts.append(min(inside))
                break
    return min(firsts, default=None)


def _whole(part: Sequence[Window], start: int, minutes: int) -> Window:
    return replace(added(*part), minute=start, minutes=minutes)


def _longer(database: Operations, windows: Sequence[Window]) -> list[Put | Delete]:
    """Return the changes that add windows of an hour or a day to those that are there."""
    places = {place_for(one, one.minutes).key: place_for(one, one.minutes) for one in windows}
    known = database.get_many(WINDOWS, sorted(places))
    changes: list[Put | Delete] = []
    for key, place in places.items():
        held = {one.minute: one for one in windows_of(known[key])} if key in known else {}
        for window in windows:
            if place_for(window, window.minutes).key == key:
                minute = window.minute
                held[minute] = added(held[minute], window) if minute in held else window
        changes.append(_change(place, held.values(), known.get(key)))
    return changes


def _change(place: Place, windows: Iterable[Window], known: Document | None) -> Put | Delete:
    return _written(place, map(_plain, windows), known)


def _written(place: Place, plain: Iterable[Plain], known: Document | None) -> Put | Delete:
    """Return the change that writes the windows of a document, those that hold something."""
    kept = sorted((one for one in plain if len(one) > EMPTY), key=lambda one: one["minute"])
    expect = ABSENT if known is None else known.revision
    if not kept and known is not None:
        return Delete(WINDOWS, place.key, expect)
    whole = {
        "model": place.model,
        "minutes": place.minutes,
        "starts at": place.start * 60.0,
        "version": place.version,
        "writer": place.writer,
        "count": len(kept),
        "since": kept[0]["minute"] * 60.0 if kept else None,
        "predictions": sum(one.get("predictions", 0) for one in kept),
        "body": kept,
    }
    return Put(WINDOWS, place.key, whole, expect)


def _place_of(document: Document) -> Place:
    return Place(
        document["model"],
        document["minutes"],
        int(document["starts at"]) // 60,
        document["version"],
        document["writer"],
    )


def _plain(window: Window) -> Plain:
    """Return what of a window is not nothing."""
    found: Plain = {"minute": window.minute, "minutes": window.minutes}
    found |= {name: value for name in _PLAIN if (value := getattr(window, name))}
    for name in _HISTOGRAMS:
        if any(getattr(window, name)):
            found[name] = _trimmed(getattr(window, name))
    for name in _TABLES:
        if table := _filled(getattr(window, name)):
            found[name] = table
    if window.rejected:
        found["rejected"] = dict(window.rejected)
    if window.errors.count:
        found["errors"] = asdict(window.errors)
    if window.rewards.count:
        found["rewards"] = asdict(window.rewards)
    if window.refused_for.requests:
        found["refused_for"] = asdict(window.refused_for)
    return found


def _filled(table: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """Return what of counts by two words is not nothing."""
    return {
        one: kept
        for one, row in table.items()
        if (kept := {two: count for two, count in row.items() if count})
    }


def _trimmed(bins: Sequence[int]) -> list[int]:
    """Write bins without the empty ones at both ends: how many, where the first is, and they.

    >>> _trimmed((0, 0, 4, 0, 1, 0)), _bins([6, 2, 4, 0, 1])
    ([6, 2, 4, 0, 1], (0, 0, 4, 0, 1, 0))
    """
    filled = [at for at, count in enumerate(bins) if count]
    first, last = filled[0], filled[-1]
    return [len(bins), first, *bins[first : last + 1]]


def _bins(trimmed: Sequence[int]) -> tuple[int, ...]:
    length, first, *bins = trimmed
    return (*(0,) * first, *bins, *(0,) * (length - first - len(bins)))


_KNOWN = {entry.name for entry in fields(Window)}


def _window(kept: Plain, place: Place) -> Window:
    found = {name: value for name, value in kept.items() if name in _KNOWN}
    for name in _HISTOGRAMS:
        if name in found:
            found[name] = _bins(found[name])
    if "errors" in found:
        found["errors"] = Errors(**found["errors"])
    if "rewards" in found:
        found["rewards"] = Rewards(**found["rewards"])
    if "refused_for" in found:
        found["refused_for"] = RefusedFor(**found["refused_for"])
    return Window(model=place.model, version=place.version, writer=place.writer, **found)
