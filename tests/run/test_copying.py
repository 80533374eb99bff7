"""All of a store copied into another: over real databases, killed in the middle, moved and used."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, environment, run_command
from tests.memory_store import MemoryStore
from unrot.core.errors import BadSetting, Conflict, NotFound
from unrot.core.records import Caller
from unrot.core.settings import Settings
from unrot.learn import jobs
from unrot.learn.worker import Learner
from unrot.run import copying
from unrot.run.bootstrap import open_database, open_service
from unrot.run.caretaker import Caretaker
from unrot.run.copying import OWN, copy_store
from unrot.serve.service import Service
from unrot.store.blobs import put_blob
from unrot.store.kinds import CHUNK, FACT, FEEDBACK, JOB, JOURNAL, KINDS, LEASE, MODEL, OUTLIER
from unrot.store.operations import Operations, Put, scan_all

ROW = [5.1, 3.5, 1.4, 0.2]
JUDGE = Caller(role="judge", judge="ada")
SAMPLES: dict[str, Any] = {
    "text": "a 🌵 'text'",
    "number": 0.1 + 0.2,
    "moment": 1_700_000_041.123456789,
    "integer": 2**53 + 1,
    "flag": False,
    "json": {"deep": [1, 2.5, None, {"ä": "\0"}]},
    "bytes": bytes(range(256)),
    "value": "7.0",
}


def quietly(_done: float, _step: str) -> None:
    return


def documents(store: Operations) -> dict[tuple[str, str], dict[str, Any]]:
    """Return all that is copied."""
    return {
        (kind.name, one.key): dict(one.fields)
        for kind in KINDS
        for one in scan_all(store, kind, "all", page=40)
        if kind is not FACT or one.key not in OWN
    }


def go_round(service: Service) -> None:
    """Let a caretaker work, and its lease be over afterwards."""
    keeper = Caretaker(service, "me")
    keeper._leader._start_learner = lambda: None  # type: ignore[method-assign]
    assert keeper.go_round()
    keeper._profiles.write_all()
    let_leases_end(service.store.database)  # type: ignore[attr-defined]


def let_leases_end(store: Operations) -> None:
    for lease in scan_all(store, LEASE, "all"):
        store.commit([Put(LEASE, lease.key, {**lease.fields, "ends at": time.time() - 1.0})])


@pytest.fixture(scope="module")
def used_once(trained_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with traffic and verdicts in the store, and something of every kind."""
    home = tmp_path_factory.mktemp("used") / "home"
    shutil.copytree(trained_once, home)
    service = open_service(Settings(home=home))
    made = service.predict_instances("iris", [ROW] * 30).predictions
    go_round(service)
    for number, one in enumerate(made[:20]):
        said = {"label": "Iris-virginica"} if number % 4 == 0 else {"was_correct": True}
        service.judge({"id": one.id, **said}, JUDGE)
    go_round(service)
    store = open_database(f"sqlite:///{home / 'unrot.db'}")
    for kind in KINDS:
        if kind not in (FACT, FEEDBACK, MODEL, LEASE, JOB):
            fields = {name: SAMPLES[type] for name, type in kind.fields.items()}
            lacking = dict.fromkeys(fields)
            store.commit([Put(kind, "zz/a sample", fields), Put(kind, "zz/é", lacking)])
    put_blob(store, secrets.token_bytes(3_000_000), 5.0)
    store.close()
    service.store.close()
    return home


@pytest.fixture
def home(used_once: Path, tmp_path: Path) -> Path:
    """A fresh copy of the used home folder, without the samples that no app could read."""
    made = tmp_path / "used"
    shutil.copytree(used_once, made)
    return made


@pytest.fixture
def address(
    request: pytest.FixtureRequest,
    emulators: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str], str]:
    """Return the address of an empty store of a kind."""

    def address_of(name: str) -> str:
        if name == "postgres":
            return str(request.getfixturevalue("postgres_url"))
        if name == "datastore":
            monkeypatch.setenv("DATASTORE_EMULATOR_HOST", emulators("datastore"))
            return f"datastore://a-project/{secrets.token_hex(8)}"
        return f"sqlite:///{tmp_path / f'{secrets.token_hex(4)}.db'}"

    return address_of


