"""The page of a model's rules: said in sentences, changed in a form, feature by feature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Response, make_response, render_template, request, url_for

from unrot.core import rules as ruled
from unrot.core import webhooks
from unrot.core.errors import Invalid, UnrotError
from unrot.core.records import FeatureRule, Rules
from unrot.watch import findings
from unrot.watch.outbox import send_trial, webhook_of
from unrot.web import security
from unrot.web.current import service
from unrot.web.pages.models import blueprint
from unrot.web.pages.standing import go, refuse, tell
from unrot.web.routes import OPERATOR, VIEWER

ON_OR_OFF = (("on", "watched"), ("off", "not watched"))
THRESHOLDS = ("distance", "missing", "unseen")


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of the form."""

    key: str
    label: str
    help: str
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """The fields about one thing."""

    title: str
    entries: tuple[Entry, ...]


GROUPS = (
    Group(
        "Drift: inputs and answers move",
        (
            Entry("drift", "Drift", "Whether it raises findings.", ON_OR_OFF),
            Entry(
                "against",
                "Compared with",
                "Training, or the period before: then a slow move is not seen.",
                (("training", "training"), ("previous", "the period before")),
            ),
            Entry(
                "period",
                "Period",
                "What is compared at once.",
                (
                    ("auto", "the shortest possible"),
                    ("rotation", "a rotation"),
                    ("hour", "an hour"),
                    ("day", "a day"),
                    ("week", "a week"),
                ),
            ),
            Entry("least_rows", "Rows at least", "With fewer a period says nothing."),
            Entry(
                "distance",
                "Distance",
                "From 0, the same, to 1, nothing in common. From here on a feature has moved.",
            ),
            Entry(
                "chance",
                "Chance",
                "So unlikely it must be where nothing moved: 0.001 is once in a thousand.",
            ),
        ),
    ),
    Group(
        "Rot: answers go wrong",
        (
            Entry("rot", "Rot", "Whether it raises findings.", ON_OR_OFF),
            Entry("last_verdicts", "Verdicts", "Accuracy is that of so many, the newest."),
            Entry(
                "least_accuracy",
                "Accuracy at least",
                "A floor of your own, 0 to 1; empty is none.",
            ),
            Entry("slices", "Parts", "Whether a part that falls alone is a finding.", ON_OR_OFF),
            Entry("estimate", "Estimated accuracy", "Whether it raises findings.", ON_OR_OFF),
            Entry(
                "estimate_loss",
                "Loss at most",
                "So far below the holdout it may be estimated: 0.1 is 10 points.",
            ),
        ),
    ),
    Group(
        "Outliers: odd rows",
        (
            Entry("outliers", "Outliers", "Whether they raise findings.", ON_OR_OFF),
            Entry("outlier_share", "Share", "A finding when more of a period is odd: 0.05 is 5 %."),
        ),
    ),
    Group(
        "Data quality: broken rows",
        (
            Entry("quality", "Data quality", "Whether it raises findings.", ON_OR_OFF),
            Entry("missing", "Missing", "So much more than usual: 0.05 is 5 points."),
            Entry(
                "unseen",
                "Never seen",
                "So much more than usual: new choices, numbers out of range.",
            ),
            Entry("rejected", "Refused", "So much more of the rows than usual."),
        ),
    ),
)
WEBHOOK = Entry(
    "webhook",
    "Webhook of this model",
    "https://…, or slack+https://… for a chat that takes Slack's shape. Empty: that of the "
    "settings. The end of an address is a secret and not shown.",
)
KEYS = (*(entry.key for group in GROUPS for entry in group.entries), WEBHOOK.key)


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """What the form says of one feature; an empty threshold is that of all."""

    name: str
    label: str
    is_watched: bool
    values: Mapping[str, str]
    errors: Mapping[str, str]


@blueprint.page("GET", "/models/<model>/rules", needs=VIEWER)
def rules(model: str) -> Response:
    """Say what counts as a symptom."""
    return _page(model, {}, {})


@blueprint.page("POST", "/models/<model>/rules", needs=OPERATOR)
def set_rules(model: str) -> Response:
    """Change it; what does not fit stands beside its field, with what was typed kept."""
    security.check_csrf()
    given = _given(service().catalogue().model(model).model.schema.names)
    try:
        findings.change_rules(service(), model, given, read=ruled.parse_texts)
    except Invalid as error:
        wrong = {detail.field: f"Expected {detail.expected}." for detail in error.details}
        return _page(model, given, wrong, 422)
    tell("Kept. It holds from the next look on, a few seconds from now.")
    return go(url_for("pages.rules", model=model))


@blueprint.page("POST", "/models/<model>/rules/webhook", needs=OPERATOR)
def try_webhook(model: str) -> Response:
    """Send a message that says that it is a test."""
    security.check_csrf()
    try:
        to = send_trial(service(), model)
    except UnrotError as error:
        refuse(error)
    else:
        tell(f"{to.shown} took the test message.")
    return go(url_for("pages.rules", model=model))


def _given(names: tuple[str, ...]) -> dict[str, str]:
    """Read the form; of a box that stands behind its default the last value counts."""
    of_features = [f"features.{name}.{key}" for name in names for key in ruled.OF_FEATURE]
    form = request.form
    return {key: form.getlist(key)[-1] for key in (*KEYS, *of_features) if key in form}


def _page(
    model: str, given: Mapping[str, str], errors: Mapping[str, str], code: int = 200
) -> Response:
    described = service().catalogue().model(model).model
    kept = findings.rules(service(), model)
    page = render_template(
        "rules.html",
        model=described,
        groups=GROUPS,
        webhook_entry=WEBHOOK,
        values={**_texts(kept), **given},
        errors=errors,
        features=[_row(name, kept, given, errors) for name in described.schema.names],
        thresholds=THRESHOLDS,
        sentences=ruled.sentences(kept),
        webhook=webhook_of(service(), model),
    )
    return make_response(page, code)


def _texts(kept: Rules) -> dict[str, str]:
    texts = {key: _text(value) for key, value in ruled.describe(kept).items() if key in KEYS}
    return {**texts, "webhook": webhooks.shown(kept.webhook)}


def _row(name: str, kept: Rules, given: Mapping[str, str], errors: Mapping[str, str]) -> FeatureRow:
    rule = kept.features.get(name, FeatureRule())
    paths = {key: f"features.{name}.{key}" for key in THRESHOLDS}
    watched = given.get(f"features.{name}.watched", "on" if rule.is_watched else "off")
    return FeatureRow(
        name=name,
        label=name.replace("_", " "),
        is_watched=watched == "on",
        values={key: given.get(path, _text(getattr(rule, key))) for key, path in paths.items()},
        errors={key: errors[path] for key, path in paths.items() if path in errors},
    )


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
