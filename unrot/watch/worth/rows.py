"""How many rows of a model's traffic say as much as one independent row, at some moment.

It is asked only where something looks like a finding, and told from the newest rows by then, also
those before the period in question: within a short one a slow walk looks like many rows.
"""

from __future__ import annotations

from unrot.core.records import CHAMPION
from unrot.serve.service import Service
from unrot.serve.shelf import ShelvedModel
from unrot.watch.profiles import references
from unrot.watch.worth.measures import not_worth_of

MOST_ROWS = 2_000


def not_worth(service: Service, shelved: ShelvedModel, until: float) -> float:
    """Return how many rows are worth one, as far as they are still kept."""
    model = shelved.model
    newest = service.store.traffic.of_period(
        model.name, since=0.0, until=until, judged_only=False, limit=MOST_ROWS
    )
    named = references.bins_of(service, model.name, shelved.aliases.get(CHAMPION, ""))
    rows = [one.prediction.inputs for one in reversed(newest)]
    return not_worth_of(model.schema, rows, alike=0.0 if named is None else named[1].alike)
