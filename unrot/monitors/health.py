"""Whether a model is well, in one sentence, and why: what its page says before any chart.

The gravest open finding comes first. Without one the verdicts speak, then what its own confidence
makes one expect; a model that nobody asks or judges is neither well nor ill, and is not called so.

    >>> health(Signs("Zombies", predictions=900, right=47, judged=50, expected=0.93)).headline
    'Zombies is well.'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from unrot.monitors.accuracy import Share, share
from unrot.symptoms import Finding, FindingKind

KINDS: dict[FindingKind, str] = {
    "drift": "data drift",
    "rot": "rot",
    "outliers": "outliers",
    "quality": "data quality",
    "estimate": "estimated accuracy",
    "slice": "a part of the traffic",
    "operations": "operations",
}
"""What people call kinds of findings."""
State = Literal["well", "look", "ill", "unknown"]
FEWEST_VERDICTS = 10
"""Verdicts below which nothing is said of how right a model is."""
SLACK = 0.02
"""So much below what was measured at its making is no news."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of a model now."""

    name: str
    period: str = "the last 24 hours"
    has_champion: bool = True
    is_store_away: bool = False
    predictions: int = 0
    """In the period."""
    last_predicted: str = ""
    """When it was asked last, if that is known and not in the period."""
    right: int = 0
    judged: int = 0
    """Of its last verdicts."""
    constant: float | None = None
    """What a constant guess would have reached on them."""
    expected: float | None = None
    """What its champion reached on rows that it had not learnt from."""
    expected_rows: int = 0
    """On how many; 0 where that is not known."""
    estimated: float | None = None
    """What its confidence in the period makes one expect."""
    error: float | None = None
    """For numbers: the mean distance of its last answers from the truth."""
    expected_error: float | None = None
    findings: Sequence[Finding] = ()
    """The open ones, the gravest first."""

    @property
    def accuracy(self) -> Share:
        """How right its last verdicts say that it is."""
        return share(self.right, self.judged)

    @property
    def is_judged(self) -> bool:
        """True when there are verdicts enough to say something."""
        return self.judged >= FEWEST_VERDICTS


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a model is well."""

    state: State
    headline: str
    reasons: tuple[str, ...]


def health(signs: Signs) -> Health:
    """Say whether a model is well, and why."""
    if signs.is_store_away:
        return Health(
            "unknown",
            f"Nobody can say how {signs.name} is: the store does not answer.",
            ("Predictions are answered all the same. This page fills by itself when it is back.",),
        )
    if not signs.has_champion:
        return Health(
            "ill",
            f"{signs.name} cannot be asked: it has no champion.",
            ("Promote one of its versions.",),
        )
    if signs.findings:
        return _found(signs)
    if signs.predictions == 0 and not signs.is_judged:
        return _unasked(signs)
    return _without_findings(signs)


def _found(signs: Signs) -> Health:
    worst, *others = sorted(
        signs.findings, key=lambda one: (_RANK[one.gravity], _ORDER.index(one.kind))
    )
    kinds = {one.kind for one in signs.findings}
    headline = _HEADLINES[worst.kind].format(name=signs.name)
    if kinds == {"drift"}:
        headline += " " + _beside_drift(signs)
    also = ", ".join(dict.fromkeys(KINDS[one.kind] for one in others))
    more = [f"Also found: {also}."] if also else []
    state: State = "ill" if worst.gravity == "grave" else "look"
    return Health(state, headline, (worst.sentence, *more, *_accuracy(signs), *_traffic(signs)))


def _beside_drift(signs: Signs) -> str:
    if not signs.is_judged:
        return "Nobody can say yet whether its answers suffer: there are too few verdicts."
    if _is_worse(signs):
        return "Its answers are less right than they were."
    return "Its answers are as right as before."


def _unasked(signs: Signs) -> Health:
    if signs.last_predicted:
        said = f"Nobody has asked {signs.name} in {signs.period}."
        return Health("unknown", said, (f"The last prediction was made {signs.last_predicted}.",))
    return Health(
        "unknown",
        f"Nobody has asked {signs.name} yet.",
        ("Make a prediction on its page or over the API: it shows up here within seconds.",),
    )


def _without_findings(signs: Signs) -> Health:
    reasons = (*_accuracy(signs), *_estimate(signs), *_traffic(signs))
    if signs.expected_error is not None or signs.error is not None:
        return _of_numbers(signs)
    if not signs.is_judged:
        told = "Too few people have" if signs.judged else "Nobody has"
        headline = f"{told} said whether {signs.name} is right; nothing else looks wrong."
        return Health("unknown", headline, reasons)
    if _is_no_better_than_guessing(signs):
        headline = f"{signs.name} is right no more often than a constant guess."
        return Health("look", headline, reasons)
    if _is_worse(signs):
        headline = f"{signs.name} seems less right than it was; it may be chance."
        return Health("look", headline, reasons)
    return Health("well", f"{signs.name} is well.", reasons)


def _of_numbers(signs: Signs) -> Health:
    reasons = (*_error(signs), *_traffic(signs))
    if not signs.is_judged or signs.error is None:
        told = "Too few people have" if signs.judged else "Nobody has"
        headline = f"{told} said what {signs.name} should have answered; nothing else looks wrong."
        return Health("unknown", headline, reasons)
    if signs.expected_error is not None and signs.error > 1.5 * signs.expected_error:
        return Health("look", f"{signs.name} is further off than it was.", reasons)
    return Health("well", f"{signs.name} is well.", reasons)


def _is_worse(signs: Signs) -> bool:
    """Tell whether even the upper bound of its accuracy is below what was measured.

    What was measured on few rows is taken at its lower bound: 100 % of 60 is no promise.
    """
    if signs.expected is None:
        return False
    rows = signs.expected_rows
    measured = share(round(signs.expected * rows), rows).low if rows else signs.expected
    return signs.accuracy.high < measured - SLACK


def _is_no_better_than_guessing(signs: Signs) -> bool:
    value = signs.accuracy.value
    return value is not None and signs.constant is not None and value <= signs.constant < 1


def _accuracy(signs: Signs) -> list[str]:
    found = signs.accuracy
    if found.value is None:
        return []
    said = f"{_percent(found.value)} of its last {signs.judged:,} verdicts are right"
    if not signs.is_judged:
        return [f"{signs.right:,} of {signs.judged:,} verdicts so far are right."]
    beside = f"; {_percent(signs.expected)} when it was made" if signs.expected is not None else ""
    return [f"{said}{beside}."]


def _error(signs: Signs) -> list[str]:
    if signs.error is None:
        return []
    beside = f"; by {signs.expected_error:.3g} when it was made" if signs.expected_error else ""
    return [f"Its last answers were off by {signs.error:.3g} on average{beside}."]


def _estimate(signs: Signs) -> list[str]:
    if signs.estimated is None:
        return []
    return [f"By its own confidence it is right {_percent(signs.estimated)} of the time."]


def _traffic(signs: Signs) -> list[str]:
    if not signs.predictions:
        return [f"Nobody has asked it in {signs.period}."]
    what = "prediction" if signs.predictions == 1 else "predictions"
    return [f"{signs.predictions:,} {what} in {signs.period}."]


def _percent(value: float) -> str:
    return f"{100 * value:.0f}%"


_RANK = {"grave": 0, "warning": 1, "note": 2}
_ORDER = ("rot", "slice", "quality", "drift", "outliers", "estimate", "operations")
"""Of two findings that are as grave the one that says more about the answers comes first."""
_HEADLINES: dict[FindingKind, str] = {
    "rot": "{name} is rotting.",
    "drift": "What {name} is asked has changed.",
    "outliers": "{name} is asked about rows that look like nothing it was trained on.",
    "quality": "{name} gets bad data.",
    "estimate": "{name} is probably less right than it was.",
    "slice": "{name} goes wrong in a part of what it is asked.",
    "operations": "Something around {name} does not work.",
}
