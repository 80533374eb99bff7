"""The page of a model's policy: said in sentences, changed in a form."""

from __future__ import annotations

from functools import partial

from flask import Response, request

from unrot.core.policy import POLICY, parse_texts, sentences
from unrot.learn import promote
from unrot.web import security
from unrot.web.current import service
from unrot.web.pages.models import blueprint, only
from unrot.web.pages.options import Texts, keep_options, show_options
from unrot.web.pages.standing import shown, standing


@blueprint.get("/models/<model>/policy")
@only("viewer")
def policy(model: str) -> Response:
    """Say what a model may do by itself."""
    return _page(model, {}, {})


@blueprint.post("/models/<model>/policy")
@only("operator")
def set_policy(model: str) -> Response:
    """Change it; what does not fit stands beside its field, with what was typed kept."""
    security.check_csrf()
    return keep_options(
        "policy",
        model,
        keep=partial(promote.change_policy, service(), model, read=parse_texts),
        typed={key: request.form[key] for key in POLICY.options if key in request.form},
        show=_page,
        kept="Kept. It holds from the next job on.",
    )


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
        sentences=sentences(stands.policy),
    )
