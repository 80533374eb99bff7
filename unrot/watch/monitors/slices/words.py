"""What is said of parts of the traffic that have fallen: a sentence, its evidence, what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from unrot.core.numbers import rough
from unrot.core.percent import roughly
from unrot.core.records import Gravity
from unrot.hear.judges import Whose
from unrot.watch.monitors.slices.counts import Fallen
from unrot.watch.monitors.slices.parts import Part

MOST_LISTED = 20
MOST_NAMED = 3
GRAVE = 0.4
"""So deep a fall of a part is grave."""


@dataclass(frozen=True, slots=True)
class Told:
    """A part that has fallen, and how much of the verdicts are of it."""

    part: Part
    fallen: Fallen
    share: float


def gravity_of(worst: Told, who: Whose) -> Gravity:
    """Say how grave it is; what one visitor alone says is to be noted first."""
    if who.is_one_voice and who.verdicts:
        return "note"
    return "grave" if worst.fallen.before - worst.fallen.now >= GRAVE else "warning"


def sentence_of(champion: str, told: Sequence[Told], within: float | None) -> str:
    """Name the worst part, what is reached there, what it was before, and what is elsewhere.

    >>> fallen = Fallen(0.0, 0.89, 900, 0.9, False, 0.1, 150, 18, 0.9, 40.0)
    >>> sentence_of("v3", [Told(Part("region", "region is north"), fallen, 0.1)], None)
    'Where region is north (10 % of its verdicts), v3 is right in 12 % of 150 verdicts; before \
89 % of 900; elsewhere it is 90 %.'
    """
    worst, *others = told
    one = worst.fallen
    verb = "right" if within is None else f"no more than {rough(within)} off"
    before = (
        f"on its test set {roughly(one.before)}"
        if one.is_promised
        else f"before {roughly(one.before)} of {one.before_count:,}"
    )
    said = (
        f"Where {worst.part.where} ({roughly(worst.share)} of its verdicts), {champion} is {verb} "
        f"in {roughly(one.now)} of {one.count:,} verdicts; {before}; "
        f"elsewhere it is {roughly(one.rest)}."
    )
    if not others:
        return said
    named = [f"{each.part.where} ({roughly(each.fallen.now)})" for each in others[:MOST_NAMED]]
    more = len(others) - MOST_NAMED
    rest = f" and {more:,} more" if more > 0 else ""
    return f"{said} Also: {', '.join(named)}{rest}; these may be the same rows."


def advice(worst: Told) -> str:
    """Say what to do."""
    if not worst.part.feature:
        return (
            "Look at these rows in the explorer: what are they taken for now? If what is asked "
            "has changed, let judges label more of this class and refit."
        )
    return (
        "Look at these rows in the explorer. If a source, a unit or a form of theirs has changed, "
        "mend it there. If what is right has, let judges label more of them and refit."
    )


def evidence_of(told: Sequence[Told], who: Whose, within: float | None) -> Mapping[str, Any]:
    """Return the numbers, the worst part first."""
    parts = [
        {
            "part": one.part.where,
            "share": one.share,
            "accuracy": one.fallen.now,
            "verdicts": one.fallen.count,
            "before": one.fallen.before,
            "verdicts_before": one.fallen.before_count,
            "elsewhere": one.fallen.rest,
            "since": one.fallen.since,
            "is_promised": one.fallen.is_promised,
        }
        for one in told[:MOST_LISTED]
    ]
    found = {"parts": parts, "fallen": len(told), "whose": asdict(who)}
    return found if within is None else {**found, "near_enough": within}
