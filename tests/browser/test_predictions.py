"""Predictions in a real browser: the surest mistake in three clicks, and filters by a form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from tests.browser.chromium import PHONE, WIDE, OpenBrowser
from tests.conftest import OPERATOR, Server
from tests.large_store import ADA, ship
from tests.learning_model import zombies_of
from unrot.core.settings import Settings
from unrot.run.bootstrap import open_service

PATH = "/models/zombies/predictions"


@pytest.fixture(scope="module")
def server(start_shared_server: Callable[..., Server]) -> Server:
    """A server whose verdicts are those of these tests."""
    return start_shared_server()


@pytest.fixture(scope="module")
def surest(server: Server) -> Iterator[str]:
    """Forty zombies, every second of which is said to be wrong; return the id of the surest."""
    service = open_service(Settings(home=server.home, admin_token=OPERATOR))
    made = service.predict("zombies", [row for row, _ in zombies_of(40, seed=7)]).predictions
    service.judge_many(
        [{"id": one.id, "was_correct": at % 2 == 0} for at, one in enumerate(made)], ADA
    )
    ship(service)
    wrong = [one for at, one in enumerate(made) if at % 2]
    most = max(wrong, key=lambda one: max(one.probabilities or [0.0]))
    yield most.id or ""
    service.store.close()


def test_surest_mistake_is_three_clicks_from_home(
    open_browser: OpenBrowser, server: Server, surest: str
) -> None:
    browser = open_browser()
    browser.sign_in(server.operator_token)
    browser.visit("/")

    browser.press("Zombies")
    browser.press("Recent predictions")
    browser.press("Surest wrong first")

    first = browser.find("tbody tr th a").get_attribute("href")
    assert urlsplit(first).path == f"/p/{surest}"
    assert browser.find("tbody tr .badge").text == "wrong"
    assert browser.complaints() == []


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "none"])
def test_predictions_are_filtered_by_a_form(
    open_browser: OpenBrowser, server: Server, surest: str, size: tuple[int, int], scripts: bool
) -> None:
    browser = open_browser(size, scripts=scripts)
    browser.visit("/login")
    browser.fill("token", server.operator_token)
    browser.find("main form button").click()
    browser.wait_for("Sign out")
    browser.visit(PATH)
    browser.find("#filters > summary").click()

    browser.find("#verdict option[value='wrong']").click()
    browser.fill("from.hunger", "0")
    browser.press("Show")

    browser.wait_for("verdict: wrong")
    query = urlsplit(browser.driver.current_url).query
    assert "verdict=wrong" in query and "from.hunger=0" in query
    assert ("answer=" in query) is not scripts  # Only a script leaves empty fields out.
    badges = browser.driver.find_elements("css selector", "tbody .badge")
    assert 0 < len(badges) <= 20 and {one.text for one in badges} == {"wrong"}
    assert browser.too_wide() == 0
    browser.find(".filters a").click()
    browser.wait_for("hunger: from 0")
    assert "verdict: wrong" not in browser.text
