"""Look for broken data: gaps, choices never seen, numbers far out, rows that are refused.

Closed profiles and minutes are gathered until there are enough rows, whether that takes a minute or
a week, and each such piece is looked at once (`rule.py`). An import brings rows of a
time that was gone through: that stretch is gone through again, with nothing known of it, as if it
had been live. What moves the distribution of a column is drift: where a finding of drift names the
column, that says so, and it is not found twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import reduce

from unrot.core.records import (
    CountedStretch,
    Gravity,
    Profile,
    Schema,
    Summary,
    Symptom,
)
from unrot.core.rules import FeatureRule, Rules
from unrot.core.time import DAY, WEEK
from unrot.watch.imports import import_runs
from unrot.watch.monitors.quality import refused
from unrot.watch.monitors.quality.note import Note, Walk
from unrot.watch.monitors.quality.rule import DELTA, KINDS, counts_of, prior
from unrot.watch.monitors.quality.words import (
    ADVICE,
    CAUSES,
    reasons_of,
    sentence_of,
    sentence_of_refused,
    words,
)
from unrot.watch.notes import read_note
from unrot.watch.profiles import references
from unrot.watch.profiles.baseline import Reference
from unrot.watch.statistics.many_looks import allowed
from unrot.watch.statistics.risen_share import Piece, Risen, Stream, look_at_piece
from unrot.watch.statistics.usual_share import Usual
from unrot.watch.visit import Visit
from unrot.watch.worth.rows import alike_of

MONITOR = "quality"
DRIFT = "drift"
"""The cause of the findings of drift."""
LATE_SECONDS = 10.0
"""So long after its end a period waits for what is still on its way."""
STRETCHES_AT_ONCE, READ_AT_ONCE = 1_200, 50
FEWEST_KNOWN = 100
"""Where training is not known, as many rows are taken to be whole."""
GRAVE_SHARE = 0.5
MOST_SHOWN = 20
NEVER = 1e18


def look(visit: Visit) -> Iterator[Symptom]:
    """Yield what has closed since the last look shows, oldest first."""
    note = read_note(Note, visit.read_note(MONITOR))
    before = asdict(note)
    _note_imports(visit, note)
    yield from _Look(visit, note).run()
    if asdict(note) != before:
        visit.write_note(MONITOR, note)


def _note_imports(visit: Visit, note: Note) -> None:
    """Let stretches that imports have brought rows into be gone through again."""
    live = note.walks[-1]
    for run, since, until in import_runs(visit.store.findings, visit.key):
        if run > note.run and live.to is None:
            live.counted_to = None
        elif run > note.run and since < (live.to or 0.0):
            ends_at = min(live.to or 0.0, until + visit.service.settings.rotation_seconds)
            note.walks.insert(-1, Walk(since, since, ends_at))
            note.total = ()
        note.run = max(note.run, run)


@dataclass(slots=True)
class _Look:
    """One call."""

    visit: Visit
    note: Note
    held: dict[tuple[str, str], Reference | None] = field(default_factory=dict)

    def run(self) -> Iterator[Symptom]:
        walk = self.note.walks[0]
        yield from self._columns(walk)
        yield from self._refused(walk)
        is_over = walk.until is not None and min(walk.to or 0, walk.counted_to or 0) >= walk.until
        if is_over:
            self.note.walks.pop(0)

    # ── columns ──────────────────────────────────────────────────────────────────────────────

    def _columns(self, walk: Walk) -> Iterator[Symptom]:
        profiles = self.visit.store.profiles
        stamp = profiles.total(self.visit.key)
        if tuple(self.note.total) == tuple(stamp) and self.visit.now < self.note.next_at:
            return
        stretches = profiles.stretches(self.visit.key)
        due, until = self._due(walk, stretches)
        yield from self._walk(walk, due)
        walk.to = until
        is_all = len(self.note.walks) == 1 and len(due) < STRETCHES_AT_ONCE
        self.note.total = tuple(stamp) if is_all else ()
        later = (one.ends_at for one in stretches if one.ends_at > (until or 0.0))
        self.note.next_at = min(later, default=NEVER) + LATE_SECONDS

    def _due(
        self, walk: Walk, stretches: Sequence[CountedStretch]
    ) -> tuple[list[CountedStretch], float | None]:
        """Return the next stretches that are over, and up to when that is all."""
        until = min(self.visit.now - LATE_SECONDS, NEVER if walk.until is None else walk.until)
        over = sorted(
            (one for one in stretches if (walk.to or 0.0) < one.ends_at <= until),
            key=lambda one: one.ends_at,
        )
        if len(over) > STRETCHES_AT_ONCE:
            until = over[STRETCHES_AT_ONCE].ends_at
            return [one for one in over if one.ends_at <= until and one.reference], until
        # What is late is still looked at while nothing newer was.
        newest = over[-1].ends_at if over else walk.to
        return [one for one in over if one.reference], newest if walk.until is None else until

    def _walk(self, walk: Walk, due: Sequence[CountedStretch]) -> Iterator[Symptom]:
        for place in range(0, len(due), READ_AT_ONCE):
            for profile in self._profiles(due[place : place + READ_AT_ONCE]):
                stream = walk.streams.setdefault(profile.reference, Stream(profile.starts_at))
                piece = stream.gather(
                    _piece(profile, self.visit.model.schema), self.visit.rules.least_rows
                )
                if piece is not None:
                    yield from self._look_at_columns(stream, piece, profile)

    def _profiles(self, due: Sequence[CountedStretch]) -> list[Profile]:
        """Return the profiles of some stretches, in the order of their ends."""
        keys = {(one.version, one.starts_at, one.ends_at, one.reference) for one in due}
        found = self.visit.store.profiles.of_model(
            self.visit.key,
            since=min(one.starts_at for one in due),
            until=max(one.starts_at for one in due) + 1,
        )
        of = [
            one for one in found if (one.version, one.starts_at, one.ends_at, one.reference) in keys
        ]
        return sorted(of, key=lambda one: (one.ends_at, one.reference))

    def _reference(self, profile: Profile) -> Reference | None:
        key = profile.version, profile.reference
        if key not in self.held:
            self.held[key] = references.on_bins(self.visit.service, self.visit.key, *key)
        return self.held[key]

    def _look_at_columns(self, stream: Stream, piece: Piece, newest: Profile) -> Iterator[Symptom]:
        reference = self._reference(newest)
        if reference is None:
            return
        priors = self._priors(reference.summary, piece, stream)
        drifted = self._drifted(piece)
        limits = {
            key: limit
            for key, limit in self._limits(reference.summary).items()
            if key.startswith("missing:") or key.partition(":")[2] not in drifted
        }
        stream.course, risen = look_at_piece(
            stream.course,
            piece,
            priors,
            limits,
            alpha=self._allowed("columns"),
            alike=lambda until: alike_of(self.visit, until),
        )
        far = {one.column for one in risen if one.what == "far"}
        told = [one for one in risen if one.what != "outside" or one.column not in far]
        for cause, kinds in CAUSES.items():
            some = [one for one in told if one.what in kinds]
            if not _only_wait(some):
                yield self._tell_columns(cause, piece, stream, some)

    def _priors(self, before: Summary, piece: Piece, stream: Stream) -> dict[str, Usual]:
        known = stream.known(piece.ends_at)
        found: dict[str, Usual] = {}
        for key in piece.counts.keys() | stream.course.raised.keys():
            what, _, column = key.partition(":")
            kind = next(one for one in KINDS if one == what)
            made = prior(kind, before[column], known) if column in before else None
            if made is not None:
                found[key] = made
        return found

    def _limits(self, before: Summary) -> dict[str, float]:
        """Return the limits of all that is watched."""
        watched = limits_of(self.visit.model.schema, self.visit.rules)
        return {key: limit for key, limit in watched.items() if key.partition(":")[2] in before}

    def _drifted(self, piece: Piece) -> Sequence[str]:
        """Return the columns that a finding of drift names at the end of a piece."""
        found = self.visit.store.findings.last(self.visit.key, DRIFT, until=piece.ends_at)
        if found is None or (found.closed_at is not None and found.closed_at <= piece.ends_at):
            return ()
        return found.features

    def _allowed(self, kind: str) -> float:
        self.note.looks[kind] = self.note.looks.get(kind, 0) + 1
        return allowed(self.note.looks[kind], DELTA)

    def _tell_columns(
        self, cause: str, piece: Piece, stream: Stream, risen: Sequence[Risen]
    ) -> Symptom:
        if not risen:
            return Symptom(f"quality:{cause}", "quality", is_present=False, at=piece.ends_at)
        worst = sorted(risen, key=lambda one: one.usual - one.share)
        whole = _span(stream, piece, risen)
        shown = [
            {"column": one.column, "share": one.share, "usual": one.usual}
            for one in worst[:MOST_SHOWN]
        ]
        return Symptom(
            f"quality:{cause}",
            "quality",
            is_present=True,
            at=piece.ends_at,
            since=whole.starts_at,
            gravity=_gravity(max(one.share for one in risen)),
            sentence=sentence_of(cause, worst),
            advice=ADVICE[cause],
            features=tuple(one.column for one in worst),
            evidence={
                "rows": int(whole.rows),
                "starts_at": whole.starts_at,
                "ends_at": piece.ends_at,
                "features": shown,
            },
        )

    # ── rows ─────────────────────────────────────────────────────────────────────────────────

    def _refused(self, walk: Walk) -> Iterator[Symptom]:
        step = -(-self.visit.service.settings.rotation_seconds // 60) * 60
        until = self.visit.now - LATE_SECONDS
        if walk.until is not None:
            until = min(until, walk.until + step)
        since = (self._begin() if walk.counted_to is None else walk.counted_to) // step * step
        until = until // step * step
        if since < until:
            prior = refused.prior_of_refused(self._known_rows())
            yield from self._counted(walk, since, until, step, prior)
        walk.counted_to = max(since, until, walk.until or 0.0)

    def _counted(
        self, walk: Walk, since: float, until: float, step: int, prior: Usual
    ) -> Iterator[Symptom]:
        """Go through the minutes of a stretch of time, a week at once."""
        while since < until:
            end = min(until, (since + WEEK) // step * step)
            windows = self.visit.store.traffic.windows(self.visit.key, since=since, until=end)
            for part in refused.pieces_of(
                windows, since=int(since // 60), until=int(end // 60), step=step // 60
            ):
                stream = walk.streams.setdefault("", Stream(since))
                piece = stream.gather(part, self.visit.rules.least_rows)
                if piece is not None:
                    yield from self._look_at_refused(stream, piece, prior)
            since = end

    def _begin(self) -> float:
        """Return when the first rows came, or a day ago."""
        stretches = self.visit.store.profiles.stretches(self.visit.key)
        created_at = self.visit.model.created_at
        return min([created_at, self.visit.now - DAY, *(one.starts_at for one in stretches)])

    def _known_rows(self) -> int:
        """Return how many rows training has: they are whole, each."""
        named = references.bins_of(self.visit.service, self.visit.key, self.visit.champion)
        return FEWEST_KNOWN if named is None else named[1].rows

    def _look_at_refused(self, stream: Stream, piece: Piece, prior: Usual) -> Iterator[Symptom]:
        limits = dict.fromkeys(
            refused.keys_of(self.visit.model.schema.names), self.visit.rules.rejected
        )
        stream.course, risen = look_at_piece(
            stream.course,
            piece,
            dict.fromkeys(limits, prior),
            limits,
            alpha=self._allowed("rows"),
        )
        if not _only_wait(risen):
            yield _tell_refused(stream, piece, risen)


def limits_of(schema: Schema, rules: Rules) -> dict[str, float]:
    """Return from how much above the usual on each watched share is told of."""
    limits: dict[str, float] = {}
    for feature in schema.features:
        rule = rules.features.get(feature.name, FeatureRule())
        if not rule.is_watched:
            continue
        missing = rules.missing if rule.missing is None else rule.missing
        unseen = rules.unseen if rule.unseen is None else rule.unseen
        limits[f"missing:{feature.name}"] = missing
        kinds = ("unseen",) if feature.kind in ("category", "boolean") else ("outside", "far")
        limits |= {f"{kind}:{feature.name}": unseen for kind in kinds}
    return limits


def _piece(profile: Profile, schema: Schema) -> Piece:
    counts: dict[str, tuple[float, float]] = {}
    for name, lay in profile.summary.items():
        if name in schema.names:
            counts |= counts_of(name, lay)
    return Piece(profile.starts_at, profile.ends_at, profile.rows, counts, is_in_order=True)


def _span(stream: Stream, piece: Piece, risen: Sequence[Risen]) -> Piece:
    """Return all rows that what has risen was seen in, as one piece."""
    pieces = max(one.pieces for one in risen)
    before = stream.course.recent[:-1][1 - pieces :] if pieces > 1 else ()
    return reduce(Piece.with_, [*before, piece])


def _only_wait(risen: Sequence[Risen]) -> bool:
    """Tell whether all that has risen looks calm, and nothing new is to be said of it."""
    return bool(risen) and all(one.is_waiting for one in risen)


def _tell_refused(stream: Stream, piece: Piece, risen: Sequence[Risen]) -> Symptom:
    if not risen:
        return Symptom("quality:rejected", "quality", is_present=False, at=piece.ends_at)
    whole = _span(stream, piece, risen)
    reasons = reasons_of(whole)
    wrong = sum(reasons.values()) + int(whole.counts.get("beside:", (0.0, 0.0))[0])
    worst = refused.with_feature(risen, whole)
    return Symptom(
        "quality:rejected",
        "quality",
        is_present=True,
        at=piece.ends_at,
        since=whole.starts_at,
        gravity=_gravity(wrong / whole.rows),
        sentence=sentence_of_refused(whole, worst),
        advice=ADVICE["rejected"],
        features=tuple(one.column for one in worst if one.column),
        evidence={
            "rows": int(whole.rows),
            "refused": wrong,
            "rejected_share": wrong / whole.rows,
            "usual_share": next((one.usual for one in worst if not one.column), None),
            "starts_at": whole.starts_at,
            "ends_at": piece.ends_at,
            "reasons": {words(reason): count for reason, count in reasons.items()},
        },
    )


def _gravity(share: float) -> Gravity:
    return "grave" if share >= GRAVE_SHARE else "warning"
