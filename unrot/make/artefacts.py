"""The bytes that an estimator is kept as: a skops file. Tables are kept by `packed`.

Nothing unpickles. A skops file is a ZIP of arrays and a description of types; a type that is
neither of skops' own list nor of `TRUSTED` stops the load before anything runs. The trust is
written here, never read from the file.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Any

import orjson
import skops.io

from unrot.core.errors import BadArtefact, shown

TRUSTED = frozenset(
    {
        "numpy.dtype",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.tree._tree.Tree",
    }
)
"""What our pipelines hold beyond skops' own list: holders of numbers that run nothing."""


def dump(estimator: Any) -> bytes:
    """Write a fitted estimator as a skops file; raise BadArtefact where skops cannot hold it."""
    try:
        return bytes(skops.io.dumps(estimator, compression=zipfile.ZIP_DEFLATED))
    except Exception as error:
        # skops raises whatever the parts of an estimator raise that it cannot take apart.
        raise BadArtefact(f"skops cannot hold it: {shown(str(error), 200)}.") from error


def check(data: bytes) -> None:
    """Raise BadArtefact, naming the type, if a skops file holds one that is not trusted."""
    try:
        strangers = sorted(set(skops.io.get_untrusted_types(data=data)) - TRUSTED)
    except Exception as error:
        # A spoiled file fails anywhere in the ZIP, the JSON or the arrays inside it.
        raise _spoiled(error) from error
    if strangers:
        raise BadArtefact(
            f"The skops file holds the type {shown(strangers[0])}, which is not trusted."
        )


def load(data: bytes) -> Any:
    """Read a skops file; raise BadArtefact, naming the type, for one that is not trusted."""
    check(data)
    try:
        return skops.io.loads(data, trusted=sorted(TRUSTED))
    except Exception as error:
        raise _spoiled(error) from error


def _spoiled(error: Exception) -> BadArtefact:
    return BadArtefact(f"The skops file does not load: {shown(str(error), 200)}.")


def holds(data: bytes) -> str:
    """Name the type that a skops file holds, without loading it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            held = orjson.loads(file.read("schema.json"))
            return f"{held['__module__']}.{held['__class__']}"
    except (OSError, zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError) as error:
        raise _spoiled(error) from error
