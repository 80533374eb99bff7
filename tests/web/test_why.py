"""Why an answer was given: on the pages, in the API, and as other people's clients ask it."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from functools import partial
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import VIEWER
from tests.explain.test_turn import somebody_elses_turn
from tests.web.test_prediction_page import ship
from tests.web.visitor import FRAGMENT, IRIS, ask, id_in, post, sign_in, text_of, vote
from unrot.explain import explaining, sampling
from unrot.serve import limits
from unrot.serve.service import Service


@pytest.fixture(autouse=True)
def same_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let time stand still while samples are drawn: as many each time."""
    monkeypatch.setattr(sampling, "MOST_PASSES", 1)
    monkeypatch.setattr(explaining, "sample", partial(sampling.sample, clock=lambda: 0.0))


HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
ROW = {name: float(value) for name, value in IRIS.items()}
PREDICT = "/api/v1/models/iris/predict"


def fields(**more: str) -> dict[str, str]:
    return {"inputs": orjson.dumps(ROW).decode(), "version": "v1", **more}


def explained(client: FlaskClient, **more: object) -> dict[str, Any]:
    answer = client.post(f"{PREDICT}?explain=1", json={"inputs": {**ROW, **more}})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json["data"]
    return found


def unkept(client: FlaskClient) -> dict[str, Any]:
    """Return what is told of a row of which nothing is kept: no verdict can name it."""
    found: dict[str, Any] = explained(client)["explanation"]
    del found["explanation_token"]
    return found


# ── API ──────────────────────────────────────────────────────────────────────────────────────


def test_answer_says_why_and_all_parts_add_up(client: FlaskClient) -> None:
    data = explained(client)

    why = data["explanation"]
    assert data["id"]
    assert (why["class"], why["version"]) == ("Iris-setosa", "v1")
    assert {one["feature"] for one in why["contributions"]} == set(ROW)
    added = sum(one["amount"] for one in why["contributions"])
    assert why["average"] + added == pytest.approx(why["score"], abs=1e-9)
    assert why["sentence"].startswith("Mostly because petal ")


def test_answer_says_what_would_change_it(client: FlaskClient) -> None:
    change = explained(client)["explanation"]["change"]

    row = {**ROW, **{one["feature"]: one["after"] for one in change["moved"]}}
    answer = client.post(PREDICT, json={"inputs": row})
    assert answer.json["data"]["class"] == change["class"] != "Iris-setosa"


def test_each_of_a_few_rows_is_explained(client: FlaskClient) -> None:
    answer = client.post(
        f"{PREDICT}?explain=1", json={"inputs": [ROW, {**ROW, "petal_width_cm": 2.2}]}
    )

    told = [one["explanation"] for one in answer.json["data"]["predictions"]]
    assert len(told) == 2
    assert told[0] != told[1]


def test_more_rows_than_are_explained_are_refused(client: FlaskClient) -> None:
    answer = client.post(f"{PREDICT}?explain=1", json={"inputs": [ROW] * 21})

    assert answer.status_code == 422
    assert "at most 20 rows" in answer.json["message"]


