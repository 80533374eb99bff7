"""The page of versions side by side, two to four of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, make_response, render_template, request

from unrot.core.errors import Invalid, UnrotError
from unrot.core.records import CHAMPION
from unrot.learn import compare as comparison
from unrot.learn.promote import last_gate
from unrot.web.current import service
from unrot.web.errors import status_of
from unrot.web.pages.models import blueprint
from unrot.web.pages.scores import MOST_COMPARED
from unrot.web.pages.standing import Standing, shown, standing
from unrot.web.routes import VIEWER

SHADES = 6
MATRIX_CLASSES = 12
"""With more classes than these a matrix cannot be read: the commonest mistakes are listed."""


@blueprint.page("GET", "/models/<model>/compare", needs=VIEWER)
def compare(model: str) -> Response:
    """Put up to four versions side by side; without a choice the newest beside the champion."""
    stands = standing(model)
    names = _chosen(stands)
    said: dict[str, Any] = {"names": names, "problem": "", "grounds": [], "missing": []}
    code = 200
    if len(names) > 1:
        try:
            said |= _beside_the_first(model, names)
        except UnrotError as error:
            said["problem"], code = error.message, status_of(error)
    page = render_template(
        "compare.html",
        **shown(stands),
        **said,
        most=MOST_COMPARED,
        has_matrix=len(stands.model.schema.classes) <= MATRIX_CLASSES,
        shade=shade,
        mistakes=comparison.mistakes,
    )
    return make_response(page, code)


def _beside_the_first(model: str, names: Sequence[str]) -> dict[str, Any]:
    """Compare each further version with the first one: all of them answer the same rows."""
    if len(names) > MOST_COMPARED:
        raise Invalid(f"Choose at most {MOST_COMPARED} versions; {len(names)} were chosen.")
    found = [comparison.compare(service(), model, names[0], other) for other in names[1:]]
    first = found[0]
    by_ground = [[dict(one.grounds)[ground] for one in found] for ground, _ in first.grounds]
    return {
        "on": first.on,
        "own": first.own,
        "moved_at": _moved_at(model, names),
        "missing": first.missing,
        "grounds": [
            (ground, duels) for (ground, _), duels in zip(first.grounds, by_ground, strict=True)
        ],
    }


def shade(count: int, of: int) -> int:
    """Return how dark a cell is, 0 to 5: its share of its row, in steps.

    >>> [shade(count, 100) for count in (0, 1, 20, 50, 100)]
    [0, 1, 1, 3, 5]
    """
    if not count or not of:
        return 0
    return max(1, min(SHADES - 1, round((SHADES - 1) * count / of + 0.01)))


def _moved_at(model: str, names: Sequence[str]) -> float | None:
    """Return since when the gate has weighed any of these in a world that has moved."""
    key = service().catalogue().model(model).model.key
    gates = (last_gate(service(), key, name) for name in names)
    return next((one.moved_at for one in gates if one and one.moved_at is not None), None)


def _chosen(stands: Standing) -> list[str]:
    """Return what is compared: the versions that were ticked, else a first and a second."""
    ticked = [*dict.fromkeys(filter(None, request.args.getlist("version")))]
    kept = [one.name for one in stands.versions if not one.is_pruned]
    champion = stands.aliases.get(CHAMPION, "")
    if len(ticked) > 1:
        return ticked
    first = request.args.get("first", champion)
    others = [name for name in kept if name != first]
    second = request.args.get("second", others[-1] if others else "")
    if ticked and ticked[0] != first:
        second = ticked[0]
    return [name for name in (first, second) if name]
