"""Look for bursts of odd rows, period by period.

A closed period is looked at once, by the totals per minute; where it looks like a burst its rows
tell how many of them are independent. Rows that come in later with times of
their own are those of an import, which leaves a note of how far back it went: from there on all is
looked at again. Where a drift finding names the same features over the same time, that is the
cause, and odd rows are no finding of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import astuple, dataclass, field
from functools import partial
from typing import Any

from unrot.core.percent import percent
from unrot.core.plurals import plural
from unrot.core.records import Finding, Oddity, Symptom
from unrot.core.time import DAY, WEEK, bare_time, short_time
from unrot.watch.imports import import_runs
from unrot.watch.monitors.outliers.rule import (
    DELTA,
    MONITOR,
    Rate,
    is_burst,
    is_calm,
    kept_rates,
    lengths_of,
    main_features,
    rates_of,
    start_of,
    usual_of,
)
from unrot.watch.notes import read_note, write_note
from unrot.watch.profiles import references
from unrot.watch.statistics.many_looks import allowed
from unrot.watch.statistics.usual_share import Past
from unrot.watch.visit import Visit
from unrot.watch.worth.rows import alike_of

CAUSE = "outliers"
LATE_SECONDS = 10.0
"""So long after its end a period waits for predictions that are still on their way."""

LOOK_BACK_SECONDS = 30 * DAY
KEPT_RATES = 60
LOOKED_BACK = 20
"""So many findings are asked whether they are of the same cause."""

LEAST_SAID = 0.001

LOOKED_INTO = 200
"""So many odd rows of a burst tell which features made them so."""

GRAVE_SHARE = 0.5
ADVICE = (
    "Look at the odd rows on the outliers page. If a source, a unit or a form has changed, mend "
    "it there. If the world has, let judges label some of these rows and refit."
)
PART_OF_DRIFT = (
    "The same features have drifted: the odd rows are part of that, and the finding of the drift "
    "says more."
)


def look(visit: Visit) -> Iterator[Symptom]:
    """Yield what the periods show that were closed since the last look."""
    note = dict(visit.read_note(MONITOR))
    lengths = lengths_of(visit.rules.period, visit.service.settings.rotation_seconds)
    after = float(note.get("to", max(visit.model.created_at, visit.now - LOOK_BACK_SECONDS)))
    until = float(start_of(visit.now - LATE_SECONDS, lengths[0]))
    again = _imported(visit, note, lengths[-1], after)
    if until <= after and not again:
        return
    yield from _taken_over(visit)
    rates: list[Rate] = kept_rates(note)
    record = read_note(_Record, note)
    for since, end in [*again, (after, until)]:
        for rate in _ended(visit, lengths, since, end):
            yield from _look_at_rate(visit, rate, record)
            rates = [one for one in rates if not one.overlaps(rate)] + [rate]
    rates.sort(key=lambda one: one.ends_at)
    note["rates"] = [astuple(one) for one in rates[-KEPT_RATES:]]
    visit.write_note(MONITOR, {**note, **write_note(record), "to": max(after, until)})


@dataclass(slots=True)
class _Record:
    """What is known of the periods that were looked at."""

    looks: int = 0
    since: float = 0.0
    """When the first began."""
    past: Past = field(default_factory=Past)
    """How many rows were odd in those that were no bursts."""

    def begin(self, rate: Rate) -> float:
        """Count one look more; return which part of a week is known by then."""
        self.since = min(self.since or rate.starts_at, rate.starts_at)
        self.looks += 1
        return min(1.0, (rate.ends_at - self.since) / WEEK)


def _imported(
    visit: Visit, note: dict[str, Any], longest: int, after: float
) -> list[tuple[float, float]]:
    """Return the stretches of time to look at again, and note the imports they are because of."""
    runs = import_runs(visit.store.findings, visit.key)
    new = [(since, until) for run, since, until in runs if run > note.get("run", 0)]
    if runs:
        note["run"] = runs[-1][0]
    return sorted(
        (since, min(after, float(start_of(until, longest) + longest)))
        for since, until in new
        if since < after
    )


def _ended(visit: Visit, lengths: Sequence[int], after: float, until: float) -> Iterator[Rate]:
    """Yield the periods with enough rows that ended in a stretch of time."""
    while after < until:
        starts_at = start_of(after, lengths[-1])
        ends_at = starts_at + lengths[-1]
        windows = visit.store.traffic.windows(visit.key, since=starts_at, until=ends_at)
        yield from rates_of(
            windows, lengths, after=after, until=until, least=visit.rules.least_rows
        )
        after = float(ends_at)


def _look_at_rate(visit: Visit, rate: Rate, record: _Record) -> Iterator[Symptom]:
    known, rules = record.begin(rate), visit.rules
    named = references.bins_of(visit.service, visit.key, visit.champion)
    trained = 0 if named is None else named[1].rows
    usual_when = partial(usual_of, record.past, rows=trained, known=known)
    usual = usual_when()
    alpha = min(rules.chance, allowed(record.looks, DELTA))
    is_one = is_burst(rate, rules, usual, alpha)
    if is_one:
        alike = alike_of(visit, rate.ends_at)
        slowly = usual_when(slowness=alike.slowness)
        is_one = is_burst(rate, rules, slowly, alpha, worth=alike.not_worth)
    if is_one:
        odd = _odd_rows(visit, rate)
        features = main_features(odd)
        names = [name for name, _ in features]
        if _drift_of(visit, names, rate.starts_at, rate.ends_at) is None:
            yield _burst(rate, odd, features, usual.share)
        return
    record.past = record.past.after(rate.outliers, rate.looked_at)
    if is_calm(rate, rules):
        yield Symptom(
            CAUSE,
            "outliers",
            is_present=False,
            at=rate.ends_at,
            sentence=f"{_counted(rate)} odd, which is as few as usual.",
        )


def _burst(rate: Rate, odd: list[Oddity], features: list[tuple[str, int]], usual: float) -> Symptom:
    named = ", ".join(f"{name} ({count:,} of {len(odd):,})" for name, count in features[:3])
    above_all = f", above all in {named}" if named else ""
    return Symptom(
        CAUSE,
        "outliers",
        is_present=True,
        at=rate.ends_at,
        since=rate.starts_at,
        gravity="grave" if rate.share >= GRAVE_SHARE else "warning",
        sentence=(
            f"{_counted(rate)} unlike anything it was trained on{above_all}. About "
            f"{percent(max(usual, LEAST_SAID))} is usual."
        ),
        advice=ADVICE,
        features=tuple(name for name, _ in features),
        evidence={
            "starts_at": rate.starts_at,
            "ends_at": rate.ends_at,
            "looked_at": rate.looked_at,
            "outliers": rate.outliers,
            "share": rate.share,
            "usual_share": usual,
            "features": [
                {"feature": name, "rows": count, "share": count / len(odd)}
                for name, count in features
            ],
            "farthest": max((one.score for one in odd), default=None),
        },
    )


def _counted(rate: Rate) -> str:
    verb = plural(rate.outliers, "is", "are")
    span = f"{bare_time(rate.starts_at)} to {short_time(rate.ends_at)}"
    share = percent(rate.share)
    return f"{rate.outliers:,} of {rate.looked_at:,} rows ({share}) from {span} {verb}"


def _odd_rows(visit: Visit, rate: Rate) -> list[Oddity]:
    newest = visit.store.oddities.recent(
        visit.key, limit=LOOKED_INTO, before=(float(rate.ends_at), "")
    )
    return [one for one, _ in newest if one.predicted_at >= rate.starts_at]


def _taken_over(visit: Visit) -> Iterator[Symptom]:
    """Yield the end of the open finding where drift of the same features was found meanwhile."""
    for ours in visit.store.findings.open(visit.key):
        if ours.cause == CAUSE:
            drift = _drift_of(visit, ours.features, ours.since, ours.updated_at)
            if drift is not None:
                at = max(ours.updated_at, drift.opened_at)
                yield Symptom(CAUSE, "outliers", False, at=at, sentence=PART_OF_DRIFT)


def _drift_of(
    visit: Visit, features: Collection[str], since: float, until: float
) -> Finding | None:
    """Return a finding that all of these features drifted in a stretch of time."""
    for one in visit.store.findings.of_model(visit.key, limit=LOOKED_BACK):
        is_over = one.closed_at is not None and one.closed_at <= since
        is_of_then = one.kind == "drift" and one.since <= until and not is_over
        if is_of_then and features and set(features) <= set(one.features):
            return one
    return None
