"""Somebody who was never here finds what they look for, at most three clicks away from home."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser.chromium import Browser
from tests.golden.shots import SIZES, Served, look, served, sign_in

WORST = "How are the plants?"
LOOKED_FOR = {
    "which model is worst": (
        (),
        f"1 is in trouble, 1 is healthy, 1 not known yet. Find a model Search {WORST}",
    ),
    "why": (("3 open findings",), "v1 is wrong more often: right in 36 % of 244"),
    "what to do": ((WORST, "Versions"), "Next: promote v6. The gate passed v6 beside v1"),
    "the row that was most surely wrong": (
        (WORST, "Recent predictions", "Surest wrong first"),
        "wrong",
    ),
    "the curl line": ((WORST, "Use it from code"), "api/v1/models/plants/predict \\ -H"),
    "the version of before": ((WORST, "Versions"), "v1 champion"),
    "the file to send to a colleague": ((WORST, "Monitor", "read it here"), "How it was counted"),
}


@pytest.fixture(scope="module")
def home() -> Iterator[Served]:
    with served() as made:
        yield made


@pytest.mark.parametrize("wanted", LOOKED_FOR)
def test_it_is_at_most_three_clicks_away(
    home: Served, chromium: Callable[[bool], Any], wanted: str
) -> None:
    browser = Browser(chromium(True), home.url)
    sign_in(browser)
    clicks, said = LOOKED_FOR[wanted]
    look(browser, "/", SIZES["1280"], "light")

    for click in clicks:
        press(browser, click)

    assert len(clicks) <= 3
    browser.wait_for(said)


def press(browser: Browser, words: str) -> None:
    """Press the first link, button or heading of a fold that says so."""
    names = (f"//{tag}[normalize-space()='{words}']" for tag in ("a", "button", "summary"))
    browser.driver.find_element("xpath", " | ".join(names)).click()
