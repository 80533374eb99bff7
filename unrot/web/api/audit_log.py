"""The REST route of the audit log: who did what, for programs."""

from __future__ import annotations

from typing import Annotated

from unrot.core.records import Action
from unrot.web.api.parameters import Limit
from unrot.web.current import service
from unrot.web.routes import OPERATOR, route
from unrot.web.shape import Expects, From, Keywords, Moment, Shape

MOST_DIGITS = 12


def entry_number(text: str) -> int:
    """Read the number of an entry; ValueError for what can be none."""
    if not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS):
        raise ValueError
    return int(text)


BEFORE = (Keywords(minimum=0), Expects("the number of an entry", entry_number))


class AuditLogQuery(Shape):
    """Which entries to list."""

    limit: Limit = 50
    before: Annotated[int | None, "The `next` of the page before.", *BEFORE] = None


class Entry(Shape):
    """What somebody did."""

    number: int
    at: Moment
    who: Annotated[str, "A person's name, `command line`, or `Unrot itself`."]
    role: str
    what: str
    model: str
    on: Annotated[str, "The version, job, finding or token that it is about."]
    from_: Annotated[str | None, "The version that an alias moved from.", From("moved_from")]
    to: Annotated[str | None, "The version that it moved to.", From("moved_to")]
    where: Annotated[str, "The address that they came from, or the machine that they sat at."]
    digest: Annotated[str, "Of this entry and of the digest before it."]


class AuditLog(Shape, named=True):
    """A page of the audit log."""

    entries: list[Entry]
    next: int | None


@route("GET", "/audit-log", needs=OPERATOR, tag="running", errors=(503,))
def audit_log(query: AuditLogQuery) -> AuditLog:
    """List who did what, newest first."""
    found = service().store.audit_log.newest(query.limit, query.before)
    return AuditLog(entries=[Entry.of(one) for one in found], next=next_of(found, query.limit))


def next_of(found: list[Action], limit: int) -> int | None:
    """Return the number to go on from, if there may be more."""
    return found[-1].number if len(found) == limit and found[-1].number > 1 else None
