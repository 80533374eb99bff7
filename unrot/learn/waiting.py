"""Which verdicts a line of versions has not decided, without reading all that it ever decided.

Verdicts are read in the order in which they were given. Up to some moment a line has decided all,
and a note of the store says which (`SETTLED`); it holds for every line that goes on from there,
until a verdict stands that came late (`hear/late.py`). So a job reads what was given since, and
the fates of the versions that decided some of that. Where the note does not hold everything is read
again, and once a day in any case, should the clock of a machine be wrong.

A verdict that was given since on a prediction that was judged before may have been learnt before:
of those alone the fates of the whole line are asked.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unrot.core.records import JudgedPrediction, ModelKey
from unrot.core.time import DAY, HOUR
from unrot.hear.feedback_documents import from_document, judged_of
from unrot.hear.forgotten import forgotten_since
from unrot.hear.late import READ_AGAIN_SECONDS, late_mark
from unrot.learn.fate_store import FateStore
from unrot.store.kinds import FEEDBACK, SETTLED
from unrot.store.operations import Delete, Document, Operations, Put, place_of, scan_all

AT_ONCE = 400
MOST_LOOKS = 20
WORTH_NOTING = 200
"""So many decided verdicts are read again at most before that is spared."""
MOST_LOOKED_UP = 10 * AT_ONCE
"""More that were perhaps judged before are not looked up: their fates are as soon read."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Up to when a line has decided all, and the versions that decided anything given since."""

    versions: Sequence[str]
    until: float | None = None
    late: str = ""
    looked_at: float = 0.0
    """When all verdicts were read for the last time."""


@dataclass(frozen=True, slots=True)
class Look:
    """How far the verdicts of a model were looked at, and how many of these wait in a line."""

    until: float | None = None
    place: Sequence[Any] | None = None
    count: int = 0
    waiting: int = 0
    decided: tuple[str, ...] = ()
    """The fates that said so."""


