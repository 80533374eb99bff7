"""What a server must do besides answering, on real sockets: granian's core, and gunicorn's own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from pathlib import Path

import pytest

from tests.conftest import ROOT, Server, answers, environment, free_port, wait_for
from tests.web.test_hostile import IRIS
from unrot.run import granian_worker
from unrot.run.caretaker import is_looked_after

SERVERS = ("granian", "gthread")
HEAD = b"Host: localhost\r\nContent-Type: application/json\r\n"
CSV_HEADER = b"sepal_length_cm,sepal_width_cm,petal_length_cm,petal_width_cm\n"
ROW = b"5.1,3.5,1.4,0.2\n"
PREDICT = b"POST /api/v1/predict HTTP/1.1\r\n"


@pytest.fixture(scope="module", params=SERVERS)
def either(request: pytest.FixtureRequest, start_shared_server: Callable[..., Server]) -> Server:
    """One worker, of each server in turn."""
    return start_shared_server(UNROT_SERVER=request.param, WEB_CONCURRENCY="1")


@pytest.fixture(scope="module")
def granian(start_shared_server: Callable[..., Server]) -> Server:
    return start_shared_server(WEB_CONCURRENCY="1")


def connected(server: Server) -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def read_answer(connection: socket.socket) -> tuple[int, bytes]:
    """Read one answer that says how long it is."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65_536)
        assert more, data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    [length] = [int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length")]
    while len(body) < length:
        body += connection.recv(65_536)
    return int(head.split()[1]), body


def asked(connection: socket.socket, start: bytes, body: bytes, more: bytes = b"") -> int:
    length = f"Content-Length: {len(body)}\r\n".encode()
    connection.sendall(start + HEAD + more + length + b"\r\n" + body)
    return read_answer(connection)[0]


def workers_of(server: Server) -> set[int]:
    """Return the children of gunicorn's master that serve: that of the caretaker has a child."""
    return {pid for pid in children_of(server.process.pid) if not children_of(pid)}


def states_of(pid: int) -> list[str]:
    """Return the state of each thread of a process."""
    said = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    return [one.rpartition(")")[2].split()[0] for one in said]


def caretakers_of(server: Server) -> set[int]:
    """Return the grandchildren of gunicorn's master."""
    return {one for pid in children_of(server.process.pid) for one in children_of(pid)}


def children_of(pid: int) -> list[int]:
    with suppress(FileNotFoundError):
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    return []


# ── both ─────────────────────────────────────────────────────────────────────────────────────


def test_connection_is_kept_for_the_next_request(either: Server) -> None:
    with closing(connected(either)) as connection:
        codes = [asked(connection, PREDICT, IRIS) for _ in range(3)]

    assert codes == [200, 200, 200]


def test_head_has_the_headers_of_get_and_no_body(either: Server) -> None:
    request = urllib.request.Request(f"{either.url}/api/v1/health", method="HEAD")

    with urllib.request.urlopen(request) as answer:
        length, body = answer.headers["Content-Length"], answer.read()

    assert (length, body) == ("48", b"")


def test_half_sent_heads_hold_nobody_up(either: Server) -> None:
    with ExitStack() as open_ones:
        for _ in range(8):
            silent = open_ones.enter_context(closing(connected(either)))
            silent.sendall(b"POST /api/v1/pre")

        assert asked(open_ones.enter_context(closing(connected(either))), PREDICT, IRIS) == 200


def test_body_beyond_the_limit_is_read_and_refused(either: Server) -> None:
    with closing(connected(either)) as connection:
        code = asked(connection, PREDICT, b" " * (9 * 2**20))

    assert code == 413


def test_file_is_answered_in_parts(either: Server) -> None:
    body = CSV_HEADER + ROW * 20_000
    url = f"{either.url}/api/v1/models/iris/predict"
    request = urllib.request.Request(url, body, {"Content-Type": "text/csv"})

    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.headers["Transfer-Encoding"] == "chunked"
        assert answer.headers["Content-Disposition"].endswith("filename=table-predicted.csv")
        lines = answer.read().splitlines()

    assert len(lines) == 20_001


def test_static_file_comes_whole(either: Server) -> None:
    path = next((ROOT / "static").rglob("*.css"))

    with urllib.request.urlopen(f"{either.url}/{path.relative_to(ROOT)}") as answer:
        body = answer.read()

    assert body == path.read_bytes()


def test_killed_worker_is_replaced(either: Server) -> None:
    [worker] = workers_of(either)

    os.kill(worker, signal.SIGKILL)

    wait_for(lambda: workers_of(either) not in (set(), {worker}), 20)
    wait_for(lambda: answers(f"{either.url}/api/v1/health"), 20)


@pytest.mark.skipif(sys.platform != "linux", reason="it is shared by a fork on Linux alone")
def test_onnxruntime_is_read_before_the_fork(granian: Server) -> None:
    """Workers and caretaker share it, which is 40 MB on a dyno of 512."""
    mapped = Path(f"/proc/{granian.process.pid}/maps").read_text()

    assert "onnxruntime_pybind11_state" in mapped


def test_requests_that_wait_for_a_killed_worker_are_answered_by_the_next(either: Server) -> None:
    """They wait in a line that belongs to all workers, as long as none has taken them."""
    [worker] = workers_of(either)
    os.kill(worker, signal.SIGSTOP)
    wait_for(lambda: set(states_of(worker)) == {"T"}, 20)
    with ExitStack() as opened:
        waiting = [opened.enter_context(closing(connected(either))) for _ in range(20)]
        for connection in waiting:
            connection.sendall(PREDICT + HEAD + b"Content-Length: %d\r\n\r\n" % len(IRIS) + IRIS)
        os.kill(worker, signal.SIGKILL)

        assert [read_answer(connection)[0] for connection in waiting] == [200] * 20


def test_reload_drops_no_request(either: Server) -> None:
    before = workers_of(either)
    codes: list[int] = []
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.is_set():
            with closing(connected(either)) as connection:
                codes.append(asked(connection, PREDICT, IRIS, b"Connection: close\r\n"))

    asking = threading.Thread(target=ask)
    asking.start()
    os.kill(either.process.pid, signal.SIGHUP)
    wait_for(lambda: workers_of(either) and not workers_of(either) & before, 30)
    is_over.set()
    asking.join()

    assert set(codes) == {200}


def test_worker_that_ends_answers_who_has_connected_and_not_asked_yet(granian: Server) -> None:
    [worker] = workers_of(granian)
    with closing(connected(granian)) as connection:
        assert asked(connection, PREDICT, IRIS) == 200
        with closing(connected(granian)) as fresh:
            time.sleep(0.05)
            os.kill(worker, signal.SIGTERM)
            time.sleep(0.1)
            assert asked(fresh, PREDICT, IRIS) == 200
    wait_for(lambda: workers_of(granian) not in (set(), {worker}), 20)
    wait_for(lambda: answers(f"{granian.url}/api/v1/health"), 20)


def test_reload_replaces_the_caretaker_at_once(granian: Server) -> None:
    """It is not to wait for what writes the journal: the new workers do so for ever."""
    [before] = caretakers_of(granian)

    os.kill(granian.process.pid, signal.SIGHUP)

    wait_for(lambda: caretakers_of(granian) not in (set(), {before}), 10)
    wait_for(lambda: is_looked_after(granian.home), 20)


def test_reload_takes_new_code_into_all_processes_and_shares_what_is_as_it_was(
    serve: Callable[..., Server], trained_home: Path, tmp_path: Path
) -> None:
    """All have what was imported before the fork, until it is another on the disk."""
    code = tmp_path / "code"
    for name in ("unrot", "templates", "static"):
        shutil.copytree(ROOT / name, code / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app.py", "gunicorn.conf.py"):
        shutil.copy(ROOT / name, code)
    server = serve(trained_home, code=code, WEB_CONCURRENCY="1")
    read = code / "unrot" / "core" / "settings.py"
    says = "import os; print('read by', os.getpid(), flush=True)"

    def is_reloaded() -> bool:
        now = (workers_of(server), caretakers_of(server))
        return all(now) and not (now[0] & before[0] or now[1] & before[1])

    for turn in range(3):
        if turn == 1:
            read.write_text(f"{read.read_text()}\n{says}\n")
        before = workers_of(server), caretakers_of(server)
        os.kill(server.process.pid, signal.SIGHUP)
        wait_for(is_reloaded, 30)
        wait_for(lambda: is_looked_after(server.home), 20)

    readers = [int(one) for one in re.findall(r"read by (\d+)", server.log.read_text())]
    assert readers[0] == server.process.pid
    assert set(readers[1:]) == caretakers_of(server) | before[1]


@pytest.mark.parametrize("server", SERVERS)
def test_connection_whose_client_takes_nothing_is_dropped_by_the_system(
    server: str, trained_home: Path
) -> None:
    """Half a minute is more than a test may take, so this looks at what connections are told."""
    program = """
import runpy, socket
from types import SimpleNamespace
listening = socket.create_server(("127.0.0.1", 0))
listeners = [SimpleNamespace(sock=listening)]
runpy.run_path("gunicorn.conf.py")["post_fork"](SimpleNamespace(LISTENERS=listeners), None)
client = socket.create_connection(listening.getsockname())
print(listening.accept()[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))
"""

    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(trained_home, UNROT_SERVER=server),
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert done.stdout == "30000\n", done.stderr


@pytest.mark.parametrize(("is_wanted", "is_cut"), [(True, True), (False, False)])
def test_answer_that_nobody_takes_is_cut_once_others_want_its_thread(
    is_wanted: bool, is_cut: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(granian_worker, "HURRY_SECONDS", 0.0)
    monkeypatch.setattr(granian_worker, "LOOK_SECONDS", 0.01)
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    looks = iter(range(10))

    def wanted() -> bool:
        if next(looks) == 9:  # Nobody wanted it for long: now its client takes all.
            threading.Thread(target=lambda: [os.read(reads, 2**20) for _ in range(99)]).start()
        return is_wanted

    with pytest.raises(TimeoutError) if is_cut else nullcontext():
        granian_worker._write(writes, b"x" * 2**17, wanted)
    os.close(writes)


@contextmanager
def on_a_unix_socket(home: Path, server: str, log: Path) -> Iterator[Path]:
    place = home / "socket"
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "app:app", "--bind", f"unix:{place}"],
        env=environment(
            home, UNROT_SERVER=server, GUNICORN_CMD_ARGS=f"--workers 1 --access-logfile {log}"
        ),
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(place.exists, 30)
        yield place
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.parametrize("server", SERVERS)
def test_unix_socket_is_served_and_the_access_log_has_no_query(
    server: str, trained_home: Path, tmp_path: Path
) -> None:
    log = tmp_path / "access"

    with (
        on_a_unix_socket(trained_home, server, log) as place,
        closing(socket.socket(socket.AF_UNIX)) as connection,
    ):
        connection.settimeout(20)
        connection.connect(str(place))
        connection.sendall(
            b"GET /api/v1/health?token=secret HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        code, _ = read_answer(connection)

    assert code == 200
    [line] = log.read_text().splitlines()
    assert " GET /api/v1/health 200 48 " in line


# ── granian alone ────────────────────────────────────────────────────────────────────────────


def test_half_sent_bodies_hold_nobody_up(granian: Server) -> None:
    """More of them than there are threads."""
    with ExitStack() as open_ones:
        for _ in range(40):
            silent = open_ones.enter_context(closing(connected(granian)))
            silent.sendall(PREDICT + HEAD + b"Content-Length: 100\r\n\r\n{")

        assert asked(open_ones.enter_context(closing(connected(granian))), PREDICT, IRIS) == 200


def test_client_that_leaves_in_the_midst_of_an_answer_gives_its_thread_back(
    granian: Server,
) -> None:
    """More of them than there are threads."""
    for _ in range(12):
        with closing(connected(granian)) as connection:
            send_table(connection, rows=20_000)
            assert connection.recv(12) == b"HTTP/1.1 200"

    assert answers(f"{granian.url}/api/v1/models")


def test_client_that_leaves_before_its_answer_holds_no_thread(granian: Server) -> None:
    """More of them than there are threads: granian opens no pipe for who has gone."""
    for _ in range(12):
        with closing(connected(granian)) as connection:
            send_table(connection, rows=1_000)

    with closing(connected(granian)) as connection:
        connection.sendall(b"GET /api/v1/models HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_answer(connection)[0] == 200


def send_table(connection: socket.socket, *, rows: int) -> None:
    """Ask for a table's predictions, which come in parts."""
    body = CSV_HEADER + ROW * rows
    connection.sendall(
        b"POST /api/v1/models/iris/predict HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
        + f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )


def test_requests_that_are_answered_leave_nothing_in_memory(granian: Server) -> None:
    """A request that was kept would be some kilobytes, which no collector of Python's finds."""
    [worker] = workers_of(granian)
    length = f"Content-Length: {len(IRIS)}\r\n\r\n".encode()
    batch = (PREDICT + HEAD + length + IRIS) * 100
    with closing(connected(granian)) as connection:
        sizes = []
        for _ in range(30):
            connection.sendall(batch)
            data = b""
            while data.count(b"HTTP/1.1 200 OK") < 100 or not data.endswith(b"}"):
                data += connection.recv(65_536)
            sizes.append(resident_bytes(worker))

    assert sizes[-1] - sizes[9] < 4 * 2**20


def resident_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_other_release_of_granian_or_none_is_a_sentence_and_the_same_app(
    serve: Callable[..., Server], trained_home: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other" / "granian"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("raise ImportError('no such package')")

    server = serve(trained_home, PYTHONPATH=str(other.parent))

    assert answers(f"{server.url}/api/v1/models")
    assert "granian cannot be imported (no such package): gunicorn's own threads" in (
        server.log.read_text()
    )


def test_server_that_starts_while_its_store_is_away_does_not_say_that_there_is_no_model(
    tmp_path: Path,
) -> None:
    port, away = free_port(), "postgresql://ada:geheim@127.0.0.1:1/x"
    given = environment(tmp_path / "home", UNROT_STORE=away, PORT=str(port), WEB_CONCURRENCY="1")
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/models/iris/predict",
        b'{"inputs": {}}',
        {"Content-Type": "application/json"},
    )
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "app:app"],
            env=given,
            cwd=ROOT,
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            wait_for(lambda: answers(f"http://127.0.0.1:{port}/api/v1/health"), 60)
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(asked, timeout=20)
        finally:
            process.terminate()

    with refused.value as answer:
        assert (answer.code, b"has had no model" in answer.read()) == (503, True)
