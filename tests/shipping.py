"""Shipments of predictions whose ids are of a test's own make: each is a batch of its own."""

from __future__ import annotations

from dataclasses import replace

from unrot.core.ports import Store
from unrot.core.records import Shipment

AT_ONCE = 100


def ship_in_parts(store: Store, shipment: Shipment) -> None:
    """Ship so few predictions at once that a commit takes them, each with what is odd of it."""
    for start in range(0, len(shipment.predictions), AT_ONCE):
        some = shipment.predictions[start : start + AT_ONCE]
        ids = {made.id for made in some}
        part = replace(
            shipment,
            segment=f"{shipment.segment}-{start}",
            predictions=some,
            oddities=[odd for odd in shipment.oddities if odd.prediction in ids],
        )
        store.traffic.ship(part)
