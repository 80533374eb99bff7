"""Versions as a tree by parent: the line of a version, and where in it learning began afresh."""

from __future__ import annotations

from collections.abc import Iterable

from unrot.core.errors import NotFound, shown
from unrot.core.plurals import there_are
from unrot.core.records import CHAMPION, AliasMove, Version

CLOCKS_DIFFER = 600.0
"""So many seconds, at most, between two machines."""

FRESH = "is_fresh"
"""The fact of a version that it was fitted from nothing: its line's verdicts begin with it."""


def named(versions: Iterable[Version], name: str) -> Version:
    """Return a version by its name."""
    known = list(versions)
    for version in known:
        if version.name == name:
            return version
    listed = there_are([version.name for version in known])
    raise NotFound(f"There is no version {shown(name)}; {listed}.")


def line(versions: Iterable[Version], name: str) -> list[Version]:
    """Return a version and its ancestors, the version first."""
    by_name = {version.name: version for version in versions}
    found = [named(by_name.values(), name)]
    while (parent := found[-1].parent) is not None and parent in by_name:
        found.append(by_name[parent])
    return found


def learning_line(versions: Iterable[Version], name: str) -> list[str]:
    """Return the names of the versions whose verdicts are in a version, the version first.

    That is its line as far as the nearest one that was fitted afresh: what had been learnt
    before is not in it.
    """
    names: list[str] = []
    for version in line(versions, name):
        names.append(version.name)
        if version.parent is None or version.made.get(FRESH):
            break
    return names


def made_since(versions: Iterable[Version], line: Iterable[str], moment: float) -> list[str]:
    """Return those of a line that can have learnt a prediction of a moment or later.

    One that was made before cannot.
    """
    made = {version.name: version.created_at for version in versions}
    return [name for name in line if made.get(name, moment) >= moment - CLOCKS_DIFFER]


ROLLED_BACK = "rolled back"
"""How the reason of a move back begins; it tells a rollback from a promotion of an old version."""


def as_rollback(reason: str) -> str:
    """Write the reason of a move back."""
    return f"{ROLLED_BACK}: {reason}" if reason else ROLLED_BACK


def champions(moves: Iterable[AliasMove]) -> list[str]:
    """Return the versions that were champion, in order; one may have been it several times."""
    return [move.moved_to for move in moves if move.alias == CHAMPION and move.moved_to]


def before(moves: Iterable[AliasMove]) -> str | None:
    """Return the champion to roll back to: the one before, rollbacks undone in turn.

    v1 → v2 → v3, rolled back, is at v2; rolled back once more it is at v1. An old version that
    was promoted again is a new step of the way.
    """
    way: list[str] = []
    for move in moves:
        if move.alias != CHAMPION or move.moved_to is None:
            continue
        if move.reason.startswith(ROLLED_BACK) and way[-2:-1] == [move.moved_to]:
            way.pop()
        else:
            way.append(move.moved_to)
    return way[-2] if len(way) > 1 else None


def served(moves: Iterable[AliasMove]) -> dict[str, list[tuple[float, float | None]]]:
    """Return from when to when each version was champion; None is until now.

    >>> served([AliasMove("champion", None, "v1", 1.0), AliasMove("champion", "v1", "v2", 5.0)])
    {'v1': [(1.0, 5.0)], 'v2': [(5.0, None)]}
    """
    found: dict[str, list[tuple[float, float | None]]] = {}
    last: tuple[str, float] | None = None
    for move in moves:
        if move.alias != CHAMPION:
            continue
        if last is not None:
            found.setdefault(last[0], []).append((last[1], move.moved_at))
        last = None if move.moved_to is None else (move.moved_to, move.moved_at)
    if last is not None:
        found.setdefault(last[0], []).append((last[1], None))
    return found


STREAMED = ("train_batch", "reset")
"""How a version is made that no gate weighs."""


def weighed_before(
    versions: Iterable[Version], moves: Iterable[AliasMove], name: str, since: float
) -> tuple[int, int]:
    """Count the candidates of a world before a version, and those of them that became champion.

    Those that were made while the gate was off were not weighed; the first version was no
    candidate. A name that is not there yet comes behind all.
    """
    known, names = list(versions), set(champions(moves))
    worlds = {one.name: one.anchor_since for one in known}
    found: list[str] = []
    for one in known[1:]:
        if one.name == name:
            break
        was_weighed = one.origin not in STREAMED and _gate_was_on(one)
        if was_weighed and worlds.get(one.parent or "", one.anchor_since) == since:
            found.append(one.name)
    return len(found), sum(one in names for one in found)


def _gate_was_on(version: Version) -> bool:
    policy = version.made.get("policy")
    return not isinstance(policy, dict) or bool(policy.get("gate", True))


def first(versions: Iterable[Version], moves: Iterable[AliasMove], since: float) -> Version | None:
    """Return the first champion of a world: chosen before any of its rows chose."""
    known = {one.name: one for one in versions}
    in_order = [known[name] for name in champions(moves) if name in known]
    return next((one for one in in_order if one.anchor_since == since), None)


def best(
    versions: Iterable[Version], moves: Iterable[AliasMove], anchor: str, *, is_classifier: bool
) -> Version | None:
    """Return the champion that did best on an anchor, the newest of several as good."""
    names = set(champions(moves))
    found = [
        (one.anchor_score if is_classifier else -one.anchor_score, place, one)
        for place, one in enumerate(versions)
        if one.name in names and one.anchor == anchor and one.anchor_score is not None
    ]
    return max(found, key=lambda one: one[:2])[2] if found else None
