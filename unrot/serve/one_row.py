"""One usual row, which is what nearly all requests are, from JSON to its answer in one go.

What `Service.predict` does for rows of any kind is done here for a version whose features are plain
numbers and that ONNX serves, without a table of rows or a record of the answer between: what does
not depend on the row is looked up once. What is unusual is answered with None, and
`Service.predict` takes it from there. A test plays the same rows to both.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

import orjson

from unrot.core.ids import Ids
from unrot.core.ports import Clock, Counts, Predictor
from unrot.core.records import Caller, ClientKey, Version
from unrot.serve import events
from unrot.serve.journal import Journal
from unrot.serve.limits import Limits
from unrot.serve.shelf import ShelvedModel

Scored = tuple[str | None, str | None, list[float] | None, float | None]
"""Id, label, probabilities and value."""


class OneRow:
    """Answers single rows by one version."""

    def __init__(
        self,
        shelved: ShelvedModel,
        version: Version,
        predictor: Predictor,
        *,
        ids: Ids,
        journal: Journal,
        counts: Counts,
        limits: Limits,
    ) -> None:
        self.model, self.version = shelved.model.name, version.name
        self.classes = shelved.model.schema.classes
        self.key, self._number = shelved.model.key, shelved.model.number
        self._ids, self._journal, self._counts, self._limits = ids, journal, counts, limits
        reader: Any = getattr(predictor, "rows", None)
        self._read = reader.one if reader is not None else _nothing
        self._score = getattr(predictor, "score_one", _nothing)

    def answer(
        self, given: Any, clock: Clock, caller: Caller, key: str | None = None
    ) -> Scored | None:
        """Score a row and journal it, with what its client calls it; return what that is told.

        TooMany where the caller may add no more.
        """
        row = self._read(given)
        if row is None:
            return None
        began = perf_counter()
        scored = self._score(row)
        if scored is None:
            return None
        seconds, at = perf_counter() - began, clock()
        index, shares, value = scored
        place = self._journal.reserve(1)
        id = self._ids.make(
            at=at,
            segment=place.segment,
            row=place.row,
            model_number=self._number,
            class_index=index,
        )
        label = None if index is None else self.classes[index]
        event = {
            "id": id,
            "model": self.key,
            "version": self.version,
            "predicted_at": at,
            "inputs": row,
            "label": label,
            "probabilities": shares,
            "value": value,
            "seconds": seconds,
        }
        line = orjson.dumps({"kind": "prediction", "event": event}, None, _NEWLINE)
        if key is not None:
            line += events.to_lines([ClientKey(self.key, key, id, at)])
        self._limits.admit(caller, len(line))
        self._counts.predicted(self.model, self.version, 1)
        return id if self._journal.append(line, count=1) else None, label, shares, value


_NEWLINE = orjson.OPT_APPEND_NEWLINE


def _nothing(_given: Any) -> None:
    return None
