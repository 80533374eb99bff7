"""Rot: a model is right less often than it was, or than its test set promised.

All verdicts on what the champion's line has answered (`eras.py`) are followed in their order
(`state.py`), some thousand at a go, so that what is imported is gone through in its own
time. When an import brings verdicts of before, or another line answers, it is begun anew. Whether
other rows came, broken ones, or what is right has changed is asked of the rows themselves
(`cause/`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from unrot.core.errors import UnrotError
from unrot.core.percent import percent
from unrot.core.records import IMPORTED, Outcome, Symptom, Version
from unrot.core.rules import Rules
from unrot.watch import holdout
from unrot.watch.eras import Era, era_of_champion, key_of, mark_of
from unrot.watch.imports import last_import
from unrot.watch.monitors.rot import words
from unrot.watch.monitors.rot.cause.look import Span, explain_fall
from unrot.watch.monitors.rot.cause.rule import Explanation, Kind
from unrot.watch.monitors.rot.note import Fallen, StreamState, from_note, to_note
from unrot.watch.monitors.rot.promise import is_under
from unrot.watch.monitors.rot.state import Course, Expected, Step
from unrot.watch.monitors.rot.sums import Behind
from unrot.watch.monitors.rot.words import Reached
from unrot.watch.visit import Visit
from unrot.watch.worth.leaning import (
    A_SECOND,
    Answers,
    Leaning,
    answers_held,
    leaning_of,
    promised_on,
)
from unrot.watch.worth.verdicts import Row

MONITOR = CAUSE = "rot"
FLOOR = "rot-floor"
LAST_ANSWERS = 50
"""On which answers verdicts lean is seen by so many."""
KEPT = 4_096
"""So many of the newest verdicts are read again at each look."""
AT_ONCE = 2_048
"""So many new ones are gone through before the round may go on with something else."""
ADVICE = (
    "Refit it with the new verdicts; look at what was judged wrong on the page of predictions; if "
    "you doubt the voters, let a judge go through an audit."
)
MEND = "Mend what sends these rows: a model that learns them learns what is broken about them."
MEND_OR_REFIT = f"If what sends the rows is broken, mend it. Else: {ADVICE[0].lower()}{ADVICE[1:]}"
ASK_A_JUDGE = "Let a judge go through an audit before anything is learnt from these verdicts."
ADVICE_ON: Mapping[Kind, str] = {
    "broken rows": MEND,
    "data": MEND_OR_REFIT,
    "concept": ADVICE,
    "unknown": MEND_OR_REFIT,
}
"""What to do about a fall, by what it comes from."""


def look(visit: Visit) -> Iterator[Symptom]:
    """Go on through the verdicts that are new since the last look; they tell their own time."""
    if not visit.rules.rot or not visit.champion:
        return
    note, mark = visit.read_note(MONITOR), _mark(visit)
    if mark and note.get("mark") != mark:
        yield from _Walk(visit, era_of_champion(visit), note).go(mark)


class _Walk:
    """One look: from where the monitor stood to the newest verdict."""

    def __init__(self, visit: Visit, era: Era, note: Mapping[str, Any]) -> None:
        self._visit = visit
        self._era = era
        self._traffic = visit.store.traffic
        self._teller = _Teller(visit, era)
        self._imports = last_import(visit.store.findings, visit.key)
        self._is_below = bool(note.get("is_below_floor"))
        self._silent_until = float(note.get("silent_until", 0.0))
        """What was said of these verdicts when they were new is not said again."""
        self._standing = self._begin(from_note(note.get("course")), note.get("imports", 0))
        self._read: list[Outcome] = []

    def _begin(self, standing: StreamState, imports: int) -> StreamState:
        """Go on, or begin anew where the verdicts behind are not those of the line any more."""
        line = self._era.line
        if imports == self._imports and line[: len(standing.line)] == standing.line:
            return replace(standing, line=line)
        fallen = standing.fallen or standing.other
        is_own = fallen is None or fallen.champion in line
        if imports != self._imports:
            self._silent_until = 0.0
        elif standing.line:
            self._silent_until = self._era.since
        return StreamState(line, other=None if is_own else fallen)

    def go(self, mark: Sequence[Any]) -> Iterator[Symptom]:
        """Go through what is new, a piece at a time."""
        after, asked = self._standing.read_from, KEPT + AT_ONCE
        while True:
            more = self._traffic.outcomes(self._visit.key, limit=asked, after=after)
            self._read += more
            is_last = len(more) < asked
            followed, steps = self._follow()
            for step in filter(self._says, steps):
                yield from self._teller.symptoms(step)
            yield from self._now(followed, steps, is_last=is_last)
            self._forget(followed)
            self._note(mark if is_last else [])
            if is_last:
                return
            after, asked = key_of(more[-1]), AT_ONCE

    def _follow(self) -> tuple[Course, list[Step]]:
        own = [one for one in self._read if key_of(one) > self._standing.read_from]
        own = [one for one in own if self._era.holds(one)]
        followed = Course(
            self._standing,
            champion=self._era.champion,
            expected=self._expected(own),
            last=self._visit.rules.last_verdicts,
            since=self._era.since,
            rows_of=self._rows_of,
            leans=self._leans,
            held=self._held,
        )
        steps = followed.follow(own)
        self._teller.read = own
        self._standing = followed.standing
        return followed, steps

    def _says(self, step: Step) -> bool:
        return step.what == "over" or step.at >= self._silent_until

    def _now(self, followed: Course, steps: Sequence[Step], *, is_last: bool) -> Iterator[Symptom]:
        """Say how it stands after the verdicts of a piece."""
        if not self._read or self._read[-1].given_at < self._silent_until:
            return
        standing, told = followed.standing, followed.after
        if standing.fallen and told:
            if not (steps and _is_told(steps[-1], told)):
                yield self._teller.fallen(standing.fallen, told, followed)
        elif standing.other:
            yield from self._teller.no_better(standing.other, told)
        elif not is_last:
            yield Symptom(CAUSE, "rot", is_present=False, at=self._read[-1].given_at)
        if is_last and (floor := _floor(self._teller, self._visit.rules, followed, self._is_below)):
            self._is_below = floor.is_present
            yield floor

    def _forget(self, followed: Course) -> None:
        if len(self._read) > KEPT:
            upto = key_of(self._read[-KEPT - 1])
            if upto > self._standing.read_from:
                followed.forget(upto)
                self._standing = followed.standing
            self._read = self._read[-KEPT:]

    def _note(self, mark: Sequence[Any]) -> None:
        kept = {
            "mark": list(mark),
            "imports": self._imports,
            "silent_until": self._silent_until,
            "is_below_floor": self._is_below,
            "course": to_note(self._standing),
        }
        self._visit.write_note(MONITOR, kept)

    def _expected(self, own: Sequence[Outcome]) -> Expected:
        """Return what was promised: of all answers, or of those that verdicts lean on."""
        found, last = _expected(self._visit.shelved.versions, own), own[-LAST_ANSWERS:]
        if found == Expected() or not self._leans(last):
            return found
        told = None if found.share is None else promised_on(self._held(), last)
        return Expected() if told is None else Expected(told[0], rows=told[1], is_of_answers=True)

    def _leans(self, outcomes: Sequence[Outcome]) -> bool:
        times = [one.predicted_at for one in outcomes]
        if not times:
            return False
        store = self._visit.store
        return leaning_of(store, self._visit.key, min(times), max(times)) is not None

    def _held(self) -> Answers:
        """Count the test set by what the champion answers; nothing where it cannot answer."""
        try:
            return answers_held(
                holdout.holdout(self._visit.service, self._visit.name, self._era.champion)
            )
        except UnrotError:
            return {}

    def _rows_of(self, outcomes: Sequence[Outcome]) -> Sequence[Row]:
        """Fetch what was judged; it is asked for only where a fall is to be believed."""
        first, last = key_of(outcomes[0]), key_of(outcomes[-1])
        found = self._traffic.outcomes(
            self._visit.key,
            limit=sum(first <= key_of(one) <= last for one in self._read),
            after=(*first[:2], ""),
            with_inputs=True,
        )
        rows = {one.prediction: one.inputs for one in found}
        return [rows.get(one.prediction, ()) for one in outcomes]


def _is_told(step: Step, told: Sequence[Outcome]) -> bool:
    """Tell whether a step is a fall that was seen at the newest verdict."""
    return step.what == "fallen" and bool(step.after) and step.after[-1] == told[-1]


def _mark(visit: Visit) -> list[Any]:
    """Return what changes when there is something new to look at; nothing without verdicts."""
    store, model, rules = visit.store, visit.key, visit.rules
    newest = store.traffic.outcomes(model, limit=1)
    if not newest:
        return []
    check = store.checks.last(model, rules.against)
    return [
        *mark_of(newest[0], visit),
        visit.champion,
        0.0 if check is None else check.ends_at,
        rules.last_verdicts,
        rules.least_accuracy,
        last_import(store.findings, model),
    ]


def _expected(versions: Mapping[str, Version], outcomes: Sequence[Outcome]) -> Expected:
    """Return what the versions of verdicts reached on their holdouts, each by its verdicts."""
    made = [versions[one.version] for one in outcomes if one.version in versions]
    held = [
        (one.metrics, one.metrics["rows_held_out"])
        for one in made
        if one.metrics.get("rows_held_out", 0) > 0
    ]
    if len(held) < len(outcomes) or not held:
        return Expected()

    def mean(metric: str) -> float | None:
        found = [metrics[metric] for metrics, _ in held if metric in metrics]
        return sum(found) / len(found) if len(found) == len(held) else None

    rows = min(count for _, count in held)
    return Expected(mean("accuracy"), mean("mae"), mean("rmse") or 0.0, rows)


# ── said to people ───────────────────────────────────────────────────────────────────────────


class _Teller:
    """Makes symptoms of steps."""

    def __init__(self, visit: Visit, era: Era) -> None:
        self._visit = visit
        self._era = era
        self.read: Sequence[Outcome] = ()
        """The verdicts of the stream that are read: what was judged a moment ago."""

    @property
    def champion(self) -> str:
        """The version that answers."""
        return self._era.champion

    def symptoms(self, step: Step) -> Iterator[Symptom]:
        """Say that it has fallen; or how low it was in all, and that it is well again."""
        now = self.reached(step.fallen, step.after)
        if step.what == "fallen":
            yield self._fallen(step.fallen, now, step.after)
            return
        if step.low:
            was = self.reached(step.fallen, step.low, step.fell)
            yield replace(self._fallen(step.fallen, was, step.low), at=step.at)
        yield Symptom(
            cause=CAUSE,
            kind="rot",
            is_present=False,
            at=step.at,
            since=step.fallen.since,
            sentence=words.over_words(now, step.fallen),
            evidence=words.numbers_of(now),
        )

    def fallen(self, fallen: Fallen, told: Sequence[Outcome], followed: Course) -> Symptom:
        """Bring the numbers of a fall that is not over up to date."""
        now = self.reached(fallen, told, followed.standing.fell)
        return self._fallen(fallen, now, told)

    def no_better(self, fallen: Fallen, told: Sequence[Outcome]) -> Iterator[Symptom]:
        """Say that the version that answers now is not as right as the fallen one was, if so.

        One that may be as good is not said to have fallen.
        """
        told = [one for one in told if one.predicted_at >= self._era.since]
        if not told:
            return
        now = self.reached(fallen, told)
        is_of_numbers, before = now.right is None, fallen.right_before
        if now.least_mae > fallen.before if is_of_numbers else now.share.high < before:
            yield self._fallen(fallen, now, told)

    def reached(
        self, fallen: Fallen, told: Sequence[Outcome], fell: Behind | None = None
    ) -> Reached:
        """Sum up verdicts after a fall, and how many of the predictions of their time they are."""
        now = words.reached(self._era.champion, told, fell, worth=fallen.worth)
        begins = fallen.since if fell is not None and fell.count else told[0].predicted_at
        since, until = begins // 60 * 60, max(one.predicted_at for one in told)
        windows = self._visit.store.traffic.windows(self._visit.key, since=since, until=until + 60)
        mine = [one for one in windows if one.version in (*self._era.line, IMPORTED)]
        read = sum(since <= one.predicted_at <= until for one in self.read)
        predicted = sum(one.predictions for one in mine)
        judged = max(read, sum(one.judged for one in mine))
        leaning = self._leaning(since, until) if 2 * judged < predicted else None
        return replace(now, predicted=predicted, judged=judged, leaning=leaning)

    def _leaning(self, since: float, until: float) -> Leaning | None:
        store, key = self._visit.store, self._visit.key
        return leaning_of(store, key, since, until, drawn=store.trials.audited(key))

    def _fallen(self, fallen: Fallen, now: Reached, told: Sequence[Outcome]) -> Symptom:
        why = self._why(fallen, max(one.predicted_at for one in told) + A_SECOND, now)
        before = words.before_words(fallen, is_of_numbers=now.right is None)
        return Symptom(
            cause=CAUSE,
            kind="rot",
            is_present=True,
            at=told[-1].given_at,
            since=fallen.since,
            gravity=words.gravity_of(now, fallen),
            sentence=f"{words.fallen_words(now, before)} {why.sentence}".strip(),
            advice=ASK_A_JUDGE if now.by.is_one_voice else ADVICE_ON[why.kind],
            features=why.features,
            evidence={
                "version": now.name or now.version,
                "before": {"value": fallen.before, "verdicts": fallen.before_verdicts},
                "after": words.numbers_of(now),
                "whose": asdict(now.by),
                "is_from_start": fallen.is_from_start,
                "statistic": fallen.statistic,
                "threshold": fallen.threshold,
                "predicted": now.predicted,
                "constant": now.constant,
                "kind": why.kind,
            },
        )

    def _why(self, fallen: Fallen, until: float, now: Reached) -> Explanation:
        """Ask what it comes from; one that was never right is held against its holdout.

        Only rows up to the last that was judged: later ones may be of a time that is well again.
        What one visitor says has no cause before somebody else says it too.
        """
        if now.by.is_one_voice:
            return Explanation("unknown", (), "")
        since = min(fallen.since, until)
        begins_at = self._era.since if self._era.since < since else 0.0
        span = Span(
            begins_at=since if fallen.is_from_start else begins_at,
            fallen_at=since,
            until=until,
            line=frozenset((*self._era.line, IMPORTED)),
            verdicts=now.count,
        )
        return words.as_far_as_told(explain_fall(self._visit, span), now)


def _floor(teller: _Teller, rules: Rules, followed: Course, was_below: bool) -> Symptom | None:
    """Hold the last verdicts against the floor that a person has set."""
    told = [one for one in followed.after if one.was_correct is not None]
    floor = rules.least_accuracy
    if not told:
        return None
    newest = told[-rules.last_verdicts :]
    wrong = np.array([not one.was_correct for one in told], dtype=np.float64)
    if floor is not None:
        offset, worth = followed.standing.count, followed.worth_of_all()
        count = is_under(wrong, floor, offset=offset, worth=worth)
        if count is not None or (was_below and 1 - wrong[-len(newest) :].mean() < floor):
            return _below_floor(teller, told[-count:] if count else newest, floor, worth)
    if not was_below:
        return None
    return Symptom(FLOOR, "rot", is_present=False, at=told[-1].given_at)


def _below_floor(teller: _Teller, told: Sequence[Outcome], floor: float, worth: float) -> Symptom:
    now = words.reached(teller.champion, told, worth=worth)
    said = words.reached_words(now)
    return Symptom(
        cause=FLOOR,
        kind="rot",
        is_present=True,
        at=told[-1].given_at,
        since=told[0].predicted_at,
        gravity="note" if now.by.is_one_voice else "grave",
        sentence=f"{now.version} is below its floor of {percent(floor, 4)}: {said}.",
        advice=ADVICE,
        evidence={
            "floor": floor,
            "after": words.numbers_of(now),
            "whose": asdict(now.by),
        },
    )
