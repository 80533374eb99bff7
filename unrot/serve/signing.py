"""Trust what a store holds, by a word of the operator: after a move without the old key, say.

A version that is not signed with this app's key is refused wherever it is opened, a token wherever
it is shown, and an entry of the audit log is broken (see `core.signatures`); who knows that the
store is whole signs them here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unrot.core.plurals import counted
from unrot.core.records import Model, Token, Version
from unrot.serve.service import Service
from unrot.serve.shelf import sync


@dataclass(frozen=True, slots=True)
class Unsigned:
    """What this app's key did not sign."""

    versions: Sequence[tuple[Model, Version]]
    """Those whose files are kept."""
    tokens: Sequence[Token]
    entries: int
    """Of the audit log."""

    def __bool__(self) -> bool:
        """Tell whether there is anything."""
        return bool(self.versions or self.tokens or self.entries)

    def __str__(self) -> str:
        """List it in words."""
        found = [f"{version.name} of {model.name}" for model, version in self.versions]
        found += [f"the token of {token.name} ({token.role})" for token in self.tokens]
        if self.entries:
            found.append(f"{counted(self.entries, 'entry', 'entries')} of the audit log")
        return ", ".join(found)


def find_unsigned(service: Service) -> Unsigned:
    """List what this app's key did not sign."""
    store, registry = service.store, service.store.registry
    versions = [
        (model, version)
        for model in registry.models()
        for version in registry.versions(model.key, kept_only=True)
        if not service.signatures.is_good(version)
    ]
    tokens = [token for token in store.tokens.all() if not token.is_signed]
    return Unsigned(versions, tokens, store.audit_log.count_unsigned())


def sign_all(service: Service, found: Unsigned) -> None:
    """Sign it as it stands, and let the shelf follow."""
    for model, version in found.versions:
        service.store.registry.sign_version(model.key, version.name)
    for token in found.tokens:
        service.store.tokens.sign(token.name)
    service.store.audit_log.sign()
    sync(service.shelf.folder, service.store.registry, thoroughly=True)