@contextmanager
def opened(*urls: str) -> Iterator[list[Operations]]:
    stores = [open_database(url) for url in urls]
    yield stores
    for store in stores:
        store.close()


def of(home: Path) -> str:
    return f"sqlite:///{home / 'unrot.db'}"


# ── all of it, and once ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("between", ["postgres", "datastore"])
def test_copy_there_and_back_gives_equal_documents(
    home: Path, address: Callable[[str], str], between: str
) -> None:
    there, back = address(between), address("sqlite")

    first = run_command(home, "copy", "--from", of(home), "--to", there)
    second = run_command(home, "copy", "--from", there, "--to", back)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    with opened(of(home), back) as (one, other):
        assert documents(one) == documents(other)
        held = len(documents(one))
    assert f"{held:,} documents copied, and all counts agree" in second.stdout
    assert "only for tests" not in first.stdout + first.stderr  # the password


def test_numbers_that_people_look_at_are_numbers_again_in_datastore() -> None:
    source, target = MemoryStore(), Seen()
    for store in (source, target):
        store.commit([Put(FACT, "store", {"value": str(id(store))})])
    answer = {"predicted at": 5.0, "label": None, "probabilities": None, "value": 7.5, "seconds": 0}
    body = {"was correct": None, "label": 7, "prediction": answer, "counted": None}
    fields = {"model": "m", "version": "v1", "time": 6.0, "predicted at": 5.0, "body": body}
    source.commit([Put(FEEDBACK, "p", {**fields, "prediction": 7.5, "label": 7})])
    assert documents(source)["prediction-feedback", "p"]["prediction"] == "7.5"

    copy_store(source, target, quietly)

    [put] = [one for one in target.puts if one.kind is FEEDBACK]
    assert (put.fields["prediction"], put.fields["label"]) == (7.5, 7)


class Seen(MemoryStore):
    """A store that tells what was written."""

    def __init__(self) -> None:
        super().__init__()
        self.puts: list[Any] = []

    def commit(self, changes: Any) -> None:
        """Note the changes, then make them."""
        self.puts += changes
        super().commit(changes)


def test_second_run_of_a_finished_copy_changes_nothing_and_says_so(
    home: Path, address: Callable[[str], str]
) -> None:
    there = address("sqlite")
    run_command(home, "copy", "--from", of(home), "--to", there)
    path = Path(there.removeprefix("sqlite:///"))
    with opened(there) as (store,):
        before = [one.revision for kind in KINDS for one in scan_all(store, kind, "all")]

    again = run_command(home, "copy", "--from", of(home), "--to", there)

    with opened(there) as (store,):
        after = [one.revision for kind in KINDS for one in scan_all(store, kind, "all")]
        store.commit([Put(OUTLIER, "new", {"model": "iris"})])
    assert again.returncode == 0
    assert "The copy was finished on" in again.stdout
    assert "nothing was changed." in again.stdout
    assert before == after
    moved_on = run_command(home, "copy", "--from", of(home), "--to", there)
    assert moved_on.returncode == 1
    assert "One of the two was written since, and they differ in outlier." in moved_on.stdout
    assert path.exists()


