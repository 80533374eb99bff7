"""What an app on the open internet keeps to itself, and what it tells browsers to hold it to."""

from __future__ import annotations

import fcntl
import logging
import stat
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import JUDGE, OPERATOR, VIEWER, wait_for
from tests.web.visitor import sign_in, take_store_away, text_of
from unrot.app import create_app
from unrot.core.settings import Settings, prepare_home
from unrot.web import uploads

HTTPS = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.7"}
HTTP = {"X-Forwarded-Proto": "http", "X-Forwarded-For": "198.51.100.7"}
Behind = Callable[..., FlaskClient]


@pytest.fixture
def behind(settings: Settings) -> Behind:
    """Return a visitor of an app that stands behind one proxy."""

    def made(**more: object) -> FlaskClient:
        return create_app(replace(settings, trusted_proxies=1, **more)).test_client()  # type: ignore[arg-type]

    return made


# ── browsers ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/", "/api/v1/health", "/nowhere", "/apidocs"])
def test_every_answer_keeps_other_sites_away(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers

    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


def test_who_asks_by_another_name_is_not_led_there(client: FlaskClient) -> None:
    answer = client.get("/models//iris", headers={"Host": "evil.test"})

    assert (answer.status_code, answer.location) == (308, "/models/iris")


def test_no_cache_keeps_what_is_for_one_person(client: FlaskClient) -> None:
    bearer = {"Authorization": f"Bearer {VIEWER}"}

    assert client.get("/api/v1/models/iris/windows", headers=bearer).headers["Cache-Control"] == (
        "no-store"
    )
    assert client.get("/metrics", headers=bearer).headers["Cache-Control"] == "no-store"
    sign_in(client, VIEWER)
    assert client.get("/models/iris/monitor").headers["Cache-Control"] == "no-store"
    with client.get("/static/css/app.css") as file:
        assert "no-store" not in file.headers["Cache-Control"]


def test_cookie_over_https_is_held_to_this_host(behind: Behind) -> None:
    client = behind()

    over_https = client.get("/models/iris", headers=HTTPS)
    plain = behind().get("/models/iris", headers=HTTP)

    cookie = over_https.headers["Set-Cookie"]
    assert cookie.startswith("__Host-unrot=")
    assert {"Secure", "HttpOnly", "Path=/"} <= set(cookie.split("; "))
    assert over_https.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert plain.headers["Set-Cookie"].startswith("unrot=")
    assert "Strict-Transport-Security" not in plain.headers


def test_plain_http_is_led_to_https_where_that_is_asked_for(behind: Behind) -> None:
    client = behind(https=True)

    led = client.get("/models/iris?a=b", headers=HTTP)

    assert (led.status_code, led.headers["Location"]) == (308, "https://localhost/models/iris?a=b")
    assert client.post("/api/v1/predict", json={}, headers=HTTP).status_code == 403
    assert client.get("/api/v1/health", headers=HTTP).status_code == 200
    assert client.get("/models/iris", headers=HTTPS).status_code == 200


def test_only_named_hosts_are_answered(behind: Behind) -> None:
    client = behind(hosts=("unrot.example.org", ".example.net"))

    def asked(host: str) -> int:
        return client.get("/", headers={"Host": host}).status_code

    assert [asked(host) for host in ("unrot.example.org", "a.example.net:8000")] == [200, 200]
    assert [asked(host) for host in ("evil.example.com", "127.0.0.1")] == [400, 400]


def test_what_a_client_writes_for_a_proxy_is_no_name_of_this_app(behind: Behind) -> None:
    """Heroku's router, for one, hands these on as they came."""
    names = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/evil"}
    client = behind(https=True, hosts=("localhost",))

    led = client.get("/", headers=HTTP | names)
    shown = client.get("/models/iris/elsewhere", headers=HTTPS | names)
    stranger = client.get("/", headers=HTTPS | {"Host": "a.test", "X-Forwarded-Host": "localhost"})

    assert led.location == "https://localhost/"
    assert "https://localhost/unrot.js" in shown.text and "evil" not in shown.text
    assert stranger.status_code == 400


def test_name_is_what_a_proxy_says_where_a_setting_says_so(behind: Behind) -> None:
    client = behind(https=True, forwarded_host=True, hosts=("unrot.example.org",))
    told = {"X-Forwarded-Host": "evil.example, unrot.example.org", "X-Forwarded-Prefix": "/evil"}

    led = client.get("/models/iris", headers=HTTP | told)

    assert led.location == "https://unrot.example.org/models/iris"


def test_page_of_an_error_does_not_repeat_the_address(
    client: FlaskClient, settings: Settings
) -> None:
    sign_in(client, VIEWER)
    take_store_away(settings.home)

    answer = client.get("/models/iris/predictions?x=evil")

    assert answer.status_code == 503
    assert "evil" not in answer.text


# ── settings ─────────────────────────────────────────────────────────────────────────────────


def test_home_is_for_nobody_else(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)

    prepare_home(Settings(home=home))
    (home / "kept").write_text("a secret")

    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "kept").stat().st_mode) == 0o600


# ── what is told to whom ─────────────────────────────────────────────────────────────────────


def test_why_the_store_is_away_is_for_those_who_operate(app: Flask, settings: Settings) -> None:
    database = settings.home / "unrot.db"
    database.write_bytes(b"no database at all" * 1_000)
    anyone = app.test_client()

    public = anyone.get("/api/v1/ready").json["data"]["components"]["store"]["sentence"]  # type: ignore[index]
    operator = {"Authorization": f"Bearer {OPERATOR}"}
    found = anyone.get("/api/v1/operations", headers=operator).json["data"]["components"]  # type: ignore[index]

    assert public.startswith("The database does not answer. Predictions go on")
    assert "SQLite says: file is not a database." in found["store"]["sentence"]


