"""Python without documentation, for the process that imports most: the learner.

scikit-learn, scipy and skl2onnx explain themselves at length: 17 MB, for which a dyno of 512 has a
better use. Python leaves it out under -OO, of files compiled so, which takes ten seconds: a build
does it once (`python -m unrot.run.sparing`). Where none did, a learner starts as any process.
"""

from __future__ import annotations

import py_compile
import sys
from contextlib import suppress
from importlib import import_module
from importlib.util import cache_from_source, find_spec
from pathlib import Path

STORES = ("unrot.store.postgres", "unrot.store.datastore")
IMPORTED = ("unrot.run.learner", *STORES, "unrot.make.onnx.export")
"""What brings in all that a learner has."""


def sparing_options() -> list[str]:
    """Return the options of a Python that is to be small, where a build has seen to it."""
    found = find_spec("sklearn")
    is_compiled = found is not None and found.origin and _compiled(found.origin).exists()
    return ["-OO"] if is_compiled else []


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
