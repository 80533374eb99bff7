"""The range of time that all pages of a model share: what is offered, what links hand on, zoom.

Who zooms into a chart is led to the same page with the time that was dragged over; `was` in its
address says what was shown before, and a link leads back there.
"""

from __future__ import annotations

from flask import request

from unrot.core.time import bare_time
from unrot.web.address import Address, time_kept
from unrot.web.pages.models import blueprint
from unrot.web.spans import RANGES, AskedRange, Range, read, written

BETWEEN = "/"
"""Parts the two moments of `was`."""

blueprint.add_app_template_global(time_kept)


@blueprint.app_template_global()
def time_ranges() -> tuple[Range, ...]:
    """Return the ranges that are offered."""
    return RANGES


@blueprint.app_template_global()
def zooms(here: Address, asked: AskedRange) -> str:
    """Return the address that a stretch of a chart is added to; what was shown first stays."""
    shown = asked.range.name if asked.range else f"{asked.from_text}{BETWEEN}{asked.to_text}"
    was = request.args.get("was") or shown
    return here(**{"range": None, "from": None, "to": None, "was": was})


@blueprint.app_template_global()
def zoomed_from(here: Address) -> tuple[str, str] | None:
    """Return what was shown before somebody zoomed, in words, and its address."""
    was = request.args.get("was", "")
    named = next((one for one in RANGES if one.name == was), None)
    if named is not None:
        back = {"range": named.name, "from": None, "to": None, "was": None}
        return named.words, here(**back)
    first, last = (read(text) for text in (*was.partition(BETWEEN)[::2],))
    if first is None or last is None or not first < last:
        return None
    back = {"range": None, "from": written(first), "to": written(last), "was": None}
    return f"{bare_time(first)} to {bare_time(last)} UTC", here(**back)
