"""All of one store into another, document by document, whatever databases the two are.

Each commit of the copy holds some documents and, in the same commit, a note of how far it is. So
whatever ends a copy, the next run goes on behind the last commit, and nothing is there twice.

    files      come before the versions that point at them, models and facts last
    source     is at rest: no lease in it is live, and its counts, leases, facts, models and offsets
               are at the end what they were at the beginning, however many runs a copy takes
    target     is empty, or holds the beginning of this very copy; until that is whole, no app
               starts on it
    leases     keep their numbers, and never go back behind those of the target: a machine that
               slept through the move is refused there as well
    journals   keep their offsets: lines that were not shipped yet are shipped to the new store

Which store a copy is of tells the name that every store gives itself, not its address.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import orjson

from unrot.core.errors import BadSetting, Conflict, NotFound, StoreAway
from unrot.core.plurals import counted
from unrot.core.ports import Progress
from unrot.hear.feedback_documents import from_document, to_fields
from unrot.store.kinds import BLOB, CHUNK, FACT, FEEDBACK, JOURNAL, KINDS, LEASE, MODEL, Kind
from unrot.store.operations import (
    ABSENT,
    MOST_BYTES,
    MOST_CHANGES,
    Changed,
    Document,
    Operations,
    Put,
    scan_all,
    weight_of,
)

GOES_ON = "What is copied stays. Run it again: it goes on where it stopped."
NOTE = "copy"
OWN = ("format", "store", "generation", NOTE)
"""The facts that a store has of itself; all others are copied."""
LAST = (JOURNAL, LEASE, MODEL, FACT)
ORDER = (CHUNK, BLOB, *(kind for kind in KINDS if kind not in (CHUNK, BLOB, *LAST)), *LAST)
AT_ONCE, AT_ONCE_OF_LARGE = 400, 16
"""Documents that are read at once; some of the large ones take nearly a megabyte."""
LARGE = ("data", "columns")
"""Fields that make a document large."""
ROOM = 20_000
"""Bytes of a commit that are left for the note."""
POLL_SECONDS = 0.25
MOST_WAITING_SECONDS = 30.0
"""For a lease to end; an app renews the lease of 15 seconds before that."""


@dataclass(frozen=True, slots=True)
class Note:
    """How far a copy is: kept in the store that is copied to."""

    source: str
    """The name that the source gave itself."""
    state: str
    """What tells whether the source is still as it was."""
    kind: str = ""
    after: str = ""
    """The last document that was copied."""
    documents: int = 0
    finished_at: float | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """How many documents of a kind both stores hold."""

    kind: str
    there: int
    here: int


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy came to."""

    counts: tuple[Count, ...]
    documents: int = 0
    """How many were written by this run."""
    resumed_after: int = 0
    """How many earlier runs had written."""
    finished_before: float | None = None
    """When the copy was finished, if this run had nothing to do."""

    @property
    def agrees(self) -> bool:
        """True where both stores hold as many documents of each kind."""
        return all(count.there == count.here for count in self.counts)


def copy_store(source: Operations, target: Operations, progress: Progress) -> Copied:
    """Copy all of a store into one that is empty, or go on with a copy that was begun."""
    names = _name_of(source, "from"), _name_of(target, "to")
    if names[0] == names[1]:
        raise Conflict("Both addresses lead to the same store: name another one to copy to.")
    known = target.get(FACT, NOTE)
    note = None if known is None else _read(known)
    if note is not None and note.source == names[0] and note.finished_at is not None:
        return Copied(_counts(source, target), finished_before=note.finished_at)
    _check_source(source, progress)
    state = _state_of(source)
    if note is None or known is None:
        _check_empty(target, progress)
        note, known = Note(names[0], state), None
    _check_same(note, names[0], state)
    copy = _Copy(source, target, note, known, progress)
    try:
        copy.go_on()
    except StoreAway as error:
        raise StoreAway(f"{error.message} {GOES_ON}") from error
    if _state_of(source) != state:
        raise Conflict(f"The store that is copied from was written meanwhile. {_ANEW}")
    done = Copied(_counts(source, target), copy.note.documents - note.documents, note.documents)
    if done.agrees:
        copy.finish()
    return done


