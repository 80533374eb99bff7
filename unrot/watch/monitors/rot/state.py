"""The course of a model's rot, verdict by verdict: well, fallen, well again.

`rule.py` finds a fall; this follows it, so that one fall is one finding. That other answers are
judged than before is none (`worth/leaning.py`). What it has to remember
between two looks is small (`note.py`), and what it says depends only on the verdicts, not on
when somebody looked: history that was imported is gone through like the present.

    >>> rights = [True] * 99 + [False] + [False] * 80
    >>> told = [Outcome(f"p{at}", "v1", at, at, right) for at, right in enumerate(rights)]
    >>> course = Course(StreamState(("v1",)), champion="v1", expected=Expected(), last=50)
    >>> [(step.what, step.at, step.fallen.since) for step in course.follow(told)]
    [('fallen', 155, 99)]
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unrot.core.records import Outcome
from unrot.watch.eras import key_of
from unrot.watch.monitors.rot import promise, rule
from unrot.watch.monitors.rot.note import FIRST, Fallen, StreamState
from unrot.watch.monitors.rot.rule import Fall
from unrot.watch.monitors.rot.sums import Behind, Tape, added, summed, without_promise
from unrot.watch.monitors.rot.usual_hours import KINDS, PROMISE, usual
from unrot.watch.statistics.accuracy import right_of
from unrot.watch.worth.leaning import (
    Answers,
    Pair,
    added_up,
    answers_of,
    fifths_of,
    is_of_what_was_judged,
)
from unrot.watch.worth.measures import steadied
from unrot.watch.worth.verdicts import Row, of_left, worth_of

Numbers = NDArray[Any]
RowsOf = Callable[[Sequence[Outcome]], Sequence[Row]]
"""Fetches what was judged."""
Leans = Callable[[Sequence[Outcome]], bool]
"""Tells whether verdicts lean on some answers."""

BACK = 0.25
"""A model is back when no more than this part of the fall is left."""
LOOKS = 4
"""It looks once in so many verdicts, wherever a look of ours ends."""
FAR = 1.5
"""Errors so many times as large as promised are no recovery."""
SELDOM = 32
"""With the test set it compares that often, once there are so many verdicts."""
SAMPLE = 400
"""Errors of numbers are ranked among so many first ones."""
MOST_ROWS = 1_000
"""Of so many rows before a fall it is seen how they depend on each other."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the versions of some verdicts reached on their test sets."""

    share: float | None = None
    mae: float | None = None
    rmse: float = 0.0
    rows: float = 0.0
    is_of_answers: bool = False
    """True where it is of the answers alone that the verdicts are on."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a moment says: fallen, well again after a fall, or another version that is well."""

    what: Literal["fallen", "back", "over"]
    at: float
    fallen: Fallen
    after: Sequence[Outcome]
    """The verdicts after the fall, or those that are well again."""
    low: Sequence[Outcome] = field(compare=False, default=())
    """Of what is well again: the verdicts from the fall until then, but for those behind."""
    fell: Behind | None = field(compare=False, default=None)
    """Those."""


def rows_told(outcomes: Sequence[Outcome]) -> Sequence[Row]:
    """Return the rows that outcomes bring with them."""
    return [one.inputs for one in outcomes]


