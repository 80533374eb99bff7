"""The one background process of a machine: it carries what workers wrote to where it is kept.

    journal → store → windows, profiles         registry → shelf → workers

It ships each segment exactly once (the store moves the offset in the transaction that takes the
rows), removes segments whose writer is gone and that are all shipped, counts verdicts into
their minutes, keeps the shelf up to the registry, rotates whylogs profiles, and does its part of
what all machines share (`leader.py`). A step that fails because the store is away is tried again;
nothing is skipped.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from unrot.core.errors import AlreadyRunning, StoreAway, UnrotError
from unrot.core.ids import model_number
from unrot.core.records import Prediction, Shipment
from unrot.run.leader import Chores
from unrot.serve import events, readiness
from unrot.serve.journal import Followed, backlog_bytes, follow
from unrot.serve.readiness import Heartbeat
from unrot.serve.service import Service
from unrot.serve.shelf import sync
from unrot.store.operations import TooMuch
from unrot.watch.monitors.outliers.detector import Noticer
from unrot.watch.profiles import references
from unrot.watch.profiles.keeper import ProfileKeeper

POLL_SECONDS = 0.25
LESSON_POLL_SECONDS = 0.05
"""While a learner is at work, which may wait for predictions to be shipped."""

FOLLOW_SECONDS = 1.0
"""So often the shelf is filled at least, where no database tells that the registry has moved."""

BEAT_SECONDS = 2.0
SLOWEST_POLL_SECONDS = 5.0
COUNT_AT_ONCE = 5_000

_log = logging.getLogger(__name__)


class Caretaker:
    """The loop, and its steps."""

    def __init__(self, service: Service, writer: str, *, jobs_only: bool = False) -> None:
        self._service = service
        self._writer = writer
        self._jobs_only = jobs_only
        self._profiles = ProfileKeeper(
            store=service.store,
            profiler=service.profiler,
            schema_of=lambda name: service.catalogue().model(name).model.schema,
            writer=writer,
            seconds=service.settings.rotation_seconds,
            folder=service.settings.profile_dir,
            kept_as=self._kept_as,
            reference_of=lambda name, version: references.bins_of(service, name, version),
        )
        self._noticer = Noticer(service.shelf)
        self._chores = Chores(service, writer)
        self._names: dict[int, tuple[str, ...]] = {}
        self._heartbeat = service.settings.home / "caretaker.json"
        self._stopping = threading.Event()
        self._beat_at = 0.0
        self._shipped_to: dict[str, int] = {}
        self._shipped_at: float | None = None
        self._troubles: dict[str, str] = {}
        self._is_mended = False
        self._is_first_round = True

    def run(self, *, wait: bool = True) -> None:
        """Look after the home folder until `stop`.

        There is one caretaker a home folder: while another holds its lock this one waits, or
        raises AlreadyRunning.
        """
        home = self._service.settings.home
        with _lock_of(home).open("w") as lock:
            while not _taken(lock.fileno()):
                if not wait:
                    raise AlreadyRunning(f"A caretaker already looks after {home}: nothing to do.")
                if self._stopping.wait(POLL_SECONDS):
                    return
            self._go_on()

    def _go_on(self) -> None:
        """Go round until stopped, then ship what is left and write the profiles."""
        threading.Thread(target=self._follow_registry, name="follower", daemon=True).start()
        pause = POLL_SECONDS
        while not self._stopping.is_set():
            is_well = self.go_round()
            pause = self._usual_pause() if is_well else min(pause * 2, SLOWEST_POLL_SECONDS)
            self._stopping.wait(pause)
        self._chores.stop()
        self._go_round_at_home()
        self._try("profiles", self._profiles.write_all)

    def _usual_pause(self) -> float:
        return LESSON_POLL_SECONDS if self._chores.is_teaching else POLL_SECONDS

    def stop(self) -> None:
        """Ask the loop to end."""
        self._stopping.set()

    def go_round(self) -> bool:
        """Do each step once; tell whether all went well."""
        went_well = self._go_round_at_home()
        return self._try("shared work", self._chores.go_round) and went_well

    def _go_round_at_home(self) -> bool:
        """Do what belongs to this home folder alone; without web workers that is its shelf."""
        self._beat()
        steps: tuple[tuple[str, Callable[[], object]], ...] = (
            ("store", self._service.store.check),
            ("shelf", self._fill_shelf),
        )
        if not self._jobs_only:
            steps += self._steps_of_traffic()
        went_well = [self._try(name, step) for name, step in steps]
        return all(went_well)

    def _steps_of_traffic(self) -> tuple[tuple[str, Callable[[], object]], ...]:
        return (
            ("names", self._follow_names),
            ("profiles of before", self._mend_profiles),
            ("journal", self.ship),
            ("verdicts", lambda: self._service.store.verdicts.count_new(COUNT_AT_ONCE)),
            ("profiles", lambda: self._profiles.write_ended(self._service.clock())),
        )

    def ship(self) -> None:
        """Bring every segment into the store as far as it is written.

        Not before the profiles of before are mended: a row is counted once, by who ships it or
        by who mends.
        """
        if not self._is_mended:
            return
        began = time.time()
        for segment in follow(self._service.journal.folder):
            try:
                self._ship_segment(segment)
            except FileNotFoundError:
                continue
            finally:
                self._beat()
        self._shipped_at = began

    def _ship_segment(self, segment: Followed) -> None:
        has_writer = segment.has_writer()
        offset = self._service.store.traffic.shipped_to(segment.name)
        # Only as far as it is written now: a busy writer must not keep the others waiting.
        until = segment.size()
        while offset < until and (lines := segment.read(offset)):
            self._shipped_to[segment.name] = offset
            offset = self._ship_lines(segment, offset, lines)
        self._shipped_to[segment.name] = offset
        if has_writer:
            return
        if segment.size() > offset:
            _log.warning("Segment %s ends in a torn line, never answered: dropped.", segment.name)
        segment.remove()
        if offset:
            self._service.store.traffic.forget_segment(segment.name)

    def _ship_lines(self, segment: Followed, offset: int, lines: bytes) -> int:
        """Ship lines in one commit, or in two where that is too large."""
        try:
            return self._ship_whole(segment, offset, lines)
        except TooMuch:
            half = lines.find(b"\n", len(lines) // 2) + 1
            if half in (0, len(lines)):
                half = lines.find(b"\n") + 1
            if half == len(lines):
                raise
        shipped_to = self._ship_lines(segment, offset, lines[:half])
        if shipped_to != offset + half:
            return shipped_to
        return self._ship_lines(segment, shipped_to, lines[half:])

    def _ship_whole(self, segment: Followed, offset: int, lines: bytes) -> int:
        found = events.from_lines(lines)
        if found.unreadable:
            self._set_aside(segment, found.unreadable)
        ends_at = offset + len(lines)
        known = self._of_known_models(found.predictions)
        noticed = self._noticer.look(self._service.catalogue(), known)
        shipped_to = self._service.store.traffic.ship(
            Shipment(
                segment=segment.name,
                starts_at=offset,
                ends_at=ends_at,
                writer=self._writer,
                predictions=found.predictions,
                feedback=found.feedback,
                unverified=found.unverified,
                oddities=noticed.oddities,
                looked_at=noticed.looked_at,
                rejections=found.rejections,
            )
        )
        if shipped_to == ends_at:
            self._profiles.add(known)
        return shipped_to

    def _set_aside(self, segment: Followed, lines: Sequence[bytes]) -> None:
        """Keep lines that this release cannot read, for the release that can."""
        path = self._service.journal.folder / "unreadable"
        with path.open("ab") as file:
            file.write(b"".join(line + b"\n" for line in lines))
        _log.error("Segment %s: %d unreadable lines are in %s.", segment.name, len(lines), path)

    def _follow_registry(self) -> None:
        """Fill the shelf as soon as the registry moves, however long a round takes.

        A trouble is said by the round, which fills the shelf too.
        """
        while not self._stopping.is_set():
            try:
                self._service.store.wait_for_change(FOLLOW_SECONDS)
                sync(self._service.shelf.folder, self._service.store.registry)
            except Exception:
                self._stopping.wait(FOLLOW_SECONDS)

    def _fill_shelf(self) -> None:
        folder, registry = self._service.shelf.folder, self._service.store.registry
        sync(folder, registry, thoroughly=self._is_first_round)
        self._is_first_round = False

    def _follow_names(self) -> None:
        """Let the profiles that wait follow models that were renamed or removed."""
        shelved = self._service.catalogue().models.values()
        now = {one.model.number: (one.model.name, *one.model.former_names) for one in shelved}
        for number, (name, *_) in self._names.items():
            if name != (new := now.get(number, (None,))[0]):
                self._profiles.rename(name, new)
        self._names = now

    def _of_known_models(self, predictions: Sequence[Prediction]) -> list[Prediction]:
        """Give each prediction the present name of its model; leave out those of removed ones.

        A name may have had several models in turn: the number in the id tells them apart.
        """
        known: list[Prediction] = []
        for prediction in predictions:
            names = self._names.get(model_number(prediction.id or "") or 0, ())
            if prediction.model in names:
                known.append(replace(prediction, model=names[0]))
        return known

    def _kept_as(self, name: str) -> str:
        shelved = self._service.catalogue().models.get(name)
        return shelved.model.kept_as or name if shelved else name

    def _mend_profiles(self) -> None:
        if self._is_mended:
            return
        try:
            self._profiles.mend(self._service.clock())
        except StoreAway:
            raise
        except Exception:
            _log.exception("Profiles of before could not be mended; shipping goes on.")
        self._is_mended = True

    def _beat(self) -> None:
        if time.monotonic() - self._beat_at >= BEAT_SECONDS:
            self._beat_at = time.monotonic()
            self._try("heartbeat", lambda: readiness.beat(self._heartbeat, self._how_it_fares()))

    def _how_it_fares(self) -> Heartbeat:
        failing = tuple(sorted(self._troubles))
        if self._jobs_only:
            return Heartbeat(time.time(), failing=failing)
        folder = self._service.journal.folder
        there = {segment.name for segment in follow(folder)}
        self._shipped_to = {name: self._shipped_to.get(name, 0) for name in there}
        backlog = max(0, backlog_bytes(folder) - sum(self._shipped_to.values()))
        return Heartbeat(time.time(), self._shipped_at, backlog, failing)

    def _try(self, name: str, step: Callable[[], object]) -> bool:
        """Do a step; a trouble is logged when it begins and when it is over, not at every try."""
        try:
            step()
        except Exception as error:
            if self._troubles.get(name) != str(error):
                is_known = isinstance(error, UnrotError | OSError)
                _log.warning(
                    "The caretaker's step “%s” waits: %s", name, error, exc_info=not is_known
                )
            self._troubles[name] = str(error)
            return False
        if self._troubles.pop(name, None):
            _log.warning("The caretaker's step “%s” goes on.", name)
        return True


@contextmanager
def without_caretaker(home: Path) -> Iterator[None]:
    """Keep caretakers away from a home folder for a while; raise AlreadyRunning beside one."""
    with _lock_of(home).open("w") as lock:
        if not _taken(lock.fileno()):
            raise AlreadyRunning(f"A caretaker looks after {home}: stop the app first.")
        yield


def is_looked_after(home: Path) -> bool:
    """Tell whether a caretaker holds the lock of a home folder."""
    with _lock_of(home).open("w") as lock:
        return not _taken(lock.fileno())


def _lock_of(home: Path) -> Path:
    return home / "caretaker.lock"


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def stop_with_parent(stop: Callable[[], object], parent: int = 0) -> None:
    """Call `stop` when the process that started this one ends, or has ended already."""
    parent = parent or os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        stop()

    threading.Thread(target=watch, daemon=True).start()
