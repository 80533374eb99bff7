"""Gaps, whole numbers, choices, truths and numbers to predict, through each protocol."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from unrot.app import create_app
from unrot.cli import main
from unrot.core.settings import Settings

NAMES = ["width (cm)", "rooms", "town", "heated"]
ROWS = [[1.5, 2, "Rome", True], [None, 4, "Oslo", False], [7.25, 29, "Atlantis", True]]
AS_CLIENTS = [["1.5", 2.0, "Rome", 1], [float("nan"), "4", "Oslo", 0], [7.25, 29, "Atlantis", 1.0]]
"""The same, in the types that frames and arrays have."""
NAMED = [dict(zip(NAMES, row, strict=True)) for row in AS_CLIENTS]
CELLS = "1.5,2,Rome,yes\n,4,Oslo,0\n7.25,29,Atlantis,True\n"
OBJECT = "application/json"
LINES = "\n".join(json.dumps(row) for row in AS_CLIENTS)


def tensors(rows: list[list[Any]]) -> list[dict[str, Any]]:
    types = ("FP64", "INT64", "BYTES", "BOOL")
    columns = zip(NAMES, types, zip(*rows, strict=True), strict=True)
    return [
        {"name": name, "datatype": type, "shape": [len(rows), 1], "data": list(column)}
        for name, type, column in columns
    ]


ASKED: dict[str, tuple[str, Any, str]] = {
    "oip": ("/v2/models/{}/infer", {"inputs": tensors(AS_CLIENTS)}, OBJECT),
    "kserve": ("/v1/models/{}:predict", {"instances": AS_CLIENTS}, OBJECT),
    "ml engine": ("/v1/projects/p/models/{}:predict", {"instances": NAMED}, OBJECT),
    "vertex": (
        "/v1/projects/p/locations/l/endpoints/{}:predict",
        {"instances": AS_CLIENTS},
        OBJECT,
    ),
    "sagemaker csv": ("/endpoints/{}/invocations", CELLS, "text/csv"),
    "sagemaker lines": ("/endpoints/{}/invocations", LINES, "application/jsonlines"),
    "mlflow split": (
        "/endpoints/{}/invocations",
        {"dataframe_split": {"columns": NAMES, "data": AS_CLIENTS}},
        OBJECT,
    ),
    "mlflow csv": (
        "/endpoints/{}/invocations",
        f"{','.join(NAMES)}\n{CELLS}",
        "text/csv",
    ),
    "seldon": ("/seldon/n/{}/api/v1.0/predictions", {"data": {"ndarray": AS_CLIENTS}}, OBJECT),
}


@pytest.fixture(scope="module")
def client(houses: Path) -> Iterator[FlaskClient]:
    """A home folder with a model of classes, and one of numbers."""
    table = houses.parent / "prices.csv"
    towns, words = ("Oslo", "Rome"), ("no", "yes")
    lines = [
        f"{n / 8 if n % 11 else ''},{n % 30},{towns[n % 2]},{words[n % 3 > 0]},{n * 1.5}\n"
        for n in range(90)
    ]
    table.write_text(f"{','.join(NAMES)},price\n{''.join(lines)}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNROT_HOME", str(houses))
        command = ["train", "--csv", str(table), "--target", "price", "--name", "prices"]
        assert main.main([*command, "--estimator", "tree"]) == 0
    app = create_app(Settings(home=houses))
    yield app.test_client()
    app.extensions["unrot"].store.close()


def predictions(told: Any) -> list[Any]:
    """Return what a protocol answers, a class or a number for each row."""
    if "outputs" in told:
        found: list[Any] = told["outputs"][0]["data"]
    elif "meta" in told:
        tags = told["meta"]["tags"]
        found = tags.get("labels") or [row[0] for row in told["data"]["ndarray"]]
    else:
        found = told["predictions"]
    return found


@pytest.mark.parametrize("model", ["houses", "prices"])
@pytest.mark.parametrize("asked", ASKED)
def test_values_are_read_as_features_take_them(client: FlaskClient, model: str, asked: str) -> None:
    path, body, type = ASKED[asked]
    text = body if isinstance(body, str) else json.dumps(body)
    rows = [dict(zip(NAMES, row, strict=True)) for row in ROWS]

    told = client.post(path.format(model), data=text, content_type=type)
    own = client.post(f"/api/v1/models/{model}/predict", json={"inputs": rows})

    assert told.status_code == 200, told.text
    expected = [one.get("class", one.get("value")) for one in own.json["data"]["predictions"]]  # type: ignore[index]
    assert predictions(told.json) == expected
    assert all(isinstance(one, str if model == "houses" else float) for one in expected)
