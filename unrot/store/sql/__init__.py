"""The store in SQL: the same statements for every database that speaks it."""

from __future__ import annotations

from unrot.core.errors import StoreAway
from unrot.core.records import Holdings, RemovedModel
from unrot.store.sql import migrations, removals
from unrot.store.sql.checks import SqlChecks
from unrot.store.sql.database import Database, Transaction
from unrot.store.sql.deliveries import SqlDeliveries
from unrot.store.sql.findings import SqlFindings
from unrot.store.sql.jobs import SqlJobs
from unrot.store.sql.lessons import SqlLessons
from unrot.store.sql.oddities import SqlOddities
from unrot.store.sql.profiles import SqlProfiles
from unrot.store.sql.registry import SqlRegistry
from unrot.store.sql.tidying import SqlTidying
from unrot.store.sql.traffic import SqlTraffic
from unrot.store.sql.trials import SqlTrials
from unrot.store.sql.verdicts import SqlVerdicts


class SqlStore:
    """The drawers over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_migrated = False
        self.registry = SqlRegistry(database)
        self.traffic = SqlTraffic(database)
        self.verdicts = SqlVerdicts(database)
        self.profiles = SqlProfiles(database)
        self.jobs = SqlJobs(database)
        self.lessons = SqlLessons(database)
        self.trials = SqlTrials(database)
        self.checks = SqlChecks(database)
        self.oddities = SqlOddities(database)
        self.findings = SqlFindings(database)
        self.deliveries = SqlDeliveries(database)
        self.tidying = SqlTidying(database)

    @property
    def kind(self) -> str:
        """The database that it is kept in, as people call it."""
        return self._database.words["name"]

    def size(self) -> int:
        """Return how many bytes it takes."""
        return self._database.size()

    def prepare(self) -> None:
        """Make what is missing: the database, its tables, the newest migrations."""
        self._database.prepare()
        self._migrate()

    def lease(self, name: str, holder: str, now: float, seconds: float) -> bool:
        """Hold, or go on holding, the right to one kind of work on all machines."""

        def work(tx: Transaction) -> bool:
            tx.execute(
                "INSERT INTO leases (name, holder, ends_at) VALUES (?, ?, ?) "
                "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, "
                "ends_at = excluded.ends_at "
                "WHERE leases.holder = excluded.holder OR leases.ends_at <= ?",
                (name, holder, now + seconds, now),
            )
            row = tx.execute("SELECT holder FROM leases WHERE name = ?", (name,)).fetchone()
            return bool(row[0] == holder)

        return self._database.write(work)

    def holdings(self, number: int) -> Holdings:
        """Count what is kept of a model, or still kept of a removed one."""
        return self._database.read(lambda tx: removals.holdings(tx, number))

    def clear(self, removed: RemovedModel, most: int) -> int:
        """Delete some rows of a removed model in one commit; 0 when none is left."""
        return self._database.write(lambda tx: removals.clear(tx, removed.number, most))

    def _migrate(self) -> None:
        migrations.apply(self._database)
        self._is_migrated = True

    def check(self, *, writing: bool = False) -> None:
        """Return when the database answers; make up for a start while it was away."""
        if not self._is_migrated:
            self._migrate()
        known = self._database.read(
            lambda tx: tx.execute("SELECT MAX(number) FROM migrations").fetchone()[0]
        )
        newest = migrations.MIGRATIONS[-1].number
        if known > newest:
            raise StoreAway(
                f"The database was made by a newer release (step {known}, this one knows "
                f"{newest}): install that release or restore a backup."
            )

        if writing:
            self._database.write(
                lambda tx: tx.execute("UPDATE facts SET value = value WHERE name = 'store'")
            )

    def close(self) -> None:
        """Let go of connections."""
        self._database.close()
