"""Slices: a part of the traffic that falls while the rest does not is named.

All verdicts on what the champion's line has answered (`eras.py`) are gone through in their order,
some at a go, so that what is imported is gone through in its own time: `parts.py` says
which parts there are, `rule.py` which of them has fallen or is back. Another line, or
an import of verdicts of before, begins anew. A fall that the line before had is over when the new
one is right there.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import orjson

from unrot.core.errors import UnrotError
from unrot.core.records import IMPORTED, Outcome, Symptom
from unrot.core.time import HOUR
from unrot.hear.judges import Whose, whose
from unrot.watch import holdout
from unrot.watch.eras import era_of_champion, key_from, key_of
from unrot.watch.imports import IMPORTED_LOG, is_imported, last_import
from unrot.watch.monitors.slices import counts, rule
from unrot.watch.monitors.slices.counts import Book, Fallen
from unrot.watch.monitors.slices.parts import Part, parts_of
from unrot.watch.monitors.slices.rule import STRETCH
from unrot.watch.monitors.slices.words import Told, advice, evidence_of, gravity_of, sentence_of
from unrot.watch.profiles.references import bins_of
from unrot.watch.visit import Visit
from unrot.watch.worth.leaning import leaning_of, like_judged

MONITOR, CAUSE = "slices", "slice"
FORMAT = 1
"""The number of how the standpoint is written."""
MOST_VERDICTS, MOST_CELLS = 2_000, 200_000
"""So many verdicts are read at a go; of a wide model fewer."""


def look(visit: Visit) -> Iterator[Symptom]:
    """Go on through the verdicts that are new since the last look; they tell their own time."""
    if visit.rules.slices and visit.champion:
        yield from _Walk(visit).go()


class _Walk:
    """One look: from where the monitor stood to the newest whole stretch of verdicts."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        note = visit.read_note(MONITOR)
        self._note = note if note.get("format") == FORMAT else {}
        self._import = last_import(visit.store.findings, visit.key)
        self._seen = key_from(self._note.get("seen", (0.0, 0.0, "")))
        if self._note.get("import") != self._import:
            self._seen = (0.0, 0.0, "")
        features = len(visit.model.schema.features)
        self._limit = max(4 * STRETCH, min(MOST_VERDICTS, MOST_CELLS // max(1, features)))

    def go(self) -> Iterator[Symptom]:
        """Go through what is new, a piece at a time."""
        more = self._read()
        if len(more) < STRETCH:
            return
        self._begin(more)
        if self._note.get("where") and not self._book.fallen:
            yield self._back(more[0])
        while True:
            own = [one for one in more if self._era.holds(one) and _is_told(one)]
            yield from self._follow(own)
            whole = len(own) - len(own) % STRETCH
            is_last = len(more) < self._limit
            if whole:
                self._seen = key_of(own[whole - 1])
            if not is_last and len(own) < STRETCH:
                self._seen = key_of(more[-1])
            self._stand()
            if is_last:
                return
            if not self._book.fallen:  # A pause: others may have their turn.
                yield self._back(more[-1])
            more = self._read()

    def _read(self) -> list[Outcome]:
        return self._visit.store.traffic.outcomes(
            self._visit.key, limit=self._limit, after=self._seen, with_inputs=True
        )

    def _begin(self, outcomes: Sequence[Outcome]) -> None:
        """Take the book of the line that answers, or begin one."""
        self._era = era_of_champion(self._visit)
        bins = bins_of(self._visit.service, self._visit.key, self._era.champion)
        self._parts = parts_of(self._visit.model.schema, bins[1] if bins else None)
        self._key = [list(self._era.line), bins[0] if bins else ""]
        self._near = holdout.near(self._visit.shelved.versions[self._era.champion])
        self._silent_until = 0.0
        kept, digest = self._note.get("key", ([], ""))
        is_same = self._note.get("import") == self._import
        if is_same and digest == self._key[1] and self._key[0][: len(kept)] == kept and kept:
            self._book = counts.from_note(self._note["book"])
            self._silent_until = float(self._note["silent_until"])
            return
        if is_same and kept:
            self._silent_until = self._era.since
            if len(self._era.reigns) > 1:
                self._seen = (0.0, 0.0, "")
        self._book = counts.new_book(self._parts.groups, self._promised(outcomes))
        if is_same and kept:
            self._carry(counts.from_note(self._note["book"]))

    def _carry(self, before: Book) -> None:
        """Keep the falls that the line before had, until this one is right there or is not.

        The same words are the same part; else the same place, where there are as many: numbers are
        cut a little elsewhere.
        """
        words, every = self._note["where"], self._parts.every
        places = {part.where: place for place, part in enumerate(every)}
        for part, one in before.fallen.items():
            same_place = part if before.size == len(every) else None
            place = places.get(words[str(part)], same_place)
            if place is not None:
                self._book.fallen[place] = replace(one, count=0, right=0, rest=0.0)

    def _promised(self, outcomes: Sequence[Outcome]) -> counts.Numbers | None:
        """Count the test set of the champion; not where others have answered before it."""
        if any(one.version == IMPORTED for one in outcomes):
            return None
        try:
            held = holdout.holdout(self._visit.service, self._visit.name, self._era.champion)
        except UnrotError:
            return None
        if held is None:
            return None
        rows = held.rows
        times = [one.predicted_at for one in outcomes]
        if self._leans(min(times), max(times)):
            if not self._visit.model.schema.is_classifier:
                return None
            rows = like_judged(rows, outcomes)
        places = self._parts.places([one.row for one in rows], [one.truth for one in rows])
        rights = np.array([one.is_right for one in rows], np.float64)
        return counts.promise(places, rights, len(self._parts.every))

    def _follow(self, own: Sequence[Outcome]) -> Iterator[Symptom]:
        own = own[: len(own) - len(own) % STRETCH]
        if not own:
            return
        rights = self._rights(own)
        rows = [zlib.crc32(orjson.dumps(one.inputs)) for one in own]
        places = self._parts.places([one.inputs for one in own], [one.truth for one in own])
        times = np.array([one.given_at for one in own])
        had, told = bool(self._book.fallen), 0
        for turn in rule.go_on(self._book, places, rights, times, rows):
            told = turn.end
            yield from self._say(own[turn.end - 1], turn.fallen)
        if told < len(own) and (had or self._book.fallen):
            yield from self._say(own[-1], self._book.fallen)

    def _rights(self, outcomes: Sequence[Outcome]) -> counts.Numbers:
        """Return which answers were right; a number is, when it is near enough."""
        if self._visit.model.schema.is_classifier:
            return np.array([float(bool(one.was_correct)) for one in outcomes])
        errors = np.abs([one.error or 0.0 for one in outcomes])
        if self._near is None:
            self._near = float(self._note.get("near") or holdout.NEAR * errors[:STRETCH].mean())
        return np.asarray(errors <= self._near, np.float64)

    def _say(self, last: Outcome, fallen: Mapping[int, Fallen]) -> Iterator[Symptom]:
        """Say which parts have fallen, the surest first, or that all are back."""
        if last.given_at < self._silent_until:
            return
        if not fallen:
            yield self._back(last)
            return
        told = [
            Told(part, one, self._share_of(place))
            for place, one in fallen.items()
            if one.count >= 2 * rule.LEAST and self._is_watched(place)
            for part in [self._parts.every[place]]
        ]
        if self._is_recall_unknown(told, last):
            told = [one for one in told if one.part.feature]
        if told:
            told.sort(key=lambda one: (-one.fallen.ratio, one.part.where))
            yield self._present(last, told)

    def _is_recall_unknown(self, told: Sequence[Told], last: Outcome) -> bool:
        """Tell whether verdicts lean on an answer: none tells then how much of a class is found."""
        since = [one.fallen.since for one in told if not one.part.feature]
        if not since:
            return False
        late = last.given_at - last.predicted_at + HOUR
        return self._leans(min(since) - late, last.predicted_at)

    def _leans(self, since: float, until: float) -> bool:
        return leaning_of(self._visit.store, self._visit.key, since, until) is not None

    def _is_watched(self, place: int) -> bool:
        own = self._visit.rules.features.get(self._parts.every[place].feature)
        return own is None or own.is_watched

    def _share_of(self, place: int) -> float:
        """Return how much of the verdicts are of a part."""
        return float(self._book.spread[place, 0]) / (self._book.stretches * STRETCH)

    def _present(self, last: Outcome, told: Sequence[Told]) -> Symptom:
        worst = told[0]
        of_worst = self._since(worst.fallen, worst.part, last)
        who = whose(of_worst)
        since = min((one.predicted_at for one in of_worst), default=worst.fallen.since)
        within = None if self._visit.model.schema.is_classifier else self._near
        answered = IMPORTED_LOG if is_imported(of_worst) else self._era.champion
        return Symptom(
            cause=CAUSE,
            kind="slice",
            is_present=True,
            at=last.given_at,
            since=since,
            gravity=gravity_of(worst, who),
            sentence=" ".join([sentence_of(answered, told, within), *self._who(who, since, last)]),
            advice=advice(worst),
            features=tuple(dict.fromkeys(one.part.feature for one in told if one.part.feature)),
            evidence=evidence_of(told, who, within),
        )

    def _since(self, fallen: Fallen, part: Part, last: Outcome) -> list[Outcome]:
        """Read verdicts of a part since it fell, the first ones of them."""
        read = self._visit.store.traffic.outcomes(
            self._visit.key, limit=self._limit, after=(fallen.since, 0.0, ""), with_inputs=True
        )
        own = [one for one in read if self._era.holds(one) and _is_told(one)]
        own = [one for one in own if key_of(one) <= key_of(last)]
        places = self._parts.places([one.inputs for one in own], [one.truth for one in own])
        place = self._parts.every.index(part)
        is_in = (places == place).any(axis=1) if own else []
        return [one for one, inside in zip(own, is_in, strict=True) if inside]

    def _who(self, who: Whose, since: float, last: Outcome) -> list[str]:
        if who.is_one_voice and who.verdicts:
            mostly = ", mostly by one of them" if who.subjects > 1 else ""
            return [f"They were judged {who.words}{mostly}, and no judge has confirmed it."]
        tally = self._visit.store.traffic.tally(
            self._visit.key, since=min(since, last.given_at), last=1
        )
        if who.is_of_judges or 5 * tally.verdicts >= tally.predictions:
            return []
        return [
            f"Only {tally.verdicts:,} of {tally.predictions:,} predictions since then were judged, "
            "by people who chose what to judge: they may see more faults than there are."
        ]

    def _back(self, last: Outcome) -> Symptom:
        sentence = f"{self._era.champion} is right there again, as it was before."
        return Symptom(CAUSE, "slice", is_present=False, at=last.given_at, sentence=sentence)

    def _stand(self) -> None:
        where = {str(place): self._parts.every[place].where for place in self._book.fallen}
        self._note = {
            "format": FORMAT,
            "key": self._key,
            "import": self._import,
            "seen": list(self._seen),
            "silent_until": self._silent_until,
            "near": self._near,
            "where": where,
            "book": counts.to_note(self._book),
        }
        self._visit.write_note(MONITOR, self._note)


def _is_told(outcome: Outcome) -> bool:
    return outcome.was_correct is not None or outcome.error is not None
