"""Google's two emulators of Datastore, started once for all test processes and thrown away.

The Firestore emulator has the modern calls, the Datastore emulator insists on composite indexes.
Whoever uses one holds a lock on its file; a watcher takes the emulator away once nobody does,
however the tests ended.
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.conftest import answers, free_port, wait_for
from tests.skips import google_jar, java
from unrot.store.datastore import CHANNEL, DatastoreStore
from unrot.store.kinds import Kind

PACKAGE = "com.google.cloud.datastore.emulator"
EMULATORS = {
    "datastore": (
        "cloud-firestore-emulator/cloud-firestore-emulator.jar",
        f"{PACKAGE}.firestore.CloudFirestore",
        ["--database-mode=datastore-mode"],
    ),
    "datastore emulator": (
        "cloud-datastore-emulator/CloudDatastore.jar",
        f"{PACKAGE}.CloudDatastore",
        ["--testing", "--firestore_in_datastore_mode", "--require_indexes", "."],
    ),
}
"""Of each its file, what is started in it, and how."""
LIGHT = ("-Duser.language=en", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m")
WATCHER = """
import fcntl, os, subprocess, sys
os.fork() and os._exit(0)
users, *command = sys.argv[1:]
with open(users) as file:
    emulator = subprocess.Popen(command)
    fcntl.flock(file, fcntl.LOCK_EX)
    emulator.kill()
    emulator.wait()
"""


@contextmanager
def shared_emulator(name: str, folder: Path) -> Iterator[str]:
    """Use an emulator, the same that other test processes use."""
    mine = folder / name
    mine.mkdir(exist_ok=True)
    address = mine / "address"
    with (mine / "start.lock").open("w") as start, (mine / "users").open("w") as users:
        fcntl.flock(start, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_SH)
        if not address.exists() or not answers(f"http://{address.read_text()}"):
            address.write_text(start_emulator(name, mine))
        fcntl.flock(start, fcntl.LOCK_UN)
        yield address.read_text()


def start_emulator(name: str, folder: Path) -> str:
    """Start an emulator and its watcher; return its address when it answers."""
    jar, main, more = EMULATORS[name]
    place = f"127.0.0.1:{free_port()}"
    host, port = place.split(":")
    how = [java(), *LIGHT, "-cp", str(google_jar(jar)), main, "start"]
    how += [f"--host={host}", f"--port={port}", *more]
    with (folder / "log").open("w") as log:
        subprocess.run(
            [sys.executable, "-c", WATCHER, str(folder / "users"), *how],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            check=True,
        )
    wait_for(lambda: answers(f"http://{place}"), 60, (folder / "log").read_text)
    return place


def open_emulated(name: str, address: str, namespace: str) -> DatastoreStore:
    """Open a namespace of an emulator."""
    made = DatastoreStore if name == "datastore" else CountsByScan
    return made("a-project", namespace, open_channel=channel_to(address))


class CountsByScan(DatastoreStore):
    """A store on the Datastore emulator, which alone cannot count."""

    def count(
        self,
        kind: Kind,
        index: str,
        equal: Sequence[Any] = (),
        *,
        since: Any = None,
        until: Any = None,
    ) -> int:
        return len(self.scan(kind, index, equal, since=since, until=until, limit=10_000, only=[]))


def channel_to(address: str, *interceptors: Any) -> Callable[[], Any]:
    """Return how to open a channel to an address, through things that get in its way."""

    def opened() -> Any:
        import grpc  # not at the top: it takes long, and most tests do without

        channel = grpc.insecure_channel(address, options=CHANNEL)
        return grpc.intercept_channel(channel, *interceptors)

    return opened
