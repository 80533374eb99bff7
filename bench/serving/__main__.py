"""Serve one model with many servers, and ask each the same: `make bench-serving`.

The server has one core, the load the other. Each round asks every server in turn, so that what the
machine does meanwhile falls on all; a figure is the median of the rounds. What each answered is
compared with the estimator's own answer first. Nothing is measured that answers otherwise.

    python -m bench.serving                     everything (an hour)
    python -m bench.serving --quick             one row, 16 connections, the MLP (ten minutes)
    python -m bench.serving --only unrot --only mlflow
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.serving.models import MODELS, kept_in
from bench.serving.peers import APPS, PEERS, Peer, bin_of, environment_of, named, of_unrot
from bench.serving.processes import Running, running
from tests.conftest import free_port

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results"
SERVER_CORE, LOAD_CORE = 0, 1
TOLERANCE = 1e-5
UNROT, APART, CEILING = "Unrot", "Unrot, caretaker apart", "constant answer, same server"
SECONDS, WARM_SECONDS = 5, 1


@dataclass(frozen=True)
class Task:
    """What is asked for."""

    model: str
    rows: int
    connections: int

    def __str__(self) -> str:
        return f"{self.model}, {self.rows:,} rows a request, {self.connections} connections"


@dataclass(frozen=True)
class Figures:
    """What one round showed of one server."""

    per_second: float
    p50: float
    p99: float
    p999: float
    cpu: float
    """Microseconds of a core for a row, in all its processes."""
    cpu_behind: float
    """What of these is used behind the web worker."""
    failed: int
    memory: float = 0.0
    """MB of its largest process."""
    start: float = 0.0
    """Seconds until the first answer."""


QUICK = (Task("mlp", 1, 16),)
ALL = (
    *(Task(model, 1, 16) for model in MODELS),
    *(Task("mlp", 1, connections) for connections in (1, 64)),
    *(Task("mlp", rows, 16) for rows in (100, 10_000)),
)


def main(arguments: Sequence[str]) -> int:
    """Measure, tell, and write the results down."""
    options = _parser().parse_args(arguments)
    check_tools()
    folder = Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    kept_in(folder)
    wanted = list(options.only or ())
    peers = [one for one in PEERS if not wanted or any(part in one.name.lower() for part in wanted)]
    peers = [one for one in peers if _install(one, folder)]
    servers = [*([] if wanted and "unrot" not in wanted else [UNROT, APART, CEILING]), *peers]
    found: dict[Task, dict[str, Figures]] = {}
    for task in QUICK if options.quick else ALL:
        found[task] = _compare(task, servers, folder, options.rounds)
        _tell(task, found[task])
    _write_down(found, peers)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.serving")
    parser.add_argument("--quick", action="store_true", help="one task only")
    parser.add_argument(
        "--only", action="append", help="a part of a server's name; may be given again"
    )
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often each is asked (%(default)s)"
    )
    parser.add_argument(
        "--folder", default="/tmp/unrot-bench-serving", help="environments and models"
    )
    return parser


def _install(peer: Peer, folder: Path) -> bool:
    """Make a server's environment, once; one that cannot be had is left out with a sentence."""
    bin = Path(bin_of(peer, folder / "env"))
    if (bin / "installed").exists():
        return True
    print(f"Installing {peer.name} …", flush=True)
    subprocess.run([sys.executable, "-m", "venv", str(bin.parent)], check=True)
    asked = [str(bin / "pip"), "install", "--quiet", "--disable-pip-version-check", *peer.packages]
    if subprocess.run(asked, check=False).returncode:
        print(f"{peer.name} could not be installed: it is left out.")
        return False
    (bin / "installed").touch()
    return True


# ── one task ─────────────────────────────────────────────────────────────────────────────────


def _compare(
    task: Task, servers: Sequence[str | Peer], folder: Path, rounds: int
) -> dict[str, Figures]:
    seen: dict[str, list[Figures]] = defaultdict(list)
    for number in range(rounds):
        for server in servers:
            name = server if isinstance(server, str) else server.name
            print(f"\r\x1b[K{task}: round {number + 1}, {name}", end="", flush=True)
            try:
                seen[name].append(_round(task, server, folder))
            except (RuntimeError, OSError, subprocess.SubprocessError) as error:
                print(f"\r\x1b[K{name} is left out of “{task}”: {error}")
    print("\r\x1b[K", end="")
    return {name: _median(figures) for name, figures in seen.items() if figures}


def _median(figures: Sequence[Figures]) -> Figures:
    rows = [asdict(one) for one in figures]
    middle = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
    return Figures(**{**middle, "failed": sum(one.failed for one in figures)})


def _round(task: Task, server: str | Peer, folder: Path) -> Figures:
    model, port = folder / task.model, free_port()
    rows = rows_of(model, task.rows)
    with ExitStack() as stack:
        log = folder / "servers.log"
        if isinstance(server, Peer):
            bin = bin_of(server, folder / "env")
            _prepare(server, bin, model)
            url = f"http://127.0.0.1:{port}{server.path}"
            command, env = server.command(bin, port, model), environment_of(server, model)
            env = {**env, "PATH": f"{bin}:{os.environ['PATH']}"}  # MLflow calls uvicorn by name.
            ready, cwd, body = url, APPS, server.body(rows)
        else:
            url = f"http://127.0.0.1:{port}/api/v1/models/{task.model}/predict"
            command, env = unrot_command(port, stack.enter_context(home_of(folder)))
            ready, cwd, body = f"http://127.0.0.1:{port}/api/v1/ready", ROOT, named(rows)
        process = stack.enter_context(running(command, env, ready, SERVER_CORE, cwd=cwd, log=log))
        if server != CEILING:
            _check(server, url, body, model, rows)
        if server == APART:
            process.pin(SERVER_CORE, LOAD_CORE)
        if server == CEILING:
            url = f"http://127.0.0.1:{port}/api/v1/health"
        return _load(task, url, body, process, "GET" if server == CEILING else "POST", folder)


