"""Settings in a real browser: found by a word, changed feature by feature, a command copied."""

from __future__ import annotations

import pytest

from tests.browser.chromium import PHONE, WIDE, OpenBrowser
from tests.conftest import OPERATOR, Server
from unrot.core.settings import Settings
from unrot.make import models
from unrot.run.bootstrap import open_service

SHOWN = """return [...document.querySelectorAll('#settings .field > a')]
  .filter((one) => one.checkVisibility()).map((one) => one.textContent)"""


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_one_search_finds_features_and_the_knobs_of_other_pages(
    open_browser: OpenBrowser, server: Server, width: tuple[int, int]
) -> None:
    browser = open_browser(width)
    browser.sign_in(server.operator_token)
    browser.visit("/models/iris/settings")

    browser.find("#find-setting").send_keys("sepal width")
    features = browser.driver.execute_script(SHOWN)
    browser.find("#find-setting").clear()
    browser.find("#find-setting").send_keys("tolerance")
    browser.press("Tolerance")

    assert features == ["sepal width"]
    assert browser.driver.current_url.endswith("/models/iris/policy#policy-tolerance")
    assert browser.too_wide() == 0
    assert browser.complaints() == []


def test_knob_of_the_rules_is_in_sight_though_its_part_was_folded(
    open_browser: OpenBrowser, server: Server
) -> None:
    browser = open_browser(WIDE)
    browser.sign_in(server.operator_token)

    browser.visit("/models/iris/rules")
    folded = browser.find("#rule-least_rows").is_displayed()
    browser.visit("/models/iris/settings")
    browser.press("Open all")
    browser.press("Rows at least")

    assert not folded
    assert browser.find("#rule-least_rows").is_displayed()


def test_feature_after_feature_is_described(open_browser: OpenBrowser, server: Server) -> None:
    browser = open_browser(WIDE)
    browser.sign_in(server.operator_token)
    browser.visit("/models/iris/settings?feature=sepal_length_cm")

    browser.fill("features.sepal_length_cm.label", "Length of the sepal")
    browser.press("Save, then sepal width")
    browser.wait_for("Feature: sepal width")
    browser.visit("/models/iris")

    assert "Length of the sepal" in browser.text
    assert browser.complaints() == []
    service = open_service(Settings(home=server.home, admin_token=OPERATOR))
    models.describe(service, "iris", {"features": {"sepal_length_cm": {"label": ""}}})
    service.store.close()


def test_command_is_copied(open_browser: OpenBrowser, server: Server) -> None:
    browser = open_browser(WIDE)
    browser.sign_in(server.operator_token)
    browser.visit("/add-a-model?name=mine")
    browser.driver.execute_script(
        "navigator.clipboard.writeText = async (text) => { window.copied = text; };"
    )

    browser.press("Copy")
    browser.wait_for("Copied")

    [check, train] = browser.driver.execute_script("return copied").splitlines()
    assert check.endswith("--dry-run") and train.endswith("--name mine")
    assert browser.complaints() == []
