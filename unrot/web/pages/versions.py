"""The pages of versions: who descends from whom, how each was made, what the gate said, and who
answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, render_template, request, url_for

from unrot.core import lineage
from unrot.core.artefacts import ONNX, SKOPS
from unrot.core.errors import NotFound, StoreAway, UnrotError
from unrot.core.policy import Policy
from unrot.core.records import CHAMPION, GateVerdict, Version
from unrot.core.test_sets import measured_on, score
from unrot.learn import compare
from unrot.learn import promote as promotion
from unrot.learn.consequences import describe_change, undo_move
from unrot.learn.lineage import read_origin
from unrot.learn.next_step import NextStep, is_worse
from unrot.learn.promote import last_gate
from unrot.learn.scoreboard import Entry, Scoreboard
from unrot.watch import audit
from unrot.watch.monitors.estimate.calibration import calibrations
from unrot.web import security
from unrot.web.charts.curve import build_curve
from unrot.web.charts.scores import (
    build_calibration,
    build_gate,
    build_leaning,
    build_scores,
    read_tenths,
)
from unrot.web.current import service
from unrot.web.pages import fates, scores
from unrot.web.pages.models import back_to_versions, blueprint, who
from unrot.web.pages.standing import Standing, go, refuse, shown, standing, tell
from unrot.web.routes import OPERATOR, VIEWER
from unrot.web.uploads import attachment

VERSIONS_A_PAGE = 25
LEARNT_A_PAGE = 25
FILES = (ONNX, SKOPS)
"""What can be downloaded of a version."""
for word in (scores.describe_served, scores.describe_time):
    blueprint.add_app_template_filter(word)


@blueprint.page("GET", "/models/<model>/versions", needs=VIEWER)
def versions(model: str) -> str:
    """List a model's versions, newest first; the shelf stands in for a store that is away."""
    try:
        stands = standing(model)
    except StoreAway:
        return _from_the_shelf(model)
    listed, older, newer = _page_of(stands.versions[::-1], request.args.get("before"))
    table = scores.score(stands, listed)
    rows = scores.read_rows(stands, listed, table)
    by, is_down = request.args.get("by", ""), request.args.get("down") != "0"
    return render_template(
        "versions.html",
        **shown(stands),
        **_advised(stands, table, rows),
        versions=listed,
        rows=scores.sort_rows(rows, by, is_down=is_down),
        heads=scores.read_heads(by, is_down=is_down),
        scores=table,
        older=older,
        before=request.args.get("before"),
        is_newest=newer,
        curve=build_scores(
            [one.name for one in listed[::-1]],
            table,
            is_classifier=stands.model.schema.is_classifier,
        ),
        shadow=compare.in_shadow(service(), model),
    )


@blueprint.page("GET", "/models/<model>/versions/<version>", needs=VIEWER)
def version(model: str, version: str) -> str:
    """Show all that is on record of one version."""
    try:
        stands = standing(model)
    except StoreAway:
        return _one_from_the_shelf(model, version)
    after = request.args.get("after")
    line = lineage.line(stands.versions, stands.named(version).name)
    known = read_origin(
        service(), stands.model.name, version, limit=LEARNT_A_PAGE, after=after or ""
    )
    return render_template(
        "version.html",
        **shown(stands),
        **_about(stands, known.version, known.gates),
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
        is_unfolded=after is not None,
        next_after=known.next_after,
        curve=build_curve(line, lambda name: url_for("pages.version", model=model, version=name)),
        children=[one for one in stands.versions if one.parent == version],
        leaning=build_leaning(
            known.version,
            next((one for one in stands.versions if one.name == known.version.parent), None),
            stands.model.schema,
        ),
    )


@blueprint.page("GET", "/models/<model>/versions/<version>/files/<kind>", needs=OPERATOR)
def version_file(model: str, version: str, kind: str) -> Response:
    """Hand out what answers, or what learns on; either may hold rows of the training."""
    found = standing(model).named(version)
    if kind not in FILES or kind not in found.artefacts:
        there = ", ".join(one for one in FILES if one in found.artefacts) or "none any more"
        raise NotFound(f"{version} of {model} has no {kind[:20]} file; it has {there}.")
    data = service().store.registry.artefact(found.artefacts[kind])
    answer = Response(data, mimetype="application/octet-stream")
    answer.headers["Content-Disposition"] = attachment(f"{model}-{version}.{kind}")
    return answer


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


@blueprint.page("POST", "/models/<model>/champion/undo", needs=OPERATOR)
def undo_champion(model: str) -> Response:
    """Take back the move of the champion that the page showed."""
    security.check_csrf()
    try:
        moved_at = float(request.form.get("moved_at", ""))
    except ValueError:
        moved_at = 0.0
    try:
        aliases = undo_move(service(), model, moved_at, by=who())
        tell(f"Undone: {aliases[CHAMPION]} answers again.")
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


def _about(stands: Standing, version: Version, gates: Sequence[GateVerdict]) -> dict[str, Any]:
    """Return what is drawn of a version, and what would change if it answered."""
    table = scores.score(stands, [version])
    is_classifier = stands.model.schema.is_classifier
    shelved = service().catalogue().model(stands.model.name)
    known = calibrations(service(), shelved, [version.name]).get(version.name)
    return {
        "scores": table,
        "is_worse": is_worse(table, version.name),
        "promotes": describe_change(table, stands.model.schema, version.name),
        "gate_chart": build_gate(gates[-1], version.name, is_classifier=is_classifier)
        if gates
        else None,
        "calibration": build_calibration(known) if known is not None else None,
        "tenths": read_tenths(known) if known is not None else [],
        "files": [one for one in FILES if one in version.artefacts],
    }


def _advised(stands: Standing, table: Scoreboard, rows: Sequence[scores.Row]) -> Mapping[str, Any]:
    """Return what to do next, and what a move of the champion would change."""
    step = scores.read_next_step(stands, table, {row.version.name: row.gate for row in rows})
    back, schema = stands.rolls_back_to, stands.model.schema
    return {
        "step": step,
        "promotes": describe_change(table, schema, step.version) if step.version else "",
        "rolls_back": describe_change(table, schema, back) if back else "",
    }


def next_step(stands: Standing) -> NextStep:
    """Return what the page of versions says to do next."""
    newest = stands.versions[::-1][:VERSIONS_A_PAGE]
    gates = {one.name: last_gate(service(), one.model, one.name) for one in newest}
    return scores.read_next_step(stands, scores.score(stands, newest), gates)


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
    rows = [scores.Row(one, Entry(), None) for one in made]
    own = measured_on(shelved.versions.values())
    return render_template("versions.html", versions=made, rows=rows, own=own, **_shelved(model))


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
