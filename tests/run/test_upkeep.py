"""Remove, rename, backup and restore, over real SQLite with a real caretaker."""

from __future__ import annotations

import io
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import ROOT, Server, answers, environment, run_command, wait_for
from tests.newest import newest
from unrot.core.errors import Conflict, Invalid, NotFound
from unrot.core.records import Caller, Holdings
from unrot.core.settings import Settings, kept_secret
from unrot.core.time import UNDO_SECONDS
from unrot.make import models
from unrot.run import retention
from unrot.run.bootstrap import open_service
from unrot.run.caretaker import Caretaker
from unrot.serve.service import Service
from unrot.store.kinds import OF_MODELS

ROW = [5.1, 3.5, 1.4, 0.2]


def predict(service: Service, count: int, name: str = "iris") -> list[str]:
    answer = service.predict_instances(name, [ROW] * count)
    return [prediction.id or "" for prediction in answer.predictions]


def quietly(_done: float, _step: str) -> None:
    return


def names(service: Service) -> list[str]:
    return [model.name for model in service.store.registry.models()]


class Typed(io.StringIO):
    """A terminal at which somebody types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def at_terminal(at_home: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run a command in this process, with what somebody types."""

    def run(*arguments: str, typed: str = "") -> int:
        monkeypatch.setattr(sys, "stdin", Typed(typed))
        return at_home(*arguments)

    return run


@pytest.fixture
def caretaker(service: Service) -> Iterator[Caretaker]:
    """A caretaker that goes round by itself."""
    keeper = Caretaker(service, "me")
    thread = threading.Thread(target=keeper.run)
    thread.start()
    yield keeper
    keeper.stop()
    thread.join(20)


# ── remove ───────────────────────────────────────────────────────────────────────────────────


def test_removed_model_is_gone_with_all_its_rows(service: Service, caretaker: Caretaker) -> None:
    ids = predict(service, 5)
    wait_for(lambda: service.today("iris").predictions == 5)
    service.judge({"id": ids[0], "was_correct": True}, Caller())
    waiting = predict(service, 3)

    held = models.remove(service, "iris", quietly)

    assert (held.versions, held.verdicts) == (1, 1)
    assert service.store.holdings("iris") == Holdings()
    assert names(service) == ["zombies"]
    with pytest.raises(NotFound, match='no model "iris"'):
        service.predict_instances("iris", [ROW])
    with pytest.raises(NotFound, match="no longer served"):
        service.judge({"id": waiting[0], "was_correct": True}, Caller())
    time.sleep(0.6)
    assert service.store.holdings("iris") == Holdings()
    assert service.store.profiles.of_model("iris") == []


