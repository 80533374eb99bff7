"""The address of the page that is shown: links and forms change one thing and keep the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import request, url_for

TIMES = ("range", "from", "to")
"""The time that is shown: all pages of a model read it alike, and hand it on."""


@dataclass(frozen=True, slots=True)
class Address:
    """A path, and what of the query is kept."""

    path: str
    kept: tuple[tuple[str, str], ...]

    def __call__(self, **changed: Any) -> str:
        """Return the address with something changed; None, or nothing, takes a word away."""
        said = [(name, value) for name, value in changed.items() if value not in (None, "")]
        query = urlencode([*self.hidden(*changed), *said])
        return f"{self.path}?{query}" if query else self.path

    def hidden(self, *without: str) -> list[tuple[str, str]]:
        """Return what a form has to send along, but for what it asks for itself."""
        return [(name, value) for name, value in self.kept if name not in without]


def address_of(endpoint: str, keeps: Callable[[str], bool]) -> Address:
    """Return the address of a page of the model that is shown, with what it keeps of the query."""
    given = request.args.items(multi=True)
    kept = tuple((name, value) for name, value in given if value and keeps(name))
    return Address(url_for(endpoint, **(request.view_args or {})), kept)


def time_kept() -> dict[str, str]:
    """Return the time that the address says, for links to other pages of the model."""
    return {name: request.args[name] for name in TIMES if request.args.get(name)}
