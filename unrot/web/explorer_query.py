"""What the explorer is asked for, from a query string: the page and the API read it alike.

x, y                          two columns: features, output.class, output.probability, …
left, right                   holdout, before, since, first, last, newest or times
left_from, left_until, …      when the period is "times": moments, UTC
range, or from and to         the period on the right, where nothing else is said of it
version, unjudged, finding    one version alone; rows without a verdict too; which finding
x_from, x_to, y_from, y_to    the part that is looked at closely
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import get_args

from unrot.core.errors import wrong_field
from unrot.watch.reports.explorer import ExplorerQuery, Preset, Span
from unrot.web import moments, spans
from unrot.web.predictions_query import is_yes

LIMITS = ("x_from", "x_to", "y_from", "y_to")
PRESETS: tuple[Preset, ...] = get_args(Preset)


def asked_of(given: Mapping[str, str], now: float) -> ExplorerQuery:
    """Read what to show."""
    return ExplorerQuery(
        x=given.get("x") or None,
        y=given.get("y") or None,
        left=_span(given, "left"),
        right=_span(given, "right") or _shown(given, now),
        version=given.get("version") or None,
        with_unjudged=is_yes(given, "unjudged"),
        finding=given.get("finding") or None,
        limits={name: given[name] for name in LIMITS if given.get(name)},
    )


def _span(given: Mapping[str, str], side: str) -> Span | None:
    named = given.get(side) or None
    first, last = f"{side}_from", f"{side}_until"
    if named is None and not moments.has_any(first, last):
        return None
    found = next((one for one in PRESETS if one == (named or "times")), None)
    if found is None:
        raise wrong_field(side, named or "", f"one of {', '.join(PRESETS)}")
    if found != "times":
        return Span(found)
    since = moments.moment(first, 0.0)
    return Span(found, since, moments.moment(last, inf))


def _shown(given: Mapping[str, str], now: float) -> Span | None:
    period = spans.period_of(given, now)
    return None if period is None else Span("times", *period)