class WaitingVerdicts:
    """The verdicts that wait."""

    def __init__(self, database: Operations, fates: FateStore) -> None:
        self._database = database
        self._fates = fates
        self._looks: dict[tuple[str, tuple[str, ...]], Look] = {}

    def waiting(self, model: ModelKey, line: Sequence[str], limit: int) -> list[JudgedPrediction]:
        """List the verdicts that a line of versions has not yet given a fate, oldest first."""
        now = time.time()
        settled = self._settled(model, line, now)
        decided = self._fates.digests(model, settled.versions)
        standing = list(self.standing(model, settled.until))
        left = self._left(model, line, settled, decided, standing)
        if line:
            until = min([now - READ_AGAIN_SECONDS, *(one["time"] for one in left[:1])])
            self._settle(model, line, settled, until, standing)
        return self.read(model, [one.key for one in left], limit)

    def count(self, model: ModelKey, line: Sequence[str]) -> int:
        """Count them, with those whose predictions are still on their way."""
        lone = len(self.lone(model))
        settled = self._settled(model, line, time.time())
        decided = self._fates.digests(model, settled.versions)
        count = self._database.count(FEEDBACK, "given", (model,), since=settled.until)
        if settled.until is None and not decided:
            return count + lone
        return self._count_standing(model, line, settled, count, decided) + lone

    def standing(
        self, model: ModelKey, since: float | None = None, after: Sequence[Any] | None = None
    ) -> Iterable[Document]:
        """Return the verdicts that stand and have their predictions, in their order."""
        return scan_all(
            self._database,
            FEEDBACK,
            "given",
            (model,),
            since=since,
            after=after,
            only=[],
            page=5_000,
        )

    def lone(self, model: ModelKey) -> list[Document]:
        """Return the verdicts whose predictions are on their way; no line has decided them."""
        only = ["model", "version", "time", "was correct", "label"]
        new = scan_all(self._database, FEEDBACK, "new", (True,), only=only)
        return [
            one for one in new if one["model"] == model and one["version"] is None and _tells(one)
        ]

    def on_their_way(self, model: ModelKey) -> set[str]:
        """Return the predictions that are judged and have not been shipped, by their ids."""
        return {one.key for one in self.lone(model)}

    def read(self, model: ModelKey, ids: Sequence[str], limit: int) -> list[JudgedPrediction]:
        """Return the first so many of some predictions whose verdicts stand, none forgotten."""
        found: list[JudgedPrediction] = []
        if ids and (gone := forgotten_since(self._database, model, time.time() - HOUR)):
            ids = [id for id in ids if id not in gone]
        for start in range(0, len(ids), AT_ONCE):
            some = ids[start : start + AT_ONCE]
            known = self._database.get_many(FEEDBACK, some)
            judged = (judged_of(from_document(known[id])) for id in some if id in known)
            found += [one for one in judged if one is not None and one.feedback is not None]
            if len(found) >= limit:
                break
        return found[:limit]

    def _count_standing(
        self,
        model: ModelKey,
        line: Sequence[str],
        settled: Settled,
        count: int,
        decided: tuple[str, ...],
    ) -> int:
        """Count those that wait and have their predictions: from where the last look ended.

        A model that learns by itself asks every few seconds. Where as many verdicts have come as
        there are more, the ones before are as they were; else all are looked at anew.
        """
        asked, begin = (model, tuple(line)), Look(settled.until, decided=decided)
        known = self._looks.get(asked, begin)
        start = known if (known.until, known.decided) == (begin.until, begin.decided) else begin
        found = list(self.standing(model, start.until, start.place))
        if start.count + len(found) != count:
            start, found = begin, list(self.standing(model, begin.until))
        waiting = len(self._left(model, line, settled, decided, found))
        place = place_of(found[-1], FEEDBACK, "given") if found else start.place
        look = Look(start.until, place, start.count + len(found), start.waiting + waiting, decided)
        self._looks[asked] = look
        for oldest in [*self._looks][:-MOST_LOOKS]:
            self._looks.pop(oldest, None)  # Another thread may have done so.
        return look.waiting

    # ── what is settled ──────────────────────────────────────────────────────────────────────

    def _settled(self, model: ModelKey, line: Sequence[str], now: float) -> Settled:
        """Return what is settled for a line; where nothing is, all of it has to be read."""
        late = late_mark(self._database, model)
        known = self._database.get(SETTLED, model)
        if (
            known is None
            or not {known["version"], known["from version"] or known["version"]} <= {*line}
            or known["late"] != late
            or not now - DAY < known["looked at"] <= now
        ):
            return Settled(line, late=late, looked_at=now)
        first = known["from version"]
        versions = line[: line.index(first) + 1 if first else line.index(known["version"])]
        return Settled(versions, known["until"], late, known["looked at"])

    def _settle(
        self,
        model: ModelKey,
        line: Sequence[str],
        settled: Settled,
        until: float,
        standing: Sequence[Document],
    ) -> None:
        """Note that a line has decided all up to a moment, where that spares enough."""
        if sum(one["time"] < until for one in standing) < WORTH_NOTING:
            return
        fields = {
            "model": model,
            "version": line[0],
            "from version": self._first_deciding(model, settled.versions, until),
            "until": until,
            "late": settled.late,
            "looked at": settled.looked_at,
        }
        self._database.commit([Put(SETTLED, model, fields)])

    def _first_deciding(self, model: ModelKey, line: Sequence[str], since: float) -> str:
        """Return the first version of a line that decided anything given since, if one did."""
        for version in reversed(line):
            if any(one.given_at >= since for one in self._fates.of_version(model, version)):
                return version
        return ""

    def unsettled(self, model: ModelKey, version: str) -> list[Delete]:
        """Return what goes with a version deciding more that nobody would ask any more."""
        known = self._database.get(SETTLED, model)
        is_asked = known is None or (known["from version"] and known["version"] == version)
        return [] if is_asked else [Delete(SETTLED, model)]

    def _left(
        self,
        model: ModelKey,
        line: Sequence[str],
        settled: Settled,
        decided: tuple[str, ...],
        standing: Sequence[Document],
    ) -> list[Document]:
        """Return those that the line has not decided."""
        left = _undecided(standing, self._fates.decided_until(decided))
        if settled.until is None or not self._were_judged_before(left, settled.until):
            return left
        of_line = self._fates.digests(model, line)
        return _undecided(left, self._fates.decided_until(of_line))

    def _were_judged_before(self, verdicts: Sequence[Document], moment: float) -> bool:
        """Tell whether a prediction may have been judged before a moment, by what it was then."""
        old = [one.key for one in verdicts if one["predicted at"] < moment]
        if len(old) > MOST_LOOKED_UP:
            return True
        known = self._database.get_many(FEEDBACK, old)
        firsts = [from_document(one).first_given_at for one in known.values()]
        return any(first is None or first < moment for first in firsts)


def _tells(verdict: Document) -> bool:
    """Tell whether it may teach something: not what was taken back, nor a signal."""
    return verdict["was correct"] is not None or verdict["label"] is not None


def _undecided(verdicts: Sequence[Document], decided: Mapping[str, float]) -> list[Document]:
    return [one for one in verdicts if decided.get(one.key, -1.0) < one["time"]]
