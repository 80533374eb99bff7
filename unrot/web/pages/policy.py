"""The page of a model's policy: said in sentences, changed in a form."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, make_response, render_template, request, url_for

from unrot.core import policy as policies
from unrot.core.errors import Invalid
from unrot.core.records import Policy
from unrot.learn import promote
from unrot.web import security
from unrot.web.current import service
from unrot.web.pages.models import blueprint
from unrot.web.pages.standing import go, shown, standing, tell
from unrot.web.routes import OPERATOR, VIEWER


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of the form."""

    key: str
    label: str
    help: str
    choices: tuple[tuple[str, str], ...] = ()
    is_number: bool = False


BY_HAND_OR_ITSELF = (("manual", "by hand"), ("auto", "by itself"))


GROUPS: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "What it may do by itself",
        (
            Entry(
                "learn",
                "Learn",
                "manual, or every so many verdicts: every 50 verdicts",
            ),
            Entry(
                "promote",
                "Promote what the gate passed",
                "By hand somebody decides; by itself a version that passed answers at once.",
                BY_HAND_OR_ITSELF,
            ),
            Entry(
                "rollback",
                "Roll back",
                "By itself only when judges find the champion worse than the one before it.",
                BY_HAND_OR_ITSELF,
            ),
        ),
    ),
    (
        "The gate",
        (
            Entry(
                "gate",
                "Gate",
                "Off means that a worse version can replace a better one.",
                (("on", "on"), ("off", "off")),
            ),
            Entry(
                "tolerance",
                "Tolerance",
                "The loss that the gate lets pass, as a share: 0 to 0.5. 0.02 is 2 points of "
                "accuracy.",
                is_number=True,
            ),
            Entry(
                "held_out",
                "Held-out share",
                "The share of the judges' verdicts that only judges: 0 to 0.9.",
                is_number=True,
            ),
        ),
    ),
    (
        "How it learns",
        (
            Entry(
                "batch",
                "Rows at a time",
                "One step of partial_fit: 1 to 100,000. Fewer than 50 can pull it one way.",
                is_number=True,
            ),
            Entry(
                "replay",
                "Replayed rows",
                "Rows of before for each new row: 0 to 10. They keep it from forgetting.",
                is_number=True,
            ),
            Entry(
                "clip",
                "Range",
                "How many times the training range a row may span: 1 to 1,000; 0 takes all rows.",
                is_number=True,
            ),
            Entry(
                "cap",
                "Share of one sender",
                "The most that one unknown sender may be of what is learnt: 0 to 1; 0 is no cap.",
                is_number=True,
            ),
            Entry(
                "seed",
                "Seed",
                "Where chance begins, so that a version can be made again.",
                is_number=True,
            ),
        ),
    ),
)
KEYS = tuple(entry.key for _, entries in GROUPS for entry in entries)


@blueprint.page("GET", "/models/<model>/policy", needs=VIEWER)
def policy(model: str) -> Response:
    """Say what a model may do by itself."""
    stands = standing(model)
    return _page(model, _texts(stands.policy), {})


@blueprint.page("POST", "/models/<model>/policy", needs=OPERATOR)
def set_policy(model: str) -> Response:
    """Change it; what does not fit stands beside its field, with what was typed kept."""
    security.check_csrf()
    stands = standing(model)
    given = {key: request.form[key] for key in KEYS if key in request.form}
    try:
        promote.change_policy(service(), model, given, read=policies.parse_texts)
    except Invalid as error:
        wrong = {detail.field: f"Expected {detail.expected}." for detail in error.details}
        return _page(model, {**_texts(stands.policy), **given}, wrong, 422)
    tell("Kept. It holds from the next job on.")
    return go(url_for("pages.policy", model=model))


def _texts(policy: Policy) -> dict[str, str]:
    return {key: _text(value) for key, value in policies.describe(policy).items()}


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _page(model: str, values: dict[str, str], errors: dict[str, str], code: int = 200) -> Response:
    stands = standing(model)
    page = render_template(
        "policy.html",
        **shown(stands),
        groups=GROUPS,
        values=values,
        errors=errors,
        sentences=policies.sentences(stands.policy),
    )
    return make_response(page, code)
