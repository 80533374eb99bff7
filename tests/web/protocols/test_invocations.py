"""MLflow's scoring server and SageMaker's endpoints: forms, errors, headers."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.skips import needs
from tests.web.protocols.conftest import NAMES, irises, named, own_labels
from unrot import __version__

ENDPOINT = "/endpoints/iris/invocations"
PATHS = ("/invocations", ENDPOINT)
ROW = [5.1, 3.5, 1.4, 0.2]
CSV, LINES, PARQUET = "text/csv", "application/jsonlines", "application/vnd.apache.parquet"
ID, VARIANT = "X-Amzn-SageMaker-Inference-Id", "X-Amzn-SageMaker-Target-Variant"


def table(rows: list[Any]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def sent(
    client: FlaskClient, path: str, body: str | bytes, type: str, **headers: str
) -> TestResponse:
    return client.post(path, data=body, content_type=type, headers=headers)


def forms(rows: list[list[float]]) -> dict[str, tuple[str, str]]:
    columns = {
        name: list(column) for name, column in zip(NAMES, zip(*rows, strict=True), strict=True)
    }
    given: dict[str, Any] = {
        "split": {"dataframe_split": {"index": [0], "columns": NAMES, "data": rows}, "other": 1},
        "records": {"dataframe_records": named(rows), "params": {}},
        "instances": {"instances": rows},
        "named instances": {"instances": named(rows)},
        "inputs": {"inputs": columns},
        "features": {"instances": [{"features": row} for row in rows]},
        "bare": rows,
    }
    written = {name: (json.dumps(one), "application/json") for name, one in given.items()}
    lines = [rows, named(rows), [{"features": row} for row in rows]]
    return {
        **written,
        "with a charset": (written["split"][0], "application/json; charset=utf-8"),
        "csv with a header": (table([[*NAMES, "more"], *([*row, "x"] for row in rows)]), CSV),
        "csv in another order": (table([NAMES[::-1], *(row[::-1] for row in rows)]), CSV),
        "csv without one": (table(rows), CSV),
        **{
            f"lines {number}": ("\n".join(map(json.dumps, each)), LINES)  # type: ignore[arg-type]
            for number, each in enumerate(lines)
        },
    }


FORMS = forms(irises())


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("form", FORMS)
def test_answers_equal_those_of_our_own_api(
    client: FlaskClient, judged: Callable[..., Any], form: str, path: str
) -> None:
    told = sent(client, path, *FORMS[form])

    assert told.status_code == 200, told.text
    body = told.json or {}
    assert body["predictions"] == own_labels(client, irises())
    assert judged(id=body["ids"][7]).prediction.inputs == irises()[7]


def test_columns_more_are_dropped_and_texts_are_read(client: FlaskClient) -> None:
    row = {**named([ROW])[0], "sepal_length_cm": "5.1", "row_id": {"deep": []}}

    told = client.post("/invocations", json={"dataframe_records": [row]})

    assert told.json["predictions"] == ["Iris-setosa"]  # type: ignore[index]


def test_inference_id_is_the_clients_own_key_of_one_row(
    client: FlaskClient, judged: Callable[..., Any]
) -> None:
    one = sent(client, ENDPOINT, table([ROW]), CSV, **{ID: "order-1", VARIANT: "champion"})
    many = sent(client, ENDPOINT, table([ROW, ROW]), CSV, **{ID: "order-2"})
    unknown = sent(client, ENDPOINT, table([ROW]), CSV, **{VARIANT: "v9"})
    other = sent(
        client, "/invocations", table([ROW]), CSV, **{"X-Amzn-SageMaker-Target-Model": "nobody"}
    )

    assert one.headers["x-Amzn-Invoked-Production-Variant"] == "v1"
    assert judged(model="iris", key="order-1").prediction.inputs == ROW
    assert (many.status_code, unknown.status_code, other.status_code) == (400, 404, 404)


def test_answer_is_written_as_it_is_asked_for(client: FlaskClient) -> None:
    rows = [ROW, [6.7, 3.1, 5.6, 2.4]]

    plain = sent(client, ENDPOINT, table(rows), CSV, Accept="text/csv")
    lines = sent(client, ENDPOINT, table(rows), CSV, Accept=LINES)
    many = sent(client, ENDPOINT, table(rows * 100), CSV, Accept="text/csv")

    ids = plain.headers["Unrot-Prediction-Ids"].split(",")
    assert (plain.text, plain.mimetype) == ("Iris-setosa\nIris-virginica\n", CSV)
    assert len(set(ids)) == 2
    assert [json.loads(line)["prediction"] for line in lines.text.splitlines()] == [
        "Iris-setosa",
        "Iris-virginica",
    ]
    assert "Unrot-Prediction-Ids" not in many.headers


def test_server_says_that_it_lives(client: FlaskClient) -> None:
    assert [
        (client.get(path).status_code, client.get(path).text) for path in ("/ping", "/health")
    ] == [
        (200, "\n"),
        (200, "\n"),
    ]
    assert client.get("/version").text == __version__


def test_parquet_is_read_where_it_can_be(client: FlaskClient) -> None:
    pyarrow = pytest.importorskip("pyarrow") if _has_pyarrow() else None
    needs("pyarrow", pyarrow is not None, "pip install pyarrow")
    from pyarrow import parquet

    def packed(**columns: Any) -> bytes:
        file = io.BytesIO()
        parquet.write_table(pyarrow.table(columns), file)  # type: ignore[union-attr]
        return file.getvalue()

    columns = dict(zip(NAMES, zip(*irises(), strict=True), strict=True))
    told = sent(client, "/invocations", packed(**columns, more=["x"] * 500), PARQUET)
    many = sent(client, "/invocations", packed(sepal_length_cm=[1.0] * 20_000), PARQUET)
    long = sent(client, "/invocations", packed(sepal_length_cm=["x" * 9_000] * 9_000), PARQUET)

    assert (told.json or {})["predictions"] == own_labels(client, irises())
    assert (many.status_code, long.status_code) == (413, 413)

    # Ten thousand rows of one long value, and a row of millions of numbers, in a few hundred bytes.
    for bomb in ([b"a" * 50_000] * 9_000, [[1.0] * 100_000]):
        small = packed(sepal_length_cm=bomb)
        refused = sent(client, "/invocations", small, PARQUET)
        assert len(small) < 60_000 and refused.status_code == 400
        assert "sepal_length_cm: expected texts, numbers, times" in refused.text


def _has_pyarrow() -> bool:
    from importlib.util import find_spec

    return find_spec("pyarrow") is not None


def test_parquet_without_pyarrow_says_what_to_install(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    told = sent(client, "/invocations", b"PAR1", PARQUET)

    assert (told.status_code, (told.json or {})["error_code"]) == (415, "BAD_REQUEST")
    assert "pip install" in (told.json or {})["message"]


SECRET = "s3cr3t"
JSON = "application/json"
WRONG: list[tuple[str | bytes, str]] = [
    *(
        (each, JSON)
        for each in ("", " ", "{", b"\xff", "7", f'"{SECRET}"', "null", "{}", "[" * 5000)
    ),
    *((json.dumps({SECRET: 1, form: 7}), JSON) for form in ("instances", "inputs", "x")),
    *(
        (json.dumps({form: each}), JSON)
        for form in ("dataframe_split", "dataframe_records", "instances", "inputs")
        for each in (None, SECRET, [], {}, [SECRET], [[SECRET]], [{"sepal_length_cm": SECRET}])
    ),
    *(
        (json.dumps({"dataframe_split": {"columns": columns, "data": data}}), JSON)
        for columns, data in (
            (None, []),
            (SECRET, [ROW]),
            ([1], [[1]]),
            (NAMES, SECRET),
            (NAMES, [SECRET]),
            (NAMES, [ROW[:3]]),
            (NAMES[:3], [ROW[:3]]),
            (NAMES, [[*ROW[:3], SECRET]]),
            (NAMES, [[*ROW[:3], {SECRET: 1}]]),
            (NAMES, [[*ROW[:3], None]]),
            ([SECRET], [[1]]),
        )
    ),
    (json.dumps({"inputs": [ROW], "instances": [ROW]}), JSON),
    (json.dumps({"instances": [ROW], "keys": [SECRET, SECRET]}), JSON),
    *((each, CSV) for each in ("", "\n", SECRET, b"\xff\xfe", f"1,2,3,{SECRET}", "1,2,3", '"1')),
    *(
        (each, CSV)
        for each in (",".join(NAMES), f"{','.join(NAMES)}\n1,2,3", "1,2,3,\n", "\0,1,2,3")
    ),
    *((each, LINES) for each in ("", "{", SECRET, f'["{SECRET}"]', "7", "null", "[1,2,3]\n[1")),
    *((each, PARQUET) for each in (b"", b"PAR1", b"PAR1" * 9)),
    *((SECRET, type) for type in ("text/plain", "", "application/json; charset=latin-1", "x/y")),
    (json.dumps({"instances": [ROW] * 10_001}), JSON),
    ("1,2,3,4\n" * 10_001, CSV),
    ("1,2,3,4," * 150_000, CSV),
    ("[1,2,3,4]\n" * 10_001, LINES),
    ("\n" * 400_000 + "{}\n" * 10_001, LINES),
    (f"[{'{},' * 100_001}{{}}]", JSON),
    (f"[{'[],' * 400_001}[]]", JSON),
    (("[" + "[]," * 300 + "[]]\n") * 2_000, LINES),
]


@pytest.mark.parametrize("path", PATHS)
def test_what_is_wrong_is_said_in_the_shape_of_the_protocol(client: FlaskClient, path: str) -> None:
    assert len(WRONG) >= 60
    for body, type in WRONG:
        told = sent(client, path, body, type)

        assert told.status_code in (400, 413, 415), (body, told.text)
        assert told.content_type == "application/json"
        assert SECRET not in told.text, (body, told.text)
        if path == ENDPOINT:
            assert told.headers["x-amzn-ErrorType"] == "ValidationError"
            assert set(told.json) == {"message"}  # type: ignore[arg-type]
        else:
            assert set(told.json) == {"error_code", "message"}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/invocations", 405),
        ("POST", "/ping", 405),
        ("POST", "/invocations/x", 404),
        ("POST", "/endpoints/nobody/invocations", 404),
        ("GET", "/endpoints", 404),
    ],
)
def test_errors_of_addresses_have_that_shape_too(
    client: FlaskClient, method: str, path: str, code: int
) -> None:
    answer = client.open(path, method=method, json={"instances": [ROW]})

    assert (answer.status_code, "message" in (answer.json or {})) == (code, True)
