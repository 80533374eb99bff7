"""Kills and power cuts while verdicts are committed to SQLite: `make bench-power`.

**Kills.** 600 times a process predicts and judges on three threads, and is killed with -9 at a
random moment; every fourth finds its database gone, so that verdicts go to the journal and are
answered with 202. Then a caretaker ships what is left, and each verdict that was acknowledged has
to be in the store as it was said.

**Power cuts.** A process that predicts, judges, ships its journal and at times finds its store
away is traced (strace, so Linux only): each write, truncation, rename, deletion and fsync of the
files of its home folder, and each acknowledgement, in their order. From that, a thousand times, the
disk is made as a power cut at a random moment may have left it. Of every file there is what was
fsynced last, and of what was written since nothing, all, the first part, or any of its sectors of
512 bytes, each by itself; names that were made, moved or deleted since their folder was fsynced
are there as far as any of them. On each such disk SQLite's integrity check has to say ok, a verdict
acknowledged with 200 or 201 has to be in the store, one with 202 there or whole in the journal. On
every fiftieth the app itself is started again, ships, and has to have counted each verdict once.
Not simulated: a disk that lies about fsync, and bits that change by themselves. As a control the
same is done with a store that waits for no fsync: there verdicts have to be lost, else the drill
sees nothing.

    python -m bench.power [kills] [images]
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from bench.disk import Disk, Event, events_of
from tests.conftest import ROOT, environment
from tests.learning_model import JUDGE, zombies_of
from tests.live_server import prepare
from unrot.cli.terminal import Progress
from unrot.core.errors import UnrotError
from unrot.core.settings import Settings
from unrot.run.bootstrap import open_service
from unrot.run.caretaker import Caretaker
from unrot.serve import events
from unrot.serve.journal import follow
from unrot.serve.service import Service
from unrot.store.sqlite import SqliteDatabase

KILLS, IMAGES, CONTROL_IMAGES = 600, 1_000, 200
VERDICTS, AWAY_EVERY, AWAY_VERDICTS, SHIP_EVERY, SEGMENT_EVERY = 900, 60, 15, 20, 90
RESTART_EVERY = 50
MODEL = "zombies"
QUEUED, CONTROL = "queued", "control"
TRACED = (
    "openat,write,writev,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2,"
    "unlink,unlinkat,close"
)

Acks = dict[str, tuple[str, str]]
"""Of each verdict that was acknowledged its status and its label."""


def main() -> None:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else KILLS
    images = int(sys.argv[2]) if len(sys.argv) > 2 else IMAGES
    with tempfile.TemporaryDirectory(prefix="unrot-power-") as place:
        home = prepare(Path(place) / "home", {MODEL: "sgd"})
        is_well = not kills or drill_kills(home, Path(place) / "killed", kills)
        if images:
            is_well = drill_cuts(home, Path(place) / "cut", images) and is_well
    sys.exit(not is_well)


# ── one who judges ───────────────────────────────────────────────────────────────────────────


def judge_on(service: Service, acks: int, verdicts: int, seed: int) -> Iterator[int]:
    """Predict and judge, writing down each acknowledgement; yield how many there were."""
    for number, (inputs, truth) in enumerate(itertools.cycle(zombies_of(500, seed=seed)), 1):
        made = service.predict(MODEL, inputs).predictions[0]
        try:
            _, status = service.judge({"id": made.id, "label": truth}, JUDGE)
        except UnrotError:
            status = ""
        if status:
            os.write(acks, f"ack {status} {made.id} {truth}\n".encode())
        yield number
        if number >= verdicts:
            return


def acks_of(text: str) -> Acks:
    """Read what was acknowledged; a last line that is torn was not."""
    whole = text[: text.rfind("\n") + 1]
    return {
        id: (status, label)
        for _, status, id, label in (line.split(" ", 3) for line in whole.splitlines())
    }


# ── kills ────────────────────────────────────────────────────────────────────────────────────


def drill_kills(prepared: Path, home: Path, kills: int) -> bool:
    """Kill one after the other; tell whether all is there that was acknowledged."""
    shutil.copytree(prepared, home)
    chance = random.Random(1)
    acks: Acks = {}
    progress = Progress(f"{kills} kills")
    for number in range(kills):
        acks |= kill_one(home, number, chance.uniform(0.002, 0.08))
        progress((number + 1) / kills, f"{len(acks):,} acknowledged")
    progress.close()
    queued = sum(status == QUEUED for status, _ in acks.values())
    lost = restart_and_count(home, acks)
    print(
        f"{kills} kills: {len(acks):,} verdicts acknowledged, {queued:,} of them with 202; "
        f"{len(lost)} lost{': ' + lost[0] if lost else ''}"
    )
    return not lost and queued > 0


def kill_one(home: Path, seed: int, after: float) -> Acks:
    """Let a child judge, and kill it a moment after its first acknowledgement."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        _judge_until_killed(home, writer, seed)
    os.close(writer)
    told = os.read(reader, 65_536)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while more := os.read(reader, 65_536):
        told += more
    os.close(reader)
    return acks_of(told.decode())


