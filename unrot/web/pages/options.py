"""The page of a table of options: said in sentences, and changed in the form of its declaration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, make_response, render_template, url_for

from unrot.core.errors import Invalid
from unrot.core.options import R, Table
from unrot.web.pages.standing import go, tell

Texts = Mapping[str, str]


def show_options(
    page: str, table: Table[R], now: R, typed: Texts, errors: Texts, **more: Any
) -> Response:
    """Show a table in its page's template; what was typed stands where it did not fit."""
    shown = render_template(
        f"{page}.html",
        page=page,
        groups=table.groups(),
        values={**table.texts(now), **typed},
        errors=errors,
        **more,
    )
    return make_response(shown, 422 if errors else 200)


def keep_options(
    page: str,
    model: str,
    *,
    keep: Callable[[Texts], object],
    typed: Texts,
    show: Callable[[str, Texts, Texts], Response],
    kept: str,
) -> Response:
    """Change what a form says; what does not fit is said beside its field."""
    try:
        keep(typed)
    except Invalid as error:
        wrong = {detail.field: f"Expected {detail.expected}." for detail in error.details}
        return show(model, typed, wrong)
    tell(kept)
    return go(url_for(f"pages.{page}", model=model))
