"""A model in pages of other sites: which scripts may call, which sites may frame the form."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import OPERATOR, VIEWER
from tests.web.visitor import sign_in
from unrot.core.errors import BadSetting
from unrot.core.settings import load
from unrot.serve.service import Service
from unrot.web.api.predictions import IRIS

SHOP, STRANGER = "https://shop.example.org", "https://evil.example.org"
PREDICT, FEEDBACK = "/api/v1/models/iris/predict", "/api/v1/feedback"


@pytest.fixture
def listed(app: Flask) -> Service:
    """A service that lists one site for scripts and for frames."""
    service: Service = app.extensions["unrot"]
    settings = replace(service.settings, cors_origins=(SHOP,), frame_origins=(SHOP,))
    found = app.extensions["unrot"] = replace(service, settings=settings)
    return found


def allowed(client: FlaskClient, path: str, origin: str, method: str = "POST") -> str | None:
    """What a browser is told before it asks."""
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    return client.options(path, headers=headers).headers.get("Access-Control-Allow-Origin")


@pytest.mark.usefixtures("listed")
def test_scripts_of_listed_sites_may_predict_and_judge_and_nothing_else(
    client: FlaskClient,
) -> None:
    before = client.options(
        PREDICT, headers={"Origin": SHOP, "Access-Control-Request-Method": "POST"}
    )
    made = client.post(PREDICT, json={"inputs": IRIS}, headers={"Origin": SHOP})
    wrong = client.post(PREDICT, json={"inputs": {}}, headers={"Origin": SHOP})

    assert "POST" in before.headers["Access-Control-Allow-Methods"]
    assert "Content-Type" in before.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in made.headers
    for answer in (before, made, wrong):
        assert answer.headers["Access-Control-Allow-Origin"] == SHOP
        assert "Origin" in answer.headers["Vary"]
    assert allowed(client, FEEDBACK, SHOP) == SHOP
    assert allowed(client, f"{FEEDBACK}/x", SHOP, "DELETE") == SHOP
    for path in ("/api/v1/models", "/api/v1/models/iris/promote", "/models/iris", "/login"):
        assert allowed(client, path, SHOP) is None


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize("origin", [STRANGER, "null", f"{SHOP}.evil.org", "https://shop", "*"])
def test_no_other_site_is_told_yes(client: FlaskClient, origin: str) -> None:
    assert allowed(client, PREDICT, origin) is None


def test_nobody_is_where_none_is_listed(client: FlaskClient) -> None:
    assert allowed(client, PREDICT, SHOP) is None
    assert "frame-ancestors 'self';" in f"{policy(client)};"


def policy(client: FlaskClient, path: str = "/models/iris/embed") -> str:
    return client.get(path).headers["Content-Security-Policy"]


@pytest.mark.usefixtures("listed")
def test_form_alone_may_be_framed_by_listed_sites(client: FlaskClient) -> None:
    assert policy(client).endswith(f"frame-ancestors 'self' {SHOP}")
    assert policy(client, "/models/iris").endswith("frame-ancestors 'none'")


def test_form_answers_and_hears_without_a_script_or_a_cookie(
    client: FlaskClient, listed: Service
) -> None:
    path = "/models/iris/embed"
    fields = {name: str(value) for name, value in IRIS.items()}
    page = client.post(path, data=fields).text
    [id] = re.findall(r'name="id" value="([\w-]+)"', page)

    thanked = client.post(f"{path}/verdict", data={**fields, "id": id, "verdict": "up"})
    wrong = client.post(path, data={**fields, "petal_width_cm": "wide"})
    forged = client.post(f"{path}/verdict", data={"id": "x" * 32, "verdict": "up"})

    assert "Link to this prediction" not in page
    assert "setosa" in page
    assert "Thank you" in thanked.text
    assert (wrong.status_code, forged.status_code) == (422, 403)
    assert "Set-Cookie" not in thanked.headers
    kept = listed.store.verdicts.of(id)
    assert kept is not None
    assert (kept.was_correct, kept.judge) == (True, None)


@pytest.mark.usefixtures("listed")
def test_operator_in_a_frame_is_a_stranger(client: FlaskClient, listed: Service) -> None:
    """No token protects the form, so nothing that it sends may count as somebody's word."""
    sign_in(client, OPERATOR)
    fields = {name: str(value) for name, value in IRIS.items()}
    page = client.post("/models/iris/embed", data=fields).text
    [id] = re.findall(r'name="id" value="([\w-]+)"', page)

    client.post("/models/iris/embed/verdict", data={"id": id, "verdict": "down"})

    kept = listed.store.verdicts.of(id)
    assert kept is not None
    assert kept.judge is None


def test_script_is_small_and_served_to_all_sites(client: FlaskClient) -> None:
    with client.get("/unrot.js") as answer:
        assert len(answer.data) < 3_000
        assert answer.mimetype in ("text/javascript", "application/javascript")
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_page_shows_how_and_which_sites_may(client: FlaskClient, listed: Service) -> None:
    anyone = client.get("/models/iris/elsewhere").text
    sign_in(client, VIEWER)
    viewer = client.get("/models/iris/elsewhere").text

    assert "new Unrot" in anyone
    assert SHOP not in anyone
    assert SHOP in viewer


@pytest.mark.parametrize(
    "value", ["*", "shop.example.org", "https://a.org/path", "https://a.org,x"]
)
def test_origins_that_are_none_stop_the_start(value: str) -> None:
    with pytest.raises(BadSetting, match="UNROT_CORS_ORIGINS"):
        load({"UNROT_CORS_ORIGINS": value})


OTHER_SITES = [
    {"Origin": STRANGER},
    {"Origin": "null"},
    {"Origin": "https://["},
    {"Origin": STRANGER, "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://elsewhere.localhost", "Sec-Fetch-Site": "same-site"},
]
OURS = [
    {},
    {"Origin": "http://localhost"},
    {"Origin": SHOP},
    {"Origin": SHOP, "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://unrot.example.org", "Sec-Fetch-Site": "same-origin"},
    {"Origin": STRANGER, "Authorization": f"Bearer {OPERATOR}"},
]
"""Of programs, of our own pages, also behind a proxy that changes the host, of a listed site, and
of whoever has a token."""
AS_TEXT = {"content_type": "text/plain"}
DOORS: list[tuple[str, dict[str, Any]]] = [
    (PREDICT, {"json": {"inputs": IRIS}}),
    (
        "/seldon/default/iris/api/v1.0/predictions",
        {"json": {"data": {"ndarray": [[*IRIS.values()]]}}},
    ),
    (
        "/v1/models/iris:predict",
        {"data": orjson.dumps({"instances": [[*IRIS.values()]]}), **AS_TEXT},
    ),
    ("/models/iris/embed", {"data": {name: str(value) for name, value in IRIS.items()}}),
]


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize(("path", "body"), DOORS)
def test_pages_of_other_sites_send_nothing_through_their_visitors(
    client: FlaskClient, path: str, body: dict[str, Any]
) -> None:
    theirs = [client.post(path, headers=headers, **body) for headers in OTHER_SITES]
    ours = [client.post(path, headers=headers, **body).status_code for headers in OURS]

    assert [answer.status_code for answer in theirs] == [403] * len(OTHER_SITES)
    assert all("page of another site" in answer.text for answer in theirs)
    assert ours == [200] * len(OURS)


@pytest.mark.usefixtures("listed")
def test_pages_of_other_sites_look_at_what_anyone_may_see(client: FlaskClient) -> None:
    for headers in OTHER_SITES:
        assert client.get("/api/v1/models", headers=headers).status_code == 200
