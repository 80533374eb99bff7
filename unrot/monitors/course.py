"""The course of a model's rot, verdict by verdict: well, fallen, well again.

`rot.py` finds a fall; this follows it, so that one fall is one finding. What it has to remember
between two looks is small, and what it says depends only on the verdicts, not on when somebody
looked: history that was imported is gone through like the present.

    >>> rights = [True] * 99 + [False] + [False] * 40
    >>> told = [Outcome(f"p{at}", "v1", at, at, right) for at, right in enumerate(rights)]
    >>> standing, steps = follow(told, Standing(), era="v1", expected=Expected(), last=50)
    >>> [(step.what, step.at, step.fallen.since) for step in steps]
    [('fallen', 102, 98)]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from unrot.monitors.accuracy import constant_of, errors_of, right_of, scored
from unrot.monitors.rot import (
    FEWEST_FROM_START,
    Fall,
    find_fall,
    find_rise,
    is_above,
    is_below,
    needed_to_be_back,
)
from unrot.symptoms import Outcome

BACK = 0.25
"""A model is back when no more than this part of the fall is left."""
MOST_STEPS = 400
"""Moments at which a look stops to think; between them verdicts are taken several at once."""
DEEP = 0.15
"""A fall of so much is grave."""
FAR = 1.5
"""Errors so many times as large are grave."""

Key = tuple[float, float, str]
"""Where a verdict stands in the order of verdicts."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the versions of some verdicts reached on their holdouts."""

    share: float | None = None
    mae: float | None = None
    rmse: float = 0.0
    rows: float = 0.0


@dataclass(frozen=True, slots=True)
class Fallen:
    """A fall that is not over: since when, and what was and is reached."""

    since: float
    """When the first prediction after it was made."""
    key: Key
    """The first verdict after it."""
    era: str
    """The fresh version that it befell."""
    before: float
    """Accuracy, or mean absolute error."""
    before_verdicts: int
    after: float
    """What was reached when it was found."""
    is_from_start: bool
    statistic: float
    threshold: float


@dataclass(frozen=True, slots=True)
class Standing:
    """What has to be remembered between two looks."""

    era: str = ""
    seen: Key = (0.0, 0.0, "")
    """The newest verdict that was looked at."""
    looked_from: Key = (0.0, 0.0, "")
    """Verdicts up to this one belong to a fall that is over."""
    fallen: Fallen | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What a moment says: fallen, or well again after a fall."""

    what: Literal["fallen", "back"]
    at: float
    fallen: Fallen
    after: Sequence[Outcome]
    """The verdicts after the fall, or those that are well again."""


def key_of(outcome: Outcome) -> Key:
    """Return where a verdict stands in the order of verdicts."""
    return outcome.given_at, outcome.predicted_at, outcome.prediction


def follow(
    outcomes: Sequence[Outcome],
    standing: Standing,
    *,
    era: str,
    expected: Expected,
    last: int,
) -> tuple[Standing, list[Step]]:
    """Go on from where it stood, through the verdicts of an era that are new."""
    if standing.era != era:
        standing = Standing(era=era, fallen=standing.fallen)
    steps: list[Step] = []
    start = _after(outcomes, standing.looked_from)
    for end in _ends(outcomes, standing.seen):
        upto = outcomes[start:end]
        if standing.fallen is None:
            step = _look_for_fall(upto, era, expected)
        else:
            step = _look_for_cure(upto, standing.fallen, era, expected, last)
        if step is not None:
            steps.append(step)
            standing = replace(standing, fallen=None if step.what == "back" else step.fallen)
            if step.what == "back":
                start = end
                standing = replace(standing, looked_from=key_of(outcomes[end - 1]))
    if outcomes:
        standing = replace(standing, seen=max(standing.seen, key_of(outcomes[-1])))
    return standing, steps


def _after(outcomes: Sequence[Outcome], key: Key) -> int:
    """Return the place of the first verdict after a key."""
    return next((at for at, one in enumerate(outcomes) if key_of(one) > key), len(outcomes))


def _ends(outcomes: Sequence[Outcome], seen: Key) -> Iterator[int]:
    """Yield up to which verdict to look, the newest always."""
    first = _after(outcomes, seen)
    stride = max(1, (len(outcomes) - first) // MOST_STEPS)
    ends = list(range(first + 1, len(outcomes) + 1, stride))
    if ends and ends[-1] != len(outcomes):
        ends.append(len(outcomes))
    yield from ends


def after_fall(outcomes: Sequence[Outcome], fallen: Fallen) -> list[Outcome]:
    """Return the verdicts after a fall."""
    return [one for one in outcomes if key_of(one) >= fallen.key]


def level(outcomes: Sequence[Outcome]) -> float | None:
    """Return the accuracy of some verdicts, or the mean absolute error of numbers."""
    right = right_of(outcomes)
    return right.value if right.value is not None else scored(errors_of(outcomes)).mae


def is_of_numbers(outcomes: Sequence[Outcome]) -> bool:
    """Tell whether verdicts say how far off numbers were."""
    return any(one.error is not None for one in outcomes)


def is_grave(fallen: Fallen, after: Sequence[Outcome]) -> bool:
    """Tell whether a fall is deep, or below what a constant guess would reach."""
    now = level(after) or 0.0
    if is_of_numbers(after):
        errors = scored(errors_of(after))
        worse_than_guess = (errors.rmse or 0.0) > (errors.constant_rmse or float("inf"))
        return now >= FAR * fallen.before or worse_than_guess
    guess = constant_of(after).value
    return fallen.before - now >= DEEP or (guess is not None and now < guess)


def _told(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Keep those that say right or wrong, or of numbers those that say how far off."""
    if is_of_numbers(outcomes):
        return [one for one in outcomes if one.error is not None]
    return [one for one in outcomes if one.was_correct is not None]


