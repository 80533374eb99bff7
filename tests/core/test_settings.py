"""Settings: where each comes from, the sentence when it does not parse, and what is never said."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from unrot.core.errors import BadSetting
from unrot.core.settings import SETTINGS, Settings, kept_secret, load, prepare_home
from unrot.run.bootstrap import secret_key

ROOT = Path(__file__).resolve().parents[2]
POSITIVE = "expected a whole number, 1 or more"
PORT = "expected a port, 1 to 65535"
TOKEN = "expected 16 or more ASCII characters without spaces"


def loaded(**environ: str) -> Settings:
    return load(environ, dotenv=None)


def sentence(environ: dict[str, str], dotenv: Path | None = None) -> str:
    with pytest.raises(BadSetting) as refused:
        load(environ, dotenv)
    return refused.value.message


# ── read ─────────────────────────────────────────────────────────────────────────────────────


def test_nothing_set_is_the_defaults() -> None:
    settings = loaded()

    assert settings == Settings()
    assert settings.store_url == "sqlite:///var/unrot.db"


def test_every_setting_is_read_from_its_variable() -> None:
    settings = loaded(
        UNROT_HOME="/srv/unrot",
        UNROT_STORE="sqlite:////data/unrot.db",
        UNROT_SECRET_KEY="a secret of sixteen",
        UNROT_ADMIN_TOKEN="operator-token-1",
        UNROT_VIEWER_TOKEN="viewer-token-001",
        UNROT_JUDGE_TOKENS=" ada : ada-token-0123456 , bob:bob:token-0123456,",
        UNROT_DEFAULT_MODEL="iris",
        UNROT_FEEDBACK_DAYS="7",
        UNROT_MAX_BODY="1024",
        UNROT_JOURNAL_MAX="2048",
        UNROT_ROTATION_SECONDS="60",
        UNROT_PROFILE_DIR="/srv/profiles",
        UNROT_TRUSTED_PROXIES="0",
        UNROT_HOST="0.0.0.0",
        PORT="65535",
        WEB_CONCURRENCY="3",
        UNROT_THREADS="1",
    )

    assert settings == Settings(
        home=Path("/srv/unrot"),
        store="sqlite:////data/unrot.db",
        secret_key="a secret of sixteen",
        admin_token="operator-token-1",
        viewer_token="viewer-token-001",
        judge_tokens={"ada": "ada-token-0123456", "bob": "bob:token-0123456"},
        default_model="iris",
        feedback_days=7,
        max_body=1024,
        journal_max=2048,
        rotation_seconds=60,
        profile_dir=Path("/srv/profiles"),
        trusted_proxies=0,
        host="0.0.0.0",
        port=65535,
        workers=3,
        threads=1,
    )


def test_every_setting_has_a_variable_of_its_own() -> None:
    assert [each.name for each in SETTINGS.values()] == [each.name for each in fields(Settings)]


@pytest.mark.parametrize("empty", ["", "  "])
def test_empty_variable_is_as_if_it_were_unset(empty: str) -> None:
    environ = dict.fromkeys(SETTINGS, empty)

    assert loaded(**environ) == Settings()


def test_spaces_around_a_value_are_no_part_of_it() -> None:
    assert loaded(PORT=" 80\n", UNROT_HOME=" /srv ").port == 80


# ── sentences ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("UNROT_FEEDBACK_DAYS", "abc", POSITIVE),
        ("UNROT_FEEDBACK_DAYS", "1.5", POSITIVE),
        ("UNROT_FEEDBACK_DAYS", "0", POSITIVE),
        ("UNROT_MAX_BODY", "8 MB", POSITIVE),
        ("UNROT_MAX_BODY", "-1", POSITIVE),
        ("UNROT_JOURNAL_MAX", "0", POSITIVE),
        ("UNROT_ROTATION_SECONDS", "5m", POSITIVE),
        ("UNROT_ROTATION_SECONDS", "0", POSITIVE),
        ("UNROT_TRUSTED_PROXIES", "-1", "expected a whole number, 0 or more"),
        ("PORT", "http", PORT),
        ("PORT", "0", PORT),
        ("PORT", "65536", PORT),
        ("WEB_CONCURRENCY", "0", POSITIVE),
        ("UNROT_THREADS", "many", POSITIVE),
    ],
)
def test_number_that_does_not_parse_stops_the_start(
    variable: str, text: str, expected: str
) -> None:
    assert sentence({variable: text}) == f'{variable} is "{text}": {expected}.'


@pytest.mark.parametrize(
    "text", ["hunter2", "hunter2 hunter2 hunter2", "hunter2-hunter2-é", "hunter2-hunter2\x07\x07"]
)
@pytest.mark.parametrize("variable", ["UNROT_ADMIN_TOKEN", "UNROT_VIEWER_TOKEN"])
def test_token_that_does_not_parse_is_not_said(variable: str, text: str) -> None:
    said = sentence({variable: text})

    assert said == f"{variable} does not parse: {TOKEN}."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hunter2-hunter2", "expected name:token pairs with commas between them"),
        (
            "ada:hunter2-hunter2-,hunter2-hunter2",
            "expected name:token pairs with commas between them",
        ),
        (":hunter2-hunter2", "expected name:token pairs with commas between them"),
        ("ada:hunter2", TOKEN),
        ("ada:", TOKEN),
    ],
)
def test_judges_that_do_not_parse_are_not_said(text: str, expected: str) -> None:
    said = sentence({"UNROT_JUDGE_TOKENS": text})

    assert said == f"UNROT_JUDGE_TOKENS does not parse: {expected}."


@pytest.mark.parametrize(
    "environ",
    [
        {"UNROT_ADMIN_TOKEN": "the-very-same-token", "UNROT_VIEWER_TOKEN": "the-very-same-token"},
        {
            "UNROT_ADMIN_TOKEN": "the-very-same-token",
            "UNROT_JUDGE_TOKENS": "ada:the-very-same-token",
        },
        {
            "UNROT_VIEWER_TOKEN": "the-very-same-token",
            "UNROT_JUDGE_TOKENS": "ada:the-very-same-token",
        },
        {"UNROT_JUDGE_TOKENS": "ada:the-very-same-token,bob:the-very-same-token"},
    ],
)
def test_token_given_twice_stops_the_start(environ: dict[str, str]) -> None:
    assert sentence(environ) == (
        "Two of UNROT_ADMIN_TOKEN, UNROT_VIEWER_TOKEN and UNROT_JUDGE_TOKENS are the same: "
        "give each role and each judge a token of its own."
    )


# ── the store ────────────────────────────────────────────────────────────────────────────────


def test_store_defaults_to_sqlite_in_the_home_folder() -> None:
    assert loaded(UNROT_HOME="/srv/unrot").store_url == "sqlite:////srv/unrot/unrot.db"


def test_database_url_is_the_store_when_none_is_named() -> None:
    settings = loaded(DATABASE_URL="sqlite:///other.db")

    assert settings.store_url == "sqlite:///other.db"


def test_named_store_wins_over_database_url() -> None:
    settings = loaded(DATABASE_URL="sqlite:///other.db", UNROT_STORE="sqlite:///mine.db")

    assert settings.store_url == "sqlite:///mine.db"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://unrot:hunter2@db/unrot",
        "postgres://unrot:hunter2@ec2-1-2-3-4.compute-1.amazonaws.com:5432/d4f5?sslmode=require",
        "postgresql://unrot:a%40b%2Fc@[::1]:5432/unrot",
        "postgresql://one:5432,two:5433/unrot?target_session_attrs=read-write",
        "postgresql://unrot@/unrot?host=/var/run/postgresql",
        "postgresql:///unrot",
    ],
)
def test_postgres_is_a_store(url: str) -> None:
    assert loaded(DATABASE_URL=url).store_url == url


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///",
        "sqlite://relative.db",
        "sqlite:x",
        "unrot.db",
        "mysql://db/unrot",
        "postgresql:unrot",
        "postgresql+psycopg2://db/unrot",
    ],
)
def test_store_that_is_no_address_stops_the_start(url: str) -> None:
    scheme = url.split(":")[0]

    assert sentence({"UNROT_STORE": url}) == (
        f'UNROT_STORE (or DATABASE_URL) is an address of "{scheme}" that cannot be read: expected '
        "sqlite:///PATH, postgresql://USER:PASSWORD@HOST:PORT/DATABASE with signs such as @ / # "
        "in the password as %40 %2F %23, datastore://PROJECT/NAMESPACE, or nothing for SQLite in "
        "the home folder."
    )


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://unrot:hunter2@2@db/unrot",
        "postgresql://unrot:hunter2/3@db/unrot",
        "postgresql://unrot:hunter2#3@db/unrot",
        "postgresql://unrot:hunter2?3@db/unrot",
        "postgresql://unrot:hunter2 3@db/unrot",
        "postgresql://unrot:hunter2",
        "mysql://db/unrot?user=unrot&password=hunter2",
    ],
)
def test_password_of_a_store_is_never_said(url: str) -> None:
    said = sentence({"DATABASE_URL": url})

    assert "hunter2" not in said
    assert "expected sqlite:///PATH" in said


def test_store_that_is_no_address_at_all_stops_the_start_with_a_sentence() -> None:
    said = sentence({"UNROT_STORE": "sqlite://[x"})

    assert "expected sqlite:///PATH" in said


# ── older names ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("time", "units", "seconds"),
    [
        ("5", "s", 5),
        ("5", "m", 300),
        ("2", "h", 7_200),
        ("1", "d", 86_400),
        ("5", "M", 300),
        ("5", "minutes", 300),
        (" 5 ", " H ", 18_000),
    ],
)
def test_rotation_time_and_units_are_understood(time: str, units: str, seconds: int) -> None:
    settings = loaded(ROTATION_TIME=time, ROTATION_UNITS=units)

    assert settings.rotation_seconds == seconds


def test_rotation_time_alone_is_in_seconds() -> None:
    assert loaded(ROTATION_TIME="90").rotation_seconds == 90


def test_rotation_seconds_win_over_the_older_names() -> None:
    settings = loaded(UNROT_ROTATION_SECONDS="60", ROTATION_TIME="5", ROTATION_UNITS="fortnights")

    assert settings.rotation_seconds == 60


@pytest.mark.parametrize(
    ("time", "units"),
    [
        ("five", "m"),
        ("-5", "m"),
        ("1.5", "h"),
        ("5", "weeks"),
        ("5", "1"),
        ("5", "ms"),
        ("5", "months"),
        ("²", "m"),
    ],
)
def test_rotation_time_that_does_not_parse_stops_the_start(time: str, units: str) -> None:
    assert sentence({"ROTATION_TIME": time, "ROTATION_UNITS": units}) == (
        f'ROTATION_TIME is "{time}" with ROTATION_UNITS "{units}": '
        "expected a whole number and one of s, m, h, d."
    )


# ── .env ─────────────────────────────────────────────────────────────────────────────────────


def test_dotenv_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("PORT=8001\nexport WEB_CONCURRENCY='5' # five\nUNROT_THREADS=\n")

    settings = load({"PORT": "8002"}, dotenv)

    assert settings == Settings(port=8002, workers=5)


def test_older_names_are_understood_in_dotenv_too(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("DATABASE_URL=sqlite:///other.db\nROTATION_TIME=1\nROTATION_UNITS=h\n")

    settings = load({}, dotenv)

    assert settings == Settings(store="sqlite:///other.db", rotation_seconds=3_600)


def test_dotenv_value_that_does_not_parse_stops_the_start(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("PORT=http\n")

    assert sentence({}, dotenv) == 'PORT is "http": expected a port, 1 to 65535.'


def test_dotenv_that_is_no_text_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_bytes("UNROT_DEFAULT_MODEL=é\n".encode("latin-1"))

    assert ".env" in sentence({}, dotenv)


def test_dotenv_that_is_missing_is_no_trouble(tmp_path: Path) -> None:
    assert load({}, tmp_path / ".env") == Settings()


# ── documented ───────────────────────────────────────────────────────────────────────────────


def test_every_setting_is_documented() -> None:
    assert [each for each in SETTINGS.values() if len(each.help.strip()) < 10] == []


def test_documented_defaults_are_those_that_hold() -> None:
    defaults = {
        each.key: each.row().split(" | ")[-1].removesuffix(" |") for each in SETTINGS.values()
    }

    assert defaults["UNROT_HOME"] == "`var`"
    assert defaults["UNROT_JUDGE_TOKENS"] == defaults["UNROT_PROFILE_DIR"] == "none"
    assert defaults["UNROT_TRUSTED_PROXIES"] == "`0`"
    assert defaults["UNROT_WEBHOOK_PRIVATE"] == "`no`"
    assert SETTINGS["PORT"].row() == "| `PORT` | the port to listen on | `5000` |"


# ── kept secrets ─────────────────────────────────────────────────────────────────────────────


def test_secret_is_made_once_and_is_the_owners_alone(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"

    first, again, other = (kept_secret(home, name) for name in ["key", "key", "other"])

    assert first == again != other
    assert len(first) == 43  # 32 bytes in base64url
    assert {path.name: path.stat().st_mode & 0o777 for path in home.iterdir()} == {
        "key": 0o600,
        "other": 0o600,
    }


def test_full_disk_is_told_in_a_sentence_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(BadSetting, match=r"No space left on device.*: make room"):
        secret_key(Settings(home=tmp_path / "home"))

    assert list((tmp_path / "home").iterdir()) == []


def test_secret_that_the_operator_wrote_is_kept(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("the operator's own\n")

    assert kept_secret(tmp_path, "key") == "the operator's own"


MAKE_SECRET = """
import sys
from pathlib import Path
from unrot.core.settings import kept_secret
sys.stdin.readline()
print(kept_secret(Path(sys.argv[1]), "key"))
"""


def test_secret_is_the_same_for_processes_that_make_it_at_once(tmp_path: Path) -> None:
    makers = [
        subprocess.Popen(
            [sys.executable, "-c", MAKE_SECRET, str(tmp_path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]

    for maker in makers:
        assert maker.stdin is not None
        maker.stdin.write("go\n")
        maker.stdin.flush()
    made = {maker.communicate(timeout=30)[0].strip() for maker in makers}

    assert made == {(tmp_path / "key").read_text()}
    assert [path.name for path in tmp_path.iterdir()] == ["key"]
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_secret_is_made_though_an_earlier_process_of_that_number_died_making_it(
    tmp_path: Path,
) -> None:
    """In a container each start may have the same process number."""
    code = """
import json, os, sys
from pathlib import Path
from unrot.core.settings import kept_secret
home = Path(sys.argv[1])
for name in ("key", "other"):
    (home / f".{name}.{os.getpid()}").write_text("half a sec")
print(json.dumps([kept_secret(home, name) for name in ("key", "other")]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert [len(secret) for secret in json.loads(done.stdout)] == [43, 43]


def test_home_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(BadSetting, match=r"file/home cannot be used \(Not a directory\)"):
        prepare_home(Settings(home=tmp_path / "file" / "home"))


@pytest.mark.parametrize(
    ("given", "log"),
    [({}, "text"), ({"DYNO": "web.1"}, "json"), ({"DYNO": "web.1", "UNROT_LOG": "text"}, "text")],
)
def test_log_is_json_on_a_dyno_unless_it_says_otherwise(given: dict[str, str], log: str) -> None:
    assert load({**given, "UNROT_ALLOW_EPHEMERAL": "1"}, None).log == log
