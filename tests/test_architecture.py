"""The house as docs/architecture.md draws it: an import that turns an arrow round fails here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("core", "store", "hear", "serve", "explain", "watch", "make", "learn", "run", "web", "cli")
"""A module imports from its own room and from those before it; the two doors, `web` and `cli`,
know nothing of each other."""
FLAT = ("__init__", "__main__", "app")
"""All that lies in no room: what `import unrot`, `python -m unrot` and gunicorn begin with."""

WEB_LIBRARIES = ("flask", "werkzeug", "flasgger", "jinja2", "markupsafe", "itsdangerous")
DATABASES = ("sqlite3", "psycopg", "psycopg_pool", "google", "sqlalchemy")
UNPICKLERS = ("pickle", "cPickle", "joblib", "dill", "cloudpickle", "shelve", "marshal")
WORDS_FOR_NOTHING = {"util", "utils", "helper", "helpers", "common", "base", "misc"}
WORDS_FOR_NOTHING |= {"manager", "managers", "handler", "handlers"}
MOST_LINES = 52
"""Of a function."""

FILES = {
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
    for file in sorted((ROOT / "unrot").rglob("*.py"))
}
"""Every module of ours by its name."""
DOORS = [ROOT / name for name in ("app.py", "train.py", "gunicorn.conf.py")]


@dataclass(frozen=True)
class Import:
    """One import of one file: the module that it is of, and the name that it takes of it."""

    file: Path
    line: int
    is_inline: bool
    module: str
    name: str = ""

    @property
    def library(self) -> str:
        """The package that is imported, ours or another's."""
        return self.module.split(".")[0]

    @property
    def target(self) -> str:
        """The module of ours that is imported."""
        whole = f"{self.module}.{self.name}"
        return whole if whole in FILES else self.module

    def __str__(self) -> str:
        said = f"{self.file.relative_to(ROOT)}:{self.line} imports {self.module} {self.name}"
        return said.strip()


def product_files() -> list[Path]:
    return [*FILES.values(), *DOORS]


