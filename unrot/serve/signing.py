"""Trust what a store holds, by a word of the operator: after a move without the old key, say.

A version that is not signed with this app's key is refused wherever it is opened (see
`core.signatures`); who knows that the store is whole signs it here.
"""

from __future__ import annotations

from unrot.core.records import Model, Version
from unrot.serve.service import Service
from unrot.serve.shelf import sync


def find_unsigned(service: Service) -> list[tuple[Model, Version]]:
    """List the versions whose files are kept and that this app's key did not sign."""
    registry = service.store.registry
    return [
        (model, version)
        for model in registry.models()
        for version in registry.versions(model.key, kept_only=True)
        if not service.signatures.is_good(version)
    ]


def sign_all(service: Service) -> int:
    """Sign them as they stand, and let the shelf follow; return how many there were."""
    found = find_unsigned(service)
    for model, version in found:
        service.store.registry.sign_version(model.key, version.name)
    sync(service.shelf.folder, service.store.registry, thoroughly=True)
    return len(found)
