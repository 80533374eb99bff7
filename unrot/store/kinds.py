"""Every kind of document that the store keeps, declared once: its fields, and how it is scanned.

A kind is a table in SQL and a kind in Datastore, and its fields are the columns and properties that
people find who look there themselves. A document that lacks a field of an index is not in that
index: so `waits` holds the few verdicts that no window has counted yet, however many there are.

>>> FEEDBACK.indexes["new"]
Index(equal=('waits',), order=('predicted at',))
>>> FEEDBACK.fields["time"]
'moment'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

FORMAT = 2
"""Of all kinds together, and of the batches in them; a store of another one is refused."""


def other_release(number: int) -> str:
    """Say what to do with a store of another format; nothing where it is ours.

    >>> other_release(FORMAT)
    ''
    """
    if number == FORMAT:
        return ""
    made = f"(format {number}, this release knows {FORMAT})"
    if number > FORMAT:
        return f"It was made by a newer release {made}: install that one, or restore a backup."
    return f"It was made before the first release {made}: begin with an empty one."


FieldType = Literal["text", "number", "integer", "flag", "moment", "json", "bytes", "value"]
"""A moment is seconds since 1970, which Datastore shows as a time; json is whatever JSON has; a
value is a text or a number for people to look at, and SQL has it as text."""


@dataclass(frozen=True, slots=True)
class Index:
    """One way to scan a kind: equal on some fields, then in the order of others, then by key."""

    equal: tuple[str, ...] = ()
    order: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """All that a document must have to be found by it."""
        return self.equal + self.order


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of document."""

    name: str
    fields: Mapping[str, FieldType]
    indexes: Mapping[str, Index] = field(default_factory=dict)
    shown: tuple[str, ...] = ()
    """Fields that people filter by in a console: indexed by themselves where that is a choice."""

    def __post_init__(self) -> None:
        """Let every kind be scanned whole: `all`, in the order of its keys, forwards only."""
        object.__setattr__(self, "indexes", {"all": Index(), **self.indexes})


_OF_MODEL = Index(("model",))
_BY_START = Index(("model",), ("starts at",))
_BY_END = Index(("model",), ("ends at",))

# ── models ───────────────────────────────────────────────────────────────────────────────────

FACT = Kind("fact", {"value": "text"})
LEASE = Kind("lease", {"holder": "text", "ends at": "moment", "number": "integer"})
MODEL = Kind("model", {"name": "text", "number": "integer", "body": "json"})
VERSION = Kind(
    "version",
    {"model": "text", "number": "integer", "body": "json"},
    {"of model": Index(("model",), ("number",))},
)
ALIAS_MOVE = Kind(
    "alias-move",
    {"model": "text", "turn": "integer", "body": "json"},
    {"of model": Index(("model",), ("turn",))},
)
BLOB = Kind(
    "blob",
    {"size": "integer", "chunks": "integer", "writing": "text", "written at": "moment"},
    {"oldest": Index((), ("written at",))},
)
CHUNK = Kind("chunk", {"data": "bytes"})

# ── who may, and who did ─────────────────────────────────────────────────────────────────────

ACTION = Kind(
    "action",
    {"number": "integer", "line": "text", "before": "text", "digest": "text", "mark": "text"},
    {"in order": Index((), ("number",))},
)
"""The audit log: what was done as a line of JSON, chained by digests, each with this app's mark;
nothing takes one away."""
TOKEN = Kind(
    "token",
    {
        "role": "text",
        "digest": "text",
        "made at": "moment",
        "made by": "text",
        "expires at": "moment",
        "revoked at": "moment",
        "used at": "moment",
        "mark": "text",
    },
)
"""A person's, under the name: there cannot be two."""
ENDED_SESSION = Kind("ended-session", {"ended at": "moment"}, {"oldest": Index((), ("ended at",))})

# ── traffic ──────────────────────────────────────────────────────────────────────────────────

