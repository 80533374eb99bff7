"""What tests of pages and routes begin with: a client, and one that has signed in."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import OPERATOR, VIEWER
from tests.web.visitor import sign_in
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
