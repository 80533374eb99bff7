"""What hostile clients can do to honest ones: `make bench-loads`.

A server with two workers is asked for ten predictions a second, each on a connection of its own, as
people come. Meanwhile others, from another address, hold connections and say nothing, send half of
a request, send it byte by byte, read no answer, send files that are dear to read, or ask as much as
they can. A second server like it, of which nothing else is asked, tells at the same time how fast
the honest would have been answered: what else goes on on the machine slows both. Of each load: what
share of the honest was answered in time, how fast beside the other server, how much memory a worker
took at its height, and how soon all was well when the load had gone.

    python -m bench.loads [LOAD …] [--server granian|gthread] [--seconds 20]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import multiprocessing
import signal
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from multiprocessing.connection import Connection
from pathlib import Path

from bench.away import Told
from bench.drills import Running, megabytes_of
from bench.fleet import SECRET, Client, Machine, beside, end_cleanly, quantile, until
from tests.learning_model import zombies_of
from tests.live_server import prepare
from unrot.cli.terminal import table

MODEL = "zombies"
ATTACKER = "127.9.9.9"
"""Counts as another visitor than 127.0.0.1."""
LOAD_SECONDS = 20.0
EACH_SECOND, PATIENCE_SECONDS = 10, 5.0
"""So many honest predictions a second, and how long one is waited for."""
PROMPT_SECONDS, WELL = 0.5, 10
"""All is well from where on so many in a row are answered so soon."""
REST_SECONDS = 0.1
LEAST_ANSWERED, MOST_SLOWER, MOST_MEGABYTES, MOST_RECOVERY = 0.99, 2.0, 300.0, 10.0
HEAD = (
    "load",
    "answered",
    "p50, ms",
    "p99, ms",
    "quiet, ms",
    "MB",
    "well after",
    "the others were told",
    "",
)


# ── what the others do ───────────────────────────────────────────────────────────────────────


@dataclass
class Wire:
    """A connection of one who means no good."""

    connection: socket.socket
    told: Counter[str]

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        await asyncio.get_running_loop().sock_sendall(self.connection, data)

    async def send_slowly(self, data: bytes) -> None:
        """Send a byte a second."""
        for byte in data:
            await self.send(bytes([byte]))
            await asyncio.sleep(1)

    async def read(self) -> None:
        """Read until the server ends, and note what it says first."""
        data = await self._some()
        self.told[data.split()[1].decode() if data[:5] == b"HTTP/" else "closed"] += 1
        while data:
            data = await self._some()

    async def _some(self) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self.connection, 65_536)


Doing = Callable[[Wire], Awaitable[None]]


@dataclass(frozen=True)
class Load:
    """So many who do something again and again."""

    count: int
    do: Doing
    is_slow: bool = False
    """Whether it costs the server nothing but connections: the honest are to notice nothing."""


def request(path: str, body: bytes = b"", kind: str = "application/json", more: str = "") -> bytes:
    """Write a request."""
    method = "POST" if body else "GET"
    return (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n{more}"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def sending(data: bytes) -> Doing:
    """Send something, and see what comes."""

    async def do(wire: Wire) -> None:
        await wire.send(data)
        await wire.read()

    return do


def trickling(start: bytes, rest: bytes) -> Doing:
    """Send a part at once, the rest byte by byte."""

    async def do(wire: Wire) -> None:
        await wire.send(start)
        reading = asyncio.ensure_future(wire.read())
        sending = asyncio.ensure_future(wire.send_slowly(rest))
        await asyncio.wait({reading, sending}, return_when=asyncio.FIRST_COMPLETED)
        for task in (reading, sending):
            task.cancel()

    return do


def ignoring(data: bytes) -> Doing:
    """Ask, and read nothing for as long as it lasts."""

    async def do(wire: Wire) -> None:
        await wire.send(data)
        await asyncio.sleep(3_600)

    return do


def closing(data: bytes) -> Doing:
    """Ask for one answer, read it, and come again."""
    return sending(data.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))


def loads() -> Mapping[str, Load]:
    """Return all that is tried."""
    zombies = [inputs for inputs, _ in zombies_of(2_000, seed=1)]
    names = list(zombies[0])
    lines = [",".join(str(one[name]) for name in names) for one in zombies]

    def csv(rows: int) -> bytes:
        return "\n".join(
            [",".join(names), *itertools.islice(itertools.cycle(lines), rows)]
        ).encode()

    many = json.dumps({"inputs": [*itertools.islice(itertools.cycle(zombies), 10_000)]}).encode()
    digits = csv(1) + b"\n" + b",".join([b"1" * 40_000 + b"x"] * len(names))
    ones, objects = b"1\n" * 4_000_000, b'{"inputs":[' + b'{"":0},' * 1_100_000 + b"{}]}"
    columns = ",".join(f"c{number}" for number in range(50_000)).encode() + b"\n1\n"
    predict, text = f"/api/v1/models/{MODEL}/predict", "text/csv"
    one = request(predict, json.dumps({"inputs": zombies[0]}).encode())
    end_of_head = one.index(b"\r\n\r\n") + 4
    upload = request(predict, csv(2_000), text)
    body_at = upload.index(b"\r\n\r\n") + 4
    return {
        "silent": Load(200, sending(b""), is_slow=True),
        "silent, too many": Load(4_500, sending(b""), is_slow=True),
        "half a head": Load(200, sending(one[:40]), is_slow=True),
        "half a body": Load(200, sending(one[: (end_of_head + len(one)) // 2]), is_slow=True),
        "a byte a second, head": Load(64, trickling(b"", one), is_slow=True),
        "a byte a second, body": Load(
            64, trickling(one[:end_of_head], one[end_of_head:]), is_slow=True
        ),
        "a byte a second, upload": Load(
            64, trickling(upload[: body_at + 1_000], upload[body_at + 1_000 :]), is_slow=True
        ),
        "10,000 rows, never read": Load(32, ignoring(request(predict, many))),
        "a file, never read": Load(32, ignoring(request(predict, csv(60_000), text))),
        "the document, never read": Load(64, ignoring(request("/apispec.json") * 20)),
        "340 kB of columns": Load(16, closing(request(predict, columns, text))),
        "60,000 rows of CSV": Load(16, closing(request(predict, csv(60_000), text))),
        "10,000 rows": Load(16, closing(request(predict, many))),
        "40,000 digits in a cell": Load(16, closing(request(predict, digits, text))),
        "one row of 8 MB": Load(16, closing(request(predict, b"ab," * 2_700_000, text))),
        "four million lines": Load(
            16, closing(request(f"/endpoints/{MODEL}/invocations", ones, text))
        ),
        "a million objects": Load(16, closing(request(predict, objects))),
        "kept alive": Load(2_500, sending(request("/api/v1/health"))),
    }


async def _be(load: Load, port: int, told: Counter[str]) -> None:
    """Be one of them, for ever."""
    while True:
        connection = socket.socket()
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.bind((ATTACKER, 0))
        try:
            await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
            await load.do(Wire(connection, told))
        except OSError as error:
            told[type(error).__name__] += 1
        finally:
            connection.close()
        await asyncio.sleep(REST_SECONDS)


def play(name: str, port: int, says: Connection) -> None:
    """Be all of them, in a process of their own, until told to end; say so, then what was told."""
    load, told = loads()[name], Counter[str]()

    async def all_of_them() -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, sys.exit)
        says.send(None)
        await asyncio.gather(*(_be(load, port, told) for _ in range(load.count)))

    with suppress(SystemExit, asyncio.CancelledError):
        asyncio.run(all_of_them())
    says.send(told)


# ── the honest, and what they see ────────────────────────────────────────────────────────────


@dataclass
class Seen:
    """What the honest saw: when each request began, and how long its answer took, if one came."""

    began: list[tuple[float, float | None]] = field(default_factory=list)
    why: Counter[str] = field(default_factory=Counter)

    def between(self, start: float, end: float) -> list[float]:
        """Return how long the requests of a stretch of time took, for ever if not answered."""
        return [
            float("inf") if took is None else took
            for at, took in sorted(self.began)
            if start <= at < end
        ]

    def well_after(self, end: float) -> float:
        """Return how long after a moment all was well again."""
        later = [(at, took) for at, took in sorted(self.began) if at >= end]
        for place, (at, _) in enumerate(later):
            stretch = [took for _, took in later[place : place + WELL]]
            if all(took is not None and took < PROMPT_SECONDS for took in stretch):
                return at - end if place else 0.0
        return float("inf")


def asking(machine: Machine, seen: Seen) -> AbstractContextManager[None]:
    """Ask ten times a second, whatever became of those before."""
    bodies = itertools.cycle([{"inputs": row} for row, _ in zombies_of(100, seed=2)])

    def ask(body: object) -> None:
        began, took = time.monotonic(), None
        try:
            code, _ = Client(machine, PATIENCE_SECONDS).ask(f"/models/{MODEL}/predict", body)
            took = time.monotonic() - began
            if code != 200 or took > PATIENCE_SECONDS:
                seen.why[str(code)] += 1
                took = None
        except (OSError, HTTPException, ValueError) as error:
            seen.why[type(error).__name__] += 1
        seen.began.append((began, took))

    def go_on(stop: threading.Event) -> None:
        turn, began = 0, time.monotonic()
        with ThreadPoolExecutor(2 * int(EACH_SECOND * PATIENCE_SECONDS)) as people:
            while not stop.wait(max(0.0, began + turn / EACH_SECOND - time.monotonic())):
                people.submit(ask, next(bodies))
                turn += 1

    return beside(go_on)


def weighing(running: Running, heights: list[float]) -> AbstractContextManager[None]:
    """Note how much memory the largest worker has, now and then."""

    def look(stop: threading.Event) -> None:
        while not stop.wait(0.2):
            with suppress(OSError):
                heights.append(max(map(megabytes_of, running.workers()), default=0.0))

    return beside(look)


@dataclass(frozen=True)
class Outcome:
    """What one load did."""

    name: str
    is_slow: bool
    took: list[float]
    quiet: list[float]
    """How long they took beside it, on the server that was left in peace."""
    height: float
    well_after: float
    told: Counter[str]
    why: Counter[str]

    @property
    def answered(self) -> int:
        """How many were answered in time."""
        return sum(took < float("inf") for took in self.took)

    def row(self) -> tuple[str, ...]:
        """Return what stands in the table."""
        p50, p99 = (f"{quantile(self.took, share) * 1e3:.1f}" for share in (0.5, 0.99))
        quiet = [f"{quantile(self.quiet, share) * 1e3:.1f}" for share in (0.5, 0.99)]
        return (
            self.name,
            f"{self.answered} of {len(self.took)}",
            p50,
            p99,
            ", ".join(quiet),
            f"{self.height:.0f}",
            f"{self.well_after:.1f} s",
            ", ".join(f"{code}: {count:,}" for code, count in self.told.most_common(4)),
            "" if self.is_well else f"NOT WELL {dict(self.why) or ''}".strip(),
        )

    @property
    def is_well(self) -> bool:
        """Tell whether it did no more than is meant."""
        slower = quantile(self.took, 0.99) / quantile(self.quiet, 0.99)
        return (
            self.answered >= LEAST_ANSWERED * len(self.took)
            and (slower < MOST_SLOWER or not self.is_slow)
            and self.height < MOST_MEGABYTES
            and self.well_after <= MOST_RECOVERY
        )


def try_load(name: str, machine: Machine, calm: Machine, seconds: float) -> Outcome:
    """Let one load be, while the honest ask, and for a while after."""
    running = Running(machine, Told())
    running.find_arbiter()
    context = multiprocessing.get_context("spawn")
    hears, says = context.Pipe(duplex=False)
    process = context.Process(target=play, args=(name, machine.port, says))
    seen, quiet, heights = Seen(), Seen(), list[float]()
    with asking(machine, seen), asking(calm, quiet), weighing(running, heights):
        process.start()
        hears.recv()
        began = time.monotonic()
        time.sleep(seconds)
        ended = time.monotonic()
        process.terminate()
        told = hears.recv()
        process.join()
        until(lambda: seen.well_after(ended) <= MOST_RECOVERY, 2 * MOST_RECOVERY)
        time.sleep(WELL / EACH_SECOND)
    load = loads()[name]
    return Outcome(
        f"{name} × {load.count:,}",
        load.is_slow,
        seen.between(began, ended),
        quiet.between(began, ended),
        max(heights),
        seen.well_after(ended),
        told,
        seen.why,
    )


def main() -> None:
    end_cleanly()
    parser = argparse.ArgumentParser(prog="bench.loads", description=__doc__)
    parser.add_argument("loads", nargs="*", help=f"of {', '.join(loads())}; all unless named")
    parser.add_argument("--server", choices=("granian", "gthread"), default="granian")
    parser.add_argument("--seconds", type=float, default=LOAD_SECONDS)
    given = parser.parse_args()
    if unknown := {*given.loads} - {*loads()}:
        parser.error(f"there is no load {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="unrot-loads-") as place, ExitStack() as servers:
        machines = [
            Machine(Path(place) / name, "", {"UNROT_SERVER": given.server})
            for name in ("home", "calm")
        ]
        for machine in machines:
            prepare(machine.home, {MODEL: "sgd"}, secret_key=SECRET)
            machine.start()
            servers.callback(machine.stop)
        outcomes = [
            said(try_load(name, *machines, given.seconds)) for name in given.loads or loads()
        ]
    print(table([HEAD, *(outcome.row() for outcome in outcomes)]))
    sys.exit(not all(outcome.is_well for outcome in outcomes))


def said(outcome: Outcome) -> Outcome:
    print(" | ".join(outcome.row()), flush=True)
    return outcome


if __name__ == "__main__":
    main()
