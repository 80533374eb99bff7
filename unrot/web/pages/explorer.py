"""The explorer: two features, a good period beside a bad one, and a version on its test set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, make_response, render_template, request

from unrot.core.errors import Conflict, Invalid, NotFound, StoreAway, UnrotError
from unrot.core.records import CHAMPION, Model, Schema
from unrot.watch import holdout
from unrot.watch.heads import called
from unrot.watch.reports import explorer as exploring
from unrot.watch.reports.explorer import Explored, ExplorerQuery
from unrot.watch.statistics.class_report import ClassReport
from unrot.web import spans
from unrot.web.address import TIMES, address_of
from unrot.web.charts import explorer as explorer_charts
from unrot.web.charts.confusion import build_confusion
from unrot.web.charts.grid import Grid
from unrot.web.current import service
from unrot.web.errors import status_of
from unrot.web.explorer_query import LIMITS, PRESETS, asked_of
from unrot.web.pages.models import blueprint
from unrot.web.routes import VIEWER

ROWS_A_PAGE = 20
PICKED_A_SIDE = 10
RIGHT = ("right", "right_from", "right_until")
"""What another time takes the place of."""
ENDS = ("left_from", "left_until", "right_from", "right_until")
ASKED = (*TIMES, "x", "y", "left", "right", *ENDS, "version", "unjudged", "finding", *LIMITS)
"""What the address of the explorer holds; what else stands in it is dropped."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of the rows of a test set."""

    rows: tuple[holdout.Held, ...]
    first: int
    of: int
    page: int
    is_all: bool

    @property
    def pages(self) -> int:
        """How many there are."""
        return max(1, -(-self.of // ROWS_A_PAGE))


@blueprint.page("GET", "/models/<model>/explorer", needs=VIEWER)
def explorer(model: str) -> Response:
    """Show where a model goes wrong: by any two features, in two periods, on its test set."""
    shelved = service().catalogue().model(model)
    said: dict[str, Any] = {"model": shelved.model, "problem": "", "found": None}
    given, code = _kept(request.args), 200
    try:
        found, said["problem"], code = _explored(model, given)
        if request.headers.get("X-Fragment") == "1":
            return _fragment(found)
        version = given.get("version") if not said["problem"] else None
        said |= {**_shown(found), **_holdout(shelved.model, version)}
        said["versions"] = _versions(model)
    except StoreAway as error:
        said["problem"], code = error.message, status_of(error)
    page = render_template(
        "explorer.html",
        **said,
        given=given,
        here=address_of("pages.explorer", ASKED.__contains__),
        timed=address_of("pages.explorer", [one for one in ASKED if one not in RIGHT].__contains__),
        asked=spans.shown(given, service().clock()),
        written=spans.written,
    )
    return make_response(page, code)


def _explored(model: str, given: Mapping[str, str]) -> tuple[Explored, str, int]:
    """Explore what is asked for; what cannot be is said, and the usual is shown instead."""
    try:
        return exploring.explore(service(), model, asked_of(given, service().clock())), "", 200
    except (Invalid, NotFound, Conflict) as error:
        usual = exploring.explore(service(), model, ExplorerQuery())
        return usual, error.message, status_of(error)


def _fragment(found: Explored) -> Response:
    answer = make_response(render_template("_picked.html", **_words(found)))
    answer.headers["X-Fragment"] = "1"
    return answer


def _shown(found: Explored) -> dict[str, Any]:
    left, right = explorer_charts.build_scatters(found)
    return {
        **_words(found),
        "left": left,
        "right": right,
        "periods": {
            preset: explorer_charts.period(found.spans[preset], found.finding)
            for preset in PRESETS
            if preset in found.spans
        },
        "columns": _columns(found.model.schema),
        "labels": explorer_charts.labels,
        "period": explorer_charts.period,
        "called": called,
    }


def _words(found: Explored) -> dict[str, Any]:
    """Return what the rows of a range are shown with."""
    return {
        "found": found,
        "model": found.model,
        "picked": explorer_charts.picked(found),
        "picked_a_side": PICKED_A_SIDE,
    }


def _columns(schema: Schema) -> list[tuple[str, list[str]]]:
    """Return the columns to choose from, under headings."""
    outputs = [one for one in exploring.outputs_of(schema) if one not in schema.names]
    return [("Features", list(schema.names)), ("What the model answered", outputs)]


def _versions(model: str) -> list[tuple[str, str]]:
    key = service().catalogue().model(model).model.key
    aliases = service().aliases(key)
    return [
        (one.name, f"{one.name} (champion)" if aliases.get(CHAMPION) == one.name else one.name)
        for one in reversed(service().versions(key))
        if not one.is_pruned
    ]


def _holdout(model: Model, version: str | None) -> dict[str, Any]:
    """Return a version on its test set, or the sentence that says why there is none."""
    try:
        found = holdout.holdout(service(), model.name, version)
        if found is None:
            return {
                "holdout": None,
                "no_holdout": "It has no test set: no row was set apart when it was trained.",
            }
        return {
            "holdout": found,
            "matrix": _matrix(found, model.schema),
            "listed": _listed(found),
        }
    except StoreAway:
        raise
    except UnrotError as error:
        return {"holdout": None, "no_holdout": error.message}


def _matrix(found: holdout.Holdout, schema: Schema) -> Grid | None:
    if not isinstance(found.report, ClassReport):
        return None
    answered = {
        label: {
            truth: found.report.confusion[down][across] for down, truth in enumerate(schema.classes)
        }
        for across, label in enumerate(schema.classes)
    }
    title = "What was answered, and what was true"
    return build_confusion("holdout", title, answered, schema, has_scores=False)


def _listed(found: holdout.Holdout) -> Listed:
    is_all = request.args.get("rows") == "all"
    rows = found.rows if is_all else found.wrong
    pages = max(1, -(-len(rows) // ROWS_A_PAGE))
    page = min(_page(request.args.get("page", "1")), pages)
    first = (page - 1) * ROWS_A_PAGE
    return Listed(tuple(rows[first : first + ROWS_A_PAGE]), first, len(rows), page, is_all)


def _page(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 7 else 1


def _kept(given: Mapping[str, str]) -> dict[str, str]:
    return {name: given[name] for name in ASKED if given.get(name)}
