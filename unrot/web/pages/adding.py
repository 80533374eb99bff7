"""The page that says how a model is added: three ways, each with its commands filled in.

A browser cannot do it: training and the owner's own code belong to a terminal on the machine.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from flask import render_template, request

from unrot.core.errors import Invalid
from unrot.core.places import program
from unrot.core.schema import check_name
from unrot.core.settings import Settings
from unrot.web import security
from unrot.web.current import service
from unrot.web.pages.models import blueprint
from unrot.web.routes import VIEWER

LONGEST = 200
USUAL_NAME = "churn"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to add a model."""

    id: str
    title: str
    when: str
    file: str
    """What a file of the owner's own has to hold; empty where none is needed."""
    file_name: str
    commands: str
    after: str


@blueprint.page("GET", "/add-a-model", needs=VIEWER)
def add_a_model() -> str:
    """Say how a model is added, with the names that were typed in the commands."""
    file = _typed("file", "customers.csv")
    target, name = _typed("target", "left"), _typed("name", USUAL_NAME)
    problem = _problem(name)
    return render_template(
        "add.html",
        file=file,
        target=target,
        name=name,
        problem=problem,
        program=program(),
        is_checkout=program() != "unrot",
        ways=ways(_home(service().settings), file, target, USUAL_NAME if problem else name),
        has_other_home=_has_other_home(service().settings),
        has_other_store=bool(service().settings.store),
    )


def ways(home: str, file: str, target: str, name: str) -> list[Way]:
    """Return the ways, with commands for a shell; `home` stands before each."""
    rows, column, model = map(shlex.quote, (file, target, name))
    called = f"{home}{program()}"
    table = f"{called} train --csv {rows} --target {column}"
    return [
        Way(
            "train",
            "A table, and the app trains",
            "You have a CSV file with the column that is to be predicted.",
            "",
            "",
            f"{table} --dry-run\n{table} --name {model}",
            "The first says what each column was found to be, and trains nothing. A fifth of the "
            "rows is held out to judge by.",
        ),
        Way(
            "fitted",
            "An estimator that you have fitted",
            "You have a fitted scikit-learn estimator or pipeline in a file, and a CSV file that "
            "shows what a row looks like.",
            'import joblib\n\n\ndef load():\n    return joblib.load("model.joblib")',
            "my_model.py",
            f"{called} add {model} my_model:load --data {rows} --target {column}",
            "Your function opens the file, by joblib or skops as it was written; the app unpickles "
            "nothing by itself. With --holdout new.csv, rows that it was not fitted on, there is "
            "something to judge by.",
        ),
        Way(
            "python",
            "From Python or a notebook",
            "Your own code fits the estimator.",
            _in_python(file, target, name),
            "my_training.py",
            f"{home}python my_training.py",
            "unrot.add takes DataFrames, arrays or columns, and the estimator as it is; "
            "holdout=(X_new, y_new) gives it rows to be judged by.",
        ),
    ]


def _in_python(file: str, target: str, name: str) -> str:
    return (
        "import pandas\nimport unrot\n"
        "from sklearn.ensemble import RandomForestClassifier\n\n"
        f"table = pandas.read_csv({file!r})\n"
        f"X, y = table.drop(columns={target!r}), table[{target!r}]\n"
        f"unrot.add({name!r}, RandomForestClassifier().fit(X, y), X, y)"
    )


def _home(settings: Settings) -> str:
    """Write which home folder is meant; where it lies, operators alone are told."""
    if not _has_other_home(settings) or not security.may("operator"):
        return ""
    return f"UNROT_HOME={shlex.quote(str(settings.home))} "


def _has_other_home(settings: Settings) -> bool:
    return settings.home != Path("var")


def _typed(key: str, usual: str) -> str:
    text = " ".join(request.args.get(key, "").split())[:LONGEST]
    return text if text.isprintable() and text else usual


def _problem(name: str) -> str:
    try:
        check_name(name)
    except Invalid as error:
        return error.message
    return ""
