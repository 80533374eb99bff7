"""The rule that holds an answer, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from unrot.core.plurals import counted
from unrot.core.records import Feature, Schema
from unrot.core.schema import spoken
from unrot.web.wording import called, unbroken, valued

if TYPE_CHECKING:
    # No plain prediction loads what explains.
    from unrot.explain.anchors import Rule
    from unrot.explain.conditions import Condition

HOLDS = unbroken(0.95)
MIXED = (
    "Mixed rows are rows of the training in which each feature that the rule names has a value "
    "that fits it, its own or another row’s."
)


@dataclass(frozen=True, slots=True)
class ToldRule:
    """A rule as a page shows it."""

    sentence: str
    measure: str
    mixed: str = MIXED


def tell_rule(rule: Rule, schema: Schema) -> ToldRule:
    """Write a rule for a page."""
    return ToldRule(rule_sentence(rule, schema), measure(rule))


def rule_sentence(rule: Rule, schema: Schema) -> str:
    """Say what the answer rests on; that no rule is found, and the nearest, is said as plainly."""
    answer, said = f"“{called(rule.label, schema)}”", conditions_said(rule.conditions, schema)
    if rule.holds and not said:
        return f"Whatever a row holds, the answer is {answer} in at least {HOLDS} of all rows."
    if rule.holds:
        return f"If {said}, the answer is {answer} in at least {HOLDS} of rows like these."
    why = "In the time for it no rule"
    if not rule.is_cut:
        why = f"No rule of at most {counted(rule.most_conditions, 'condition')}"
    nearest = f"if {said}" if said else "whatever a row holds"
    return (
        f"{why} was found that surely holds in {HOLDS} of rows. The nearest: {nearest}, the answer "
        f"is {answer} in {unbroken(rule.precision)}."
    )


def measure(rule: Rule) -> str:
    """Say how often the answer stays, how many rows the rule is for, and how sure both are."""
    stays = (
        f"The answer stayed in {unbroken(rule.precision)} of {counted(rule.samples, 'mixed row')}, "
        f"so the share is between {unbroken(rule.precision_from)} and "
        f"{unbroken(rule.precision_to)}."
    )
    if not rule.conditions:
        return f"{stays} That is at least 95 % sure."
    covers = (
        f"The rule is about {unbroken(rule.coverage)} of the training (of all such rows between "
        f"{unbroken(rule.coverage_from)} and {unbroken(rule.coverage_to)})."
    )
    return f"{stays} {covers} Both are at least 95 % sure."


def conditions_said(conditions: Sequence[Condition], schema: Schema) -> str:
    """Write conditions in words, those of one feature together."""
    parts = [
        f"{spoken(schema.features[place])} is "
        f"{' and '.join(_said(one, schema.features[place]) for one in some)}"
        for place, some in groupby(conditions, key=lambda one: one.feature)
    ]
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def _said(condition: Condition, feature: Feature) -> str:
    words = {"above": "above ", "upto": "at most ", "is": ""}
    return f"{words[condition.side]}{valued(condition.value, feature)}"
