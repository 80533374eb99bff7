"""What retention does to the store: each bite is one short commit, so that others write in between.

A batch of predictions goes when all of its rows are past; what was judged lives on in its verdict,
which has all of it, until that is past as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from unrot.core.records import (
    IMPORTING,
    Bite,
    Level,
    Limits,
    ModelKey,
    Old,
    Profile,
    Stock,
    Tidiable,
    Tidied,
)
from unrot.core.time import MINUTES_AN_HOUR
from unrot.hear.feedback_documents import from_document
from unrot.hear.verdict_store import LookUp
from unrot.hear.window_store import roll_up
from unrot.serve.batch_reader import HEADER, BatchReader
from unrot.serve.batches import pack
from unrot.store.blobs import drop_blob, drop_blobs
from unrot.store.kinds import (
    BATCH,
    CHECK,
    CLIENT_KEY,
    DELIVERY,
    FATES,
    FEEDBACK,
    OUTLIER,
    OVERRULED,
    PROFILE,
    TIDIED,
    UNSURE,
    UNVERIFIED,
    VERSION,
    WINDOWS,
    Kind,
)
from unrot.store.operations import (
    ABSENT,
    Change,
    Delete,
    Document,
    Operations,
    Put,
    place_of,
    scan_all,
    until_kept,
)
from unrot.watch.profile_store import ProfileStore

JUDGED = "\x7f"
"""Begins the place of a bite that goes on among verdicts, when all batches have been looked at."""

PAGE = 400
BATCHES_AT_ONCE = 300


class TidyingStore:
    """Lets go of documents, and adds totals up."""

    def __init__(
        self,
        database: Operations,
        batches: BatchReader,
        profiles: ProfileStore,
        old_deliveries: Callable[[ModelKey, float, int], list[str]],
    ) -> None:
        self._database = database
        self._batches = batches
        self._look_up: LookUp = batches.look_up
        self._profiles = profiles
        self._old_deliveries = old_deliveries

    # ── predictions ──────────────────────────────────────────────────────────────────────────

    def newest(self, model: ModelKey, rows: int) -> float:
        """Return from when on the newest predictions are so many; 0 when there are no more."""
        left = rows
        for header in self._batches.headers(model):
            if header["rows"] >= left:
                times = sorted(self._batches.rows_of(header).times)
                return times[-left] if len(times) >= left else float(header["starts at"])
            left -= header["rows"]
        return 0.0

    def drop_predictions(
        self, model: ModelKey, limits: Limits, *, after: tuple[float, str], most: int, now: float
    ) -> Bite:
        """Look at so many predictions from a place on, and let go of those past the limits."""
        done = 0
        if not after[1].startswith(JUDGED):
            headers = self._old_batches(model, limits, after, most)
            done = sum(self._drop_batch(model, header, limits, now) for header in headers)
            if headers:
                return Bite(done, (headers[-1]["starts at"], headers[-1].key))
            after = (0.0, JUDGED)
        bite = self._drop_judged(
            model, limits, (after[0], after[1].removeprefix(JUDGED)), most, now
        )
        return Bite(done + bite.done, bite.next)

    def _old_batches(
        self, model: ModelKey, limits: Limits, after: tuple[float, str], most: int
    ) -> list[Document]:
        found = self._database.scan(
            BATCH,
            "of model",
            (model,),
            until=limits.unjudged_before,
            after=after,
            limit=min(most, BATCHES_AT_ONCE),
            only=HEADER,
        )
        rows = 0
        for count, header in enumerate(found):
            if rows >= most:
                return found[:count]
            rows += header["rows"]
        return found

    def _drop_batch(self, model: ModelKey, header: Document, limits: Limits, now: float) -> int:
        """Let go of a batch, but for rows that somebody still goes through."""
        if header["writer"].startswith(IMPORTING) or header["ends at"] >= limits.unjudged_before:
            return 0

        def work() -> int:
            whole = self._database.get(BATCH, header.key)
            if whole is None or whole.revision != header.revision:
                return 0  # somebody was here first; the next round looks again
            rows = self._batches.rows_of(header)
            judged = self._judged_in(model, header["starts at"], header["ends at"])
            stay = [
                made
                for made in rows
                if (made.id not in judged and made.id in limits.protected)
                or judged.get(made.id or "") == "alone"
            ]
            gone = {id or "" for id in rows.ids} - {made.id for made in stay}
            unjudged = len([id for id in gone if id not in judged])
            changes: list[Change] = [
                Delete(BATCH, header.key, header.revision),
                Delete(UNSURE, header.key),
            ]
            if stay:
                if len(stay) == len(rows):
                    return 0
                fields = {**whole.fields, "rows": len(stay), "columns": pack(stay)}
                changes = [Put(BATCH, header.key, fields, header.revision)]
            changes += self._odd_ones(model, header, gone - set(judged))
            changes += self._note(model, "predictions", unjudged, limits.unjudged_before, now)
            self._database.commit(changes)
            return unjudged

        return until_kept(work)

    def _judged_in(self, model: ModelKey, since: float, until: float) -> dict[str, str]:
        """Return what is judged of a stretch, and which verdicts wait for their predictions."""
        found = scan_all(
            self._database,
            FEEDBACK,
            "of model",
            (model,),
            since=float(int(since)),
            until=until + 1e-6,
            only=["version"],
        )
        return {one.key: "joined" if one["version"] else "alone" for one in found}

    def _odd_ones(self, model: ModelKey, header: Document, gone: set[str]) -> list[Delete]:
        odd = scan_all(
            self._database,
            OUTLIER,
            "of model",
            (model,),
            since=header["starts at"],
            until=header["ends at"] + 1e-6,
            only=[],
        )
        return [Delete(OUTLIER, one.key) for one in odd if one.key in gone][: PAGE - 10]

    def _drop_judged(
        self, model: ModelKey, limits: Limits, after: tuple[float, str], most: int, now: float
    ) -> Bite:
        found = self._database.scan(
            FEEDBACK,
            "of model",
            (model,),
            until=limits.judged_before,
            after=after,
            limit=max(1, min(most, PAGE // 4)),
        )
        gone = [
            one
            for one in found
            if one["version"] is not None and one.key not in limits.protected
            if not from_document(one).is_imported
        ]
        changes: list[Change] = []
        for one in gone:
            changes.append(Delete(FEEDBACK, one.key, one.revision))
            changes += [Delete(OVERRULED, one.key), Delete(OUTLIER, one.key)]
        changes += self._note(model, "judged predictions", len(gone), limits.judged_before, now)
        self._database.commit(changes)
        is_over = len(found) < max(1, min(most, PAGE // 4))
        following = (found[-1]["predicted at"], JUDGED + found[-1].key) if found else None
        return Bite(len(gone), None if is_over else following)

    # ── what is only old ─────────────────────────────────────────────────────────────────────

    def drop_old(self, model: ModelKey, what: Old, *, before: float, most: int, now: float) -> int:
        """Let go of at most so many documents that are older; return how many."""

        def work() -> int:
            changes = self._old(model, what, before, min(most, PAGE - 10))
            noted = self._note(model, what, len(changes), before, now)
            self._database.commit([*changes, *noted])
            return len(changes)

        return until_kept(work)

    def _old(self, model: ModelKey, what: Old, before: float, most: int) -> Sequence[Delete]:
        plain: dict[Old, Kind] = {
            "verdicts kept apart": OVERRULED,
            "unverified verdicts": UNVERIFIED,
            "client keys": CLIENT_KEY,
            "checks": CHECK,
        }
        if what in plain:
            kind = plain[what]
            found = self._database.scan(
                kind, "of model", (model,), until=before, limit=most, only=[]
            )
            return [Delete(kind, one.key, one.revision) for one in found]
        if what == "profiles":
            old = self._profiles.old(model, before, most)
            return [Delete(PROFILE, one.key, one.revision) for one in old]
        if what == "deliveries":
            return [Delete(DELIVERY, one) for one in self._old_deliveries(model, before, most)]
        return self._lone_verdicts(model, before, most)

    def _lone_verdicts(self, model: ModelKey, before: float, most: int) -> list[Delete]:
        """Return verdicts whose predictions never came."""
        found: list[Document] = []
        last = None
        while len(found) < most and (
            page := self._database.scan(
                FEEDBACK,
                "of model",
                (model,),
                until=before,
                after=last,
                limit=PAGE,
                only=["version"],
            )
        ):
            lone = [one for one in page if one["version"] is None]
            there = self._look_up([one.key for one in lone])
            found += [one for one in lone if one.key not in there]
            last = place_of(page[-1], FEEDBACK, "of model")
        return [Delete(FEEDBACK, one.key, one.revision) for one in found[:most]]

    def drop_files(self, now: float) -> int:
        """Let go of files that nothing points at any more; return how many.

        What was written within the last hour stays: something may be about to point at it.
        """
        return drop_blobs(self._database, self._needed().__contains__, now)

    def _needed(self) -> set[str]:
        """Return the digests of all files that something points at."""
        needed: set[str] = set()
        for version in scan_all(self._database, VERSION, "all", only=["body"]):
            if not version["body"]["is_pruned"]:
                needed |= set(version["body"]["artefacts"].values())
                needed |= {version["body"]["anchor"], version["body"]["serving"]["digest"]}
        for fates in scan_all(self._database, FATES, "all"):
            needed |= set(fates["blobs"])
        for profile in scan_all(self._database, PROFILE, "all", only=["data"]):
            needed.add(profile["data"])
        return needed

    # ── totals ───────────────────────────────────────────────────────────────────────────────

    def roll_windows(
        self, model: ModelKey, *, after: int, before: float, minutes: int, now: float
    ) -> int | None:
        """Add the first hour or day of finer totals up; return the minute to go on from."""
        end = int(before) // 60 // minutes * minutes
        what: Tidiable = "minute totals" if minutes == MINUTES_AN_HOUR else "hour totals"

        def work() -> int | None:
            rolled = roll_up(self._database, model, after=after, end=end, minutes=minutes)
            if rolled is None:
                return None
            changes, following, gone = rolled
            self._database.commit([*changes, *self._note(model, what, gone, before, now)])
            return following

        return until_kept(work)

    def short_profiles(
        self, model: ModelKey, *, after: float, before: float, seconds: int, most: int
    ) -> list[Profile]:
        """List the first group of profiles that can become one of so many seconds, no data."""
        return self._profiles.short(model, after=after, before=before, seconds=seconds, most=most)

    def put_together(self, gone: Sequence[Profile], whole: Profile, *, now: float) -> bool:
        """Put one profile in the place of several; False when one of them has changed."""
        length = whole.ends_at - whole.starts_at
        what: Tidiable = "hour profiles" if length >= 86_400 else "short profiles"

        def work() -> bool:
            changes = self._profiles.replaced(gone, whole)
            if changes is None:
                return False
            noted = self._note(whole.model, what, len(gone) - 1, whole.ends_at, now)
            self._database.commit([*changes, *noted])
            return True

        return until_kept(work)

    # ── what is kept ─────────────────────────────────────────────────────────────────────────

    def tidied(self, model: ModelKey) -> list[Tidied]:
        """Say what was let go of a model."""
        found = self._database.scan(TIDIED, "of model", (model,), limit=PAGE)
        return [
            Tidied(
                model,
                one.key.rpartition("/")[2],  # type: ignore[arg-type]
                one["body"]["at"],
                one["body"]["dropped"],
                one["body"]["kept since"] or None,
            )
            for one in found
        ]

    def stock(self, model: ModelKey) -> Stock:
        """Say what is kept of a model, from totals: each prediction that went is noted."""
        windows = [
            (one["minutes"] * 60, one["count"], one["predictions"], one["since"])
            for one in self._all(WINDOWS, model, ["minutes", "count", "predictions", "since"])
        ]
        profiles = [
            (int(one["ends at"] - one["starts at"]), 1, one["rows"], one["starts at"])
            for one in self._all(PROFILE, model, ["ends at", "rows"])
        ]
        levels = _levels(windows)
        answered = sum(level.predictions for level in levels)
        gone = sum(
            one.dropped
            for one in self.tidied(model)
            if one.what in ("predictions", "judged predictions", "forgotten predictions")
        )
        oldest = self._database.scan(BATCH, "of model", (model,), limit=1, only=[])
        versions = self._all(VERSION, model, ["body"])
        return Stock(
            answered,
            max(0, answered - gone),
            oldest[0]["starts at"] if oldest else None,
            levels,
            _levels(profiles),
            len(versions),
            sum(bool(one["body"].get("is_pruned")) for one in versions),
        )

    def erased(self, model: ModelKey, count: int, now: float) -> list[Put]:
        """Return the change that counts predictions that were forgotten at somebody's wish."""
        return self._note(model, "forgotten predictions", count, 0.0, now)

    def drop_file(self, digest: str) -> None:
        """Let go of one file at once, unless something points at it."""
        if digest not in self._needed():
            drop_blob(self._database, digest)

    def _all(self, kind: Kind, model: ModelKey, only: Sequence[str]) -> list[Document]:
        return list(scan_all(self._database, kind, "of model", (model,), only=only))

    def _note(
        self, model: ModelKey, what: Tidiable, dropped: int, kept_since: float, now: float
    ) -> list[Put]:
        """Return the change that adds to what was let go of a model."""
        if not dropped:
            return []
        known = self._database.get(TIDIED, f"{model}/{what}")
        before = {"dropped": 0, "kept since": 0.0} if known is None else known["body"]
        body = {
            "at": now,
            "dropped": before["dropped"] + dropped,
            "kept since": max(before["kept since"], kept_since),
        }
        expect = ABSENT if known is None else known.revision
        return [Put(TIDIED, f"{model}/{what}", {"model": model, "body": body}, expect)]


def _levels(found: Sequence[tuple[int, int, int, float]]) -> list[Level]:
    """Add up documents by the length of what they hold."""
    parts: dict[int, list[tuple[int, int, int, float]]] = defaultdict(list)
    for one in found:
        parts[one[0]].append(one)
    return [
        Level(
            seconds,
            sum(one[1] for one in some),
            sum(one[2] for one in some),
            min(one[3] for one in some),
        )
        for seconds, some in sorted(parts.items())
    ]
