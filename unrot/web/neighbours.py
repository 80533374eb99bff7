"""The rows of the training that are most like one, in words, and who may see them.

They are rows of people's own data, so the policy says to whom they are shown. What is private in
them is shown to nobody, and has no part in which rows are near.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from unrot.core.errors import NotAllowed
from unrot.core.plurals import counted
from unrot.core.records import Caller, Feature, ModelKey, Row, Schema, Value
from unrot.core.schema import spoken
from unrot.serve.service import Service
from unrot.web import security
from unrot.web.wording import called, number, rough, valued

if TYPE_CHECKING:
    # No plain prediction loads what explains.
    from unrot.explain.neighbours import Neighbour

Audience = Literal["anyone", "viewers", "nobody"]
ANYONE, VIEWERS = "anyone", "viewers"
DISTANCE = (
    "How far a row is, is the mean over the features: of numbers in spreads of the training, of "
    "choices 0 or 1, and 1 where one of the two is missing."
)
FOR_VIEWERS = "Viewers are shown here the rows of the training that are most like this one."


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a row, and whether it is another than here."""

    value: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One feature: its value here, and in each of the rows."""

    name: str
    here: str
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class ToldNeighbours:
    """Rows as a page shows them, side by side."""

    sentence: str
    heads: Sequence[str]
    truths: Sequence[str]
    distances: Sequence[str]
    lines: Sequence[Line]
    distance: str = DISTANCE


def shown_to(of: Service, model: ModelKey) -> Audience:
    """Return to whom rows of the training of a model are shown."""
    return of.store.registry.policy(model).neighbours


def is_among(caller: Caller, audience: Audience) -> bool:
    """Tell whether somebody is one of those."""
    return audience == ANYONE or (audience == VIEWERS and caller.role != ANYONE)


def check_may_see(of: Service, model: ModelKey, caller: Caller) -> None:
    """Return where somebody may see rows of the training; else say who may."""
    audience = shown_to(of, model)
    if audience == VIEWERS:
        security.admit(caller, "viewer")
    elif audience != ANYONE:
        raise NotAllowed("The policy of this model shows the rows of its training to nobody.")


def tell_neighbours(found: Sequence[Neighbour], row: Row, schema: Schema) -> ToldNeighbours:
    """Write rows for a page, beside the one that they are like."""
    lines = [
        Line(
            spoken(feature),
            _written(feature, row[place]),
            [Cell(_written(feature, one.row[place]), one.differs[place]) for one in found],
        )
        for place, feature in enumerate(schema.features)
    ]
    return ToldNeighbours(
        neighbours_sentence(found, schema),
        [f"Row {number}" for number in range(1, len(found) + 1)],
        [called(one.truth, schema) for one in found],
        [rough(one.distance) for one in found],
        lines,
    )


def neighbours_sentence(found: Sequence[Neighbour], schema: Schema) -> str:
    """Say what was true of the rows."""
    if not found:
        return "All features are private, so no row can be told to be like this one."
    rows = f"Of the {counted(len(found), 'row')} of the training that are most like this one"
    if not schema.is_classifier:
        values = [number(one.truth) for one in found]
        listed = f"{', '.join(values[:-1])} and {values[-1]}" if len(values) > 1 else values[0]
        return f"{rows}, {schema.target} was {listed}."
    told = Counter(called(one.truth, schema) for one in found).most_common()
    if len(told) == 1:
        return f"{rows}, all were “{told[0][0]}”."
    parts = [f"{count} {'was' if count == 1 else 'were'} “{name}”" for name, count in told]
    return f"{rows}, {', '.join(parts[:-1])} and {parts[-1]}."


def _written(feature: Feature, value: Value) -> str:
    return "private" if feature.is_private else valued(value, feature)
