"""The app's own files are found beside the package, and in it where it was installed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from unrot.core import places


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "site-packages" / "unrot"
    (package / "templates").mkdir(parents=True)
    monkeypatch.setattr(places, "PACKAGE", package)
    monkeypatch.setattr(places, "ROOT", package.parent)
    return package


def test_checkout_has_its_files_beside_the_package() -> None:
    assert places.find_part("templates") == ROOT / "templates"
    assert places.find_part("gunicorn.conf.py").is_file()
    assert places.command_of("run") == "make run"


def test_wheel_has_its_files_in_the_package(installed: Path) -> None:
    assert places.find_part("templates") == installed / "templates"
    assert places.command_of("run") == "unrot run"


def test_wheel_and_sdist_take_all_that_is_looked_for() -> None:
    asked = {
        name
        for file in (ROOT / "unrot").rglob("*.py")
        for name in re.findall(r'find_part\("([^"]+)"\)', file.read_text())
    }
    built, packed = (ROOT / "setup.py").read_text(), (ROOT / "MANIFEST.in").read_text().split()

    assert asked == {"templates", "static", "gunicorn.conf.py"}
    assert [name for name in asked if f'"{name}"' not in built] == []
    assert asked <= set(packed)
