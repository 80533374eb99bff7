"""What this app made is signed, so that a store that others wrote to cannot bring a model.

A digest tells that a file is what was written, and not who wrote it. So each version carries an
HMAC with a key that is derived from the app's secret: over its model, name and schema, who answers
for it, and the digests of its files. It is made once, when the version gets its name, and looked at
before any of these files is opened. What may move later is not in it: aliases, policies, the test
set of a version. Whoever writes to a store can point at another version of ours, not at their own.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace

import orjson

from unrot.core.artefacts import ANCHOR, CALIBRATION
from unrot.core.errors import BadArtefact
from unrot.core.records import Model, Version
from unrot.core.schema import schema_hash

MOVABLE = (ANCHOR, CALIBRATION)
"""The files of a version that a weighing may replace."""


class Signatures:
    """Signs the versions of one app, and knows them again; without a secret it knows none."""

    def __init__(self, secret: bytes = b"") -> None:
        self._key = hashlib.sha256(b"unrot artefacts\0" + secret).digest() if secret else b""

    def sign(self, version: Version) -> Version:
        """Return a version with its signature."""
        return replace(version, signature=self._signature(version) if self._key else "")

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
                "set that one again. Only if you trust the whole store: python -m unrot sign."
            )
        if schema_hash(model.schema) != version.schema_hash:
            raise BadArtefact(
                f"{version.name} was made for other features or classes than {model.name} has in "
                "the store now: refused. Restore a backup, or add the model anew."
            )

    def _signature(self, version: Version) -> str:
        serving = version.serving
        files = {kind: digest for kind, digest in version.artefacts.items() if kind not in MOVABLE}
        told = [version.model, version.name, version.schema_hash]
        told += [serving.by, serving.digest, serving.form]
        signed = orjson.dumps([*told, sorted(files.items())])
        return hmac.new(self._key, signed, "sha256").hexdigest()
