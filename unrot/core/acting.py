"""Who acts, said once at the door that they came in by, for whoever keeps the audit log.

A door knows the caller and what was asked for; the change that follows is committed many calls
deeper. So the door says it here, for as long as it is at work, and the store asks: the first
change that is kept meanwhile becomes an entry of the audit log (`run/audit_log.py`).

>>> with acting(Act("ada", "judge", "judge")):
...     with acting(Act("ada", "judge", "what a use case calls it")):
...         print(at_work().act.what)
judge
>>> at_work()
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from unrot.core.records import Caller

LONGEST = 120
"""Characters of one thing that an act names."""


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody has begun."""

    who: str
    role: str
    what: str
    model: str = ""
    on: str = ""
    """The version, job, finding or token that it is about."""
    where: str = ""
    """The address that they came from, or the machine that they sit at."""


@dataclass(slots=True)
class Doing:
    """An act that is going on, and whether it stands in the audit log already."""

    act: Act | None
    is_told: bool = False


_AT_WORK: ContextVar[Doing | None] = ContextVar("at work", default=None)


def at_work() -> Doing | None:
    """Return what is going on in this thread."""
    return _AT_WORK.get()


@contextmanager
def acting(act: Act | None) -> Iterator[None]:
    """Let what is changed meanwhile be somebody's act; of an act within an act the outer counts."""
    with going_on(Doing(act)):
        yield


@contextmanager
def going_on(doing: Doing) -> Iterator[None]:
    """Go on with an act that is done in several parts: it is one entry all the same."""
    if doing.act is None or _AT_WORK.get() is not None:
        yield
        return
    token = _AT_WORK.set(doing)
    try:
        yield
    finally:
        _AT_WORK.reset(token)


def act_of(caller: Caller, what: str, *, model: str = "", on: str = "") -> Act | None:
    """Return what a caller has begun; nothing of somebody who holds no token."""
    if caller.role == "anyone":
        return None
    return Act(caller.called, caller.role, what, model[:LONGEST], on[:LONGEST], caller.address)


def from_terminal(what: str, model: str = "", on: str = "") -> Act:
    """Return what somebody has begun at a terminal of this machine."""
    where = socket.gethostname()
    return Act("command line", "operator", what, model[:LONGEST], on[:LONGEST], where)


def by_itself(what: str) -> Act:
    """Return what nobody asked for at this moment: a policy, or a job that was asked for before."""
    return Act("Unrot itself", "policy", what, where=socket.gethostname())
