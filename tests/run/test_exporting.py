"""Predictions and verdicts as files for other programs, from a real store."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, environment, run_command
from tests.skips import needs
from unrot.core.ids import Ids
from unrot.core.records import (
    Feature,
    Feedback,
    Model,
    ModelKey,
    Prediction,
    Row,
    Schema,
    Shipment,
)
from unrot.core.settings import Settings
from unrot.hear.feedback_documents import Kept, to_fields
from unrot.run import exporting
from unrot.run.bootstrap import open_service, secret_key
from unrot.run.exporting import open_export
from unrot.serve.batch_reader import BatchReader
from unrot.serve.service import Service
from unrot.store.kinds import FEEDBACK
from unrot.store.operations import Put

NOON = 1_767_355_200.0  # 2026-01-02 12:00
FARM = Schema(
    (
        Feature("weight", "number", low=0.0, high=9.0),
        Feature("legs", "integer", choices=(2, 4), nullable=True),
        Feature("sound", "category", choices=("moo", "=oink", "007"), nullable=True),
        Feature("is_old", "boolean"),
    ),
    "animal",
    ("cow", "-pig"),
)
ROWS: list[Row] = [
    [0.5, 4.0, "moo", True],
    [1e-7, None, "=oink", False],
    [3.0, 2.0, "=cmd", False],
]
COLUMNS = ["id", "predicted_at", "version", "prediction", "probability"]
VERDICT = [
    *("was_correct", "label", "truth", "given_at", "judge", "comment"),
    *("reward", "signals", "implicit", "reasons", "asked"),
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def service(home: Path) -> Iterator[Service]:
    service = open_service(Settings(home=home))
    yield service
    service.store.close()


def add(service: Service, name: str, schema: Schema, rows: Sequence[Row]) -> list[Prediction]:
    """Register a model and ship predictions of it, one a second from noon on."""
    model = service.store.registry.add_model(Model(name, 0, name, "", schema, NOON))
    ids = Ids(secret_key(service.settings))
    made = []
    for number, row in enumerate(rows):
        at = NOON + number
        id = ids.make(
            at=at, segment=b"12345", row=number, model_number=model.number, class_index=None
        )
        answer: tuple[Any, ...] = (None, None, 7.5)
        if schema.is_classifier:
            answer = (schema.classes[0], [0.75, 0.25], None)
        made.append(Prediction(id, name, "v1", at, row, *answer))
    for start in range(0, len(made), 1_000):
        some = made[start : start + 1_000]
        service.store.traffic.ship(Shipment(f"{name}-{start}", 0, 9, "me", some))
    return made


def judge(service: Service, schema: Schema, made: Prediction, **said: Any) -> None:
    given = {"given_at": made.predicted_at + 3_600.5, "judge": "ada", **said}
    verdict = Feedback(made.id or "", made.model, made.predicted_at, **given)
    fields = to_fields(Kept(verdict, made), schema.names)
    service.store.database.commit([Put(FEEDBACK, verdict.prediction, fields)])  # type: ignore[attr-defined]


def exported(home: Path, path: Path, *more: str, name: str = "farm") -> str:
    done = run_command(home, "export", name, str(path), *more)
    assert done.returncode == 0, done.stderr
    return done.stderr


def table(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


# ── what stands in it ────────────────────────────────────────────────────────────────────────


def test_predictions_as_csv_have_their_features_and_verdicts(
    service: Service, home: Path, tmp_path: Path
) -> None:
    made = add(service, "farm", FARM, ROWS)
    judge(service, FARM, made[0], was_correct=False, comment='=1+1, "no"\nsee', asked=True)
    judge(service, FARM, made[1], was_correct=True, judge=None, reasons=("weight", "sound"))

    said = exported(home, tmp_path / "out.csv")

    head, *rows = table(tmp_path / "out.csv")
    assert head == [*COLUMNS, *FARM.names, *VERDICT]
    assert [row[:5] for row in rows] == [
        [made[2].id, "2026-01-02T12:00:02.000+00:00", "v1", "cow", "0.75"],
        [made[1].id, "2026-01-02T12:00:01.000+00:00", "v1", "cow", "0.75"],
        [made[0].id, "2026-01-02T12:00:00.000+00:00", "v1", "cow", "0.75"],
    ]
    assert [row[5:9] for row in rows] == [
        ["3.0", "2", "'=cmd", "false"],
        ["1e-07", "", "=oink", "false"],
        ["0.5", "4", "moo", "true"],
    ]
    assert [row[9:] for row in rows] == [
        [""] * 11,
        [
            *("true", "", "cow", "2026-01-02T13:00:01.500+00:00"),
            *("", "", "", "", "false", "weight, sound", "false"),
        ],
        [
            *("false", "", "-pig", "2026-01-02T13:00:00.500+00:00", "ada"),
            *('\'=1+1, "no"\nsee', "", "", "false", "", "true"),
        ],
    ]
    assert "3 predictions of farm written to" in said


def test_json_lines_have_types_and_texts_as_they_are(
    service: Service, home: Path, tmp_path: Path
) -> None:
    made = add(service, "farm", FARM, ROWS)
    judge(service, FARM, made[2], label="-pig", comment="=1+1")

    exported(home, tmp_path / "out.ndjson")

    first = lines(tmp_path / "out.ndjson")[0]
    assert first == {
        "id": made[2].id,
        "predicted_at": "2026-01-02T12:00:02.000+00:00",
        "version": "v1",
        "prediction": "cow",
        "probability": 0.75,
        "weight": 3.0,
        "legs": 2,
        "sound": "=cmd",
        "is_old": False,
        "was_correct": False,
        "label": "-pig",
        "truth": "-pig",
        "given_at": "2026-01-02T13:00:02.500+00:00",
        "judge": "ada",
        "comment": "=1+1",
        "reward": None,
        "signals": None,
        "implicit": False,
        "reasons": None,
        "asked": False,
    }


def test_feedback_is_the_verdicts_by_when_they_were_given(
    service: Service, home: Path, tmp_path: Path
) -> None:
    made = add(service, "farm", FARM, ROWS)
    judge(service, FARM, made[0], was_correct=True, given_at=NOON + 9_000.0)
    judge(service, FARM, made[1], was_correct=True, given_at=NOON + 7_000.0)
    judge(service, FARM, made[2], withdrawn=True)

    said = exported(home, tmp_path / "all.jsonl", "--what", "feedback")
    exported(
        *(home, tmp_path / "late.jsonl", "--what", "feedback"), "--since", "2026-01-02T14:00:00Z"
    )

    assert [one["id"] for one in lines(tmp_path / "all.jsonl")] == [made[0].id, made[1].id]
    assert [one["id"] for one in lines(tmp_path / "late.jsonl")] == [made[0].id]
    assert "2 verdicts of farm written to" in said


def test_rewards_and_signals_are_exported_and_marked(
    service: Service, home: Path, tmp_path: Path
) -> None:
    made = add(service, "farm", FARM, ROWS)
    for row, at, said in [
        (made[0], 9_000.0, {"reward": 0.75}),
        (made[1], 8_000.0, {"signal": "=1+1"}),
        (made[1], 8_500.0, {"signal": "copied"}),
        (made[2], 7_000.0, {"was_correct": True}),
        (made[2], 7_500.0, {"signal": "copied"}),
    ]:
        verdict = Feedback(row.id or "", row.model, row.predicted_at, NOON + at, **said)
        service.store.verdicts.put([verdict])

    exported(home, tmp_path / "said.csv", "--what", "feedback")
    exported(home, tmp_path / "made.csv")

    expected = {
        made[0].id: ["", "0.75", "", "false", "", "false"],
        made[1].id: ["", "", "'=1+1, copied", "true", "", ""],
        made[2].id: ["true", "", "copied", "false", "", "false"],
    }
    of_feedback, of_predictions = (table(tmp_path / name)[1:] for name in ("said.csv", "made.csv"))
    assert [row[0] for row in of_feedback] == [made[0].id, made[1].id, made[2].id]
    for rows in (of_feedback, of_predictions):
        assert {row[0]: [row[9], *row[15:]] for row in rows} == expected


@pytest.mark.parametrize(
    ("more", "seconds"),
    [
        (["--since", "2026-01-02T12:00:01"], [2, 1]),
        (["--until", "2026-01-02 12:00:01"], [0]),
        (["--since", "2026-01-02T14:00:01+02:00", "--until", "1767355202"], [1]),
        (["--since", "2026-01-03"], []),
        (["--until", "2026-01-02"], []),
    ],
)
def test_stretch_of_time_begins_with_since_and_ends_before_until(
    service: Service, home: Path, tmp_path: Path, more: list[str], seconds: list[int]
) -> None:
    add(service, "farm", FARM, ROWS)

    exported(home, tmp_path / "out.jsonl", *more)

    found = [one["predicted_at"] for one in lines(tmp_path / "out.jsonl")]
    assert found == [f"2026-01-02T12:00:0{second}.000+00:00" for second in seconds]


def test_regression_has_numbers_and_errors(service: Service, home: Path, tmp_path: Path) -> None:
    schema = Schema(FARM.features[:1], "price")
    made = add(service, "farm", schema, [[1.0], [2.0]])
    judge(service, schema, made[0], label=7.0)

    exported(home, tmp_path / "out.jsonl")

    _, judged = lines(tmp_path / "out.jsonl")
    assert (judged["prediction"], judged["truth"], judged["error"]) == (7.5, 7.0, 0.5)
    assert "probability" not in judged


def test_feature_keeps_its_name_and_ours_goes_out_of_its_way(
    service: Service, home: Path, tmp_path: Path
) -> None:
    names = ("id", "Version", "truth", "prediction_id")
    schema = Schema(tuple(Feature(name, "number") for name in names), "x", ("a", "b"))
    add(service, "farm", schema, [[1.0, 2.0, 3.0, 4.0]])

    said = exported(home, tmp_path / "out.csv", "--probabilities")

    head, row = table(tmp_path / "out.csv")
    assert head[:3] == ["prediction_id (2)", "predicted_at", "model_version"]
    assert head[5:7] == ["probability of a", "probability of b"]
    assert [row[head.index(name)] for name in names] == ["1.0", "2.0", "3.0", "4.0"]
    assert "unrot_truth" in head
    assert 'A feature is called "id": what we call so is "prediction_id (2)" here.' in said


def test_wide_rows_are_whole(service: Service, home: Path, tmp_path: Path) -> None:
    schema = Schema(tuple(Feature(f"f{n}", "number") for n in range(500)), "x", ("a", "b"))
    rows: list[Row] = [[float(row * 500 + n) for n in range(500)] for row in range(450)]
    add(service, "farm", schema, rows)

    exported(home, tmp_path / "out.csv")

    head, *found = table(tmp_path / "out.csv")
    place = head.index("f0")
    assert [[float(cell) for cell in row[place : place + 500]] for row in found[::-1]] == rows


def test_nothing_to_export_is_a_header_alone(service: Service, home: Path, tmp_path: Path) -> None:
    add(service, "farm", FARM, [])

    said = exported(home, tmp_path / "out.csv")
    exported(home, tmp_path / "out.jsonl")

    assert table(tmp_path / "out.csv") == [[*COLUMNS, *FARM.names, *VERDICT]]
    assert (tmp_path / "out.jsonl").read_bytes() == b""
    assert "0 predictions of farm written to" in said


def test_standard_output_takes_json_lines_and_nothing_else(service: Service, home: Path) -> None:
    add(service, "farm", FARM, ROWS)

    done = subprocess.run(
        [sys.executable, "-m", "unrot", "export", "farm", "-"],
        env=environment(home),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert [json.loads(line)["weight"] for line in done.stdout.splitlines()] == [3.0, 1e-7, 0.5]
    assert "3 predictions of farm written to the standard output." in done.stderr


# ── Parquet ──────────────────────────────────────────────────────────────────────────────────


def test_parquet_has_types(
    service: Service, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs("pyarrow", find_spec("pyarrow") is not None, "pip install -r requirements-dev.txt")
    import pyarrow.parquet

    made = add(service, "farm", FARM, ROWS)
    judge(service, FARM, made[2], label="-pig", comment="=1+1")
    monkeypatch.setattr(exporting, "CELLS_AT_ONCE", 2 * (len(COLUMNS) + 4 + len(VERDICT)))

    exported(home, tmp_path / "out.parquet")
    exported(home, tmp_path / "none.parquet", "--since", "2030-01-01")

    found = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    types = {field.name: str(field.type) for field in found.schema}
    first = found.to_pylist()[0]
    assert types["predicted_at"] == types["given_at"] == "timestamp[us, tz=UTC]"
    assert (types["weight"], types["sound"], types["is_old"]) == ("double", "string", "bool")
    assert [one["weight"] for one in found.to_pylist()] == [3.0, 1e-7, 0.5]
    assert (first["comment"], first["truth"], first["was_correct"]) == ("=1+1", "-pig", False)
    assert first["given_at"].timestamp() == NOON + 2 + 3_600.5
    empty = pyarrow.parquet.read_table(tmp_path / "none.parquet")
    assert (empty.num_rows, empty.schema.names) == (0, found.schema.names)


def test_parquet_without_its_library_says_what_to_install(
    service: Service, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(service, "farm", FARM, ROWS)
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    done = run_command(home, "export", "farm", str(tmp_path / "out.parquet"))

    assert done.returncode == 1
    assert "Parquet needs the library pyarrow: pip install pyarrow==" in done.stderr
    assert not (tmp_path / "out.parquet").exists()


def test_library_of_parquet_is_the_one_of_the_extra() -> None:
    from unrot.run.table_files import PYARROW

    assert f'parquet = ["{PYARROW}"]' in (ROOT / "pyproject.toml").read_text()
    assert f"\n{PYARROW}\n" in (ROOT / "requirements-dev.txt").read_text()


# ── whole or not there, and never all in memory ──────────────────────────────────────────────

DOOMED = """
import os, signal, sys
from unrot.cli.main import main
from unrot.run import table_files
write = table_files.CsvWriter.write
def doomed(writer, part):
    write(writer, part)
    writer._file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
