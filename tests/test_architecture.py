"""The house as docs/architecture.md draws it: an import that turns an arrow round fails here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

LAYERS = (
    ("symptoms", "errors", "slots", "plurals"),
    ("records",),
    ("growth", "webhooks", "counts", "keeping"),
    ("watching",),
    ("teaching",),
    ("settings", "schema", "ids", "interfaces", "dataset", "encoding", "events", "terminal"),
    (
        "verdicts",
        "lineage",
        "measured",
        "typical",
        "policy",
        "rules",
        "alerts",
        "describing",
        "monitors",
    ),
    ("journal", "shelf", "stores", "models", "learning", "sketches", "courier", "demos", "tables"),
    ("components", "profiling", "publishing", "noticing", "refusals"),
    ("service",),
    ("jobs", "promotion", "learner", "origins", "retention", "audits"),
    ("noticed", "comparison", "references", "accuracy", "holdouts", "outliers", "tidying"),
    ("schooling", "rollbacks", "periods", "exploring", "judgements", "stretches"),
    ("upkeep", "backups", "files", "condition", "portraits", "operations"),
    ("lookout",),
    ("chores",),
    ("bootstrap",),
    ("caretaker",),
    ("web", "run", "beside", "adding"),
    ("commands",),
    ("cli",),
    ("__main__", "app", "train", "gunicorn.conf"),
)
"""A module imports from the rows above its own; those of one row know nothing of each other."""

ADAPTERS = ("stores", "models", "sketches", "courier", "demos", "tables")
MAKERS = ("adding", "commands", "files")
"""Those who read what a person brings, or fit on it."""
TRAINING = [("cli", function) for function in ("_demo", "_table", "_fitted")]
"""What `train` is made of."""

WEB_LIBRARIES = ("flask", "werkzeug", "flasgger", "jinja2", "markupsafe", "itsdangerous")
DATABASES = ("sqlite3", "psycopg", "psycopg_pool", "google", "sqlalchemy")
UNPICKLERS = ("pickle", "cPickle", "joblib", "dill", "cloudpickle", "shelve", "marshal")
WORDS_FOR_NOTHING = {"util", "utils", "helper", "helpers", "common", "base", "misc"}
WORDS_FOR_NOTHING |= {"manager", "managers", "handler", "handlers"}
MOST_LINES = 52
"""Of a function."""


@dataclass(frozen=True)
class Import:
    """One import of one file: the module and the name that it takes of it."""

    file: Path
    line: int
    function: str
    module: str
    name: str = ""

    @property
    def importer(self) -> str:
        """The part of the house that imports."""
        return part_of(self.file)

    @property
    def library(self) -> str:
        """The package that is imported, ours or another's."""
        return self.module.split(".")[0]

    @property
    def part(self) -> str:
        """The part of the house that is imported, empty for the package itself."""
        parts = self.module.split(".")
        if len(parts) > 1:
            return parts[1]
        return self.name if self.name in {part for row in LAYERS for part in row} else ""

    def __str__(self) -> str:
        return (
            f"{self.file.relative_to(ROOT)}:{self.line} imports {self.module} {self.name}".strip()
        )


def part_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return parts[1] if parts[0] == "unrot" and len(parts) > 1 else parts[0]


def product_files() -> list[Path]:
    doors = [ROOT / name for name in ("app.py", "train.py", "gunicorn.conf.py")]
    return [*sorted((ROOT / "unrot").rglob("*.py")), *doors]


