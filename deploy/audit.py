"""Known holes in what a server installs: `make audit`, which wants the network.

pip-audit says of an audit that could not be made that nothing was found, unless it is made to fail.
So a release with a hole that has long been known is audited first, the canary: where that raises no
alarm, the database cannot be reached or does not work, and nothing is said of the rest.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

CANARY = "jinja2==2.10"
"""Left its sandbox (CVE-2019-10906)."""
PIP_AUDIT = "pip-audit==2.10.1"
"""In an environment of its own: it does not go with whylogs."""
LOCK = Path(__file__).parent.parent / "requirements.lock"

Audit = Callable[[Path, bool], tuple[int, str]]
"""Audit a file, hashed or not; return the status and what was found, as JSON."""


def audit(file: Path, is_hashed: bool) -> tuple[int, str]:
    """Ask pip-audit."""
    command = [sys.executable, "-m", "uv", "tool", "run", PIP_AUDIT, "--strict", "--disable-pip"]
    command += [
        "--format",
        "json",
        "--require-hashes" if is_hashed else "--no-deps",
        "--requirement",
        str(file),
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    return done.returncode, done.stdout


def holes_in(told: str) -> list[str]:
    """Return what was found, each with the release that it is in."""
    found = json.loads(told)["dependencies"] if told.strip() else []
    return [
        f"{one['name']} {one['version']}: {hole['id']}"
        for one in found
        for hole in one.get("vulns", ())
    ]


def main(ask: Audit = audit) -> str:
    """Return what is wrong; nothing where all is well."""
    with tempfile.TemporaryDirectory() as folder:
        canary = Path(folder) / "canary.txt"
        canary.write_text(f"{CANARY}\n")
        status, told = ask(canary, False)
    if not status or not holes_in(told):
        return (
            f"Nothing was audited: no alarm was raised for {CANARY}, so none would be for others."
        )
    status, told = ask(LOCK, True)
    return "\n".join(holes_in(told)) or ("The audit was not finished." if status else "")


if __name__ == "__main__":
    sys.exit(main() or print(f"No hole is known in {LOCK.name}; the canary raised its alarm."))
