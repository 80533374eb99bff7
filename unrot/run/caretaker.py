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
import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from unrot.core.errors import AlreadyRunning, StoreAway, UnrotError
from unrot.core.memory import hand_back_memory
from unrot.core.records import Shipment
from unrot.run.leader import Leader
from unrot.run.news import News
from unrot.serve import events, readiness
from unrot.serve.journal import READ_BYTES, Followed, backlog_bytes, follow
from unrot.serve.readiness import Heartbeat
from unrot.serve.rows import Rows
from unrot.serve.service import Service
from unrot.serve.shelf import is_damaged, sync
from unrot.serve.unsure import find_unsure
from unrot.store.operations import TooMuch
from unrot.watch.event_teller import teller_of
from unrot.watch.monitors.outliers.detector import OutlierFinder
from unrot.watch.monitors.sure.look import tell_workers_of_all
from unrot.watch.profiles import references
from unrot.watch.profiles.keeper import ProfileKeeper

POLL_SECONDS = 0.25
LESSON_POLL_SECONDS = 0.05
"""While a learner is at work, which may wait for predictions to be shipped."""

FOLLOW_SECONDS = 1.0
"""So often the shelf is filled at least, where no database tells that the registry has moved."""

MEND_SECONDS = 10.0
"""So often files of champions that are missing or do not load are fetched anew."""

HAND_BACK_SECONDS = 2.0
"""So often the memory that was freed is given back."""

BEAT_SECONDS = 2.0
SLOWEST_POLL_SECONDS = 5.0
COUNT_AT_ONCE = 5_000
A_TICK = 50_000_000
"""Nanoseconds within which a file may be touched twice and look as if once."""
COUNT_SECONDS = 300.0
"""So often verdicts are looked for though nobody said that there are some."""

