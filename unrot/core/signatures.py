"""What this app made is signed, so that a store that others wrote to cannot bring a model.

A digest tells that a file is what was written, and not who wrote it. So each version carries an
HMAC with a key that is derived from the app's secret: over its model, name and schema, who answers
for it, and the digests of its files and its test set. It is made when the version gets its name,
and anew when we put another file in the place of one; it is looked at before any of these files is
opened. What moves without a file is not in it: aliases, policies, scores. Whoever writes to a store
can point at another version of ours, not at their own.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace

import orjson

from unrot.core.errors import BadArtefact
from unrot.core.records import Model, Version
from unrot.core.schema import schema_hash


class Signatures:
    """Signs the versions of one app, and knows them again; without a secret it knows none."""

    def __init__(self, secret: bytes = b"") -> None:
        self._key = hashlib.sha256(b"unrot artefacts\0" + secret).digest() if secret else b""

    def sign(self, version: Version) -> Version:
        """Return a version with its signature."""
        return replace(version, signature=self._signature(version) if self._key else "")

    def sign_changed(self, version: Version, before: Version) -> Version:
        """Return a version that we have changed with its signature; none if it had none of ours."""
        return self.sign(version) if self.is_good(before) else version

    def is_good(self, version: Version) -> bool:
        """Tell whether this app has made a version as it stands."""
        known = version.signature.encode()
        return bool(self._key) and hmac.compare_digest(self._signature(version).encode(), known)

    def check(self, version: Version, model: Model) -> None:
        """Raise BadArtefact for a version that this app did not make, or not for this schema."""
        if not self.is_good(version):
            raise BadArtefact(
                f"{version.name} is not signed with this app's key: refused. Either somebody else "
                "wrote it into the store, or UNROT_SECRET_KEY is another than when it was made: "
                "set that one again; or an earlier Unrot signed it. Only if you trust the whole "
                "store: python -m unrot sign."
            )
        if schema_hash(model.schema) != version.schema_hash:
            raise BadArtefact(
                f"{version.name} was made for other features or classes than {model.name} has in "
                "the store now: refused. Restore a backup, or add the model anew."
            )

    def _signature(self, version: Version) -> str:
        serving = version.serving
        told = [version.model, version.name, version.schema_hash]
        told += [serving.by, serving.digest, serving.form, version.anchor]
        signed = orjson.dumps([*told, sorted(version.artefacts.items())])
        return hmac.new(self._key, signed, "sha256").hexdigest()
