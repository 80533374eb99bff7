"""What tests of pages and routes begin with: a client, and one that has signed in."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import OPERATOR, VIEWER
from tests.web.visitor import sign_in
from unrot.cli import main
from unrot.serve.service import Service
from unrot.web.pages import scores


@pytest.fixture(autouse=True)
def patient_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pages score all versions, however busy the machine is."""
    monkeypatch.setattr(scores, "SECONDS_A_LOOK", 1e9)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def viewer(client: FlaskClient) -> FlaskClient:
    sign_in(client, VIEWER)
    return client


@pytest.fixture
def operator(client: FlaskClient) -> FlaskClient:
    sign_in(client, OPERATOR)
    return client


@pytest.fixture
def kept(app: Flask) -> Service:
    found: Service = app.extensions["unrot"]
    return found


@pytest.fixture(scope="session")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with a model of a number that may be a gap, a whole one, words, yes or no."""
    folder = tmp_path_factory.mktemp("houses")
    table = folder / "houses.csv"
    table.write_text(
        "width (cm),rooms,town,heated,y\n"
        + "".join(
            f"{'' if n % 11 == 0 else n / 8},{n % 30},{['Rome', 'Oslo', 'Köln'][n % 3]},"
            f"{['no', 'yes'][n % 2]},{'ab'[n // 2 % 2]}\n"
            for n in range(90)
        )
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNROT_HOME", str(folder / "home"))
        command = ["train", "--csv", str(table), "--target", "y", "--name", "houses"]
        assert main.main([*command, "--estimator", "tree"]) == 0
    return folder / "home"
