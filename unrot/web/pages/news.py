"""What is new of a model, or of all of them: small enough to be asked for every few seconds.

An open page asks here by a script, and loads its own address again only when the `word` is another
one. One look at the store serves all pages that are open for `LOOK_SECONDS`, and what is as it was
is answered with 304. The sentences are here, so that the script says what it has not had before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import orjson
from flask import Response, current_app, request
from markupsafe import Markup

from unrot.core.errors import StoreAway
from unrot.core.newest import Newest
from unrot.core.records import CHAMPION, JOB_WORDS, Finding, Job
from unrot.core.time import DAY, HOUR
from unrot.serve.service import Service
from unrot.serve.shelf import Contents, ShelvedModel
from unrot.watch.heads import head_of
from unrot.web import security
from unrot.web.current import service
from unrot.web.pages.models import blueprint
from unrot.web.routes import ANYONE, VIEWER

LOOK_SECONDS = 2.0
MOST_KEPT = 1_000
_TOKEN = re.compile(r'name="csrf_token" value="[^"]*"')
Facts = dict[str, tuple[str, str]]
"""Under a name what is said when a fact appears, and when it goes; "" where nothing is."""


@dataclass(frozen=True, slots=True)
class News:
    """How things are: the word is another one as soon as a page would say something else."""

    word: str
    facts: Facts = field(default_factory=dict)
    verdicts: int | None = None
    """Those that were given today, where they are counted."""
    sees: str = ""
    """Who is told this; another reader is told other things, and nothing of them is new."""

    @property
    def body(self) -> bytes:
        """Write it as the script reads it."""
        return orjson.dumps(
            {"word": self.word, "facts": self.facts, "verdicts": self.verdicts, "sees": self.sees}
        )


class Looks:
    """The last look at each model: all who ask at about the same time share it."""

    def __init__(self) -> None:
        self._kept: Newest[str, tuple[float, News]] = Newest(MOST_KEPT)

    def at(self, name: str, now: float, look: Callable[[], News]) -> News:
        """Return what was seen a moment ago, or look; meanwhile others are told the last news."""
        kept = self._kept.get(name)
        if kept is not None:
            if 0 <= now - kept[0] < LOOK_SECONDS:
                return kept[1]
            self._kept.keep(name, (now, kept[1]))
        return self._kept.keep(name, (now, look()))[1]


@blueprint.page("GET", "/news", needs=ANYONE)
def news() -> Response:
    """Say what is new of all models."""
    sees_findings = security.may("viewer")
    return _answer(f" {sees_findings}", lambda: news_of_all(service(), sees_findings))


@blueprint.page("GET", "/models/<model>/news", needs=VIEWER)
def news_of(model: str) -> Response:
    """Say what is new of a model."""
    name = service().catalogue().model(model).model.name
    return _answer(name, lambda: news_of_model(service(), name))


def news_of_model(service: Service, name: str) -> News:
    """Look at a model: who answers, what was counted, what is open, what is being learnt."""
    contents = service.catalogue()
    shelved, now = contents.model(name), service.clock()
    facts = _of_versions(shelved)
    try:
        tally, key = service.today(name), shelved.model.key
        found = service.store.findings.open(key)
        jobs = service.store.jobs.of_model(key, 1)
        verdicts = service.store.traffic.count_given(key, now // DAY * DAY, now + DAY)
    except StoreAway:
        return _away(contents, facts)
    facts |= _of_findings(found, shelved) | _of_jobs(jobs)
    seen = [_of_job(job) for job in jobs]
    word = _word(contents.generation, tally, found, seen, verdicts)
    return News(word, facts, verdicts, sees=name)


def news_of_all(service: Service, sees_findings: bool) -> News:
    """Look at all models: who answers, what the last hours counted, what is open."""
    contents = service.catalogue()
    facts: Facts = {}
    for shelved in contents.models.values():
        facts |= _named(shelved, _of_champion(shelved))
    try:
        marks = service.store.traffic.marks_of_all(service.clock() - HOUR)
        found = service.store.findings.open() if sees_findings else []
    except StoreAway:
        return _away(contents, facts)
    for shelved in contents.models.values():
        own = [one for one in found if one.model == shelved.model.key]
        facts |= _named(shelved, _of_findings(own, shelved))
    word = _word(contents.generation, sorted(marks.items()), found)
    return News(word, facts, sees="findings" if sees_findings else "")


def _away(contents: Contents, facts: Facts) -> News:
    said = ("The store does not answer.", "The store answers again.")
    return News(_word(contents.generation, "away"), {**facts, "away": said}, sees="away")


def _of_versions(shelved: ShelvedModel) -> Facts:
    newest = max(shelved.versions.values(), key=lambda one: one.created_at, default=None)
    made = {f"version {newest.name}": (f"Version {newest.name} was made.", "")} if newest else {}
    return made | _of_champion(shelved)


def _of_champion(shelved: ShelvedModel) -> Facts:
    name = shelved.aliases.get(CHAMPION)
    return {f"champion {name}": (f"Version {name} is the champion now.", "")} if name else {}


def _of_findings(found: Iterable[Finding], shelved: ShelvedModel) -> Facts:
    heads = {one.id: head_of(one, shelved.model.schema) for one in found}
    return {
        f"finding {id}": (f"New finding: {head}.", f"A finding is over: {head}.")
        for id, head in heads.items()
    }


def _of_jobs(jobs: Iterable[Job]) -> Facts:
    ends = {"done": "Done: {}.", "failed": "A job failed: {}.", "queued": "", "running": ""}
    return {
        f"job {job.id} {job.state}": (ends[job.state].format(JOB_WORDS[job.kind]), "")
        for job in jobs
    }


def _of_job(job: Job) -> tuple[Any, ...]:
    return job.id, job.state, job.is_cancelling


def _named(shelved: ShelvedModel, facts: Facts) -> Facts:
    """Say of which model facts are."""
    called = shelved.model.title or shelved.model.name
    return {
        f"{shelved.model.name} {name}": (
            f"{called}: {said[0].lower()}{said[1:]}",
            f"{called}: {gone[0].lower()}{gone[1:]}" if gone else "",
        )
        for name, (said, gone) in facts.items()
    }


def _word(*seen: Any) -> str:
    return blake2b(repr(seen).encode(), digest_size=8).hexdigest()


def _answer(name: str, look: Callable[[], News]) -> Response:
    looks: Looks = current_app.extensions["news"]
    body = looks.at(name, service().clock(), look).body
    answer = Response(body, mimetype="application/json")
    answer.headers["Cache-Control"] = "no-store"
    answer.add_etag()
    answer.make_conditional(request)
    return answer


# ── parts of pages ───────────────────────────────────────────────────────────────────────────


@blueprint.app_template_filter()
def fingerprint(part: str | Markup) -> str:
    """Return a word that changes when a part of a page does, whatever masks its token of forms."""
    return blake2b(_TOKEN.sub("", str(part)).encode(), digest_size=8).hexdigest()


@blueprint.app_template_global()
def words_there() -> set[str]:
    """Return the words of the parts that a script has on its page."""
    return set(request.headers.get("X-Parts", "").split())


@blueprint.app_template_global()
def is_renewed() -> bool:
    """Tell whether a script asks for a page that somebody has open."""
    return "X-Parts" in request.headers
