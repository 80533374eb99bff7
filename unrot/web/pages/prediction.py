"""The page of one prediction, for whoever has its id: a link to show to somebody else."""

from __future__ import annotations

from flask import Response, make_response, render_template, request

from unrot.core.errors import NotFound, NotSigned
from unrot.serve.sure import how_sure_then
from unrot.watch.reports.prediction import NotArrived, look_up_prediction
from unrot.web import security
from unrot.web.current import service
from unrot.web.pages import thumbs, why
from unrot.web.pages.models import about, answer_parts, blueprint
from unrot.web.routes import ANYONE

ASK_AGAIN_SECONDS = 2


@blueprint.page("GET", "/p/<id>", needs=ANYONE)
def prediction(id: str) -> Response:
    """Show what was asked and answered, what was said of it, and what later versions answer."""
    may_look = security.caller_of_page().role != ANYONE
    try:
        found = look_up_prediction(service(), id, for_viewer=may_look)
    except NotSigned as error:
        raise NotFound("No prediction has this address: a letter of it may be wrong.") from error
    except NotArrived as error:
        answer = make_response(render_template("waiting.html", message=error.message), 404)
        answer.headers["Refresh"] = str(ASK_AGAIN_SECONDS)
        return answer
    made, verdict = found.judged.prediction, found.judged.feedback
    parts = answer_parts(found.shelved, made)
    version = found.shelved.versions.get(made.version)
    if version is not None:
        parts["how_sure"] = how_sure_then(service().shelf, found.shelved, version, made)
    if not may_look:
        parts["outside"] = [pair for pair in parts["outside"] if not pair[0].is_private]
    asked = request.args.get("asked", "")
    shown = render_template(
        "prediction.html",
        **about(found.shelved),
        **parts,
        **why.of_kept(found.shelved, made),
        may_look=may_look,
        found=found,
        said=verdict,
        seen=found.judged.signals,
        thumbs=thumbs.offer(found.shelved.model, made, asked) if verdict is None else None,
    )
    return make_response(shown)