def test_who_is_sent_away_has_no_prediction_kept(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with somebody_elses_turn(monkeypatch):
        answer = client.post(f"{PREDICT}?explain=1", json={"inputs": ROW})
    ship(app)

    assert answer.status_code == 429
    kept = client.get(
        "/api/v1/models/iris/predictions", headers={"Authorization": f"Bearer {VIEWER}"}
    )
    assert kept.json["data"]["predictions"] == []


@pytest.mark.parametrize("query", ["", "?explain=", "?explain=0", "?explain=false"])
def test_plain_answer_has_no_explanation(client: FlaskClient, query: str) -> None:
    answer = client.post(f"{PREDICT}{query}", json={"inputs": ROW})

    assert answer.status_code == 200
    assert "explanation" not in answer.json["data"]


def test_kept_prediction_is_explained_as_it_was_when_it_was_made(
    client: FlaskClient, app: Flask
) -> None:
    data = explained(client)
    ship(app)

    answer = client.get(f"/api/v1/predictions/{data['id']}/explanation")

    assert answer.json["data"] == data["explanation"]


def test_prediction_that_is_not_known_has_no_explanation(client: FlaskClient) -> None:
    assert client.get(f"/api/v1/predictions/{'A' * 32}/explanation").status_code == 403


def test_kserve_explains_and_keeps_nothing(client: FlaskClient) -> None:
    body = orjson.dumps({"instances": [list(ROW.values())]})

    answer = client.post("/v1/models/iris:explain", data=body)

    [why] = answer.json["explanations"]
    assert why == unkept(client)
    assert "ids" not in answer.json


@pytest.mark.parametrize(
    "path", ["/api/v1.0/explain", "/seldon/flowers/iris-explainer/default/api/v1.0/explain"]
)
def test_seldon_explains_and_keeps_nothing(client: FlaskClient, path: str) -> None:
    body = {"data": {"names": list(ROW), "ndarray": [list(ROW.values())]}}

    answer = client.post(path, json=body)

    assert answer.status_code == 200, answer.text
    [why] = answer.json["data"]["explanations"]
    assert why == unkept(client)
    assert "puid" not in answer.text


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"instances": [["x"]]}', b'{"instances": []}'])
def test_kserve_says_what_is_wrong_with_rows(client: FlaskClient, body: bytes) -> None:
    assert client.post("/v1/models/iris:explain", data=body).status_code == 400


# ── with a verdict ───────────────────────────────────────────────────────────────────────────

VERDICT, TOKEN = "/api/v1/feedback", "explanation_token"


def kept_verdict(client: FlaskClient, id: str) -> Any:
    answer = client.get(f"/api/v1/predictions/{id}")
    return answer.json["data"]["feedback"]


def test_verdict_keeps_the_reasons_that_were_seen(client: FlaskClient, app: Flask) -> None:
    data = explained(client)
    why = data["explanation"]
    strongest = [one["feature"] for one in why["contributions"] if one["amount"] > 0][:3]

    given = {"id": data["id"], "was_correct": False, TOKEN: why[TOKEN]}
    answer = client.post(VERDICT, json=given)
    ship(app)

    assert answer.json["data"]["reasons"] == strongest
    assert kept_verdict(client, data["id"])["reasons"] == strongest
    path = "/api/v1/models/iris/accuracy"
    found = client.get(path, headers={"Authorization": f"Bearer {VIEWER}"}).json["data"]
    leaned_on = {one["feature"]: one["wrong"] for one in found["reasons"]["leaned_on"]}
    assert (found["reasons"]["wrong"], leaned_on) == (1, dict.fromkeys(strongest, 1))


def test_verdict_without_an_explanation_has_no_reasons(client: FlaskClient, app: Flask) -> None:
    id = explained(client)["id"]
    client.post(VERDICT, json={"id": id, "was_correct": False})
    ship(app)

    assert "reasons" not in kept_verdict(client, id)


def test_reasons_of_another_prediction_are_refused(client: FlaskClient) -> None:
    first, second = explained(client), explained(client)
    for word in (first["explanation"][TOKEN], "no token", 7, ["x"], "A" * 10_000):
        answer = client.post(VERDICT, json={"id": second["id"], "was_correct": True, TOKEN: word})

        assert answer.status_code == 422
        assert answer.json["details"][0]["field"] == TOKEN