def _judge_until_killed(home: Path, acks: int, seed: int) -> None:
    """Judge on three threads; nothing of the parent goes on here."""
    try:
        service = open_service(Settings(home=home))
        if seed % 4 == 3:
            SqliteDatabase._file_identity = _gone  # type: ignore[method-assign]
        judges = [
            threading.Thread(
                target=lambda n: list(judge_on(service, acks, 10**9, 3 * seed + n)), args=[n]
            )
            for n in range(3)
        ]
        for judge in judges:
            judge.start()
        time.sleep(60)
    finally:
        os._exit(1)


# ── power cuts ───────────────────────────────────────────────────────────────────────────────


def drill_cuts(prepared: Path, folder: Path, images: int) -> bool:
    """Cut the power of a trace again and again; tell whether all is there, and the control saw."""
    folder.mkdir()
    lost = cut_often(prepared, folder / "safe", images, is_control=False)
    control = cut_often(prepared, folder / "control", min(images, CONTROL_IMAGES), is_control=True)
    return not lost and control > 0


def cut_often(prepared: Path, folder: Path, images: int, *, is_control: bool) -> int:
    """Return on how many images something was lost, and print what was seen."""
    folder.mkdir()
    home, before = folder / "home", folder / "before"
    shutil.copytree(prepared, before)
    shutil.copytree(before, home)
    log = trace(home, folder, is_control=is_control)
    found = list(events_of(log.read_text(), home))
    chance = random.Random(2)
    cuts = sorted(chance.randrange(len(found)) for _ in range(images))
    losses, last, restarts = [], 0, 0
    progress = Progress(f"{images} images")
    for number, (disk, acks) in enumerate(at_cuts(before, found, cuts)):
        image = folder / "image"
        disk.write_image(image, chance)
        lost = losses_of(image, acks)
        if not lost and not is_control and number % RESTART_EVERY == 0:
            lost = restart_and_count(_whole(image, before), acks)
            restarts += 1
        losses += lost[:1]
        last = len(acks)
        progress((number + 1) / images, f"{len(losses)} with losses")
        shutil.rmtree(image)
    progress.close()
    print(
        f"{images} images of {len(found):,} writes and fsyncs, up to {last:,} verdicts acknowledged"
        f"{' by a store that waits for no fsync (control)' if is_control else ''}: "
        f"{len(losses)} with losses{': ' + losses[0] if losses else ''}"
        f"{f'; started again on {restarts}' if restarts else ''}"
    )
    return len(losses)


def trace(home: Path, folder: Path, *, is_control: bool) -> Path:
    """Let a process judge under strace; return its log."""
    log = folder / "trace"
    known = environment(home)
    command = ["strace", "-f", "-qq", "-xx", "-s", "9999999", "-e", f"trace={TRACED}"]
    command += ["-e", "signal=none", "-o", str(log), sys.executable, "-m", "bench.power", "judge"]
    command += [str(home), CONTROL if is_control else "safe"]
    subprocess.run(command, env=known, cwd=ROOT, check=True)
    return log