@contextmanager
def home_of(folder: Path) -> Iterator[Path]:
    """Lend a home folder with the models: what one round leaves behind costs the next nothing."""
    with tempfile.TemporaryDirectory(prefix="unrot-home-") as place:
        yield shutil.copytree(folder / "home", Path(place) / "home")


def unrot_command(port: int, home: Path) -> tuple[list[str], dict[str, str]]:
    """Return how Unrot is started with one web worker, and its environment."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("UNROT_")}
    env |= {"UNROT_HOME": str(home), "PORT": str(port), "WEB_CONCURRENCY": "1"}
    env["UNROT_DAILY_BYTES"] = str(10**15)  # Visitors are counted as ever, and none is refused.
    return [sys.executable, "-m", "gunicorn", "app:app", "--log-level", "warning"], env


def _prepare(peer: Peer, bin: str, model: Path) -> None:
    done = Path(f"{model}.{peer.name.lower()}")
    if peer.prepare is not None and not done.exists():
        subprocess.run(peer.prepare(bin, model), cwd=APPS, check=True, capture_output=True)


def rows_of(model: Path, count: int) -> list[list[float]]:
    """Return so many of the rows that a model was fitted with."""
    kept = np.load(f"{model}.npy")
    found: list[list[float]] = kept[np.arange(count) % len(kept)].tolist()
    return found


def _check(server: str | Peer, url: str, body: Any, model: Path, rows: Sequence[Any]) -> None:
    """Refuse a server that answers otherwise than the estimator."""
    import joblib

    asked = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(asked, timeout=60) as answer:
        said = json.load(answer)
    shares = server.answer(said) if isinstance(server, Peer) else of_unrot(said)
    meant = joblib.load(f"{model}.joblib").predict_proba(np.array(rows))
    difference = float(np.abs(np.array(shares) - meant).max())
    if difference > TOLERANCE:
        raise RuntimeError(f"its answer differs by {difference:g}")


def _load(task: Task, url: str, body: Any, process: Running, method: str, folder: Path) -> Figures:
    sent = folder / "body.json"
    sent.write_text(json.dumps(body) if method == "POST" else "")
    ask(url, task.connections, WARM_SECONDS, sent, method)
    before, behind = process.seconds(), process.seconds_behind()
    told = ask(url, task.connections, SECONDS, sent, method)
    rows = max(1, told["requests"]) * (task.rows if method == "POST" else 1)
    return Figures(
        per_second=rows / told["seconds"],
        p50=told["p50"] / 1_000,
        p99=told["p99"] / 1_000,
        p999=told["p999"] / 1_000,
        cpu=(process.seconds() - before) / rows * 1e6,
        cpu_behind=(process.seconds_behind() - behind) / rows * 1e6,
        failed=told["failed"] + told["refused"],
        memory=process.megabytes(),
        start=process.seconds_to_answer,
    )


def check_tools() -> None:
    """End with a sentence where what makes the load is not installed."""
    missing = [tool for tool in ("wrk", "taskset") if shutil.which(tool) is None]
    if missing:
        sys.exit(f"Missing: {', '.join(missing)}. Install the packages wrk and util-linux.")


def ask(url: str, connections: int, seconds: int, body: Path, method: str) -> dict[str, Any]:
    """Let wrk ask for some seconds; return what it tells."""
    done = subprocess.run(
        [
            *("taskset", "-c", str(LOAD_CORE), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s"),
            *("--timeout", "30s", "-s", str(Path(__file__).with_name("load.lua")), url),
        ],
        env={**os.environ, "BODY": str(body), "METHOD": method},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


# ── what is told ─────────────────────────────────────────────────────────────────────────────

HEAD = (
    "| server | rows/s | Unrot is | p50 ms | p99 ms | p99.9 ms | CPU µs a row | behind | failed "
    "| MB | start s |\n|---|---|---|---|---|---|---|---|---|---|---|"
)


def table_of(found: dict[str, Figures]) -> str:
    """Write what was measured of one task."""
    ours = found[UNROT].per_second if UNROT in found else 0.0
    lines = [HEAD]
    for name, seen in sorted(found.items(), key=lambda pair: -pair[1].per_second):
        times = f"{ours / seen.per_second:.2f} ×" if ours else "–"
        lines.append(
            f"| {name} | {seen.per_second:,.0f} | {times} | {seen.p50:.2f} | {seen.p99:.2f} "
            f"| {seen.p999:.2f} | {seen.cpu:,.1f} | {seen.cpu_behind:,.1f} | {seen.failed} "
            f"| {seen.memory:,.0f} | {seen.start:.1f} |"
        )
    return "\n".join(lines)


def _tell(task: Task, found: dict[str, Figures]) -> None:
    print(f"\n{task}\n\n{table_of(found)}\n", flush=True)


def _write_down(found: dict[Task, dict[str, Figures]], peers: Sequence[Peer]) -> None:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"serving-{time.strftime('%Y-%m-%d-%H%M')}.md"
    told = [
        "# Unrot beside other servers",
        "",
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}; the "
        f"server on one core, wrk on the other; {time.strftime('%Y-%m-%d')}. Medians of rounds.",
        "",
        *(f"- {one.name}: {', '.join(one.packages)}; {one.settings}" for one in peers),
    ]
    for task, figures in found.items():
        told += ["", f"## {task}", "", table_of(figures)]
    path.write_text("\n".join(told) + "\n")
    print(f"Written to {path.relative_to(ROOT)}.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
