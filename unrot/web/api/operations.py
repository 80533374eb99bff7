"""The REST route of operations: what the page shows, for programs."""

from __future__ import annotations

from typing import Annotated

from unrot.run import operations as running
from unrot.web.api.records import Component
from unrot.web.current import service
from unrot.web.routes import VIEWER, route
from unrot.web.shape import From, Second, Shape


class Level(Shape):
    """Totals or profiles of one length."""

    seconds: int
    rows: int
    predictions: int
    since: Second


class Answered(Shape):
    """How many predictions were answered, and how many of them are kept."""

    answered: int
    kept: int
    since: Annotated[Second | None, From("kept_since")]


class VersionsKept(Shape):
    """How many versions there are, and of how many the files were removed."""

    all: Annotated[int, From("versions")]
    pruned: int


class Tidied(Shape):
    """What was removed so far."""

    what: str
    dropped: int
    at: Second
    kept_since: Second | None


class Working(Shape):
    """The job that runs or waits."""

    id: str
    kind: str


class OfModel(Shape):
    """What is kept of a model, and what was removed of it."""

    model: Annotated[str, From("name")]
    predictions: Annotated[Answered, From("stock")]
    windows: Annotated[list[Level], From("stock.windows")]
    profiles: Annotated[list[Level], From("stock.profiles")]
    versions: Annotated[VersionsKept, From("stock")]
    tidied: list[Tidied]
    job: Working | None


class Journal(Shape):
    """The journal of this machine."""

    bytes: int
    limit: int
    dropped: int


class Caretaker(Shape):
    """What the caretaker said last."""

    heard_at: Annotated[Second, From("at")]
    shipped_at: Annotated[Second | None, "When all that stood in the journal was in the store."]
    backlog_bytes: int | None
    failing: list[str]


class Events(Shape):
    """What this machine has sent as CloudEvents."""

    to: str
    sent: int
    retried: int
    dead: Annotated[int, "How many were given up: they are among the dead letters."]
    backlog_bytes: int
    limit: int


class Store(Shape):
    """The store, as far as it answers."""

    kind: str
    bytes: Annotated[int | None, "Null where the database does not tell."]


class Refused(Shape):
    """A visitor who asked for too much, by a hash of the address."""

    limit: str
    subject: str
    times: int
    until: Second


class Operations(Shape, named=True):
    """All of it, at one moment."""

    at: Second
    components: dict[str, Component]
    journal: Journal
    caretaker: Caretaker | None
    events: Annotated[Events | None, "Null where no events are sent."]
    store: Annotated[Store | None, "Null while it does not answer; then no model is listed."]
    models: list[OfModel]
    settings: dict[str, int]
    refused: Annotated[list[Refused], "Who asked for more than one visitor may."]


@route("GET", "/operations", needs=VIEWER, tag="running")
def operations() -> Operations:
    """Say how each part is, what is kept of each model and what was removed."""
    found = running.look(service())
    kept = found.store.models if found.store else ()
    return Operations.of(
        found,
        models=[OfModel.of(one) for one in kept],
        settings={one.variable: one.value for one in found.settings},
    )
