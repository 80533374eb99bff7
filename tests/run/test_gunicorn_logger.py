"""What is no request fills no log."""

from __future__ import annotations

import logging

import pytest
from gunicorn.config import Config

from unrot.run import gunicorn_logger
from unrot.run.gunicorn_logger import LONGEST, PrivateLogger


def test_strange_requests_are_said_once_in_a_while_and_in_few_words(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = 100.0
    monkeypatch.setattr(gunicorn_logger.time, "monotonic", lambda: now)
    log = PrivateLogger(Config())
    log.error_log.addHandler(caplog.handler)

    for _ in range(50):
        log.warning("Invalid request from ip=203.0.113.9: " + "A%s" * 8_000)
    log.warning("Worker %d is slow", 7)
    now += 11
    log.warning("Invalid request from ip=203.0.113.9: B")

    told = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    log.error_log.removeHandler(caplog.handler)
    assert len(told) == 3 and len(told[0]) == LONGEST
    assert told[1] == "Worker 7 is slow"
    assert told[2] == "Invalid request from ip=203.0.113.9: B (49 more before it)"
