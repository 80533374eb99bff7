"""The page of a table of options: said in sentences, and changed in the form of its declaration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Response, make_response, render_template, request

from unrot.core.errors import Invalid
from unrot.core.options import R, Table

Texts = Mapping[str, str]


def typed_for(keys: Iterable[str]) -> Texts:
    """Read a form; of a box that stands behind its default the last value counts."""
    form = request.form
    return {key: form.getlist(key)[-1] for key in keys if key in form}


def said_beside(error: Invalid) -> Texts:
    """Return what is said beside each field that does not fit."""
    return {detail.field: f"Expected {detail.expected}." for detail in error.details}


def show_options(
    page: str, table: Table[R], now: R, typed: Texts, errors: Texts, **more: Any
) -> Response:
    """Show a table in its page's template; what was typed stays where it did not fit."""
    values = {**table.texts(now), **typed}
    shown = render_template(
        f"{page}.html", page=page, groups=table.groups(), values=values, errors=errors, **more
    )
    return make_response(shown, 422 if errors else 200)
