"""What charts cost: drawn by our server, or by Vega-Lite from Altair's specs: `make bench-charts`.

The same four charts on both sides (accuracy with its band and two more lines; two scatters of 300
points that are brushed together; traffic), with tooltips, in one run on one machine: bytes over the
wire, memory of the process that makes them, seconds until all of it is drawn in headless Chromium
on a fast line and on a phone's. The ratios hold; the times move with the machine.

Needs, beside requirements-dev.txt: pip install altair vl-convert-python, and Chromium.
"""

from __future__ import annotations

import gzip
import importlib
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 7
SINCE, STEP, COUNT, POINTS = 1_793_491_200, 900, 96, 300
FAIR = {"latency": 60, "downloadThroughput": 500_000, "uploadThroughput": 250_000}
PHONE = {"offline": False, **FAIR}
"""A phone on a fair connection: 4 Mbit/s and 60 ms."""

DRAWN = """
const drawn = () => document.querySelectorAll(document.body.dataset.marks).length;
(function look() {
  if (drawn() < Number(document.body.dataset.count)) return requestAnimationFrame(look);
  requestAnimationFrame(() => { window.seconds = performance.now() / 1000; });
})();
"""

OURS = """<!doctype html><meta charset="utf-8">
{% from "charts/_chart.html" import chart %}
<link rel="stylesheet" href="charts.css">
<script type="module" src="brush.js"></script><script src="drawn.js" defer></script>
<body data-marks=".plot .stroke, .dot, .cross, .bar" data-count="{{ count }}">
{% for one in drawn %}{{ chart(one) }}{% endfor %}
"""

VEGA = """<!doctype html><meta charset="utf-8">
<script type="module" src="vega.js"></script><script type="module" src="embed.js"></script>
<script src="drawn.js" defer></script>
<body data-marks="svg .mark-symbol path, svg .mark-rect path" data-count="%d">
<div id="charts"></div>
"""

EMBED = """
const spec = await (await fetch("spec.json")).json();
await vegaEmbed("#charts", spec, { renderer: "svg", actions: false, ast: true });
"""

SECONDS = """
const done = arguments[0];
(function wait() { window.seconds ? done(window.seconds) : setTimeout(wait, 20); })();
"""

PAGES = ("index.html", "spec.json")
BUNDLE = "import sys, vl_convert; sys.stdout.write(vl_convert.javascript_bundle())"

Files = dict[str, bytes]


def main() -> None:
    missing = [name for name in ("altair", "vl_convert", "selenium") if find_spec(name) is None]
    if missing or not shutil.which("chromedriver"):
        wanted = " ".join(missing).replace("_", "-").replace("vl-convert", "vl-convert-python")
        hint = f"pip install {wanted}" if missing else "install chromium and chromium-driver"
        sys.exit(f"This measures Vega-Lite beside our charts and needs it: {hint}")
    sides = {"ours": made("ours"), "Vega-Lite": made("vega")}
    seen = {name: timed(files) for name, (files, _) in sides.items()}
    rows = [
        ("page and data, bytes gzipped", [page_size(files) for files, _ in sides.values()]),
        ("scripts and style, bytes gzipped", [rest(files) for files, _ in sides.values()]),
        ("memory added to a web worker, MB", [memory for _, memory in sides.values()]),
        ("drawn, first visit, s", [seen[name]["cold"] for name in sides]),
        ("drawn, files cached, s", [seen[name]["warm"] for name in sides]),
        ("drawn, first visit by phone, s", [seen[name]["phone"] for name in sides]),
    ]
    print(f"{'':34}{'ours':>12}{'Vega-Lite':>12}{'ratio':>8}")
    for title, (ours, theirs) in rows:
        print(f"{title:34}{ours:>12,.5g}{theirs:>12,.5g}{theirs / ours:>8.1f}")


def made(side: str) -> tuple[Files, float]:
    """Make the files of one side in a process of its own; return them and its growth in MB."""
    program = [sys.executable, "-m", "bench.charts", side]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([*program, folder], cwd=ROOT, check=True, capture_output=True)
        files = {file.name: file.read_bytes() for file in Path(folder).iterdir()}
    return files, float(done.stdout)


