"""Parquet files as strangers may send them: none ends a worker, and none is an answer of 500."""

from __future__ import annotations

import fcntl
import io
import random
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.live_server import children
from tests.web.hazards import FILES
from unrot.web import uploads

pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")

PARQUET = "application/vnd.apache.parquet"
PATHS = ("/invocations", "/endpoints/iris/invocations", "/api/v1/feedback")
SEEDS = (*range(60, 90), 143)
"""Each starts a process; pyarrow ended ours at 83, and did not know an index at 143."""


def packed(columns: dict[str, Any], **how: Any) -> bytes:
    from pyarrow import parquet

    file = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), file, **how)
    return file.getvalue()


def edited(raw: bytes, seed: int) -> bytes:
    """Change one to eight bytes, of the foot three times out of four."""
    chance, data = random.Random(seed), bytearray(raw)
    foot_at = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    first, last = (foot_at, len(data) - 8) if chance.random() < 0.75 else (4, foot_at)
    for _ in range(chance.choice([1, 1, 1, 2, 3, 8])):
        place = chance.randrange(first, last)
        data[place] = chance.choice([chance.randrange(256), 0, 255, 127, (data[place] + 1) % 256])
    return bytes(data)


@pytest.fixture(autouse=True)
def nobody_is_left() -> Iterator[None]:
    """See that each process that was started has ended, and that its end was asked for."""
    before = children()
    yield
    assert children() == before


@pytest.mark.parametrize("path", PATHS)
def test_file_that_ends_the_process_that_reads_it_is_refused(
    client: FlaskClient, path: str
) -> None:
    bombs = [file for file in FILES if file.startswith(b"PAR1")]

    codes = [client.post(path, data=bomb, content_type=PARQUET).status_code for bomb in bombs]

    assert len(bombs) == 2 and min(map(len, bombs)) == 49
    assert {*codes} <= {400, 422}


def test_edited_files_are_answered_below_500(client: FlaskClient) -> None:
    columns = {
        "id": ["a" * 32] * 50,
        "label": ["x", "y"] * 25,
        "sepal_length_cm": [0.5] * 50,
        "petal_width_cm": [None, 7] * 25,
    }
    forms: list[dict[str, Any]] = [
        {},
        {"compression": "none"},
        {"use_dictionary": False, "compression": "none"},
        {"compression": "gzip", "data_page_version": "2.0"},
        {"row_group_size": 10},
    ]
    files = [packed(columns, **form) for form in forms]

    for seed in SEEDS:
        raw = edited(files[seed % len(files)], seed)
        told = client.post(PATHS[seed % len(PATHS)], data=raw, content_type=PARQUET)
        assert told.status_code < 500, (seed, told.text)


@pytest.mark.parametrize("path", PATHS)
def test_index_that_its_dictionary_lacks_is_an_unreadable_file(
    client: FlaskClient, path: str
) -> None:
    columns = {"id": ["a", "b"] * 4, "label": ["x", "y"] * 4, "sepal_length_cm": ["1", "2"] * 4}
    raw = packed(columns, compression="none", write_statistics=False)
    lacking = raw.replace(b"L\x15\x04", b"L\x15\x02")

    told = client.post(path, data=lacking, content_type=PARQUET)

    assert lacking != raw
    assert (told.status_code, "cannot be read as Parquet" in told.text) == (
        422 if path.endswith("feedback") else 400,
        True,
    )


def test_foot_with_fewer_rows_than_there_are_brings_no_more_than_are_taken(
    client: FlaskClient,
) -> None:
    """A million rows of nothing are two kilobytes."""
    raw = packed({"sepal_length_cm": pyarrow.nulls(1_000_000, pyarrow.float64())})
    foot_at = len(raw) - 8 - int.from_bytes(raw[-8:-4], "little")
    lying = raw[:foot_at] + raw[foot_at:].replace(b"\x80\x89\x7a", b"\x8a\x80\x00", 1)

    told = client.post("/invocations", data=lying, content_type=PARQUET)

    assert len(lying) < 10_000 and lying != raw
    assert told.status_code in (400, 413)


@pytest.mark.parametrize("path", PATHS)
def test_machine_without_room_for_a_process_says_so(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("subprocess.Popen", fails)

    told = client.post(path, data=packed({"sepal_length_cm": [1.0]}), content_type=PARQUET)

    assert (told.status_code, "temporarily unavailable" in told.text) == (503, True)


def test_few_files_are_read_at_once(app: Flask, client: FlaskClient) -> None:
    folder = app.extensions["unrot"].settings.home / "uploads"
    folder.mkdir(exist_ok=True)
    with ExitStack() as held:
        for number in range(uploads.AT_ONCE):
            place = held.enter_context((folder / str(number)).open("ab"))
            fcntl.flock(place, fcntl.LOCK_EX)
        raw = packed({"sepal_length_cm": [1.0]})
        told = client.post("/invocations", data=raw, content_type=PARQUET)
        assert (told.status_code, "try again in a moment" in told.text) == (429, True)

    assert client.post("/invocations", data=raw, content_type=PARQUET).status_code == 400


def test_file_that_is_not_read_to_its_end_leaves_no_process(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "JUDGING_SECONDS", 0.0)
    raw = packed({"key": [f"{at}{'x' * 99}" for at in range(20_000)], "label": ["y"] * 20_000})

    told = client.post("/api/v1/feedback?model=iris", data=raw, content_type=PARQUET)

    assert "was taken to line 1,000" in told.text
