"""gunicorn's own lines, written as all others are (see `core.logs`)."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from unrot.core import logs
from unrot.core.settings import load


class PrivateLogger(Logger):  # type: ignore[misc]
    """Writes errors without what they quote, and addresses without their queries."""

    def setup(self, cfg: Any) -> None:
        """Let each handler write as ours does."""
        super().setup(cfg)
        formatter = logs.formatter_of(load().log)
        for log in (self.error_log, self.access_log):
            for handler in log.handlers:
                handler.setFormatter(formatter)
