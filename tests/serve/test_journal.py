"""The journal: nothing that was kept is lost, nothing torn is followed, no place is given twice."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from textwrap import dedent

import pytest

from tests.conftest import wait_for
from unrot.serve import journal
from unrot.serve.journal import Drops, Followed, Journal, Place, backlog_bytes, follow

ROOT = Path(__file__).resolve().parents[2]
PLENTY = 2**20
LINE = b'{"a":1}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a home whose drops can be counted, as `open_service` makes it."""
    folder = tmp_path / "journal"
    Drops(folder).prepare()
    return folder


@pytest.fixture
def look_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the journal look at its limit and its segment at every line, not every second."""
    monkeypatch.setattr(journal, "CHECK_SECONDS", 0.0)


def start_python(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", dedent(code), *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def run_python(code: str, *arguments: object) -> str:
    process = start_python(code, *arguments)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    return said


def kept(folder: Path) -> list[bytes]:
    """Return what is followed of each segment, in no particular order."""
    return sorted(segment.read(0) for segment in follow(folder))


# ── places ───────────────────────────────────────────────────────────────────────────────────


def test_places_follow_each_other_by_the_rows_reserved(folder: Path) -> None:
    writer = Journal(folder, limit=PLENTY)

    places = [writer.reserve(3), writer.reserve(1), writer.reserve(5), writer.reserve(1)]

    assert [place.row for place in places] == [0, 3, 4, 9]
    assert len({place.segment for place in places}) == 1
    assert places[0].segment.hex() == next(follow(folder)).name


def test_two_journals_in_one_folder_never_share_a_place(folder: Path) -> None:
    writers = [Journal(folder, limit=PLENTY), Journal(folder, limit=PLENTY)]

    places = [writer.reserve(1) for _ in range(50) for writer in writers]

    assert len(set(places)) == 100
    assert len({place.segment for place in places}) == 2


def test_places_go_on_when_the_rows_of_a_segment_are_used_up(folder: Path) -> None:
    writer = Journal(folder, limit=PLENTY)
    before = writer.reserve(2**32 - 5)

    place = writer.reserve(10)

    assert place.row + 9 < 2**32  # the id has 4 bytes for it
    assert place.segment != before.segment


def test_places_are_still_unique_when_the_folder_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    writer = Journal(tmp_path / "file" / "journal", limit=PLENTY)

    places = {writer.reserve(10_000) for _ in range(20)}

    assert len({place.segment for place in places}) == 20
    assert max(place.row for place in places) + 9_999 < 2**32
    assert not writer.append(LINE, count=1)


# ── append and follow ────────────────────────────────────────────────────────────────────────


def test_lines_are_read_back_from_any_offset(folder: Path) -> None:
    writer = Journal(folder, limit=PLENTY)

    assert writer.append(b"one\ntwo\n", count=2)
    assert writer.append(b"three\n", count=1)

    (segment,) = follow(folder)
    assert segment.read(0) == b"one\ntwo\nthree\n"
    assert segment.read(4) == b"two\nthree\n"
    assert segment.read(14) == b""
    assert segment.read(1_000) == b""
    assert segment.size() == 14


def test_line_is_in_the_file_when_append_returns(folder: Path) -> None:
    writer = Journal(folder, limit=PLENTY)

    writer.append(LINE, count=1)

    assert [path.read_bytes() for path in folder.glob("*.jsonl")] == [LINE]


def test_durable_line_is_kept_like_any_other(folder: Path) -> None:
    writer = Journal(folder, limit=PLENTY)

    took = [writer.append(b"one\n", count=1), writer.append(b"two\n", count=0, durable=True)]

    assert took == [True, True]
    assert kept(folder) == [b"one\ntwo\n"]


def test_lines_of_many_threads_are_whole(folder: Path) -> None:
    writer = Journal(folder, limit=PLENTY)
    lines = [f'{{"line":{number}}}\n'.encode() * 3 for number in range(200)]

    def write(some: list[bytes]) -> None:
        for line in some:
            writer.append(line, count=3)

    threads = [threading.Thread(target=write, args=(lines[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (written,) = kept(folder)
    assert sorted(written.splitlines(True)) == sorted(b"".join(lines).splitlines(True))


def test_segment_is_readable_by_its_owner_only(folder: Path) -> None:
    Journal(folder, limit=PLENTY).append(LINE, count=1)

    assert [path.stat().st_mode & 0o777 for path in folder.glob("*.jsonl")] == [0o600]


def test_torn_last_line_stays_unread(folder: Path) -> None:
    path = folder / "00000000aa.jsonl"
    path.write_bytes(b'{"a":1}\n{"b":')

    segment = Followed(path)

    assert segment.read(0) == b'{"a":1}\n'
    assert segment.read(8) == b""
    assert segment.size() == 13


def test_torn_line_is_read_once_it_is_whole(folder: Path) -> None:
    path = folder / "00000000aa.jsonl"
    path.write_bytes(b'{"b":')
    before = Followed(path).read(0)

    with path.open("ab") as file:
        file.write(b"2}\n")

    assert (before, Followed(path).read(0)) == (b"", b'{"b":2}\n')


@pytest.mark.parametrize(
    ("most", "read"), [(1, b"aaa\n"), (4, b"aaa\n"), (7, b"aaa\n"), (8, b"aaa\nbbb\n")]
)
def test_read_returns_as_many_whole_lines_as_fit_and_at_least_one(
    folder: Path, most: int, read: bytes
) -> None:
    path = folder / "00000000aa.jsonl"
    path.write_bytes(b"aaa\nbbb\nccc\n")

    assert Followed(path).read(0, most) == read


def test_segments_are_followed_oldest_first_and_nothing_else_is(folder: Path) -> None:
    for age, name in enumerate(["00000000cc", "00000000aa", "00000000bb"]):
        path = folder / f"{name}.jsonl"
        path.write_bytes(LINE)
        os.utime(path, (1_000 + age, 1_000 + age))
    for name in [".00000000dd", "00000000ee.jsonl.bak", "00000000FF.jsonl", "zz.jsonl", "0.jsonl"]:
        (folder / name).write_bytes(b"not a segment\n")

    names = [segment.name for segment in follow(folder)]

    assert names == ["00000000cc", "00000000aa", "00000000bb"]


def test_backlog_is_the_size_of_the_segments_alone(folder: Path) -> None:
    (folder / "00000000aa.jsonl").write_bytes(b"x" * 10)
    (folder / "00000000bb.jsonl").write_bytes(b"x" * 7)
    (folder / ".00000000cc").write_bytes(b"x" * 100)

    assert backlog_bytes(folder) == 17


def test_folder_that_is_not_there_has_nothing_to_follow(tmp_path: Path) -> None:
    assert list(follow(tmp_path / "none")) == []
    assert backlog_bytes(tmp_path / "none") == 0


def test_removed_segment_is_gone_and_may_be_removed_again(folder: Path) -> None:
    Journal(folder, limit=PLENTY).append(LINE, count=1)
    (segment,) = follow(folder)

    segment.remove()
    segment.remove()

    assert list(follow(folder)) == []


# ── writers ──────────────────────────────────────────────────────────────────────────────────


def test_open_segment_has_a_writer(folder: Path) -> None:
    writer = Journal(folder, limit=PLENTY)

    writer.append(LINE, count=1)

    (segment,) = follow(folder)
    assert segment.has_writer()
    assert segment.has_writer()


def test_segment_of_a_killed_process_is_readable_and_has_no_writer(folder: Path) -> None:
    writer = start_python(
        """
        import sys, time
        from pathlib import Path
        from unrot.serve.journal import Journal
        took = Journal(Path(sys.argv[1]), limit=10_000).append(b"one\\ntwo\\n", count=2)
        print(took, flush=True)
        time.sleep(60)
        """,
        folder,
    )
    assert writer.stdout is not None
    took = writer.stdout.readline().strip()
    (segment,) = follow(folder)
    while_alive = segment.has_writer()

    writer.kill()
    writer.communicate()

    assert (took, while_alive) == ("True", True)
    assert segment.read(0) == b"one\ntwo\n"
    assert not segment.has_writer()


def test_fork_gives_the_child_a_segment_of_its_own(folder: Path) -> None:
    said = run_python(
        """
        import json, os, sys
        from pathlib import Path
        from unrot.serve.journal import Journal

        journal = Journal(Path(sys.argv[1]), limit=10_000)

        def place():
            found = journal.reserve(1)
            return [found.segment.hex(), found.row]

        first = place()
        journal.append(b"parent\\n", count=1)
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            journal.append(b"child\\n", count=1)
            os.write(writing, json.dumps(place()).encode())
            os._exit(0)
        os.waitpid(child, 0)
        journal.append(b"parent again\\n", count=1)
        print(json.dumps([first, json.loads(os.read(reading, 1_000)), place()]))
        """,
        folder,
    )

    first, child, second = json.loads(said)
    assert (first[1], child[1], second[1]) == (0, 0, 1)
    assert first[0] == second[0] != child[0]
    assert kept(folder) == [b"child\n", b"parent\nparent again\n"]


def test_fork_while_a_thread_writes_leaves_the_child_able_to_write(folder: Path) -> None:
    said = run_python(
        """
        import os, signal, sys, threading, time
        from pathlib import Path
        from unrot.serve.journal import Journal

        journal = Journal(Path(sys.argv[1]), limit=10_000_000)
        stopped = threading.Event()

        def write():
            while not stopped.is_set():
                journal.append(b"parent\\n", count=1, durable=True)

        thread = threading.Thread(target=write)
        thread.start()
        ended = []
        for _ in range(5):
            time.sleep(0.01)
            child = os.fork()
            if not child:
                signal.setitimer(signal.ITIMER_REAL, 0.4)
                took = journal.append(b"child\\n", count=1)
                os._exit(0 if took else 1)
            ended.append(os.waitpid(child, 0)[1])
        stopped.set()
        thread.join()
        print(ended)
        """,
        folder,
    )

    assert said.strip() == "[0, 0, 0, 0, 0]"
    assert kept(folder).count(b"child\n") == 5


# ── rotation ─────────────────────────────────────────────────────────────────────────────────


def test_segment_that_is_large_enough_is_followed_by_the_next(
    folder: Path, look_always: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "SEGMENT_BYTES", 10)
    writer = Journal(folder, limit=PLENTY)

    places: list[Place] = []
    for line in [b"12345\n", b"67890\n", b"next\n"]:
        places.append(writer.reserve(1))
        writer.append(line, count=1)

    assert kept(folder) == [b"12345\n67890\n", b"next\n"]
    assert [place.row for place in places] == [0, 1, 0]
    assert places[0].segment == places[1].segment != places[2].segment
    assert {segment.read(0): segment.has_writer() for segment in follow(folder)} == {
        b"12345\n67890\n": False,
        b"next\n": True,
    }


def test_segment_that_is_old_is_followed_by_the_next_unless_it_is_empty(
    folder: Path, look_always: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "SEGMENT_SECONDS", 0.0)
    writer = Journal(folder, limit=PLENTY)

    places = [writer.reserve(1), writer.reserve(1)]
    writer.append(b"one\n", count=1)
    writer.append(b"two\n", count=1)

    assert places[0].segment == places[1].segment
    assert kept(folder) == [b"one\n", b"two\n"]


def test_segment_that_nothing_is_written_to_ends_when_it_is_old(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "IDLE_SECONDS", 0.02)
    monkeypatch.setattr(journal, "SEGMENT_SECONDS", 0.1)
    writer = Journal(folder, limit=PLENTY)

    writer.append(b"one\n", count=1)
    [segment] = follow(folder)

    wait_for(lambda: not segment.has_writer())
    writer.append(b"two\n", count=1)
    assert kept(folder) == [b"one\n", b"two\n"]


def test_all_segments_end_when_they_are_told_to_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "IDLE_SECONDS", 0.02)
    writers = [Journal(folder, limit=PLENTY) for _ in range(2)]
    for writer in writers:
        writer.append(b"before\n", count=1)

    Journal(folder, limit=PLENTY).end_all()

    wait_for(lambda: not any(segment.has_writer() for segment in follow(folder)))
    for writer in writers:
        writer.append(b"after\n", count=1)
    time.sleep(0.1)
    written = {segment.read(0): segment.has_writer() for segment in follow(folder)}
    assert written == {b"before\n": False, b"after\n": True}


def test_journal_that_is_let_go_is_not_kept_by_who_looks_after_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "IDLE_SECONDS", 0.02)
    before = {*threading.enumerate()}
    writers = [Journal(folder, limit=PLENTY) for _ in range(2)]
    for writer in writers:
        writer.append(LINE, count=1)
    looking = {*threading.enumerate()} - before

    writers[0].release()
    del writers[1:], writer

    wait_for(lambda: not any(thread.is_alive() for thread in looking))
    assert len(looking) == 2
    assert all(not segment.has_writer() or segment.size() for segment in follow(folder))


def test_segment_that_does_not_close_is_not_written_to_any_more(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its number is free all the same, and may be of another file by then."""
    writer = Journal(folder, limit=PLENTY)
    writer.append(b"before\n", count=1)
    held = writer._segment
    assert held is not None

    def break_after_closing() -> None:
        os.close(held._file)
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(held, "close", break_after_closing)
    with pytest.raises(OSError, match="broken"):
        writer._abandon()
    monkeypatch.undo()

    assert writer.append(b"after\n", count=1)
    assert sorted(kept(folder)) == [b"after\n", b"before\n"]


