"""Whole files through a model: every row comes back, each prediction can be judged."""

from __future__ import annotations

import csv
import io
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import unrot
from tests.conftest import ROOT, environment, noon, run_command, wait_for
from tests.newest import newest
from unrot.core.errors import Invalid, JournalFull, NotFound
from unrot.core.records import Caller, RefusedFor
from unrot.core.settings import Settings
from unrot.core.windows import total
from unrot.make.csv.batches import Batch
from unrot.run.bootstrap import open_service
from unrot.run.caretaker import Caretaker, without_caretaker
from unrot.serve.service import Service

NAMES = "sepal_length_cm,sepal_width_cm,petal_length_cm,petal_width_cm"
SETOSA, VIRGINICA = "5.1,3.5,1.4,0.2", "6.9,3.1,5.4,2.1"

Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file called in.csv."""

    def write(content: str | bytes) -> Path:
        path = tmp_path / "in.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def answered(batch: Batch) -> list[dict[str, str]]:
    text = b"".join(batch.parts()).decode()
    delimiter = batch.file.delimiter
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))


def read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(), newline="")))


# ── the answer ───────────────────────────────────────────────────────────────────────────────


def test_rows_that_are_none_are_counted_by_feature_as_those_of_requests_are(
    service: Service, write: Write
) -> None:
    path = write(f"{NAMES}\n{SETOSA}\n5.1,,1.4,0.2\n5.1,wide,1.4,0.2\n{VIRGINICA}\n,3.5,1.4,0.2\n")

    answered(Batch(service, "iris", path))
    service.refusals.write()
    Caretaker(service, "me").go_round()

    window = total(service.store.traffic.windows("iris", since=0, until=1e11))
    assert window.rejected == {"null": 2, "wrong_type": 1}
    assert window.refused_for == RefusedFor(
        {"sepal_width_cm": {"null": 1, "wrong_type": 1}, "sepal_length_cm": {"null": 1}}, 3
    )


def test_file_of_many_more_columns_than_the_model_has_is_refused(
    service: Service, write: Write
) -> None:
    more = ",".join(f"c{number}" for number in range(501))

    with pytest.raises(Invalid, match="505 columns and at most 504 are read"):
        Batch(service, "iris", write(f"{NAMES},{more}\n"))


def test_answer_to_a_long_file_ends_in_time_and_says_where(service: Service, write: Write) -> None:
    batch = Batch(service, "iris", write(f"{NAMES}\n" + f"{SETOSA}\n" * 2_500))

    parts = list(batch.parts(seconds=0.0))

    assert len(parts) == 3
    assert "The answer ends after line 1001 of the file: it took longer than" in parts[-1].decode()


def test_rows_come_back_as_they_stand_with_what_is_predicted(
    service: Service, write: Write
) -> None:
    path = write(f'plant,{NAMES}\n"a ""b"", c",{SETOSA}\n"two\nlines",{VIRGINICA}\n')
    batch = Batch(service, "iris", path)

    first, second = answered(batch)

    [plain] = service.predict_instances("iris", [[6.9, 3.1, 5.4, 2.1]]).predictions
    assert (batch.predicted, batch.bad, batch.notes) == (2, 0, [])
    assert list(first) == [
        "plant",
        *NAMES.split(","),
        "id",
        "prediction",
        "probability",
        "version",
        "problem",
    ]
    assert (first["plant"], first["sepal_length_cm"]) == ('a "b", c', "5.1")
    assert (first["prediction"], first["version"], first["problem"]) == ("Iris-setosa", "v1", "")
    assert second["plant"] == "two\nlines"
    assert second["prediction"] == plain.label
    assert float(second["probability"]) == max(plain.probabilities or ())


def test_every_row_is_a_prediction_that_can_be_judged(service: Service, write: Write) -> None:
    batch = Batch(service, "iris", write(f"{NAMES}\n" + f"{SETOSA}\n" * 2_500))

    ids = [row["id"] for row in answered(batch)]
    Caretaker(service, "me").go_round()

    assert len(set(ids)) == 2_500
    assert service.today("iris").predictions == 2_500
    assert service.judge({"id": ids[-1], "was_correct": True}, Caller())[1] == "created"


def test_bad_rows_keep_their_place_and_say_why(service: Service, write: Write) -> None:
    path = write(f"{NAMES}\n{SETOSA}\n1,2\nbig,2,3,4\n,2,3,4\n1,2,3,4,5\n1e99,1,1,1\n{SETOSA}\n")
    batch = Batch(service, "iris", path)

    rows = answered(batch)

    assert [row["sepal_length_cm"] for row in rows] == ["5.1", "1", "big", "", "1", "1e99", "5.1"]
    assert [bool(row["id"]) for row in rows] == [True, *[False] * 5, True]
    assert [row["problem"] for row in rows[1:3]] == [
        "in.csv, line 3: 2 values, expected 4.",
        'sepal_length_cm "big": expected a finite number, usually 4.3 to 7.7 cm.',
    ]
    assert (batch.predicted, batch.bad) == (2, 5)
    assert batch.first_problems == [
        "in.csv, line 3: 2 values, expected 4.",
        'line 4: sepal_length_cm "big": expected a finite number, usually 4.3 to 7.7 cm.',
        "line 5: sepal_length_cm null: expected a finite number, usually 4.3 to 7.7 cm.",
    ]


def test_rows_that_the_model_refuses_are_found_among_the_others(
    tmp_path: Path, write: Write
) -> None:
    towns, y = [["Bern"], ["Basel"]] * 20, ["goes", "stays"] * 20
    fitted = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(towns, y)
    settings = Settings(home=tmp_path / "home")
    unrot.add("towns", fitted, [{"f0": town} for [town] in towns], y, settings=settings)
    batch = Batch(open_service(settings), "towns", write("f0\nBern\nLugano\nBasel\nChur\n"))

    rows = answered(batch)

    assert [row["prediction"] for row in rows] == ["goes", "", "stays", ""]
    assert rows[1]["problem"] == 'f0 "Lugano": expected a text, one of Basel, Bern.'
    assert rows[3]["problem"] == 'f0 "Chur": expected a text, one of Basel, Bern.'


def test_names_that_the_file_has_already_give_way(service: Service, write: Write) -> None:
    batch = Batch(service, "iris", write(f"ID,{NAMES},prediction_id\n7,{SETOSA},8\n"))

    [row] = answered(batch)

    assert (row["ID"], row["prediction_id"]) == ("7", "8")
    assert len(row["prediction_id (2)"]) == 32
    assert batch.notes == [
        'The file has a column "id" already: here it is called "prediction_id (2)".'
    ]


def test_each_class_has_a_column_when_asked(service: Service, write: Write) -> None:
    batch = Batch(service, "iris", write(f"{NAMES}\n{SETOSA}\nx\n"), with_probabilities=True)

    good, bad = answered(batch)

    shares = {name: cell for name, cell in good.items() if name.startswith("probability of ")}
    assert list(shares) == [
        f"probability of Iris-{name}" for name in ("setosa", "versicolor", "virginica")
    ]
    assert shares["probability of Iris-setosa"] == good["probability"]
    assert sum(map(float, shares.values())) == pytest.approx(1)
    assert (bad["probability"], bad["problem"]) == ("", "in.csv, line 3: 1 value, expected 4.")


def test_numbers_are_written_as_the_file_writes_them(tmp_path: Path, write: Write) -> None:
    fitted = LinearRegression().fit([[0.0], [1.0], [2.0]], [0.5, 2.5, 4.5])
    settings = Settings(home=tmp_path / "home")
    unrot.add("line", fitted, [[0.0], [1.0], [2.0]], [0.5, 2.5, 4.5], settings=settings)
    path = write("Größe;f0\nklein;0,25\ngroß;1,5\n".encode("cp1252"))
    batch = Batch(open_service(settings), "line", path)

    rows = answered(batch)

    assert list(rows[0]) == ["Größe", "f0", "id", "prediction", "version", "problem"]
    assert [row["f0"] for row in rows] == ["0,25", "1,5"]
    assert [float(row["prediction"].replace(",", ".")) for row in rows] == pytest.approx([1, 3.5])
    assert "," in rows[1]["prediction"]
    assert batch.notes == ["The file is not UTF-8: it was read as Windows-1252."]


def test_file_without_rows_is_answered_by_its_header(service: Service, write: Write) -> None:
    batch = Batch(service, "iris", write(f"{NAMES}\n"))

    assert answered(batch) == []
    assert (batch.predicted, batch.bad) == (0, 0)


def test_what_cannot_be_predicted_is_refused_at_once(service: Service, write: Write) -> None:
    with pytest.raises(Invalid, match=r'The column "petal_width_cm": in\.csv has no such column'):
        Batch(service, "iris", write("sepal_length_cm,sepal_width_cm,petal_length_cm\n1,2,3\n"))
    with pytest.raises(Invalid, match="is empty"):
        Batch(service, "iris", write(""))
    with pytest.raises(Invalid, match="an Excel workbook or a zip archive"):
        Batch(service, "iris", write(b"PK\x03\x04rest"))
    with pytest.raises(NotFound, match='no model "roses"'):
        Batch(service, "roses", write(f"{NAMES}\n"))
    with pytest.raises(NotFound, match='no version "v9"'):
        Batch(service, "iris", write(f"{NAMES}\n"), version="v9")


# ── the journal ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def cramped(settings: Settings) -> Iterator[Service]:
    """A service whose journal holds some hundred rows."""
    service = replace(open_service(replace(settings, journal_max=200_000)), clock=noon)
    yield service
    service.store.close()


def test_batch_waits_for_the_journal_and_loses_no_prediction(
    cramped: Service, write: Write
) -> None:
    batch = Batch(cramped, "iris", write(f"{NAMES}\n" + f"{SETOSA}\n" * 5_000))
    keeper = Caretaker(cramped, "me")
    thread = threading.Thread(target=keeper.run)
    thread.start()

    ids = [row["id"] for row in answered(batch)]
    keeper.stop()
    thread.join(20)

    assert all(ids)
    assert len(set(ids)) == 5_000
    assert cramped.today("iris").predictions == 5_000


def test_batch_without_patience_says_where_it_ended(cramped: Service, write: Write) -> None:
    batch = Batch(cramped, "iris", write(f"{NAMES}\n" + f"{SETOSA}\n" * 2_500))
    parts = []

    with pytest.raises(JournalFull, match="is not being shipped"):
        parts.extend(batch.parts(patience_seconds=0))

    assert (batch.predicted, batch.line) == (1_000, 1_001)
    assert batch.last_part("Enough.") == (
        b",,,,,,,,The answer ends after line 1001 of the file: Enough.\r\n"
    )


def test_journal_that_cannot_be_written_stops_the_batch(service: Service, write: Write) -> None:
    shutil.rmtree(service.journal.folder, ignore_errors=True)
    service.journal.folder.symlink_to("nowhere")
    batch = Batch(service, "iris", write(f"{NAMES}\n{SETOSA}\n"))

    with pytest.raises(JournalFull, match="would have no ids"):
        list(batch.parts())


# ── the command ──────────────────────────────────────────────────────────────────────────────


def test_predicting_and_judging_work_without_a_server(
    trained_home: Path, tmp_path: Path, write: Write
) -> None:
    source, out = write(f"{NAMES}\n{SETOSA}\n{VIRGINICA}\nx,,,\n"), tmp_path / "out.csv"

    predicted = run_command(trained_home, "predict", "iris", source, out)
    rows = read(out)
    lines = out.read_text().splitlines()
    labels = ["label", "Iris-setosa", "iris-versicolor", ""]
    out.write_text("".join(f"{a},{b}\n" for a, b in zip(lines, labels, strict=True)))
    judged = run_command(trained_home, "feedback", out)

    assert (predicted.returncode, predicted.stdout) == (0, "")
    assert "2 rows are predicted by iris v1, 1 could not be:" in predicted.stderr
    assert f"python -m unrot feedback {out}" in predicted.stderr
    assert [row["prediction"] for row in rows] == ["Iris-setosa", "Iris-virginica", ""]
    assert judged.returncode == 0
    assert judged.stdout.splitlines() == [
        "what became of the labels  rows  where",
        "kept                       2",
        "skipped: no label yet      1",
    ]
    assert sorted(os.listdir(tmp_path)) == ["home", "in.csv", "out.csv"]
    service = open_service(Settings(home=trained_home))
    judgements = newest(service, "iris")
    assert [(one.feedback.was_correct, one.feedback.judge) for one in judgements if one.feedback]
    assert {one.prediction.id for one in judgements} == {row["id"] for row in rows[:2]}
    service.store.close()


def test_files_that_are_there_are_let_be(
    at_home: Callable[..., int],
    tmp_path: Path,
    write: Write,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source, out = write(f"{NAMES}\n{SETOSA}\n"), tmp_path / "out.csv"
    out.write_text("mine")

    codes = [
        at_home("predict", "iris", source, out),
        at_home("predict", "iris", source, source, "--force"),
        at_home("predict", "iris", source, tmp_path),
        at_home("predict", "iris", tmp_path / "no.csv", out),
    ]

    assert codes == [1, 1, 1, 1]
    assert capsys.readouterr().err.splitlines() == [
        f"{out} is there already: choose another name, or add --force.",
        f"{source} is the file that is read: choose another name for the answer.",
        f"{tmp_path} is a folder: name a file in it, such as {tmp_path / 'out.csv'}.",
        f"There is no file {tmp_path / 'no.csv'}.",
    ]
    assert out.read_text() == "mine"


def test_answer_that_cannot_be_written_is_told_in_a_sentence(
    at_home: Callable[..., int],
    trained_home: Path,
    tmp_path: Path,
    write: Write,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = write(f"{NAMES}\n{SETOSA}\n")

    with without_caretaker(trained_home):
        full = at_home("predict", "iris", source, "/dev/full")
        nowhere = at_home("predict", "iris", source, tmp_path / "no" / "out.csv")

    said = capsys.readouterr().err
    assert (full, nowhere) == (1, 1)
    assert "/dev/full cannot be written: No space left on device." in said
    assert f"{tmp_path}/no/out.csv cannot be written: No such file or directory." in said


def test_interrupted_command_leaves_no_half_answer(
    trained_home: Path, tmp_path: Path, write: Write
) -> None:
    source, out = write(f"{NAMES}\n" + f"{SETOSA}\n" * 3_000), tmp_path / "out.csv"
    log = tmp_path / "log"

    with without_caretaker(trained_home), log.open("w") as sink:
        started = subprocess.Popen(
            [sys.executable, "-m", "unrot", "predict", "iris", str(source), str(out)],
            env=environment(trained_home, UNROT_JOURNAL_MAX="200000"),
            cwd=ROOT,
            stderr=sink,
        )
        wait_for(
            lambda: "waiting until the background worker" in log.read_text(), 30, log.read_text
        )
        started.send_signal(signal.SIGINT)
        code = started.wait(20)

    assert code == 130
    assert f"{out} was not written. What was made is kept (1,000 predictions)" in log.read_text()
    assert sorted(os.listdir(tmp_path)) == ["home", "in.csv", "log"]


def test_answer_goes_to_standard_output(trained_home: Path, write: Write) -> None:
    with without_caretaker(trained_home):
        done = run_command(trained_home, "predict", "iris", write(f"{NAMES}\n{SETOSA}\n"), "-")

    assert done.stdout.splitlines()[0] == f"{NAMES},id,prediction,probability,version,problem"
    assert "send it: python -m unrot feedback FILE" in done.stderr
