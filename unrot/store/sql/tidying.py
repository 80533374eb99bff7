"""Retention, in SQL: every bite is one short transaction, so that others write in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from unrot.core.records import (
    IMPORTING,
    Bite,
    Level,
    Limits,
    Old,
    Profile,
    Stock,
    Tidiable,
    Tidied,
)
from unrot.core.time import DAY, MINUTES_AN_HOUR
from unrot.core.windows import added, grouped
from unrot.store.sql import names, profiles, windows
from unrot.store.sql.database import Database, Transaction

_WITH_PREDICTIONS = ("feedback", "overruled", "shadows", "oddities")
"""Tables whose rows go with their prediction; fates stay, as the versions that decided them do."""

_CLOSED_AT = "(SELECT closed_at FROM findings i WHERE i.id = deliveries.finding)"

_OLD: dict[Old, tuple[str, str, str, str]] = {
    "verdicts without a prediction": (
        "feedback",
        "prediction",
        "predicted_at",
        "AND counted = 0 AND NOT EXISTS (SELECT 1 FROM predictions p WHERE p.id = prediction)",
    ),
    "verdicts kept apart": ("overruled", "prediction", "given_at", ""),
    "unverified verdicts": ("unverified", "id", "given_at", ""),
    "profiles": ("profiles", "id", "starts_at", f"AND writer NOT LIKE '{IMPORTING}%'"),
    "checks": ("checks", "version, starts_at, ends_at, against", "ends_at", ""),
    "deliveries": ("deliveries", "finding", _CLOSED_AT, ""),
}
"""Table, key, time, and what else is to hold."""

_SCAN = (
    "SELECT p.predicted_at, p.id, p.writer, "
    "EXISTS (SELECT 1 FROM feedback f WHERE f.prediction = p.id) "
    "FROM predictions p WHERE p.model = ? AND (p.predicted_at, p.id) > (?, ?) "
    "AND p.predicted_at < ? ORDER BY p.predicted_at, p.id LIMIT ?"
)


class SqlTidying:
    """The broom."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self, model: str, rows: int) -> float:
        """Return from when on the newest predictions are so many; 0 when there are no more."""
        row = self._database.read(
            lambda tx: tx.execute(
                "SELECT predicted_at FROM predictions WHERE model = ? "
                "ORDER BY predicted_at DESC, id DESC LIMIT 1 OFFSET ?",
                (names.kept_as(tx, model), rows - 1),
            ).fetchone()
        )
        return float(row[0]) if row is not None else 0.0

    def drop_predictions(
        self, model: str, limits: Limits, *, after: tuple[float, str], most: int, now: float
    ) -> Bite:
        """Look at so many predictions from a key on, and let go of those past the limits."""
        latest = max(limits.unjudged_before, limits.judged_before)

        def work(tx: Transaction) -> Bite:
            kept_as = names.kept_as(tx, model)
            seen = tx.execute(_SCAN, (kept_as, *after, latest, most)).fetchall()
            unjudged = [row[1] for row in seen if _is_past(row, limits) and not row[3]]
            judged = [row[1] for row in seen if _is_past(row, limits) and row[3]]
            _drop(tx, [*unjudged, *judged])
            _note(tx, kept_as, "predictions", len(unjudged), limits.unjudged_before, now)
            _note(tx, kept_as, "judged predictions", len(judged), limits.judged_before, now)
            is_over = len(seen) < most
            return Bite(len(unjudged) + len(judged), None if is_over else (seen[-1][:2]))

        return self._database.write(work)

    def drop_old(self, model: str, what: Old, *, before: float, most: int, now: float) -> int:
        """Let go of at most so many rows that are older; return how many."""
        table, key, time, condition = _OLD[what]
        chosen = (
            f"SELECT {key} FROM {table} WHERE model = ? AND {time} < ? {condition} "
            f"ORDER BY {time} LIMIT ?"
        )

        def work(tx: Transaction) -> int:
            kept_as = names.kept_as(tx, model)
            rows = tx.execute(chosen, (kept_as, before, most)).fetchall()
            columns = " AND ".join(f"{name} = ?" for name in key.split(", "))
            tx.executemany(
                f"DELETE FROM {table} WHERE model = ? AND {columns}",
                [(kept_as, *row) for row in rows],
            )
            _note(tx, kept_as, what, len(rows), before, now)
            return len(rows)

        return self._database.write(work)

    def roll_windows(
        self, model: str, *, after: int, before: float, minutes: int, now: float
    ) -> int | None:
        """Add the first hour or day of finer totals up; return the minute to go on from."""
        end = int(before) // 60 // minutes * minutes

        def work(tx: Transaction) -> int | None:
            kept_as = names.kept_as(tx, model)
            row = tx.execute(
                "SELECT minute FROM windows WHERE model = ? AND minute >= ? AND minute < ? "
                "AND minutes < ? ORDER BY minute LIMIT 1",
                (kept_as, after, end, minutes),
            ).fetchone()
            if row is None:
                return None
            start, length = _bucket(tx, kept_as, row[0], minutes)
            gone = _roll(tx, kept_as, start, length)
            _note(
                tx,
                kept_as,
                "minute totals" if minutes == MINUTES_AN_HOUR else "hour totals",
                gone,
                before,
                now,
            )
            return start + length

        return self._database.write(work)

    def short_profiles(
        self, model: str, *, after: float, before: float, seconds: int, most: int
    ) -> list[Profile]:
        """List the first group of profiles that can become one of so many seconds, no data."""
        end = before // seconds * seconds

        def work(tx: Transaction) -> list[Any]:
            kept_as = names.kept_as(tx, model)
            first = tx.execute(
                "SELECT starts_at, version, writer, reference FROM profiles WHERE model = ? "
                "AND starts_at >= ? AND ends_at <= ? AND ends_at - starts_at < ? "
                "AND CAST(starts_at AS INTEGER) / ? = CAST(ends_at - 1 AS INTEGER) / ? "
                f"AND writer NOT LIKE '{IMPORTING}%' ORDER BY starts_at, id LIMIT 1",
                (kept_as, after, end, seconds, seconds, seconds),
            ).fetchone()
            if first is None:
                return []
            start = first[0] // seconds * seconds
            return tx.execute(
                f"SELECT {profiles.SELECTED} FROM profiles o WHERE model = ? AND starts_at >= ? "
                "AND ends_at <= ? AND version = ? AND writer = ? AND reference = ? "
                "ORDER BY ends_at - starts_at DESC, starts_at, id LIMIT ?",
                (kept_as, start, start + seconds, *first[1:], most),
            ).fetchall()

        return [profiles.profile_of(row) for row in self._database.read(work)]

    def put_together(self, gone: Sequence[Profile], whole: Profile, *, now: float) -> bool:
        """Put one profile in the place of several; False when one of them has changed."""

        def work(tx: Transaction) -> bool:
            kept_as = names.kept_as(tx, whole.model)
            for one in gone:
                row = tx.execute("SELECT row_count FROM profiles WHERE id = ?", (one.id,))
                if (row.fetchone() or (None,))[0] != one.rows:
                    return False
            taken = tx.execute("SELECT 1 FROM profiles WHERE id = ?", (whole.id,)).fetchone()
            if taken is not None and whole.id not in {one.id for one in gone}:
                return False
            ids = [(one.id,) for one in gone]
            tx.executemany("DELETE FROM profiles WHERE id = ?", ids)
            profiles.put(tx, kept_as, whole)
            what: Tidiable = "short profiles"
            if whole.ends_at - whole.starts_at >= DAY:
                what = "hour profiles"
            _note(tx, kept_as, what, len(gone) - 1, whole.ends_at, now)
            return True

        return self._database.write(work)

    def tidied(self, model: str) -> list[Tidied]:
        """Say what was let go of a model."""
        rows = self._database.read(
            lambda tx: tx.execute(
                f"SELECT {names.name_in('t')}, what, at, dropped, kept_since FROM tidied t "
                "WHERE model = ? ORDER BY what",
                (names.kept_as(tx, model),),
            ).fetchall()
        )
        return [Tidied(*row) for row in rows]

    def stock(self, model: str) -> Stock:
        """Say what is kept of a model."""
        return self._database.read(lambda tx: _stock(tx, names.kept_as(tx, model)))