def _look_for_fall(outcomes: Sequence[Outcome], era: str, expected: Expected) -> Step | None:
    told = _told(outcomes)
    if not told:
        return None
    if is_of_numbers(told):
        errors = [abs(one.error or 0.0) for one in told]
        found = find_rise(errors)
        from_start = _above(errors, expected)
    else:
        found = find_fall([float(one.was_correct or 0) for one in told])
        from_start = _below(told, expected)
    if found is None and from_start is None:
        return None
    fall = found or from_start
    assert fall is not None
    first, before = told[fall.place], told[: fall.place]
    known = level(before) if found else _reached(expected)
    fallen = Fallen(
        since=first.predicted_at,
        key=key_of(first),
        era=era,
        before=known or 0.0,
        before_verdicts=len(before) if found else int(expected.rows),
        after=level(told[fall.place :]) or 0.0,
        is_from_start=found is None,
        statistic=fall.statistic,
        threshold=fall.threshold,
    )
    return Step("fallen", told[-1].given_at, fallen, told[fall.place :])


def _below(told: Sequence[Outcome], expected: Expected) -> Fall | None:
    if expected.share is None or not expected.rows:
        return None
    right = right_of(told)
    return is_below(right.right, right.count, expected.share, expected.rows)


def _above(errors: Sequence[float], expected: Expected) -> Fall | None:
    if expected.mae is None:
        return None
    return is_above(errors, expected.mae, expected.rmse)


def _reached(expected: Expected) -> float | None:
    return expected.share if expected.share is not None else expected.mae


def _look_for_cure(
    outcomes: Sequence[Outcome], fallen: Fallen, era: str, expected: Expected, last: int
) -> Step | None:
    told = _told(outcomes)
    if era == fallen.era:
        told = after_fall(told, fallen)
        newest = _newest_if_back(told, fallen, last)
    else:
        newest = _newest_if_well(told, expected, last)
    if newest is None:
        return None
    return Step("back", newest[-1].given_at, fallen, newest)


def _newest_if_back(told: Sequence[Outcome], fallen: Fallen, last: int) -> Sequence[Outcome] | None:
    """Return the last verdicts where they reach again what was reached before."""
    far = abs(fallen.before - fallen.after)
    if is_of_numbers(told):
        needed, limit = 2 * last, fallen.before + BACK * far
    else:
        needed, limit = needed_to_be_back(fallen.after, far, last), fallen.before - BACK * far
    newest = told[-needed:]
    reached = level(newest)
    if reached is None or len(newest) < needed:
        return None
    is_back = reached <= limit if is_of_numbers(told) else reached >= limit
    return newest if is_back else None


def _newest_if_well(
    told: Sequence[Outcome], expected: Expected, last: int
) -> Sequence[Outcome] | None:
    """Return the first verdicts of another fresh version where they are as it promised."""
    newest = told[-max(last, FEWEST_FROM_START) :]
    if len(newest) < FEWEST_FROM_START:
        return None
    if is_of_numbers(newest):
        mae = level(newest) or 0.0
        return newest if expected.mae is None or mae <= FAR * expected.mae else None
    right = right_of(newest)
    promised = expected.share if expected.share is not None else right.value
    is_well = right.high >= (promised or 0.0)
    return newest if is_well else None


def to_note(standing: Standing) -> dict[str, Any]:
    """Write where it stands as JSON has it."""
    fallen = standing.fallen
    return {
        "era": standing.era,
        "seen": list(standing.seen),
        "looked_from": list(standing.looked_from),
        "fallen": None
        if fallen is None
        else {name: getattr(fallen, name) for name in Fallen.__dataclass_fields__},
    }


def from_note(note: Any) -> Standing:
    """Read what `to_note` wrote; nothing is where it begins."""
    if not note:
        return Standing()
    fallen = note["fallen"]
    return Standing(
        note["era"],
        _key(note["seen"]),
        _key(note["looked_from"]),
        None if fallen is None else Fallen(**{**fallen, "key": _key(fallen["key"])}),
    )


def _key(read: Sequence[Any]) -> Key:
    return float(read[0]), float(read[1]), str(read[2])
