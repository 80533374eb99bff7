"""Brings events to the sink, in their order, until it takes them or has refused them too often.

One after the other, in a thread of the caretaker's: what is not taken is tried again after 1, 2,
4 … seconds, up to a minute, and what stands behind waits, so that the events of a model arrive as
they happened. One that was refused as often as the settings say is a dead letter, and the next one
has its turn; the pauses stay long until the sink takes something.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

import orjson

from unrot.core import webhooks
from unrot.core.cloud_events import BATCH, STRUCTURED, binary, read_structured
from unrot.core.errors import Undelivered, UnrotError
from unrot.core.ports import Messenger
from unrot.core.settings import Settings
from unrot.watch.event_spool import Load, Spool

AT_ONCE = 100
"""Events in one request of batch mode."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
LOOK_SECONDS = 1.0

_log = logging.getLogger(__name__)

Request = tuple[dict[str, str], bytes]


class EventSender:
    """The thread."""

    def __init__(self, spool: Spool, messenger: Messenger, settings: Settings) -> None:
        self._spool = spool
        self._messenger = messenger
        self._to = webhooks.read(settings.events_url)
        self._mode = settings.events_mode
        self._tries_allowed = settings.events_tries
        self._tries = self._failures = 0
        """Of what is sent now; and since the sink has taken something."""
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to send."""
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Give what is on its way a moment, so that it need not be sent again."""
        self._stopping.set()
        self._spool.is_rung.set()
        if self._thread is not None:
            self._thread.join(1.0)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                pause = self.send_next()
            except Exception:
                _log.exception("Events could not be sent; it is tried again.")
                pause = LONGEST_PAUSE_SECONDS
            if pause is None:
                self._spool.is_rung.wait(LOOK_SECONDS)
                self._spool.is_rung.clear()
            elif pause:
                self._stopping.wait(pause)

    def send_next(self) -> float | None:
        """Send what is next; return how long to wait then, None while there is nothing."""
        load = self._spool.next(self._at_once)
        if load is None:
            return None
        try:
            headers, body = written(load.lines, self._mode)
            self._messenger.post(self._to, body, headers)
        except (UnrotError, ValueError) as error:
            return self._note_failure(load, error)
        if self._failures:
            _log.warning("%s takes events again.", self._to.shown)
        self._tries = self._failures = 0
        self._spool.note_sent(load)
        return 0.0

    @property
    def _at_once(self) -> int:
        """One alone after a failure: a batch may have been refused for a single event in it."""
        return AT_ONCE if self._mode == "batch" and not self._failures else 1

    def _note_failure(self, load: Load, error: Exception) -> float:
        if not self._failures:
            _log.warning("Events wait: %s", error)
        self._tries, self._failures = self._tries + 1, self._failures + 1
        if self._tries >= self._tries_allowed or not isinstance(error, Undelivered):
            self._spool.bury(load, str(error))
            self._tries = 0
        else:
            self._spool.note_retry(load)
        return pause_after(self._failures)


def pause_after(failures: int) -> float:
    """Return how long to wait after so many failures in a row.

    >>> [pause_after(failures) for failures in (1, 2, 7, 5000)]
    [1.0, 2.0, 60.0, 60.0]
    """
    return min(FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 20), LONGEST_PAUSE_SECONDS)


def written(lines: Sequence[bytes], mode: str) -> Request:
    """Write events, which are structured, as a request of a mode."""
    if mode == "batch":
        return {"Content-Type": BATCH}, b"[" + b",".join(lines) + b"]"
    [line] = lines
    if mode == "binary":
        return binary(read_structured(orjson.loads(line)))
    return {"Content-Type": STRUCTURED}, line