class Course:
    """Goes on through the verdicts of one stream from where it stood."""

    def __init__(
        self,
        standing: StreamState,
        *,
        champion: str,
        expected: Expected,
        last: int,
        since: float = 0.0,
        rows_of: RowsOf = rows_told,
        leans: Leans = lambda _: False,
        held: Callable[[], Answers] = dict,
    ) -> None:
        self.standing = standing
        self._champion = champion
        self._expected = expected
        self._last = last
        self._since = since
        self._rows_of = rows_of
        self._leans = leans
        self._held = held
        self._told: Sequence[Outcome] = ()
        self._tape = Tape.of([])

    def follow(self, outcomes: Sequence[Outcome]) -> list[Step]:
        """Look at all verdicts that are not behind; those that were not seen may be news."""
        self._take(_keep_told(outcomes))
        steps: list[Step] = []
        end = 1
        while end <= len(self._told):
            if self._is_to_look(end) and (step := self._look(end)):
                steps.append(step)
                end = 1
            else:
                end += 1
        if self._told:
            self._see(len(self._told))
        return steps

    def forget(self, upto: tuple[float, float, str]) -> None:
        """Keep of verdicts up to a key only how many they are."""
        place = sum(key_of(one) <= upto for one in self._told)
        if place and self.standing.fallen is None:
            answers = self._answers(0, place, self.standing.answers)
            self._stand(worth=self._worth_of_more(place), answers=answers)
        name = "behind" if self.standing.fallen is None else "fell"
        kept = added(getattr(self.standing, name), self._tape, place)
        self._stand(**{name: kept}, count=self.standing.count + place, read_from=upto)
        self._put(self._told[place:])

    @property
    def after(self) -> Sequence[Outcome]:
        """The verdicts after the fall that are not behind."""
        return self._told

    def worth_of_all(self) -> float:
        """Return how many of the verdicts that are read are worth an independent one."""
        told, wrong = self._told[-MOST_ROWS:], self._tape.wrong[-MOST_ROWS:]
        if not told:
            return 1.0
        return worth_of(wrong[:0], wrong - wrong.mean(), (), self._rows_of(told), known=0)

    def _worth_of_more(self, place: int) -> float:
        """Return what the verdicts behind are worth with so many more."""
        tape, behind, more = self._tape, self.standing.behind, 1.0
        rows, wrong = behind.rows + tape.rows[-1], behind.wrong + tape.wrongs[-1]
        for _ in range(2):  # How far hours differ beyond chance depends on what verdicts are worth.
            known = usual(rows[None], wrong[None], rows[None], ranks=tape.ranks, worth=more)
            # A fall that is not believed yet would look like one long run of like verdicts.
            more = of_left(steadied(tape.wrong - known.each[0][tape.kinds]))
        return (behind.count * self.standing.worth + place * more) / max(behind.count + place, 1)

    def _stand(self, **what: Any) -> None:
        self.standing = replace(self.standing, **what)

    def _take(self, told: Sequence[Outcome]) -> None:
        if told and not self.standing.begins_at:
            self._stand(begins_at=told[0].predicted_at)
        if self.standing.read_from == FIRST and is_of_numbers(told):
            sample = sorted(abs(one.error or 0.0) for one in told[:SAMPLE])
            edges = tuple(fifths_of([_number(one) for one in told[:SAMPLE]]))
            self._stand(sample=tuple(float(f"{one:.5g}") for one in sample), edges=edges)
        self._put(told)

    def _put(self, told: Sequence[Outcome]) -> None:
        self._told = told
        errors = [one.error or 0.0 for one in told] if is_of_numbers(told) else ()
        self._tape = Tape.of(
            _wrong(told, self.standing.sample),
            [one.predicted_at for one in told],
            behind=self._promised(self.standing.behind),
            offset=self.standing.count,
            begins_at=self.standing.begins_at,
            errors=errors,
        )

    def _promised(self, behind: Behind) -> Behind:
        """Put what the test set promised beside the verdicts."""
        if self._expected.share is None:
            return behind
        rows, wrong = behind.rows.copy(), behind.wrong.copy()
        rows[PROMISE] = self._expected.rows
        wrong[PROMISE] = self._expected.rows * (1 - self._expected.share)
        return replace(behind, rows=rows, wrong=wrong)

    def _is_to_look(self, end: int) -> bool:
        place = self.standing.count + end
        is_new = place > self.standing.looked or key_of(self._told[end - 1]) > self.standing.seen
        return is_new and place % LOOKS == 0

    def _see(self, end: int) -> None:
        """Note that all verdicts up to a place were looked at."""
        seen = max(self.standing.seen, key_of(self._told[end - 1]))
        self._stand(seen=seen, looked=self.standing.count + end)

    def _look(self, end: int) -> Step | None:
        if self.standing.other is not None and (step := self._look_at_other(end)):
            return step
        if self.standing.fallen is not None:
            return self._look_for_cure(end, self.standing.fallen)
        return self._look_for_fall(end)

    # ── a fall ───────────────────────────────────────────────────────────────────────────────

    def _look_for_fall(self, end: int) -> Step | None:
        place, found = self.standing.count + end, None
        if place >= self.standing.patience:
            found, doubted = self._believed(end, self._found)
            if doubted is not None:
                later = max(LOOKS, (end - doubted.place) // 8)
                self._stand(patience=place + later)
        if found is None and (place < SELDOM or place % SELDOM == 0):
            found, _ = self._believed(end, self._from_start)
        return None if found is None else self._fell(found, end)

    def _found(self, end: int, worth: float) -> Fall | None:
        return rule.find_fall(self._tape, end, worth=worth)

    def _from_start(self, end: int, worth: float) -> Fall | None:
        told, expected = without_promise(self._tape.up_to(end)), self._expected
        seconds = self._told[end - 1].predicted_at - self.standing.begins_at
        if expected.share is not None:
            return promise.is_below(
                told, 1 - expected.share, expected.rows, worth=worth, seconds=seconds
            )
        if expected.mae is not None and self._tape.ranks:
            return promise.is_above(
                told, expected.mae, expected.rmse, expected.rows, worth=worth, seconds=seconds
            )
        return None

    def _believed(
        self, end: int, find: Callable[[int, float], Fall | None]
    ) -> tuple[Fall | None, Fall | None]:
        """Find a fall that is one also when verdicts count for what they are worth.

        Beside it comes the one that is none then.
        """
        worth, doubted, found = 1.0, None, find(end, 1.0)
        while found is not None:
            real = self._worth(found, end)
            if real <= 1.02 * worth:
                is_fall = not self._is_of_what_was_judged(found, end)
                return (found, None) if is_fall else (None, found)
            worth, doubted = real, found
            found = find(end, worth)
        return None, doubted

    def _is_of_what_was_judged(self, found: Fall, end: int) -> bool:
        """Tell whether other answers are judged than before, or than the test set has."""
        place = 0 if found.is_from_start else found.place
        later = self._told[place:end]
        if not self._leans(later):
            return False
        before = {} if found.is_from_start else self.standing.answers
        if self._expected.share is not None:
            before = added_up(before, self._held())
        before = self._answers(0, place, before)
        return is_of_what_was_judged(before, self._answers(place, end), worth=found.worth)

    def _answers(self, place: int, end: int, before: Answers | None = None) -> dict[str, Pair]:
        """Count verdicts by what was answered; numbers by the fifth of the first ones."""
        told, edges = self._told[place:end], self.standing.edges
        named = [
            one.answer if one.error is None else str(bisect_left(edges, _number(one)))
            for one in told
        ]
        return answers_of(zip(named, self._tape.wrong[place:end], strict=True), before)

    def _worth(self, found: Fall, end: int) -> float:
        place, wrong, kinds = found.place, self._tape.wrong, self._tape.kinds
        rows = self._rows_of(self._told[max(0, place - MOST_ROWS) : min(end, place + MOST_ROWS)])
        before, after = min(place, MOST_ROWS), wrong[place:end]
        now = worth_of(
            wrong[:place] - found.each[kinds[:place]],
            after - after.mean(),
            rows[:before],
            rows[before:],
            known=self._tape.up_to(place).count,
        )
        return max(now, self.standing.worth)

    def _fell(self, found: Fall, end: int) -> Step:
        """Note a fall, and begin the verdicts that are read anew with the first after it."""
        place, tape, told = found.place, self._tape, self._told
        is_all = found.is_from_start or not place + tape.behind.count
        behind = Behind.nothing() if is_all else tape.up_to(place)
        fell = self.standing.behind if found.is_from_start else Behind.nothing()
        place = 0 if found.is_from_start else place
        after = summed(added(fell, tape, end), added(Behind.nothing(), tape, place), -1)
        now = (after.rows * (np.arange(KINDS) != PROMISE))[None]
        fallen = Fallen(
            since=self.standing.begins_at if fell.count else told[place].predicted_at,
            key=FIRST if is_all else key_of(told[place]),
            champion=self._champion,
            before=_promised(self._expected) if is_all else level_of(behind, ranks=tape.ranks),
            before_verdicts=int(self._expected.rows) if is_all else without_promise(behind).count,
            after=level_of(after, ranks=tape.ranks),
            is_from_start=is_all,
            statistic=found.statistic,
            threshold=found.threshold,
            usual=float((now @ found.each).item() / max(now.sum(), 1.0)),
            wrong=float(after.wrong[:PROMISE].sum() / max(after.count, 1)),
            worth=found.worth,
            is_of_answers=is_all and self._expected.is_of_answers,
        )
        step = Step("fallen", told[end - 1].given_at, fallen, told[place:end])
        self._move(
            place,
            end,
            fallen=fallen,
            behind=without_promise(behind),
            answers={} if is_all else self._answers(0, place, self.standing.answers),
            fell=fell,
            other=None,
        )
        return step

    def _move(self, place: int, end: int, **what: Any) -> None:
        """Begin what is read again at a place; up to another one all has been seen."""
        read_from = key_of(self._told[place - 1]) if place else self.standing.read_from
        self._see(end)
        self._stand(
            count=self.standing.count + place,
            read_from=read_from,
            patience=0,
            **what,
        )
        self._put(self._told[place:])

    # ── its end ──────────────────────────────────────────────────────────────────────────────

    def _look_for_cure(self, end: int, fallen: Fallen) -> Step | None:
        """Look whether verdicts are surely better than those after the fall, and as before."""
        place = rule.find_rise(self._tape, end, fallen.usual, fallen.wrong)
        far = fallen.wrong - fallen.usual
        needed = max(self._last, _needed_to_be_back(fallen.wrong, far, fallen.worth))
        if end - place < needed or not (place or self.standing.fell.count):
            return None
        tape, behind = self._tape, self.standing.behind
        now = (tape.rows[end] - tape.rows[place])[None]
        known = behind.count and usual(
            behind.rows[None], behind.wrong[None], now, ranks=tape.ranks, worth=fallen.worth
        )
        before = float(known.share[0]) if known else fallen.usual
        if tape.wrong[place:end].mean() > before + BACK * far:
            return None
        fell, since = self.standing.fell, fallen.since
        if not rule.is_risen(tape, place, end, fell=fell, since=since, worth=fallen.worth):
            return None
        well, low = self._told[place:end], self._told[:place]
        step = Step("back", well[-1].given_at, fallen, well, low, fell)
        self._move(place, end, fallen=None, fell=Behind.nothing())
        return step

    def _look_at_other(self, end: int) -> Step | None:
        """Look whether the version that answers now is surely better than the fallen one."""
        fallen, expected = self.standing.other, self._expected
        told = [one for one in self._told[:end] if one.predicted_at >= self._since]
        newest = told[-max(self._last, promise.FEWEST_FROM_START) :]
        if fallen is None or len(newest) < promise.FEWEST_FROM_START:
            return None
        if not (_is_well(newest, fallen, expected)):
            return None
        self._see(end)
        self._stand(other=None)
        return Step("over", newest[-1].given_at, fallen, newest)


def _is_well(newest: Sequence[Outcome], fallen: Fallen, expected: Expected) -> bool:
    """Tell whether verdicts are surely better than after the fall, and much as before it."""
    if is_of_numbers(newest):
        far = BACK * abs(fallen.before - fallen.after)
        errors = np.abs([one.error or 0.0 for one in newest])
        noise = rule.SURELY * float(errors.std()) / sqrt(len(errors))
        limit = max(fallen.before, FAR * (expected.mae or 0.0)) + far
        return float(errors.mean()) <= limit and float(errors.mean()) + noise < fallen.after
    right, before = right_of(newest), fallen.right_before
    least = before if expected.share is None else min(before, expected.share)
    least -= BACK * abs(before - fallen.after)
    return (right.value or 0.0) >= least and right.low > fallen.after


def _needed_to_be_back(wrong: float, far: float, worth: float) -> int:
    """Return how many of the last verdicts must be good again, so that chance alone is not enough.

    A model that still is as bad passes a quarter below the old accuracy in one of a hundred looks
    at most; a small fall needs more verdicts for that than a deep one.
    """
    spread = sqrt(max(wrong * (1 - wrong), 0.01) * worth)
    return int((2.33 * spread / (0.75 * far)) ** 2) + 1 if far > 0 else 0


def level_of(behind: Behind, *, ranks: bool) -> float:
    """Return the accuracy of verdicts that were counted, or the mean absolute error of numbers."""
    count = max(without_promise(behind).count, 1)
    return behind.absolute / count if ranks else 1 - float(behind.wrong[:PROMISE].sum()) / count


def is_of_numbers(outcomes: Sequence[Outcome]) -> bool:
    """Tell whether verdicts say how far off numbers were."""
    return any(one.error is not None for one in outcomes)


def _number(outcome: Outcome) -> float:
    """Return the number that was answered."""
    return float(outcome.truth or 0.0) + (outcome.error or 0.0)


def _keep_told(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Keep those that say right or wrong, or of numbers those that say how far off."""
    if is_of_numbers(outcomes):
        return [one for one in outcomes if one.error is not None]
    return [one for one in outcomes if one.was_correct is not None]


def _wrong(told: Sequence[Outcome], sample: Sequence[float]) -> Numbers:
    """Return 1 for each wrong verdict, or the rank of an error among the first ones."""
    if not is_of_numbers(told):
        return np.array([not one.was_correct for one in told], dtype=np.float64)
    errors, scale = np.abs([one.error or 0.0 for one in told]), np.asarray(sample)
    below = np.searchsorted(scale, errors, side="left") + np.searchsorted(
        scale, errors, side="right"
    )
    ranks: Numbers = below / 2 / max(len(scale), 1)
    return ranks


def _promised(expected: Expected) -> float:
    reached = expected.share if expected.share is not None else expected.mae
    return reached if reached is not None else 0.0
