"""axe-core finds nothing on any page of the made-up home, on a desktop and on a phone.

One is light and the other dark; `make shots` looks at all four.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser.chromium import Browser
from tests.golden.shots import (
    AXE,
    GET_AXE,
    SIZES,
    Served,
    look,
    served,
    sign_in,
    violations,
)
from tests.skips import needs


@pytest.fixture(scope="module")
def home() -> Iterator[Served]:
    needs("axe-core", AXE.exists(), GET_AXE, is_free_to_get=False)
    with served() as made:
        yield made


@pytest.mark.parametrize(("width", "theme"), [("1280", "light"), ("390", "dark")])
def test_axe_finds_nothing_on_any_page(
    home: Served, chromium: Callable[[bool], Any], width: str, theme: str
) -> None:
    browser = Browser(chromium(True), home.url)
    sign_in(browser)

    found = {}
    for path in home.pages:
        look(browser, path, SIZES[width], theme)
        found[path] = violations(browser)

    assert {path: said for path, said in found.items() if said} == {}
