"""A dyno's day in five minutes, on Postgres and on the Firestore emulator: `make drill-dyno`.

A dyno is a server with two web workers and a caretaker in 512 MB of memory (a group of Linux's,
where this user may make one), whose home folder is thrown away whenever it starts. Two models are
trained elsewhere, as `heroku run` would. Then `release` is run twice at once, the dyno boots on an
empty home, answers and is judged, takes 50,000 predictions, and refits a table of 20,000 × 20.
Under load every one of its processes is told to end at the same moment, as Heroku does. What it had
acknowledged has to be in the store without its home, and the next dyno has to serve the champion
without training.

    python -m bench.dyno [postgres|datastore …]
"""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sklearn.datasets import make_classification

from bench.away import MODEL, Told, asking, lost_of
from bench.fleet import SECRET, SILENCE, Client, Machine, end_cleanly, family, own_store, until
from bench.memory import ROLES, Memory, Room, measure, watched
from tests.conftest import JUDGE, OPERATOR, ROOT, environment
from tests.learning_model import zombies_of
from tests.live_server import prepare
from unrot.cli.terminal import table

DYNO_BYTES = 512 * 2**20
WORKERS = 2
PREDICTIONS = VOTES = 2_000
MANY, AT_ONCE = 50_000, 50
WIDE, WIDE_ROWS, WIDE_COLUMNS, WIDE_VERDICTS = "wide", 25_000, 20, 500
"""A fifth of the rows is held out, so that 20,000 are learnt from."""
SETTLED_SECONDS = 5.0
REFIT_SECONDS = 900.0
"""A caretaker gives way to others, so on a busy machine a refit takes long."""
BOOT_SECONDS, STOP_SECONDS = 10.0, 20.0
MOST_MB = {"postgres": 400, "datastore": 512}
DYNO = {"DYNO": "web.1", "UNROT_HTTPS": "no", "WEB_CONCURRENCY": str(WORKERS)}
"""What Heroku sets; its router speaks plain HTTP to the dyno, and so do the clients here."""
PYTHON = str(ROOT / ".venv-dyno/bin/python")
"""Of an environment with what a dyno has, and nothing beside it."""


@dataclass
class Found:
    """What was seen of one dyno."""

    boots: list[float] = field(default_factory=list)
    memory: dict[str, Memory] = field(default_factory=dict)
    promises: dict[str, tuple[bool, str]] = field(default_factory=dict)


def main() -> None:
    end_cleanly()
    stores = sys.argv[1:] or ["postgres", "datastore"]
    ends = [drill(name) for name in stores]
    sys.exit(not all(ends))


