"""On which answer the champion's last verdicts lean, noted for who asks of many models at once.

The home page says of each model how it is, and what verdicts lean on is read from the predictions
beside them (`watch/worth/leaning.py`): some ten milliseconds a model. So it is looked for when
verdicts have come, and one note is read. Nothing is found here: to choose what is judged is no
trouble.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unrot.core.ports import Store
from unrot.core.records import ModelKey, Symptom
from unrot.serve.service import LAST_VERDICTS
from unrot.watch.notes import read_note
from unrot.watch.visit import Visit
from unrot.watch.worth.leaning import Leaning, leaning_of

MONITOR = "leaning"


@dataclass(frozen=True, slots=True)
class Note:
    """What was seen of the last verdicts on a version."""

    version: str = ""
    leaning: Leaning | None = None


def look(visit: Visit) -> Sequence[Symptom]:
    """Look again where the last verdicts on the champion are others."""
    if not visit.has_news or not visit.champion:
        return ()
    told = visit.store.traffic.outcomes(visit.key, limit=LAST_VERDICTS, versions=(visit.champion,))
    mark = [(one.prediction, one.given_at) for one in told]
    if mark == visit.remembered.get(MONITOR):
        return ()
    times = [one.predicted_at for one in told]
    audited = visit.store.trials.audited(visit.key)
    found = (
        leaning_of(visit.store, visit.key, min(times), max(times), drawn=audited) if told else None
    )
    visit.write_note(MONITOR, Note(visit.champion, found))
    visit.remembered[MONITOR] = mark
    return ()


def noted_leaning(store: Store, model: ModelKey, version: str) -> Leaning | None:
    """Return on which answer the last verdicts on a version leant when they were looked at."""
    note = read_note(Note, store.findings.standpoint(model, MONITOR))
    return note.leaning if note.version == version else None
