"""The page of rules over Flask's test client: what stands there, what is kept, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from tests.conftest import JUDGE, OPERATOR, VIEWER
from tests.receiver import Receiver, receiving
from tests.web.test_learning_pages import said_on, sent
from tests.web.visitor import post, sign_in, text_of
from unrot.core.rules import FeatureRule, Rules
from unrot.serve.service import Service
from unrot.watch.webhook_client import WebhookClient

AT = "/models/iris/rules"
HOOK = "https://hooks.slack.com/services/secret"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def rules(kept: Service) -> Rules:
    return kept.store.findings.rules("iris")


def test_viewer_reads_and_cannot_change(client: FlaskClient, kept: Service) -> None:
    kept.store.findings.set_rules("iris", Rules(webhook=HOOK))
    sign_in(client, VIEWER)

    said = said_on(client, AT)

    assert "Drift: the shortest period that has enough rows" in said
    assert "Keep these rules" not in said
    assert "secret" not in said
    for path in (AT, f"{AT}/webhook"):
        assert post(client, path, {}).status_code == 403


@pytest.mark.parametrize("path", [AT, f"{AT}/webhook"])
def test_doing_is_for_operators_with_a_form_of_ours(client: FlaskClient, path: str) -> None:
    sign_in(client, JUDGE)
    judge = post(client, path, {}).status_code
    sign_in(client, OPERATOR)

    assert (judge, client.post(path, data={"csrf_token": "guessed"}).status_code) == (403, 403)


def test_operator_changes_rules(operator: FlaskClient, kept: Service) -> None:
    fields = {
        "distance": "0.3", "rot": "off", "least_accuracy": "0.8", "webhook": HOOK,
        "features.sepal_width_cm.watched": "off", "features.petal_width_cm.distance": "0.4",
        "features.petal_width_cm.missing": "",
    }  # fmt: skip

    said = sent(operator, AT, **fields)

    assert "Kept. It holds from the next look on" in said
    assert rules(kept) == Rules(
        distance=0.3, rot=False, least_accuracy=0.8, webhook=HOOK,
        features={
            "sepal_width_cm": FeatureRule(False), "petal_width_cm": FeatureRule(distance=0.4),
        },
    )  # fmt: skip
    assert "Not watched: sepal_width_cm." in said
    page = operator.get(AT).text
    assert "https://hooks.slack.com/…" in page
    assert "services/secret" not in page


def test_form_sent_back_as_it_stands_changes_nothing(operator: FlaskClient, kept: Service) -> None:
    before = Rules(
        webhook=HOOK, period="day", least_accuracy=0.5,
        features={"petal_width_cm": FeatureRule(False, 0.4, 0.01)},
    )  # fmt: skip
    kept.store.findings.set_rules("iris", before)
    page = operator.get(AT)

    answer = operator.post(AT, data=_fields_of(page.text))

    assert answer.status_code == 303
    assert rules(kept) == before


def _fields_of(page: str) -> MultiDict[str, str]:
    """Read a page's form as a browser would send it."""
    from html.parser import HTMLParser

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.fields: list[tuple[str, str]] = []
            self.select = ""
            self.is_rules = False

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = dict(attrs)
            if tag == "form":
                self.is_rules = given.get("action") == AT
            if not self.is_rules:
                return
            if tag == "input" and given.get("name"):
                if given.get("type") != "checkbox" or "checked" in given:
                    self.fields.append((given["name"] or "", given.get("value") or ""))
            elif tag == "select":
                self.select = given["name"] or ""
            elif tag == "option" and "selected" in given:
                self.fields.append((self.select, given["value"] or ""))

        def handle_endtag(self, tag: str) -> None:
            self.is_rules = self.is_rules and tag != "form"

    reader = Reader()
    reader.feed(page)
    return MultiDict(reader.fields)


def test_box_that_is_ticked_counts_over_the_default_behind_it(
    operator: FlaskClient, kept: Service
) -> None:
    name = "features.sepal_width_cm.watched"
    kept.store.findings.set_rules("iris", Rules(features={"sepal_width_cm": FeatureRule(False)}))
    fields = _fields_of(operator.get(AT).text)
    fields.add(name, "on")

    operator.post(AT, data=fields)

    assert rules(kept) == Rules()


def test_what_does_not_fit_stands_beside_its_field_with_what_was_typed(
    operator: FlaskClient, kept: Service
) -> None:
    fields = {"distance": "far", "features.sepal_width_cm.unseen": "2", "webhook": "nonsense"}

    answer = post(operator, AT, fields)
    said = text_of(answer)

    assert answer.status_code == 422
    assert "Nothing was changed: 3 fields need another look." in said
    assert 'value="far"' in answer.text
    assert "Expected a distance from 0 to 1." in said
    assert "Expected a share from 0 to 1, or nothing for what holds for all." in said
    assert "Expected an address such as https://example.org/hook" in said
    assert rules(kept) == Rules()


def test_webhook_is_tried_by_a_button(app: Flask, kept: Service, receiver: Receiver) -> None:
    app.extensions["unrot"] = replace(kept, messenger=WebhookClient(allow_private=True))
    kept.store.findings.set_rules("iris", Rules(webhook=f"{receiver.url}/secret"))
    client = app.test_client()
    sign_in(client, OPERATOR)
    before = said_on(client, AT)

    taken = sent(client, f"{AT}/webhook")
    receiver.codes = [404]
    refused = sent(client, f"{AT}/webhook")

    assert "Send a test message" in before
    assert f"{receiver.url}/… took the test message." in taken
    assert "127.0.0.1 answered 404." in refused
    assert [body["event"] for body in receiver.bodies] == ["test", "test"]


def test_private_webhook_is_refused_with_what_to_do(operator: FlaskClient, kept: Service) -> None:
    kept.store.findings.set_rules("iris", Rules(webhook="http://127.0.0.1:9/x"))

    assert "set UNROT_WEBHOOK_PRIVATE=yes" in sent(operator, f"{AT}/webhook")


def test_without_a_webhook_the_page_says_how_to_set_one(operator: FlaskClient) -> None:
    said = said_on(operator, AT)

    assert "No webhook is set" in said
    assert "Send a test message" not in said
    assert "There is no webhook to try" in sent(operator, f"{AT}/webhook")
