"""What the signals of a model are called, so that a stranger cannot make names without end.

The first so many have a name of their own; what comes beyond is counted under one name. Half of the
names are left to judges and the operator, so that strangers cannot take them all. Those that a rule
speaks of have theirs always.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from unrot.core.errors import wrong_field
from unrot.core.records import ModelKey
from unrot.core.signals import NAME_EXPECTED, is_name
from unrot.store.kinds import SIGNAL_NAMES
from unrot.store.operations import ABSENT, Document, Operations, Put

MOST_NAMES, MOST_OF_STRANGERS = 32, 16
OTHER = "other"


def read_signal(given: Any) -> str:
    """Read a signal as a client sends it."""
    if not is_name(given):
        raise wrong_field("signal", given, NAME_EXPECTED)
    return str(given)


class SignalNames:
    """The names of the signals of some models, as they are read and added to in one commit."""

    def __init__(self, database: Operations, models: Iterable[ModelKey]) -> None:
        keys = list(dict.fromkeys(models))
        self._known = database.get_many(SIGNAL_NAMES, keys) if keys else {}
        self._names = {key: list(one["names"]) for key, one in self._known.items()}
        self._added: set[ModelKey] = set()

    def admit(self, model: ModelKey, name: str, *, by_judge: bool) -> str:
        """Return what a signal is counted under."""
        names = self._names.setdefault(model, [])
        if name in names or name == OTHER:
            return name
        if len(names) >= (MOST_NAMES if by_judge else MOST_OF_STRANGERS):
            return OTHER
        names.append(name)
        self._added.add(model)
        return name

    def reserve(self, model: ModelKey, wanted: Iterable[str]) -> None:
        """Let some have their own name, however many there are."""
        names = self._names.setdefault(model, [])
        more = [name for name in wanted if name not in names]
        if more:
            names += more
            self._added.add(model)

    def puts(self) -> list[Put]:
        """Return the changes that keep the names that are new."""
        return [self._put(model, self._known.get(model)) for model in sorted(self._added)]

    def _put(self, model: ModelKey, known: Document | None) -> Put:
        fields = {"model": model, "names": self._names[model]}
        return Put(SIGNAL_NAMES, model, fields, ABSENT if known is None else known.revision)
