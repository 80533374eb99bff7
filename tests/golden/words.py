"""Answers and pages as text that a person can compare, without what differs for no reason."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from difflib import unified_diff
from html.parser import HTMLParser
from itertools import groupby
from typing import Any

from werkzeug.test import TestResponse

SHOWN_HEADERS: tuple[str, ...] = (
    "Location",
    "Retry-After",
    "Allow",
    "Content-Disposition",
    "WWW-Authenticate",
)
SHOWN_HEADERS += ("Cache-Control", "X-Fragment", "Content-Security-Policy", "Referrer-Policy")
EVERYWHERE = ("Content-Security-Policy", "Referrer-Policy")
"""On every answer: shown where they are missing."""

STAND_INS = (
    (
        "prediction",
        re.compile(r"(?<![\w/-])a[a-d][\w-]{30}(?![\w-])|(?<=/)a[a-d][\w-]{30}(?![\w-])"),
    ),
    ("digest", re.compile(r"\b[0-9a-f]{64}\b")),
    (
        "id",
        re.compile(r"(?<![\w.])(?=[0-9a-f]*[a-f])[0-9a-f]{16}\b|\bunverified-[\w-]{16}(?![\w-])"),
    ),
)
REPLACED = (
    (re.compile(r'(name="?csrf_token"? value=)"?[\w-]+"?'), r"\1<token>"),
    (re.compile(r"\?v=\d+"), "?v=<made>"),
    (re.compile(r"(?<=holds )[\d.]+ (bytes|kB|MB)"), "<many> bytes"),
    (re.compile(r"(?<=SQLite )[\d.]+ MB|[\d.]+ kB(?= of )"), "<much>"),
    (re.compile(r"((?:store|journal)_bytes )\d\S*"), r"\1<many>"),
    (re.compile(r"^([\w-]+\n)\d+\.\d+\.\d+$", re.MULTILINE), r"\1<version>"),
    (re.compile(r"\b\d(?:\.\d+)?e-1[4-9]\b"), "<tiny>"),
    (re.compile(r'(?<="bytes": )\d\d+'), "<many>"),
)
LONG = re.compile(r"(?<![\w.])-?\d+\.\d{6,}(?:e[-+]?\d+)?(?!\w)")
FIGURES = 6
MOST_LISTED, FIRST_ONES = 12, 3
ROW = ('<th scope="row">', '<tr role="row"> <td')


def plain(text: str) -> str:
    """Put numbered stand-ins in the place of ids, and let numbers have six figures."""
    for pattern, by in REPLACED:
        text = pattern.sub(by, text)
    for name, pattern in STAND_INS:
        numbers: dict[str, int] = {}
        text = pattern.sub(
            lambda found, name=name, numbers=numbers: (  # type: ignore[misc]
                f"<{name} {numbers.setdefault(found[0], len(numbers) + 1)}>"
            ),
            text,
        )
    return LONG.sub(lambda found: f"{float(found[0]):.{FIGURES}g}", text)


def written(value: Any, *, whole: bool = False) -> str:
    """Write JSON so that it can be compared: sorted, and what is short on one line.

    Of a long list the first ones stand there, and a hash of the others, unless it is `whole`.
    """

    def write(one: Any, indent: int) -> str:
        if isinstance(one, list) and len(one) > MOST_LISTED and not whole:
            rest = json.dumps(_rounded(one[FIRST_ONES:], 4), sort_keys=True)
            left = f"… {len(one) - FIRST_ONES} more, {_hash(rest)}"
            one = [*one[:FIRST_ONES], left]
        flat = json.dumps(one, ensure_ascii=False, sort_keys=True)
        if len(flat) + indent <= 100 or not isinstance(one, dict | list):
            return flat
        pad = "\n" + " " * (indent + 1)
        if isinstance(one, list):
            return "[" + ",".join(pad + write(each, indent + 1) for each in one) + "]"
        parts = (f"{json.dumps(key)}: {write(one[key], indent + 1)}" for key in sorted(one))
        return "{" + ",".join(pad + part for part in parts) + "}"

    return write(_rounded(value), 0)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _rounded(value: Any, figures: int = FIGURES) -> Any:
    if isinstance(value, float):
        is_time = abs(value) > 1e9
        return round(value, 3) if is_time else float(f"{value:.{figures}g}")
    if isinstance(value, dict):
        return {
            key: dict.fromkeys(one, "<version>") if key == "libraries" else _rounded(one, figures)
            for key, one in value.items()
        }
    return [_rounded(one, figures) for one in value] if isinstance(value, list) else value


def headed(got: TestResponse) -> str:
    """Write the status of an answer and the headers that matter."""
    lines = [f"{got.status_code} {got.content_type}"]
    for name in SHOWN_HEADERS:
        if (name in got.headers) != (name in EVERYWHERE):
            said = got.headers.get(name, "MISSING")
            # What is taken comes out of a set, in any order.
            said = ", ".join(sorted(said.split(", "))) if name == "Allow" else said
            lines.append(f"{name}: {said}")
    return "\n".join(lines)


def answer(got: TestResponse) -> str:
    """Write an answer: its status, the headers that matter, what it says."""
    lines = [headed(got)]
    if got.mimetype == "application/json" and got.data:
        lines.append(written(got.json))
    elif got.mimetype == "text/html":
        lines.append(page(got.text))
    elif (got.mimetype or "").startswith("text/"):
        lines.append(
            metrics(got.text) if "version=0.0.4" in str(got.content_type) else got.text.strip()
        )
    return "\n".join(lines)


def metrics(text: str) -> str:
    """Leave the first sample of each metric that has one for each route; routes.txt has all."""
    known: set[str] = set()
    lines = []
    for line in text.splitlines():
        name = line.split("{")[0]
        if "route=" not in line or name not in known:
            lines.append(line)
        known.add(name)
    return "\n".join(lines)


def in_a_line(got: TestResponse) -> str:
    """Write an answer's status and what it says in one line."""
    if got.mimetype == "application/json" and got.data:
        said = got.json
        told = (said.get("reason"), said.get("message")) if isinstance(said, dict) else ()
        return " ".join(map(str, (got.status_code, *filter(None, told))))
    return f"{got.status_code} {got.mimetype} {got.headers.get('Location', '')}".strip()


