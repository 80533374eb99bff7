"""Every setting of the product, once: its variable, kind, default and a line of documentation.

`docs/operations.md` lists what stands here and a test compares the two. `.env` is read first
and the environment wins; a value that does not parse stops the start with a sentence.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values

from unrot.core import mailboxes, platforms, webhooks
from unrot.core.errors import BadSetting
from unrot.core.options import Kind, Option, choice, option, options_of, parsed, whole
from unrot.core.time import DAY, HOUR

SHORTEST_SECRET = 16
"""Shorter ones can be guessed."""

EVENT_TYPES = ("prediction", "verdict", "finding", "promotion", "job")
"""What can be told to others as events."""


def _token(value: str) -> str:
    is_short = len(value) < SHORTEST_SECRET
    if is_short or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError(f"{SHORTEST_SECRET} or more ASCII characters without spaces")
    return value


def _key(value: str) -> str:
    if len(value) < SHORTEST_SECRET:
        raise ValueError(f"{SHORTEST_SECRET} or more characters")
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


def _sink(value: str) -> str:
    if webhooks.read(value).is_slack:
        raise ValueError("an address that takes CloudEvents, such as https://example.org/events")
    return value


def _event_types(value: str) -> tuple[str, ...]:
    names = tuple(filter(None, (part.strip() for part in value.split(","))))
    if not names or not set(names) <= set(EVENT_TYPES):
        raise ValueError(f"some of {', '.join(EVENT_TYPES)}, with commas between")
    return names


def _smtp(value: str) -> str:
    mailboxes.read_server(value)
    return value


def _mail_from(value: str) -> str:
    if not mailboxes.is_address(value):
        raise ValueError("an address such as unrot@example.org")
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


def _hosts(value: str) -> tuple[str, ...]:
    names = tuple(filter(None, (part.strip().lower() for part in value.split(","))))
    if not all(re.fullmatch(r"\.?[a-z0-9_.-]+|\[[0-9a-f:.]+\]", name) for name in names):
        raise ValueError("names such as unrot.example.org, without ports, with commas between")
    return names


def _route(value: str) -> str:
    if not re.fullmatch(r"(/[A-Za-z0-9_.:~-]+)+", value):
        raise ValueError("the path of an address, such as /predict")
    return value


def _origins(value: str) -> tuple[str, ...]:
    origins = tuple(filter(None, (part.strip().lower() for part in value.split(","))))
    if not all(re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?", one) for one in origins):
        raise ValueError("origins such as https://shop.example.org, with commas between")
    return origins


def _is_dotted(name: str) -> bool:
    parts = name.split(".")
    return len(parts) > 1 and all(part.isidentifier() for part in parts)


TEXT, PATH, STORE = parsed(str), parsed(Path), parsed(str, is_secret=True)
KEY = parsed(_key, is_secret=True)
TOKEN, JUDGES = parsed(_token, is_secret=True), parsed(_judges, is_secret=True)
WEBHOOK = parsed(_webhook, is_secret=True)
SINK, SOME_EVENTS = parsed(_sink, is_secret=True), replace(parsed(_event_types), write=",".join)
EVENT_MODE = choice(structured="structured", binary="binary", batch="batch")
SMTP, MAIL_FROM = parsed(_smtp, is_secret=True), parsed(_mail_from)
TYPES, ADDRESS, ROUTE = parsed(_types), parsed(_address), parsed(_route)
SERVER = choice(granian="granian", gthread="gthread")
PROFILER = choice(unrot="unrot", whylogs="whylogs")
LOG = choice(text="text", json="json")
HOSTS = replace(parsed(_hosts), write=",".join)
ORIGINS = replace(parsed(_origins), write=",".join)
NATURAL, POSITIVE, PORT = whole(0), whole(1), whole(1, 65535, said="a port, 1 to 65535")
GRPC_PORT = whole(0, 65535, said="a port, 1 to 65535, or 0 for none")
YES = replace(parsed(_yes), write=lambda value: "yes" if value else "no")


def setting(variable: str, kind: Kind, default: Any, help: str) -> Any:
    """Declare one setting of the table below: a field that a variable sets."""
    return option(kind, default, help=help, key=variable)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator may decide."""

    home: Path = setting(
        "UNROT_HOME",
        PATH,
        lambda: Path("var"),
        "the home folder: journal, shelf, SQLite file, keys",
    )
    store: str = setting(
        "UNROT_STORE",
        STORE,
        "",
        "where everything is kept: `sqlite:///PATH`, `postgresql://…` or "
        "`datastore://PROJECT/NAMESPACE`; unset, `DATABASE_URL`, "
        "else SQLite in the home folder",
    )
    allow_ephemeral: bool = setting(
        "UNROT_ALLOW_EPHEMERAL",
        YES,
        False,
        "`1`: SQLite, and a key made at the start, are taken where the disk is thrown away "
        "(Heroku, Cloud Run); all is lost at each start",
    )
    store_poll_seconds: int = setting(
        "UNROT_STORE_POLL_SECONDS",
        POSITIVE,
        1,
        "how often each machine asks the store whether another has changed something, unless the "
        "store tells; a promotion is served by all within that and a second",
    )
    secret_key: str = setting(
        "UNROT_SECRET_KEY",
        KEY,
        "",
        "signs prediction ids, versions and sessions; unset, one is made once in the home folder; "
        "the same on all machines that share a store",
    )
    admin_token: str = setting(
        "UNROT_ADMIN_TOKEN",
        TOKEN,
        "",
        "the operator's token; unset, the one that `make run` made in the home folder",
    )
    viewer_token: str = setting("UNROT_VIEWER_TOKEN", TOKEN, "", "the token of people who may look")
    judge_tokens: Mapping[str, str] = setting(
        "UNROT_JUDGE_TOKENS",
        JUDGES,
        dict,
        "people whose verdicts are trusted: `name:token,name:token`",
    )
    trusted_types: frozenset[str] = setting(
        "UNROT_TRUSTED_TYPES",
        TYPES,
        frozenset,
        "types of your own that a model's file may hold: `package.module.Class` with commas "
        "between",
    )
    default_model: str = setting(
        "UNROT_DEFAULT_MODEL",
        TEXT,
        "",
        "the model behind `POST /api/v1/predict`; unset, the first trained",
    )
    feedback_days: int = setting(
        "UNROT_FEEDBACK_DAYS", POSITIVE, 30, "how many days a prediction can be judged"
    )
    keep_versions: int = setting(
        "UNROT_KEEP_VERSIONS", POSITIVE, 50, "how many versions of a model keep their files"
    )
    keep_days: int = setting(
        "UNROT_KEEP_DAYS", POSITIVE, 30, "how many days a prediction is kept that nobody judged"
    )
    keep_rows: int = setting(
        "UNROT_KEEP_ROWS",
        POSITIVE,
        1_000_000,
        "how many of a model's newest predictions are kept; judged ones beyond that stay",
    )
    keep_judged_days: int = setting(
        "UNROT_KEEP_JUDGED_DAYS",
        POSITIVE,
        400,
        "how many days judged predictions, their verdicts, profiles and drift checks are kept",
    )
    minutes_days: int = setting(
        "UNROT_MINUTES_DAYS",
        POSITIVE,
        2,
        "after how many days totals by minute and short profiles are added up to hours",
    )
    hours_days: int = setting(
        "UNROT_HOURS_DAYS",
        POSITIVE,
        60,
        "after how many days totals by hour are added up to days, profiles after half as many",
    )
    max_body: int = setting(
        "UNROT_MAX_BODY", POSITIVE, 8 * 2**20, "the largest request body, in bytes"
    )
    max_upload: int = setting(
        "UNROT_MAX_UPLOAD", POSITIVE, 100 * 2**20, "the largest file that is uploaded, in bytes"
    )
    most_verdicts: int = setting(
        "UNROT_MOST_VERDICTS",
        POSITIVE,
        60_000,
        "how many verdicts one visitor without a token may give in a minute",
    )
    daily_bytes: int = setting(
        "UNROT_DAILY_BYTES",
        NATURAL,
        2**30,
        "how much one visitor without a token may add in a day, in bytes: predictions, verdicts, "
        "files; `0`: as much as comes",
    )
    daily_bytes_of_token: int = setting(
        "UNROT_DAILY_BYTES_OF_TOKEN",
        NATURAL,
        0,
        "how much may be added with one token in a day, in bytes; `0`: as much as comes",
    )
    journal_max: int = setting(
        "UNROT_JOURNAL_MAX",
        POSITIVE,
        256 * 2**20,
        "the largest journal, in bytes; beyond it predictions are answered and not kept",
    )
    rotation_seconds: int = setting(
        "UNROT_ROTATION_SECONDS", POSITIVE, 300, "the length of a whylogs profile"
    )
    profiler: str = setting(
        "UNROT_PROFILER",
        PROFILER,
        "unrot",
        "who writes whylogs profiles: `unrot`, several times sooner, or `whylogs`, the library, "
        "which also estimates how many different values there were (Python 3.11 and 3.12)",
    )
    profile_dir: Path | None = setting(
        "UNROT_PROFILE_DIR", PATH, None, "where profiles are also written as `.bin` files"
    )
    webhook: str = setting(
        "UNROT_WEBHOOK",
        WEBHOOK,
        "",
        "where findings are sent: `https://…`; Slack's addresses get Slack's shape, as does any "
        "that begins with `slack+https://`",
    )
    webhook_private: bool = setting(
        "UNROT_WEBHOOK_PRIVATE",
        YES,
        False,
        "`yes`: findings and events may also go to private addresses",
    )
    events_url: str = setting(
        "UNROT_EVENTS_URL",
        SINK,
        "",
        "where predictions, verdicts, findings, promotions and jobs are sent as CloudEvents: "
        "`https://…`",
    )
    events_mode: str = setting(
        "UNROT_EVENTS_MODE",
        EVENT_MODE,
        "structured",
        "how: `structured` or `binary`, a request for each, or `batch`, up to 100 in one",
    )
    events_types: tuple[str, ...] = setting(
        "UNROT_EVENTS_TYPES",
        SOME_EVENTS,
        EVENT_TYPES,
        "which of `prediction`, `verdict`, `finding`, `promotion` and `job` are sent, with commas "
        "between",
    )
    events_private: bool = setting(
        "UNROT_EVENTS_PRIVATE",
        YES,
        False,
        "`yes`: events have the values of private features as well",
    )
    events_tries: int = setting(
        "UNROT_EVENTS_TRIES",
        POSITIVE,
        10,
        "how often an event is sent until it is given up and put among the dead letters",
    )
    events_backlog: int = setting(
        "UNROT_EVENTS_BACKLOG",
        POSITIVE,
        64 * 2**20,
        "how much may wait to be sent, in bytes; beyond it the oldest become dead letters",
    )
    smtp: str = setting(
        "UNROT_SMTP_URL",
        SMTP,
        "",
        "the server that takes mail about findings: `smtp://user:password@host:587` (with "
        "STARTTLS) or `smtps://…`; to whom is among the rules of a model",
    )
    mail_from: str = setting("UNROT_MAIL_FROM", MAIL_FROM, "", "the address that mail is from")
    url: str = setting(
        "UNROT_URL",
        ADDRESS,
        "",
        "how people reach the app, for the links in what is sent: `https://…`",
    )
    trusted_proxies: int = setting(
        "UNROT_TRUSTED_PROXIES",
        whole(0),
        0,
        "how many proxies stand before the app; 1 where a platform that always has one is "
        "recognised (Heroku, Render, Railway, Fly, Cloud Run, Spaces)",
    )
    forwarded_host: bool = setting(
        "UNROT_FORWARDED_HOST",
        YES,
        False,
        "`yes`: the name that was asked for is what those proxies write into `X-Forwarded-Host`, "
        "each of them; many hand on what a client writes there (Heroku's router does)",
    )
    https: bool = setting(
        "UNROT_HTTPS",
        YES,
        False,
        "`yes`: who comes by plain HTTP is sent to HTTPS; so it is on Heroku unless it says `no`",
    )
    hosts: tuple[str, ...] = setting(
        "UNROT_HOSTS",
        HOSTS,
        tuple,
        "the names that the app answers to, with commas between, `.example.org` with all below "
        "it; unset, any",
    )
    cors_origins: tuple[str, ...] = setting(
        "UNROT_CORS_ORIGINS",
        ORIGINS,
        (),
        "the sites whose pages may predict and judge here by script, with commas between: "
        "`https://shop.example.org`; unset, none",
    )
    frame_origins: tuple[str, ...] = setting(
        "UNROT_FRAME_ORIGINS",
        ORIGINS,
        (),
        "the sites whose pages may show a model's form in a frame (`/models/<model>/embed`); "
        "unset, none",
    )
    most_connections: int = setting(
        "UNROT_MOST_CONNECTIONS",
        NATURAL,
        256,
        "how many connections one visitor may hold at once with each web worker, where no proxy "
        "stands before the app; those in use are closed beyond 1,000 alone; `0`: any number",
    )
    host: str = setting(
        "UNROT_HOST", TEXT, "127.0.0.1", "the address to listen on; `0.0.0.0` on those platforms"
    )
    port: int = setting("PORT", PORT, 5000, "the port to listen on")
    health_route: str = setting(
        "AIP_HEALTH_ROUTE",
        ROUTE,
        "",
        "one more address for health, which Vertex AI sets in a container",
    )
    predict_route: str = setting(
        "AIP_PREDICT_ROUTE",
        ROUTE,
        "",
        "one more address for predictions by the default model, which Vertex AI sets as well",
    )
    grpc_port: int = setting(
        "UNROT_GRPC_PORT",
        GRPC_PORT,
        0,
        "the port of the Open Inference Protocol over gRPC; 0, none. It wants `pip install "
        "'unrot[grpc]'`",
    )
    workers: int = setting("WEB_CONCURRENCY", POSITIVE, 2, "how many web workers")
    threads: int = setting("UNROT_THREADS", POSITIVE, 8, "how many threads a web worker has")
    server: str = setting(
        "UNROT_SERVER",
        SERVER,
        "granian",
        "who speaks HTTP: `granian`, or `gthread`, which is slower and gunicorn's own",
    )
    log: str = setting(
        "UNROT_LOG",
        LOG,
        "text",
        "how the log is written: `text`, or `json`, one object a line, which is taken on Heroku "
        "unless it says `text`; at a terminal it is always text",
    )

    @property
    def can_mail(self) -> bool:
        """True when mail can be sent."""
        return bool(self.smtp and self.mail_from)

    @property
    def store_url(self) -> str:
        """The store's address, the default spelt out."""
        return self.store or f"sqlite:///{self.home / 'unrot.db'}"


