"""Pages of another site with a model in them: by script, and by a frame without scripts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.browser.chromium import PHONE, WIDE, Browser, OpenBrowser
from tests.conftest import Server, free_port


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[str]:
    """Another site: the same machine by another name."""
    port = free_port()
    server = ThreadingHTTPServer(("127.0.0.1", port), partial(Silent, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def served(start_shared_server: Callable[..., Server], site: str) -> Server:
    return start_shared_server(UNROT_CORS_ORIGINS=site, UNROT_FRAME_ORIGINS=site)


def pasted(browser: Browser, served: Server, snippet: str, folder: Path) -> None:
    """Put what the page shows into a page of the other site."""
    browser.driver.get(f"{served.url}/models/iris/elsewhere")
    text = browser.find(f"#{snippet}").get_attribute("textContent")
    head = '<!doctype html><meta name="viewport" content="width=device-width"><title>A shop</title>'
    (folder / "page.html").write_text(head + (text or ""))


def test_script_predicts_and_hears_in_a_page_of_another_site(
    open_browser: OpenBrowser, served: Server, site: str, folder: Path
) -> None:
    browser = open_browser(WIDE)
    pasted(browser, served, "elsewhere-script", folder)

    browser.driver.get(f"{site}/page.html")
    browser.wait_for("Iris-")
    browser.find("[aria-label='Right']").click()
    browser.wait_for("Thank you.")

    assert browser.find("[aria-label='Right']").get_attribute("aria-pressed") == "true"
    assert browser.find("[role='status']").text == "Thank you."


def test_script_of_a_site_that_is_not_listed_learns_nothing(
    open_browser: OpenBrowser, server: Server, site: str, folder: Path
) -> None:
    browser = open_browser(WIDE)
    pasted(browser, server, "elsewhere-script", folder)

    browser.driver.get(f"{site}/page.html")
    browser.driver.set_script_timeout(10)
    said = browser.driver.execute_async_script(
        "const done = arguments[0];"
        "new Unrot('iris').predict({}).then(() => done('answered'), (error) => done(error.message))"
    )

    assert "fetch" in said


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_form_in_a_frame_answers_and_hears(
    open_browser: OpenBrowser, served: Server, site: str, folder: Path, scripts: bool
) -> None:
    browser = open_browser(PHONE, scripts=scripts)
    pasted(browser, served, "elsewhere-frame", folder)

    browser.driver.get(f"{site}/page.html")
    browser.driver.switch_to.frame(browser.find("iframe"))
    browser.press("Predict")
    browser.wait_for("Was it right?")
    browser.press("Right")
    browser.wait_for("Thank you.")

    assert browser.too_wide() <= 0


def test_frame_of_a_site_that_is_not_listed_stays_empty(
    open_browser: OpenBrowser, server: Server, site: str, folder: Path
) -> None:
    browser = open_browser(WIDE)
    pasted(browser, server, "elsewhere-frame", folder)

    browser.driver.get(f"{site}/page.html")
    browser.driver.switch_to.frame(browser.find("iframe"))

    assert "Predict" not in browser.text