JOURNAL = Kind("journal", {"shipped to": "integer"})
BATCH = Kind(
    "prediction-batch",
    {
        "model": "text",
        "version": "text",
        "writer": "text",
        "segment": "text",
        "model number": "integer",
        "first row": "integer",
        "last row": "integer",
        "span": "integer",
        "starts at": "moment",
        "ends at": "moment",
        "rows": "integer",
        "columns": "bytes",
    },
    {
        "of model": _BY_START,
        "of segment": Index(("segment", "model number"), ("first row",)),
        "recent": Index(("model", "span"), ("ends at",)),
        "of writer": Index(("writer",), ("ends at",)),
    },
)
UNSURE = Kind(
    "unsure-answers",
    {"model": "text", "starts at": "moment", "ends at": "moment", "rows": "json"},
    {"of model": _BY_END},
)
"""Which rows of a batch were answered with "not sure", by where they stood, under its key."""
FEEDBACK = Kind(
    "prediction-feedback",
    {
        "model": "text",
        "version": "text",
        "input data": "json",
        "prediction": "value",
        "was correct": "flag",
        "label": "value",
        "time": "moment",
        "predicted at": "moment",
        "comment": "text",
        "judge": "text",
        "subject": "text",
        "withdrawn": "flag",
        "reward": "number",
        "signals": "text",
        "implicit": "flag",
        "reasons": "text",
        "asked": "flag",
        "waits": "flag",
        "speaks of": "text",
        "fair of": "text",
        "trusted of": "text",
        "aside of": "text",
        "body": "json",
    },
    {
        "of model": Index(("model",), ("predicted at",)),
        "given": Index(("speaks of",), ("time", "predicted at")),
        "fair": Index(("fair of",), ("time", "predicted at")),
        "of version": Index(("fair of", "version"), ("time", "predicted at")),
        "trusted": Index(("trusted of",), ("predicted at",)),
        "aside": Index(("aside of",), ("time", "predicted at")),
        "new": Index(("waits",), ("predicted at",)),
    },
    shown=("model", "version", "was correct", "time"),
)
SIGNAL_NAMES = Kind("signal-names", {"model": "text", "names": "json"}, {"of model": _OF_MODEL})
"""One a model: what its signals are called, so that there are not too many."""
LATE = Kind("late-feedback", {"model": "text", "mark": "text"}, {"of model": _OF_MODEL})
"""One a model, written with each verdict that stands long after it was given."""
OVERRULED = Kind(
    "overruled-feedback",
    {"model": "text", "time": "moment", "body": "json"},
    {"of model": Index(("model",), ("time",))},
)
UNVERIFIED = Kind(
    "unverified-feedback",
    {"model": "text", "time": "moment", "body": "json"},
    {"of model": Index(("model",), ("time",))},
)
WINDOWS = Kind(
    "windows",
    {
        "model": "text",
        "minutes": "integer",
        "starts at": "moment",
        "version": "text",
        "writer": "text",
        "count": "integer",
        "predictions": "integer",
        "since": "moment",
        "body": "json",
    },
    {
        "of model": _BY_START,
        "of length": Index(("model", "minutes"), ("starts at",)),
        "of all": Index(("minutes",), ("starts at",)),
    },
)
FORGOTTEN = Kind(
    "forgotten",
    {"model": "text", "at": "moment", "waits": "flag", "found": "flag"},
    {
        "of model": _OF_MODEL,
        "noted": Index(("model",), ("at",)),
        "waits": Index(("waits",), ("at",)),
    },
)
"""One for each prediction that was to be forgotten, under its id: nobody can judge it any more."""
CLIENT_KEY = Kind(
    "client-key",
    {"model": "text", "client key": "text", "prediction": "text", "predicted at": "moment"},
    {
        "of model": Index(("model",), ("predicted at",)),
        "of prediction": Index(("prediction",)),
    },
)
"""What a client called a prediction, under model and key: the newest that it called so."""
OUTLIER = Kind(
    "outlier",
    {"model": "text", "predicted at": "moment", "body": "json"},
    {"of model": Index(("model",), ("predicted at",))},
)
PROFILE = Kind(
    "profile",
    {
        "model": "text",
        "version": "text",
        "writer": "text",
        "starts at": "moment",
        "ends at": "moment",
        "rows": "integer",
        "passed over": "integer",
        "reference": "text",
        "data": "text",
        "summary": "json",
    },
    {"of model": _BY_START, "of writer": Index(("writer",), ("starts at",))},
)
PROFILED = Kind("profiled", {"model": "text"}, {"of model": _OF_MODEL})
"""Written with every profile of a model: its revision tells whether they are to be counted anew."""
TIDIED = Kind("tidied", {"model": "text", "body": "json"}, {"of model": _OF_MODEL})

