"""The predict path stays light: what a fresh process has imported, and what it has opened."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT, environment

PROGRAM = """
import json, sqlite3, sys

opened = []
connect = sqlite3.connect
from unrot.app import create_app
from unrot.web.masked import masked, new_secret
app = create_app()
client = app.test_client()
app.extensions["unrot"].catalogue()


def refuse(*arguments, **more):
    opened.append(arguments)
    raise AssertionError("the store was asked")


database = app.extensions["unrot"].store.database._database._database
database.read = database.write = refuse
row = {"sepal_length_cm": 5.1, "sepal_width_cm": 3.5, "petal_length_cm": 1.4, "petal_width_cm": 0.2}
codes = [
    client.post("/api/v1/predict", json=row).status_code,
    client.post("/api/v1/models/iris/predict", json={"inputs": [row, row]}).status_code,
    client.post("/api/v1/models/iris/versions/v1/predict", json={"inputs": row}).status_code,
    client.post("/api/v1/predictions", json={"instances": [[1, 2, 3, 4]]}).status_code,
    client.get("/api/v1/models").status_code,
]
with client.session_transaction() as session:
    session["csrf"] = new_secret()
    token = masked(session["csrf"])
odd = {**row, "sepal_width_cm": 9, "csrf_token": token}
page = client.post("/models/iris", data=odd)
heavy = ("sklearn", "pandas", "whylogs", "grpc", "scipy", "skl2onnx", "skops", "google.cloud")
print(json.dumps({
    "codes": codes,
    "page": [page.status_code, "Unlike anything it was trained on" in page.text],
    "asked": len(opened),
    "heavy": [name for name in heavy if name in sys.modules],
}))
"""


def test_predicting_imports_no_training_code_and_asks_no_store(trained_home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment(trained_home),
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "codes": [200] * 5,
        "page": [200, True],
        "asked": 0,
        "heavy": [],
    }
