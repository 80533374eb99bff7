"""The licences of all that a server installs, as docs/licences.md: `make licences`.

What is installed is what `requirements.lock` names; what its licence is, each package tells itself.
"""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, files, metadata
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "licences.md"
HEAD = """# Licences of what is installed

Unrot itself is under [Apache 2.0](../LICENSE). `make licences` writes this page: what
`requirements.lock` names, and the licence that each package tells of itself. Marked are those that
are installed on some systems only.

| package | release | licence |
|---|---|---|
"""
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==([^ ;\\]+)( ;)?", re.MULTILINE)
LONGEST = 60


def pins() -> list[tuple[str, str, bool]]:
    """Return name and release of each package, and whether it is for some systems only."""
    text = (ROOT / "requirements.lock").read_text()
    return [(name, release, bool(some)) for name, release, some in PINNED.findall(text)]


def licence_of(name: str) -> str:
    """Return what a package says of its licence: the expression, the classifiers, or the text."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return "not installed here"
    known = [one.split(" :: ") for one in told.get_all("Classifier") or ()]
    classes = [parts[-1] for parts in known if parts[0] == "License" and len(parts) > 2]
    expression = told.get("License-Expression") or ", ".join(classes) or told.get("License")
    return (expression or first_line_of_file(name) or "not told").splitlines()[0][:LONGEST]


def first_line_of_file(name: str) -> str:
    """Return how the text of the licence begins that came with a package."""
    found = [one for one in files(name) or () if one.name.upper().startswith("LICENSE")]
    return str(found[0].read_text()).strip() if found else ""


def page() -> str:
    """Return the page."""
    rows = [
        f"| {name} | {release}{' (some systems)' if some else ''} | {licence_of(name)} |"
        for name, release, some in pins()
    ]
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"{PAGE.relative_to(ROOT)}: {len(pins())} packages")
