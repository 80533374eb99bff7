"""The store in SQL: the same statements for every database that speaks it."""

from __future__ import annotations

from unrot.errors import StoreAway
from unrot.records import Holdings, RemovedModel
from unrot.stores.sql import migrations, removals
from unrot.stores.sql.database import Database
from unrot.stores.sql.profiles import SqlProfiles
from unrot.stores.sql.registry import SqlRegistry
from unrot.stores.sql.traffic import SqlTraffic
from unrot.stores.sql.verdicts import SqlVerdicts


class SqlStore:
    """Four drawers over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.registry = SqlRegistry(database)
        self.traffic = SqlTraffic(database)
        self.verdicts = SqlVerdicts(database)
        self.profiles = SqlProfiles(database)

    def prepare(self) -> None:
        """Make what is missing: the database, its tables, the newest migrations."""
        self._database.prepare()
        migrations.apply(self._database)

    def holdings(self, number: int) -> Holdings:
        """Count what is kept of a model, or still kept of a removed one."""
        return self._database.read(lambda tx: removals.holdings(tx, number))

    def clear(self, removed: RemovedModel, most: int) -> int:
        """Delete some rows of a removed model in one commit; 0 when none is left."""
        return self._database.write(lambda tx: removals.clear(tx, removed.number, most))

    def check(self) -> None:
        """Return when the database can be read."""
        known = self._database.read(
            lambda tx: tx.execute("SELECT MAX(number) FROM migrations").fetchone()[0]
        )
        newest = migrations.MIGRATIONS[-1].number
        if known > newest:
            raise StoreAway(
                f"The database was made by a newer release (step {known}, this one knows "
                f"{newest}): install that release or restore a backup."
            )

    def close(self) -> None:
        """Let go of connections."""
        self._database.close()
