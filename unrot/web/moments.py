"""Moments in the query of a request: ISO 8601, or seconds since 1970; without a zone it is UTC."""

from __future__ import annotations

from flask import request

from unrot.core.errors import wrong_field
from unrot.core.time import read_time

EXPECTED = "a time such as 2026-01-02, 2026-01-02T09:00:00Z or 1767312000"
LATEST = 4_102_444_800.0
"""The year 2100: what is larger is not meant as seconds."""


def moment(name: str, usual: float) -> float:
    """Read a moment, the usual one when it is not given."""
    given = request.args.get(name, "").strip()
    return usual if not given else _read(name, given)


def stretch(first: str, last: str, *, usual: tuple[float, float]) -> tuple[float, float]:
    """Read a stretch of time; its end must come after its start."""
    since, until = moment(first, usual[0]), moment(last, usual[1])
    if since >= until:
        raise wrong_field(last, request.args.get(last, "now"), f"a time after {first}")
    return since, until


def has_any(*names: str) -> bool:
    """Tell whether any of these is given."""
    return any(request.args.get(name, "").strip() for name in names)


def demand(*names: str) -> None:
    """Raise Invalid for the first of these that is not given."""
    for name in names:
        if not has_any(name):
            raise wrong_field(name, None, EXPECTED, is_missing=True)


def _read(name: str, given: str) -> float:
    try:
        seconds = float(given)
    except ValueError:
        return _read_iso(name, given)
    if not 0 <= seconds <= LATEST:
        raise wrong_field(name, given, EXPECTED)
    return seconds


def _read_iso(name: str, given: str) -> float:
    # A plus in an address is a blank, and a zone such as +01:00 is written with one.
    text = given.replace(" ", "+") if given.count(" ") == 1 and "T" in given else given
    try:
        seconds = read_time(text)
    except ValueError:
        raise wrong_field(name, given, EXPECTED) from None
    if not 0 <= seconds <= LATEST:
        raise wrong_field(name, given, EXPECTED)
    return seconds
