"""Why this answer: asked and read on a desk and on a phone, with scripts and without."""

from __future__ import annotations

import pytest

from tests.browser.chromium import PHONE, WIDE, OpenBrowser


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
