"""What a check found, as a person would say it."""

from __future__ import annotations

from unrot.core.percent import roughly
from unrot.core.plurals import counted
from unrot.core.records import (
    OUTPUT_CLASS,
    OUTPUT_PROBABILITY,
    Check,
    Drift,
)
from unrot.core.rules import FeatureRule, Rules
from unrot.core.time import DAY, utc
from unrot.watch.profiles.columns import OUTPUTS

MOST_TOLD = 3
LEAST_SHARE = 0.01
ADVICE = (
    "Look at the distributions. If the source of the data is broken, mend it. If the world has "
    "changed, judge some predictions and refit."
)
ANSWERS = {
    OUTPUT_CLASS: "the answered class",
    OUTPUT_PROBABILITY: "the probability of the answers",
}


def sentence_of(check: Check, rules: Rules) -> str:
    """Say what moved in a period, how far, and against what."""
    moved = check.moved
    told = [_one(one, check, rules) for one in moved[:MOST_TOLD]]
    more = len(moved) - MOST_TOLD
    rest = f"; and {counted(more, 'more column')}" if more > 0 else ""
    first, *others = told
    return f"{first.replace(' moved:', f' moved {period_of(check)}:', 1)}{_joined(others)}{rest}."


def period_of(check: Check) -> str:
    """Name the time that a check is of.

    >>> period_of(Check("iris", "v1", 1_767_312_000, 1_767_398_400, "training", 150, 120))
    'on 2026-01-02'
    >>> period_of(Check("iris", "v1", 1_767_312_000, 1_767_312_300, "training", 150, 120))
    'on 2026-01-02 between 00:00 and 00:05 UTC'
    """
    starts = utc(check.starts_at)
    ends = utc(check.ends_at)
    seconds = check.ends_at - check.starts_at
    if seconds == DAY:
        return f"on {starts:%Y-%m-%d}"
    if seconds > DAY:
        return f"between {starts:%Y-%m-%d} and {ends:%Y-%m-%d}"
    form = "%H:%M" if seconds % 60 == 0 and check.starts_at % 60 == 0 else "%H:%M:%S"
    return f"on {starts:%Y-%m-%d} between {starts:{form}} and {ends:{form}} UTC"


def column_name(column: str) -> str:
    """Name a column as a person would."""
    return ANSWERS.get(column, "the answered value" if column in OUTPUTS else column)


def _one(one: Drift, check: Check, rules: Rules) -> str:
    own = rules.features.get(one.column, FeatureRule()).distance
    least = rules.distance if own is None else own
    since = "training" if check.against == "training" else "the period before"
    said = f"{column_name(one.column)} moved: Hellinger {one.distance:.2f} from {since} "
    said += f"(threshold {least:g})"
    if one.unseen >= max(LEAST_SHARE, 2 * one.unseen_expected):
        lie = "lie outside what training saw" if one.test == "ks" else "are new to the model"
        beside = "expected" if check.against == "training" else "before:"
        said += f", {roughly(one.unseen)} of its values {lie} ({beside} "
        said += f"{roughly(one.unseen_expected)})"
    return said


def _joined(told: list[str]) -> str:
    return "".join(f"; {one}" for one in told)