def imports_of(file: Path) -> Iterator[Import]:
    """Find every import, those inside functions and under `if TYPE_CHECKING` as well."""

    def visit(node: ast.AST, function: str) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file, node.lineno, function, alias.name)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield Import(file, node.lineno, function, absolute(node), alias.name)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            function = node.name
        for child in ast.iter_child_nodes(node):
            yield from visit(child, function)

    def absolute(node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = file.relative_to(ROOT).parts[: -node.level]
        return ".".join([*package, *(node.module or "").split(".")]).rstrip(".")

    return visit(ast.parse(file.read_text()), "")


IMPORTS = [found for file in product_files() for found in imports_of(file)]
OURS = [found for found in IMPORTS if found.library == "unrot"]


def told(wrong: list[Import]) -> list[str]:
    return [str(found) for found in wrong]


# ── arrows ───────────────────────────────────────────────────────────────────────────────────


def test_every_part_of_the_house_stands_in_the_layers() -> None:
    parts = {part_of(file) for file in product_files()} - {"__init__"}

    assert parts - {part for row in LAYERS for part in row} == set()


def test_imports_point_one_way() -> None:
    height = {part: number for number, row in enumerate(LAYERS) for part in row}

    wrong = [
        found
        for found in OURS
        if found.part
        and found.part != found.importer
        and found.importer != "__init__"
        and height[found.part] >= height[found.importer]
    ]

    assert OURS
    assert told(wrong) == []


def test_package_itself_imports_nothing_before_it_is_asked_to_add() -> None:
    found = [one for one in imports_of(ROOT / "unrot" / "__init__.py") if one.name != "Any"]

    assert [(one.function, one.module, one.name) for one in found] == [("add", "unrot", "adding")]


def test_words_and_errors_know_no_library() -> None:
    files = [ROOT / "unrot" / name for name in ("symptoms.py", "records.py", "errors.py")]

    libraries = {found.library for file in files for found in imports_of(file)}

    assert libraries == {"__future__", "collections", "dataclasses", "typing", "unrot"}


def test_only_web_knows_the_web_framework() -> None:
    wrong = [found for found in IMPORTS if found.library in WEB_LIBRARIES]

    assert {found.importer for found in wrong} - {"web", "app"} == set()


def test_only_stores_know_a_database() -> None:
    found = [found for found in IMPORTS if found.library in DATABASES]

    assert {one.importer for one in found} == {"stores"}


def test_only_the_caretaker_beside_gunicorn_knows_gunicorn() -> None:
    found = [found for found in IMPORTS if found.library == "gunicorn"]

    assert {one.importer for one in found} == {"beside"}


def test_nothing_unpickles() -> None:
    assert told([found for found in IMPORTS if found.library in UNPICKLERS]) == []


def test_only_bootstrap_and_those_who_make_models_or_read_rows_name_concrete_adapters() -> None:
    from_outside = [
        found for found in OURS if found.part in ADAPTERS and found.part != found.importer
    ]

    wrong = [
        found
        for found in from_outside
        if found.importer not in ("bootstrap", *MAKERS)
        and (found.importer, found.function) not in TRAINING
    ]

    importers = {found.importer for found in from_outside}
    assert importers == {"bootstrap", "cli", *MAKERS}
    assert told(wrong) == []


# ── sizes and names ──────────────────────────────────────────────────────────────────────────


def test_no_function_is_too_long_to_read() -> None:
    """A long table is fine, a long decision is not; the schemas of the API are tables."""
    lengths = {
        f"{file.relative_to(ROOT)}: {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for file in product_files()
        if not file.name.startswith("openapi")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_every_file_is_named_after_what_it_holds() -> None:
    files = [*product_files(), *(ROOT / "static").rglob("*"), *(ROOT / "templates").rglob("*")]

    wrong = [
        str(file.relative_to(ROOT))
        for file in files
        if set(re.split(r"[\W_]+", file.stem)) & WORDS_FOR_NOTHING
        and file.name != "base.html"  # the page that the others extend, by Flask's own custom
    ]

    assert wrong == []


def test_every_module_says_why_it_exists() -> None:
    silent = [
        str(file.relative_to(ROOT))
        for file in product_files()
        if file.read_text().strip() and not ast.get_docstring(ast.parse(file.read_text()))
    ]

    assert silent == []


# ── pages ────────────────────────────────────────────────────────────────────────────────────

PAGES = sorted(
    file
    for folder in ("templates", "static")
    for file in (ROOT / folder).rglob("*")
    if file.suffix in (".html", ".js", ".svg", ".css")
)

FORBIDDEN = {
    "an inline style": r"(?<![\w-])style\s*=\s*[\"'{]",
    "a style element": r"<style\b",
    "an inline script": r"<script\b(?![^>]*\ssrc\s*=)",
    "an inline handler": r"[\s\"'/]on[a-z]{3,}\s*=\s*[\"'{]",
    "a javascript: address": r"javascript:",
    "an address elsewhere": r"\b(src|href|action|srcset)\s*=\s*[\"']?\s*(https?:)?//",
    "a style sheet from elsewhere": r"(url\(|@import)\s*[\"']?\s*(https?:)?//",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_pages_hold_none_of(what: str) -> None:
    wrong = [
        f"{file.relative_to(ROOT)}:{file.read_text()[: found.start()].count(chr(10)) + 1}"
        for file in PAGES
        for found in re.finditer(FORBIDDEN[what], file.read_text(), re.IGNORECASE)
    ]

    assert PAGES
    assert wrong == []


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("an inline style", '<p style="color: red">'),
        ("an inline style", "<p class=x style='color: red'>"),
        ("a style element", "<style>"),
        ("an inline script", "<script>alert(1)</script>"),
        ("an inline script", '<script type="module">'),
        ("an inline handler", '<button onclick="go()">'),
        ("an inline handler", "<body\nonload='go()'>"),
        ("a javascript: address", '<a href="javascript:go()">'),
        ("an address elsewhere", '<script src="https://cdn.example/x.js">'),
        ("an address elsewhere", "<link href='//cdn.example/x.css'>"),
        ("an address elsewhere", '<a href="http://example.org">'),
        ("a style sheet from elsewhere", "@import 'https://example.org/x.css'"),
        ("a style sheet from elsewhere", "background: url(//example.org/x.png)"),
    ],
)
def test_what_pages_may_not_hold_is_found(what: str, text: str) -> None:
    assert re.search(FORBIDDEN[what], text, re.IGNORECASE)


@pytest.mark.parametrize(
    "text",
    [
        '<script src="/static/js/x.js"></script>',
        "<script type=\"module\" src=\"{{ url_for('static', filename='x.js') }}\"></script>",
        "<a href=\"{{ url_for('pages.home') }}\">← Unrot</a>",
        '<svg xmlns="http://www.w3.org/2000/svg">',
        '<div data-style="x" data-once="y">',
        "background: url(../img/x.png)",
    ],
)
def test_what_pages_may_hold_is_let_be(text: str) -> None:
    assert [what for what, shape in FORBIDDEN.items() if re.search(shape, text, re.I)] == []
