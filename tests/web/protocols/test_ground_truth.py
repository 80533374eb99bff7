"""SageMaker's ground truth, sent and on the command line."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.conftest import JUDGE
from unrot.run.caretaker import Caretaker
from unrot.serve.service import Service

ROW = [5.1, 3.5, 1.4, 0.2]
PATH = "/api/v1/models/iris/ground-truth"
HEADER = "X-Amzn-SageMaker-Inference-Id"


def line(event: Any, data: Any, encoding: str = "CSV") -> str:
    return json.dumps(
        {
            "groundTruthData": {"data": data, "encoding": encoding},
            "eventMetadata": {"eventId": event},
            "eventVersion": "0",
        }
    )


def ask(client: FlaskClient, event: str) -> str:
    """Predict; return the id of the prediction."""
    told = client.post(
        "/endpoints/iris/invocations", json={"instances": [ROW]}, headers={HEADER: event}
    )
    id: str = told.json["ids"][0]  # type: ignore[index]
    return id


def test_ground_truth_judges_by_event_and_by_id(client: FlaskClient, kept: Service) -> None:
    ids = [ask(client, event) for event in ("a", "b", "c", "d")]
    Caretaker(kept, "tests").go_round()
    lines = [
        line("a", "Iris-setosa"),
        line("b", json.dumps("Iris-virginica"), "JSON"),
        line("c", b64encode(b"iris-setosa").decode(), "BASE64"),
        line(ids[3], "Iris-versicolor"),
    ]

    told = client.post(
        PATH,
        data="\n".join(lines),
        content_type="application/jsonlines",
        headers={"Authorization": f"Bearer {JUDGE}"},
    )

    data = told.json["data"]  # type: ignore[index]
    assert (data["rows"], data["counts"], data["problem"]) == (4, {"created": 4}, None)
    verdicts = [kept.store.verdicts.of(id) for id in ids]
    assert [(one.label, one.was_correct, one.judge) for one in verdicts] == [  # type: ignore[union-attr]
        ("Iris-setosa", True, "ada"),
        ("Iris-virginica", False, "ada"),
        ("Iris-setosa", True, "ada"),
        ("Iris-versicolor", False, "ada"),
    ]


WRONG = [
    "{", "7", "null", "[]", "{}", '"x"', "\xff", "[" * 5_000, "x" * 200_000,
    *(line(event, "Iris-setosa") for event in (None, 7, "", [], {}, "x" * 300)),
    *(line("a", data) for data in (None, [], {}, "", "nan")),
    *(line("a", "Iris-setosa", encoding) for encoding in ("", "XML", "JSON", "BASE64")),
    line("a", "[1, 2]", "JSON"), line("a", "NaN", "JSON"), line("a", "/w==", "BASE64"),
    '{"groundTruthData": 7, "eventMetadata": {"eventId": "a"}}',
    '{"groundTruthData": {"data": "x", "encoding": []}, "eventMetadata": {"eventId": "a"}}',
]  # fmt: skip


def test_lines_that_say_nothing_are_counted_and_the_rest_is_taken(
    client: FlaskClient, kept: Service
) -> None:
    ask(client, "a")
    Caretaker(kept, "tests").go_round()
    lines = [line("a", "Iris-virginica"), *WRONG, "", line("nobody", "Iris-setosa")]
    lines += [line("a", "tulip"), line("a", "Iris-setosa")]

    data = client.post(PATH, data="\n".join(lines)).json["data"]  # type: ignore[index]

    assert data["counts"] == {
        "not_ground_truth": len(WRONG),
        "not_found": 1,
        "unknown_label": 1,
        "created": 1,
        "revised": 1,
    }
    assert data["lines"]["not_ground_truth"] == [2, 3, 4, 5, 6]
    assert data["lines"]["unknown_label"] == [len(lines) - 1]


@pytest.mark.parametrize("sent", ["", "id,label", WRONG[0], WRONG[8], line("a", None)])
def test_file_that_does_not_begin_with_ground_truth_is_refused(
    client: FlaskClient, sent: str
) -> None:
    answer = client.post(PATH, data=sent)

    assert answer.status_code == 422
    assert answer.json["message"].startswith("The first line is no ground truth")  # type: ignore[index]


def test_unknown_model_and_token_are_refused(client: FlaskClient) -> None:
    nobody = client.post(PATH.replace("iris", "nobody"), data=line("a", "x"))
    token = client.post(PATH, data=line("a", "x"), headers={"Authorization": "Bearer nobody"})

    assert (nobody.status_code, token.status_code) == (404, 401)


def test_command_takes_ground_truth(
    at_home: Callable[..., int],
    service: Service,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = service.predict("iris", dict(zip(_names(service), ROW, strict=True)), keys=["order-1"])
    Caretaker(service, "tests").go_round()
    file, out = tmp_path / "truth.jsonl", tmp_path / "out.jsonl"
    file.write_text(line("order-1", "Iris-setosa") + "\n")

    assert at_home("feedback", file, "--ground-truth", "iris", "--out", out) == 0

    assert service.store.verdicts.of(str(answer.ids[0])).label == "Iris-setosa"  # type: ignore[union-attr]
    assert json.loads(out.read_text()) == {"eventId": "order-1", "status": "created"}
    assert "kept" in capsys.readouterr().out


def _names(service: Service) -> tuple[str, ...]:
    return service.catalogue().model("iris").model.schema.names
