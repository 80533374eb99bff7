"""Every setting of the product, once: its name, default, parser and a line of documentation.

`docs/operations.md` lists what stands here and a test compares the two. `.env` is read first
and the environment wins; a value that does not parse stops the start with a sentence.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values

from unrot.core import webhooks
from unrot.core.errors import BadSetting
from unrot.core.time import DAY, HOUR


def _text(value: str) -> str:
    return value


def _path(value: str) -> Path:
    return Path(value)


def _whole(value: str) -> int:
    number = int(value)
    if number < 0:
        raise ValueError("a whole number, 0 or more")
    return number


def _positive(value: str) -> int:
    number = int(value)
    if number < 1:
        raise ValueError("a whole number, 1 or more")
    return number


def _port(value: str) -> int:
    number = int(value)
    if not 0 < number < 65536:
        raise ValueError("a port, 1 to 65535")
    return number


def _token(value: str) -> str:
    if len(value) < 8 or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("8 or more ASCII characters without spaces")
    return value


def _judges(value: str) -> dict[str, str]:
    judges: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in value.split(","))):
        name, colon, token = pair.partition(":")
        if not colon or not name.strip():
            raise ValueError("name:token pairs with commas between them")
        if name.strip() in judges:
            raise ValueError("each judge's name once")
        judges[name.strip()] = _token(token.strip())
    return judges


def _webhook(value: str) -> str:
    webhooks.read(value)
    return value


def _yes(value: str) -> bool:
    said = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if value.lower() not in said:
        raise ValueError("yes or no")
    return said[value.lower()]


def _address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("an address such as https://unrot.example.org")
    return value.rstrip("/")


def _types(value: str) -> frozenset[str]:
    names = frozenset(filter(None, (part.strip() for part in value.split(","))))
    if not all(_is_dotted(name) for name in names):
        raise ValueError("names such as package.module.Class with commas between")
    return names


def _is_dotted(name: str) -> bool:
    parts = name.split(".")
    return len(parts) > 1 and all(part.isidentifier() for part in parts)


def setting(default: Any, parse: Callable[[str], Any], doc: str, variable: str) -> Any:
    """Declare one setting of the table below."""
    made = {"default_factory": default} if callable(default) else {"default": default}
    return field(**made, metadata={"parse": parse, "doc": doc, "variable": variable})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator may decide."""

    home: Path = setting(
        lambda: Path("var"),
        _path,
        "the home folder: journal, shelf, SQLite file, keys",
        "UNROT_HOME",
    )
    store: str = setting(
        "",
        _text,
        "where everything is kept: `sqlite:///PATH`; unset, `DATABASE_URL`, else SQLite in the "
        "home folder",
        "UNROT_STORE",
    )
    secret_key: str = setting(
        "",
        _text,
        "signs prediction ids and sessions; unset, one is made once in the home folder",
        "UNROT_SECRET_KEY",
    )
    admin_token: str = setting(
        "",
        _token,
        "the operator's token; unset, the one that `make run` made in the home folder",
        "UNROT_ADMIN_TOKEN",
    )
    viewer_token: str = setting(
        "", _token, "the token of people who may look", "UNROT_VIEWER_TOKEN"
    )
    judge_tokens: Mapping[str, str] = setting(
        dict,
        _judges,
        "people whose verdicts are trusted: `name:token,name:token`",
        "UNROT_JUDGE_TOKENS",
    )
    trusted_types: frozenset[str] = setting(
        frozenset,
        _types,
        "types of your own that a model's file may hold: `package.module.Class` with commas "
        "between",
        "UNROT_TRUSTED_TYPES",
    )
    default_model: str = setting(
        "",
        _text,
        "the model behind `POST /api/v1/predict`; unset, the first trained",
        "UNROT_DEFAULT_MODEL",
    )
    feedback_days: int = setting(
        30, _positive, "how many days a prediction can be judged", "UNROT_FEEDBACK_DAYS"
    )
    keep_versions: int = setting(
        50, _positive, "how many versions of a model keep their files", "UNROT_KEEP_VERSIONS"
    )
    keep_days: int = setting(
        30, _positive, "how many days a prediction is kept that nobody judged", "UNROT_KEEP_DAYS"
    )
    keep_rows: int = setting(
        1_000_000,
        _positive,
        "how many of a model's newest predictions are kept; judged ones beyond that stay",
        "UNROT_KEEP_ROWS",
    )
    keep_judged_days: int = setting(
        400,
        _positive,
        "how many days judged predictions, their verdicts, profiles and drift checks are kept",
        "UNROT_KEEP_JUDGED_DAYS",
    )
    minutes_days: int = setting(
        2,
        _positive,
        "after how many days totals by minute and short profiles are added up to hours",
        "UNROT_MINUTES_DAYS",
    )
    hours_days: int = setting(
        60,
        _positive,
        "after how many days totals by hour are added up to days, profiles after half as many",
        "UNROT_HOURS_DAYS",
    )
    max_body: int = setting(
        8 * 2**20, _positive, "the largest request body, in bytes", "UNROT_MAX_BODY"
    )
    max_upload: int = setting(
        100 * 2**20, _positive, "the largest file that is uploaded, in bytes", "UNROT_MAX_UPLOAD"
    )
    journal_max: int = setting(
        256 * 2**20,
        _positive,
        "the largest journal, in bytes; beyond it predictions are answered and not kept",
        "UNROT_JOURNAL_MAX",
    )
    rotation_seconds: int = setting(
        300, _positive, "the length of a whylogs profile", "UNROT_ROTATION_SECONDS"
    )
    profile_dir: Path | None = setting(
        None, _path, "where profiles are also written as `.bin` files", "UNROT_PROFILE_DIR"
    )
    webhook: str = setting(
        "",
        _webhook,
        "where findings are sent: `https://…`; Slack's addresses get Slack's shape, as does any "
        "that begins with `slack+https://`",
        "UNROT_WEBHOOK",
    )
    webhook_private: bool = setting(
        False,
        _yes,
        "`yes`: findings may also be sent to private addresses",
        "UNROT_WEBHOOK_PRIVATE",
    )
    url: str = setting(
        "",
        _address,
        "how people reach the app, for the links in what is sent: `https://…`",
        "UNROT_URL",
    )
    trusted_proxies: int = setting(
        0, _whole, "how many proxies stand before the app", "UNROT_TRUSTED_PROXIES"
    )
    host: str = setting("127.0.0.1", _text, "the address to listen on", "UNROT_HOST")
    port: int = setting(5000, _port, "the port to listen on", "PORT")
    workers: int = setting(2, _positive, "how many web workers", "WEB_CONCURRENCY")
    threads: int = setting(8, _positive, "how many threads a web worker has", "UNROT_THREADS")

    @property
    def store_url(self) -> str:
        """The store's address, the default spelt out."""
        return self.store or f"sqlite:///{self.home / 'unrot.db'}"


