"""Findings and rules in a real browser: read, acknowledged, found among many, changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.browser.chromium import PHONE, WIDE, OpenBrowser
from tests.conftest import OPERATOR, Server
from tests.web.watch.findings import DRIFT, NOON
from unrot.core.rules import Rules
from unrot.core.settings import Settings
from unrot.run.bootstrap import open_service
from unrot.serve.service import Service


@pytest.fixture
def service(server: Server) -> Service:
    """A second door to the store of the running server."""
    return open_service(Settings(home=server.home, admin_token=OPERATOR))


QUALITY = {"features": [{"column": "hunger", "share": 0.4, "usual": 0.01}], "rows": 200}
REFUSED = {"rows": 200, "refused": 60, "reasons": {"out of range": 12, "missing value": 48}}
RATES = [[NOON + 60 * n, NOON + 60 * (n + 1), 200, 2 + 30 * (n == 5)] for n in range(9)]


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_evidence_and_the_rate_of_odd_rows_are_drawn(
    open_browser: OpenBrowser, service: Service, server: Server, width: tuple[int, int]
) -> None:
    plain = replace(DRIFT, model="zombies", kind="quality", closed_at=NOON + 60)
    bad = replace(plain, id="bad", cause="quality:missing", evidence=QUALITY)
    refused = replace(plain, id="refused", cause="quality:rejected", evidence=REFUSED)
    for one in (bad, refused, replace(plain, id="gone", kind="rot", evidence={})):
        service.store.findings.put(one)
    service.store.findings.stand("zombies", "outliers", {"rates": RATES})
    browser = open_browser(width)
    browser.sign_in(server.operator_token)

    for page, name in (
        ("findings/bad", "risen"),
        ("findings/refused", "refused"),
        ("outliers", "outliers"),
    ):
        browser.visit(f"/models/zombies/{page}")
        drawn = browser.find(f"#chart-{name} .plot > svg")
        assert drawn.size["width"] > 200 and drawn.size["height"] > 90
        assert len(drawn.get_attribute("aria-label")) > 20
        browser.find(f"#table-{name} summary").click()
        assert browser.find(f"#table-{name} tbody").text
        assert browser.too_wide() == 0
    browser.visit("/models/zombies/findings/gone")
    browser.wait_for("not kept any more, so it cannot be drawn.")

    assert browser.complaints() == []
    service.store.close()


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_finding_is_read_acknowledged_and_snoozed(
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
    browser.press("I have seen it")
    browser.wait_for("Noted: you have seen it.")
    browser.find("#note").send_keys("The sensor was changed.")
    browser.press("Add the note")
    browser.wait_for("Your note is kept.")
    browser.find("#snooze summary").click()
    widths.append(browser.too_wide())
    browser.press("Snooze")
    browser.wait_for("Snoozed until")

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
    browser.find("#title-features").click()
    name = service.catalogue().model("zombies").model.schema.names[0]

    browser.find(f"[name='features.{name}.distance']").send_keys("0.4")
    browser.press("Save")
    browser.wait_for("1 feature has its own thresholds.")
    kept = service.store.findings.rules("zombies")
    browser.find("#title-features").click()
    box = browser.find(f"[type=checkbox][name='features.{name}.watched']")
    box.click()
    browser.press("Save")
    browser.wait_for(f"Not watched: {name}.")

    assert kept.features[name].distance == 0.4
    assert service.store.findings.rules("zombies").features[name].is_watched is False
    assert browser.too_wide() == 0
    assert browser.complaints() == []
    service.store.findings.set_rules("zombies", Rules())
    service.store.close()


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_report_is_read_where_it_lies(
    open_browser: OpenBrowser, server: Server, width: tuple[int, int]
) -> None:
    browser = open_browser(width)
    browser.sign_in(server.operator_token)
    browser.visit("/models/zombies/monitor")

    browser.find(".report-link small a").click()
    browser.wait_for("How it was counted")

    assert "inline=1" in browser.driver.current_url
    assert browser.too_wide() == 0
    assert browser.complaints() == []