def test_worker_that_has_not_followed_yet_cannot_judge_for_a_removed_model(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    [first, second] = predict(service, 2)
    before = service.shelf.contents()
    models.remove(service, "iris", quietly)
    monkeypatch.setattr(service.shelf, "contents", lambda: before)

    with pytest.raises(NotFound, match="no longer served"):
        service.judge({"id": first, "was_correct": True}, Caller())
    many = service.judge_many([{"id": second, "was_correct": True}], Caller())

    assert many == [(second, "not_found")]
    assert service.store.holdings("iris") == Holdings()


def test_last_model_removed_on_purpose_empties_the_shelf(service: Service) -> None:
    models.remove(service, "iris", quietly)
    models.remove(service, "zombies", quietly)
    Caretaker(service, "me").go_round()

    assert service.catalogue().models == {}
    assert list((service.shelf.folder / "artefacts").iterdir()) == []
    assert service.ready()["shelf"].state == "down"


def test_model_trained_again_under_the_name_is_another(service: Service) -> None:
    model = service.store.registry.models()[0]
    [old] = predict(service, 1)
    keeper = Caretaker(service, "me")
    keeper.go_round()
    old_in_journal = predict(service, 1)
    models.remove(service, "iris", quietly)
    added = service.store.registry.add_model(replace(model, number=0))

    keeper.go_round()
    went_well = keeper.go_round()

    assert went_well
    assert (model.number, added.number) == (1, 3)
    assert service.store.traffic.recent("iris", limit=9) == []
    for id in (old, *old_in_journal):
        with pytest.raises(NotFound):
            service.judge({"id": id, "was_correct": True}, Caller())


def test_every_table_with_a_model_is_cleared(service: Service, trained_home: Path) -> None:
    database = sqlite3.connect(trained_home / "unrot.db")
    with_model = {
        table
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        if "model" in {row[1] for row in database.execute(f'PRAGMA table_info("{table}")')}
    }
    database.close()

    assert with_model == {kind.name for kind in OF_MODELS}


def test_model_that_was_put_aside_answers_again_when_it_is_brought_back(service: Service) -> None:
    [id] = predict(service, 1)
    Caretaker(service, "me").go_round()

    removed = models.put_aside(service, "iris")
    hidden = names(service)
    listed = models.list_undoable(service)
    left = models.left_behind(service)
    list(retention.sweep(service))
    back = models.bring_back(service, removed.key)

    assert (hidden, listed, left) == (["zombies"], [removed], [])
    assert (back.name, names(service)) == ("iris", ["iris", "zombies"])
    assert service.store.traffic.prediction(id) is not None
    assert predict(service, 1)


def test_model_that_was_put_aside_is_erased_by_tidying_after_ten_minutes(
    service: Service,
) -> None:
    predict(service, 3)
    Caretaker(service, "me").go_round()
    late = replace(service, clock=lambda: service.clock() + UNDO_SECONDS)
    removed = models.put_aside(service, "iris")

    list(retention.sweep(late))

    assert service.store.holdings(removed.key) == Holdings()
    assert models.list_undoable(late) == []
    assert [one.is_cleared for one in service.store.registry.removed()] == [True]
    with pytest.raises(Conflict, match="cannot be undone any more"):
        models.bring_back(late, removed.key)


def test_removal_that_was_killed_is_finished_by_running_it_again(
    service: Service, trained_home: Path
) -> None:
    keeper = Caretaker(service, "me")
    for _ in range(100):
        predict(service, 5)
        keeper.go_round()
    killed = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from unrot.make import models as upkeep; upkeep.ROWS_AT_ONCE = 5; "
            "from unrot.cli.main import main; main(['remove', 'iris', '--yes'])",
        ],
        env=environment(trained_home),
        cwd=ROOT,
    )
    wait_for(lambda: names(service) == ["zombies"])
    wait_for(lambda: service.store.holdings("iris").predictions < 500)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait(10)
    left = service.store.holdings("iris")

    done = run_command(trained_home, "remove", "iris")

    assert left.predictions < 500
    assert left.rows > 0
    assert "interrupted removal of iris is finished" in done.stdout
    assert done.returncode == 0
    assert service.store.holdings("iris") == Holdings()
    assert keeper.go_round()
    assert "zombies" in names(service)


