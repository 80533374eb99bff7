"""The pages of profiles: which there are, and up to three of them over each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from flask import Response, make_response, render_template, request, url_for

from unrot.core.errors import UnrotError
from unrot.core.records import (
    CHAMPION,
    OUTPUT_PROBABILITY,
    OUTPUT_VALUE,
    CountedStretch,
    Model,
    ModelKey,
    Profile,
)
from unrot.core.time import LATEST, WEEK
from unrot.serve.shelf import ShelvedModel
from unrot.watch.heads import called
from unrot.watch.monitors.drift.periods import SECONDS, Period, length_of, parted
from unrot.watch.profiles.distributions import quantiles_of
from unrot.watch.reports import distributions as distributions_view
from unrot.watch.reports import periods
from unrot.watch.reports.distributions import TRAINING, Beside, Column
from unrot.watch.reports.periods import Portrait
from unrot.web import moments
from unrot.web.charts.axes import brief, stretch
from unrot.web.charts.chart import Chart
from unrot.web.charts.distribution import Part, distributions
from unrot.web.charts.explorer import labels
from unrot.web.current import service
from unrot.web.errors import status_of
from unrot.web.pages.models import blueprint
from unrot.web.routes import VIEWER

PERIODS_A_PAGE = 12
COLUMNS_A_PAGE = 8
MOST_FILES = 500
MOST_TRAINED = 3
_WORDS = {"called": called, "brief": brief, "quantiles_of": quantiles_of}
LENGTHS = {"kept": 1, **SECONDS}
"""How profiles are put together in the list: as they are kept, or by hours, days, weeks."""


@dataclass(frozen=True, slots=True)
class Line:
    """One period of the list."""

    word: str
    title: str
    rows: int
    passed_over: int
    """Rows besides that were not looked at, because the background worker was behind."""
    versions: Sequence[str]
    files: Sequence[Profile]
    can_be_shown: bool


@blueprint.page("GET", "/models/<model>/profiles", needs=VIEWER)
def profiles(model: str) -> Response:
    """List the profiles by period, and lay the chosen ones over each other."""
    shelved = service().catalogue().model(model)
    said: dict[str, Any] = {"model": shelved.model, "problem": "", "found": None}
    code = 200
    try:
        said |= _shown(shelved)
    except UnrotError as error:
        said["problem"], code = error.message, status_of(error)
    return make_response(render_template("profiles.html", **said, **_WORDS), code)


@blueprint.page("GET", "/models/<model>/profiles/<id>.bin", needs=VIEWER)
def profile_download(model: str, id: str) -> Response:
    """Hand a profile out as the file that whylogs reads."""
    found = periods.profile(service(), model, id)
    answer = Response(found.data, mimetype="application/octet-stream")
    answer.headers.set("Content-Disposition", "attachment", filename=f"{id}.bin")
    return answer


def _shown(shelved: ShelvedModel) -> dict[str, Any]:
    model = shelved.model
    stretches = service().store.profiles.stretches(model.key)
    length = request.args.get("by", "")
    length = length if length in LENGTHS else _usual_length(model.key, stretches)
    listed = parted(stretches, LENGTHS[length])[::-1]
    lines, older = _lines(model, _merged(listed))
    found = distributions_view.beside(service(), model.name, _chosen(shelved, lines))
    names = [_title(word, one) for word, one in zip(found.words, found.portraits, strict=True)]
    rules = service().store.findings.rules(model.key)
    first = _page() * COLUMNS_A_PAGE
    shown = found.columns[first : first + COLUMNS_A_PAGE]
    return {
        "found": found,
        "names": names,
        "by": length,
        "lines": lines,
        "older": None if older is None else _address(before=older),
        "is_newest": "before" not in request.args,
        "newest": _address(before=None),
        "versions": [f"{TRAINING}:{name}" for name in _trained(shelved)],
        "drawn": [_drawn(model, number, one, found, names) for number, one in enumerate(shown)],
        "unwatched": {name for name, rule in rules.features.items() if not rule.is_watched},
        "first": first,
        "next": _address(page=_page() + 1) if first + len(shown) < len(found.columns) else None,
        "before": _address(page=_page() - 1 or None) if _page() else None,
    }


def _usual_length(model: ModelKey, stretches: Sequence[CountedStretch]) -> str:
    """Return how profiles are put together where nobody says: as drift is looked for.

    Where no period has rows enough for that they are listed as they are kept.
    """
    rules, rotation = service().store.findings.rules(model), service().settings.rotation_seconds
    seconds = length_of(stretches, rules, rotation=rotation, now=service().clock())
    most = max((one.rows for one in parted(stretches, seconds)), default=0)
    named = {known: name for name, known in SECONDS.items()}
    longest = "week" if seconds > WEEK else "kept"
    return named.get(seconds, longest) if most >= rules.least_rows else "kept"


def _merged(listed: Sequence[Period]) -> list[list[Period]]:
    """Put periods of the same time together that were counted on other bins."""
    same: dict[tuple[float, float], list[Period]] = defaultdict(list)
    for one in listed:
        same[one.starts_at, one.ends_at].append(one)
    return list(same.values())


def _lines(model: Model, listed: list[list[Period]]) -> tuple[list[Line], float | None]:
    """Return a page of the list, newest first, and where the next one begins."""
    before = moments.moment("before", LATEST)
    left = [of for of in listed if of[0].starts_at < before]
    page = left[:PERIODS_A_PAGE]
    older = page[-1][0].starts_at if len(left) > len(page) else None
    files = _files(model, page)
    return [_line(of, files) for of in page], older


def _files(model: Model, page: list[list[Period]]) -> list[Profile]:
    """Return the profiles of a page; of very many none are listed one by one."""
    if not page:
        return []
    until = page[0][0].ends_at
    since = page[-1][0].starts_at
    count = sum(len(one.stretches) for of in page for one in of)
    if count > MOST_FILES:
        return []
    return service().store.profiles.of_model(model.key, since=since, until=until)


def _line(of: list[Period], files: Sequence[Profile]) -> Line:
    since, until = of[0].starts_at, of[0].ends_at
    return Line(
        word=distributions_view.word_of(since, until),
        title=stretch(since, until),
        rows=sum(one.rows for one in of),
        passed_over=sum(each.passed_over for one in of for each in one.stretches),
        versions=sorted({each.version for one in of for each in one.stretches}),
        files=[one for one in files if since <= one.starts_at < until],
        can_be_shown=any(one.reference for one in of),
    )


def _trained(shelved: ShelvedModel) -> list[str]:
    """Return the champion, and the newest versions besides."""
    champion = shelved.aliases.get(CHAMPION)
    others = [name for name in reversed(list(shelved.versions)) if name != champion]
    first = [champion] if champion and champion in shelved.versions else []
    return [*first, *others][:MOST_TRAINED]


def _chosen(shelved: ShelvedModel, lines: Sequence[Line]) -> list[str]:
    """Return the words that are ticked; without any the training beside the newest period."""
    words = [word for word in request.args.getlist("pick") if word]
    if moments.has_any("from", "until"):
        since, until = moments.stretch("from", "until", usual=(0.0, service().clock()))
        words.append(distributions_view.word_of(since, until))
    newest = next((line.word for line in lines if line.can_be_shown), None)
    usual = [f"{TRAINING}:{name}" for name in _trained(shelved)[:1]]
    return words or [*usual, *([newest] if newest else [])]


def _drawn(
    model: Model, number: int, of: Column, found: Beside, names: Sequence[str]
) -> tuple[Column, Chart, list[str]]:
    """Draw a column; the answers of a training are those to its test set, and are called so."""
    titles = list(names)
    if of.name not in model.schema.names:
        titles = [
            name.replace("training of", "test set of", 1) if _has_fresh_answers(one) else name
            for name, one in zip(names, found.portraits, strict=True)
        ]
    return of, _chart(model, number, of, titles), titles


def _has_fresh_answers(one: Portrait) -> bool:
    shape = (OUTPUT_PROBABILITY, OUTPUT_VALUE)
    return any(name in one.summary and name not in one.unfair for name in shape)


def _chart(model: Model, number: int, of: Column, names: Sequence[str]) -> Chart:
    feature = next((one for one in model.schema.features if one.name == of.name), None)
    parts = [
        Part(name, replace(one, choices=labels(of.name, one.choices, model.schema)))
        for name, one in zip(names, of.distributions, strict=True)
        if one is not None
    ]
    kinds = {one.distribution.kind for one in parts}
    title, unit = called(of.name, model.schema), "" if feature is None else feature.unit
    if len(kinds) > 1:
        parts = parts[:1]
    return distributions(f"column-{number}", title, parts, unit=unit)


def _title(word: str, one: Portrait) -> str:
    ends = distributions_view.stretch_of(word)
    if ends is not None:
        return stretch(*ends)
    if one.starts_at is None or one.ends_at is None:
        return one.title
    return f"{one.title}, {stretch(one.starts_at, one.ends_at)}"


def _page() -> int:
    text = request.args.get("page", "0")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else 0


def _address(**changed: Any) -> str:
    """Return the address of this page with something changed; None takes a word away."""
    kept = [
        (name, value)
        for name in ("pick", "by", "before", "from", "until")
        for value in request.args.getlist(name)
        if value and name not in changed
    ]
    kept += [(name, value) for name, value in changed.items() if value is not None]
    path = url_for("pages.profiles", **(request.view_args or {}))
    return f"{path}?{urlencode(kept)}" if kept else path