@dataclass(frozen=True, slots=True)
class Documented:
    """One row of the settings table."""

    variable: str
    default: str
    doc: str


def documented() -> list[Documented]:
    """List every setting with its variable, its default and its line of documentation."""
    plain = Settings()
    return [
        Documented(entry.metadata["variable"], _spelt(getattr(plain, entry.name)), doc)
        for entry in fields(Settings)
        if (doc := entry.metadata["doc"])
    ]


def load(environ: Mapping[str, str] | None = None, dotenv: Path | None = Path(".env")) -> Settings:
    """Read `.env` and the environment; raise BadSetting with a sentence for what does not parse."""
    given: dict[str, str] = {}
    if dotenv is not None and dotenv.is_file():
        given = _read_dotenv(dotenv)
    given.update(os.environ if environ is None else environ)
    _understand_older_names(given)
    values = {
        entry.name: _parsed(entry.metadata["variable"], text, entry.metadata["parse"])
        for entry in fields(Settings)
        if (text := given.get(entry.metadata["variable"], "").strip())
    }
    settings = Settings(**values)
    _check_store(settings.store_url)
    _check_tokens(settings)
    return settings


def prepare_home(settings: Settings) -> None:
    """Make the home folder; raise BadSetting when it cannot be made or written."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(settings.home, os.W_OK) else "it is not writable"
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        raise BadSetting(
            f"The home folder {settings.home} cannot be used ({reason}): set UNROT_HOME to a "
            "folder that this user can write."
        )


def _read_dotenv(path: Path) -> dict[str, str]:
    try:
        return {name: value for name, value in dotenv_values(path).items() if value}
    except UnicodeDecodeError as error:
        raise BadSetting(f"{path} is not UTF-8 text: write it anew.") from error


def kept_secret(home: Path, name: str) -> str:
    """Return the secret that is kept in a file of the home folder, made when it is missing."""
    path = home / name
    home.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = home / f".{name}.{secrets.token_hex(8)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


_UNITS = {
    word: seconds
    for words, seconds in (
        (("s", "second", "seconds"), 1),
        (("m", "min", "minute", "minutes"), 60),
        (("h", "hour", "hours"), HOUR),
        (("d", "day", "days"), DAY),
    )
    for word in words
}


def _understand_older_names(given: dict[str, str]) -> None:
    if not given.get("UNROT_STORE") and given.get("DATABASE_URL"):
        given["UNROT_STORE"] = given["DATABASE_URL"]
    if given.get("UNROT_ROTATION_SECONDS") or not given.get("ROTATION_TIME"):
        return
    time, unit = given["ROTATION_TIME"].strip(), given.get("ROTATION_UNITS", "s").strip().lower()
    if not (time.isascii() and time.isdigit()) or unit not in _UNITS:
        raise BadSetting(
            f'ROTATION_TIME is "{time}" with ROTATION_UNITS "{given.get("ROTATION_UNITS", "")}": '
            "expected a whole number and one of s, m, h, d."
        )
    given["UNROT_ROTATION_SECONDS"] = str(int(time) * _UNITS[unit])


def _parsed(variable: str, text: str, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(text)
    except ValueError as error:
        secret = any(word in variable for word in ("TOKEN", "SECRET", "WEBHOOK"))
        said = "does not parse" if secret else f'is "{text[:80]}"'
        raise BadSetting(f"{variable} {said}: {_expected(error)}.") from error


def _expected(error: ValueError) -> str:
    said = str(error)
    return "expected a whole number" if "invalid literal" in said else f"expected {said}"


def _check_store(url: str) -> None:
    if url.startswith("sqlite:///") and len(url) > len("sqlite:///"):
        return
    scheme = url.partition(":")[0][:20]
    raise BadSetting(
        f'UNROT_STORE (or DATABASE_URL) is an address of "{scheme}": this version keeps its data '
        "in SQLite; expected sqlite:///PATH, or nothing for the home folder."
    )


def _check_tokens(settings: Settings) -> None:
    tokens = [settings.admin_token, settings.viewer_token, *settings.judge_tokens.values()]
    given = [token for token in tokens if token]
    if len(set(given)) < len(given):
        raise BadSetting(
            "Two of UNROT_ADMIN_TOKEN, UNROT_VIEWER_TOKEN and UNROT_JUDGE_TOKENS are the same: "
            "give each role and each judge a token of its own."
        )


def _spelt(value: Any) -> str:
    if value in ("", None) or value == {} or value == frozenset():
        return "none"
    if isinstance(value, bool):
        return "`yes`" if value else "`no`"
    return f"`{value}`"
