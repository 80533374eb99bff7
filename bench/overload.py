"""What is left of a server's speed when ten times as much is wanted of it: `make bench-overload`.

One web worker on one core, the load from the other one. First sixteen connections ask, each again
as soon as it is answered: what is answered then is the capacity. Then ten times as many do, and
sixty times as many, and whoever is refused asks again at once. Goodput is the share of the
capacity that is still answered with 200.

    python -m bench.overload [TASK …] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.serving import __main__ as serving
from bench.serving.models import keep
from bench.serving.peers import named
from bench.serving.processes import running
from tests.conftest import free_port
from unrot.cli.terminal import table

CONNECTIONS, TIMES = 16, (10, 60)
SECONDS = 8
LEAST_LEFT = 0.9
HEAD = ("what is asked for", "capacity", *(f"goodput, × {times}" for times in TIMES), "refused")


@dataclass(frozen=True)
class Task:
    """What is asked for: so many rows of a model's prediction, or its page."""

    model: str
    rows: int
    page: str = ""


TASKS: Mapping[str, Task] = {
    "a row of an MLP": Task("mlp", 1),
    "a row of a forest": Task("forest", 1),
    "10,000 rows of an MLP": Task("mlp", 10_000),
    "a page": Task("mlp", 0, "/models/mlp"),
}


@dataclass(frozen=True)
class Seen:
    """What was answered in a second, and refused."""

    good: float
    refused: float
    failed: int


def main() -> int:
    """Measure and tell."""
    parser = argparse.ArgumentParser(prog="bench.overload", description=__doc__)
    parser.add_argument("tasks", nargs="*", help=f"of {', '.join(TASKS)}; all unless named")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    serving.check_tools()
    rows, is_well = [], True
    with tempfile.TemporaryDirectory(prefix="unrot-overload-") as place:
        folder = Path(place)
        keep(folder, ["mlp", "forest"])
        for name in given.tasks or TASKS:
            rounds = [_round(TASKS[name], folder) for _ in range(given.rounds)]
            rows.append(_row(name, rounds))
            print(" | ".join(rows[-1]), flush=True)
            is_well &= all(share >= LEAST_LEFT for share in _shares(rounds))
    print(table([HEAD, *rows]))
    return int(not is_well)


def _round(task: Task, folder: Path) -> list[Seen]:
    """Ask with each number of connections."""
    with _serving(folder) as port:
        api = f"http://127.0.0.1:{port}"
        body = folder / "body.json"
        body.write_text(
            json.dumps(named(serving.rows_of(folder / task.model, task.rows))) if task.rows else ""
        )
        url = api + (task.page or f"/api/v1/models/{task.model}/predict")
        method = "POST" if task.rows else "GET"
        serving.ask(url, CONNECTIONS, serving.WARM_SECONDS, body, method)
        return [
            _seen(serving.ask(url, CONNECTIONS * times, SECONDS, body, method))
            for times in (1, *TIMES)
        ]


@contextmanager
def _serving(folder: Path) -> Iterator[int]:
    port = free_port()
    with serving.home_of(folder) as home:
        command, env = serving.unrot_command(port, home)
        ready = f"http://127.0.0.1:{port}/api/v1/ready"
        with running(
            *(command, env, ready, serving.SERVER_CORE), cwd=serving.ROOT, log=folder / "log"
        ):
            yield port


def _seen(told: Mapping[str, float]) -> Seen:
    seconds, refused = told["seconds"], told["refused"]
    return Seen((told["requests"] - refused) / seconds, refused / seconds, int(told["failed"]))


def _shares(rounds: list[list[Seen]]) -> list[float]:
    """Return what is left of the capacity with each number of connections."""
    return [
        statistics.median(one[place].good / one[0].good for one in rounds)
        for place in range(1, len(TIMES) + 1)
    ]


def _row(name: str, rounds: list[list[Seen]]) -> tuple[str, ...]:
    capacity = statistics.median(one[0].good for one in rounds)
    refused = [statistics.median(one[place].refused for one in rounds) for place in (1, 2)]
    failed = sum(seen.failed for one in rounds for seen in one)
    told = ", ".join(f"{one:,.0f}/s" for one in refused) + (f", {failed} failed" if failed else "")
    return (name, f"{capacity:,.1f}/s", *(f"{one:.0%}" for one in _shares(rounds)), told)


if __name__ == "__main__":
    sys.exit(main())
