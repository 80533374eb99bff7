"""Let go of the files of old versions that nobody needs; their records stay for ever.

Kept are the newest versions (`UNROT_KEEP_VERSIONS`), those that an alias points at or may go back
to, those that are pinned, the parents of all these (a rebuild begins there), and the first ones of
their lines, which hold the rows that the model was trained on. So is the best champion that the
present anchor has seen: the gate compares with it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from unrot.core import lineage
from unrot.core.records import CHAMPION, AliasMove, ModelKey, Version
from unrot.serve.service import Service
from unrot.serve.shelf import sync

AT_ONCE = 10
"""Let go of so many together: each time every shelf has to follow."""


def tidy(service: Service, model: ModelKey) -> list[str]:
    """Let go of what nobody needs, once it is worth it; return the names of these versions."""
    registry = service.store.registry
    versions = registry.versions(model, kept_only=True)
    if len(versions) < service.settings.keep_versions + AT_ONCE:
        return []
    aliases, moves = registry.aliases(model), registry.moves(model)
    needed = [*aliases.values(), *_compared_with(service, model, versions, moves)]
    gone = unneeded(versions, needed, moves, keep=service.settings.keep_versions)
    if len(gone) < AT_ONCE:
        return []
    service.store.lessons.prune(model, gone)
    sync(service.shelf.folder, registry)
    return gone


def unneeded(
    versions: Sequence[Version],
    needed: Collection[str],
    moves: Sequence[AliasMove],
    *,
    keep: int,
) -> list[str]:
    """Return the versions, of those whose files are kept, oldest first, that nothing needs.

    `needed` are those that an alias points at, or the gate.
    """
    wanted = {version.name for version in versions[-keep:]} if keep else set()
    wanted |= {*needed, lineage.before(moves) or ""}
    wanted |= {one.name for one in versions if one.is_pinned or one.parent is None}
    wanted |= {one.parent or "" for one in versions if one.name in wanted}
    return [one.name for one in versions if one.name not in wanted]


def _compared_with(
    service: Service, model: ModelKey, versions: Sequence[Version], moves: Sequence[AliasMove]
) -> list[str]:
    champion = service.store.registry.aliases(model).get(CHAMPION)
    if champion is None:
        return []
    anchor = lineage.named(versions, champion).anchor
    schema = service.catalogue().by_key(model).model.schema
    best = lineage.best(versions, moves, anchor, is_classifier=schema.is_classifier)
    return [] if best is None else [best.name]
