"""Explanations of one process wait for each other, and not for long."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from unrot.core.errors import TooMany
from unrot.explain import explaining
from unrot.explain.explaining import explain_row, turn
from unrot.serve.service import Service
from unrot.web.api.predictions import IRIS


@contextmanager
def somebody_elses_turn(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let another thread have the turn, and nobody wait long for it."""
    has_it, is_over = threading.Event(), threading.Event()

    def have_it() -> None:
        with turn():
            has_it.set()
            is_over.wait(60)

    other = threading.Thread(target=have_it)
    other.start()
    assert has_it.wait(60)
    monkeypatch.setattr(explaining, "LONGEST_WAIT", 0.01)
    try:
        yield
    finally:
        is_over.set()
        other.join()


def test_who_waits_too_long_for_others_is_told_to_come_back(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = service.catalogue()
    shelved = contents.model("iris")
    asked = (service.shelf, contents, shelved, shelved.version(), [*IRIS.values()])

    with (
        somebody_elses_turn(monkeypatch),
        pytest.raises(TooMany, match="Other answers are being explained"),
    ):
        explain_row(*asked)

    assert explain_row(*asked).contributions
