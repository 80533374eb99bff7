"""The rule that holds an answer and the rows that are like it, as a viewer sees them."""

from __future__ import annotations

import pytest

from tests.browser.chromium import PHONE, WIDE, Browser, OpenBrowser
from tests.conftest import VIEWER

RULE = "“Iris-virginica” in at least"
LIKE = "Of the 3 rows of the training that are most like this one, all were “Iris-virginica”."


def ask_for_the_rule(browser: Browser) -> None:
    """Predict, ask why, look at the rows, ask for the rule."""
    browser.visit("/login")
    browser.fill("token", VIEWER)
    browser.find("main form button").click()
    browser.wait_for("Sign out")
    browser.visit("/models/iris")
    browser.fill("petal_length_cm", "5.8")
    browser.fill("petal_width_cm", "2.2")
    browser.press("Predict")
    browser.wait_for("Was it right?")
    browser.press("Why this answer?")
    browser.wait_for(LIKE)
    browser.find("#neighbours ~ details summary").click()
    browser.wait_for("What was true")
    assert browser.find(".like mark").text
    assert browser.too_wide() <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_rule_is_told_under_the_answer(
    open_browser: OpenBrowser, size: tuple[int, int], scheme: str
) -> None:
    browser = open_browser(size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    ask_for_the_rule(browser)
    browser.press("Which rule holds it?")
    browser.wait_for(RULE)

    assert LIKE in browser.text
    assert browser.driver.current_url == f"{browser.url}/models/iris"
    assert browser.focused == "Which rule holds it?"
    assert browser.too_wide() <= 0
    assert browser.complaints() == []


def test_rule_is_told_without_scripts(open_browser: OpenBrowser) -> None:
    browser = open_browser(PHONE, scripts=False)

    ask_for_the_rule(browser)
    assert browser.driver.current_url == f"{browser.url}/models/iris/why"
    browser.press("Which rule holds it?")
    browser.wait_for(RULE)

    assert browser.driver.current_url == f"{browser.url}/models/iris/rule"