SETTINGS = options_of(Settings)


def load(environ: Mapping[str, str] | None = None, dotenv: Path | None = Path(".env")) -> Settings:
    """Read `.env` and the environment; raise BadSetting with a sentence for what does not parse."""
    given: dict[str, str] = {}
    if dotenv is not None and dotenv.is_file():
        given = _read_dotenv(dotenv)
    given.update(os.environ if environ is None else environ)
    platforms.fill_in(given)
    _understand_older_names(given)
    values = {
        each.name: _parsed(each, text)
        for variable, each in SETTINGS.items()
        if (text := given.get(variable, "").strip())
    }
    settings = Settings(**values)
    check_store_address(settings.store_url, "UNROT_STORE (or DATABASE_URL)")
    _check_tokens(settings)
    _check_disk(settings, platforms.find_platform(given))
    return settings


def prepare_home(settings: Settings) -> None:
    """Make the home folder, for nobody else to read; raise BadSetting when it cannot be.

    What this process makes from now on is for its own user alone, wherever it stands.
    """
    os.umask(0o077)
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        with suppress(PermissionError):
            settings.home.chmod(0o700)  # Where it is somebody else's, it is for them to say.
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
        try:
            made = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(made, "w") as file:
                file.write(secrets.token_urlsafe(32))
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink(missing_ok=True)
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


