"""The wheel and the sdist, built and used as a stranger would: `make drill-wheel`.

Both are built, each is installed into an empty environment, and in a folder that knows nothing of
the checkout `unrot demo` tells its story and `unrot run` serves pages, answers and takes a vote.
It fetches all that pip installs.

    python -m bench.wheel [PYTHON]
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.conftest import ROOT, answers, environment, free_port

START_SECONDS = 120.0
ROW = {
    "sepal_length_cm": 5.1,
    "sepal_width_cm": 3.5,
    "petal_length_cm": 1.4,
    "petal_width_cm": 0.2,
}


def main() -> None:
    python = sys.argv[1] if len(sys.argv) > 1 else sys.executable
    with tempfile.TemporaryDirectory(prefix="unrot-wheel-") as place:
        folder = Path(place)
        for package in build(python, folder):
            programs = install(python, package, folder / package.suffix.strip("."))
            try_out(programs, folder / f"elsewhere-{package.suffix.strip('.')}")
            print(f"ok  {package.name}: demo, run, page, style sheet, answer and vote", flush=True)


def build(python: str, folder: Path) -> list[Path]:
    """Build both from the checkout; return the files."""
    builder = install(python, "build", folder / "builder")
    run(builder / "python", "-m", "build", "--outdir", folder / "dist", ROOT)
    return sorted((folder / "dist").iterdir())


def install(python: str, what: object, place: Path) -> Path:
    """Install into a new environment; return the folder of its programs."""
    began = time.monotonic()
    run(python, "-m", "venv", place)
    run(place / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", what)
    print(f"    {what}: installed in {time.monotonic() - began:.0f} s", flush=True)
    return place / "bin"


def run(*command: object, **more: Any) -> str:
    """Run a command that has to succeed and knows no checkout; return what it printed."""
    known = {name: said for name, said in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(one) for one in command],
        **{"env": known, **more},
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def try_out(programs: Path, folder: Path) -> None:
    """Use the command in a folder that knows nothing of the checkout."""
    folder.mkdir()
    known = environment(folder / "var", PORT=str(free_port()))
    known.pop("PYTHONPATH", None)
    where = "import unrot.core.places as p; print(p.find_part('templates'), p.command_of('run'))"
    said = run(programs / "python", "-c", where, cwd=folder, env=known)
    assert said.startswith(str(programs.parent.resolve())) and "unrot run" in said, said
    story = run(programs / "unrot", "demo", "--fast", "--once", cwd=folder, env=known)
    assert "folder is removed" in story, story
    serve(programs, folder, known)


def serve(programs: Path, folder: Path, known: dict[str, str]) -> None:
    """Start the server; look at a page and its style sheet, ask, and vote."""
    url = f"http://127.0.0.1:{known['PORT']}"
    server = subprocess.Popen([programs / "unrot", "run"], cwd=folder, env=known)
    try:
        ends_at = time.monotonic() + START_SECONDS
        while not answers(f"{url}/api/v1/ready"):
            assert time.monotonic() < ends_at, "it did not become ready"
            time.sleep(0.2)
        page = ask(f"{url}/models/iris").decode()
        sheet = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
        assert "petal_length_cm" in page and ask(url + sheet)
        told = json.loads(ask(f"{url}/api/v1/predict", ROW))["data"]
        vote = {"id": told["id"], "was_correct": True}
        assert json.loads(ask(f"{url}/api/v1/feedback", vote))["message"] == "Success"
    finally:
        server.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            server.wait(40)
    assert server.returncode == 0, f"it ended with {server.returncode}"


def ask(url: str, body: Any = None) -> bytes:
    """Return what is answered."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return bytes(answer.read())


if __name__ == "__main__":
    os.umask(0o022)
    main()
