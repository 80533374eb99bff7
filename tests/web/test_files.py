"""Whole files over the pages and the API: answered as files, refused beside the field."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import OPERATOR, VIEWER
from tests.web.visitor import csrf, sign_in, text_of
from unrot.app import create_app
from unrot.core.records import Caller
from unrot.core.settings import Settings
from unrot.serve.service import Service
from unrot.web import uploads

NAMES = "sepal_length_cm,sepal_width_cm,petal_length_cm,petal_width_cm"
SETOSA = "5.1,3.5,1.4,0.2"
ROWS = f"plant,{NAMES}\nrose,{SETOSA}\ntulip,,,,\n".encode()

Send = Callable[..., TestResponse]


@pytest.fixture(autouse=True)
def forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Uploads go to a folder of this test's own, and are gone when it is over."""
    own = tmp_path / "temporary"
    own.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(own))
    yield
    assert os.listdir(own) == []


def send(
    client: FlaskClient, what: str, content: bytes, name: str = "in.csv", **more: str
) -> TestResponse:
    fields = {"csrf_token": csrf(client), **more, "file": (io.BytesIO(content), name)}
    address = f"/models/iris/files/{what}"
    headers = {"X-Fragment": more.pop("fragment", "0")}
    return client.post(address, data=fields, headers=headers, buffered=True)


def rows_of(answer: TestResponse) -> list[dict[str, str]]:
    assert answer.mimetype == "text/csv"
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def labels_for(kept: Service, count: int) -> bytes:
    made = kept.predict_instances("iris", [[5.1, 3.5, 1.4, 0.2]] * count).predictions
    return "".join(["id,label\n", *(f"{one.id},Iris-setosa\n" for one in made)]).encode()


# ── predict ──────────────────────────────────────────────────────────────────────────────────


def test_file_is_answered_with_a_file(client: FlaskClient, kept: Service) -> None:
    answer = send(client, "predict", ROWS, "my plants.csv")

    good, bad = rows_of(answer)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="my plants-predicted.csv"'
    )
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Delimiter"] == str(ord(","))
    assert (good["plant"], good["prediction"], good["problem"]) == ("rose", "Iris-setosa", "")
    assert kept.judge({"id": good["id"], "was_correct": True}, Caller())[1] == "created"
    assert (bad["plant"], bad["id"]) == ("tulip", "")


def test_classes_have_columns_when_the_box_is_ticked(client: FlaskClient) -> None:
    answer = send(client, "predict", ROWS, probabilities="1")

    assert "probability of Iris-virginica" in rows_of(answer)[0]


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "in.csv", "in.csv is empty"),
        (b"", "", "Choose a file first."),
        (b"\x89PNG\r\n\x1a\n\0\0", "cat.png", "cat.png holds zero bytes, so it is not text"),
        (b"PK\x03\x04", "book.xlsx", "book.xlsx is an Excel workbook or a zip archive"),
        (b"a,b\n1,2\n", "a.csv", 'The column "sepal_length_cm": a.csv has no such column.'),
        (b"a,b\n1,2\n", "../mä.csv", 'The column "sepal_length_cm": mä.csv has no such'),
    ],
)
def test_file_that_is_none_is_refused_beside_its_field(
    client: FlaskClient, content: bytes, name: str, said: str
) -> None:
    answer = send(client, "predict", content, name)

    assert answer.status_code == 422
    assert said in text_of(answer)
    assert 'aria-describedby="rows-help rows-error" aria-invalid="true"' in answer.text


def test_script_gets_the_forms_alone(client: FlaskClient) -> None:
    answer = send(client, "predict", b"a\n1\n", fragment="1")

    assert (answer.status_code, answer.headers["X-Fragment"]) == (422, "1")
    assert answer.text.startswith('<section class="files"')


def test_forged_form_and_unknown_model_are_refused(client: FlaskClient) -> None:
    forged = {"csrf_token": "x", "file": (io.BytesIO(ROWS), "in.csv")}

    refused = client.post("/models/iris/files/predict", data=forged)
    unknown = client.post("/models/roses/files/predict", data={})
    back = client.get("/models/iris/files/predict")

    assert (refused.status_code, unknown.status_code, back.status_code) == (403, 404, 302)
    assert back.headers["Location"] == "/models/iris#files"
    assert "This form is too old" in text_of(refused)