def drill(name: str) -> bool:
    """Tell whether every promise was kept on one database, and print what was seen."""
    with tempfile.TemporaryDirectory(prefix="unrot-dyno-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        store, room = own_store(name, folder, folder), Room(DYNO_BYTES)
        dyno = Machine(folder / "home", store.url, DYNO, room.command, PYTHON)
        found = Found()
        try:
            _live_through(dyno, found, folder)
            found.promises["memory"] = _within(found, MOST_MB[name], room)
        finally:
            if dyno.process is not None and dyno.process.poll() is None:
                dyno.stop()
            store.end()
            room.close()
    print_found(store.name, found)
    return all(is_kept for is_kept, _ in found.promises.values())


def _live_through(dyno: Machine, found: Found, folder: Path) -> None:
    found.promises["release twice at once"] = release_twice(dyno)
    prepare(folder / "elsewhere", {MODEL: "sgd"}, store_url=dyno.store_url, secret_key=SECRET)
    train_wide(folder, dyno)
    found.boots.append(boot(dyno))
    time.sleep(SETTLED_SECONDS)
    found.memory["at boot"] = measure(_master(dyno))
    told = Told()
    with asking(dyno, told):
        until(lambda: len(told.seconds) >= PREDICTIONS and len(told.acknowledged) >= VOTES, 300)
    predict_many(dyno)
    time.sleep(SETTLED_SECONDS)
    found.memory[f"after {MANY:,}"] = measure(_master(dyno))
    found.memory["during a refit"], found.promises["refit"] = refit(dyno)
    versions = _versions(dyno)
    found.promises["SIGTERM under load"] = stop_under_load(dyno, told)
    shutil.rmtree(dyno.home)
    found.boots.append(boot(dyno))
    is_same = _versions(dyno) == versions
    found.promises["served without training"] = (is_same, f"versions and champions: {versions}")
    lost = lost_of(dyno, [told])
    found.promises["nothing acknowledged lost"] = (
        not lost,
        f"{len(lost)} of {len(told.acknowledged):,} verdicts and {len(told.predicted):,} "
        f"predictions{': ' if lost else ''}{', '.join(lost[:3])}",
    )
    found.promises["boot"] = (
        max(found.boots) <= BOOT_SECONDS,
        " and ".join(f"{seconds:.1f} s" for seconds in found.boots) + " to the first answer",
    )


def release_twice(dyno: Machine) -> tuple[bool, str]:
    """Let two machines bring the same new store up to date at the same moment."""
    known = environment(dyno.home, UNROT_STORE=dyno.store_url, UNROT_SECRET_KEY=SECRET, **DYNO)
    command = [PYTHON, "-m", "unrot", "check"]
    running = [
        subprocess.Popen(command, env=known, cwd=ROOT, stdout=subprocess.DEVNULL) for _ in range(2)
    ]
    ends = [one.wait(120) for one in running]
    shutil.rmtree(dyno.home, ignore_errors=True)
    return ends == [0, 0], f"ended with {ends}"


def train_wide(folder: Path, dyno: Machine) -> None:
    """Train a table of many rows into the store, on a machine of its own."""
    rows, labels = make_classification(
        WIDE_ROWS, WIDE_COLUMNS, n_informative=8, flip_y=0.05, random_state=3
    )
    path = folder / "wide.csv"
    with path.open("w", newline="") as file:
        names = [f"x{place}" for place in range(WIDE_COLUMNS)]
        written = csv.writer(file)
        written.writerow([*names, "class"])
        written.writerows(
            [*row, ("no", "yes")[label]]
            for row, label in zip(rows.round(4).tolist(), labels.tolist(), strict=True)
        )
    subprocess.run(
        [PYTHON, "train.py", "--csv", path, "--target", "class", "--name", WIDE],
        env=environment(folder / "elsewhere", UNROT_STORE=dyno.store_url, UNROT_SECRET_KEY=SECRET),
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def boot(dyno: Machine) -> float:
    """Start it on whatever home there is; return the seconds to its first answer.

    Whoever asks before is kept waiting or refused, and never told that there is no model.
    """
    began = time.monotonic()
    waiting = threading.Thread(target=dyno.start)
    waiting.start()
    row = zombies_of(1, seed=1)[0][0]
    while True:
        try:
            code, _ = Client(dyno).ask(f"/models/{MODEL}/predict", {"inputs": row})
        except SILENCE:
            time.sleep(0.05)
            continue
        assert code == 200, f"the first answer was {code}"
        seconds = time.monotonic() - began
        waiting.join()
        return seconds


def predict_many(dyno: Machine) -> None:
    """Have some more predicted, a list at a time, and wait until all of it is shipped."""
    client = Client(dyno)
    for start in range(0, MANY, AT_ONCE):
        rows = [row for row, _ in zombies_of(AT_ONCE, seed=start)]
        code, told = client.ask(f"/models/{MODEL}/predict", {"inputs": rows})
        assert code == 200, told
    until(lambda: _backlog(client) == 0, 60)


def refit(dyno: Machine) -> tuple[Memory, tuple[bool, str]]:
    """Let the wide model be fitted afresh; return the most that was held, and how it ended."""
    client = Client(dyno, 120)
    with (dyno.home.parent / "wide.csv").open() as file:
        rows = [next(reader) for reader in [csv.DictReader(file)] for _ in range(WIDE_VERDICTS)]
    labels = [row.pop("class") for row in rows]
    inputs = [{name: float(text) for name, text in row.items()} for row in rows]
    _, told = client.ask(f"/models/{WIDE}/predict", {"inputs": inputs})
    given = [
        {"id": one["id"], "label": label}
        for one, label in zip(told["predictions"], labels, strict=True)
    ]
    code, told = client.ask("/feedback", given, JUDGE)
    assert code == 200, told
    with watched(_master(dyno)) as peak:
        _, told = client.ask(f"/models/{WIDE}/refit", {}, OPERATOR)
        job = told["job"]
        began = time.monotonic()
        while job["state"] in ("queued", "running") and time.monotonic() - began < REFIT_SECONDS:
            time.sleep(0.2)
            job = client.ask(f"/jobs/{job['id']}", token=OPERATOR)[1]["job"]
    seconds = time.monotonic() - began
    if job["state"] in ("queued", "running"):
        return peak.memory, (False, f"not done after {seconds:.0f} s: {job['step']}")
    told = job["error"] or f"made {job['result']['version']} in {seconds:.0f} s"
    return peak.memory, (job["state"] == "done", told)


def stop_under_load(dyno: Machine, told: Told) -> tuple[bool, str]:
    """Tell all of its processes to end, while people predict and vote; return how it ended."""
    before = len(told.predicted), len(told.acknowledged)
    with asking(dyno, told):
        time.sleep(2.0)
        began = time.monotonic()
        for process in family(_master(dyno)):
            os.kill(process, signal.SIGTERM)
        assert dyno.process is not None
        status = dyno.process.wait(60)
        seconds = time.monotonic() - began
    more = len(told.predicted) - before[0], len(told.acknowledged) - before[1]
    return status == 0 and seconds <= STOP_SECONDS, (
        f"ended with {status} in {seconds:.1f} s, {more[0]} predictions and {more[1]} votes "
        "more meanwhile"
    )


def _within(found: Found, most: int, room: Room) -> tuple[bool, str]:
    peak = max(sum(memory.values()) for memory in found.memory.values())
    said = f"{room.kills} killed" if room.is_bounded else "not bounded: no right to make a group"
    return peak <= most and not room.kills, f"{peak:.0f} MB of {most} at most; {said}"


def _master(dyno: Machine) -> int:
    assert dyno.process is not None
    return dyno.process.pid


def _versions(dyno: Machine) -> dict[str, Any]:
    """Return which versions each model has, and which answers."""
    client = Client(dyno)
    told = {
        name: client.ask(f"/models/{name}/versions", token=OPERATOR)[1] for name in (MODEL, WIDE)
    }
    return {name: (len(one["versions"]), one["aliases"]["champion"]) for name, one in told.items()}


def _backlog(client: Client) -> int:
    told = client.ask("/operations", token=OPERATOR)[1]
    return int(told["caretaker"]["backlog_bytes"])


def print_found(store: str, found: Found) -> None:
    """Print a table of memory, then each promise."""
    print(f"\n{store}, MB of memory (PSS)")
    rows = [("", *ROLES, "sum")]
    for when, memory in found.memory.items():
        held = [f"{memory[role]:.0f}" for role in ROLES]
        rows.append((when, *held, f"{sum(memory.values()):.0f}"))
    print(table(rows))
    for what, (is_kept, told) in found.promises.items():
        print(f"  {'ok ' if is_kept else 'NOT'} {what}: {told}")


if __name__ == "__main__":
    main()
