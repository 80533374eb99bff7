"""Explanations as the API and other people's clients read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from unrot.core.errors import wrong_field
from unrot.core.records import Schema
from unrot.web import reasons
from unrot.web.api.records import Cell
from unrot.web.rule import rule_sentence
from unrot.web.shape import UNSET, Keywords, Shape, Unset

if TYPE_CHECKING:
    # No plain prediction loads what explains.
    from unrot.explain.anchors import Rule
    from unrot.explain.changing import Change
    from unrot.explain.explaining import Contribution, Explanation
    from unrot.explain.neighbours import Neighbour

Part = Literal["1", "rule", "neighbours"]
PARTS: tuple[Part, ...] = ("1", "rule", "neighbours")
EXPLAIN = (
    "What is told: `1` the reasons; `rule` and `neighbours` beside them, with a comma between."
)


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
    """What would make it another class, or the number that is wanted."""

    class_: Annotated[str | None, "Null of a regression."]
    value: Annotated[float | None, "What would be answered; null of a classifier."]
    moved: list[MovedTo]


class RuleCondition(Shape, named=True):
    """What must be true of one feature."""

    feature: str
    is_: Literal["above", "at most", "equal"]
    value: Annotated[Cell, "Null where it is equal to nothing: the value is missing."]


class AnswerRule(Shape, named=True):
    """Conditions under which the answer stays, or the nearest to such."""

    sentence: str
    holds: Annotated[bool, "Whether the answer surely stays in 95 % of rows."]
    conditions: Annotated[list[RuleCondition], "All of them together; none stand for any row."]
    precision: Annotated[float, "The share of mixed rows in which the answer stayed."]
    precision_from: Annotated[float, "So low it may be, at 95 % for all that was tried."]
    precision_to: float
    coverage: Annotated[float, "The share of the rows of the training that it is true of."]
    coverage_from: float
    coverage_to: float
    samples: Annotated[int, "The mixed rows, which the search had not seen."]
    is_cut: Annotated[bool, "The time was over before all was tried."]


class LikeRow(Shape, named=True):
    """A row of the training."""

    inputs: Annotated[dict[str, Cell], "Private features are left out."]
    truth: Annotated[str | float, "What was true of it."]
    distance: Annotated[float, "The mean over the features, in spreads of the training."]
    differs: Annotated[list[str], "The features that have another value."]


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
    explanation_token: Annotated[
        str | Unset,
        "Send it with the verdict of who has seen this: its three strongest reasons are kept.",
    ] = UNSET
    rule: Annotated[AnswerRule | Unset, "Where it was asked for."] = UNSET
    neighbours: Annotated[
        list[LikeRow] | Unset, "The three rows of the training that are most like it, if asked for."
    ] = UNSET


def parts_of(text: str) -> frozenset[Part]:
    """Read which parts of an explanation are asked for."""
    asked = {one.strip() for one in text.split(",")} if text else set()
    if not asked <= {*PARTS}:
        raise wrong_field("explain", text[:80], "1, rule or neighbours, with commas between")
    return frozenset(part for part in PARTS if part in asked)


def written_rule(found: Rule, schema: Schema) -> AnswerRule:
    """Write a rule."""
    words: dict[str, Literal["above", "at most", "equal"]]
    words = {"above": "above", "upto": "at most", "is": "equal"}
    conditions = [
        RuleCondition(
            feature=schema.features[one.feature].name, is_=words[one.side], value=one.value
        )
        for one in found.conditions
    ]
    sentence = rule_sentence(found, schema)
    return AnswerRule.of(found, sentence=sentence, conditions=conditions)


def written_neighbours(found: Sequence[Neighbour], schema: Schema) -> list[LikeRow]:
    """Write rows of the training, without what is private."""
    return [_like(one, schema) for one in found]


def _like(one: Neighbour, schema: Schema) -> LikeRow:
    pairs = list(zip(schema.features, one.row, one.differs, strict=True))
    return LikeRow(
        inputs={feature.name: value for feature, value, _ in pairs if not feature.is_private},
        truth=one.truth,
        distance=one.distance,
        differs=[feature.name for feature, _, differs in pairs if differs],
    )


def written(found: Explanation, schema: Schema, id: str | None = None) -> Explained:
    """Write an explanation; `id` is of the prediction that it is of, where it is kept."""
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
        change=None if found.change is None else changing(found.change),
        explanation_token=reasons.token_of(found, schema, id) or UNSET,
    )


def changing(found: Change) -> Changing:
    """Write what would change an answer."""
    moved = [
        MovedTo(feature=one.feature.name, before=one.before, after=one.after) for one in found.moved
    ]
    return Changing(class_=found.label, value=found.value, moved=moved)


def _added(one: Contribution) -> Added:
    return Added(
        feature=one.feature.name,
        value=reasons.shown(one, one.value),
        usual=reasons.shown(one, one.usual),
        amount=one.amount,
        error=one.error,
        is_private=one.feature.is_private,
    )