def _parsed(setting: Option, text: str) -> Any:
    kind = setting.kind
    try:
        return kind.read(kind.from_text(text))
    except ValueError as error:
        said = "does not parse" if kind.is_secret else f'is "{text[:80]}"'
        expected = str(error) or kind.expected
        raise BadSetting(f"{setting.key} {said}: expected {expected}.") from error


_USER = r"(?:[^@/?#\s]+@)?"
_HOST = r"(?:\[[\da-fA-F:.]+\]|[^@:/?#\[\],\s]*)(?::\d+)?"
_STORES = (
    r"sqlite:///.+",
    rf"postgres(?:ql)?://{_USER}{_HOST}(?:,{_HOST})*(?:/[^@/?#\s]*)?(?:\?[^@#\s]*)?",
    r"datastore://[^/\s]+(?:/[^/\s]+)?/?",
)


def check_store_address(url: str, given_as: str) -> None:
    """Refuse what is no address: a library would quote it in its errors, the password with it."""
    if any(re.fullmatch(form, url) for form in _STORES):
        return
    scheme = url.partition(":")[0][:20]
    raise BadSetting(
        f'{given_as} is an address of "{scheme}" that cannot be read: expected '
        "sqlite:///PATH, postgresql://USER:PASSWORD@HOST:PORT/DATABASE with signs such as @ / # in "
        "the password as %40 %2F %23, datastore://PROJECT/NAMESPACE, or nothing for SQLite in the "
        "home folder."
    )


