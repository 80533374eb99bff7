"""Pages that follow what others do, in a real browser: what changes, what is said, what stays."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from typing import Any

from tests.browser.chromium import PHONE, WIDE, Browser, OpenBrowser
from tests.browser.test_journey import EXAMPLE
from tests.conftest import VIEWER, Server, wait_for

QUICK = """
const later = window.setTimeout;
window.setTimeout = (work, wait, ...more) => later(work, wait >= 1000 ? wait / 10 : wait, ...more);
const ask = window.fetch;
window.asked = [];
window.fetch = (...given) => { window.asked.push(String(given[0])); return ask(...given); };
"""
"""Lets ten seconds be one, and writes down what is asked for."""
TOAST = "return document.querySelector('.toast [role=status]').textContent"


def open_live(open_browser: OpenBrowser, path: str, size: tuple[int, int] = WIDE) -> Browser:
    browser = open_browser(size)
    browser.sign_in(VIEWER)
    browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": QUICK})
    browser.visit(path)
    wait_for(lambda: script(browser, "return window.asked.length > 0"))
    script(browser, "window.kept = true")
    return browser


def script(browser: Browser, source: str, *given: Any) -> Any:
    return browser.driver.execute_script(source, *given)


def call(server: Server, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Call the API as somebody else."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {VIEWER}"}
    address = f"{server.url}/api/v1{path}"
    given = urllib.request.Request(address, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(given) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def vote(server: Server) -> list[int]:
    """Ask iris as somebody else, say that it was right; return what is counted when it is."""
    before = counted(server)
    row = dict(zip(EXAMPLE, (5.1, 3.5, 1.4, 0.2), strict=True))
    told = call(server, "/models/iris/predict", {"inputs": row})
    call(server, "/feedback", {"id": told["data"]["id"], "was_correct": True})
    wait_for(lambda: counted(server)[1] > before[1], 20)
    return counted(server)


def counted(server: Server) -> list[int]:
    """Return how many predictions and verdicts of today the page of iris tells anybody."""
    with urllib.request.urlopen(f"{server.url}/models/iris") as answer:
        facts = answer.read().decode().partition("<dt>Today</dt>")[2].partition("</dd>")[0]
    return [int(word) for word in re.sub("<[^>]*>", " ", facts).split() if word.isdigit()]


def today(browser: Browser) -> list[int]:
    """Return how many predictions and verdicts the page says that there were today."""
    source = """return [...document.querySelectorAll('.facts dt')]
        .find((one) => one.textContent == 'Today').nextElementSibling.textContent"""
    words = str(script(browser, source)).split()
    return [int(word) for word in words if word.isdigit()]


def test_verdict_of_somebody_else_is_shown_and_said_while_one_types(
    open_browser: OpenBrowser, server: Server
) -> None:
    browser = open_live(open_browser, "/models/iris")
    for name, value in zip(EXAMPLE, ("6.5", "3.0", "5.5", "1.8"), strict=True):
        browser.fill(name, value)
    browser.press("Predict")
    browser.wait_for("Was it right?")
    browser.press("Wrong")
    browser.wait_for("What was it really?")
    browser.fill("comment", "Half a sent")
    wait_for(lambda: script(browser, TOAST) == "1 more verdict.", 20)  # their own
    script(browser, "document.querySelector('.toast button').click()")
    assert script(browser, TOAST) == ""

    now = vote(server)
    wait_for(lambda: today(browser)[1] == now[1], 20, lambda: str((today(browser), now)))
    wait_for(lambda: script(browser, TOAST) == "1 more verdict.", 20)
    browser.type("ence")

    assert browser.find("[name='comment']").get_attribute("value") == "Half a sentence"
    assert browser.focused_name == "comment"
    assert script(browser, "return window.kept")
    browser.press("Dismiss")
    assert script(browser, TOAST) == ""
    assert browser.complaints() == []


def test_tile_of_home_changes_and_focus_stays(open_browser: OpenBrowser, server: Server) -> None:
    browser = open_live(open_browser, "/", PHONE)
    script(browser, "document.querySelector('.fleet a').focus()")
    focused, before = browser.focused, browser.text

    vote(server)
    wait_for(lambda: browser.text != before, 20)

    assert (script(browser, "return window.kept"), browser.focused) == (True, focused)
    assert browser.too_wide() == 0


def test_hidden_page_asks_nothing_and_catches_up(open_browser: OpenBrowser, server: Server) -> None:
    browser = open_live(open_browser, "/models/iris")
    browser.driver.minimize_window()
    wait_for(lambda: script(browser, "return document.hidden"))
    script(browser, "window.asked = []")

    now = vote(server)
    time.sleep(1.5)
    assert script(browser, "return window.asked") == []
    browser.driver.set_window_rect(0, 0, *WIDE)

    wait_for(lambda: today(browser)[1] == now[1], 20)


def test_page_that_nothing_happens_to_is_not_fetched_again(open_browser: OpenBrowser) -> None:
    browser = open_live(open_browser, "/models/zombies/versions")

    wait_for(lambda: script(browser, "return window.asked.length > 3"))

    assert set(script(browser, "return window.asked")) == {"/models/zombies/news"}
    assert browser.complaints() == []


def test_part_of_which_one_selects_text_waits(open_browser: OpenBrowser, server: Server) -> None:
    browser = open_live(open_browser, "/models/iris/monitor?range=day")
    said = browser.text_of("#part-figures")
    script(browser, "getSelection().selectAllChildren(document.querySelector('#part-figures'))")

    vote(server)
    wait_for(lambda: script(browser, TOAST) != "", 20)
    assert browser.text_of("#part-figures") == said
    script(browser, "getSelection().removeAllRanges()")

    wait_for(lambda: browser.text_of("#part-figures") != said, 20)
    assert script(browser, "return window.kept")