def test_journal_recovers_when_its_folder_is_removed(folder: Path, look_always: None) -> None:
    writer = Journal(folder, limit=PLENTY)
    before = writer.reserve(1)
    writer.append(b"lost\n", count=1)

    shutil.rmtree(folder)
    after = writer.reserve(1)
    took = writer.append(b"kept\n", count=1)

    assert took
    assert kept(folder) == [b"kept\n"]
    assert after.segment != before.segment


# ── what cannot be kept ──────────────────────────────────────────────────────────────────────


def test_journal_at_its_limit_drops_and_counts(folder: Path, look_always: None) -> None:
    writer = Journal(folder, limit=20)

    took = [writer.append(b"x" * 9 + b"\n", count=count) for count in (1, 1, 3, 4)]

    assert took == [True, True, False, False]
    assert Drops(folder).count() == 7
    assert backlog_bytes(folder) == 20


def test_limit_counts_what_other_processes_wrote(folder: Path) -> None:
    (folder / "00000000aa.jsonl").write_bytes(b"x" * 100)

    assert not Journal(folder, limit=100).append(LINE, count=1)


def test_durable_line_over_the_limit_is_refused_and_is_no_drop(folder: Path) -> None:
    (folder / "00000000aa.jsonl").write_bytes(b"x" * 100)

    took = Journal(folder, limit=100).append(LINE, count=1, durable=True)

    assert not took
    assert Drops(folder).count() == 0