def test_file_over_the_limit_is_refused_and_one_under_it_may_pass_an_ordinary_body(
    settings: Settings,
) -> None:
    app = create_app(replace(settings, max_body=5_000, max_upload=100_000))
    client = app.test_client()
    rows = f"{NAMES}\n".encode() + f"{SETOSA}\n".encode() * 1_000

    taken = send(client, "predict", rows)
    refused = send(client, "predict", rows * 10)
    by_program = client.post("/api/v1/models/iris/predict", data=rows * 10, content_type="text/csv")

    app.extensions["unrot"].store.close()
    assert (taken.status_code, len(rows_of(taken))) == (200, 1_000)
    assert (refused.status_code, by_program.status_code) == (413, 413)
    assert "larger than the 100,000 bytes that are taken (UNROT_MAX_UPLOAD)" in text_of(refused)
    assert by_program.json
    assert by_program.json["reason"] == "too_large"


def test_answer_that_must_end_early_says_so_in_its_last_row(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "PATIENCE_SECONDS", 0)
    app = create_app(replace(settings, journal_max=200_000))
    rows = f"{NAMES}\n".encode() + f"{SETOSA}\n".encode() * 3_000

    answer = send(app.test_client(), "predict", rows)

    app.extensions["unrot"].store.close()
    *good, last = rows_of(answer)
    assert (len(good), all(row["id"] for row in good)) == (1_000, True)
    assert last["problem"] == (
        "The answer ends after line 1001 of the file: The journal is half full and is not being "
        "shipped: see how the store and the caretaker are, then send the rest."
    )


# ── labels ───────────────────────────────────────────────────────────────────────────────────


def test_labels_are_counted_on_the_page(client: FlaskClient, kept: Service) -> None:
    answer = send(client, "labels", labels_for(kept, 3) + b"forged,Iris-setosa\n")

    assert answer.status_code == 200
    assert "in.csv: 4 rows kept 3 refused: no id of this app 1 line 5" in text_of(answer)


def test_labels_are_trusted_as_who_sends_them_is(client: FlaskClient, kept: Service) -> None:
    labels = labels_for(kept, 1)
    id = labels.split(b"\n")[1].split(b",")[0].decode()

    def judge() -> str | None:
        send(client, "labels", labels)
        verdict = kept.store.verdicts.of(id)
        assert verdict
        return verdict.judge

    anybody = judge()
    sign_in(client, VIEWER)
    viewer = judge()
    sign_in(client, OPERATOR)
    operator = judge()

    assert (anybody, viewer, operator) == (None, None, "operator")


def test_labels_without_their_columns_are_refused_beside_the_field(client: FlaskClient) -> None:
    answer = send(client, "labels", b"a,b\n1,2\n")

    assert answer.status_code == 422
    assert "in.csv has the columns" in text_of(answer)
    assert 'aria-describedby="labels-help labels-error" aria-invalid="true"' in answer.text


def test_long_file_of_labels_says_how_far_it_was_taken(
    client: FlaskClient, kept: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "JUDGING_SECONDS", -1)

    answer = send(client, "labels", labels_for(kept, 1_500))

    assert "1,000 rows kept 1,000" in text_of(answer)
    assert "it was taken to line 1,001. Send the rows below that line" in text_of(answer)


# ── programs ─────────────────────────────────────────────────────────────────────────────────


def test_program_sends_files_as_they_are(client: FlaskClient, kept: Service) -> None:
    address = "/api/v1/models/iris/versions/v1/predict?probabilities"

    answer = client.post(address, data=ROWS, content_type="text/csv; charset=utf-8", buffered=True)
    good, bad = rows_of(answer)
    labels = f"id,label\n{good['id']},Iris-setosa\n{bad['id']},Iris-setosa\n"
    judged = client.post("/api/v1/feedback", data=labels, content_type="text/csv")

    assert answer.headers["Content-Disposition"] == "attachment; filename=table-predicted.csv"
    assert good["probability"] == good["probability of Iris-setosa"]
    assert judged.json
    assert judged.json["data"] == {
        "rows": 2,
        "counts": {"created": 1, "no_id": 1},
        "lines": {"no_id": [3]},
        "last_line": 3,
        "problem": None,
    }


def test_program_reads_what_is_wrong_as_json(client: FlaskClient) -> None:
    post = "/api/v1/models/{}/predict"

    codes = [
        client.post(post.format("iris"), data=b"", content_type="text/csv").status_code,
        client.post(post.format("iris"), data=b"a\n1\n", content_type="text/csv").status_code,
        client.post(post.format("roses"), data=ROWS, content_type="text/csv").status_code,
        client.post("/api/v1/feedback", data=b"a\n1\n", content_type="text/csv").status_code,
    ]

    assert codes == [422, 422, 404, 422]
