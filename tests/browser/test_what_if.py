"""What if: sliders that move the answer on a desk and on a phone, by keyboard; and a form."""

from __future__ import annotations

import pytest

from tests.browser.chromium import PHONE, WIDE, OpenBrowser

SLIDE = """
const field = document.getElementsByName(arguments[0])[0];
const slider = document.querySelector(`[data-slides="${field.id}"]`);
slider.value = arguments[1];
slider.dispatchEvent(new Event("input", { bubbles: true }));
"""
NOW = "return document.querySelector('[data-now]').textContent"


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["desk", "phone"])
def test_slider_moves_the_answer(open_browser: OpenBrowser, size: tuple[int, int]) -> None:
    browser = open_browser(size)
    browser.visit("/models/iris/what-if")

    browser.driver.execute_script(SLIDE, "petal_width_cm", 2.3)
    browser.wait_for("along petal width")
    browser.driver.execute_script(SLIDE, "petal_length_cm", 6.0)
    browser.wait_for("along petal length")

    assert "Iris-virginica" in browser.driver.execute_script(NOW)
    assert "On average over" in browser.text
    assert browser.too_wide() <= 0
    assert browser.complaints() == []


def test_field_moves_the_answer_by_keyboard(open_browser: OpenBrowser) -> None:
    browser = open_browser(WIDE)
    browser.visit("/models/iris/what-if")

    browser.fill("petal_width_cm", "2.3")

    browser.wait_for("along petal width")
    assert browser.focused_name == "petal_width_cm"


def test_answer_leads_to_what_if_without_scripts(open_browser: OpenBrowser) -> None:
    browser = open_browser(PHONE, scripts=False)
    browser.visit("/models/iris")
    browser.press("Predict")
    browser.wait_for("What if it were otherwise?")

    browser.press("What if it were otherwise?")
    browser.wait_for("not kept")
    browser.press("Show")

    browser.wait_for("not kept")
    assert "Now: Iris-" in browser.text
    assert browser.too_wide() <= 0
    assert browser.complaints() == []