def test_no_path_of_a_request_can_forge_a_line_of_the_log(
    app: Flask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.view_functions, "static", lambda **_: 1 / 0)

    with caplog.at_level(logging.ERROR):
        answer = app.test_client().get("/static/a%1b%5b31mERROR%20forged")

    assert answer.status_code == 500
    assert "forged" in caplog.messages[0]
    assert all(char.isprintable() for char in caplog.messages[0])


def test_audits_are_for_judges(client: FlaskClient) -> None:
    sign_in(client, VIEWER)
    assert client.get("/models/iris/audits").status_code == 403
    assert "Audits" not in text_of(client.get("/models/iris/versions"))
    sign_in(client, JUDGE)
    assert client.get("/models/iris/audits").status_code == 200


# ── limits ───────────────────────────────────────────────────────────────────────────────────


def test_guesses_of_a_token_are_slowed_whatever_is_guessed_next(client: FlaskClient) -> None:
    def asked(token: str) -> int:
        return client.get("/metrics", headers={"Authorization": f"Bearer {token}"}).status_code

    assert [asked(f"guess-number-{number:04}") for number in range(20)] == [401] * 20
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {OPERATOR}"})
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 4
    assert sign_in(client, OPERATOR).status_code == 429


def test_anonymous_verdicts_and_their_bytes_are_bounded_and_those_of_tokens_are_not(
    settings: Settings,
) -> None:
    few = replace(settings, most_verdicts=10, daily_bytes=20_000)
    client = create_app(few).test_client()
    older = {
        "model": "iris",
        "input data": "x" * 9_000,
        "prediction": "Iris-setosa",
        "was correct": True,
    }

    def sent(address: str, token: str = "", **body: object) -> int:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return client.post(
            "/api/v1/feedback",
            json={**older, **body},
            headers=headers,
            environ_base={"REMOTE_ADDR": address},
        ).status_code

    assert [sent("203.0.113.1") for _ in range(3)] == [201, 201, 429]
    assert [sent("198.51.100.1", **{"input data": 1}) for _ in range(11)] == [201] * 10 + [429]
    assert [sent("203.0.113.9", token=OPERATOR) for _ in range(3)] == [201] * 3
    page = client.get("/api/v1/operations", headers={"Authorization": f"Bearer {VIEWER}"})
    assert {(one["limit"], one["times"]) for one in page.json["data"]["refused"]} == {  # type: ignore[index]
        ("bytes", 1),
        ("verdicts", 1),
    }


def test_only_a_few_files_are_taken_at_once(client: FlaskClient, settings: Settings) -> None:
    folder = settings.home / "uploads"
    folder.mkdir(exist_ok=True)
    file = b"sepal_length_cm,sepal_width_cm,petal_length_cm,petal_width_cm\n5.1,3.5,1.4,0.2\n"

    def sent() -> int:
        answer = client.post("/api/v1/models/iris/predict", data=file, content_type="text/csv")
        answer.get_data()
        answer.close()
        return answer.status_code

    assert [sent() for _ in range(5)] == [200] * 5
    with ExitStack() as turns:
        for number in range(4):
            turn = turns.enter_context((folder / str(number)).open("wb"))
            fcntl.flock(turn, fcntl.LOCK_EX)
        assert sent() == 429
    assert sent() == 200


def test_one_file_waits_for_a_turn_and_the_others_are_refused_at_once(
    behind: Behind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who reloads a page is not refused because of the answer that it left."""
    find, looks = uploads._find_turn, list[Path]()
    monkeypatch.setattr(uploads, "TURN_SECONDS", 60.0)
    monkeypatch.setattr(uploads, "_find_turn", lambda folder: looks.append(folder) or find(folder))
    client = behind()
    left = [begun_by(client, "203.0.113.1") for _ in range(2)]
    waiting = Future[TestResponse]()
    ask = partial(begun_by, client, "203.0.113.1")

    threading.Thread(target=lambda: waiting.set_result(ask())).start()
    wait_for(lambda: len(looks) > 3, 30)  # Who looks twice waits.
    another = ask()
    left[0].close()
    waited = waiting.result(30)

    assert (another.status_code, waited.status_code) == (429, 200)
    for one in (left[1], another, waited):
        one.close()


def test_one_sender_takes_not_all_the_turns_of_files(behind: Behind) -> None:
    """One that takes answers slowly would keep all others out."""
    client = behind()
    asked = ("203.0.113.1", "203.0.113.2", "203.0.113.3", "198.51.100.1")
    begun = [begun_by(client, address) for address in asked]
    codes = [one.status_code for one in begun]
    for one in begun:
        one.close()

    assert codes == [200, 200, 429, 200]
    again = begun_by(client, "203.0.113.3")
    again.close()
    assert again.status_code == 200


def begun_by(client: FlaskClient, address: str) -> TestResponse:
    """Ask for the predictions of a file, and take none yet."""
    return client.post(
        "/api/v1/models/iris/predict",
        data=b"sepal_length_cm,sepal_width_cm,petal_length_cm,petal_width_cm\n5.1,3.5,1.4,0.2\n",
        content_type="text/csv",
        headers={"X-Forwarded-For": address},
        buffered=False,
    )