def make(side: str, folder: Path) -> None:
    """Make one side in a web worker and print by how many MB it has grown."""
    importlib.import_module("unrot.web")
    before = resident()
    {"ours": make_ours, "vega": make_vega}[side](folder)
    grown = resident() - before
    if side == "vega":
        make_bundle(folder)
    print(grown)


def resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def size(files: Files, name: str) -> int:
    return len(gzip.compress(files[name], 6, mtime=0))


def page_size(files: Files) -> int:
    return sum(size(files, name) for name in PAGES if name in files)


def rest(files: Files) -> int:
    return sum(size(files, name) for name in files if name not in PAGES)


# ── the same data on both sides ──────────────────────────────────────────────────────────────


def readings() -> list[dict[str, float]]:
    chance = random.Random(1)
    found = []
    for number in range(COUNT):
        value = (0.93 if number < 60 else 0.45) + chance.uniform(-0.03, 0.03)
        found.append(
            {
                "at": SINCE + number * STEP,
                "value": value,
                "low": value - 0.08,
                "high": min(1.0, value + 0.06),
                "estimated": 0.9 + chance.uniform(-0.01, 0.01),
                "guess": 0.5,
                "count": chance.randint(30, 90),
            }
        )
    return found


def points(middle: float, wrong: float) -> list[dict[str, Any]]:
    chance = random.Random(middle)
    return [
        {
            "x": chance.gauss(middle, 1),
            "y": chance.gauss(2, 1),
            "answer": "wrong" if chance.random() < wrong else "right",
        }
        for _ in range(POINTS)
    ]


# ── ours ─────────────────────────────────────────────────────────────────────────────────────


def make_ours(folder: Path) -> None:
    from jinja2 import Environment, FileSystemLoader

    from unrot.core.plurals import counted
    from unrot.web.charts.axes import number_axis, time_axis
    from unrot.web.charts.bars import Bucket, bars
    from unrot.web.charts.lines import Measure, Reading, Series, lines
    from unrot.web.charts.scatter import Point, scatter
    from unrot.web.wording import percent

    made, until = readings(), SINCE + COUNT * STEP
    names = (("Accuracy", "value"), ("Estimated", "estimated"), ("A constant guess", "guess"))
    series = [
        Series(
            title,
            [
                Reading(one["at"], one[key], *((one["low"], one["high"]) if not place else ()))
                for one in made
            ],
            ("one", "estimate", "guess")[place],
            ("solid", "dashed", "dotted")[place],  # type: ignore[arg-type]
        )
        for place, (title, key) in enumerate(names)
    ]
    buckets = [Bucket(one["at"], one["at"] + STEP, {"v1": one["count"]}) for one in made]
    rows = [points(0.0, 0.1), points(1.2, 0.4)]
    both = [one for part in rows for one in part]
    x, y = (
        number_axis(
            min(one[name] for one in both), max(one[name] for one in both), is_upright=name == "y"
        )
        for name in ("x", "y")
    )
    times = time_axis(SINCE, until)
    drawn = [
        lines("accuracy", "Accuracy", series, x=times, measure=Measure(percent)),
        bars("traffic", "Traffic", buckets, x=times, parts=["v1"], what="rows"),
        *(
            scatter(
                title,
                title,
                [Point(one["x"], one["y"], one["answer"] == "right") for one in part],
                x=x,
                y=y,
                brush="both",
            )
            for title, part in zip(("good", "bad"), rows, strict=True)
        ),
    ]
    pages = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
    )
    pages.filters |= {"counted": counted}
    page = pages.from_string(OURS).render(drawn=drawn, count=2 * POINTS + COUNT)
    (folder / "index.html").write_text(page)
    for file in ("css/charts.css", "js/charts.js", "js/brush.js"):
        shutil.copy(ROOT / "static" / file, folder)


