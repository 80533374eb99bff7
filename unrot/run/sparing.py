"""What the process that imports most goes without: the learner, on a dyno of 512 MB.

Documentation: scikit-learn, scipy and skl2onnx explain themselves at length, in 17 MB. Python leaves
it out under -OO, of files compiled so, which takes ten seconds: a build does it once
(`python -m unrot.run.sparing`). Where none did, a learner starts as any process.

pandas: scikit-learn and skl2onnx import it where it is there, 14 MB, 21 with pyarrow beside it, and
use nothing of it before they are given a DataFrame. Who makes one imports it then.
"""

from __future__ import annotations

import py_compile
import sys
from contextlib import suppress
from importlib import import_module
from importlib.util import cache_from_source, find_spec
from pathlib import Path

STORES = ("unrot.store.postgres", "unrot.store.datastore")
FITS_AND_COMPILES = "unrot.make.onnx.export"
IMPORTED = ("unrot.run.learner", *STORES, FITS_AND_COMPILES)
"""What brings in all that a learner has."""


def sparing_options() -> list[str]:
    """Return the options of a Python that is to be small, where a build has seen to it."""
    found = find_spec("sklearn")
    is_compiled = found is not None and found.origin and _compiled(found.origin).exists()
    return ["-OO"] if is_compiled else []


def import_without_pandas() -> None:
    """Import what fits and compiles, and nothing of pandas, which has its time when it is used."""
    if "pandas" in sys.modules:
        return
    sys.modules["pandas"] = None  # type: ignore[assignment]  # so Python says that it is not there
    try:
        import_module(FITS_AND_COMPILES)
    finally:
        del sys.modules["pandas"]


def compile_what_is_imported() -> None:
    """Compile what the learner imports; by contents, because a slug does not keep times."""
    for name in IMPORTED:
        import_module(name)
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None) or ""
        if path.endswith(".py") and not _compiled(path).exists():
            with suppress(OSError):
                _compile(path)


def _compile(path: str) -> None:
    by_contents = py_compile.PycInvalidationMode.CHECKED_HASH
    py_compile.compile(path, optimize=2, invalidation_mode=by_contents)


def _compiled(path: str) -> Path:
    return Path(cache_from_source(path, optimization=2))


if __name__ == "__main__":
    compile_what_is_imported()