def room_of(module: str) -> str:
    """Return the room of a module, empty for what lies flat."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] not in FLAT else ""


@pytest.fixture(scope="module", autouse=True)
def forget_trees() -> Iterator[None]:
    """Keep what was parsed until these tests are over; what they do not need is not read."""
    yield
    for kept in (tree_of, by_module, all_imports):
        kept.cache_clear()


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


def imports_of(file: Path) -> Iterator[Import]:
    """Find every import, those inside functions as well."""
    tree = tree_of(file)
    outer = set(tree.body)
    for node in ast.walk(tree):
        is_inline = node not in outer
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file, node.lineno, is_inline, alias.name)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}:{node.lineno} imports relatively"
            for alias in node.names:
                yield Import(file, node.lineno, is_inline, node.module or "", alias.name)


@cache
def by_module() -> dict[str, list[Import]]:
    return {module: list(imports_of(file)) for module, file in FILES.items()}


@cache
def all_imports() -> list[Import]:
    of_modules = [found for some in by_module().values() for found in some]
    return of_modules + [found for file in DOORS for found in imports_of(file)]


def told(wrong: list[Import]) -> list[str]:
    return [str(found) for found in wrong]


def who_imports(*libraries: str) -> set[str]:
    """Return the rooms that import one of some libraries."""
    return {
        room_of(module)
        for module, some in by_module().items()
        for found in some
        if found.library in libraries and not module.endswith("_pb2")  # made by a compiler
    }


# ── arrows ───────────────────────────────────────────────────────────────────────────────────


def test_all_stands_in_eleven_rooms() -> None:
    flat = {file.stem for file in (ROOT / "unrot").glob("*.py")}

    assert {room_of(module) for module in FILES} == {"", *ROOMS}
    assert flat == set(FLAT)


def test_imports_point_one_way() -> None:
    wrong = [
        found
        for module, some in by_module().items()
        for found in some
        if found.library == "unrot" and room_of(module) and found.target != "unrot"
        if room_of(found.target) not in rooms_before(room_of(module))
    ]

    assert told(wrong) == []


def rooms_before(room: str) -> set[str]:
    """Return the rooms that one may import from, itself among them."""
    before = set(ROOMS[: ROOMS.index(room) + 1])
    return before - {"web"} if room == "cli" else before


def test_monitors_know_nothing_of_each_other() -> None:
    """Nor of what pages read of them; what they share knows none of them."""
    watch = "unrot.watch."
    shared = [f"{watch}{name}" for name in ("statistics", "worth", "profiles", "visit", "notes")]
    wrong = [
        found
        for module, some in by_module().items()
        for found in some
        if (monitor_of(module) and found.target.startswith((f"{watch}reports", f"{watch}round")))
        or (
            (monitor_of(module) or module.startswith(tuple(shared)))
            and monitor_of(found.target) not in ("", monitor_of(module))
        )
    ]

    assert told(wrong) == []


def monitor_of(module: str) -> str:
    """Return the monitor that a module is of, empty for another."""
    parts = module.split(".")
    return parts[3] if parts[:3] == ["unrot", "watch", "monitors"] and len(parts) > 3 else ""


def test_imports_go_in_no_circle() -> None:
    open_ones = {
        module: {found.target for found in some if found.target in FILES} - {module, "unrot"}
        for module, some in by_module().items()
    }
    while free := {module for module, needed in open_ones.items() if not needed & open_ones.keys()}:
        open_ones = {module: of for module, of in open_ones.items() if module not in free}

    assert circles_in(open_ones) == {}


def circles_in(open_ones: Mapping[str, set[str]]) -> dict[str, list[str]]:
    """Return what of each module keeps it from being imported before the others."""
    return {module: sorted(needed & open_ones.keys()) for module, needed in open_ones.items()}


def test_import_inside_a_function_says_why() -> None:
    """A comment stands beside it, or above it and those that stand with it."""
    inline = [one for one in all_imports() if one.is_inline and one.library == "unrot"]

    assert inline
    assert told([one for one in inline if not has_reason(one)]) == []


def has_reason(found: Import) -> bool:
    lines = found.file.read_text().splitlines()
    place = found.line - 1
    while lines[place - 1].lstrip().startswith("from "):
        place -= 1
    return "#" in lines[found.line - 1] or lines[place - 1].lstrip().startswith("#")


def test_package_itself_imports_nothing_before_it_is_asked_to() -> None:
    ours = [one for one in by_module()["unrot"] if one.library == "unrot"]

    assert [(one.is_inline, one.target) for one in ours] == [
        (True, "unrot.make.external"),
        (True, "unrot.run.bootstrap"),
        (True, "unrot.web.client"),
    ]


def test_words_and_errors_know_no_library() -> None:
    modules = [f"unrot.core.{name}" for name in ("records", "errors")]

    libraries = {found.library for module in modules for found in by_module()[module]}

    assert libraries == {"__future__", "collections", "dataclasses", "typing"}


def test_only_web_knows_the_web_framework() -> None:
    assert who_imports(*WEB_LIBRARIES) == {"", "web"}  # the app is made outside of all rooms


def test_only_the_store_knows_a_database() -> None:
    assert who_imports(*DATABASES) == {"store"}


def test_only_who_asks_for_grpc_imports_it() -> None:
    speaks = "unrot.web.protocols.oip_grpc"
    found = [one for some in by_module().values() for one in some if one.target == speaks]

    assert found == []  # but gunicorn's settings, where a port is set
    assert who_imports("grpc_health", "grpc_reflection") == {"web"}


def test_nothing_needs_whylogs() -> None:
    """Its sketches have no wheel after Python 3.12: only who asks for it imports it, by name."""
    assert who_imports("whylogs", "whylogs_sketching") == set()


def test_only_the_caretaker_beside_gunicorn_knows_gunicorn() -> None:
    assert who_imports("gunicorn") == {"run"}


def test_nothing_unpickles_but_the_process_that_converts_what_its_owner_trusts() -> None:
    unpicklers = {one.file.name for one in all_imports() if one.library in UNPICKLERS}
    of_them = [one for one in all_imports() if one.target == "unrot.make.unpickle"]

    assert (unpicklers, of_them) == ({"unpickle.py"}, [])


def test_only_bootstrap_names_a_database() -> None:
    modules = ("blobs", "kinds", "leases", "names", "operations")
    shared = {f"unrot.store.{name}" for name in modules}
    named = {
        module
        for module, some in by_module().items()
        for found in some
        if room_of(found.target) == "store" and room_of(module) != "store"
        if found.target not in shared
    }

    assert named == {"unrot.run.bootstrap"}


def test_nothing_is_logged_that_was_made_of_values_before() -> None:
    """An error is handed over as it is: `core.logs` writes it without what it quotes."""
    wrong = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in product_files()
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Call) and is_of_a_log(node.func)
        if not isinstance(node.args[0], ast.Constant) or any(map(is_text_of_an_error, node.args))
    ]

    assert wrong == []


def is_of_a_log(called: ast.expr) -> bool:
    return isinstance(called, ast.Attribute) and ast.unparse(called.value) == "_log"


def is_text_of_an_error(given: ast.expr) -> bool:
    made = isinstance(given, ast.Call) and ast.unparse(given.func) in (
        "str",
        "repr",
        "error_summary",
    )
    return made or isinstance(given, ast.JoinedStr) or ast.unparse(given).endswith(".message")


# ── sizes and names ──────────────────────────────────────────────────────────────────────────


def test_no_function_is_too_long_to_read() -> None:
    """A long table is fine, a long decision is not."""
    lengths = {
        f"{file.relative_to(ROOT)}: {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for file in product_files()
        for node in ast.walk(tree_of(file))
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
        if file.read_text().strip() and not ast.get_docstring(tree_of(file))
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


ALL_IN_ONE = ("a style element", "report.html")
"""A report is handed on as a file, with its styles in it and a policy of its own."""


@pytest.mark.parametrize("what", FORBIDDEN)
def test_pages_hold_none_of(what: str) -> None:
    wrong = [
        f"{file.relative_to(ROOT)}:{file.read_text()[: found.start()].count(chr(10)) + 1}"
        for file in PAGES
        if (what, file.name) != ALL_IN_ONE
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
