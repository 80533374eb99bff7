"""What this app made is signed, so that a store that others wrote to cannot bring a model.

A digest tells that a file is what was written, and not who wrote it. So each version carries an
HMAC with a key that is derived from the app's secret: over its model, name and schema, who answers
for it, and the digests of its files and its test set. It is made when the version gets its name,
and anew when we put another file in the place of one; it is looked at before any of these files is
opened. What moves without a file is not in it: aliases, policies, scores. Whoever writes to a store
can point at another version of ours, not at their own.

Tokens of persons and entries of the audit log are marked with keys derived in the same way, so
that nobody lets himself in, or puts words behind the log, by writing to the store.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from typing import Any

import orjson

from unrot.core.errors import BadArtefact
from unrot.core.records import Model, Version
from unrot.core.schema import schema_hash

NOT_SIGNED = (
    "not signed with this app's key: refused. Either somebody else wrote it into the store, or "
    "UNROT_SECRET_KEY is another than when it was made: set that one again; or an earlier Unrot "
    "{did}. Only if you trust the whole store: python -m unrot sign"
)


class Seal:
    """Marks what one app writes of one kind; without a secret no mark is good."""

    def __init__(self, kind: str, secret: bytes) -> None:
        self._key = hashlib.sha256(f"unrot {kind}\0".encode() + secret).digest() if secret else b""

    def mark(self, *told: Any) -> str:
        """Return the mark of what is told."""
        if not self._key:
            return ""
        return hmac.new(self._key, orjson.dumps(told), "sha256").hexdigest()

    def is_good(self, mark: str | None, *told: Any) -> bool:
        """Tell whether this app has marked it, as it is told."""
        known = str(mark).encode("utf-8", "replace")
        return bool(self._key) and hmac.compare_digest(self.mark(*told).encode(), known)


class Signatures:
    """Signs the versions of one app, and knows them again; without a secret it knows none."""

    def __init__(self, secret: bytes = b"") -> None:
        self._secret = secret
        self._seal = self.seal("artefacts")

    def seal(self, kind: str) -> Seal:
        """Return what marks another kind, with a key of its own."""
        return Seal(kind, self._secret)

    def sign(self, version: Version) -> Version:
        """Return a version with its signature."""
        return replace(version, signature=self._seal.mark(*_told(version)))

    def sign_changed(self, version: Version, before: Version) -> Version:
        """Return a version that we have changed with its signature; none if it had none of ours."""
        return self.sign(version) if self.is_good(before) else version

    def is_good(self, version: Version) -> bool:
        """Tell whether this app has made a version as it stands."""
        return self._seal.is_good(version.signature, *_told(version))

    def check(self, version: Version, model: Model) -> None:
        """Raise BadArtefact for a version that this app did not make, or not for this schema."""
        if not self.is_good(version):
            raise BadArtefact(f"{version.name} is {NOT_SIGNED.format(did='signed it')}.")
        if schema_hash(model.schema) != version.schema_hash:
            raise BadArtefact(
                f"{version.name} was made for other features or classes than {model.name} has in "
                "the store now: refused. Restore a backup, or add the model anew."
            )


def _told(version: Version) -> list[Any]:
    """Return what a signature is of."""
    serving = version.serving
    told = [version.model, version.name, version.schema_hash]
    told += [serving.by, serving.digest, serving.form, version.anchor]
    return [*told, sorted(version.artefacts.items())]