def apart(before: str, now: str) -> str:
    """Write the lines in which a text differs from another."""
    found = unified_diff(before.splitlines(), now.splitlines(), n=0, lineterm="")
    return "\n".join(line for line in found if not line.startswith(("---", "+++", "@@")))


def said_anew(before: str, now: str) -> str:
    """Write the lines of a text that another has not."""
    return "\n".join(line for line in apart(before, now).splitlines() if line.startswith("+"))


# ── pages ────────────────────────────────────────────────────────────────────────────────────

LINES = set(
    re.findall(
        r"\w+",
        """
    p div section article header footer main nav ul ol li dl dt dd tr form table h1 h2 h3 h4
    fieldset legend label details summary option figure template caption head body title select
    textarea button input a script link meta
""",
    )
)
"""Tags that begin a line."""
SHOWN = set(
    re.findall(
        r"\w+",
        """
    href src action method name value type for required checked selected disabled placeholder
    title alt datetime content accept min max step multiple open enctype formaction hidden role
    lang rel download colspan scope autocomplete
""",
    )
)
"""Attributes that are not of looks alone."""


def page(html: str) -> str:
    """Return the text of a page with its links, fields and words for machines, line by line.

    Of many rows of one table the first ones stand there, and a hash of the others.
    """
    reader = _Page()
    reader.feed(html)
    reader.close()
    lines = (" ".join(one.split()) for one in "".join(reader.said).split("\n"))
    kept: list[str] = []
    for is_row, rows in groupby(filter(None, lines), key=lambda line: line.startswith(ROW)):
        kept += _shortened(list(rows), FIRST_ONES if is_row else None)
    text = "\n".join(kept)
    for pattern, by in REPLACED:
        text = pattern.sub(by, text)
    return text


def _shortened(texts: list[str], first: int | None) -> list[str]:
    if first is None or len(texts) <= MOST_LISTED:
        return texts
    return [*texts[:first], f"… {len(texts) - first} more, {_hash(plain(str(texts[first:])))}"]


class _Page(HTMLParser):
    """Leaves out of a page what only says how it looks."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._depth = 0
        self._drawing: list[str] = []
        self._texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "svg":
            self._depth += 1
        if self._depth:
            self._drawing.append(f"{tag} {attrs}")
            return
        if tag in LINES:
            self.said.append("\n")
        shown = [
            name if value is None else f'{name}="{value}"'
            for name, value in attrs
            if name in SHOWN or (name.startswith(("data-", "aria-")) and name != "data-word")
        ]
        if shown or tag in ("h1", "h2", "h3", "h4", "th"):
            self.said.append(f"<{' '.join([tag, *shown])}> ")

    def handle_endtag(self, tag: str) -> None:
        if not self._depth:
            self.said.append("\n" if tag in LINES else " ")
        elif tag == "svg":
            self._depth -= 1
            if not self._depth:
                self.said.append(f"\n{_drawn(self._drawing, self._texts)}\n")
                self._drawing, self._texts = [], []

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "style":
            return
        if not self._depth:
            self.said.append(re.sub(r"\s+", " ", data))
        elif data.strip():
            self._texts.append(data.strip())


def _drawn(elements: list[str], texts: list[str]) -> str:
    """Tell a drawing by its words, its parts and a hash of where these lie, to a unit."""
    counts = Counter(one.split(" ", 1)[0] for one in elements)
    parts = ", ".join(f"{count} {tag}" for tag, count in sorted(counts.items()))
    lies = re.sub(r"-?\d+\.\d+", lambda found: str(round(float(found[0]))), "\n".join(elements))
    words = " | ".join(_shortened([" ".join(one.split()) for one in texts], FIRST_ONES))
    return f"[svg {_hash(lies)}: {parts}] {words}"