def judge_and_ship(home: Path, *, is_control: bool) -> None:
    """Be the process that is traced: judge, ship, and find the store away at times."""
    if is_control:
        real = SqliteDatabase._open_writer

        def hasty(database: SqliteDatabase) -> sqlite3.Connection:
            connection = real(database)
            connection.execute("PRAGMA synchronous=OFF")
            return connection

        SqliteDatabase._open_writer = hasty  # type: ignore[method-assign]
    service = open_service(Settings(home=home))
    caretaker = Caretaker(service, "writer")
    caretaker._mend_profiles()
    acks = os.open(home / "acks", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in judge_on(service, acks, VERDICTS, 1):
        if number % AWAY_EVERY == 0:
            _judge_while_away(service, acks, number)
        if number % SEGMENT_EVERY == 0:
            service.journal.release()
        if number % SHIP_EVERY == 0:
            caretaker.ship()
            service.store.verdicts.count_new(1_000)


def _judge_while_away(service: Service, acks: int, seed: int) -> None:
    real = SqliteDatabase._file_identity
    SqliteDatabase._file_identity = _gone  # type: ignore[method-assign]
    list(judge_on(service, acks, AWAY_VERDICTS, seed))
    SqliteDatabase._file_identity = real  # type: ignore[method-assign]


def _gone(database: SqliteDatabase) -> tuple[int, int, int]:
    raise FileNotFoundError(database.path)


def at_cuts(
    before: Path, found: Sequence[Event], cuts: Sequence[int]
) -> Iterator[tuple[Disk, Acks]]:
    """Yield the disk at each cut, and what was acknowledged until then."""
    disk, told, done = Disk.of_folder(before), b"", 0
    for cut in cuts:
        for event in found[done:cut]:
            if event.call == "write" and event.path == "acks":
                told += event.data
            disk.note(event)
        done = cut
        yield disk, acks_of(told.decode())


def kept_in(home: Path) -> list[str]:
    """Return the predictions that the database has verdicts on."""
    with closing(sqlite3.connect(home / "unrot.db")) as connection:
        return [id for (id,) in connection.execute('SELECT key FROM "prediction-feedback"')]


def losses_of(image: Path, acks: Acks) -> list[str]:
    """Return what is wrong with a disk after a power cut, by SQLite and the journal alone."""
    connection = sqlite3.connect(image / "unrot.db")
    try:
        [(state,), *_] = connection.execute("PRAGMA integrity_check").fetchall()
        kept = dict(connection.execute('SELECT key, label FROM "prediction-feedback"').fetchall())
    except sqlite3.Error as error:
        return [f"the database cannot be read: {error}"]
    finally:
        connection.close()
    if state != "ok":
        return [f"the database is not whole: {state}"]
    queued = _in_journal(image / "journal")
    return [
        f"{status} {id}"
        for id, (status, label) in acks.items()
        if kept.get(id) != label and not (status == QUEUED and queued.get(id) == label)
    ]


def _in_journal(folder: Path) -> Mapping[str, object]:
    found: dict[str, object] = {}
    for segment in follow(folder):
        lines = events.from_lines(segment.read(0, segment.size() + 1))
        found |= {verdict.prediction: verdict.label for verdict in lines.feedback}
    return found


def _whole(image: Path, before: Path) -> Path:
    """Add what the trace did not touch: the shelf, the secrets."""
    for path in before.rglob("*"):
        target = image / path.relative_to(before)
        if path.is_dir():
            target.mkdir(exist_ok=True)
        elif not target.exists() and not path.name.startswith("unrot.db"):
            shutil.copy(path, target)
    return image


def restart_and_count(home: Path, acks: Acks) -> list[str]:
    """Start the app again, ship, and return what is not as it was acknowledged."""
    service = open_service(Settings(home=home))
    try:
        caretaker = Caretaker(service, "after")
        caretaker._leader.go_round = lambda **_: None  # type: ignore[method-assign]
        if not caretaker.go_round():
            return ["the caretaker cannot go on"]
        while service.store.verdicts.count_new(1_000):
            continue
        found = [(id, service.store.verdicts.of(id), label) for id, (_, label) in acks.items()]
        lost = [id for id, verdict, label in found if verdict is None or verdict.label != label]
        windows = service.store.traffic.windows(MODEL, since=0, until=time.time() + 3_600)
        counted = sum(window.verdicts for window in windows)
        # A prediction is not fsynced: after a power cut a verdict may be of one that is lost.
        whole = sum(service.store.traffic.prediction(id) is not None for id in kept_in(home))
        return lost + ([] if counted == whole else [f"{whole} to count, {counted} counted"])
    finally:
        service.store.close()


if __name__ == "__main__":
    if sys.argv[1:2] == ["judge"]:
        judge_and_ship(Path(sys.argv[2]), is_control=sys.argv[3] == CONTROL)
    else:
        main()
