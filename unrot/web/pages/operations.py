"""The page of operations: how the app is run, what is kept and what was let go."""

from __future__ import annotations

from flask import render_template

from unrot.core.numbers import in_bytes
from unrot.core.records import Tidiable
from unrot.core.time import DAY, HOUR, MINUTE
from unrot.run import operations
from unrot.web.current import service
from unrot.web.pages.models import blueprint
from unrot.web.routes import VIEWER

LENGTHS = {MINUTE: "by minute", HOUR: "by hour", DAY: "by day"}
SAID: dict[Tidiable, tuple[str, str]] = {
    "predictions": ("Predictions that nobody judged", "removed"),
    "judged predictions": ("Judged predictions with their verdicts", "removed"),
    "forgotten predictions": ("Predictions that somebody asked to forget", "removed"),
    "verdicts without a prediction": ("Verdicts whose prediction never came", "removed"),
    "client keys": ("Clients' keys", "removed"),
    "verdicts kept apart": ("Verdicts that were kept apart", "removed"),
    "unverified verdicts": ("Unverified verdicts", "removed"),
    "profiles": ("Profiles", "removed"),
    "checks": ("Drift checks", "removed"),
    "deliveries": ("Notes of what was sent to the webhook", "removed"),
    "minute totals": ("Totals by minute", "added up to hours"),
    "hour totals": ("Totals by hour", "added up to days"),
    "short profiles": ("Short profiles", "added up to hours"),
    "hour profiles": ("Profiles by hour", "added up to days"),
}
"""What was tidied, and what became of it."""
blueprint.add_app_template_filter(in_bytes)


@blueprint.app_template_filter()
def length_name(seconds: int) -> str:
    """Write what a total is of."""
    return LENGTHS.get(seconds, f"of {seconds:,} s")


@blueprint.page("GET", "/operations", needs=VIEWER)
def look_at_operations() -> str:
    """Show how the app is run."""
    return render_template("operations.html", found=operations.look(service()), said=SAID)
