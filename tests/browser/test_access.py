"""Tokens and the audit log in a real browser: made, shown once, revoked, and told of."""

from __future__ import annotations

import re

import pytest

from tests.browser.chromium import NARROW, WIDE, OpenBrowser
from tests.conftest import Server


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_token_is_made_used_and_revoked_and_the_log_tells_of_it(
    open_browser: OpenBrowser, server: Server, width: tuple[int, int]
) -> None:
    name, browser = f"ada {width[0]}", open_browser(width)
    browser.sign_in(server.operator_token)
    browser.visit("/tokens")
    widths = [browser.too_wide()]
    browser.find("#name").send_keys(name)
    browser.press("Make a token")
    browser.wait_for(f"The token of {name}")
    widths.append(browser.too_wide())
    found = re.search(r"unrot_[\w-]{43}", browser.text)
    assert found

    browser.sign_in(found[0])
    browser.visit("/operations")
    assert "Audit log" not in browser.text
    browser.sign_in(server.operator_token)
    browser.visit("/tokens")
    browser.find(f"[aria-label='Revoke the token of {name}']").click()
    browser.wait_for(f"The token of {name} is revoked")
    widths.append(browser.too_wide())
    browser.visit("/audit-log")
    widths.append(browser.too_wide())

    assert "revoke token" in browser.text
    assert found[0] not in browser.text
    assert widths == [0, 0, 0, 0]
    assert browser.complaints() == []
