"""The explorer in a real browser: a part that is brushed in one chart is picked in both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.browser.chromium import PHONE, WIDE, Browser, OpenBrowser
from tests.conftest import OPERATOR, Server
from tests.large_store import ADA, ship
from tests.learning_model import zombies_of
from unrot.core.settings import Settings
from unrot.run.bootstrap import open_service
from unrot.serve.service import Service

AT = "/models/zombies/explorer?left=first&right=last&x=hunger&y=decay"
PLOT = "[data-brush='explored']"
SHIFT, RIGHT, HOME = "\ue008", "\ue014", "\ue011"


@pytest.fixture(scope="module")
def rotten(server: Server) -> Iterator[Service]:
    """Zombies of two hours in the store of the running server; the later ones are mutants."""
    service = open_service(Settings(home=server.home, admin_token=OPERATOR))
    now = service.clock()
    for at, mutated in ((now - 7_200, False), (now - 60, True)):
        then = replace(service, clock=lambda at=at: at)
        drawn = zombies_of(60, seed=5, mutated=mutated)
        made = then.predict("zombies", [row for row, _ in drawn]).predictions
        given = zip(made, drawn, strict=True)
        then.judge_many([{"id": one.id, "label": truth} for one, (_, truth) in given], ADA)
        ship(then)
    yield service
    service.store.close()


def signed_in(open_browser: OpenBrowser, size: tuple[int, int], server: Server) -> Browser:
    browser = open_browser(size)
    browser.sign_in(server.operator_token)
    return browser


def plots(browser: Browser) -> list[Any]:
    return list(browser.driver.find_elements("css selector", PLOT))


def count(browser: Browser, selector: str) -> int:
    return len(browser.driver.find_elements("css selector", selector))


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_brush_in_one_chart_picks_in_both(
    open_browser: OpenBrowser, rotten: Service, server: Server, size: tuple[int, int]
) -> None:
    browser = signed_in(open_browser, size, server)
    browser.visit(AT)

    left, right = plots(browser)
    assert [len(one.find_elements("css selector", "[data-spot]")) for one in (left, right)] == [
        60,
        60,
    ]
    assert browser.too_wide() == 0
    browser.drag(left, (0.25, 0.25), (0.75, 0.75))
    browser.wait_for("In this range:")

    for plot in (left, right):
        outside = len(plot.find_elements("css selector", ".is-out"))
        said = plot.find_element("xpath", "..").find_element("css selector", "[data-brushed]").text
        assert 0 < outside < 60
        assert said.startswith(f"{60 - outside} rows selected")
        assert f"{60 - outside} rows, " in browser.text
    assert "x_from=" in browser.driver.current_url
    assert 0 < count(browser, "table.picked tbody tr") <= 20
    assert count(browser, ".chart-table") == 2
    assert all(one.find_element("css selector", "svg[role='img']") for one in (left, right))
    assert browser.too_wide() == 0

    shared = browser.driver.current_url
    listed = browser.text_of("[data-region='picked'] .picked-said")
    browser.driver.get(shared)
    assert browser.text_of("[data-region='picked'] .picked-said") == listed
    assert count(browser, f"{PLOT} .brushed") == 2

    browser.press("Show all")
    browser.wait_for("Nothing is picked yet")
    assert count(browser, f"{PLOT} .is-out") == 0
    assert "x_from" not in browser.driver.current_url
    assert browser.complaints() == []


def test_range_is_picked_by_keyboard(
    open_browser: OpenBrowser, rotten: Service, server: Server
) -> None:
    from selenium.webdriver import ActionChains

    browser = signed_in(open_browser, WIDE, server)
    browser.visit(AT)
    browser.driver.execute_script("arguments[0].focus()", plots(browser)[0])

    keys = ActionChains(browser.driver)
    keys.send_keys(HOME).key_down(SHIFT)
    for _ in range(6):
        keys.send_keys(RIGHT)
    keys.key_up(SHIFT).perform()
    browser.wait_for("In this range:")

    assert count(browser, f"{PLOT} .is-out") > 0
    browser.fill("x_from", "-1")
    browser.press("Pick")
    browser.wait_for("In this range:")
    assert "x_from=-1&" in f"{browser.driver.current_url}&"


def test_profiles_lie_over_each_other_at_any_width(
    open_browser: OpenBrowser, rotten: Service, server: Server
) -> None:
    browser = signed_in(open_browser, PHONE, server)

    browser.visit("/models/zombies/profiles?by=hour")

    assert count(browser, "figure.chart svg[role='img']") == 6
    assert "compared with the first that is ticked" in browser.text
    assert browser.too_wide() == 0
    assert browser.complaints() == []