# ── learning ─────────────────────────────────────────────────────────────────────────────────

JOB = Kind(
    "job",
    {"model": "text", "asked at": "moment", "active": "flag", "body": "json"},
    {
        "asked": Index((), ("asked at",)),
        "of model": Index(("model",), ("asked at",)),
        "active": Index(("active",), ("asked at",)),
    },
)
ACTIVE_JOB = Kind("active-job", {"job": "text"})
FATES = Kind("fates", {"model": "text", "blobs": "json"}, {"of model": _OF_MODEL})
SETTLED = Kind(
    "settled",
    {
        "model": "text",
        "version": "text",
        "from version": "text",
        "until": "moment",
        "late": "text",
        "looked at": "moment",
    },
    {"of model": _OF_MODEL},
)
"""One a model: up to when a version and those before it have decided all verdicts."""
GATE = Kind(
    "gate-verdict",
    {"model": "text", "version": "text", "decided at": "moment", "body": "json"},
    {"of model": _OF_MODEL, "of version": Index(("model", "version"), ("decided at",))},
)
AUDIT = Kind(
    "audit",
    {"model": "text", "created at": "moment", "predictions": "json"},
    {"of model": Index(("model",), ("created at",))},
)
SHADOWS = Kind(
    "shadows",
    {"model": "text", "version": "text", "ends at": "moment", "body": "json"},
    {"of model": _BY_END, "of version": Index(("model", "version"), ("ends at",))},
)

# ── watching ─────────────────────────────────────────────────────────────────────────────────

CHECK = Kind(
    "check",
    {
        "model": "text",
        "against": "text",
        "version": "text",
        "starts at": "moment",
        "ends at": "moment",
        "rows": "integer",
        "rows before": "integer",
        "reference": "text",
        "before": "json",
        "drifts": "json",
    },
    {"of model": _BY_END, "against": Index(("model", "against"), ("ends at",))},
)
FINDING = Kind(
    "finding",
    {"model": "text", "cause": "text", "opened at": "moment", "open": "flag", "body": "json"},
    {
        "of model": Index(("model",), ("opened at",)),
        "of cause": Index(("model", "cause"), ("opened at",)),
        "open": Index(("open",), ("opened at",)),
        "open of model": Index(("model", "open"), ("opened at",)),
    },
)
OPEN_CAUSE = Kind("open-cause", {"model": "text", "finding": "text"}, {"of model": _OF_MODEL})
"""One for each open finding, under its model and cause: there cannot be two."""
DELIVERY = Kind("delivery", {"model": "text", "body": "json"}, {"of model": _OF_MODEL})
STANDPOINT = Kind("standpoint", {"model": "text", "note": "json"}, {"of model": _OF_MODEL})

KINDS: tuple[Kind, ...] = tuple(
    found for found in list(globals().values()) if isinstance(found, Kind)
)
OF_MODELS: tuple[Kind, ...] = tuple(kind for kind in KINDS if "of model" in kind.indexes)
"""Those whose documents go when their model is removed."""
