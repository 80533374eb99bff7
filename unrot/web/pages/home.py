"""The home page: all models, the worst first, and those that somebody looks for.

Who may not see findings is told by verdicts alone how a model is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from flask import Response, render_template, request

from unrot.core.errors import StoreAway
from unrot.core.plurals import counted, plural
from unrot.core.records import Model, RemovedModel
from unrot.make.models import list_undoable
from unrot.watch.heads import head_of
from unrot.watch.reports.fleet import Glance, fleet
from unrot.watch.reports.health import STATE_WORDS, State, gravest_first
from unrot.watch.reports.signs import FEWEST_VERDICTS
from unrot.web import security
from unrot.web.api.envelope import plain
from unrot.web.charts.spark import Spark, spark
from unrot.web.current import service
from unrot.web.pages.models import blueprint
from unrot.web.routes import ANYONE
from unrot.web.wording import percent, rough, together

LONGEST_SEARCH = 200
NOT_KNOWN = "–"
SAID: Mapping[State, tuple[str, str]] = {
    "ill": ("is in trouble", "are in trouble"),
    "look": ("needs a look", "need a look"),
    "well": ("is healthy", "are healthy"),
}
"""What is said of how many models, the worst first."""


@dataclass(frozen=True, slots=True)
class Row:
    """What is said of a model."""

    glance: Glance
    problem: str
    age: float
    """Of its champion, in seconds."""
    last_verdict: float | None
    """How long that is ago."""

    @property
    def model(self) -> Model:
        """The model."""
        return self.glance.shelved.model

    @property
    def state(self) -> State:
        """How it is; what its machine cannot load is to be looked at."""
        is_calm = self.glance.state in ("well", "unknown")
        return "look" if self.problem and is_calm else self.glance.state

    @property
    def word(self) -> str:
        """Say how it is."""
        glance = self.glance
        if glance.champion is None:
            return "Cannot be asked"
        if self.state != "unknown":
            return STATE_WORDS[self.state]
        if not glance.hours:
            return "Not known now"
        if not glance.last_verdicts:
            return "No verdicts yet" if glance.predictions else "Not asked lately"
        is_few = len(glance.last_verdicts) < FEWEST_VERDICTS
        return "Few verdicts" if is_few else STATE_WORDS["unknown"]

    @property
    def found(self) -> str:
        """Say what was found, the gravest, and how much is snoozed."""
        worst = gravest_first(self.glance.findings)[:1]
        snoozed = self.glance.snoozed
        told = [together(head_of(one, self.model.schema)) for one in worst]
        return " · ".join([*told, *([f"{snoozed} snoozed"] if snoozed else [])])

    @property
    def figure(self) -> str:
        """Write how right it is, or how far off."""
        mean = self.glance.mean
        if mean is None:
            return NOT_KNOWN
        return percent(mean) if self.model.schema.is_classifier else rough(mean)

    @property
    def verdicts(self) -> str:
        """Say how many verdicts that is of, and who gave them."""
        glance = self.glance
        if not glance.hours or glance.champion is None:
            return ""
        noun = "verdict" if self.model.schema.is_classifier else "true value"
        if not glance.last_verdicts or glance.signs.whose is None:
            return f"no {noun}s on {glance.champion.name} yet"
        many = counted(len(glance.last_verdicts), noun)
        return f"{many} on {glance.champion.name}, {glance.signs.whose.words}"

    @property
    def accuracy(self) -> Spark:
        """Draw how right it was over its last verdicts, or how far off."""
        curve, is_classifier = self.glance.curve, self.model.schema.is_classifier
        if not curve:
            return Spark()
        says = percent if is_classifier else rough
        told = (
            f"Of each ten verdicts in a row: from {says(curve[0])} to {says(curve[-1])}, "
            f"between {says(min(curve))} and {says(max(curve))}."
        )
        return spark(curve, told, low=0.0, high=1.0 if is_classifier else None)

    @property
    def traffic(self) -> Spark:
        """Draw how often it was asked, hour by hour."""
        hours = self.glance.hours
        if not any(hours):
            return Spark()
        most = counted(max(hours), "prediction")
        return spark(hours, f"Hour by hour: at most {most} in one, {hours[-1]:,} in this.", low=0.0)


@blueprint.page("GET", "/", needs=ANYONE)
def home() -> Response:
    """Show all models to a browser; tell a program, as KServe's does, that this lives."""
    answer = plain({"status": "alive"}) if is_program() else Response(_page(), mimetype="text/html")
    answer.vary.add("Accept")
    return answer


def _page() -> str:
    """Show all models, the worst first, or those that are looked for."""
    contents, now = service().catalogue(), service().clock()
    service().check_known(contents)
    words = request.args.get("q", "").strip()[:LONGEST_SEARCH]
    tag = request.args.get("tag", "").strip()[:LONGEST_SEARCH]
    models = [shelved.model for shelved in contents.models.values()]
    wanted = [one for one in contents.models.values() if is_found(one.model, words, tag)]
    glances = fleet(service(), wanted, shows_findings=security.may("viewer"))
    rows = [_row(glance, contents.problems, now) for glance in glances]
    return render_template(
        "home.html",
        rows=rows,
        count=len(models),
        summary=summary(rows),
        words=words,
        tag=tag,
        tags=sorted({name for model in models for name in model.tags}),
        near="" if rows else nearest(models, words),
        is_store_away=any(not row.glance.hours for row in rows),
        undoable=_undoable() if security.may("operator") else [],
    )


def is_program() -> bool:
    """Tell a program from a browser, which names HTML among what it takes."""
    accepted = request.headers.get("Accept", "")
    return bool(accepted) and "text/html" not in accepted.lower()


def _undoable() -> list[RemovedModel]:
    """Return the models that can be brought back; none while the store is away."""
    try:
        return list_undoable(service())
    except StoreAway:
        return []


def is_found(model: Model, words: str, tag: str) -> bool:
    """Tell whether a model has a tag, and each of some words in what is written of it."""
    if tag and tag not in model.tags:
        return False
    written = " ".join((model.name, model.title, model.description, *model.tags)).casefold()
    return all(word in written for word in words.casefold().split())


def summary(rows: Sequence[Row]) -> str:
    """Say how many models are how, the worst first; nothing where little is known of all."""
    counts = Counter(row.state for row in rows)
    told = [
        f"{counts[state]:,} {plural(counts[state], *SAID[state])}"
        for state in SAID
        if counts[state]
    ]
    if told and counts["unknown"]:
        told.append(f"{counts['unknown']:,} not known yet")
    return f"{counted(len(rows), 'model')}" + (f": {', '.join(told)}." if told else ".")


def nearest(models: Sequence[Model], words: str) -> str:
    """Return the model that is called most like what was looked for, if one is."""
    called = {name.casefold(): model.name for model in models for name in _names(model)}
    return next((called[one] for one in get_close_matches(words.casefold(), called, n=1)), "")


def _names(model: Model) -> tuple[str, ...]:
    return (model.name, model.title) if model.title else (model.name,)


def _row(glance: Glance, problems: Mapping[str, str], now: float) -> Row:
    made_at = glance.champion.created_at if glance.champion else now
    said_at = glance.last_verdict_at
    return Row(
        glance,
        problems.get(glance.shelved.model.name, ""),
        now - made_at,
        None if said_at is None else now - said_at,
    )
