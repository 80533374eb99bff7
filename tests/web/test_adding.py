"""How a model is added: the commands of the page, right for this installation."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import VIEWER
from tests.web.visitor import sign_in, text_of
from unrot.cli.main import parser
from unrot.core.places import program
from unrot.core.settings import Settings
from unrot.web.pages.adding import ways

AT = "/add-a-model"


def test_commands_are_filled_in_for_a_shell() -> None:
    train, fitted, python = ways("", "my rows.csv", "it's", "churn")

    quoted = "'my rows.csv' --target 'it'\"'\"'s'"
    assert train.commands.splitlines()[1] == f"{program()} train --csv {quoted} --name churn"
    assert fitted.commands == (
        f"{program()} add churn my_model:load --data 'my rows.csv' --target 'it'\"'\"'s'"
    )
    assert python.commands == "python my_training.py"
    assert 'drop(columns="it\'s")' in python.file


def test_commands_are_those_of_the_command_line() -> None:
    train, fitted, _ = ways("", "rows.csv", "left", "churn")
    lines = [*train.commands.splitlines(), fitted.commands]

    read = [parser().parse_args(line.removeprefix(program()).split()) for line in lines]

    assert [one.called for one in read] == ["train", "train", "add"]
    assert [one.name for one in read] == [None, "churn", "churn"]


def test_only_an_operator_is_told_where_the_home_folder_lies(
    operator: FlaskClient, app: Flask, settings: Settings
) -> None:
    home = str(settings.home)
    looker = app.test_client()
    sign_in(looker, VIEWER)

    told, hidden = operator.get(AT), looker.get(AT)

    assert f"UNROT_HOME={home} " in told.text
    assert home not in hidden.text
    assert "The home folder of this app is not the usual one" in text_of(hidden)


@pytest.mark.parametrize("name", ["Churn", "a b", "x" * 500, "<b>", "\x00", ""])
def test_names_that_cannot_be_are_told_and_escaped(viewer: FlaskClient, name: str) -> None:
    page = viewer.get(AT, query_string={"name": name, "file": name, "target": name})

    assert page.status_code == 200
    assert "<b>" not in page.text
    assert ("A model cannot be named" in text_of(page)) == (name not in ("", "\x00"))
    assert "--name churn" in text_of(page)


def test_home_leads_to_it_whoever_may_see_it(viewer: FlaskClient, app: Flask) -> None:
    visitor = app.test_client()

    assert f'href="{AT}"' in viewer.get("/").text
    assert f'href="{AT}"' not in visitor.get("/").text
    assert visitor.get(AT).status_code == 302
