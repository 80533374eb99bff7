"""What the frame of each page does by scripts: the reader's zone, a theme; and without them."""

from __future__ import annotations

from tests.browser.chromium import WIDE, OpenBrowser
from tests.conftest import VIEWER

PAGE = "/models/iris/versions"
GROUND = "return getComputedStyle(document.body).backgroundColor"
LIGHT, DARK = "rgb(245, 243, 236)", "rgb(17, 23, 20)"


def test_times_are_in_the_zone_of_the_reader_and_utc_when_pointed_at(
    open_browser: OpenBrowser,
) -> None:
    browser = open_browser(WIDE)
    browser.sign_in(VIEWER)
    zone = {"timezoneId": "Asia/Kolkata"}
    browser.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", zone)
    browser.visit(PAGE)
    browser.wait_for("Times are in your zone, Asia/")

    shown = browser.find("main time")
    hours = "return (Date.parse(arguments[0].replace(' ', 'T') + 'Z')"
    hours += " - Date.parse(arguments[1].replace(' UTC', 'Z').replace(' ', 'T'))) / 36e5"
    texts = (shown.text, shown.get_attribute("title"))

    assert texts[1].endswith(" UTC")
    assert browser.driver.execute_script(hours, *texts) == 5.5


def test_without_scripts_times_are_utc_and_no_theme_is_offered(open_browser: OpenBrowser) -> None:
    browser = open_browser(WIDE, scripts=False)
    browser.visit("/models/iris")

    assert "Times are UTC." in browser.text
    assert browser.find("main time").text.endswith(" UTC")
    assert not browser.find("footer select").is_displayed()


def test_theme_is_kept_from_page_to_page(open_browser: OpenBrowser) -> None:
    browser = open_browser(WIDE)
    browser.visit("/")
    before = browser.driver.execute_script(GROUND)
    browser.find("footer option[value='dark']").click()
    browser.visit("/login")
    dark = browser.driver.execute_script(GROUND)
    browser.find("footer option[value='']").click()
    after = browser.driver.execute_script(GROUND)

    assert (before, dark, after) == (LIGHT, DARK, LIGHT)
    assert browser.complaints() == []
