"""The monitor page in a real browser: charts by pointer, keys and without scripts; live."""

from __future__ import annotations

import json
import shutil
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import PHONE, WIDE, Browser, OpenBrowser
from tests.conftest import VIEWER, Server, begin, end, wait_for
from tests.learning_model import School
from unrot.core.settings import Settings
from unrot.run.bootstrap import open_service
from unrot.watch.monitors.drift import look as drift
from unrot.watch.visit import Visit

MINUTE, HOUR = 60, 3_600
PAGE = "/models/zombies/monitor?range=day"
CHARTS = ("accuracy", "traffic", "lately", "latency")
ARROW_LEFT, HOME_KEY, ENTER, ESCAPE = "\ue012", "\ue011", "\ue007", "\ue00c"
ROW = {"hunger": 0.1, "shamble": 0.2, "groan_pitch": 0.3, "decay": 0.4}

QUICK = """
const later = window.setTimeout;
window.setTimeout = (work, wait, ...more) => later(work, wait >= 1000 ? 200 : wait, ...more);
const ask = window.fetch;
window.asked = 0;
window.fetch = (...given) => { window.asked++; return ask(...given); };
"""
"""Renews the page five times a second, and counts what it asks for."""


@pytest.fixture(scope="module")
def server(trained_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with three hours of traffic; the last one is of mutants."""
    home = tmp_path_factory.mktemp("watched") / "home"
    shutil.copytree(trained_once, home)
    now = (time.time() // HOUR - 3) * HOUR
    service = replace(open_service(Settings(home=home, rotation_seconds=HOUR)), clock=lambda: now)
    school = School(service)
    for number in range(3):
        school.taught(120, seed=number, mutated=number == 2)
        now += HOUR
    now += MINUTE
    school.caretaker._profiles.write_ended(now)
    while service.store.verdicts.count_new(1_000):
        pass
    rules = service.store.findings.rules("zombies")
    list(drift.look(Visit(service, service.catalogue().model("zombies"), rules, now)))
    service.journal.release()  # else its caretaker would wait for whoever writes it to end
    service.store.close()
    started = begin(home)
    yield started
    end([started])


def script(browser: Browser, source: str, *given: Any) -> Any:
    return browser.driver.execute_script(source, *given)


def tip(browser: Browser, name: str) -> str:
    """Return what is said of a place of a chart, once something is."""
    source = (
        "return document.querySelector(`#chart-${arguments[0]} .tip:not([hidden])`)?.textContent"
    )
    return str(script(browser, source, name) or "")


def point_at(browser: Browser, selector: str) -> None:
    from selenium.webdriver import ActionChains

    element = browser.find(selector)
    script(browser, "arguments[0].scrollIntoView({block: 'center'})", element)
    ActionChains(browser.driver).move_to_element(element).perform()


def focus(browser: Browser, selector: str) -> None:
    script(browser, "arguments[0].focus()", browser.find(selector))


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_charts_are_read_by_pointer_and_keys(
    open_browser: OpenBrowser, size: tuple[int, int]
) -> None:
    browser = open_browser(size)
    browser.sign_in(VIEWER)
    browser.visit(PAGE)
    open_folds(browser)

    for name in CHARTS:
        drawn = browser.find(f"#chart-{name} .plot > svg")
        assert drawn.size["width"] > 200 and drawn.size["height"] > 90
        assert len(drawn.get_attribute("aria-label")) > len(name)
        assert script(browser, "return arguments[0].querySelectorAll('path, .bar').length", drawn)

    point_at(browser, "#chart-accuracy .plot > svg")
    wait_for(lambda: "Accuracy: " in tip(browser, "accuracy"))
    focus(browser, "#chart-accuracy .plot")
    browser.type(HOME_KEY)
    first = tip(browser, "accuracy")
    browser.type("\ue014")
    assert "Accuracy: " in first and tip(browser, "accuracy") not in ("", first)
    browser.type(ESCAPE)
    assert tip(browser, "accuracy") == ""

    browser.find("#table-accuracy summary").click()
    assert "Time (UTC) Accuracy" in " ".join(browser.find("#table-accuracy").text.split())

    focus(browser, "#chart-drift .heat")
    browser.type("\ue010")
    assert "threshold" in tip(browser, "drift")
    browser.type(ENTER)
    browser.wait_for("Put it away")
    assert "#period" in browser.driver.current_url
    assert browser.find("#chart-period .plot > svg").size["width"] > 200
    browser.press("Put it away")
    wait_for(lambda: "Put it away" not in browser.text)
    assert browser.too_wide() == 0
    assert browser.complaints() == []


def test_dragging_over_a_chart_zooms_and_a_link_leads_back(open_browser: OpenBrowser) -> None:
    browser = open_browser()
    browser.sign_in(VIEWER)
    browser.visit(PAGE)
    shown = shown_times(browser)

    browser.drag(browser.find("#chart-traffic .plot"), (0.5, 0.5), (0.505, 0.5))
    assert shown_times(browser) == shown and "from=" not in browser.driver.current_url
    browser.drag(browser.find("#chart-traffic .plot"), (0.75, 0.2), (0.95, 0.8))
    browser.wait_for("Back to the last 24 hours")

    near = shown_times(browser)
    assert abs(near[0] - (shown[0] + 0.75 * 24 * HOUR)) < 10 * MINUTE
    assert abs(near[1] - (shown[0] + 0.95 * 24 * HOUR)) < 10 * MINUTE
    assert "from=" in browser.driver.current_url and "range=" not in browser.driver.current_url
    browser.drag(browser.find("#chart-accuracy .plot"), (0.25, 0.5), (0.75, 0.5))
    wait_for(lambda: shown_times(browser) != near)
    nearer = shown_times(browser)
    assert near[0] < nearer[0] < nearer[1] < near[1]
    browser.press("Recent predictions")
    browser.wait_for("Newest first")
    assert "from=" in browser.driver.current_url
    browser.press("Monitor")
    browser.wait_for("predictions in the time shown")
    assert shown_times(browser) == nearer
    browser.driver.back()
    browser.driver.back()
    browser.wait_for("Back to the last 24 hours")
    browser.press("Back to the last 24 hours")
    wait_for(lambda: shown_times(browser)[1] - shown_times(browser)[0] == 24 * HOUR)
    assert browser.complaints() == []


def shown_times(browser: Browser) -> tuple[float, float]:
    """Return the time that the chart of traffic shows."""
    source = "return document.querySelector('#chart-traffic .plot')?.dataset.times ?? '0 0'"
    first, last = map(float, script(browser, source).split())
    return first, last


def test_page_goes_on_by_itself_and_asks_nothing_while_hidden(
    open_browser: OpenBrowser, server: Server
) -> None:
    browser = open_browser()
    browser.sign_in(VIEWER)
    browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": QUICK})
    browser.visit(PAGE)
    browser.find("#table-traffic summary").click()
    focus(browser, "#chart-traffic .plot")
    browser.type(HOME_KEY)
    said = tip(browser, "traffic")
    script(browser, "window.kept = true")

    predicted(server)
    browser.wait_for("361 predictions in the last 24 hours")

    assert script(browser, "return window.kept")
    assert browser.find("#table-traffic").get_attribute("open")
    assert script(browser, "return document.activeElement.matches('#chart-traffic .plot')")
    assert tip(browser, "traffic") == said

    browser.driver.minimize_window()
    wait_for(lambda: script(browser, "return document.hidden"))
    asked = script(browser, "return window.asked")
    predicted(server)
    time.sleep(1)
    assert script(browser, "return [document.hidden, window.asked]") == [True, asked]

    browser.driver.set_window_rect(0, 0, *WIDE)
    browser.wait_for("362 predictions in the last 24 hours")


def test_page_works_without_scripts(open_browser: OpenBrowser) -> None:
    browser = open_browser(PHONE, scripts=False)
    browser.visit("/login")
    browser.fill("token", VIEWER)
    browser.find("main form button").click()
    browser.wait_for("Sign out")
    browser.visit(PAGE)

    open_folds(browser)
    browser.find("#table-drift summary").click()
    browser.find("#table-drift tbody a").click()

    browser.wait_for("Put it away")
    assert browser.find("#chart-period .plot > svg").size["width"] > 200
    assert browser.find("#chart-accuracy [data-spot] title").get_attribute("textContent")
    browser.press("7 days")
    browser.wait_for("in the last 7 days")


def open_folds(browser: Browser) -> None:
    """Open what comes after the first screen, as a person does."""
    for fold in browser.driver.find_elements("css selector", ".fold:not([open]) > summary"):
        fold.click()


def predicted(server: Server) -> None:
    body = json.dumps({"inputs": ROW}).encode()
    headers = {"Content-Type": "application/json"}
    address = f"{server.url}/api/v1/models/zombies/predict"
    with urllib.request.urlopen(urllib.request.Request(address, body, headers)) as answer:
        assert answer.status == 200
