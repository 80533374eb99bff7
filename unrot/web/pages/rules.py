"""The page of a model's rules: said in sentences, changed in a form, feature by feature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Response, url_for

from unrot.core.errors import Invalid, UnrotError
from unrot.core.rules import AS_ALL, FEATURE, RULES, Rules, parse_texts, sentences
from unrot.watch import findings
from unrot.watch.outbox import addresses_of, send_trial
from unrot.web import security
from unrot.web.current import service
from unrot.web.pages.models import blueprint
from unrot.web.pages.options import Texts, said_beside, show_options, typed_for
from unrot.web.pages.standing import go, refuse, tell
from unrot.web.routes import OPERATOR, VIEWER


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """What the form says of one feature; an empty threshold is that of all."""

    name: str
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
    names = service().catalogue().model(model).model.schema.names
    of_features = [_path(name, key) for name in names for key in FEATURE.options]
    typed = typed_for([*RULES.options, *of_features])
    try:
        findings.change_rules(service(), model, typed, read=parse_texts)
    except Invalid as error:
        return _page(model, typed, said_beside(error))
    tell("Kept. It holds from the next look on, a few seconds from now.")
    return go(url_for("pages.rules", model=model))


@blueprint.page("POST", "/models/<model>/rules/webhook", needs=OPERATOR)
def try_webhook(model: str) -> Response:
    """Send a message that says that it is a test."""
    security.check_csrf()
    try:
        told = send_trial(service(), model)
    except UnrotError as error:
        refuse(error)
    else:
        tell(" ".join(told))
    return go(url_for("pages.rules", model=model))


def _path(name: str, key: str) -> str:
    return f"features.{name}.{key}"


def _page(model: str, typed: Texts, errors: Texts) -> Response:
    described = service().catalogue().model(model).model
    kept = findings.rules(service(), model)
    return show_options(
        "rules",
        RULES,
        kept,
        typed,
        errors,
        model=described,
        prefix="rule",
        features=[_row(name, kept, typed, errors) for name in described.schema.names],
        thresholds=[each for each in FEATURE.options.values() if each.is_number],
        sentences=sentences(kept),
        sent_to=[to.shown for to in addresses_of(service(), described.key)],
        is_mail_missing=bool(kept.mail) and not service().settings.can_mail,
    )


def _row(name: str, kept: Rules, typed: Texts, errors: Texts) -> FeatureRow:
    values = FEATURE.texts(kept.features.get(name, AS_ALL))
    paths = {key: _path(name, key) for key in values}
    return FeatureRow(
        name=name,
        values={key: typed.get(path, values[key]) for key, path in paths.items()},
        errors={key: errors[path] for key, path in paths.items() if path in errors},
    )
