"""The page of a model's policy: said in sentences, changed in a form."""

from __future__ import annotations

from flask import Response, url_for

from unrot.core.errors import Invalid
from unrot.core.policy import POLICY, parse_texts, sentences
from unrot.learn import promote
from unrot.web import security
from unrot.web.current import service
from unrot.web.pages.models import blueprint
from unrot.web.pages.options import Texts, said_beside, show_options, typed_for
from unrot.web.pages.standing import go, shown, standing, tell
from unrot.web.routes import OPERATOR, VIEWER


@blueprint.page("GET", "/models/<model>/policy", needs=VIEWER)
def policy(model: str) -> Response:
    """Say what a model may do by itself."""
    return _page(model, {}, {})


@blueprint.page("POST", "/models/<model>/policy", needs=OPERATOR)
def set_policy(model: str) -> Response:
    """Change it; what does not fit stands beside its field, with what was typed kept."""
    security.check_csrf()
    typed = typed_for(POLICY.options)
    try:
        promote.change_policy(service(), model, typed, read=parse_texts)
    except Invalid as error:
        return _page(model, typed, said_beside(error))
    tell("Kept. It holds from the next job on.")
    return go(url_for("pages.policy", model=model))


def _page(model: str, typed: Texts, errors: Texts) -> Response:
    stands = standing(model)
    return show_options(
        "policy",
        POLICY,
        stands.policy,
        typed,
        errors,
        **shown(stands),
        prefix="policy",
        sentences=sentences(stands.policy, stands.model.schema),
    )