def test_copy_in_a_file_is_for_its_owner_alone(home: Path, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        run_command(home, "copy", "--from", of(home), "--to", f"sqlite:///{tmp_path / 'copy.db'}")
    finally:
        os.umask(before)

    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600


def test_why_a_store_cannot_be_used_is_told(home: Path) -> None:
    url = "postgresql://ada:geheim@127.0.0.1:1/x"

    refused = run_command(home, "copy", "--from", of(home), "--to", url)

    assert "Postgres says:" in refused.stderr


def test_counts_are_printed_of_each_kind(home: Path, address: Callable[[str], str]) -> None:
    said = run_command(home, "copy", "--from", of(home), "--to", address("sqlite")).stdout

    rows = {line.split()[0]: line.split()[1:] for line in said.splitlines() if line}
    assert set(rows) >= {kind.name for kind in KINDS}
    assert rows["prediction-feedback"] == ["20", "20"]


# ── killed in the middle ─────────────────────────────────────────────────────────────────────

DOOMED = """
import os, signal, sys
from unrot.cli.main import main
from unrot.run import copying
number, url, *arguments = sys.argv[1:]
real, left = copying._Copy._commit, [int(number)]
def commit(copy, puts, note):
    real(copy, puts, note)
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
copying._Copy._commit = commit
main(arguments)
"""


@pytest.mark.parametrize(("kind", "commits"), [("sqlite", 3), ("sqlite", 25), ("postgres", 12)])
def test_killed_copy_goes_on_where_it_was(
    home: Path, address: Callable[[str], str], kind: str, commits: int
) -> None:
    there = address(kind)
    copy = ["copy", "--from", of(home), "--to", there]
    killed = subprocess.run(
        [sys.executable, "-c", DOOMED, str(commits), there, *copy],
        env=environment(home),
        cwd=ROOT,
        capture_output=True,
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL
    with opened(there) as (store,):
        was_there = {
            (one.name, key.key): key.revision
            for one in KINDS
            for key in scan_all(store, one, "all")
            if one is not FACT
        }
        with pytest.raises(BadSetting, match="holds a copy that is not finished"):
            open_service(Settings(home=home, store=there))

    again = run_command(home, *copy)

    assert again.returncode == 0, again.stderr
    assert f"({len(was_there):,} were there already)" in again.stdout
    with opened(of(home), there) as (one, other):
        assert documents(one) == documents(other)
        unchanged = {
            (kind.name, one.key): one.revision
            for kind in KINDS
            for one in scan_all(other, kind, "all")
            if (kind.name, one.key) in was_there
        }
    assert unchanged == was_there


class Stopping(MemoryStore):
    """A store at which somebody presses Ctrl-C after some commits."""

    left = 10**9

    def commit(self, changes: Any) -> None:
        """Commit, or stop."""
        if self.left <= 0:
            raise KeyboardInterrupt
        self.left -= 1
        super().commit(changes)


def test_copy_stopped_at_any_commit_is_whole_after_the_next_run(home: Path) -> None:
    with opened(of(home)) as (source,):
        wanted = documents(source)
        whole = Seen()
        whole.commit([Put(FACT, "store", {"value": "whole"})])
        copy_store(source, whole, quietly)
        commits_in_all = sum(put.key == copying.NOTE for put in whole.puts)
        for commits in range(0, commits_in_all, 3):
            target = Stopping()
            target.commit([Put(FACT, "store", {"value": "another"})])
            target.left = commits
            with pytest.raises(KeyboardInterrupt):
                copy_store(source, target, quietly)
            target.left = 10**9

            done = copy_store(source, target, quietly)

            assert done.agrees
            assert done.documents + done.resumed_after == len(wanted)
            assert documents(target).keys() == wanted.keys()


def test_two_copies_at_once_do_not_both_go_on(home: Path) -> None:
    class Overtaken(MemoryStore):
        """A store into which another copy is begun after the third commit."""

        commits = 0

        def commit(self, changes: Any) -> None:
            """Commit; let the other begin."""
            super().commit(changes)
            self.commits += 1
            if self.commits == 4:
                copy_store(source, self, quietly)

    with opened(of(home)) as (source,):
        target = Overtaken()
        target.commit([Put(FACT, "store", {"value": "another"})])

        with pytest.raises(Conflict, match="Another copy into this store was started"):
            copy_store(source, target, quietly)

        assert documents(target).keys() == documents(source).keys()


# ── what is refused ──────────────────────────────────────────────────────────────────────────


def pair(home: Path) -> tuple[Operations, MemoryStore]:
    target = MemoryStore()
    target.commit([Put(FACT, "store", {"value": "another"})])
    return open_database(of(home)), target


def test_target_that_holds_other_data_is_refused(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home, tmp_path / "other")
    with opened(of(tmp_path / "other")) as (other,):
        other.commit([Put(FACT, "store", {"value": "another"})])
        held = len(documents(other)) - 1  # the lease

    refused = run_command(home, "copy", "--from", of(home), "--to", of(tmp_path / "other"))

    assert refused.returncode == 1
    assert f"is not empty: it holds {held:,} documents" in refused.stderr
    assert "Name an empty place" in refused.stderr


def test_copy_of_another_store_is_refused(home: Path) -> None:
    source, target = pair(home)
    copy_store(source, target, quietly)
    source.commit([Put(FACT, "store", {"value": "restored since"})])

    with pytest.raises(Conflict, match="holds the copy of another store"):
        copy_store(source, target, quietly)


def test_same_store_twice_is_refused_by_whatever_address(home: Path) -> None:
    same = run_command(home, "copy", "--from", of(home), "--to", of(home))
    other = run_command(
        home, "copy", "--from", of(home), "--to", f"sqlite:///{home}/../used/unrot.db"
    )

    assert (same.returncode, other.returncode) == (1, 1)
    assert "are the same store" in same.stderr
    assert "lead to the same store" in other.stderr


def test_source_in_use_is_refused(home: Path) -> None:
    class Renewed(MemoryStore):
        """A store in which somebody works: its lease is renewed each time it is read."""

        def scan(self, kind: Any, *given: Any, **named: Any) -> Any:
            if kind is LEASE:
                fields = {"holder": "me", "ends at": time.time() + 15, "number": 3}
                self.commit([Put(LEASE, "learner", fields)])
            return super().scan(kind, *given, **named)

    source, (_, target) = Renewed(), pair(home)
    source.commit([Put(FACT, "store", {"value": "one"}), Put(MODEL, "m", {"number": 1})])

    with pytest.raises(Conflict, match="a caretaker works on it"):
        copy_store(source, target, quietly)

    assert documents(target) == {}


def test_lease_of_an_app_that_was_stopped_is_waited_for(home: Path) -> None:
    source, target = pair(home)
    fields = {"holder": "me", "ends at": time.time() + 0.4, "number": 3}
    source.commit([Put(LEASE, "learner", fields)])
    steps: list[str] = []

    copy_store(source, target, lambda _done, step: steps.append(step))

    assert steps[0] == "waiting 0 s: a caretaker was at work just now"
    assert documents(target)["lease", "learner"] == fields


def test_number_of_a_lease_never_goes_back(home: Path) -> None:
    source, target = pair(home)
    over = {"holder": "she", "ends at": 5.0}
    source.commit([Put(LEASE, "learner", {**over, "number": 3})])
    target.commit([Put(LEASE, "learner", {**over, "number": 9})])

    copy_store(source, target, quietly)

    assert documents(target)["lease", "learner"]["number"] == 9


@pytest.mark.parametrize("kind", [JOURNAL, MODEL, OUTLIER], ids=lambda kind: str(kind.name))
def test_source_that_is_written_meanwhile_is_said(home: Path, kind: Any) -> None:
    source, target = pair(home)

    def write(done: float, step: str) -> None:
        if step.startswith("windows"):
            source.commit([Put(kind, f"new {done}", {})])

    with pytest.raises(Conflict, match="was written meanwhile"):
        copy_store(source, target, write)
    with pytest.raises(BadSetting):
        copying.check_whole(target)


def test_source_that_was_written_between_two_runs_is_said(home: Path) -> None:
    source, target = pair(home)

    def stop(done: float, _step: str) -> None:
        if done > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_store(source, target, stop)
    source.commit([Put(FEEDBACK, "new", {})])

    with pytest.raises(Conflict, match="was written since the copy was begun"):
        copy_store(source, target, quietly)


def test_unfinished_copy_is_no_source(home: Path) -> None:
    source, target = pair(home)
    stopping = Stopping()
    stopping.commit([Put(FACT, "store", {"value": "half"})])
    stopping.left = 5
    with pytest.raises(KeyboardInterrupt):
        copy_store(source, stopping, quietly)

    with pytest.raises(Conflict, match="finish it first"):
        copy_store(stopping, target, quietly)


def test_empty_source_is_no_source(tmp_path: Path) -> None:
    _, target = pair(tmp_path)
    empty = MemoryStore()
    empty.commit([Put(FACT, "store", {"value": "one"})])

    with pytest.raises(NotFound, match="empty: nothing to copy"):
        copy_store(empty, target, quietly)


def test_file_that_is_not_there_is_not_made(home: Path, tmp_path: Path) -> None:
    refused = run_command(
        home, "copy", "--from", f"sqlite:///{tmp_path / 'no.db'}", "--to", of(home)
    )

    assert refused.returncode == 1
    assert f"There is no database at {tmp_path / 'no.db'}: nothing to copy." in refused.stderr
    assert not (tmp_path / "no.db").exists()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://ada:geheim@db/x", '--to is an address of "mysql" that cannot be read'),
        ("postgresql://ada:geh@eim@db/x", '--to is an address of "postgresql" that cannot be read'),
        ("postgresql://ada:geheim@127.0.0.1:1/x", "The store that is copied to cannot be used."),
    ],
)
def test_address_that_leads_nowhere_is_a_sentence_without_its_password(
    home: Path, url: str, said: str
) -> None:
    refused = run_command(home, "copy", "--from", of(home), "--to", url)

    assert refused.returncode == 1
    assert said in refused.stderr
    assert "geh" not in refused.stderr + refused.stdout


