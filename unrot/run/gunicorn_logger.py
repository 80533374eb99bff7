"""gunicorn's own lines, written as all others are (see `core.logs`).

What is no request at all is said once in a while, not each time, and in a few words: anyone can
send ten thousand of them a second, each with a text of his own.
"""

from __future__ import annotations

import time
from typing import Any

from gunicorn.glogging import Logger

from unrot.core import logs
from unrot.core.settings import load

STRANGE = "Invalid request"
EVERY_SECONDS, LONGEST = 10.0, 200


class PrivateLogger(Logger):  # type: ignore[misc]
    """Writes errors without what they quote, and addresses without their queries."""

    _silent_until, _unsaid = 0.0, 0

    def setup(self, cfg: Any) -> None:
        """Let each handler write as ours does."""
        super().setup(cfg)
        formatter = logs.formatter_of(load().log)
        for log in (self.error_log, self.access_log):
            for handler in log.handlers:
                handler.setFormatter(formatter)

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Write a warning; of strange requests one in a while."""
        if not msg.startswith(STRANGE):
            super().warning(msg, *args, **kwargs)
        elif time.monotonic() < self._silent_until:
            self._unsaid += 1
        else:
            more = f" ({self._unsaid:,} more before it)" if self._unsaid else ""
            super().warning("%s", msg[:LONGEST] + more)
            self._silent_until, self._unsaid = time.monotonic() + EVERY_SECONDS, 0
