"""One Chromium with scripts and one without for all tests of a process: to start one takes seconds.

Each test has a tab of its own, in which nobody is signed in.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from importlib.util import find_spec
from typing import Any

import pytest

from tests.browser.chromium import BROWSERS, WIDE, Browser, OpenBrowser, start
from tests.conftest import Server
from tests.skips import needs


@pytest.fixture(scope="session")
def chromium() -> Iterator[Callable[[bool], Any]]:
    """Return a Chromium that runs scripts or does not; it is started when it is first asked for."""
    binary = next(filter(None, map(shutil.which, BROWSERS)), None)
    chromedriver = shutil.which("chromedriver")
    needs("selenium", find_spec("selenium") is not None, "pip install -r requirements-dev.txt")
    needs("Chromium", binary is not None, "install chromium")
    needs("chromedriver", chromedriver is not None, "install chromium-driver")
    with ExitStack() as opened:
        yield cache(
            lambda scripts: opened.enter_context(
                start(str(binary), str(chromedriver), scripts=scripts)
            )
        )


@pytest.fixture
def open_browser(server: Server, chromium: Callable[[bool], Any]) -> Iterator[OpenBrowser]:
    """Open a tab of any size, with or without scripts, as somebody who was never here.

    Its last page is left when the test ends: a live one would ask the server until all tests end.
    """
    used: list[Any] = []

    def open_one(size: tuple[int, int] = WIDE, *, scripts: bool = True) -> Browser:
        driver = chromium(scripts)
        used.append(driver)
        _forget(driver)
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        return Browser(driver, server.url)

    yield open_one
    for driver in used:
        driver.get("about:blank")


def _forget(driver: Any) -> None:
    """Leave a single fresh tab, without cookies, cache and what the console said."""
    before = driver.window_handles
    driver.switch_to.new_window("tab")
    kept = driver.current_window_handle
    for handle in before:
        driver.switch_to.window(handle)
        driver.close()
    driver.switch_to.window(kept)
    driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    driver.get_log("browser")
