"""What platforms read of us parses and names what there is; what the Dockerfile runs serves.

With UNROT_WHOLE_BUILD=1 the script installs all of requirements.txt (`make drill-image`).
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import OPERATOR, ROOT, answers, environment, free_port, wait_for
from unrot.core.settings import SETTINGS
from unrot.web.security import HEALTH

DEPLOY = ROOT / "deploy"
READERS = {".json": json.loads, ".toml": tomllib.loads, ".yaml": yaml.safe_load}
PLATFORMS = ("render.yaml", "fly.toml", "railway.json", "cloud-run.yaml")


def read(name: str) -> Any:
    file = DEPLOY / name
    return READERS[file.suffix](file.read_text())


def values_in(found: Any) -> list[str]:
    """Return all texts of what was read."""
    if isinstance(found, dict):
        return [text for one in found.values() for text in values_in(one)]
    if isinstance(found, list):
        return [text for one in found for text in values_in(one)]
    return [str(found)]


@pytest.mark.parametrize("name", PLATFORMS)
def test_platform_asks_how_it_is_where_that_is_told(name: str) -> None:
    assert HEALTH in values_in(read(name))


@pytest.mark.parametrize("name", ["render.yaml", "railway.json", "compose.yaml"])
def test_dockerfile_is_found_from_the_top_of_the_repository(name: str) -> None:
    assert "deploy/Dockerfile" in values_in(read(name))
    assert (DEPLOY / "Dockerfile").exists()


@pytest.mark.parametrize("file", [*sorted(DEPLOY.glob("*.*")), DEPLOY / "Dockerfile"], ids=str)
def test_variables_are_settings(file: Path) -> None:
    named = set(re.findall(r"\bUNROT_[A-Z_]+", file.read_text()))

    assert named <= set(SETTINGS)


def test_app_json_asks_for_a_database_and_makes_each_secret() -> None:
    told = json.loads((ROOT / "app.json").read_text())

    assert [one.partition(":")[0] for one in told["addons"]] == ["heroku-postgresql"]
    assert set(told["env"]) == {"UNROT_SECRET_KEY", "UNROT_ADMIN_TOKEN", "UNROT_VIEWER_TOKEN"}
    assert {one["generator"] for one in told["env"].values()} == {"secret"}


def test_files_that_compose_mounts_are_there() -> None:
    services = read("compose.yaml")["services"]
    mounted = [text for one in services.values() for text in one.get("volumes", ())]
    files = [text.partition(":")[0] for text in mounted if text.startswith("./")]

    assert len(files) == 5
    assert [name for name in files if not (DEPLOY / name).is_file()] == []


def test_dockerfile_copies_all_that_the_build_takes() -> None:
    """And what it is shown of the folder (.dockerignore) is that."""
    copied = {
        name
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", _dockerfile(), re.MULTILINE)
        for name in line.split()
    }
    shown = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    [taken] = re.findall(r'^cp -R (.+) "\$target"$', (DEPLOY / "build.sh").read_text(), re.M)

    assert copied == {*taken.split(), "requirements.txt", "deploy/build.sh"}
    assert set(shown) == copied


def test_container_runs_as_nobody_in_particular_and_is_asked_how_it_is() -> None:
    *_, last = _dockerfile().split("\nFROM ")

    assert "\nUSER unrot\n" in last and "\nVOLUME /data\n" in last and HEALTH in last
    assert "pip" not in last and "build.sh" not in last


def _dockerfile() -> str:
    return (DEPLOY / "Dockerfile").read_text()


def test_what_the_dockerfile_runs_serves_from_a_clean_folder(tmp_path: Path) -> None:
    """It writes nowhere but into its home: the root may be read-only."""
    target, home, port = tmp_path / "opt", tmp_path / "data", free_port()
    is_whole = os.environ.get("UNROT_WHOLE_BUILD") == "1"
    made = [] if is_whole else [Path(sys.prefix)]
    subprocess.run([DEPLOY / "build.sh", target, *made], check=True, cwd=tmp_path)
    before = written_in(target)

    known = environment(home, PORT=str(port), UNROT_ADMIN_TOKEN=OPERATOR, WEB_CONCURRENCY="1")
    known.pop("TMPDIR", None)
    running = subprocess.Popen([target / "start.sh"], cwd="/", env=known)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: answers(f"{url}{HEALTH}"), 60)
        is_styled = answers(f"{url}/static/css/app.css")
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(30)

    assert is_styled
    assert running.returncode == 0
    assert written_in(target) == before
    assert (home / "tmp").is_dir() and (home / "journal").is_dir()


def written_in(folder: Path) -> dict[str, float]:
    """Return when each file of the app was written; of an environment that is there, none."""
    return {str(one): one.stat().st_mtime for one in folder.rglob("*") if one.is_file()}