def shown_store_address(url: str) -> str:
    """Write the address of a store without user, password and what stands behind `?`.

    >>> shown_store_address("postgresql://ada:secret@db.example:5432/unrot?password=secret")
    'postgresql://db.example:5432/unrot'
    """
    return re.sub(r"(?<=://)[^@/?#]*@", "", url.partition("?")[0])


def _check_tokens(settings: Settings) -> None:
    tokens = [settings.admin_token, settings.viewer_token, *settings.judge_tokens.values()]
    given = [token for token in tokens if token]
    if len(set(given)) < len(given):
        raise BadSetting(
            "Two of UNROT_ADMIN_TOKEN, UNROT_VIEWER_TOKEN and UNROT_JUDGE_TOKENS are the same: "
            "give each role and each judge a token of its own."
        )


def _check_disk(settings: Settings, platform: platforms.Platform | None) -> None:
    """Refuse to keep on a disk that is thrown away what has to last."""
    if platform is None or platform.keeps_disk or settings.allow_ephemeral:
        return
    if settings.store_url.startswith("sqlite:"):
        raise BadSetting(
            f"{platform.name} throws the disk away at each start, and all that SQLite has with it: "
            "set DATABASE_URL or UNROT_STORE to a Postgres or Google Datastore, or "
            "UNROT_ALLOW_EPHEMERAL=1 to lose everything each time."
        )
    if not settings.secret_key:
        raise BadSetting(
            f"{platform.name} throws the disk away at each start, and the key that signs "
            "prediction ids with it, so that nobody could judge older predictions: set "
            "UNROT_SECRET_KEY to 16 or more random characters (openssl rand -hex 32 makes some)."
        )
