"""The monitor page: whether a model is well, and the charts that say why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import render_template, request, url_for

from unrot.core.errors import StoreAway
from unrot.core.records import Finding, Model
from unrot.watch.reports import overview
from unrot.watch.reports.health import gravest_first, snoozed_words
from unrot.watch.reports.overview import Closer, Condition
from unrot.web import spans
from unrot.web.address import TIMES, Address, address_of
from unrot.web.charts.drift import build_period, column_names, excuse_of
from unrot.web.charts.monitor import build_monitor, duration
from unrot.web.current import name_of, service
from unrot.web.pages.models import blueprint
from unrot.web.routes import VIEWER
from unrot.web.spans import SHORTER, AskedRange, Range

KEPT_ARGUMENTS = (*TIMES, "was", "version", "column", "ends")
_SECONDS = re.compile("[0-9]{1,11}")


blueprint.add_app_template_filter(duration)
blueprint.add_app_template_filter(name_of)


@blueprint.page("GET", "/models/<model>/monitor", needs=VIEWER)
def monitor(model: str) -> str:
    """Say whether a model is well, and show why."""
    shelved = service().catalogue().model(model)
    about: dict[str, Any] = {"model": shelved.model}
    try:
        shown = _shown(shelved.model)
    except StoreAway:
        away = overview.unknown()
        return _rendered({**about, "health": away, "is_store_away": True, "refresh": 5})
    return _rendered({**about, **shown})


def _shown(model: Model) -> dict[str, Any]:
    asked = spans.asked(request.args, service().clock())
    version = request.args.get("version") or None
    found = _found(model, asked, version)
    for shorter in () if asked.is_given else SHORTER:
        if not _is_all_within(found, shorter):
            break
        asked = spans.of_range(shorter, service().clock(), is_given=False)
        found = _found(model, asked, version)
    if version is None and not asked.is_given and not found.whole.predictions:
        last = overview.last_predicted_at(service(), model.key)
        asked = asked if last is None else spans.last_week(last)
        found = found if last is None else _found(model, asked, version)
    if not asked.is_given and asked.range == SHORTER[-1]:
        asked = spans.begun(asked, min(point.starts_at for point in found.over_time.points))
        found = replace(found, span=asked.span)
    chosen = _chosen(request.args)
    closer = overview.closer(service(), model.name, *chosen, version) if chosen else None
    return {
        "found": found,
        "health": found.health,
        "now": _now(model, found),
        "shows_drift": bool(chosen) or any(one.kind == "drift" for one in found.open_findings),
        "asked": asked,
        "charts": build_monitor(model, found, _linked, _led, chosen),
        "chosen": chosen,
        "closer": closer,
        "closer_chart": build_period(model.schema, closer) if closer else None,
        "closer_excuse": _excuse(found, closer) if closer else "",
        "refresh": _refresh(asked),
        "report_of": _period(asked),
        "column_names": column_names(model.schema),
    }


def _excuse(found: Condition, closer: Closer) -> str:
    """Say why a column that lies far has not moved all the same."""
    threshold = found.rules.distance_of(closer.drift.column)
    return excuse_of(closer.drift, threshold, closer.check.rows)


@dataclass(frozen=True, slots=True)
class Step:
    """What to do now, where, and since when things are so."""

    sentence: str
    link: str
    address: str
    since: float | None = None


def _now(model: Model, found: Condition) -> Step:
    """Say what to do about how a model is: the gravest open finding comes first."""
    if found.open_findings:
        worst = gravest_first(found.open_findings)[0]
        return Step(
            "see the evidence and what to do about it.", "The finding", _led(worst), worst.since
        )
    versions = url_for("pages.versions", model=model.name)
    if not found.lately.signs.has_champion:
        return Step("promote a version.", "Versions", versions)
    if found.health.state == "well":
        snoozed = snoozed_words(len(found.snoozed_findings)).strip() or "no finding is open."
        return Step(f"nothing; {snoozed}", "All versions", versions)
    ask = url_for("pages.model", model=model.name)
    if not (found.whole.predictions or found.lately.points):
        return Step("make a prediction, and judge its answer.", "Try it", ask)
    return Step("let somebody who knows judge a few answers.", "Try it", ask)


def _refresh(asked: AskedRange) -> int:
    """Return how many seconds the page is left as it is: what is past changes seldom."""
    return asked.range.refresh if asked.range else spans.RANGES[-1].refresh


def _found(model: Model, asked: AskedRange, version: str | None) -> Condition:
    return overview.condition(service(), model.name, asked.span, version=version)


def _is_all_within(found: Condition, shorter: Range) -> bool:
    """Tell whether all that was found happened within a shorter range."""
    since = found.span.until - shorter.seconds
    points = found.over_time.points
    return bool(points) and all(point.starts_at >= since for point in points)


def _chosen(given: Mapping[str, str]) -> tuple[str, float] | None:
    """Return the column, and the end of the period, that somebody looks at closer."""
    ends = given.get("ends", "")
    return (given.get("column", ""), float(ends)) if _SECONDS.fullmatch(ends) else None


def _period(asked: AskedRange) -> dict[str, str]:
    """Return what asks for the same stretch of time."""
    if asked.range is not None:
        return {"range": asked.range.name}
    return {"from": asked.from_text, "to": asked.to_text}


def _linked(column: str, ends_at: float) -> str:
    return _here()(column=column, ends=f"{ends_at:.0f}") + "#period"


def _led(found: Finding) -> str:
    return url_for("pages.finding", model=name_of(found.model), id=found.id)


def _here() -> Address:
    return address_of("pages.monitor", KEPT_ARGUMENTS.__contains__)


def _rendered(context: Mapping[str, Any]) -> str:
    return render_template("watch/monitor.html", address=_here(), **context)
