"""The page of two versions side by side."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, render_template, request

from unrot.core.errors import UnrotError
from unrot.core.records import CHAMPION
from unrot.learn import compare as comparison
from unrot.web.current import service
from unrot.web.errors import status_of
from unrot.web.pages.models import blueprint
from unrot.web.pages.standing import Standing, shown, standing
from unrot.web.routes import VIEWER

SHADES = 6
MATRIX_CLASSES = 12
"""With more classes than these a matrix cannot be read: the commonest mistakes are listed."""


@blueprint.page("GET", "/models/<model>/compare", needs=VIEWER)
def compare(model: str) -> Response:
    """Put two versions side by side; without a choice the newest beside the champion."""
    stands = standing(model)
    first, second = _chosen(stands)
    said: dict[str, Any] = {"first": first, "second": second, "problem": "", "found": None}
    code = 200
    if first and second:
        try:
            said["found"] = comparison.compare(service(), model, first, second)
        except UnrotError as error:
            said["problem"], code = error.message, status_of(error)
    page = render_template(
        "compare.html",
        **shown(stands),
        **said,
        has_matrix=len(stands.model.schema.classes) <= MATRIX_CLASSES,
        shade=shade,
        mistakes=comparison.mistakes,
    )
    return make_response(page, code)


def shade(count: int, of: int) -> int:
    """Return how dark a cell is, 0 to 5: its share of its row, in steps.

    >>> [shade(count, 100) for count in (0, 1, 20, 50, 100)]
    [0, 1, 1, 3, 5]
    """
    if not count or not of:
        return 0
    return max(1, min(SHADES - 1, round((SHADES - 1) * count / of + 0.01)))


def _chosen(stands: Standing) -> tuple[str, str]:
    names = [one.name for one in stands.versions if not one.is_pruned]
    champion = stands.aliases.get(CHAMPION, "")
    first = request.args.get("first", champion)
    others = [name for name in names if name != first]
    return first, request.args.get("second", others[-1] if others else "")
