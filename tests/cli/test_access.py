"""`token` and `audit-log`: a token is shown once, the log names the first entry that is broken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import run_command
from unrot.run.cabinet import Cabinet
from unrot.serve.service import Service
from unrot.serve.tokens import OURS, digest_of
from unrot.store.kinds import ACTION, TOKEN
from unrot.store.operations import Put


@pytest.fixture
def home(service: Service) -> Path:
    return service.settings.home


@pytest.fixture
def kept(service: Service) -> Cabinet:
    assert isinstance(service.store, Cabinet)
    return service.store


def test_token_is_printed_once_and_only_its_digest_is_kept(home: Path, kept: Cabinet) -> None:
    done = run_command(home, "token", "add", "Ada Byron", "--role", "judge", "--days", "90")

    assert done.returncode == 0, done.stderr
    secret = done.stdout.strip()
    assert OURS.fullmatch(secret)
    assert re.search(r"token of Ada Byron \(judge\), good until \d{4}-\d\d-\d\d", done.stderr)
    document = kept.database.get(TOKEN, "Ada Byron")
    assert document is not None
    assert document["digest"] == digest_of(secret)
    assert secret not in str(document)
    assert document["expires at"] - document["made at"] == 90 * 86_400
    assert all(secret.encode() not in file.read_bytes() for file in home.glob("unrot.db*"))


def test_tokens_are_listed_and_revoked(home: Path) -> None:
    run_command(home, "token", "add", "ada", "--role", "operator")

    before = run_command(home, "token", "list").stdout.splitlines()
    revoked = run_command(home, "token", "revoke", "ada")
    after = run_command(home, "token", "list").stdout.splitlines()
    unknown = run_command(home, "token", "revoke", "bob")

    assert before[0].split() == ["name", "role", "state", "made", "by", "last", "used"]
    assert re.fullmatch(r"ada   operator  without end  \S+ \S+ UTC  command line  -", before[1])
    assert revoked.stdout.startswith("The token of ada is revoked: every worker refuses it within")
    assert " revoked 20" in after[1]
    assert (unknown.returncode, unknown.stderr) == (
        1,
        'Nobody has a token under the name "bob".\n',
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["=1+1", "--role", "judge"], 'name "=1+1": expected a name of 1 to 40 letters'),
        (["operator", "--role", "judge"], "operator is somebody else's name here"),
        (["ada", "--role", "judge", "--days", "0"], "days 0: expected a whole number of days"),
    ],
)
def test_token_that_cannot_be_is_refused(home: Path, arguments: list[str], said: str) -> None:
    done = run_command(home, "token", "add", *arguments)

    assert done.returncode == 1
    assert done.stderr.startswith(said)


def test_name_has_one_good_token(home: Path) -> None:
    first = run_command(home, "token", "add", "ada", "--role", "judge")
    again = run_command(home, "token", "add", "ada", "--role", "judge")
    run_command(home, "token", "revoke", "ada")
    anew = run_command(home, "token", "add", "ada", "--role", "viewer")

    assert [done.returncode for done in (first, again, anew)] == [0, 1, 0]
    assert again.stderr.startswith("ada has a token: revoke it first, or take another name.")


def test_commands_stand_in_the_log_and_reading_does_not(home: Path, kept: Cabinet) -> None:
    run_command(home, "policy", "iris", "--set", "promote=auto")
    run_command(home, "pin", "iris", "v1")
    run_command(home, "pin", "iris", "v1", "--off")
    run_command(home, "token", "add", "ada", "--role", "judge")
    run_command(home, "versions", "iris")
    run_command(home, "policy", "iris")

    done = run_command(home, "audit-log", "--last", "4")

    entries = list(kept.audit_log.all())
    found = [(one.who, one.what, one.model, one.moved_to) for one in entries]
    assert found[:3] == [
        ("command line", "train", "iris", None),
        ("command line", "make version", "iris", None),
        ("command line", "promote", "iris", "v1"),
    ]
    assert found[-4:] == [
        ("command line", "policy", "iris", None),
        ("command line", "pin", "iris", None),
        ("command line", "unpin", "iris", None),
        ("command line", "add token", "", None),
    ]
    assert [one.on for one in entries[-4:]] == ["", "v1", "v1", "ada"]
    assert kept.audit_log.newest(1)[0].on == "ada"
    head, first, second, _, third = done.stdout.splitlines()
    assert head.split() == "number when who what model on versions from where".split()  # noqa: SIM905
    assert first.split()[4:7] == ["command", "line", "policy"]
    assert second.split()[4:7] == ["command", "line", "pin"]
    assert third.split()[4:8] == ["command", "line", "add", "token"]


def test_log_that_an_older_store_took_the_place_of_is_broken_until_that_is_accepted(
    home: Path, kept: Cabinet, tmp_path: Path
) -> None:
    """A copy that was put back by hand; our own restore needs no word more."""
    run_command(home, "backup", tmp_path / "early.tar")
    older = tmp_path / "older"
    run_command(older, "restore", tmp_path / "early.tar", "--yes")
    run_command(home, "token", "add", "ada", "--role", "judge")
    run_command(home, "token", "add", "bob", "--role", "judge")
    kept.close()
    for name in ("unrot.db-wal", "unrot.db-shm"):
        (home / name).unlink(missing_ok=True)
    (home / "unrot.db").write_bytes((older / "unrot.db").read_bytes())

    broken = run_command(home, "audit-log", "--verify")
    accepted = run_command(home, "audit-log", "--accept")
    whole = run_command(home, "audit-log", "--verify")
    run_command(home, "token", "add", "eve", "--role", "judge")
    restored = run_command(home, "restore", tmp_path / "early.tar", "--yes")
    again = run_command(home, "audit-log", "--verify")

    assert (broken.returncode, accepted.returncode, whole.returncode) == (1, 0, 0), broken
    assert "python -m unrot audit-log --accept" in broken.stderr
    assert accepted.stdout == whole.stdout
    assert restored.returncode == 0, restored.stderr
    assert again.stdout.startswith("The audit log is whole: "), again.stderr


def test_log_is_verified_and_the_first_broken_entry_is_named(home: Path, kept: Cabinet) -> None:
    whole = run_command(home, "audit-log", "--verify")
    entries = list(kept.audit_log.all())
    second = kept.database.get(ACTION, f"{2:012d}")
    assert second is not None
    line = second["line"].replace("command line", "somebody else")
    kept.database.commit([Put(ACTION, second.key, {**second.fields, "line": line})])
    broken = run_command(home, "audit-log", "--verify")

    assert (whole.returncode, whole.stdout) == (
        0,
        f"The audit log is whole: {len(entries)} entries; the last has the digest "
        f"{entries[-1].digest}.\n",
    )
    assert (broken.returncode, broken.stdout, broken.stderr) == (
        1,
        "",
        "Entry 2 is broken: it was changed after it was written.\n",
    )