def _stock(tx: Transaction, kept_as: str) -> Stock:
    """Read what is kept from totals: each prediction is in a window, each that went is noted."""
    levels = tx.execute(
        "SELECT minutes * 60, COUNT(*), SUM(predictions), MIN(minute) * 60 FROM windows "
        "WHERE model = ? GROUP BY minutes ORDER BY minutes",
        (kept_as,),
    ).fetchall()
    lengths = tx.execute(
        "SELECT CAST(ends_at - starts_at AS INTEGER) AS length, COUNT(*), SUM(row_count), "
        "MIN(starts_at) FROM profiles WHERE model = ? GROUP BY length ORDER BY length",
        (kept_as,),
    ).fetchall()
    gone = tx.execute(
        "SELECT COALESCE(SUM(dropped), 0) FROM tidied WHERE model = ? "
        "AND what IN ('predictions', 'judged predictions')",
        (kept_as,),
    ).fetchone()[0]
    oldest = tx.execute(
        "SELECT predicted_at FROM predictions WHERE model = ? ORDER BY predicted_at, id LIMIT 1",
        (kept_as,),
    ).fetchone()
    versions, pruned = tx.execute(
        "SELECT COUNT(*), COALESCE(SUM(is_pruned), 0) FROM versions WHERE model = ?", (kept_as,)
    ).fetchone()
    answered = sum(row[2] for row in levels)
    return Stock(
        answered,
        max(0, answered - gone),
        None if oldest is None else oldest[0],
        [Level(*row) for row in levels],
        [Level(*row) for row in lengths],
        versions,
        pruned,
    )