def test_findings_tell_what_wrong_answers_lean_on(client: FlaskClient, app: Flask) -> None:
    rows = [{**ROW, "sepal_length_cm": 4.5 + place / 10} for place in range(12)]
    asked = client.post(f"{PREDICT}?explain=1", json={"inputs": rows}).json["data"]
    told = [(one["id"], one["explanation"][TOKEN]) for one in asked["predictions"]]
    judged = client.post(
        VERDICT,
        json=[{"id": id, "was_correct": False, TOKEN: token} for id, token in told],
    )
    assert [one["status"] for one in judged.json["data"]["results"]] == ["created"] * 12
    ship(app)

    sign_in(client, VIEWER)
    said = text_of(client.get("/models/iris/findings"))

    assert "12 answers were judged by people who had seen the reasons, 12 of them wrong" in said
    assert "No reason stands out." in said
    assert "petal length 0 12 100 % 75.8 % to 100 %" in said


# ── how often ────────────────────────────────────────────────────────────────────────────────


def test_one_allowance_is_for_all_that_explains(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has used theirs up is sent away before they wait for a turn; who has a token is not."""
    id = explained(client)["id"]
    ship(app)
    of: Service = app.extensions["unrot"]
    few = {**of.limits._limits, limits.EXPLANATIONS: limits.Limit(2, 60.0)}
    monkeypatch.setattr(of.limits, "_limits", few)
    there = {"REMOTE_ADDR": "192.0.2.7"}
    instances = {"instances": [list(ROW.values())]}
    asked: list[tuple[str, dict[str, Any] | None]] = [
        (f"{PREDICT}?explain=1", {"inputs": ROW}),
        (f"{PREDICT}?explain=rule", {"inputs": ROW}),
        (f"/api/v1/predictions/{id}/explanation", None),
        ("/v1/models/iris:explain", instances),
        ("/api/v1/models/iris/what-if", {"inputs": ROW}),
    ]

    def code(path: str, body: dict[str, Any] | None, **headers: str) -> int:
        method = "GET" if body is None else "POST"
        told = {"json": body, "headers": headers, "environ_base": there}
        return client.open(path, method=method, **told).status_code

    client.post(f"{PREDICT}?explain=1", json={"inputs": [ROW, ROW]}, environ_base=there)
    monkeypatch.setattr(explaining, "_TURN", None)  # Nobody gets as far as to take it.
    codes = [code(*one) for one in asked]
    client.environ_base.update(there)
    pages = [post(client, f"/models/iris/{page}", fields()) for page in ("why", "rule")]
    pages.append(client.get(f"/p/{id}?why=1"))
    monkeypatch.undo()

    assert codes == [429] * len(asked)
    assert [page.status_code for page in pages] == [429, 429, 200]
    assert all("Too many explanations and what-ifs from" in text_of(page) for page in pages)
    assert code(*asked[0], Authorization=f"Bearer {VIEWER}") == 200


def test_rule_costs_as_much_as_it_takes(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unrot.explain.asking.SECONDS", 0.0)
    of: Service = app.extensions["unrot"]
    slowly = limits.Limit(limits.MOST_EXPLANATIONS, 86_400.0)  # Nothing comes back meanwhile.
    monkeypatch.setattr(of.limits, "_limits", {**of.limits._limits, limits.EXPLANATIONS: slowly})
    client.environ_base["REMOTE_ADDR"] = "192.0.2.8"

    rules = limits.MOST_EXPLANATIONS // limits.RULE_COSTS
    codes = [post(client, "/models/iris/rule", fields()).status_code for _ in range(rules + 1)]

    assert codes == [*[200] * rules, 429]


def test_audience_of_the_rows_is_looked_up_before_the_turn(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[None] = []
    monkeypatch.setattr(
        "unrot.web.neighbours.shown_to", lambda *_: looked.append(None) or "viewers"
    )

    with somebody_elses_turn(monkeypatch):
        answer = post(client, "/models/iris/why", fields())

    assert (answer.status_code, len(looked)) == (429, 1)


# ── pages ────────────────────────────────────────────────────────────────────────────────────


def asked_why(client: FlaskClient, model: str = "iris", **more: str) -> tuple[str, str]:
    """Predict, press the button with what its form has, or other things; return id and page."""
    found = dict(HIDDEN.findall(ask(client).text.partition('action="/models/iris/why"')[2]))
    given = {name: html.unescape(value) for name, value in found.items()} | more
    told = {name: given[name] for name in ("id", "version", "inputs", "row_token")}
    return given["id"], post(client, f"/models/{model}/why", told, **FRAGMENT).text


def test_answer_offers_to_say_why(client: FlaskClient) -> None:
    answer = ask(client)

    assert 'action="/models/iris/why"' in answer.text
    assert "Why this answer?" in text_of(answer)


@pytest.mark.parametrize("headers", [FRAGMENT, {}], ids=["script", "no script"])
def test_page_says_why(client: FlaskClient, headers: dict[str, str]) -> None:
    said = text_of(post(client, "/models/iris/why", fields(), **headers))

    assert "Mostly because petal " in said
    assert "the parts add up to the difference" in said
    assert "Feature Here Usually Added" in said


def test_thumb_after_a_why_takes_its_reasons_along(client: FlaskClient, app: Flask) -> None:
    id, shown = asked_why(client)
    words = set(
        re.findall(
            r'name="explanation_token" value="([\w-]+)" form="(?:thumbs|true-answer)"', shown
        )
    )

    [word] = words
    vote(client, id, "down", explanation_token=word)
    vote(client, id, "down", explanation_token=word, label="Iris-virginica")
    ship(app)

    assert len(kept_verdict(client, id)["reasons"]) == 3
    assert "by who had seen its reasons: petal" in text_of(client.get(f"/p/{id}"))


def test_question_after_a_thumb_still_has_the_token(client: FlaskClient) -> None:
    id, shown = asked_why(client)
    word = re.findall(r'name="explanation_token" value="([\w-]+)"', shown)[0]

    asked = post(client, "/models/iris/feedback", {"id": id, "verdict": "down", TOKEN: word})

    assert f'<input type="hidden" name="explanation_token" value="{word}">' in asked.text


@pytest.mark.parametrize(
    "other",
    [
        {"id": ""},
        {"id": "A" * 32},
        {"id": "x" * 100_000},
        {"inputs": orjson.dumps({**ROW, "petal_width_cm": 2.0}).decode()},
        {"row_token": ""},
        {"row_token": "é"},
    ],
    ids=["no id", "no id of ours", "a long one", "another row", "no token", "another token"],
)
def test_reasons_of_another_row_cannot_be_taken_along(
    client: FlaskClient, other: dict[str, str]
) -> None:
    assert 'name="explanation_token"' in asked_why(client)[1]
    assert 'name="explanation_token"' not in asked_why(client, **other)[1]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"inputs": ""}, 422),
        ({"inputs": "[" * 100_000}, 422),
        ({"inputs": '{"petal_width_cm": 1}'}, 422),
        ({"version": "v9"}, 404),
        ({"csrf_token": "no"}, 403),
    ],
)
def test_page_that_is_asked_wrongly_says_so(
    client: FlaskClient, more: dict[str, str], code: int
) -> None:
    assert post(client, "/models/iris/why", fields(**more)).status_code == code


@pytest.mark.parametrize("page", ["why", "rule"])
def test_page_that_is_busy_says_when_to_come_back(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    with somebody_elses_turn(monkeypatch):
        answer = post(client, f"/models/iris/{page}", fields())

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
    assert "Other answers are being explained" in text_of(answer)


def test_page_of_a_prediction_says_why_when_it_is_asked(client: FlaskClient, app: Flask) -> None:
    id = id_in(ask(client))
    ship(app)

    offered, said = client.get(f"/p/{id}"), text_of(client.get(f"/p/{id}?why=1"))

    assert 'name="why" value="1"' in offered.text
    assert "Mostly because petal " in said


def test_plain_server_loads_nothing_that_explains() -> None:
    asked = "import sys, unrot.app; print([one for one in sys.modules if 'unrot.explain' in one])"

    found = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True
    )

    assert found.stdout.strip() == "[]"
