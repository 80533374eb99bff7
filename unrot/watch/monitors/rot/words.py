"""What is said of rot: what was and is reached, by whose word, and when it is over.

An interval is told only where most of the predictions were judged, or judges gave the verdicts:
those who choose what to judge are no sample of all.

    >>> few = Reached("v1", right=0, count=66, predicted=600, judged=66, by=Whose(66, 0, 9, 12))
    >>> fallen_words(few, "before it was right in 90 % of 100")
    'Only 66 of 600 predictions since were judged, by people who chose what to judge: they may see \
more faults than there are. v1 is wrong more often: right in 0 % of 66 verdicts by 9 visitors; \
before it was right in 90 % of 100.'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

from unrot.core.numbers import rough
from unrot.core.percent import roughly
from unrot.core.plurals import counted
from unrot.core.records import IMPORTED, Gravity, Outcome
from unrot.hear.judges import Whose, whose
from unrot.watch.imports import IMPORTED_LOG, is_imported
from unrot.watch.monitors.rot.cause.rule import Explanation
from unrot.watch.monitors.rot.note import Fallen
from unrot.watch.monitors.rot.sums import Behind
from unrot.watch.monitors.rot.usual_hours import PROMISE
from unrot.watch.statistics.accuracy import Share, Z, constant_of, share
from unrot.watch.worth.leaning import Leaning

MOST = 0.5
"""From such a share of judged predictions on, the verdicts speak for all of them."""
HOURS_MATTER = 0.02
"""So far may hours explain a difference before it is said."""
DEEP = 0.15
"""A fall of so much is grave."""
FEWEST_OF_NUMBERS = 10
"""Errors below which their mean tells nothing: some are very large."""
FAR = 1.5
"""Errors so many times as large are grave."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What some verdicts say of a version, and whose they are."""

    version: str
    """The champion."""
    count: int
    by: Whose
    right: int | None = None
    """None where they are of numbers."""
    mae: float = 0.0
    rmse: float = 0.0
    worth: float = 1.0
    """So many verdicts are worth one independent one."""
    predicted: int = 0
    """Predictions of the same time; 0 where that is not known."""
    judged: int = 0
    """Of these."""
    constant: float | None = None
    """What a constant guess would reach."""
    name: str = ""
    """Who gave the answers, where that is not the champion's line."""
    leaning: Leaning | None = None
    """On which answer they lean: of all answers they tell nothing certain."""

    @property
    def is_certain(self) -> bool:
        """True where an interval may be told of them."""
        return not (self.is_chosen or self.by.is_one_voice or self.leaning)

    @property
    def share(self) -> Share:
        """How often it was right; the bounds know what the verdicts are worth."""
        told = share(self.right or 0, self.count)
        counted = share(
            round((self.right or 0) / self.worth), max(1, round(self.count / self.worth))
        )
        return Share(told.right, told.count, told.value, counted.low, counted.high)

    @property
    def least_mae(self) -> float:
        """How far off it is at least (95 %); nothing where verdicts are too few to say."""
        if self.count < FEWEST_OF_NUMBERS:
            return 0.0
        spread = sqrt(max(self.rmse**2 - self.mae**2, 0.0))
        return self.mae - Z * spread * sqrt(self.worth / self.count)

    @property
    def is_chosen(self) -> bool:
        """True where few were judged, by people who chose which."""
        return self.judged < MOST * self.predicted and not self.by.is_of_judges


def reached(
    version: str, outcomes: Sequence[Outcome], fell: Behind | None = None, *, worth: float = 1.0
) -> Reached:
    """Sum up verdicts, with those that are behind."""
    fell = fell or Behind.nothing()
    errors = [one.error for one in outcomes if one.error is not None]
    rights = [one.was_correct for one in outcomes if one.was_correct is not None]
    is_of_numbers = bool(errors) or fell.absolute > 0
    count = fell.count + len(errors if is_of_numbers else rights)
    absolute = fell.absolute + sum(abs(one) for one in errors)
    squared = fell.squared + sum(one * one for one in errors)
    return Reached(
        version,
        count,
        whose(outcomes),
        None if is_of_numbers else round(fell.count - fell.wrong[:PROMISE].sum() + sum(rights)),
        mae=absolute / max(count, 1),
        rmse=sqrt(squared / max(count, 1)),
        worth=worth,
        constant=constant_of(outcomes).value,
        name=_name_of(outcomes, version),
    )


