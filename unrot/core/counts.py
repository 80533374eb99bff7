"""Who is told of what a process does, so that it can be counted."""

from __future__ import annotations

from typing import Literal, Protocol

from unrot.core.records import FeedbackStatus


class Counts(Protocol):
    """Told of what this process does, so that it can be counted; quick, and never fails."""

    def predicted(self, model: str, version: str, rows: int) -> None:
        """Count rows that were answered."""
        ...

    def judged(self, model: str, became: FeedbackStatus | Literal["unverified"]) -> None:
        """Count a verdict by what became of it."""
        ...

    def store_failed(self) -> None:
        """Count a question or a change that the store did not take."""
        ...


class NoCounts:
    """For doors where nobody counts."""

    def predicted(self, model: str, version: str, rows: int) -> None:
        """Count nothing."""

    def judged(self, model: str, became: FeedbackStatus | Literal["unverified"]) -> None:
        """Count nothing."""

    def store_failed(self) -> None:
        """Count nothing."""
