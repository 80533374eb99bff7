"""How soon pages are there on a poor phone: `make bench-pages`.

Chromium is slowed to a quarter of its speed, and its connection to 1.6 Mbit/s with 150 ms there and
back. Of each page: when its largest part was painted (the median of five visits, nothing cached),
and the bytes of its scripts and styles, as they are sent.
"""

from __future__ import annotations

import shutil
import statistics
import sys
from typing import Any

from tests.browser.chromium import BROWSERS, Browser, start
from tests.golden.shots import served, sign_in
from unrot.cli.terminal import table

PAGES = ("/", "/models/plants", "/models/plants/monitor")
VISITS = 5
SLOWER = 4
SLOW_4G = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 750_000 / 8,
}
MOST_SECONDS, MOST_BYTES = 1.0, 60_000
PAINTED = """
const done = arguments[arguments.length - 1];
new PerformanceObserver((list) => done(list.getEntries().at(-1).startTime))
  .observe({ type: "largest-contentful-paint", buffered: true });
"""
BYTES = """
return performance.getEntriesByType("resource")
  .filter((one) => ["script", "link"].includes(one.initiatorType) && !one.name.includes("favicon"))
  .reduce((sum, one) => sum + one.encodedBodySize, 0);
"""


def main() -> int:
    """Measure all; return how many pages are too slow or too large."""
    binary = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        print("Chromium is missing: install chromium and chromium-driver.", file=sys.stderr)
        return 1
    rows, wrong = [("page", "largest paint", "scripts and styles, sent")], 0
    with served() as home, start(binary, driver, scripts=True) as opened:
        browser = Browser(opened, home.url)
        sign_in(browser)
        slow_down(opened)
        for page in PAGES:
            painted = statistics.median(visit(browser, page) for _ in range(VISITS))
            size = int(opened.execute_script(BYTES))
            wrong += painted > MOST_SECONDS or size > MOST_BYTES
            rows.append((page, f"{painted:.2f} s", f"{size / 1000:.1f} kB"))
    print(table(rows))
    return wrong


def slow_down(driver: Any) -> None:
    """Make it a poor phone."""
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", SLOW_4G)
    driver.execute_cdp_cmd("Emulation.setCPUThrottlingRate", {"rate": SLOWER})


def visit(browser: Browser, page: str) -> float:
    """Open a page anew; return the seconds until its largest part was painted."""
    browser.driver.get("about:blank")
    browser.visit(page)
    return float(browser.driver.execute_async_script(PAINTED)) / 1000


if __name__ == "__main__":
    sys.exit(main())
