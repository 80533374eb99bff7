"""The pages of versions: who descends from whom, how each was made, what the gate said, and who
answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flask import Response, render_template, request, url_for

from unrot.core import lineage
from unrot.core.errors import StoreAway, UnrotError
from unrot.core.policy import Policy
from unrot.core.records import GateVerdict, Version
from unrot.core.test_sets import MeasuredOn, measured_on, score
from unrot.learn import compare
from unrot.learn import promote as promotion
from unrot.learn.lineage import read_origin
from unrot.watch import audit
from unrot.web import security
from unrot.web.charts.curve import build_curve
from unrot.web.current import service
from unrot.web.pages import fates
from unrot.web.pages.models import back_to_versions, blueprint, who
from unrot.web.pages.standing import Standing, go, refuse, shown, standing, tell
from unrot.web.routes import OPERATOR, VIEWER

VERSIONS_A_PAGE = 25
LEARNT_A_PAGE = 25


@blueprint.page("GET", "/models/<model>/versions", needs=VIEWER)
def versions(model: str) -> str:
    """List a model's versions, newest first; the shelf stands in for a store that is away."""
    try:
        stands = standing(model)
    except StoreAway:
        return _from_the_shelf(model)
    listed, older, newer = _page_of(stands.versions[::-1], request.args.get("before"))
    gates = {one.name: promotion.last_gate(service(), one.model, one.name) for one in listed}
    return render_template(
        "versions.html",
        **shown(stands),
        versions=listed,
        groups=_grouped(listed, measured_on(stands.versions)),
        older=older,
        is_newest=newer,
        gates=gates,
        shadow=compare.in_shadow(service(), model),
    )


@blueprint.page("GET", "/models/<model>/versions/<version>", needs=VIEWER)
def version(model: str, version: str) -> str:
    """Show all that is on record of one version."""
    try:
        stands = standing(model)
    except StoreAway:
        return _one_from_the_shelf(model, version)
    after = request.args.get("after", "")
    line = lineage.line(stands.versions, stands.named(version).name)
    known = read_origin(service(), stands.model.name, version, limit=LEARNT_A_PAGE, after=after)
    return render_template(
        "version.html",
        **shown(stands),
        version=known.version,
        reached=score(known.version),
        on=known.on,
        made={
            key: one
            for key, one in known.version.made.items()
            if key not in ("recipes", "chosen") and one is not None
        },
        called=known.aliases,
        room=_room(stands.model.name, known.gates),
        gates=known.gates,
        objection=promotion.objection_to(service(), known.version),
        fates=fates.added_up(known.fates),
        rows=known.lessons,
        after=after,
        next_after=known.next_after,
        curve=build_curve(line, lambda name: url_for("pages.version", model=model, version=name)),
        children=[one for one in stands.versions if one.parent == version],
    )


@blueprint.page("POST", "/models/<model>/versions/<version>/promote", needs=OPERATOR)
def promote(model: str, version: str) -> Response:
    """Let a version answer, or run in the shadow."""
    security.check_csrf()
    form = request.form
    try:
        promotion.promote(
            service(),
            model,
            version,
            alias=form.get("alias", "champion"),
            force=form.get("force") == "yes",
            reason=form.get("reason", ""),
            by=who(),
        )
    except UnrotError as error:
        refuse(error)
        return go(url_for("pages.version", model=model, version=version) + "#who-answers")
    is_challenger = form.get("alias") == "challenger"
    tell(
        f"{version} is tried in the shadow now: it answers nobody, and what it would have said is "
        "compared on the versions page."
        if is_challenger
        else f"{version} is the champion now; every worker follows within two seconds."
    )
    return go(back_to_versions(model))


@blueprint.page("POST", "/models/<model>/rollback", needs=OPERATOR)
def rollback(model: str) -> Response:
    """Take the champion back to what it was before."""
    security.check_csrf()
    try:
        aliases = promotion.rollback(service(), model, by=who())
        tell(f"Rolled back: {aliases['champion']} answers again.")
    except UnrotError as error:
        refuse(error)
    return go(back_to_versions(model))


@blueprint.page("POST", "/models/<model>/dismiss", needs=OPERATOR)
def dismiss(model: str) -> Response:
    """Take the challenger out of the shadow."""
    security.check_csrf()
    try:
        promotion.dismiss(service(), model, by=who())
        tell("The challenger is out of the shadow.")
    except UnrotError as error:
        refuse(error)
    return go(back_to_versions(model))


def _room(model: str, gates: Sequence[GateVerdict]) -> audit.Room | None:
    """Say what can be audited now, where the gate wished for an audit."""
    return audit.room(service(), model) if gates and gates[-1].wants_audit else None


@dataclass(frozen=True, slots=True)
class Group:
    """Neighbours in the list whose scores are of the same rows."""

    on: MeasuredOn | None
    versions: Sequence[Version]


def _grouped(versions: Sequence[Version], sets: Mapping[str, MeasuredOn]) -> list[Group]:
    """Part the list wherever another test set begins: scores of one stand together alone."""
    return [Group(on, list(of)) for on, of in groupby(versions, lambda one: sets.get(one.name))]


def _page_of(
    newest_first: tuple[Version, ...], before: str | None
) -> tuple[tuple[Version, ...], str | None, bool]:
    """Return a page of versions, the name to go on from, and whether it is the first page."""
    names = [one.name for one in newest_first]
    start = names.index(before) + 1 if before in names else 0
    page = newest_first[start : start + VERSIONS_A_PAGE]
    older = page[-1].name if start + VERSIONS_A_PAGE < len(newest_first) else None
    return page, older, start == 0


def _from_the_shelf(model: str) -> str:
    shelved = service().catalogue().model(model)
    made = tuple(shelved.versions.values())[::-1][:VERSIONS_A_PAGE]
    groups = _grouped(made, measured_on(shelved.versions.values()))
    return render_template(
        "versions.html", versions=made, groups=groups, gates={}, **_shelved(model)
    )


def _one_from_the_shelf(model: str, version: str) -> str:
    shelved = service().catalogue().model(model)
    found = shelved.version(version)
    called = [alias for alias, name in shelved.aliases.items() if name == version]
    return render_template(
        "version.html",
        version=found,
        reached=score(found),
        on=measured_on(shelved.versions.values()).get(found.name),
        called=called,
        made=found.made,
        **_shelved(model),
    )


def _shelved(model: str) -> dict[str, Any]:
    shelved = service().catalogue().model(model)
    stands = Standing(
        model=shelved.model,
        versions=tuple(shelved.versions.values()),
        aliases=shelved.aliases,
        policy=Policy(),
        waiting=0,
        last_job=None,
        rolls_back_to=None,
    )
    return shown(stands, is_store_away=True)
