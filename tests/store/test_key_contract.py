"""What every store promises about clients' own keys."""

from __future__ import annotations

import pytest

from tests.store.test_contract import NOON, a_model, a_prediction
from unrot.core.ports import Store
from unrot.core.records import ClientKey, ModelKey, Shipment
from unrot.core.time import HOUR

ELVES = ModelKey("elves")


@pytest.fixture
def elves(store: Store) -> Store:
    store.registry.add_model(a_model())
    return store


def keyed(key: str, id: str, at: float = NOON) -> ClientKey:
    return ClientKey(ELVES, key, id, at)


@pytest.mark.every_store
def test_key_is_for_the_newest_prediction_that_was_sent_with_it(elves: Store) -> None:
    first = [keyed("order-1", "elves-1"), keyed("Bestellung 2/ä", "elves-2")]
    elves.traffic.ship(Shipment("s1", 0, 1, "me", [a_prediction("elves-1")], keys=first))
    elves.traffic.ship(Shipment("s1", 1, 2, "me", keys=[keyed("order-1", "elves-3")]))
    elves.traffic.ship(Shipment("s1", 0, 1, "me", keys=first))  # once more: counts for nothing

    found = elves.keys.find(ELVES, ["order-1", "Bestellung 2/ä", "order-9"])

    assert found == {"order-1": "elves-3", "Bestellung 2/ä": "elves-2"}
    assert elves.keys.find(ModelKey("dwarves"), ["order-1"]) == {}


@pytest.mark.every_store
def test_keys_go_with_age_and_with_their_prediction(elves: Store) -> None:
    keys = [keyed("old", "elves-1", NOON - HOUR), keyed("new", "elves-2"), keyed("gone", "elves-3")]
    made = [a_prediction(f"elves-{n}") for n in (1, 2, 3)]
    elves.traffic.ship(Shipment("s1", 0, 1, "me", made, keys=keys))

    elves.erasing.note({"elves-3": ELVES}, NOON)
    erased = elves.erasing.erase(["elves-3"], ELVES, NOON)["elves-3"]
    gone = elves.tidying.drop_old(ELVES, "client keys", before=NOON, most=9, now=NOON)

    assert "client's key" in erased
    assert gone == 1
    assert elves.keys.find(ELVES, ["old", "new", "gone"]) == {"new": "elves-2"}


@pytest.mark.every_store
def test_nothing_is_kept_for_a_model_that_was_removed(elves: Store) -> None:
    elves.registry.remove_model(ELVES)
    elves.traffic.ship(Shipment("s1", 0, 1, "me", keys=[keyed("late", "elves-1")]))

    assert elves.keys.find(ELVES, ["late"]) == {}


@pytest.mark.every_store
def test_prediction_tells_its_keys(elves: Store) -> None:
    keys = [keyed("order-1", "elves-1"), keyed("order-2", "elves-2"), keyed("again", "elves-1")]
    elves.traffic.ship(Shipment("s1", 0, 1, "me", [a_prediction("elves-1")], keys=keys))

    assert sorted(elves.keys.of("elves-1")) == ["again", "order-1"]
    assert elves.keys.of("elves-9") == []
