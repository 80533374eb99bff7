"""Photograph every page of the made-up home: `make shots`.

Each page is taken as the operator sees it, with its folds as they come, at 1280 and 390 pixels, in
the light and in the dark. What is wider than its window, longer at 1280 than a page may
be, or moves after it was painted, is named; and what axe-core finds, where that is installed.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from tests.browser.chromium import BROWSERS, Browser, start
from tests.conftest import ROOT, environment
from tests.golden import seen
from tests.golden.home import TOKENS

SIZES = {"1280": (1280, 800), "390": (390, 844)}
THEMES = ("light", "dark")
LONGEST = 2_200
LONG_BY_NATURE = re.compile(
    r"/explorer|/predictions|/audit-log|/outliers|/apidocs|/profiles|/report"
)
MOVED = """
const done = arguments[arguments.length - 1];
let moved = 0;
const watch = new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) moved += one.value;
});
watch.observe({type: "layout-shift", buffered: true});
setTimeout(() => done(moved), 50);
"""
LEAST_MOVED = 0.001
"""Layout shift, as browsers reckon it: less is an edge between two pixels."""
AXE = Path(os.environ.get("UNROT_AXE", ROOT / "node_modules/axe-core/axe.min.js"))
GET_AXE = "npm install --no-save axe-core, or say in UNROT_AXE where axe.min.js lies"
FIND = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ["violations"]}).then(
  (found) => done(found.violations.map(
    ({id, nodes}) => [id, nodes[0].target.join(" "), nodes.length])),
  (error) => done([["axe", String(error), 1]]));
"""


@dataclass(frozen=True)
class Served:
    """The made-up home at an address."""

    url: str
    pages: tuple[str, ...]
    """Each by one address: what is there, and what is not."""


@contextmanager
def served() -> Iterator[Served]:
    """Serve the made-up home, in a process in which time stands still."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.golden.serve"]
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(Path(folder)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            assert process.stdin and process.stdout
            try:
                told = json.loads(process.stdout.readline())
                listed = seen.paths(told["names"])
                yield Served(told["url"], tuple(dict.fromkeys(chain(*listed.values()))))
            finally:
                process.stdin.close()
                process.wait(30)


def look(browser: Browser, path: str, size: tuple[int, int], theme: str) -> int:
    """Open a page in a window and a theme; return how long it is with its folds closed."""
    tell = browser.driver.execute_cdp_cmd
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
    tell("Emulation.setDeviceMetricsOverride", metrics)
    tell("Emulation.setScrollbarsHidden", {"hidden": True})
    scheme = [{"name": "prefers-color-scheme", "value": theme}]
    tell("Emulation.setEmulatedMedia", {"features": scheme})
    browser.visit(path)
    return int(
        browser.driver.execute_script(
            "const open = [...document.querySelectorAll('details[open]')];"
            "for (const one of open) one.open = false;"
            "const long = document.documentElement.scrollHeight;"
            "for (const one of open) one.open = true; return long;"
        )
    )


def violations(browser: Browser) -> list[str]:
    """Return what axe-core finds on the page that is open."""
    browser.driver.execute_script(AXE.read_text("utf-8"))
    found = browser.driver.execute_async_script(FIND)
    return [f"{rule} at {where} ({count})" for rule, where, count in found]


def moved(browser: Browser) -> float:
    """Return how far what was painted first has been pushed about since (layout shift)."""
    return float(browser.driver.execute_async_script(MOVED))


def take(browser: Browser, file: Path) -> None:
    """Photograph the whole page that is open, in a window as long as it is."""
    width, long = browser.driver.execute_script(
        "return [innerWidth, document.documentElement.scrollHeight]"
    )
    metrics = {"width": width, "height": long, "deviceScaleFactor": 1, "mobile": False}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    shot: Any = browser.driver.execute_cdp_cmd(
        "Page.captureScreenshot", {"captureBeyondViewport": True, "format": "png"}
    )
    file.write_bytes(base64.b64decode(shot["data"]))


def sign_in(browser: Browser) -> None:
    """Sign in as the operator."""
    browser.sign_in(TOKENS["operator"])


def main(folder: Path) -> int:
    """Take all; say what is wrong and return how much."""
    binary = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        print("Chromium is missing: install chromium and chromium-driver.", file=sys.stderr)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    wrong = 0
    if not AXE.exists():
        print(f"axe-core is missing, so nothing is said of it: {GET_AXE}.")
    with served() as home, start(binary, driver, scripts=True) as opened:
        browser = Browser(opened, home.url)
        sign_in(browser)
        for path in home.pages:
            for width, size in SIZES.items():
                for theme in THEMES:
                    for said in _photographed(browser, path, width, size, theme, folder):
                        wrong += 1
                        print(f"{path} {width} {theme}: {said}", flush=True)
        print(f"{len(list(folder.glob('*.png')))} pictures are in {folder}.")
    return int(wrong > 0)


def _photographed(
    browser: Browser, path: str, width: str, size: tuple[int, int], theme: str, folder: Path
) -> Iterator[str]:
    long = look(browser, path, size, theme)
    name = re.sub(r"[^\w.=-]+", "-", path).strip("-") or "home"
    if browser.too_wide() > 0:
        yield f"{browser.too_wide()} pixels too wide"
    if width == "1280" and long > LONGEST and not LONG_BY_NATURE.search(path):
        yield f"{long:,} pixels long"
    if (far := moved(browser)) >= LEAST_MOVED:
        yield f"what was there moved by {far:.3f}"
    if AXE.exists():
        yield from violations(browser)
    take(browser, folder / f"{name[:80]}.{width}.{theme}.png")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
