"""On which answer the champion's last verdicts lean, noted for who asks of many models at once.

The home page says of each model how it is, and what verdicts lean on is read from the predictions
beside them (`watch/worth/leaning.py`): some ten milliseconds a model. So it is looked for when
verdicts have come, and one note is read. Nothing is found here: to choose what is judged is no
trouble.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from unrot.core.records import Outcome, Symptom
from unrot.serve.service import LAST_VERDICTS
from unrot.watch.eras import mark_of
from unrot.watch.visit import Visit
from unrot.watch.worth.leaning import NOTED, Leaning, Noted, leaning_of

MONITOR = NOTED


def look(visit: Visit) -> Sequence[Symptom]:
    """Look again where the last verdict on the champion is another one."""
    if not visit.has_news or not visit.champion:
        return ()
    own = partial(visit.store.traffic.outcomes, visit.key, versions=(visit.champion,))
    mark = [visit.champion, *(mark_of(one, visit) for one in own(limit=1))]
    if mark != visit.remembered.get(MONITOR):
        visit.write_note(MONITOR, Noted(visit.champion, _leaning(visit, own(limit=LAST_VERDICTS))))
        visit.remembered[MONITOR] = mark
    return ()


def _leaning(visit: Visit, own: Sequence[Outcome]) -> Leaning | None:
    if not own:
        return None
    times, audited = [one.predicted_at for one in own], visit.store.trials.audited(visit.key)
    return leaning_of(visit.store, visit.key, min(times), max(times), drawn=audited)
