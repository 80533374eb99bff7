"""Explanations as the API and other people's clients read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from unrot.web import reasons
from unrot.web.api.records import Cell
from unrot.web.shape import Keywords, Shape

if TYPE_CHECKING:
    # No plain prediction loads what explains.
    from unrot.explain.changing import Change
    from unrot.explain.explaining import Contribution, Explanation


class Added(Shape, named=True):
    """What one feature added to an answer."""

    feature: str
    value: Annotated[Cell, "What it was; null where it is private."]
    usual: Annotated[Cell, "The middle, or the commonest, of the training; null where private."]
    amount: Annotated[float, "In the unit of the explanation."]
    error: Annotated[float, "Half the width of the 95 % interval; 0 where it is exact."]
    is_private: bool


class MovedTo(Shape, named=True):
    """One feature, and where it would have to be."""

    feature: str
    before: Cell
    after: Cell


class Changing(Shape, named=True):
    """What would make it another class."""

    class_: str
    moved: list[MovedTo]


class Explained(Shape, named=True):
    """Why an answer was given: `average` and all amounts add up to `score`."""

    version: str
    class_: Annotated[str | None, "The class that is explained; null of a regression."]
    sentence: Annotated[
        str, Keywords(example="Mostly because petal width is 0.2; usually it is 1.3.")
    ]
    method: Literal["weights", "trees", "sampled"]
    unit: Literal["share", "log-odds", "score", "value", "logarithm"]
    average: float
    score: float
    samples: Annotated[int, "How many were drawn; 0 where it is exact."]
    contributions: Annotated[list[Added], "The largest first."]
    change: Annotated[Changing | None, "Null of a regression, and where nothing was found near."]


def written(found: Explanation) -> Explained:
    """Write an explanation."""
    return Explained(
        version=found.version,
        class_=found.label,
        sentence=reasons.sentence(found),
        method=found.method,
        unit=found.unit,
        average=found.average,
        score=found.score,
        samples=found.samples,
        contributions=[_added(one) for one in found.contributions],
        change=None if found.change is None else _changing(found.change),
    )


def _changing(found: Change) -> Changing:
    moved = [
        MovedTo(feature=one.feature.name, before=one.before, after=one.after) for one in found.moved
    ]
    return Changing(class_=found.label, moved=moved)


def _added(one: Contribution) -> Added:
    return Added(
        feature=one.feature.name,
        value=reasons.shown(one, one.value),
        usual=reasons.shown(one, one.usual),
        amount=one.amount,
        error=one.error,
        is_private=one.feature.is_private,
    )
