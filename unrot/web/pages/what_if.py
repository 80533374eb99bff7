"""What if: sliders that move an answer, of which nothing is kept.

The page is a form that is sent by a button; with scripts it sends itself as soon as something in it
has moved, and the part with the answer is put in place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import Response, request, url_for

from unrot.core.errors import Detail, UnrotError, wrong_field
from unrot.core.plurals import counted
from unrot.core.records import Feature, Schema, Value
from unrot.core.schema import parse_row, spoken, without_private
from unrot.serve.shelf import ShelvedModel
from unrot.web import forms, reasons, security
from unrot.web.charts.along import build_along, list_along
from unrot.web.current import service
from unrot.web.errors import headers_of, status_of
from unrot.web.pages.models import about, blueprint, form_parts, part
from unrot.web.pages.why import read_inputs
from unrot.web.routes import ANYONE

if TYPE_CHECKING:
    # No plain prediction loads what explains.
    from unrot.explain.what_if import WhatIf

MOST_BARS, MOST_CHARACTERS = 8, 40


@blueprint.page("GET", "/models/<model>/what-if", needs=ANYONE)
def what_if(model: str) -> Response:
    """Offer the sliders, on the example."""
    shelved = service().catalogue().model(model)
    return _shown(shelved, forms.example(shelved.model.schema), "", 200)


@blueprint.page("POST", "/models/<model>/what-if", needs=ANYONE)
def imagine(model: str) -> Response:
    """Answer a row that came from an answer, or from the sliders."""
    # It is loaded when somebody asks: no plain prediction needs it.
    from unrot.explain.what_if import ask_what_if

    shelved, of = service().catalogue().model(model), service()
    schema, version = shelved.model.schema, request.form.get("version", "")
    texts = forms.typed(schema, request.form)
    try:
        security.check_csrf()
        if request.form.get("from") == "answer":
            texts = forms.pasted(schema, _known(schema, request.form.get("inputs", "")))
        row = parse_row(schema, forms.inputs(schema, texts))
        found = ask_what_if(
            *(of, of.catalogue(), shelved, shelved.version(version or None), row),
            security.caller_of_page(),
            along=_along(schema),
            wanted=_wanted(schema),
        )
    except UnrotError as error:
        said = {"problem": error.message}
        refusal = _shown(shelved, texts, version, status_of(error), error.details, **said)
        refusal.headers.update(headers_of(error))
        return refusal
    return _shown(shelved, texts, version, 200, **_said(found, schema))


def _said(found: WhatIf, schema: Schema) -> dict[str, Any]:
    """Return what is shown of an answer."""
    said: dict[str, Any] = {"found": found, "answer": reasons.imagined(found, schema)}
    if found.probabilities is not None:
        shares = zip(schema.classes, found.probabilities, strict=True)
        said["bars"] = sorted(shares, key=lambda one: -one[1])[:MOST_BARS]
    curve = found.curve
    if curve is not None:
        here = found.row[schema.features.index(curve.feature)]
        if curve.is_line:
            said["chart"] = build_along(curve, schema, found.label, (here, found.score(schema)))
        else:
            said["choices"] = list_along(curve, schema, found.label, here)
    if found.wanted is not None:
        said["change"] = reasons.wanted(found, schema)
    return said


def _known(schema: Schema, text: str) -> dict[str, Value]:
    """Read the cells of a row that came with an answer."""
    given = read_inputs(text)
    cells = {name: given[name] for name in schema.names if name in given}
    return {
        name: cell
        for name, cell in cells.items()
        if cell is None or isinstance(cell, str | int | float)
    }


def _along(schema: Schema) -> Feature | None:
    # It is loaded when somebody asks: no plain prediction needs it.
    from unrot.explain.what_if import find_feature

    name = request.form.get("feature", "")
    return find_feature(schema, name) if name else None


def _wanted(schema: Schema) -> float | None:
    """Read the number that is wanted; nothing of a classifier, whose form has no field for it."""
    text = request.form.get("wanted", "").strip()
    if schema.is_classifier or not text:
        return None
    found = forms.number_or_text(text[:MOST_CHARACTERS])
    if isinstance(found, str) or not math.isfinite(found):
        raise wrong_field("wanted", text, "a number")
    return found


def _shown(
    shelved: ShelvedModel,
    texts: Mapping[str, str],
    version: str,
    code: int,
    details: Sequence[Detail] = (),
    **said: Any,
) -> Response:
    schema = shelved.model.schema
    parts = form_parts(shelved, texts, details)
    parts["fields"] = [_still(one) for one in parts["fields"]]
    public = without_private(schema).features
    return part(
        "what_if",
        "_what_if.html",
        code,
        **{**about(shelved), **parts, **said},
        version=version,
        along=[one for one in schema.features if one.may_vary],
        chosen=request.form.get("feature", ""),
        wanted_text=request.form.get("wanted", "") if not schema.is_classifier else "",
        stays=_stays([one for one in public if one.is_fixed]),
        private=_private(sum(one.is_private for one in schema.features)),
        here=url_for("pages.what_if", model=shelved.model.name),
    )


def _private(count: int) -> str:
    """Say that there are features that stay hidden."""
    if not count:
        return ""
    return (
        f"{counted(count, 'feature')} {'is' if count == 1 else 'are'} private: no curve is drawn."
    )


def _still(field: forms.Field) -> forms.Field:
    """Give a fixed feature no slider."""
    return replace(field, slider=None) if field.feature.is_fixed else field


def _stays(fixed: list[Feature]) -> str:
    """Say which features are fixed."""
    if not fixed:
        return ""
    names = " and ".join(filter(None, [", ".join(map(spoken, fixed[:-1])), spoken(fixed[-1])]))
    are = "is" if len(fixed) == 1 else "are"
    return f"{names[:1].upper()}{names[1:]} {are} fixed: no slider moves it, and no curve is drawn."
