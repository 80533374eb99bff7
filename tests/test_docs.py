"""The documentation says what there is: every setting, command, route and file."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest
from flask import Flask

from tests.conftest import ROOT, Server
from unrot.cli.main import parser
from unrot.core.policy import POLICY
from unrot.core.rules import RULES
from unrot.core.settings import SETTINGS

OPERATIONS = (ROOT / "docs/operations.md").read_text()
API = (ROOT / "docs/api.md").read_text()
CLIENTS = (ROOT / "docs/clients.md").read_text()
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize(
    ("page", "head", "rows"),
    [
        ("operations.md", ["variable", "means", "default"], [x.row() for x in SETTINGS.values()]),
        ("api.md", ["key", "means", "takes", "default"], POLICY.rows()),
        ("monitoring.md", ["key", "means", "takes", "default"], RULES.rows()),
    ],
    ids=["settings", "policy", "rules"],
)
def test_table_of_options_stands_as_it_is_declared(
    page: str, head: list[str], rows: list[str]
) -> None:
    table = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *rows]

    assert "\n".join(["", *table, "\n"]) in (ROOT / "docs" / page).read_text()


def test_every_command_is_documented_and_no_other() -> None:
    commands = set(re.findall(r"^\| `python -m unrot ([a-z-]+)", OPERATIONS, re.MULTILINE))

    [subparsers] = [
        action for action in parser()._actions if action.__class__.__name__ == "_SubParsersAction"
    ]
    assert commands == set(subparsers.choices)  # type: ignore[arg-type]


def test_every_route_of_the_api_is_documented(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/"):
            assert rule.rule.replace("/<version>", "[/<version>]") in API or rule.rule in API


def test_every_file_that_the_docs_link_to_exists() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_make_help_lists_every_target() -> None:
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True).stdout

    listed = set(re.findall(r"^make ([a-z-]+)", said, re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert listed == targets
    assert {"help", "run", "test"} <= listed


@pytest.mark.parametrize(
    "text", [README, API, CLIENTS], ids=["README", "docs/api.md", "docs/clients.md"]
)
def test_pasted_lines_work(server: Server, text: str) -> None:
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    script = "\n".join(block for block in blocks if "curl" in block or "URL=" in block)
    script = script.replace("http://127.0.0.1:5000", server.url)
    script = script.replace("$(cat var/operator-token)", shlex.quote(server.operator_token))
    script = script.replace("python3", shlex.quote(sys.executable))
    script = re.sub(r"\bcurl -s\b", "curl -sS --fail-with-body", script)

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, timeout=60
    )

    assert script.count("curl") >= 3
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"data":null' not in done.stdout