SHARE_SECONDS = 20.0
"""So often at most the store is asked how sure answers are to be: two reads a model."""
FORGOTTEN_SECONDS = 30.0
"""So often at most the store is asked whether something was to be forgotten: one read."""
BEHIND_BYTES = 8 * READ_BYTES
"""With more of the journal before it (some 30,000 predictions) it is behind."""
SAMPLED = 10
"""While it is behind, profiles and outliers are of one prediction in so many: they are the half of
its work. What is kept and counted is never sampled."""

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
            schema_of=lambda model: service.catalogue().by_key(model).model.schema,
            writer=writer,
            seconds=service.settings.rotation_seconds,
            folder=service.settings.profile_dir,
            reference_of=lambda model, version: references.bins_of(service, model, version),
        )
        self._outlier_finder = OutlierFinder(service.shelf)
        self._teller = teller_of(service)
        self._leader = Leader(service, writer, self._teller)
        self._heartbeat = service.settings.home / "caretaker.json"
        self._stopping = threading.Event()
        self._ends_at = 0.0
        self._beat_at = 0.0
        self._shipped_to: dict[str, int] = {}
        self._set_aside_to: dict[str, int] = {}
        self._every = 1
        self._shipped_at: float | None = None
        self._troubles: dict[str, str] = {}
        self._is_mended = False
        self._mended_at = time.monotonic()
        self._is_first_round = True
        self._news = News(service.store, service.settings.store_poll_seconds)
        self._has_news = self._was_busy = self._has_counted = False
        """Whether others, or this machine, did something in this round."""
        self._is_behind = self._must_count = self._must_share = True
        self._shared_at = -SHARE_SECONDS
        self._must_end_segments = True
        self._looked_at, self._forgotten = -FORGOTTEN_SECONDS, ""
        self._rung_at, self._counted_at = 0, 0.0
        self._round_began_at: float | None = None
        self._handed_back_at = 0.0

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
        """Go round until stopped, then ship what is left and write the profiles.

        What is left ends when the last worker does: one that answers what it had begun writes on.
        """
        gc.collect()
        gc.freeze()  # libraries stay, so the collector need not walk through them again and again
        threading.Thread(target=self._follow_registry, name="follower", daemon=True).start()
        if self._teller is not None:
            self._teller.start()
        pause, told = POLL_SECONDS, True
        while not self._stopping.is_set():
            is_well = self.go_round(told=told, thoroughly=False)
            pause = self._usual_pause() if is_well else min(pause * 2, SLOWEST_POLL_SECONDS)
            self._stopping.wait(pause)
            told = is_well and self._service.store.wait_for_change(0.0)
        self._leader.stop()
        while self._is_written() and time.monotonic() < self._ends_at:
            self._go_round_at_home()
            time.sleep(POLL_SECONDS)
        self._go_round_at_home()
        self._try("profiles", self._profiles.write_all)
        if self._teller is not None:
            self._teller.stop()

    def _usual_pause(self) -> float:
        return LESSON_POLL_SECONDS if self._leader.is_teaching else POLL_SECONDS

    def stop(self, *, seconds: float = 0.0) -> None:
        """Ask the loop to end, so many seconds later at most while workers write on."""
        self._ends_at = time.monotonic() + seconds
        self._stopping.set()

    def go_round(self, *, told: bool = True, thoroughly: bool = True) -> bool:
        """Do each step once; tell whether all went well.

        Where nobody `told` of a change, the store is asked for one only when it is time; and work
        that all machines share is done, unless `thoroughly`, only where something has changed.
        """
        self._round_began_at = time.monotonic()
        went_well = self._go_round_at_home(told=told)
        has_news = thoroughly or self._has_news or self._was_busy
        led = self._try(
            "shared work",
            lambda: self._leader.go_round(
                has_news=has_news,
                has_verdicts=self._has_counted,
                is_told=thoroughly or self._has_news,
            ),
        )
        self._round_began_at = None
        if time.monotonic() - self._handed_back_at >= HAND_BACK_SECONDS:
            self._handed_back_at = time.monotonic()
            hand_back_memory()
        return led and went_well

    def _go_round_at_home(self, *, told: bool = True) -> bool:
        """Do what belongs to this home folder alone; without web workers that is its shelf."""
        self._beat()
        self._has_news = self._was_busy = self._has_counted = False
        steps: tuple[tuple[str, Callable[[], object]], ...] = (
            ("store", lambda: self._look_for_news(told=told)),
            ("shelf", self._fill_shelf),
            ("how sure", self._share_sureness),
        )
        if not self._jobs_only:
            steps += self._steps_of_traffic()
        went_well = [self._try(name, step) for name, step in steps]
        return all(went_well)

    def _look_for_news(self, *, told: bool) -> None:
        if self._is_first_round or self._troubles:
            self._service.store.check()
        self._has_news = self._news.look(told=told)
        self._is_behind |= told or self._has_news
        self._must_count |= told

    def _steps_of_traffic(self) -> tuple[tuple[str, Callable[[], object]], ...]:
        return (
            ("profiles of before", self._mend_profiles),
            ("forgotten", self._end_segments),
            ("journal", self.ship),
            ("verdicts", self._count_verdicts),
            ("profiles", self._write_profiles),
            ("news", self._tell_others),
        )

    def _end_segments(self) -> None:
        """Have the workers' segments end after something was forgotten: they may hold its line."""
        self._must_end_segments |= self._has_news
        if self._must_end_segments and time.monotonic() - self._looked_at >= FORGOTTEN_SECONDS:
            self._looked_at = time.monotonic()
            word = self._service.store.erasing.news()
            if word != self._forgotten:
                self._service.journal.end_all()
                self._forgotten = word
            self._must_end_segments = False

    def ship(self) -> None:
        """Bring every segment into the store as far as it is written.

        Not before the profiles of before are mended: a row is counted once, by who ships it or
        by who mends.
        """
        if not self._is_mended:
            return
        began = time.time()
        self._every = SAMPLED if self._backlog() > BEHIND_BYTES else 1
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
        is_new = segment.size() > self._shipped_to.get(segment.name, -1)
        if has_writer and not is_new and not self._has_news:
            return
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
        self._set_aside_to.pop(segment.name, None)
        if self._teller is not None:
            self._teller.forget_segment(segment.name)
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
            self._set_aside(segment, offset, lines)
        ends_at = offset + len(lines)
        known = self._of_known_models(found.predictions)
        self._tell(segment, offset, lines, found)
        sureness = find_unsure(self._service.shelf, self._service.catalogue(), known)
        noticed = self._outlier_finder.look(self._service.catalogue(), known[:: self._every])
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
                asked_sure=sureness.asked,
                unsure=sureness.unsure,
                rejections=found.rejections,
                keys=found.keys,
            )
        )
        self._was_busy = True
        if shipped_to == ends_at:
            self._profiles.add(known, every=self._every)
        return shipped_to

    def _tell(self, segment: Followed, offset: int, lines: bytes, found: events.Events) -> None:
        """Tell who wants to hear of it what a stretch holds that was not told yet."""
        if self._teller is None:
            return
        done = self._teller.told_to(segment.name)
        if done > offset:
            found = events.from_lines(lines[done - offset :])
        self._teller.tell_shipment(segment.name, offset + len(lines), found)

    def _set_aside(self, segment: Followed, offset: int, lines: bytes) -> None:
        """Keep lines that this release cannot read, for the release that can.

        Once, though they are met again: where a shipment is made in parts, or the store was away.
        """
        done = self._set_aside_to.get(segment.name, 0)
        lost = events.from_lines(lines[max(0, done - offset) :]).unreadable
        if not lost:
            return
        path = self._service.journal.folder / "unreadable"
        with path.open("ab") as file:
            file.write(b"".join(line + b"\n" for line in lost))
        self._set_aside_to[segment.name] = offset + len(lines)
        _log.error("Segment %s: %d unreadable lines are in %s.", segment.name, len(lost), path)

    def _count_verdicts(self) -> None:
        """Count when a worker says that there is something, or what was shipped may be judged.

        What a machine that died has left behind is counted now and then.
        """
        rung_at, now = self._service.journal.rung_at(), time.monotonic()
        is_late = now - self._counted_at >= COUNT_SECONDS
        if not (self._must_count or self._was_busy or is_late or rung_at != self._rung_at):
            return
        self._must_count = True
        tell = None if self._teller is None else self._teller.tell_verdicts
        counted = self._service.store.verdicts.count_new(COUNT_AT_ONCE, tell)
        self._must_count = bool(counted) or time.time_ns() - rung_at < A_TICK
        self._has_counted = bool(counted)
        self._was_busy |= self._has_counted
        self._rung_at, self._counted_at = rung_at, now

    def _write_profiles(self) -> None:
        before = self._profiles.waiting
        self._profiles.write_ended(self._service.clock())
        self._was_busy |= self._profiles.waiting < before

    def _tell_others(self) -> None:
        """Let the one that leads look at what came in here."""
        if self._was_busy and not self._leader.leads:
            self._news.tell()

    def _follow_registry(self) -> None:
        """Fill the shelf while a round takes long: a promotion elsewhere waits for no monitor.

        A trouble is said by the round, which fills the shelf too.
        """
        news = News(self._service.store, self._service.settings.store_poll_seconds)
        while not self._stopping.wait(FOLLOW_SECONDS):
            began = self._round_began_at
            if began is not None and time.monotonic() - began > FOLLOW_SECONDS:
                with suppress(UnrotError, OSError):
                    if news.look(told=False):
                        sync(self._service.shelf.folder, self._service.store.registry)

    def _fill_shelf(self) -> None:
        is_mending = self._mends_the_shelf()
        if not self._is_behind and not is_mending:
            return
        folder, registry = self._service.shelf.folder, self._service.store.registry
        sync(folder, registry, thoroughly=self._is_first_round or is_mending)
        self._is_first_round = self._is_behind = False

    def _share_sureness(self) -> None:
        """Tell this machine's workers how sure answers are to be; the one that leads finds out."""
        now = time.monotonic()
        self._must_share |= self._has_news
        if self._must_share and now - self._shared_at >= SHARE_SECONDS:
            tell_workers_of_all(self._service)
            self._must_share, self._shared_at = False, now

    def _mends_the_shelf(self) -> bool:
        """Tell whether it is time to fetch once more what could not be loaded."""
        now = time.monotonic()
        if now - self._mended_at < MEND_SECONDS:
            return False
        self._mended_at = now
        return bool(self._service.catalogue().problems) or is_damaged(self._service.shelf.folder)

    def _of_known_models(self, rows: Rows) -> Rows:
        """Leave out the predictions of models that were removed."""
        there = {shelved.model.key for shelved in self._service.catalogue().models.values()}
        if there >= set(rows.models):
            return rows
        return rows.where([model in there for model in rows.models])

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
        return Heartbeat(time.time(), self._shipped_at, self._backlog(), failing, self._every)

    def _is_written(self) -> bool:
        """Tell whether somebody writes the journal still."""
        return any(segment.has_writer() for segment in follow(self._service.journal.folder))

    def _backlog(self) -> int:
        """Return how many bytes of the journal are not in the store yet."""
        folder = self._service.journal.folder
        there = {segment.name for segment in follow(folder)}
        self._shipped_to = {name: self._shipped_to.get(name, 0) for name in there}
        return max(0, backlog_bytes(folder) - sum(self._shipped_to.values()))

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
        if name != "store" and "store" in self._troubles:
            return True  # It may not have asked the store: nobody knows whether it goes on.
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
