"""What will change if somebody else answers, said before the button is pressed, and the way back.

A promotion and a rollback move a pointer, so each can be undone, and for ten minutes a page offers
that. An undone promotion counts as a rollback; an undone rollback is a promotion once more, and
needs no gate: that version answered a moment ago.
A model that was removed on a page comes back as long (`make/models.py`); what is forgotten is gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from unrot.core import lineage
from unrot.core.errors import Conflict
from unrot.core.numbers import rough
from unrot.core.percent import percent
from unrot.core.records import CHAMPION, AliasMove, Schema, Version
from unrot.core.time import UNDO_SECONDS
from unrot.learn import promote
from unrot.learn.scoreboard import Scoreboard, Scored
from unrot.serve.service import Service

UNDONE = "undone"
UNDONE_REASONS = (UNDONE, lineage.as_rollback(UNDONE))


@dataclass(frozen=True, slots=True)
class Undo:
    """The last move of the champion, while it can be undone."""

    now: str
    back_to: str
    moved_at: float
    reason: str = ""

    @property
    def until(self) -> float:
        """When it is too late."""
        return self.moved_at + UNDO_SECONDS


def describe_change(scores: Scoreboard, schema: Schema, to: str) -> str:
    """Say what both answer right on the same rows: `v1: 39 % on the last 200 verdicts; v3: 96 %`.

    On the champion's test set where nobody has judged enough; empty where nothing is known.
    """
    now, then = scores.entry(scores.champion), scores.entry(to)
    for here, there, rows in (
        (now.on_verdicts, then.on_verdicts, "the last {} verdicts"),
        (now.on_test_set, then.on_test_set, "the {} rows of the test set"),
    ):
        if here is not None and there is not None:
            on = rows.format(f"{here.rows:,}")
            said = f"{scores.champion}: {_said(schema, here)} on {on}{_warn(scores.champion, here)}"
            return f"{said}; {to}: {_said(schema, there)}{_warn(to, there)}."
    return ""


def _said(schema: Schema, scored: Scored) -> str:
    if schema.is_classifier:
        return percent(scored.score)
    return f"off by {rough(scored.score)}"


def _warn(name: str, scored: Scored) -> str:
    """Say what makes the figure of a version look better than it is."""
    if not scored.learnt:
        return ""
    some = "all of these" if scored.learnt == scored.rows else f"{scored.learnt:,} of these"
    return f" ({name} has learnt {some})"


def find_undo(moves: Iterable[AliasMove], versions: Iterable[Version], now: float) -> Undo | None:
    """Return the last move of the champion if it is young and its way back is open."""
    moved = [one for one in moves if one.alias == CHAMPION]
    if not moved or now > moved[-1].moved_at + UNDO_SECONDS or moved[-1].reason in UNDONE_REASONS:
        return None
    last, names = moved[-1], {one.name for one in versions if not one.is_pruned}
    if last.moved_to is None or last.moved_from is None or last.moved_from not in names:
        return None
    return Undo(last.moved_to, last.moved_from, last.moved_at, last.reason)


def undo_move(service: Service, name: str, moved_at: float, *, by: str = "") -> dict[str, str]:
    """Take back the move of the champion that was made at a moment."""
    model, registry = service.catalogue().model(name).model, service.store.registry
    found = find_undo(registry.moves(model.key), registry.versions(model.key), service.clock())
    if found is None or found.moved_at != moved_at:
        raise Conflict(
            "That cannot be undone any more: ten minutes have passed, or somebody moved the "
            "champion since. Roll back, or promote the version that should answer.",
            reason="nothing_to_undo",
        )
    return promote.move_champion(
        service, model, found.back_to, expected=found.now, by=by, reason=_reason(found)
    )


def _reason(move: Undo) -> str:
    """Undoing a promotion is a way back; undoing a rollback is a step ahead."""
    if move.reason.startswith(lineage.ROLLED_BACK):
        return UNDONE
    return lineage.as_rollback(UNDONE)
