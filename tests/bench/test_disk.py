"""What a power cut leaves: what was fsynced always, what was written since perhaps, in parts."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

from bench.disk import SECTOR, Disk, Event, events_of
from bench.power import acks_of, losses_of
from unrot.core.records import Feedback
from unrot.serve.events import to_lines

SEEDS = range(200)


def images(disk: Disk) -> list[dict[str, bytes]]:
    return [disk.image(random.Random(seed)) for seed in SEEDS]


def test_what_was_fsynced_is_there_and_what_was_written_since_may_be_in_parts() -> None:
    disk = Disk({"a": b"." * 3 * SECTOR})
    disk.note(Event("open", "a", file=1))
    disk.note(Event("write", "a", b"1" * SECTOR, 0, 1))
    disk.note(Event("fsync", "a", file=1))
    disk.note(Event("write", "a", b"2" * 2 * SECTOR, SECTOR, 1))

    found = {image["a"][::SECTOR] for image in images(disk)}

    assert found == {b"1..", b"12.", b"1.2", b"122"}


def test_end_that_was_written_alone_leaves_a_hole_before_it() -> None:
    disk = Disk({"a": b""})
    disk.note(Event("open", "a", file=1))
    disk.note(Event("write", "a", b"1" * SECTOR, None, 1))
    disk.note(Event("write", "a", b"2" * SECTOR, None, 1))

    found = {image["a"][::SECTOR] for image in images(disk)}

    assert found == {b"", b"1", b"12", b"\0" + b"2"}


def test_names_are_safe_once_their_folder_was_fsynced() -> None:
    disk = Disk({"journal/old": b"1"})
    disk.note(Event("make", "journal/.new", file=1))
    disk.note(Event("move", "journal/.new", to="journal/new"))
    disk.note(Event("delete", "journal/old"))

    before = {tuple(sorted(image)) for image in images(disk)}
    disk.note(Event("open", "journal", file=2))
    disk.note(Event("fsync", "journal", file=2))

    assert before == {
        ("journal/old",),
        ("journal/.new", "journal/old"),
        ("journal/new", "journal/old"),
        ("journal/new",),
    }
    assert {tuple(image) for image in images(disk)} == {("journal/new",)}


def test_log_of_strace_is_read_with_calls_that_others_interrupted() -> None:
    home = Path("/home")
    path, data = text("/home/a.db"), text("ab")
    log = f"""
7 openat(AT_FDCWD, "{path}", O_RDWR|O_CREAT, 0644) = 3
7 openat(AT_FDCWD, "{text("/etc/b")}", O_RDONLY) = 4
7 write(4, "{data}", 2) = 2
7 pwrite64(3, "{data}", 2, 4096 <unfinished ...>
8 fdatasync(4) = 0
7 <... pwrite64 resumed>) = 2
7 fdatasync(3) = 0
7 close(3) = 0
7 unlink("{path}") = -1 ENOENT (No such file or directory)
"""

    found = list(events_of(log, home))

    assert found == [
        Event("make", "a.db", file=1),
        Event("write", "a.db", b"ab", 4096, 1),
        Event("fsync", "a.db", file=1),
    ]


def test_acknowledged_verdict_that_is_nowhere_is_told(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "unrot.db")
    database.execute('CREATE TABLE "prediction-feedback" (key, label)')
    database.execute("""INSERT INTO "prediction-feedback" VALUES ('kept', 'orc')""")
    database.commit()
    database.close()
    (tmp_path / "journal").mkdir()
    line = to_lines([Feedback("queued", "elves", 1.0, 2.0, None, label="orc")])
    (tmp_path / "journal" / "0123456789.jsonl").write_bytes(line + line[:20])
    told = acks_of(
        "ack created kept orc\nack queued queued orc\nack created queued orc\nack queued gone orc\n"
        "ack created kept elf\nack created torn o"
    )

    lost = losses_of(tmp_path, {**told, "other": ("created", "orc")})

    assert told["kept"] == ("created", "elf")
    assert lost == ["created kept", "created queued", "queued gone", "created other"]


def text(plain: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in plain.encode())