def is_forgotten(tx: Transaction, kept_as: str, prediction: str, predicted_at: float) -> bool:
    """Tell whether a prediction was let go, and is not only on its way."""
    row = tx.execute(
        "SELECT kept_since FROM tidied WHERE model = ? AND what = 'predictions'", (kept_as,)
    ).fetchone()
    if row is None or predicted_at >= row[0]:
        return False
    found = tx.execute("SELECT 1 FROM predictions WHERE id = ?", (prediction,)).fetchone()
    return found is None


def _is_past(row: Sequence[Any], limits: Limits) -> bool:
    """Tell whether a prediction goes; what was imported stays until its model is removed."""
    at, id, writer, is_judged = row
    if writer.startswith(IMPORTING) or id in limits.protected:
        return False
    return bool(at < (limits.judged_before if is_judged else limits.unjudged_before))


def _drop(tx: Transaction, ids: Sequence[str]) -> None:
    keys = [(id,) for id in ids]
    for table in _WITH_PREDICTIONS:
        tx.executemany(f"DELETE FROM {table} WHERE prediction = ?", keys)
    tx.executemany("DELETE FROM predictions WHERE id = ?", keys)


def _bucket(tx: Transaction, kept_as: str, minute: int, minutes: int) -> tuple[int, int]:
    """Return what a minute is rolled into: what holds it already, where that is longer."""
    start, length = windows.bucket_of(tx, kept_as, minute)
    return (start, length) if length > minutes else (minute // minutes * minutes, minutes)


def _roll(tx: Transaction, kept_as: str, start: int, length: int) -> int:
    """Put the total of each version and writer in the place of its windows in a bucket."""
    these = "FROM windows WHERE model = ? AND minute >= ? AND minute < ?"
    stretch = (kept_as, start, start + length)
    rows = tx.execute(f"SELECT {windows.COLUMNS} {these} ORDER BY minute", stretch).fetchall()
    parts = grouped(map(windows.window, rows), lambda one: (one.version, one.writer))
    tx.execute(f"DELETE {these}", stretch)
    whole = [replace(added(*part), minute=start, minutes=length) for part in parts.values()]
    windows.put(tx, whole)
    return len(rows) - len(parts)


def _note(
    tx: Transaction, kept_as: str, what: Tidiable, dropped: int, kept_since: float, now: float
) -> None:
    if not dropped:
        return
    tx.execute(
        "INSERT INTO tidied (model, what, at, dropped, kept_since) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (model, what) DO UPDATE SET at = excluded.at, "
        "dropped = tidied.dropped + excluded.dropped, "
        "kept_since = CASE WHEN tidied.kept_since > excluded.kept_since THEN tidied.kept_since "
        "ELSE excluded.kept_since END",
        (kept_as, what, now, dropped, kept_since),
    )