def test_journal_goes_on_when_the_backlog_was_shipped(folder: Path, look_always: None) -> None:
    shipped = folder / "00000000aa.jsonl"
    shipped.write_bytes(b"x" * 100)
    writer = Journal(folder, limit=100)
    before = writer.append(b"dropped\n", count=1)

    shipped.unlink()
    after = writer.append(b"kept\n", count=1)

    assert (before, after) == (False, True)
    assert kept(folder) == [b"kept\n"]


def test_line_that_the_disk_took_in_part_is_taken_back_and_counted(folder: Path) -> None:
    said = run_python(
        """
        import resource, signal, sys
        from pathlib import Path
        from unrot.serve.journal import Journal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
        journal = Journal(Path(sys.argv[1]), limit=10_000)
        first = journal.append(b"a" * 59 + b"\\n", count=1)
        torn = journal.append((b"b" * 29 + b"\\n") * 2, count=2)
        after = journal.append(b"c" * 59 + b"\\n", count=1)
        print(first, torn, after)
        """,
        folder,
    )

    assert said.strip() == "True False True"
    assert kept(folder) == [b"a" * 59 + b"\n", b"c" * 59 + b"\n"]
    assert [segment.size() for segment in follow(folder)] == [60, 60]
    assert Drops(folder).count() == 2


