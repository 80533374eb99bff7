"""What is installed is pinned with hashes, has a licence on the page, and is audited."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import audit, licences
from tests.conftest import ROOT

LOCK = (ROOT / "requirements.lock").read_text()
PIN = re.compile(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==([^\s;]+)", re.MULTILINE)
HOLE = json.dumps(
    {"dependencies": [{"name": "jinja2", "version": "2.10", "vulns": [{"id": "CVE-2019-10906"}]}]}
)
NO_HOLE = json.dumps({"dependencies": [{"name": "flask", "version": "3.1.3", "vulns": []}]})


def test_lock_has_what_requirements_name() -> None:
    named = PIN.findall((ROOT / "requirements.txt").read_text())

    assert len(named) > 15
    assert set(named) <= set(PIN.findall(LOCK))


def test_all_that_is_locked_has_a_hash() -> None:
    packages = [
        part for part in re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE) if "==" in part
    ]

    assert len(packages) == len(PIN.findall(LOCK)) > 50
    assert [one.split("==")[0] for one in packages if "--hash=sha256:" not in one] == []


def test_page_of_licences_has_each_package_that_is_locked() -> None:
    page = licences.PAGE.read_text()

    missing = [name for name, release, _ in licences.pins() if f"| {name} | {release}" not in page]
    assert missing == []
    assert "not told" not in page
    assert "not installed" not in page


@pytest.mark.parametrize(
    ("canary", "rest", "said"),
    [
        ((1, HOLE), (0, NO_HOLE), ""),
        ((1, HOLE), (1, HOLE), "jinja2 2.10: CVE-2019-10906"),
        ((1, HOLE), (1, ""), "The audit was not finished."),
        ((0, NO_HOLE), (0, NO_HOLE), "Nothing was audited"),
        ((1, ""), (0, NO_HOLE), "Nothing was audited"),
    ],
)
def test_audit_counts_only_where_the_canary_raises_its_alarm(
    canary: tuple[int, str], rest: tuple[int, str], said: str
) -> None:
    def ask(file: Path, is_hashed: bool) -> tuple[int, str]:
        assert is_hashed == (file == audit.LOCK)
        return rest if is_hashed else canary

    found = audit.main(ask)

    assert found.startswith(said)
    assert bool(found) == bool(said)


def test_bandit_sees_what_is_not_well(tmp_path: Path) -> None:
    """That our own code is well is what `make test` asks it."""
    bad, good = tmp_path / "bad.py", tmp_path / "good.py"
    bad.write_text("import pickle\n\npickle.loads(b'')\n")
    good.write_text("import json\n\njson.loads(b'')\n")

    assert (by_bandit(bad), by_bandit(good)) == (1, 0)
    assert "bandit -q -ll -r $(OURS)" in (ROOT / "Makefile").read_text()


def by_bandit(place: Path) -> int:
    command = [sys.executable, "-m", "bandit", "-q", "-ll", str(place)]
    return subprocess.run(command, capture_output=True).returncode


def test_exceptions_from_bandit_give_their_reasons() -> None:
    lines = [
        line
        for file in (ROOT / "unrot").rglob("*.py")
        for line in file.read_text().splitlines()
        if "# nosec" in line
    ]

    assert lines
    assert [line for line in lines if not re.search(r"# nosec B\d{3}  # \w", line)] == []
