"""The page of a model's settings: its words in forms, which version answers, what is dangerous.

A form has some of the words, each under its path in the description (`features.age.unit`), and
what is not sent stays. Of many features one is chosen first, so that no form holds them all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, make_response, render_template, request, url_for

from unrot.core.descriptions import (
    FLAGS,
    MOST_NAME,
    MOST_TAG,
    MOST_TAGS,
    OF_FEATURE,
    OF_MODEL,
    names_of_choices,
)
from unrot.core.errors import Invalid, NotFound, UnrotError, shown
from unrot.core.options import Table
from unrot.core.policy import POLICY
from unrot.core.records import CHAMPION, Feature, Model, ModelKey, Schema
from unrot.core.rules import RULES
from unrot.make import models
from unrot.run import forgetting
from unrot.web import forms, security
from unrot.web.current import service
from unrot.web.pages import groups
from unrot.web.pages.models import blueprint
from unrot.web.pages.options import Texts, said_beside
from unrot.web.pages.standing import go, refuse, tell
from unrot.web.routes import OPERATOR, VIEWER

MOST_IDS = 100
"""Predictions to forget at once on a page."""


@dataclass(frozen=True, slots=True)
class Knobs:
    """The options of another page, so that the search finds them here."""

    title: str
    page: str
    """The endpoint of it."""
    prefix: str
    """Of the ids of its fields."""
    table: Table[Any]


ELSEWHERE = (
    Knobs("Policy: what it may do by itself", "pages.policy", "policy", POLICY),
    Knobs("Rules: what counts as a symptom", "pages.rules", "rule", RULES),
)


@blueprint.page("GET", "/models/<model>/settings", needs=VIEWER)
def settings(model: str) -> Response:
    """Show what is set of a model, and where."""
    return _page(service().catalogue().model(model).model, {}, {})


@blueprint.page("POST", "/models/<model>/settings", needs=OPERATOR)
def describe(model: str) -> Response:
    """Change some of its words; what does not fit stands beside its field, as it was typed."""
    security.check_csrf()
    described = service().catalogue().model(model).model
    try:
        models.describe(service(), described.name, words_in(described, request.form))
    except Invalid as error:
        return _page(described, request.form.to_dict(), said_beside(error), error.message)
    tell("Kept. Every worker follows within two seconds.")
    chosen = _feature(described, request.form.get("feature", ""))
    if chosen is None:
        return go(url_for("pages.settings", model=model))
    if request.form.get("go") == "on":
        chosen = _after(described.schema.features, chosen)
    return go(url_for("pages.settings", model=model, feature=chosen.name) + "#feature")


def words_in(model: Model, form: Mapping[str, str]) -> dict[str, Any]:
    """Read the words that a form holds, and leave out those that it does not."""
    words: dict[str, Any] = {key: form[key] for key in OF_MODEL if key in form}
    if "tags" in form:
        words["tags"] = [tag for tag in map(str.strip, form["tags"].split(",")) if tag]
    feature = _feature(model, form.get("feature", ""))
    if feature is not None:
        words["features"] = {feature.name: _words_of_feature(feature, form)}
    words["classes"] = _given(form, "classes.", model.schema.classes)
    return words


def _words_of_feature(feature: Feature, form: Mapping[str, str]) -> dict[str, Any]:
    path = f"features.{feature.name}."
    words: dict[str, Any] = _given(form, path, OF_FEATURE)
    words |= {key: text != "" for key, text in _given(form, path, FLAGS).items()}
    words["choices"] = _given(form, f"{path}choices.", names_of_choices(feature))
    if (example := form.get(f"{path}example")) is not None:
        schema = Schema((feature,), "")
        found = forms.inputs(schema, {feature.name: example.strip()})
        words |= {"example": found[feature.name]} if found else {}
    return words


def _given(form: Mapping[str, str], path: str, keys: Any) -> dict[str, str]:
    return {key: form[path + key] for key in keys if path + key in form}


def _feature(model: Model, name: str) -> Feature | None:
    return next((each for each in model.schema.features if each.name == name), None)


def _after(features: Sequence[Feature], feature: Feature) -> Feature:
    """Return the next feature, the first after the last."""
    return features[(features.index(feature) + 1) % len(features)]


def texts_of(model: Model, chosen: Feature | None) -> dict[str, str]:
    """Return what stands in the fields, by their paths."""
    texts = {key: getattr(model, key) for key in OF_MODEL} | {"tags": ", ".join(model.tags)}
    names = model.schema.class_names or ("",) * len(model.schema.classes)
    pairs = zip(model.schema.classes, names, strict=True)
    texts |= {f"classes.{label}": name for label, name in pairs}
    if chosen is not None:
        path = f"features.{chosen.name}."
        texts |= {path + key: getattr(chosen, key) for key in OF_FEATURE}
        texts |= {path + key: "on" * getattr(chosen, name) for key, name in FLAGS.items()}
        named = names_of_choices(chosen)
        texts |= {f"{path}choices.{choice}": name for choice, name in named.items()}
        texts[f"{path}example"] = forms.as_typed(chosen.example)
    return texts


def _page(model: Model, typed: Texts, errors: Texts, problem: str = "") -> Response:
    features = model.schema.features
    chosen = _feature(model, typed.get("feature", "") or request.args.get("feature", ""))
    shelved = service().catalogue().model(model.name)
    page = render_template(
        "settings.html",
        model=model,
        values={**texts_of(model, chosen), **typed},
        errors=errors,
        problem=problem,
        longest={**OF_MODEL, **OF_FEATURE, "tags": MOST_TAGS * (MOST_TAG + 2), "name": MOST_NAME},
        most_tags=MOST_TAGS,
        groups=groups.grouped(forms.fields(model.schema, {})),
        are_grouped=groups.is_long(model.schema),
        chosen=chosen,
        choices=names_of_choices(chosen) if chosen else {},
        following=_after(features, chosen) if chosen else None,
        group_names=sorted({each.group for each in features if each.group}),
        champion=shelved.aliases.get(CHAMPION),
        by_default=_default_model(),
        is_chosen_default=bool(service().settings.default_model),
        elsewhere=ELSEWHERE,
    )
    return make_response(page, 422 if problem else 200)


def _default_model() -> str:
    """Return the model that answers when none is named; empty where none does."""
    try:
        return service().default_model().model.name
    except NotFound:
        return ""


# ── what is dangerous ────────────────────────────────────────────────────────────────────────


@blueprint.page("GET", "/models/<model>/remove", needs=OPERATOR)
def ask_removal(model: str) -> str:
    """Say what goes with a model, counted, and ask for its name."""
    found = service().catalogue().model(model).model
    held = models.holdings(service(), found.name)
    is_default = _default_model() == found.name
    return render_template("remove.html", model=found, held=held, is_default=is_default)


@blueprint.page("POST", "/models/<model>/remove", needs=OPERATOR)
def remove(model: str) -> Response:
    """Hide a model; the caretaker erases it when nobody has undone that."""
    security.check_csrf()
    found = service().catalogue().model(model).model
    if request.form.get("name", "").strip() != found.name:
        refuse(Invalid(f"Nothing was removed: type the name of the model, {found.name}."))
        return go(url_for("pages.ask_removal", model=found.name))
    models.put_aside(service(), found.name)
    tell(f"{found.name} is removed: it answers nobody any more.")
    return go(url_for("pages.home"))


@blueprint.page("POST", "/bring-back", needs=OPERATOR)
def undo_removal() -> Response:
    """Serve a model again that was removed a moment ago."""
    security.check_csrf()
    try:
        back = models.bring_back(service(), ModelKey(request.form.get("key", "")[:200]))
        tell(f"{back.name} is back, with all that was kept of it.")
    except UnrotError as error:
        refuse(error)
    return go(url_for("pages.home"))


@blueprint.page("GET", "/models/<model>/forget", needs=OPERATOR)
def ask_forgetting(model: str) -> Response:
    """Ask which predictions are to be forgotten."""
    return _forgetting(service().catalogue().model(model).model)


@blueprint.page("POST", "/models/<model>/forget", needs=OPERATOR)
def forget(model: str) -> Response:
    """Say what would go; erase it once that was agreed to."""
    security.check_csrf()
    found = service().catalogue().model(model).model
    ids = request.form.get("ids", "").replace(",", " ").split()
    word = request.form.get("agreed")
    try:
        foreseen = foresee(ids, found)
        if word != "forget":
            said = "" if word is None else "Nothing was erased: type forget."
            return _forgetting(found, ids, foreseen=foreseen, problem=said)
        return _forgetting(found, erased=forgetting.forget(service(), ids))
    except UnrotError as error:
        return _forgetting(found, ids, problem=error.message)


def foresee(ids: Sequence[str], model: Model) -> list[forgetting.Erasure]:
    """Say of predictions what would go; raise Invalid where one is no prediction of the model."""
    if not 0 < len(ids) <= MOST_IDS:
        raise Invalid(f"{len(ids):,} ids: expected 1 to {MOST_IDS} at once.")
    foreseen = forgetting.foresee(service(), ids)
    others = [one.id for one in foreseen if one.model != model.name]
    if others:
        raise Invalid(f"{shown(others[0])} is no prediction of {model.name}. Nothing was erased.")
    return foreseen


def _forgetting(model: Model, ids: Sequence[str] = (), **more: Any) -> Response:
    page = render_template("forget.html", model=model, ids="\n".join(ids), most=MOST_IDS, **more)
    return make_response(page, 422 if more.get("problem") else 200)
