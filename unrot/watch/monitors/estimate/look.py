"""Where verdicts are few: the accuracy that a version's confidence makes one expect has fallen.

Each closed hour, or day where no hour has enough traffic, is estimated from the confidence of its
predictions (`calibration.py`) and held against what its versions reached on their holdouts,
and against other hours of its kind (`rule.py`). Where verdicts are many they say it
better, and an estimate opens nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from unrot.core.percent import roughly
from unrot.core.plurals import counted
from unrot.core.records import Symptom, Window
from unrot.core.rules import Rules
from unrot.core.time import DAY, HOUR
from unrot.core.windows import grouped, total
from unrot.watch.monitors.estimate.calibration import (
    FEWEST_TO_SCORE,
    Calibration,
    Estimate,
    calibrations,
    estimate_windows,
    known_windows,
)
from unrot.watch.monitors.estimate.rule import Record, Sure
from unrot.watch.notes import read_note
from unrot.watch.statistics.accuracy import Share, share
from unrot.watch.visit import Visit
from unrot.watch.worth.leaning import noted_leaning
from unrot.watch.worth.rows import not_worth

MONITOR = CAUSE = "estimate"
PAUSE_SECONDS = 60.0
"""So often it is looked, and so long after its end a period is closed: all of it is shipped."""
LONGEST_SECONDS = 92 * DAY
"""So far back a first look goes."""
ADVICE = (
    "Look at which inputs have moved; let a judge go through an audit to learn how right it really "
    "is, and refit it if that bears it out."
)


@dataclass(frozen=True, slots=True)
class Period:
    """One closed period: what is expected of it, what its holdout promised, what verdicts say."""

    starts_at: float
    ends_at: float
    estimated: Estimate
    promised: float
    realised: Share
    least: float
    calibrated: int
    leans: bool
    """Whether its verdicts are of some answers above all."""

    def sure(self, worth: float = 1.0) -> Sure:
        """Return what is looked at, where so many rows are worth one."""
        return Sure(
            self.starts_at,
            self.ends_at,
            self.estimated.rows / worth,
            self.estimated.value,
            self.promised,
            self.least,
            self.calibrated,
        )

    @property
    def is_judged(self) -> bool:
        """True when its verdicts say more than an estimate."""
        return self.realised.count >= FEWEST_TO_SCORE and not self.leans


def look(visit: Visit) -> Iterator[Symptom]:
    """Estimate the periods that have closed since the last look."""
    rules, note = visit.rules, visit.read_note(MONITOR)
    known = calibrations(visit.service, visit.shelved, visit.shelved.versions)
    is_too_soon = abs(visit.now - note.get("looked_at", 0.0)) < PAUSE_SECONDS
    if not rules.estimate or visit.champion not in known or is_too_soon:
        return
    is_open, since = bool(note.get("is_open")), float(note.get("since", 0.0))
    seen_to, record = float(note.get("seen_to", 0.0)), read_note(Record, note.get("record", {}))
    for period in _periods(visit, known, max(seen_to, visit.now - LONGEST_SECONDS)):
        seen_to = period.ends_at
        record = record.after(_worth(visit, period, record), rules)
        if not is_open and record.is_bad and not period.is_judged:
            is_open, since = True, record.suspicious_since or period.starts_at
        if is_open and _is_well(period, record, rules):
            is_open = False
            yield _well(period, since)
        elif is_open:
            yield _bad(period, since)
    stood = {"looked_at": visit.now, "seen_to": seen_to, "is_open": is_open, "since": since}
    visit.write_note(MONITOR, {**stood, "record": record})


def _worth(visit: Visit, period: Period, record: Record) -> Sure:
    """Let the rows of a suspicious period tell how many of them are independent."""
    sure = period.sure()
    if not record.is_suspicious(sure, visit.rules):
        return sure
    return period.sure(not_worth(visit, period.ends_at))


def _periods(visit: Visit, known: Mapping[str, Calibration], since: float) -> Iterator[Period]:
    """Yield the closed periods that have enough predictions, oldest first.

    A day with an hour that has enough is taken hour by hour; another one as a whole.
    """
    closed, least = visit.now - PAUSE_SECONDS, visit.rules.least_rows
    windows = visit.store.traffic.windows(visit.key, since=since // DAY * DAY, until=closed)
    calibrated = known_windows(windows, known)
    leans = noted_leaning(visit.store, visit.key, visit.champion) is not None
    for day, of in sorted(grouped(calibrated, lambda one: one.minute * 60 // DAY * DAY).items()):
        hours = [
            (start, start + max(HOUR, *(one.minutes * 60 for one in parts)), parts)
            for start, parts in sorted(
                grouped(of, lambda one: one.minute * 60 // HOUR * HOUR).items()
            )
        ]
        enough = [hour for hour in hours if _rows(hour[2]) >= least]
        for start, end, parts in enough or [(day, day + DAY, of)]:
            if since <= start and end <= closed and _rows(parts) >= least:
                yield _period(parts, start, end, known, leans=leans)


def _rows(windows: Sequence[Window]) -> int:
    return sum(sum(one.confidence) for one in windows)


def _period(
    windows: Sequence[Window],
    start: float,
    end: float,
    known: Mapping[str, Calibration],
    *,
    leans: bool,
) -> Period:
    estimated = estimate_windows(windows, known)
    assert estimated is not None
    parts = grouped(windows, lambda one: one.version)
    promised = sum(known[name].accuracy * _rows(of) for name, of in parts.items()) / _rows(windows)
    whole = total(windows)
    return Period(
        start,
        end,
        estimated,
        promised,
        share(whole.correct, whole.judged),
        least=min(min(known[name].bins) for name in parts),
        calibrated=min(known[name].rows for name in parts),
        leans=leans,
    )


def _is_well(period: Period, record: Record, rules: Rules) -> bool:
    """Tell whether it is as promised: by its verdicts where they are many, else as estimated."""
    if period.is_judged:
        return period.realised.high >= period.promised
    return record.is_well(period.sure(), rules)


def _bad(period: Period, since: float) -> Symptom:
    judged = period.realised.count
    few = f"only {counted(judged, 'was', 'were')} judged" if judged else "none was judged"
    if judged >= FEWEST_TO_SCORE:
        few = f"the {judged:,} that were judged are of some answers more than of others"
    return Symptom(
        cause=CAUSE,
        kind="estimate",
        is_present=True,
        at=period.ends_at,
        since=since,
        sentence=(
            f"It is less sure of its answers: by that it is right in about "
            f"{roughly(period.estimated.value)} of {period.estimated.rows:,} predictions, and "
            f"was in {roughly(period.promised)} of its test set. This is an estimate: {few}."
        ),
        advice=ADVICE,
        evidence=_numbers(period),
    )


def _well(period: Period, since: float) -> Symptom:
    said = (
        f"right in {roughly(period.realised.value or 0.0)} of {period.realised.count:,} verdicts"
        if period.is_judged
        else f"estimated to be right in {roughly(period.estimated.value)} of its predictions"
    )
    return Symptom(
        cause=CAUSE,
        kind="estimate",
        is_present=False,
        at=period.ends_at,
        since=since,
        sentence=f"It is as good as on its test set again: {said}.",
        evidence=_numbers(period),
    )


def _numbers(period: Period) -> dict[str, float | int | None]:
    return {
        "estimated": period.estimated.value,
        "error": period.estimated.error,
        "promised": period.promised,
        "predictions": period.estimated.rows,
        "realised": period.realised.value,
        "verdicts": period.realised.count,
    }
