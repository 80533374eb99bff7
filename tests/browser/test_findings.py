"""Findings and rules in a real browser: read, acknowledged, found among many, changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.browser.test_journey import PHONE, WIDE, OpenBrowser, open_browser
from tests.conftest import OPERATOR, Server
from tests.web.watch.found import DRIFT, NOON
from unrot.bootstrap import open_service
from unrot.service import Service
from unrot.settings import Settings
from unrot.symptoms import Rules

__all__ = ["open_browser"]


@pytest.fixture
def service(server: Server) -> Service:
    """A second door to the store of the running server."""
    return open_service(Settings(home=server.home, admin_token=OPERATOR))


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_finding_is_read_and_acknowledged(
    open_browser: OpenBrowser, service: Service, server: Server, width: tuple[int, int]
) -> None:
    id = f"seen-{width[0]}"
    found = replace(DRIFT, id=id, cause=id, model="zombies", sentence=f"It moved at {width[0]}.")
    service.store.findings.put(found)
    browser = open_browser(width)
    browser.sign_in(server.operator_token)

    browser.visit("/")
    widths = [browser.too_wide()]
    browser.visit("/models/zombies/findings")
    widths.append(browser.too_wide())
    browser.find(f"a[href$='{id}']").click()
    browser.wait_for("What to do")
    browser.find("#note").send_keys("The sensor was changed.")
    browser.press("I have seen it")
    browser.wait_for("Noted: you have seen it.")
    widths.append(browser.too_wide())

    assert "The sensor was changed." in browser.text
    assert widths == [0, 0, 0]
    assert browser.complaints() == []
    service.store.findings.put(replace(found, closed_at=NOON + 60))
    service.store.close()


def test_rule_of_a_feature_is_changed(
    open_browser: OpenBrowser, service: Service, server: Server
) -> None:
    browser = open_browser(PHONE)
    browser.sign_in(server.operator_token)
    browser.visit("/models/zombies/rules")
    name = service.catalogue().model("zombies").model.schema.names[0]

    browser.find(f"[name='features.{name}.distance']").send_keys("0.4")
    browser.press("Keep these rules")
    browser.wait_for("1 feature has its own thresholds.")
    kept = service.store.findings.rules("zombies")
    box = browser.find(f"[type=checkbox][name='features.{name}.watched']")
    box.click()
    browser.press("Keep these rules")
    browser.wait_for(f"Not watched: {name}.")

    assert kept.features[name].distance == 0.4
    assert service.store.findings.rules("zombies").features[name].is_watched is False
    assert browser.too_wide() == 0
    assert browser.complaints() == []
    service.store.findings.set_rules("zombies", Rules())
    service.store.close()