# ── Vega-Lite ────────────────────────────────────────────────────────────────────────────────


def make_vega(folder: Path) -> None:
    import altair as alt

    data = alt.Data(values=[{**one, "time": 1_000 * one["at"]} for one in readings()])
    across = alt.X("time:T", title=None)
    tooltip = ["time:T", alt.Tooltip("value:Q", format=".1%"), "low:Q", "high:Q"]
    base = alt.Chart(data, width=900, height=220, title="Accuracy")
    accuracy = (
        base.mark_area(opacity=0.16).encode(across, y="low:Q", y2="high:Q")
        + base.mark_line(point=True).encode(across, y="value:Q", tooltip=tooltip)
        + base.mark_line(strokeDash=[7, 5]).encode(across, y="estimated:Q")
        + base.mark_line(strokeDash=[1, 5]).encode(across, y="guess:Q")
    )
    traffic = (
        alt.Chart(data, width=900, height=140, title="Traffic")
        .mark_bar()
        .encode(across, y="count:Q", tooltip=["time:T", "count:Q"])
    )
    brush = alt.selection_interval(name="both", resolve="global")
    scatters = [
        alt.Chart(alt.Data(values=rows), width=420, height=220, title=title)
        .mark_point()
        .encode(
            x="x:Q",
            y="y:Q",
            shape="answer:N",
            color=alt.condition(brush, "answer:N", alt.value("lightgray")),
            tooltip=["answer:N", "x:Q", "y:Q"],
        )
        .add_params(brush)
        for title, rows in (("good", points(0.0, 0.1)), ("bad", points(1.2, 0.4)))
    ]
    spec = alt.vconcat(accuracy, traffic, alt.hconcat(*scatters)).to_json(indent=None)
    (folder / "spec.json").write_text(spec)
    (folder / "index.html").write_text(VEGA % (2 * POINTS + 2 * COUNT))
    (folder / "embed.js").write_text(EMBED)


def make_bundle(folder: Path) -> None:
    """Make Vega in a process of its own, as an app would: its memory goes back."""
    done = subprocess.run([sys.executable, "-c", BUNDLE], check=True, capture_output=True)
    (folder / "vega.js").write_bytes(done.stdout)


# ── in the browser ───────────────────────────────────────────────────────────────────────────


def timed(files: Files) -> dict[str, float]:
    """Return the median seconds from asking for the page to its last mark."""
    with tempfile.TemporaryDirectory() as folder, served(files, Path(folder)) as address:
        browser = opened()
        try:
            return {
                "cold": median_of(browser, address, is_cached=False),
                "warm": median_of(browser, address, is_cached=True),
                "phone": median_of(browser, address, is_cached=False, line=PHONE),
            }
        finally:
            browser.quit()


def opened() -> Any:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    return webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))


def median_of(
    browser: Any, address: str, *, is_cached: bool, line: dict[str, Any] | None = None
) -> float:
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": not is_cached})
    if line:
        browser.execute_cdp_cmd("Network.emulateNetworkConditions", line)
    found = []
    for _ in range(ROUNDS + 1):
        browser.get("about:blank")
        browser.get(address)
        browser.set_script_timeout(60)
        found.append(browser.execute_async_script(SECONDS))
    return statistics.median(found[1:])


@contextmanager
def served(files: Files, folder: Path) -> Iterator[str]:
    """Serve files gzipped, as a proxy before an app does, and cacheable."""
    for name, content in {**files, "drawn.js": DRAWN.encode()}.items():
        (folder / name).write_bytes(gzip.compress(content, 6, mtime=0))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Gzipped, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/index.html"
    finally:
        server.shutdown()
        server.server_close()


class Gzipped(SimpleHTTPRequestHandler):
    """Files that were packed before."""

    protocol_version = "HTTP/1.1"

    def end_headers(self) -> None:
        """Say how they are packed, and that they may be kept."""
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Cache-Control", "max-age=3600")
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


if __name__ == "__main__":
    if len(sys.argv) == 3:
        make(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