def test_question_counts_what_will_be_gone_and_wants_the_name(
    at_terminal: Callable[..., int], service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = predict(service, 3)
    Caretaker(service, "me").go_round()
    service.judge({"id": ids[0], "was_correct": True}, Caller())

    refused = at_terminal("remove", "iris", typed="yes\n")
    said = capsys.readouterr().out
    still = names(service)
    agreed = at_terminal("remove", "iris", typed="iris\n")

    assert "1 version, 3 predictions, 1 verdict, 0 profiles of iris will be deleted" in said
    assert "Nothing was changed." in said
    assert (refused, agreed) == (1, 0)
    assert (still, names(service)) == (["iris", "zombies"], ["zombies"])


def test_without_a_terminal_only_yes_agrees(trained_home: Path, service: Service) -> None:
    refused = run_command(trained_home, "remove", "iris")
    agreed = run_command(trained_home, "remove", "iris", "--yes", UNROT_DEFAULT_MODEL="iris")
    unknown = run_command(trained_home, "remove", "iris", "--yes")

    assert (refused.returncode, agreed.returncode, unknown.returncode) == (1, 0, 1)
    assert "add --yes" in refused.stderr
    assert "UNROT_DEFAULT_MODEL is still iris" in agreed.stdout
    assert unknown.stderr.strip() == 'There is no model "iris"; there is zombies.'


def test_workers_of_a_running_server_follow_within_two_seconds(
    start_server: Callable[..., Server],
) -> None:
    server = start_server()
    url = f"{server.url}/api/v1/models"

    renamed = run_command(server.home, "rename", "iris", "flowers", "--yes")
    wait_for(lambda: answers(f"{url}/flowers"), 2)
    at_old_address = answers(f"{url}/iris")
    removed = [run_command(server.home, "remove", name, "--yes") for name in ("flowers", "zombies")]
    wait_for(lambda: not answers(f"{url}/flowers") and not answers(f"{url}/zombies"), 2)

    assert [done.returncode for done in (renamed, *removed)] == [0, 0, 0]
    assert at_old_address
    assert answers(f"{server.url}/api/v1/health")


# ── rename ───────────────────────────────────────────────────────────────────────────────────


def test_ids_and_journal_lines_of_the_old_name_stay_good(service: Service) -> None:
    keeper = Caretaker(service, "me")
    [shipped] = predict(service, 1)
    keeper.go_round()
    [waiting] = predict(service, 1)

    models.rename(service, "iris", "flowers")
    service.judge({"id": shipped, "was_correct": True}, Caller())
    keeper.go_round()
    service.judge({"id": waiting, "was_correct": False}, Caller())
    [later] = predict(service, 1, "flowers")
    keeper.go_round()

    rows = newest(service, "flowers")
    assert {row.prediction.id for row in rows} == {shipped, waiting, later}
    assert {row.prediction.model for row in rows} == {"iris"}
    assert service.today("flowers").verdicts == 2
    assert service.catalogue().model("iris").model.name == "flowers"


def test_profile_of_a_period_with_a_rename_counts_each_row_once(service: Service) -> None:
    keeper = Caretaker(service, "me")
    predict(service, 3)
    keeper.go_round()
    models.rename(service, "iris", "flowers")
    predict(service, 2, "flowers")
    keeper.go_round()
    keeper._profiles.write_all()

    Caretaker(service, "me").go_round()

    assert sum(profile.rows for profile in service.store.profiles.of_model("iris")) == 5


@pytest.mark.parametrize("new", ["", "Iris", "a b", "-a", "a/b", "x" * 65, "ä"])
def test_name_that_breaks_the_rules_is_refused(service: Service, new: str) -> None:
    with pytest.raises(Invalid, match="small letters"):
        models.rename(service, "iris", new)


def test_rename_says_what_stays_and_what_to_set(trained_home: Path, service: Service) -> None:
    taken = run_command(trained_home, "rename", "iris", "zombies", "--yes")
    unasked = run_command(trained_home, "rename", "iris", "flowers")
    done = run_command(
        trained_home, "rename", "iris", "flowers", "--yes", UNROT_DEFAULT_MODEL="iris"
    )

    assert taken.stderr.strip() == "There is a model zombies already: choose another name."
    assert "add --yes" in unasked.stderr
    assert (taken.returncode, unasked.returncode, done.returncode) == (1, 1, 0)
    assert "iris is now flowers." in done.stdout
    assert "UNROT_DEFAULT_MODEL is still iris: set it to flowers." in done.stdout
    assert names(service) == ["flowers", "zombies"]


# ── backup and restore ───────────────────────────────────────────────────────────────────────


def members(path: Path) -> list[str]:
    with tarfile.open(path) as tar:
        return tar.getnames()


def test_backup_restored_into_an_empty_home_judges_old_ids(
    service: Service, trained_home: Path, tmp_path: Path, caretaker: Caretaker
) -> None:
    kept_secret(trained_home, "operator-token")
    [id] = predict(service, 1)
    wait_for(lambda: service.today("iris").predictions == 1)
    file, home = tmp_path / "unrot.tar", tmp_path / "new"

    made = run_command(trained_home, "backup", str(file))
    restored = run_command(home, "restore", str(file))

    assert made.returncode == 0, made.stderr
    assert "2 models with 1 prediction and 0 verdicts" in made.stdout
    assert "keep it like a password" in made.stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert members(file)[0] == "unrot.db"
    assert restored.returncode == 0, restored.stderr
    there = open_service(Settings(home=home))
    assert list(there.catalogue().models) == ["iris", "zombies"]
    _, status = there.judge({"id": id, "was_correct": True}, Caller())
    assert status == "created"
    assert (home / "operator-token").read_text() == (trained_home / "operator-token").read_text()
    assert sorted(path.name for path in home.iterdir() if path.name.startswith(".")) == []
    there.store.close()


def test_backup_is_one_moment_though_others_write(
    service: Service, trained_home: Path, tmp_path: Path
) -> None:
    keeper, stop = Caretaker(service, "me"), threading.Event()

    def write() -> None:
        while not stop.is_set():
            predict(service, 50)
            keeper.go_round()

    writer = threading.Thread(target=write)
    writer.start()
    wait_for(lambda: service.today("iris").predictions > 0)
    made = run_command(trained_home, "backup", str(tmp_path / "unrot.tar"))
    stop.set()
    writer.join(10)

    assert made.returncode == 0, made.stderr
    with tarfile.open(tmp_path / "unrot.tar") as tar:
        tar.extract("unrot.db", tmp_path, filter="data")
    copy = sqlite3.connect(tmp_path / "unrot.db")
    rows = copy.execute('SELECT SUM("rows") FROM "prediction-batch"').fetchone()[0]
    counted = copy.execute("SELECT SUM(predictions) FROM windows").fetchone()[0]
    copy.close()
    assert rows == counted
    assert rows % 50 == 0


def test_backup_replaces_a_file_only_by_force(trained_home: Path, tmp_path: Path) -> None:
    file = tmp_path / "unrot.tar"
    file.write_text("precious")

    refused = run_command(trained_home, "backup", str(file))
    kept = file.read_text()
    forced = run_command(trained_home, "backup", str(file), "--force")
    nowhere = run_command(trained_home, "backup", str(tmp_path / "no" / "unrot.tar"))

    assert (refused.returncode, forced.returncode, nowhere.returncode) == (1, 0, 1)
    assert "add --force" in refused.stderr
    assert "Traceback" not in nowhere.stderr
    assert kept == "precious"
    assert "unrot.db" in members(file)


def test_restore_beside_a_caretaker_is_refused(
    service: Service, trained_home: Path, tmp_path: Path, caretaker: Caretaker
) -> None:
    file = tmp_path / "unrot.tar"
    run_command(trained_home, "backup", str(file))
    wait_for(lambda: (trained_home / "caretaker.json").exists())

    refused = run_command(trained_home, "restore", str(file), "--yes")

    assert refused.returncode == 1
    assert "stop the app first" in refused.stderr
    assert not (trained_home / "unrot.db.before-restore").exists()


def test_restore_while_somebody_writes_or_reads_is_refused(
    service: Service, trained_home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "unrot.tar"
    run_command(trained_home, "backup", str(file))
    names(service)
    reading = run_command(trained_home, "restore", str(file), "--yes")
    predict(service, 1)
    writing = run_command(trained_home, "restore", str(file), "--yes")

    assert (reading.returncode, writing.returncode) == (1, 1)
    assert "has" in reading.stderr and "open: stop the app" in reading.stderr
    assert "still writes" in writing.stderr


def test_restore_brings_back_the_day_of_the_backup_and_counts_the_journal_once(
    trained_home: Path, tmp_path: Path
) -> None:
    service = open_service(Settings(home=trained_home))
    keeper = Caretaker(service, "me")
    predict(service, 3)
    keeper.go_round()
    file = tmp_path / "unrot.tar"
    assert run_command(trained_home, "backup", str(file)).returncode == 0
    predict(service, 2)
    keeper.go_round()
    models.remove(service, "zombies", quietly)
    later = service.store.registry.add_model(
        replace(service.store.registry.models()[0], name="later", number=0)
    )
    service.journal._abandon()
    service.store.close()

    done = run_command(trained_home, "restore", str(file), "--yes")

    assert done.returncode == 0, done.stderr
    assert "unrot.db.before-restore" in done.stdout
    there = open_service(Settings(home=trained_home))
    assert list(there.catalogue().models) == ["iris", "zombies"]
    assert there.today("iris").predictions == 3
    again = Caretaker(there, "me")
    again.go_round()
    again.go_round()
    assert there.today("iris").predictions == 5
    assert len(newest(there, "iris")) == 5
    added = there.store.registry.add_model(replace(later, name="another"))
    assert added.number == later.number + 1
    there.store.close()
    before = sqlite3.connect(trained_home / "unrot.db.before-restore")
    asked = "SELECT name FROM model WHERE name IS NOT NULL ORDER BY number"
    named = before.execute(asked).fetchall()
    assert named == [("iris",), ("later",)]
    before.close()


def test_restore_answered_no_changes_nothing(
    at_terminal: Callable[..., int],
    trained_home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "unrot.tar"
    at_terminal("backup", str(file))
    before = (trained_home / "unrot.db").read_bytes()

    status = at_terminal("restore", str(file), typed="no\n")

    assert status == 1
    assert "take the place of 2 models" in capsys.readouterr().out
    assert (trained_home / "unrot.db").read_bytes() == before
    assert not list(trained_home.glob("*before-restore*"))


def test_restore_in_place_of_a_damaged_database(trained_home: Path, tmp_path: Path) -> None:
    file = tmp_path / "unrot.tar"
    run_command(trained_home, "backup", str(file))
    (trained_home / "unrot.db").write_bytes(b"no database at all" * 999)

    done = run_command(trained_home, "restore", str(file), "--yes")

    assert done.returncode == 0, done.stderr
    assert (trained_home / "unrot.db.before-restore").read_bytes()[:2] == b"no"
    checked = run_command(trained_home, "versions", "iris")
    assert checked.returncode == 0, checked.stderr


def test_log_of_a_database_that_is_gone_is_not_taken_for_the_restored_ones(
    trained_home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "unrot.tar"
    run_command(trained_home, "backup", str(file))
    (trained_home / "unrot.db").unlink()
    (trained_home / "unrot.db-wal").write_bytes(b"the log of a file that is gone")

    done = run_command(trained_home, "restore", str(file))

    assert done.returncode == 0, done.stderr
    assert (trained_home / "unrot.db.before-restore-wal").read_bytes().endswith(b"gone")
    checked = run_command(trained_home, "versions", "iris")
    assert checked.returncode == 0, checked.stderr


def test_restore_twice_keeps_both_databases_of_before(trained_home: Path, tmp_path: Path) -> None:
    file = tmp_path / "unrot.tar"
    run_command(trained_home, "backup", str(file))

    codes = [run_command(trained_home, "restore", str(file), "--yes").returncode for _ in range(2)]

    assert codes == [0, 0]
    assert sorted(path.name for path in trained_home.glob("*before-restore*")) == [
        "unrot.db.before-restore",
        "unrot.db.before-restore.2",
    ]


KILLED_AT = {
    "before the keys": "unrot.run.backup._put_key",
    "before the database": "unrot.store.copies._highest_number",
    "after the database": "unrot.run.backup.fill_shelf",
}


@pytest.mark.parametrize("where", KILLED_AT)
def test_restore_that_was_killed_is_finished_by_doing_it_again(
    trained_home: Path, tmp_path: Path, where: str
) -> None:
    service = open_service(Settings(home=trained_home))
    [id] = predict(service, 1)
    Caretaker(service, "me").go_round()
    file, home = tmp_path / "unrot.tar", tmp_path / "other"
    assert run_command(trained_home, "backup", str(file)).returncode == 0
    other = open_service(Settings(home=home))
    other.store.registry.add_model(
        replace(service.store.registry.models()[0], name="other", number=0)
    )
    other.store.close()
    module, _, function = KILLED_AT[where].rpartition(".")
    program = (
        "import os, signal, sys, importlib\n"
        "def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)\n"
        f"setattr(importlib.import_module('{module}'), '{function}', die)\n"
        "from unrot.cli.main import main; main(['restore', sys.argv[1], '--yes'])\n"
    )

    killed = subprocess.run(
        [sys.executable, "-c", program, str(file)], env=environment(home), cwd=ROOT
    )
    there = sqlite3.connect(home / "unrot.db")
    found = [row[0] for row in there.execute("SELECT name FROM model ORDER BY number")]
    there.close()
    done = run_command(home, "restore", str(file), "--yes")

    assert killed.returncode == -signal.SIGKILL
    assert found == (["iris", "zombies"] if where == "after the database" else ["other"])
    assert done.returncode == 0, done.stderr
    restored = open_service(Settings(home=home))
    _, status = restored.judge({"id": id, "was_correct": True}, Caller())
    assert status == "created"
    before = sqlite3.connect(home / "unrot.db.before-restore")
    assert before.execute("SELECT name FROM model").fetchall() == [("other",)]
    before.close()
    restored.store.close()
    service.store.close()


def packed(path: Path, *entries: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for entry, data in entries:
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path


def link_to(name: str, target: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    return entry


def newer(database: Path) -> bytes:
    return changed(database, "UPDATE fact SET value = '9999' WHERE key = 'format'")


def changed(database: Path, statement: str) -> bytes:
    connection = sqlite3.connect(database)
    connection.execute(statement)
    connection.commit()
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()
    return database.read_bytes()


WRONG: dict[str, Callable[[Path, Path], bytes]] = {
    "not a tar": lambda home, _: (home / "unrot.db").read_bytes(),
    "empty": lambda *_: b"",
    "torn": lambda _, good: good.read_bytes()[:20_000],
}


@pytest.mark.parametrize("what", WRONG)
def test_file_that_is_no_backup_is_refused(trained_home: Path, tmp_path: Path, what: str) -> None:
    good, file = tmp_path / "good.tar", tmp_path / "wrong.tar"
    run_command(trained_home, "backup", str(good))
    file.write_bytes(WRONG[what](trained_home, good))

    refused_restore(trained_home, file, "is not a whole backup")


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "unrot.db/../x", "other", "./unrot.db"])
def test_entry_with_another_name_is_refused(trained_home: Path, tmp_path: Path, name: str) -> None:
    database = (tarfile.TarInfo("unrot.db"), (trained_home / "unrot.db").read_bytes())
    file = packed(tmp_path / "wrong.tar", database, (tarfile.TarInfo(name), b"x"))

    refused_restore(trained_home, file, "has no place in it")


def test_entries_that_are_not_plain_files_once_are_refused(
    trained_home: Path, tmp_path: Path
) -> None:
    database = (tarfile.TarInfo("unrot.db"), (trained_home / "unrot.db").read_bytes())
    link = packed(tmp_path / "1.tar", (link_to("unrot.db", "/etc/passwd"), b""))
    twice = packed(tmp_path / "2.tar", database, database)
    long = packed(tmp_path / "3.tar", database, (tarfile.TarInfo("secret-key"), b"x" * 5_000))
    blank = packed(tmp_path / "4.tar", database, (tarfile.TarInfo("secret-key"), b" \n"))
    keys_alone = packed(tmp_path / "5.tar", (tarfile.TarInfo("secret-key"), b"a key"))

    refused_restore(trained_home, link, "is not a plain file")
    refused_restore(trained_home, twice, "has no place in it")
    refused_restore(trained_home, long, "too long for a key")
    refused_restore(trained_home, blank, "is not a key")
    refused_restore(trained_home, keys_alone, "there is no unrot.db in it")


def test_database_that_is_not_ours_whole_and_known_is_refused(
    trained_home: Path, tmp_path: Path
) -> None:
    for name in ("a.db", "b.db"):
        shutil.copy(trained_home / "unrot.db", tmp_path / name)
    trigger = "CREATE TRIGGER t AFTER INSERT ON fact BEGIN DELETE FROM model; END"
    data = {
        "newer release": newer(tmp_path / "a.db"),
        "not one of Unrot's": changed(tmp_path / "b.db", trigger),
        "one of Unrot's": changed(tmp_path / "c.db", "CREATE TABLE other (x)"),
        "cannot be read": b"no database",
    }
    damaged = bytearray((trained_home / "unrot.db").read_bytes())
    damaged[8_192:40_000] = b"\x07" * (40_000 - 8_192)

    for said, content in {**data, "damaged|malformed|cannot be read": bytes(damaged)}.items():
        file = packed(tmp_path / "wrong.tar", (tarfile.TarInfo("unrot.db"), content))
        refused_restore(trained_home, file, said)


def refused_restore(home: Path, file: Path, said: str) -> None:
    before = (home / "unrot.db").read_bytes()

    done = run_command(home, "restore", str(file), "--yes")

    assert done.returncode == 1
    assert any(part in done.stderr for part in said.split("|")), done.stderr
    assert "Traceback" not in done.stderr
    assert (home / "unrot.db").read_bytes() == before
    assert not list(home.glob("*before-restore*"))