def check_whole(database: Operations) -> None:
    """Raise BadSetting for a store that holds the first part of a copy: nobody may work on it."""
    known = database.get(FACT, NOTE)
    if known is not None and _read(known).finished_at is None:
        raise BadSetting(
            "The store holds a copy that is not finished: run `python -m unrot copy` again, which "
            "goes on where it stopped, or set UNROT_STORE to another store."
        )


_ANEW = (
    "Stop the app on all machines, and copy into another, empty place: a file, database or "
    "namespace that is not there yet."
)


class _Copy:
    """One run of a copy."""

    def __init__(
        self,
        source: Operations,
        target: Operations,
        note: Note,
        known: Document | None,
        progress: Progress,
    ) -> None:
        self.note = note
        self._source = source
        self._target = target
        self._revision = ABSENT if known is None else known.revision
        self._progress = progress
        self._all = max(sum(_count(source, kind) for kind in ORDER), 1)

    def go_on(self) -> None:
        """Copy what is not copied yet."""
        begun = [kind.name for kind in ORDER].index(self.note.kind) if self.note.kind else 0
        for kind in ORDER[begun:]:
            self._copy_kind(kind, self.note.after if kind.name == self.note.kind else "")

    def finish(self) -> None:
        """Note that the copy is whole."""
        self._commit([], replace(self.note, finished_at=time.time()))

    def _copy_kind(self, kind: Kind, after: str) -> None:
        page = AT_ONCE_OF_LARGE if set(LARGE) & set(kind.fields) else AT_ONCE
        found = scan_all(self._source, kind, "all", after=(after,) if after else None, page=page)
        wanted = (one for one in found if kind is not FACT or one.key not in OWN)
        for part in _parts([self._put(kind, one) for one in some] for some in _pages(wanted, page)):
            documents = self.note.documents + len(part)
            note = replace(self.note, kind=kind.name, after=part[-1].key, documents=documents)
            self._commit(part, note)
            self._progress(
                documents / self._all,
                f"{kind.name}: {documents:,} of {self._all:,} documents",
            )

    def _put(self, kind: Kind, document: Document) -> Put:
        fields = document.fields
        if kind is FEEDBACK:
            # SQL has a number that people look at as a text; Datastore shows it as a number.
            told = to_fields(from_document(document))
            fields = {**fields, **{name: told[name] for name in ("prediction", "label")}}
        if kind is LEASE and (there := self._target.get(LEASE, document.key)) is not None:
            fields = {**fields, "number": max(fields["number"], there["number"])}
        return Put(kind, document.key, fields)

    def _commit(self, puts: Sequence[Put], note: Note) -> None:
        """Commit some documents with the note, unless another run has moved that meanwhile."""
        value = orjson.dumps(asdict(note)).decode()
        try:
            self._target.commit([*puts, Put(FACT, NOTE, {"value": value}, self._revision)])
        except Changed as error:
            raise Conflict(_ANOTHER) from error
        except ValueError as error:
            raise Conflict(f"The store that is copied to cannot keep this: {error}") from error
        kept = self._target.get(FACT, NOTE)
        if kept is None or kept["value"] != value:
            raise Conflict(_ANOTHER)
        self.note, self._revision = note, kept.revision


_ANOTHER = "Another copy into this store was started meanwhile, and goes on: this one has stopped."


def _pages(documents: Iterable[Document], size: int) -> Iterator[list[Document]]:
    """Return documents in lists of at most so many."""
    some: list[Document] = []
    for document in documents:
        some.append(document)
        if len(some) == size:
            yield some
            some = []
    if some:
        yield some


def _parts(pages: Iterable[list[Put]]) -> Iterator[list[Put]]:
    """Part puts so that each part fits into a commit beside the note."""
    for page in pages:
        part: list[Put] = []
        weight = 0
        for put in page:
            more = weight_of(put)
            if part and (weight + more > MOST_BYTES - ROOM or len(part) >= MOST_CHANGES - 1):
                yield part
                part, weight = [], 0
            part.append(put)
            weight += more
        yield part


