"""The caretaker beside gunicorn's web workers, as an app of its dirty arbiter.

The arbiter starts it with the web workers, starts it again when it dies, and stops it with
them. It takes no calls: its own thread does the work.

gunicorn's master reads this file before it forks. Everything else of ours is imported in `init`:
the arbiter forgets it at a reload, so that the next caretaker takes new code.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time

from gunicorn.dirty.app import DirtyApp

STOP_SECONDS = 16.0
DRAIN_SECONDS = 15.0
"""So long web workers may take to answer what they have begun."""
CALM_SECONDS = 1.0

_log = logging.getLogger(__name__)


class CaretakerApp(DirtyApp):  # type: ignore[misc]
    """Runs the caretaker in a thread of the process that the arbiter keeps alive."""

    workers = 1

    def init(self) -> None:
        """Start the thread."""
        # See above.
        from unrot.core.settings import load
        from unrot.run.bootstrap import open_service, writer_name
        from unrot.run.caretaker import Caretaker
        from unrot.run.parent import stop_with_parent
        from unrot.run.priority import give_way

        give_way()
        settings = load()
        self._caretaker = Caretaker(open_service(settings), writer_name(settings))
        self._parent = os.getppid()
        self._drain_seconds = DRAIN_SECONDS
        signal.signal(signal.SIGHUP, self._hand_over)
        stop_with_parent(self._caretaker.stop)
        self._thread = threading.Thread(target=self._run, name="caretaker", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ship what is left, and what workers write until they end; then end."""
        self._caretaker.stop(seconds=self._drain_seconds)
        self._thread.join(STOP_SECONDS)

    def _hand_over(self, *_: object) -> None:
        """At a reload wait for no worker: what they write is shipped by the next caretaker."""
        self._drain_seconds = 0.0
        os.kill(os.getpid(), signal.SIGTERM)

    def _run(self) -> None:
        try:
            self._caretaker.run()
            if os.getppid() != self._parent:
                _log.warning("The arbiter is gone; its caretaker ends with it.")
                os._exit(0)
        except BaseException:
            _log.exception("The caretaker died; a fresh one is started.")
            time.sleep(CALM_SECONDS)
            os._exit(1)
