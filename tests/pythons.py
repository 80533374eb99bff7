"""The journeys on every other Python that is found: `make test-pythons`.

The suite runs on one Python. What people do first (train, serve, predict, vote, see a model rot,
see it mended) is tried on each other from 3.11 to 3.14 that this machine has: on the PATH, or of
pyenv.

    python -m tests.pythons
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
JOURNEYS = ("tests/test_journey.py", "tests/test_rot_story.py", "tests/run/test_learner.py")
NEEDED = ("pytest==", "pytest-xdist==", "hypothesis==", "pandas==")
"""What the journeys need of requirements-dev.txt."""
HAS_ALL = "import sys, ensurepip, venv; print(*sys.version_info[:2], sep='.', end='')"


def main() -> int:
    """Try the journeys on each; return how many Pythons failed."""
    others = find_others()
    if not others:
        print(f"No Python of {VERSIONS[0]} to {VERSIONS[-1]} is here beside {own()}.")
        return 0
    return sum(not has_passed(version, python) for version, python in others.items())


def own() -> str:
    """Return the version that runs this."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def find_others() -> dict[str, str]:
    """Return the first Python of each other version that can make environments."""
    found: dict[str, str] = {}
    for python in _candidates():
        version = _version(python)
        if version in VERSIONS and version != own():
            found.setdefault(version, str(python))
    return dict(sorted(found.items()))


def _candidates() -> Iterator[Path]:
    of_pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    folders = [*sorted(of_pyenv.glob("*/bin"), reverse=True)]
    folders += map(Path, os.environ.get("PATH", "").split(os.pathsep))
    for folder in folders:
        if folder.name != "shims":  # They answer for one version, or for none.
            yield from (path for name in VERSIONS if (path := folder / f"python{name}").exists())


def _version(python: Path) -> str:
    try:
        asked = subprocess.run([python, "-c", HAS_ALL], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout if not asked.returncode else ""


def make_environment(version: str, python: str) -> None:
    """Install what the journeys need, unless that was done since it was last changed."""
    needed = ROOT / "requirements.txt", ROOT / "requirements-dev.txt"
    made = _environment(version) / "made"
    if made.exists() and made.stat().st_mtime > max(one.stat().st_mtime for one in needed):
        return
    print(f"Making {_environment(version).name} with {python} …", flush=True)
    subprocess.run([python, "-m", "venv", "--clear", _environment(version)], check=True)
    wanted = [line for line in needed[1].read_text().splitlines() if line.startswith(NEEDED)]
    what = ["-r", str(needed[0]), *wanted]
    by_uv = [sys.executable, "-m", "uv", "pip", "install", "-q", "--python", _python(version)]
    if subprocess.run([*by_uv, *what]).returncode:
        # It is quicker than pip, and does not know where pip was told to look.
        by_pip = [_python(version), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run([*by_pip, *what], check=True)
    made.touch()


def has_passed(version: str, python: str) -> bool:
    """Try the journeys on one version, and say how it went."""
    make_environment(version, python)
    began = time.monotonic()
    command = [_python(version), "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider"]
    ended = subprocess.run([*command, *JOURNEYS], cwd=ROOT)
    how = "failed" if ended.returncode else "passed"
    print(f"Python {version}: the journeys {how} in {time.monotonic() - began:.0f} s.", flush=True)
    return not ended.returncode


def _environment(version: str) -> Path:
    return ROOT / f".venv-{version}"


def _python(version: str) -> str:
    return str(_environment(version) / "bin" / "python")


if __name__ == "__main__":
    sys.exit(main())
