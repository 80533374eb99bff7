"""The range of time that all pages of a model share: what is offered, and what links hand on."""

from __future__ import annotations

from unrot.web.address import time_kept
from unrot.web.pages.models import blueprint
from unrot.web.spans import RANGES, Range

blueprint.add_app_template_global(time_kept)


@blueprint.app_template_global()
def time_ranges() -> tuple[Range, ...]:
    """Return the ranges that are offered."""
    return RANGES
