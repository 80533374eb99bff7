"""Predictions by their clients' own keys, so that an outcome need not know our id.

A key is sent with a prediction and kept once that is in the store. It is a client's word for one
prediction of a model: where it is sent again, it is for the newer one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from unrot.core.errors import wrong_field
from unrot.core.records import ClientKey, ModelKey
from unrot.store.kinds import CLIENT_KEY
from unrot.store.operations import Operations, Put

MOST_BYTES = 256
MOST_OF_ONE = 10
"""So many keys of one prediction are told: a client sends one."""


def read_key(given: Any, field: str = "key") -> str:
    """Read a key as a client sends it.

    >>> read_key("order-4711")
    'order-4711'
    """
    if isinstance(given, str) and given.isprintable() and 0 < len(given.encode()) <= MOST_BYTES:
        return given
    raise wrong_field(field, given, f"a text of at most {MOST_BYTES} bytes, such as order-4711")


def read_keys(given: Any) -> list[str | None]:
    """Read the keys of many rows, null where one has none."""
    if not isinstance(given, list):
        raise wrong_field("keys", given, "a list with a text for each row, or null")
    return [one if one is None else read_key(one, "keys") for one in given]


def check_keys(keys: Sequence[str | None], rows: int) -> None:
    """Return when there are none, or one for each row."""
    if keys and len(keys) != rows:
        raise wrong_field("keys", keys, f"a list of {rows:,}: one for each row")


class KeyStore:
    """The keys."""

    def __init__(self, database: Operations) -> None:
        self._database = database

    def find(self, model: ModelKey, keys: Sequence[str]) -> dict[str, str]:
        """Return the ids of the predictions that some keys are for, as far as they have come."""
        places = {place_of(model, key): key for key in keys}
        found = self._database.get_many(CLIENT_KEY, list(places))
        return {places[place]: str(one["prediction"]) for place, one in found.items()}

    def of(self, prediction: str) -> list[str]:
        """Return what clients called a prediction."""
        of = (prediction,)
        found = self._database.scan(CLIENT_KEY, "of prediction", of, limit=MOST_OF_ONE)
        return [str(one["client key"]) for one in found]


def key_puts(keys: Sequence[ClientKey], removed: Collection[ModelKey]) -> list[Put]:
    """Return the changes that keep keys, of each that was sent again the last."""
    last = {place_of(one.model, one.key): one for one in keys if one.model not in removed}
    return [
        Put(
            CLIENT_KEY,
            place,
            {
                "model": one.model,
                "client key": one.key,
                "prediction": one.prediction,
                "predicted at": one.predicted_at,
            },
        )
        for place, one in last.items()
    ]


def place_of(model: ModelKey, key: str) -> str:
    """Return under what a key of a model is kept.

    >>> place_of(ModelKey("orders"), "4711")
    'orders/4711'
    """
    return f"{model}/{key}"
