"""Why this answer: asked and read on a desk and on a phone, with scripts and without."""

from __future__ import annotations

import pytest

from tests.browser.chromium import PATIENCE_SECONDS, PHONE, WIDE, Browser, OpenBrowser
from tests.conftest import Server, wait_for

# A page's own address of a prediction tells by whom it was judged, once it is in the store.
JUDGED = "by who had seen its reasons: petal"


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_reasons_stand_under_the_answer(
    open_browser: OpenBrowser, size: tuple[int, int], scripts: bool
) -> None:
    browser = open_browser(size, scripts=scripts)
    browser.visit("/models/iris")
    browser.press("Predict")
    browser.wait_for("Why this answer?")

    browser.press("Why this answer?")

    browser.wait_for("Mostly because")
    assert "add up to the difference" in browser.text
    assert browser.too_wide() <= 0
    assert browser.complaints() == []


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["desk", "phone"])
def test_thumb_after_the_reasons_takes_them_along(
    open_browser: OpenBrowser, server: Server, size: tuple[int, int]
) -> None:
    browser = open_browser(size, scripts=True)
    browser.sign_in(server.operator_token)
    browser.visit("/models/iris")
    browser.press("Predict")
    browser.wait_for("Why this answer?")
    address = browser.find("a[href^='/p/']").get_attribute("href")
    browser.press("Why this answer?")
    browser.wait_for("Mostly because")

    browser.press("Right")
    browser.wait_for("You said it was right")

    wait_for(lambda: JUDGED in shown(browser, address), PATIENCE_SECONDS)
    browser.visit("/models/iris/predictions")
    assert JUDGED in browser.text
    assert browser.too_wide() == 0, browser.sticking_out()


def test_thumb_without_scripts_takes_them_along(open_browser: OpenBrowser) -> None:
    browser = open_browser(PHONE, scripts=False)
    browser.visit("/models/iris")
    browser.press("Predict")
    browser.wait_for("Why this answer?")
    address = browser.find("a[href^='/p/']").get_attribute("href")
    wait_for(lambda: "Was it right?" in shown(browser, f"{address}?why=1"), PATIENCE_SECONDS)

    browser.press("Right")

    wait_for(lambda: JUDGED in shown(browser, address), PATIENCE_SECONDS)


def shown(browser: Browser, address: str) -> str:
    browser.driver.get(address)
    return browser.text
