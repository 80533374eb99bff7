"""Learning in a real browser: an audit by keyboard, a job that goes on while one looks."""

from __future__ import annotations

import pytest

from tests.browser.chromium import PHONE, WIDE, Browser, OpenBrowser
from tests.conftest import OPERATOR, Server, wait_for
from tests.large_store import copy_of, predicted
from unrot.core.records import Job
from unrot.core.settings import Settings
from unrot.run.bootstrap import open_service
from unrot.serve.service import Service


@pytest.fixture
def service(server: Server) -> Service:
    """A second door to the store of the running server."""
    return open_service(Settings(home=server.home, admin_token=OPERATOR))


def answered(browser: Browser) -> str:
    return read(browser, "#audit-answer .said")


def read(browser: Browser, selector: str) -> str:
    """Read a text at one moment; parts of the page are swapped all the time."""
    script = "return document.querySelector(arguments[0])?.textContent ?? ''"
    return str(browser.driver.execute_script(script, selector))


def test_audit_is_gone_through_by_keyboard(
    open_browser: OpenBrowser, service: Service, server: Server
) -> None:
    predicted(service, 12, "iris")
    browser = open_browser(PHONE)
    browser.sign_in(server.operator_token)
    browser.visit("/models/iris/audits")
    browser.press("Begin an audit")

    browser.wait_for("0 of")
    browser.type("y")
    browser.wait_for("1 of")
    browser.type("n")
    browser.wait_for("What was it really?")
    browser.type("2")
    browser.wait_for("noted: wrong, it was Iris-")
    browser.type("u")
    browser.wait_for("1 of")
    shown = answered(browser)
    browser.type("n")
    browser.wait_for("What was it really?")
    browser.type("b")
    browser.wait_for("Skip")
    assert answered(browser) == shown
    while read(browser, "[data-key~='y']"):
        before = read(browser, "#audit-count")
        browser.type("y")
        wait_for(lambda: read(browser, "#audit-count") != before)  # noqa: B023

    assert "rows judged" in browser.text
    assert browser.too_wide() == 0
    assert browser.complaints() == []
    trusted = {row.prediction.id for row in service.store.lessons.trusted("iris", 1_000)}
    assert service.store.trials.audited("iris") <= trusted
    service.store.close()


def test_job_moves_on_while_one_looks(
    open_browser: OpenBrowser, service: Service, server: Server
) -> None:
    copy_of(service)
    store = service.store
    store.jobs.add(Job("f" * 16, "zombies", "weigh", {"version": "v2"}, service.clock(), "ada"))
    an_hour_on = service.clock() + 3600
    job = store.jobs.claim("the test", an_hour_on, 10.0)
    assert job is not None
    browser = open_browser(WIDE)
    browser.sign_in(server.operator_token)

    store.jobs.heartbeat(job, 0.25, "answering the anchor", an_hour_on)
    browser.visit("/models/zombies/versions/v2")
    bar = browser.find(".job-bar progress")
    assert bar.get_attribute("value") == "0.25"
    store.jobs.heartbeat(job, 0.75, "comparing", an_hour_on)
    browser.wait_for("comparing")
    browser.visit(f"/jobs/{job.id}")
    browser.wait_for("75 % · comparing")
    store.jobs.end(job, service.clock(), result={})
    browser.wait_for("It weighed v2")

    assert browser.driver.find_elements("css selector", "[data-live]") == []
    assert browser.complaints() == []
    store.close()


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_job_that_somebody_begins_pushes_nothing_down(
    open_browser: OpenBrowser, service: Service, server: Server, size: tuple[int, int]
) -> None:
    version = copy_of(service).name
    store, now = service.store, service.clock()
    browser = open_browser(size)
    browser.sign_in(server.operator_token)
    browser.visit("/models/zombies/versions")
    tops = "return ['.versions', '#learn-title'].map((one) => document.querySelector(one)"
    tops += ".getBoundingClientRect().top)"
    before = browser.driver.execute_script(tops)

    store.jobs.add(Job(f"{size[0]:016x}", "zombies", "weigh", {"version": version}, now, "ada"))
    job = store.jobs.claim("the test", now + 3600, 10.0)
    assert job is not None
    store.jobs.heartbeat(job, 0.25, f"weighing {version} against v1", now + 3600)
    wait_for(lambda: f"Weigh {version} weighing" in read(browser, ".job-bar p"), 20)
    during = browser.driver.execute_script(tops)
    store.jobs.end(job, service.clock(), result={})
    wait_for(lambda: "done." in read(browser, ".job-bar p"), 20)
    after = browser.driver.execute_script(tops)

    assert before[0] > before[1] > 0
    assert during == before
    assert after == before
    assert browser.complaints() == []
    store.close()