def test_line_that_the_disk_refuses_leaves_the_segment_whole(folder: Path) -> None:
    said = run_python(
        """
        import resource, signal, sys
        from pathlib import Path
        from unrot.serve.journal import Journal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (60, resource.RLIM_INFINITY))
        journal = Journal(Path(sys.argv[1]), limit=10_000)
        took = [journal.append(b"a" * 59 + b"\\n", count=1), journal.append(b"b\\n", count=1)]
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, resource.RLIM_INFINITY))
        print(*took, journal.append(b"c\\n", count=1))
        """,
        folder,
    )

    assert said.strip() == "True False True"
    assert kept(folder) == [b"a" * 59 + b"\nc\n"]
    assert Drops(folder).count() == 1


# ── drops ────────────────────────────────────────────────────────────────────────────────────


def test_drops_start_at_none_and_are_kept(folder: Path) -> None:
    before = Drops(folder).count()

    Drops(folder).add(3)
    Drops(folder).add(4)
    Drops(folder).prepare()

    assert (before, Drops(folder).count()) == (0, 7)


def test_drops_of_many_threads_are_all_counted(folder: Path) -> None:
    def drop() -> None:
        for _ in range(100):
            Drops(folder).add(2)

    threads = [threading.Thread(target=drop) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Drops(folder).count() == 800


@pytest.mark.parametrize("content", [b"", b"123", b"123456789"])
def test_drops_in_a_damaged_file_are_none(folder: Path, content: bytes) -> None:
    (folder / "drops").write_bytes(content)

    assert Drops(folder).count() == 0


def test_drops_without_a_folder_are_let_go(tmp_path: Path) -> None:
    drops = Drops(tmp_path / "none")

    drops.add(1)

    assert drops.count() == 0
