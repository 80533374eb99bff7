"""Moments in the query of a request: ISO 8601, or seconds since 1970; without a zone it is UTC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from flask import request

from unrot.core.errors import wrong_field
from unrot.core.time import MOMENT_EXPECTED, read_moment
from unrot.web.shape import Expects, Keywords


def read(given: str) -> float:
    """Read a moment of a query, in which a plus is a blank: a zone such as +01:00 has one."""
    has_zone = given.count(" ") == 1 and "T" in given
    return read_moment(given.replace(" ", "+") if has_zone else given)


Given = Annotated[
    float | None, Keywords(type="string"), Expects(MOMENT_EXPECTED, read, skips_blank=True)
]
"""A moment of a query; None when it is not there."""


def moment(name: str, usual: float) -> float:
    """Read a moment, the usual one when it is not given."""
    given = request.args.get(name, "").strip()
    return usual if not given else _named(name, given)


def stretch(first: str, last: str, *, usual: tuple[float, float]) -> tuple[float, float]:
    """Read a stretch of time; its end must come after its start."""
    since, until = moment(first, usual[0]), moment(last, usual[1])
    check_order(since, until, first, last)
    return since, until


def between(
    since: float | None, until: float | None, *, usual: tuple[float, float]
) -> tuple[float, float]:
    """Return the stretch between `from` and `to` of a query, each the usual one if not given."""
    first, last = usual[0] if since is None else since, usual[1] if until is None else until
    check_order(first, last)
    return first, last


def check_order(since: float, until: float, first: str = "from", last: str = "to") -> None:
    """Raise Invalid when a stretch of time ends before it starts."""
    if since >= until:
        raise wrong_field(last, request.args.get(last, "now"), f"a time after {first}")


def has_any(*names: str) -> bool:
    """Tell whether any of these is given."""
    return any(request.args.get(name, "").strip() for name in names)


def demand(given: Mapping[str, float | None]) -> dict[str, float]:
    """Return moments that must all be given; raise Invalid for the first that is not."""
    for name, seconds in given.items():
        if seconds is None:
            raise wrong_field(name, None, MOMENT_EXPECTED, is_missing=True)
    return {name: seconds for name, seconds in given.items() if seconds is not None}


def _named(name: str, given: str) -> float:
    try:
        return read(given)
    except ValueError:
        raise wrong_field(name, given, MOMENT_EXPECTED) from None
