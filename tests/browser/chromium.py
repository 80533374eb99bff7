"""A headless Chromium in the words of a person: visit, press, fill, read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import wait_for

WIDE, PHONE, NARROW = (1280, 900), (390, 844), (360, 740)
PATIENCE_SECONDS = 15
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")

OpenBrowser = Callable[..., "Browser"]


class Browser:
    """A headless Chromium on one server, in the words of a person."""

    def __init__(self, driver: Any, url: str) -> None:
        self.driver = driver
        self.url = url

    def visit(self, path: str) -> None:
        self.driver.get(self.url + path)

    def find(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def named(self, name: str) -> Any:
        """Return the button or link that carries a name."""
        found = f"//button[normalize-space()='{name}'] | //a[normalize-space()='{name}']"
        return self.driver.find_element("xpath", found)

    def text_of(self, selector: str) -> str:
        """Read a place of the page at one moment: what is new takes the place of its parts."""
        said = "return document.querySelector(arguments[0]).innerText"
        return str(self.driver.execute_script(said, selector))

    def press(self, name: str) -> None:
        """Press a button or follow a link; where it was just swapped for a newer one, that one."""
        from selenium.common.exceptions import StaleElementReferenceException

        try:
            self.named(name).click()
        except StaleElementReferenceException:
            self.named(name).click()

    def fill(self, name: str, value: str) -> None:
        field = self.find(f"[name='{name}']")
        field.clear()
        field.send_keys(value)

    def wait_for(self, text: str) -> None:
        wait_for(
            lambda: self._holds(text) and text in self.text, PATIENCE_SECONDS, lambda: self.text
        )

    def _holds(self, text: str) -> bool:
        """Tell whether the page has a text at all, also where nobody reads it.

        What a person reads is found out in a tenth of a second, or in one: it is asked for then.
        """
        from selenium.common.exceptions import WebDriverException

        try:
            held = self.driver.execute_script("return document.body.textContent")
        except WebDriverException:
            return False
        return _squeezed(text) in _squeezed(held)

    @property
    def text(self) -> str:
        """What a person reads; nothing while one page gives way to the next."""
        from selenium.common.exceptions import WebDriverException

        try:
            return " ".join(self.find("body").text.split())
        except WebDriverException:
            return ""

    @property
    def focused(self) -> str:
        return " ".join(self.driver.switch_to.active_element.text.split())

    @property
    def focused_name(self) -> str | None:
        name: str | None = self.driver.switch_to.active_element.get_attribute("name")
        return name

    def type(self, *keys: str) -> None:
        """Press keys wherever the focus is."""
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def drag(self, plot: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag over a plot, from one place to another in shares of it."""
        from selenium.webdriver import ActionChains

        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", plot)
        svg = plot.find_element("css selector", "svg")
        size = svg.size
        places = [
            (round(size["width"] * (x - 0.5)), round(size["height"] * (y - 0.5)))
            for x, y in (start, ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2), end)
        ]
        chain = ActionChains(self.driver, duration=20)
        chain.move_to_element_with_offset(svg, *places[0]).click_and_hold()
        for place in places[1:]:
            chain.move_to_element_with_offset(svg, *place)
        chain.release().perform()

    def tab_to(self, name: str) -> None:
        """Press Tab until something that carries a name has the focus."""
        for _ in range(40):
            self.type("\ue004")
            focused = self.driver.switch_to.active_element
            if name in (focused.text.strip(), focused.get_attribute("name")):
                return
        pytest.fail(f"Tab never reaches {name}.")

    def keep_downloads_in(self, folder: Path) -> None:
        given = {"behavior": "allow", "downloadPath": str(folder)}
        self.driver.execute_cdp_cmd("Browser.setDownloadBehavior", given)

    def complaints(self) -> list[str]:
        """Return what the console said since the last time, refused resources included."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def too_wide(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        page = "document.documentElement"
        return int(self.driver.execute_script(f"return {page}.scrollWidth - {page}.clientWidth"))

    def sticking_out(self) -> list[str]:
        """Return how what is wider than the window begins, so that a failure says what it was."""
        found: list[str] = self.driver.execute_script(
            "const width = document.documentElement.clientWidth;"
            "return [...document.querySelectorAll('body *')]"
            ".filter((one) => one.getBoundingClientRect().right > width)"
            ".map((one) => one.outerHTML.slice(0, 300))"
        )
        return found

    def scrolled(self) -> float:
        """Return by how many pixels the page is scrolled down."""
        return float(self.driver.execute_script("return scrollY"))

    def sign_in(self, token: str) -> None:
        self.visit(f"/login#token={token}")
        self.wait_for("Sign out")


def _squeezed(text: str) -> str:
    """Return a text as it is alike in the document and on the screen."""
    return "".join(text.split()).casefold()


def start(binary: str, chromedriver: str, *, scripts: bool) -> Any:
    """Start a Chromium that runs scripts or does not."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--lang=en-GB"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    if not scripts:
        blocked = {"profile.managed_default_content_settings.javascript": 2}
        options.add_experimental_option("prefs", blocked)
    return webdriver.Chrome(options, webdriver.ChromeService(chromedriver))