def test_document_that_the_target_cannot_keep_is_named(
    home: Path, address: Callable[[str], str]
) -> None:
    with opened(of(home)) as (source,):
        source.commit([Put(CHUNK, "large", {"data": bytes(1_100_000)})])

    refused = run_command(home, "copy", "--from", of(home), "--to", address("datastore"))

    assert refused.returncode == 1
    assert 'chunk "large" takes 1,100,' in refused.stderr


# ── a home that has moved ────────────────────────────────────────────────────────────────────


def test_home_that_has_moved_goes_on_serving_voting_and_learning(
    trained_home: Path, postgres_url: str
) -> None:
    before = open_service(Settings(home=trained_home))
    made = before.predict_instances("iris", [ROW] * 40).predictions
    go_round(before)
    for one in made[:10]:
        before.judge({"id": one.id, "label": "Iris-virginica"}, JUDGE)
    go_round(before)
    waiting = before.predict_instances("iris", [ROW] * 7).predictions
    figures = figures_of(before)
    before.journal.release()
    before.store.close()

    moved = run_command(trained_home, "copy", "--from", of(trained_home), "--to", postgres_url)
    after = open_service(Settings(home=trained_home, store=postgres_url))

    assert moved.returncode == 0, moved.stderr
    assert figures_of(after) == figures
    go_round(after)
    assert after.today("iris").predictions == 47  # those of the journal are in, and none twice
    after.judge({"id": waiting[0].id, "label": "Iris-virginica"}, JUDGE)
    after.judge({"id": made[20].id, "was_correct": True}, JUDGE)
    go_round(after)
    assert after.today("iris").verdicts == 12
    jobs.ask(after, "iris", "learn", {})
    assert Learner(after, holder="next").do_next()
    go_round(after)
    assert [(one.name, one.parent) for one in after.versions("iris")] == [
        ("v1", None),
        ("v2", "v1"),
    ]
    assert after.catalogue().model("iris").versions.keys() == {"v1", "v2"}
    assert after.predict_instances("iris", [ROW]).predictions[0].id is not None
    after.store.close()


def figures_of(service: Service) -> list[Any]:
    """Return what pages say of a model."""
    traffic = service.store.traffic
    return [
        service.versions("iris"),
        service.aliases("iris"),
        traffic.tally("iris", since=0.0, last=50),
        traffic.recent("iris", limit=100),
        traffic.windows("iris", since=0.0, until=4e9),
        service.store.profiles.of_model("iris"),
    ]