table_files.CsvWriter.write = doomed
main(sys.argv[1:])
"""


def test_killed_export_leaves_the_file_of_before(
    service: Service, home: Path, tmp_path: Path
) -> None:
    add(service, "farm", FARM, ROWS)
    path = tmp_path / "out.csv"
    path.write_text("of before")

    killed = subprocess.run(
        [sys.executable, "-c", DOOMED, "export", "farm", str(path), "--force"],
        env=environment(home),
        cwd=ROOT,
        capture_output=True,
        timeout=60,
    )

    assert killed.returncode == -signal.SIGKILL
    assert path.read_text() == "of before"
    exported(home, path, "--force")
    assert len(table(path)) == 4
    assert [one for one in os.listdir(tmp_path) if "out.csv" in one] == ["out.csv"]


def test_rows_are_read_as_they_are_written(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = Schema(FARM.features[:1], "x", ("a", "b"))
    add(service, "farm", schema, [[float(number)] for number in range(5_000)])
    read: list[str] = []
    real = BatchReader._open

    def noted(reader: BatchReader, header: Any) -> Any:
        read.append(header.key)
        return real(reader, header)

    export = open_export(service, "farm", lambda *_: None)
    monkeypatch.setattr(BatchReader, "_open", noted)
    monkeypatch.setattr(exporting, "MOST_AT_ONCE", 500)

    first = next(export.parts)

    assert (len(first[0]), len(read)) == (500, 1)
    assert sum(len(part[0]) for part in export.parts) == 4_500
    assert len(read) == 5


@pytest.mark.parametrize("what", ["predictions", "feedback"])
def test_progress_tells_how_much_is_done(
    service: Service, monkeypatch: pytest.MonkeyPatch, what: Any
) -> None:
    monkeypatch.setattr(exporting, "MOST_AT_ONCE", 2)
    for made in add(service, "farm", FARM, [ROWS[0]] * 5):
        judge(service, FARM, made, was_correct=True)
    told: list[tuple[float, str]] = []

    export = open_export(
        replace(service, clock=lambda: NOON + 4.0),
        "farm",
        lambda done, step: told.append((done, step)),
        what=what,
    )
    assert len(list(export.parts)) == 3

    word = "prediction" if what == "predictions" else "verdict"
    assert [step for _, step in told] == [f"2 {word}s", f"4 {word}s", f"5 {word}s"]
    shares = [0.25, 0.75, 1.0] if what == "predictions" else [0.4, 0.8, 1.0]
    assert [share for share, _ in told] == shares


# ── what is refused ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["frm", "x.csv"], 'There is no model "frm": the nearest one is farm.'),
        (["farm", "x.xlsx"], "has none of the endings .csv, .jsonl, .ndjson and .parquet"),
        (["farm", "x.csv", "--since", "soon"], '--since "soon": expected a time such as'),
        (["farm", "x.csv", "--until", "1e300"], '--until "1e300": expected a time such as'),
        (["farm", "x.csv", "--since", "2026-02", "--until", "2026-01-01"], "expected a time"),
        (
            ["farm", "x.csv", "--since", "2026-02-01", "--until", "2026-01-01"],
            '--until "2026-01-01": expected a time after --since',
        ),
    ],
)
def test_what_cannot_be_exported_is_a_sentence(
    service: Service, home: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    add(service, "farm", FARM, ROWS)
    name, file, *more = arguments

    done = run_command(home, "export", name, str(tmp_path / file), *more)

    assert done.returncode == 1
    assert said in done.stderr
    assert not (tmp_path / file).exists()


def test_file_that_is_there_is_replaced_by_force_only(
    service: Service, home: Path, tmp_path: Path
) -> None:
    add(service, "farm", FARM, ROWS)
    path = tmp_path / "out.csv"
    path.write_text("of before")

    refused = run_command(home, "export", "farm", str(path))

    assert refused.returncode == 1
    assert "is there already: choose another name, or add --force." in refused.stderr
    assert path.read_text() == "of before"
    exported(home, path, "--force")
    assert len(table(path)) == 4


def test_renamed_model_is_found_by_both_names_and_a_removed_one_by_none(
    service: Service, home: Path, tmp_path: Path
) -> None:
    add(service, "farm", FARM, ROWS)
    service.store.registry.rename_model(ModelKey("farm"), "ranch")

    exported(home, tmp_path / "new.csv", name="ranch")
    exported(home, tmp_path / "old.csv", name="farm")
    service.store.registry.remove_model(ModelKey("farm"))
    refused = run_command(home, "export", "ranch", str(tmp_path / "gone.csv"))

    assert table(tmp_path / "new.csv") == table(tmp_path / "old.csv")
    assert len(table(tmp_path / "new.csv")) == 4
    assert "ranch was removed, with all that was kept of it." in refused.stderr