def _name_of(outcomes: Sequence[Outcome], version: str) -> str:
    """Name who answered, where the champion's line did not, or not alone."""
    if is_imported(outcomes):
        return IMPORTED_LOG
    is_mixed = any(one.version == IMPORTED for one in outcomes)
    return f"{IMPORTED_LOG} and {version}" if is_mixed else ""


def fallen_words(now: Reached, before: str) -> str:
    """Say how far a version has fallen, and whose verdicts say so."""
    if now.by.is_one_voice:
        who = f"the answers of {now.name} are" if now.name else f"{now.version} is"
        said = f"{now.by.voice.capitalize()} says that {who} wrong more often; "
        said += "no judge has confirmed it:"
    elif now.right is None:
        said = f"The answers of {now.name or now.version} are farther off:"
    else:
        said = f"The answers of {now.name} are" if now.name else f"{now.version} is"
        said += " wrong more often:"
    told = f"{said} {reached_words(now)}; {before}."
    told += f" {now.leaning.sentence}" if now.leaning else ""
    return f"{_few(now)} {told}" if now.is_chosen else told


def _few(now: Reached) -> str:
    return (
        f"Only {now.judged:,} of {now.predicted:,} predictions since were judged, by people who "
        "chose what to judge: they may see more faults than there are."
    )


def as_far_as_told(why: Explanation, now: Reached) -> Explanation:
    """Let what verdicts say of the rule hold only if those who chose what to judge are typical."""
    if why.kind != "concept" or not now.is_chosen:
        return why
    said = f"If these verdicts stand for all: {why.sentence[:1].lower()}{why.sentence[1:]}"
    return replace(why, sentence=said)


def before_words(fallen: Fallen, *, is_of_numbers: bool) -> str:
    """Say what was reached before a fall, or promised."""
    if is_of_numbers:
        value = rough(fallen.before)
        if fallen.is_from_start:
            return f"its test set promised {value}"
        return f"it was {value} over {counted(fallen.before_verdicts, 'verdict')} before"
    if fallen.is_from_start:
        same = "on the same answers " if fallen.is_of_answers else ""
        return f"{same}its test set promised {roughly(fallen.before)}"
    hours = ""
    if abs(1 - fallen.usual - fallen.before) > HOURS_MATTER:
        hours = f", and {roughly(1 - fallen.usual)} was to be expected at these hours"
    return f"before it was right in {roughly(fallen.before)} of {fallen.before_verdicts:,}{hours}"


def reached_words(now: Reached) -> str:
    """Say what some verdicts come to."""
    verdicts = now.by.said_of(counted(now.count, "verdict"))
    if now.right is None:
        return f"by {rough(now.mae)} on average in {verdicts}"
    told = now.share
    said = f"right in {roughly(told.value or 0.0)} of {verdicts}"
    if not now.is_certain:
        return said
    return f"{said} (surely between {roughly(told.low)} and {roughly(told.high)})"


def over_words(now: Reached, fallen: Fallen) -> str:
    """Say that a fall is over, and by how many verdicts."""
    said = f"{'off ' if now.right is None else ''}{reached_words(now)}"
    if now.name:
        return f"It is over: the answers of {now.name} are as before, {said}."
    if now.version == fallen.champion:
        return f"It is over: {now.version} is healthy again, {said}."
    return f"The fall of {fallen.champion} is over: {now.version} answers now, {said}."


def gravity_of(now: Reached, fallen: Fallen) -> Gravity:
    """Tell how grave a fall is: one visitor's word is a note."""
    if now.by.is_one_voice:
        return "note"
    if now.right is None:
        return "grave" if now.mae >= FAR * fallen.before else "warning"
    is_deep = fallen.right_before - (now.share.value or 0.0) >= DEEP
    return "grave" if is_deep or now.share.high < (now.constant or 0.0) else "warning"


def numbers_of(now: Reached) -> dict[str, Any]:
    """Return the figures for the evidence."""
    if now.right is None:
        return {"value": now.mae, "rmse": now.rmse, "verdicts": now.count}
    told = now.share
    found = {"value": told.value, "verdicts": told.count}
    if not now.is_certain:
        return found
    return {**found, "low": told.low, "high": told.high}