# ── what must be so ──────────────────────────────────────────────────────────────────────────


def _name_of(store: Operations, way: str) -> str:
    """Return the name that a store gave itself when it was made."""
    try:
        store.check()
    except StoreAway as error:
        raise StoreAway(
            f"The store that is copied {way} cannot be used. {error.message}", error.cause
        ) from error
    known = store.get(FACT, "store")
    if known is None:
        raise StoreAway(f"The {store.name} has lost the name that it gave itself: restore it.")
    return str(known["value"])


def _check_source(source: Operations, progress: Progress) -> None:
    """Raise for a source that holds nothing, a part of another store, or is in use."""
    known = source.get(FACT, NOTE)
    if known is not None and _read(known).finished_at is None:
        raise Conflict(
            "The store that is copied from is a copy itself that is not finished: finish it first."
        )
    if not any(_count(source, kind) for kind in KINDS if kind is not LEASE):
        raise NotFound("The store that is copied from is empty: nothing to copy.")
    _check_idle(source, "from", progress)


def _check_same(note: Note, source: str, state: str) -> None:
    """Raise Conflict unless a copy is of this source, and the source as it was."""
    if note.source != source:
        raise Conflict(f"The store that is copied to holds the copy of another store. {_EMPTY}")
    if note.state != state:
        raise Conflict(
            f"The store that is copied from was written since the copy was begun. {_ANEW}"
        )


_EMPTY = "Name an empty place: a file, database or namespace that is not there yet."


def _check_empty(target: Operations, progress: Progress) -> None:
    """Raise Conflict for a target that holds anything but leases that are over."""
    _check_idle(target, "to", progress)
    held = {kind.name: _count(target, kind) for kind in KINDS if kind is not LEASE}
    if sum(held.values()):
        most = max(held, key=lambda name: held[name])
        raise Conflict(
            f"The store that is copied to is not empty: it holds "
            f"{counted(sum(held.values()), 'document')} ({held[most]:,} of {most}). {_EMPTY}"
        )


def _check_idle(store: Operations, way: str, progress: Progress) -> None:
    """Return when no lease is live; raise Conflict where one is renewed."""
    began, first = time.monotonic(), _leases(store)
    while live := [one for one in _leases(store) if one["ends at"] > time.time()]:
        seconds = max(one["ends at"] for one in live) - time.time()
        is_renewed = {one.key: one.revision for one in first} != {
            one.key: one.revision for one in _leases(store)
        }
        if is_renewed or time.monotonic() - began > MOST_WAITING_SECONDS:
            raise Conflict(
                f"The store that is copied {way} is in use: a caretaker works on it. Stop the app "
                "on all machines, then copy."
            )
        progress(0.0, f"waiting {seconds:.0f} s: a caretaker was at work just now")
        time.sleep(POLL_SECONDS)


def _leases(store: Operations) -> list[Document]:
    return list(scan_all(store, LEASE, "all"))


def _state_of(source: Operations) -> str:
    """Return what is another when the store was written: counts, and revisions of what moves."""
    told: list[object] = [[kind.name, _count(source, kind)] for kind in ORDER]
    for kind in LAST:
        found = scan_all(source, kind, "all", only=[])
        told += [[one.key, one.revision] for one in found if kind is not FACT or one.key not in OWN]
    return hashlib.sha256(orjson.dumps(told)).hexdigest()


def _counts(source: Operations, target: Operations) -> tuple[Count, ...]:
    return tuple(Count(kind.name, _count(source, kind), _count(target, kind)) for kind in KINDS)


def _count(store: Operations, kind: Kind) -> int:
    if kind is FACT:
        return sum(one.key not in OWN for one in scan_all(store, FACT, "all"))
    return store.count(kind, "all")


def _read(known: Document) -> Note:
    told: Mapping[str, object] = orjson.loads(known["value"])
    return Note(**{name: told[name] for name in told if name in Note.__dataclass_fields__})  # type: ignore[arg-type]
