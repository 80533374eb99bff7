"""What a model is called, and under which word its rows are kept.

Rows carry the first name of their model and keep it for ever (`kept_as`), so that a rename
writes one row however many predictions there are, and cannot be half done. Whoever held a name
is on record, because the journal may bring lines under a name that is no longer right.
"""

from __future__ import annotations

from unrot.core.ids import model_number
from unrot.store.sql.database import Transaction


def name_in(table: str) -> str:
    """Return SQL for the present name of the model that a row of a table belongs to."""
    kept_as = f"{table}.model"
    return f"COALESCE((SELECT m.name FROM models m WHERE m.kept_as = {kept_as}), {kept_as})"


def kept_as(tx: Transaction, name: str) -> str:
    """Return the word to read a model's rows by, from its present name or a former one.

    A name that nobody ever registered stands for itself; that of a removed model for nothing.
    """
    return Writing(tx).kept_as(name) or ""


def next_number(tx: Transaction) -> int:
    """Return a number that no model ever had: ids of a removed one must not judge another."""
    tx.execute(
        "UPDATE facts SET value = CAST((SELECT 1 + MAX(number) FROM ("
        "SELECT CAST(value AS INTEGER) AS number FROM facts WHERE name = 'highest_number' "
        "UNION ALL SELECT number FROM models UNION ALL SELECT number FROM removed) AS taken"
        ") AS TEXT) WHERE name = 'highest_number'"
    )
    row = tx.execute("SELECT value FROM facts WHERE name = 'highest_number'").fetchone()
    return int(row[0])


def new_kept_as(tx: Transaction, name: str, number: int) -> str:
    """Return the word for the rows of a new model: its name, if no model ever had that."""
    held = tx.execute("SELECT 1 FROM names WHERE name = ?", (name,)).fetchone()
    return name if held is None else f"{name}~{number}"


def take(tx: Transaction, name: str, number: int) -> None:
    """Put on record that a model now holds a name."""
    turn = tx.execute("SELECT COALESCE(MAX(turn), 0) + 1 FROM names").fetchone()[0]
    tx.execute(
        "INSERT INTO names (name, number, turn) VALUES (?, ?, ?) "
        "ON CONFLICT (name, number) DO UPDATE SET turn = excluded.turn",
        (name, number, turn),
    )


def former(tx: Transaction) -> dict[int, tuple[str, ...]]:
    """Return the names that models held and that nobody has taken since, by model number."""
    rows = tx.execute(
        "SELECT n.number, n.name FROM names n JOIN models m ON m.number = n.number "
        "WHERE n.name <> m.name "
        "AND n.turn = (SELECT MAX(o.turn) FROM names o WHERE o.name = n.name) ORDER BY n.turn"
    ).fetchall()
    found: dict[int, tuple[str, ...]] = {}
    for number, name in rows:
        found[number] = (*found.get(number, ()), name)
    return found


class Writing:
    """Finds where rows belong, once for each model of a transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._known: dict[tuple[str, int | None], str | None] = {}
        self.refused: set[str] = set()
        """The names under which something came for a model that was removed."""

    def kept_as(self, name: str, id: str | None = None) -> str | None:
        """Return the word to keep a row under; None when its model was removed.

        The number inside a prediction's id decides between models that had the name in turn.
        """
        asked = (name, model_number(id) if id else None)
        if asked not in self._known:
            self._known[asked] = self._found(*asked)
        if self._known[asked] is None:
            self.refused.add(name)
        return self._known[asked]

    def _found(self, name: str, number: int | None) -> str | None:
        held = self._tx.execute(
            "SELECT m.kept_as FROM names n LEFT JOIN models m ON m.number = n.number "
            "WHERE n.name = ? ORDER BY CASE WHEN n.number = ? THEN 0 ELSE 1 END, n.turn DESC "
            "LIMIT 1",
            (name, -1 if number is None else number),
        ).fetchone()
        if held is None:
            return name
        found: str | None = held[0]
        return found
