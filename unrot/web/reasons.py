"""Why an answer was given, in sentences, and what of it may be shown to whom.

What a private feature added is told to whoever asks; what it was, and what it usually is, is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unrot.core.percent import roughly
from unrot.core.plurals import counted
from unrot.core.records import Schema, Value
from unrot.core.schema import spoken
from unrot.web.current import service
from unrot.web.wording import called, rough, valued

if TYPE_CHECKING:
    # No plain prediction loads what explains.
    from unrot.explain.changing import Change
    from unrot.explain.explaining import Contribution, Explanation
    from unrot.explain.what_if import WhatIf

MOST_NAMED = 2
_METHODS = {
    "weights": "Exact: the model weighs its features and adds them up.",
    "trees": "Exact: where a feature is not known, trees are followed both ways, as often as the "
    "training took each.",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """What one feature added, as it is shown."""

    name: str
    value: str
    usual: str
    added: str
    error: str
    share: float
    """Of the largest, 0 to 1."""
    is_for: bool
    """Whether it raised what is explained."""


@dataclass(frozen=True, slots=True)
class Why:
    """An explanation as a page shows it."""

    sentence: str
    measure: str
    method: str
    is_sampled: bool
    reasons: Sequence[Reason]
    change: str = ""
    token: str = ""
    """What a verdict takes along, so that its reasons are kept with it."""


def why(explanation: Explanation, schema: Schema, id: str | None) -> Why:
    """Write an explanation for a page; `id` is of the prediction that it is of."""
    most = max((abs(one.amount) for one in explanation.contributions), default=0.0)
    return Why(
        sentence(explanation),
        measure(explanation, schema),
        method(explanation),
        explanation.method == "sampled",
        [_reason(one, explanation, most) for one in explanation.contributions],
        change(explanation, schema),
        token_of(explanation, schema, id),
    )


def token_of(explanation: Explanation, schema: Schema, id: str | None) -> str:
    """Return by which a verdict tells that an explanation was seen; nothing without reasons."""
    if id is None or not explanation.reasons:
        return ""
    places = [schema.names.index(feature.name) for feature in explanation.reasons]
    return service().ids.vouch(id, places)


def sentence(explanation: Explanation) -> str:
    """Name what drew the answer to where it is: a class may be answered less surely than usual."""
    telling = explanation.telling[:MOST_NAMED]
    if not telling:
        return "No feature draws this answer away from what is usual."
    said = " and ".join(_said(one) for one in telling)
    because = "because of" if telling[0].feature.is_private else "because"
    is_less = explanation.label is not None and explanation.score < explanation.average
    mostly = "Less likely than usual, mostly" if is_less else "Mostly"
    return f"{mostly} {because} {said}{_usually(telling)}."


def _usually(telling: Sequence[Contribution]) -> str:
    """Say what is usual, of those that are otherwise here."""
    other = [one for one in telling if not one.feature.is_private and _value(one) != _usual(one)]
    if len(other) < len(telling):
        said = " and ".join(f"{spoken(one.feature)} is {_usual(one)}" for one in other)
        return f"; usually {said}" if other else ""
    they = "it is" if len(other) == 1 else "they are"
    return f"; usually {they} {' and '.join(map(_usual, other))}"


def change(explanation: Explanation, schema: Schema) -> str:
    """Say what would make it another class; nothing of a regression."""
    if explanation.label is None:
        return ""
    if explanation.change is None:
        return "No other answer was found by changing up to three values."
    label = called(explanation.change.label, schema)
    return f"If {_moved(explanation.change)}, the answer would be “{label}”."


def wanted(found: WhatIf, schema: Schema) -> str:
    """Say what makes the answer the number that is wanted."""
    want, change = found.wanted or 0.0, found.change
    if change is None:
        return f"Changing up to three values, no way was found to {rough(want)}."
    if not change.moved:
        return f"The answer is {rough(want)} already."
    said = f"If {_moved(change)}, {schema.target} would be {rough(change.value or 0.0)}"
    return f"{said}; {rough(want)} is wanted."


def imagined(found: WhatIf, schema: Schema) -> str:
    """Write an answer of which nothing is kept, in a few words."""
    if found.label is None:
        return rough(found.value or 0.0)
    said = called(found.label, schema)
    if found.probabilities is None:
        return said
    return f"{said}, {_chance(found.probabilities[schema.classes.index(found.label)])}"


def _moved(change: Change) -> str:
    return " and ".join(
        f"{spoken(one.feature)} were {valued(one.after, one.feature)} instead of "
        f"{valued(one.before, one.feature)}"
        for one in change.moved
    )


def measure(explanation: Explanation, schema: Schema) -> str:
    """Say in which unit the parts are, and what they add up to."""
    average, score = explanation.average, explanation.score
    answer = called(explanation.label, schema) if explanation.label is not None else schema.target
    adds = "the parts add up to the difference."
    if explanation.unit == "share":
        before, now = _chance(average), _chance(score)
        return f"“{answer}” usually has a chance of {before}, here {now}: {adds}"
    if explanation.unit == "value":
        return f"The answer usually is {rough(average)}, here {rough(score)}: {adds}"
    unit = {
        "log-odds": f"log-odds, the model’s own unit (of “{answer}”)",
        "score": f"the model’s own score of “{answer}”",
        "logarithm": f"the logarithm of {answer}",
    }[explanation.unit]
    return f"In {unit}: usually {rough(average)}, here {rough(score)}; {adds}"


def method(explanation: Explanation) -> str:
    """Say how it was found, and how far it may be off."""
    if explanation.method != "sampled":
        return _METHODS[explanation.method]
    times = counted(explanation.samples, "time")
    return (
        f"Sampled {times}: a part is off by more than the number behind its ± in about 5 of 100 "
        "cases."
    )


def shown(one: Contribution, value: Value) -> Value:
    """Return a value, unless its feature is private."""
    return None if one.feature.is_private else value


def _chance(share: float) -> str:
    return roughly(min(max(share, 0.0), 1.0)).replace(" ", "\N{NO-BREAK SPACE}")


def _said(one: Contribution) -> str:
    name = spoken(one.feature)
    return name if one.feature.is_private else f"{name} is {_value(one)}"


def _value(one: Contribution) -> str:
    return valued(one.value, one.feature)


def _usual(one: Contribution) -> str:
    return valued(one.usual, one.feature)


def _reason(one: Contribution, explanation: Explanation, most: float) -> Reason:
    is_private = one.feature.is_private
    return Reason(
        name=spoken(one.feature),
        value="private" if is_private else _value(one),
        usual="private" if is_private else _usual(one),
        added=_signed(one.amount, explanation),
        error=_amount(one.error, explanation),
        share=abs(one.amount) / most if most else 0.0,
        is_for=one.amount >= 0,
    )


def _signed(amount: float, explanation: Explanation) -> str:
    written = _amount(abs(amount), explanation)
    return f"{'−' if amount < 0 else '+'}{written}"


def _amount(amount: float, explanation: Explanation) -> str:
    """Write an amount; of a chance in points of percent."""
    is_chance = explanation.unit == "share"
    return f"{rough(100 * amount)}\N{NO-BREAK SPACE}points" if is_chance else rough(amount)
