"""The stretch of time that the pages of a model show: one of five, or from one moment to another.

All of them keep it in their address as `range`, or as `from` and `to`, which are UTC. The monitor
shows it in whole steps (`asked`), lists of rows to the second (`period_of`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf

from unrot.core.errors import wrong_field
from unrot.core.records import Finding
from unrot.core.time import DAY, HOUR, MINUTE, MOMENT_EXPECTED, short_time, utc
from unrot.watch.reports.overview import Span, step_of
from unrot.web import moments

SHORTEST = 4 * MINUTE
BEFORE, AFTER = 6, 4


@dataclass(frozen=True, slots=True)
class Range:
    """One of the stretches of time that are offered; it ends now."""

    name: str
    label: str
    words: str
    seconds: int
    step: int
    refresh: int
    """So many seconds the page stays as it is, at least, when something is new."""


RANGES = (
    Range("minutes", "10 minutes", "the last 10 minutes", 10 * MINUTE, MINUTE, 2),
    Range("hour", "Last hour", "the last hour", HOUR, MINUTE, 5),
    Range("day", "24 hours", "the last 24 hours", DAY, 900, 5),
    Range("week", "7 days", "the last 7 days", 7 * DAY, 2 * HOUR, 30),
    Range("month", "30 days", "the last 30 days", 30 * DAY, 8 * HOUR, 60),
)
DEFAULT = RANGES[2]
SHORTER = (RANGES[1], RANGES[0])
"""Shown instead, one after the other, when nothing is known of before."""


@dataclass(frozen=True, slots=True)
class AskedRange:
    """What was asked for: a range that ends now, or two moments; and what was wrong with it."""

    span: Span
    range: Range | None
    """None when two moments were given."""
    is_given: bool
    """False when nothing was asked, so that a better range may be taken."""
    from_text: str
    to_text: str
    problem: str = ""


def asked(given: Mapping[str, str], now: float) -> AskedRange:
    """Read `range`, or `from` and `to`, which are UTC as a field for them writes them."""
    if given.get("from") or given.get("to"):
        return _between(given.get("from", ""), given.get("to", ""), now)
    named = {one.name: one for one in RANGES}
    name = given.get("range", "")
    return of_range(named.get(name, DEFAULT), now, is_given=name in named)


def period_of(given: Mapping[str, str], now: float) -> tuple[float, float] | None:
    """Return the same stretch to the second, None where none is asked for; raise Invalid.

    Without `from` it begins with all, without `to` it has no end.
    """
    if not any(given.get(name) for name in ("from", "to")):
        name = given.get("range") or None
        found = next((one for one in RANGES if one.name == name), None)
        if name is not None and found is None:
            raise wrong_field("range", name, f"one of {', '.join(one.name for one in RANGES)}")
        span = None if found is None else of_range(found, now).span
        return None if span is None else (span.since, span.until)
    since, until = _moment(given, "from", 0.0), _moment(given, "to", inf)
    if since >= until:
        raise wrong_field("to", given.get("to"), "a time after from")
    return since, until


def shown(given: Mapping[str, str], now: float) -> AskedRange:
    """Return what was asked for as a form shows it: as it was typed, to the minute."""
    typed = [read(given.get(name, "")) for name in ("from", "to")]
    first, last = ("" if at is None else written(at) for at in typed)
    return replace(asked(given, now), problem="", from_text=first, to_text=last)


def of_range(range: Range, now: float, *, is_given: bool = True, problem: str = "") -> AskedRange:
    """Return the steps of a range that end with the one that now is in."""
    until = (now // range.step + 1) * range.step
    span = Span(until - range.seconds, until, range.step, range.words)
    return AskedRange(span, range, is_given, written(span.since), written(span.until), problem)


def last_week(at: float) -> AskedRange:
    """Return the week that ends with the last prediction: there is nothing to see after it."""
    step = RANGES[3].step
    until = (at // step + 1) * step
    words = f"the week until {short_time(at)}, when it was last asked"
    span = Span(until - RANGES[3].seconds, until, step, words)
    return AskedRange(span, None, False, written(span.since), written(until))


def begun(asked: AskedRange, first: float) -> AskedRange:
    """Let the shortest range begin with the traffic, so that a model of now fills its charts."""
    latest = asked.span.until - SHORTEST
    since = max(asked.span.since, min(first, latest))
    return replace(asked, span=replace(asked.span, since=since))


def around(found: Finding, now: float, *, least: float = MINUTE, far: int = 1) -> Span:
    """Return the time around a finding, measured by how long it took to be noticed.

    Six times that before, or as many times more as `far` says, and four times after it was over.
    """
    unit = max(least, found.opened_at - found.since)
    ended = max(found.closed_at or found.updated_at, found.opened_at)
    since = max(0.0, found.since - BEFORE * far * unit)
    until = min(ended + AFTER * unit, max(now, ended))
    step = step_of(until - since)
    return Span(since // step * step, -(-until // step) * step, step, "the time around it")


def written(at: float) -> str:
    """Write a moment as a field of a form takes it.

    >>> written(0)
    '1970-01-01T00:00'
    """
    return utc(at).strftime("%Y-%m-%dT%H:%M")


def _between(first: str, last: str, now: float) -> AskedRange:
    since, until = read(first), read(last) if last else now
    if since is None or until is None:
        wrong = first if since is None else last
        shown = f'"{wrong[:40]}"' if wrong else "nothing"
        return of_range(
            DEFAULT, now, problem=f"{shown} is no time: write it such as {written(now)}, in UTC."
        )
    if since >= until:
        problem = "The first moment has to be before the last one."
        return of_range(DEFAULT, now, problem=problem)
    step = step_of(until - since)
    since, until = since // step * step, -(-until // step) * step
    span = Span(since, until, step, "the time shown")
    return AskedRange(span, None, True, written(since), written(until))


def _moment(given: Mapping[str, str], name: str, usual: float) -> float:
    text = given.get(name, "").strip()
    if text and (at := read(text)) is None:
        raise wrong_field(name, text, MOMENT_EXPECTED)
    return at if text and at is not None else usual


def read(text: str) -> float | None:
    """Read a moment; None for what is none."""
    try:
        return moments.read(text.strip())
    except ValueError:
        return None
